/* walktest.h - trees made from recipes, walked, and told as text. */
#ifndef CUNIT_STORE_WALK_WALKTEST_H
#define CUNIT_STORE_WALK_WALKTEST_H
#include "base/buf.h"
#include "cunit/scratch.h"
#include "sys/dirwalk.h"

void walktest_setup(void);             /* a checked fixture; in a directory of its own, see scratch_enter() */
void walktest_teardown(void);

void touch(const char *path);
void make(const char *path);
/* One line of a recipe: "d PATH", "f PATH", "p PATH" (a FIFO), "l TARGET PATH". */
void follow(const char *recipe);
void dig(int depth, const char *file); /* directories in one another, with that file in the deepest */

void put_odds(struct buf *b, const struct dirwalk *w);
/* Everything below `root`, in the order in which it was told, and the oddities; free() it. */
char *walk_all(const char *root, unsigned flags, int want);
void expect(const char *root, const char *want);

/* Callbacks of a walk: what was met, or the paths alone, in a struct buf; numbers in a struct tally. */
int collect(void *arg, const struct dirwalk_entry *e);
int put_path(void *arg, const struct dirwalk_entry *e);
struct tally { int dirs, files, links, deepest, last, stop_at, result; };
int tally(void *arg, const struct dirwalk_entry *e);
#endif
