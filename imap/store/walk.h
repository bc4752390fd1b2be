/* walk.h - the one way this program reads directories: lstat-based, never through a symbolic link, never into another file system,
 * never twice into one directory, never without a bound (promise 3). What vanishes meanwhile is passed over. */
#ifndef CAMB_WALK_H
#define CAMB_WALK_H
#include <sys/stat.h>

enum { WALK_DEPTH = 512, WALK_ENTRIES = 10 * 1000 * 1000 };
enum walk_kind { WALK_FILE, WALK_DIR, WALK_LINK, WALK_OTHER };

struct walk_entry {
	const char *path;             /* root and the names below it, joined */
	const char *name;             /* last component */
	enum walk_kind kind;          /* WALK_LINK: reported, never entered */
	int depth;                    /* 0: directly below the root */
	const struct stat *st;        /* of lstat */
};
/* Non-zero stops the walk and is returned. WALK_SKIP from a directory: do not enter it. */
enum { WALK_SKIP = -2 };
typedef int walk_fn(void *arg, const struct walk_entry *e);

/* Visits what is below `root`: a directory before its contents, at most max_depth levels further down (0: only the root's own entries).
 * The root itself is not reported and must not be a link. 0; what fn returned; or -1 and errno (ELOOP: a link as root; EMFILE...). */
int walk_dir(const char *root, int max_depth, walk_fn *fn, void *arg);
#endif
