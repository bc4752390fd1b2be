/* dirwalk_priv.h - between the dirwalk*.c files. */
#ifndef CAMB_DIRWALK_PRIV_H
#define CAMB_DIRWALK_PRIV_H
#include "base/buf.h"
#include "sys/dirwalk.h"

/* dirwalk_set.c: a set of directories */
struct dirset_entry { dev_t dev; ino_t ino; };
struct dirset { struct dirset_entry *v; size_t n, alloc; };        /* alloc is a power of two; inode 0 marks a free place */
bool dirset_add(struct dirset *s, dev_t dev, ino_t ino);         /* false: it was there */
void dirset_free(struct dirset *s);

/* dirwalk_level.c: one directory, read whole and put in order */
struct level_entry {
	uint64_t ino;
	uint32_t name;                /* offset in names */
	uint16_t len;
	uint8_t type;                 /* DT_* */
	bool skip;
};
struct level {
	int fd;                       /* -1: closed for now */
	dev_t dev;
	ino_t ino;
	size_t path_len;              /* of its path, with the slash */
	struct buf names;             /* each with a NUL */
	struct level_entry *entries;
	size_t n, alloc;
	uint32_t *items;              /* index of an entry twice: + 0 to tell it, + 1 to go into it. In order */
	size_t nitems, items_alloc, at;
};

struct walk {
	struct dirwalk *w;
	struct dirwalk_limits max;
	const unsigned char *rank;
	struct level *levels;
	size_t n, alloc, made;        /* in use; room; levels[0 .. made-1] own memory */
	size_t lo;                    /* open ones: 0, and lo .. n-1 */
	struct buf path;
	struct dirset seen;
	struct dirset_entry *roots;
	size_t root;
	uint64_t held;
	int64_t deadline;
	char *block;                  /* for getdents */
	unsigned ticks;
};
void walk_odd(struct walk *x, enum dirwalk_odd what, int err);      /* of what x->path names */
void walk_path(struct walk *x, const struct level *l, const char *name, size_t len);
int walk_ended(struct walk *x, enum dirwalk_odd what, int err);     /* tells; errno = err; -1 */
bool walk_late(const struct walk *x);

/* Reads the directory l->fd. 0; -1 and errno when a limit ends the walk; *err (0: none) is what ended the reading early. */
int level_read(struct walk *x, struct level *l, int *err);
void level_clear(struct walk *x, struct level *l);           /* forgets the entries; keeps memory if it is little */
void level_free(struct level *l);
#endif
