/* dirwalk.h - the one way this program reads directories (promise 3: a walk never leaves the spool). imap/store/spool_walk.h says
 * how it is used on mail; this file knows no mail.
 *
 * What holds, whatever anybody does to the tree meanwhile:
 * - A symbolic link is never followed: not as an entry, not on the way down to `below`, and a root only with DIRWALK_ROOT_LINK.
 *   Links are entries like others, and each is told as an oddity too. FIFOs, devices and sockets are told and never opened.
 * - Everything is opened relative to its open parent with O_NOFOLLOW and O_DIRECTORY, and what was opened is compared with what
 *   had been read, and where that differs (mounts, odd file systems, another directory in its place) with what the name stands
 *   for now. What is no directory any more, or not that, is told as CHANGED and not entered; what has gone is only counted.
 * - No directory is entered twice in one walk (device and inode), so neither mounts of the tree into itself nor a root inside
 *   another root make a circle. A root below another root is walked as a root, and only then.
 * - A directory on another file system than its parent is not entered. (A bind mount of the same file system is: once.)
 * - At most DIRWALK_OPEN + 2 descriptors are held, at any depth, and no C stack grows with depth. A directory that was closed for
 *   that is opened again by ".." or from its root down, and compared; if it cannot be found again, what was left in it is told as
 *   CHANGED.
 * - Memory: for each entry of the directories between the root and the current one 28 bytes and its name, up to twice while one
 *   is read; 16 bytes (up to 43 while the set grows) for each directory entered; one path. limits.held bounds the first.
 * - Time: n log n. System calls: 5 for each directory entered (openat, fstat, getdents twice, close), 1 more for every 2,000 or
 *   so entries of a big one, 1 for each file where DIRWALK_STAT asks for it or the file system does not tell types. No others,
 *   except
 *   2 for each directory deeper than DIRWALK_OPEN, and 1 or 2 for an oddity.
 *
 * Order: by the bytes of the path, as if `sep` stood for each slash and every byte were replaced by its `rank`. That is strcmp
 * order of mailbox names, not the order of a tree: with sep '.', "a" comes before "a-b", and that before the contents of "a". A
 * directory comes before its contents. Names that rank alike come in the order of their bytes: the order is always the same
 * one. */
#ifndef CAMB_DIRWALK_H
#define CAMB_DIRWALK_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

enum { DIRWALK_OPEN = 32 };
enum { DIRWALK_DEPTH = 512, DIRWALK_NAME_MAX = 255, DIRWALK_HELD = 10 * 1000 * 1000 };

enum dirwalk_kind { DIRWALK_FILE, DIRWALK_DIR, DIRWALK_LINK, DIRWALK_SPECIAL };

/*      name         level of a log line and the words in it */
#define DIRWALK_ODD_TABLE(X) \
	X(LINK,       LOG_NOTICE,  "symbolic link, not followed") \
	X(SPECIAL,    LOG_NOTICE,  "neither file nor directory, not opened") \
	X(CYCLE,      LOG_WARNING, "directory was visited before, not entered again") \
	X(MOUNT,      LOG_WARNING, "on another file system, not entered") \
	X(CHANGED,    LOG_WARNING, "replaced while it was being looked at, not entered") \
	X(UNREADABLE, LOG_ERR,     "cannot be read") \
	X(DEEP,       LOG_ERR,     "too deep, not entered") \
	X(NAME,       LOG_ERR,     "name too long, passed over") \
	X(ENTRIES,    LOG_ERR,     "too many entries, stopped here") \
	X(TIME,       LOG_ERR,     "out of time, stopped here")
#define DIRWALK_ENUM(name, level, words) DIRWALK_ODD_##name,
enum dirwalk_odd { DIRWALK_ODD_TABLE(DIRWALK_ENUM) DIRWALK_ODDS };
#undef DIRWALK_ENUM

struct dirwalk_entry {                /* all borrowed, valid during the call */
	const char *path;             /* root, `below` and the names further down, joined; may be longer than PATH_MAX */
	const char *name;             /* last component */
	enum dirwalk_kind kind;
	int depth;                    /* 0: directly in the directory where the walk began */
	size_t root;                  /* index into roots */
	int dirfd;                    /* the directory it is in: use name with it (sys_unlinkat ...), path is for people */
	const struct stat *st;        /* lstat of a FILE or SPECIAL with DIRWALK_STAT; else NULL */
};

struct dirwalk_counts {
	uint64_t dirs;                /* directories entered, the roots included */
	uint64_t entries;             /* names read, "." and ".." not included */
	uint64_t calls;               /* system calls made */
	uint64_t vanished;            /* what had gone when it was looked at */
	uint64_t odd[DIRWALK_ODDS];
};

enum dirwalk_flags {
	DIRWALK_STAT = 1 << 0,
	DIRWALK_ROOT_LINK = 1 << 1,   /* a root may be a symbolic link: an administrator has named it */
	DIRWALK_ROOT_GONE = 1 << 2,   /* a root that does not exist is an empty one */
};
enum { DIRWALK_SKIP = -2, DIRWALK_ALL = -1 };

struct dirwalk_limits {               /* 0: the default */
	int depth;                    /* DIRWALK_DEPTH: directories below the first; deeper ones are told as DEEP */
	size_t name;                  /* DIRWALK_NAME_MAX bytes, at most 4095; longer names are told as NAME */
	uint64_t held;                /* DIRWALK_HELD entries in memory at one time; more ends the walk: ENTRIES, E2BIG */
	uint64_t entries;             /* in the whole walk; no default: one file system is finite. ENTRIES, E2BIG */
	int64_t nsec;                 /* of the monotonic clock; no default. TIME, ETIMEDOUT */
};

/* Set what is wanted, leave the rest 0; `n` is filled in. */
struct dirwalk {
	const char *const *roots;
	size_t nroots;
	const char *below;            /* begin here instead, below each root: relative, no ".."; NULL: at the root */
	int levels;                   /* directories to go down from there; 0: none; DIRWALK_ALL */
	unsigned flags;
	const unsigned char *rank;    /* [256]; NULL: bytes as they are */
	char sep;                     /* 0: '.' */
	struct dirwalk_limits limits;
	/* Called for each entry. DIRWALK_SKIP from a DIR: do not enter it. Anything else but 0 ends the walk. May be NULL. */
	int (*entry)(void *arg, const struct dirwalk_entry *e);
	/* Called for each oddity, before or instead of the entry. err: errno, or 0. May be NULL. */
	void (*odd)(void *arg, enum dirwalk_odd what, const char *path, int err);
	void *arg, *odd_arg;
	struct dirwalk_counts n;
};

/* 0: everything was visited, or counted in n.odd. What entry() returned. -1 and errno: a root (or `below`) could not be read to
 * its end (ENOENT; ELOOP: a link; ENOTDIR; EACCES ...), a limit ended the walk, or no descriptor was left (EMFILE, ENFILE). */
int dirwalk_run(struct dirwalk *w);

/* An odd() for the log: "WHO: PATH: words of the table". After DIRWALK_LOG_LINES within DIRWALK_LOG_SECONDS the others are
 * counted, and told as a number when that time is over or by dirwalk_log_rest(). A line that was logged within that time is not
 * logged again, so that two walks over one place tell once. odd_arg is the state, which outlives walks; set `who`. */
enum { DIRWALK_LOG_LINES = 50, DIRWALK_LOG_SECONDS = 60 };
struct dirwalk_log {
	const char *who;
	int64_t since;                /* private */
	unsigned told, held;
	uint64_t lines[DIRWALK_LOG_LINES];      /* hashes of those told */
};
void dirwalk_log(void *log, enum dirwalk_odd what, const char *path, int err);
void dirwalk_log_rest(struct dirwalk_log *l);

/* The same for the simple case: the entries of one directory, in byte order. */
int dirwalk_list(const char *dir, unsigned flags, int (*entry)(void *arg, const struct dirwalk_entry *e), void *arg);
#endif
