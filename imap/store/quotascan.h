/* quotascan.h - do the mailboxes agree with the quota roots? Counts usage anew, finds wrong and abandoned roots, corrects them
 * while the store is in use (spec/databases.md 7, tools.md 3 row quota). */
#ifndef CAMB_QUOTASCAN_H
#define CAMB_QUOTASCAN_H
#include "store/quota.h"

struct quotascan {
	struct store *st;
	bool fix;                         /* false: only tell */
	/* What is found; NULL for "no root". May be NULL themselves. `name` and `root` are internal. */
	void (*wrong_root)(void *arg, const char *name, const char *recorded, const char *right);
	void (*wrong_usage)(void *arg, const char *root, enum quota_resource res, uint64_t was, uint64_t now);
	void (*removed)(void *arg, const char *root);     /* no mailbox belongs to it */
	void *arg;
};
/* Looks at every root that begins with the prefix and every mailbox that belongs to one, by right or by its header. Takes the
 * lock $QUOTACHANGE. A mailbox that cannot be opened is logged and makes the result its error; roots above it are then left
 * alone. */
int quotascan_run(struct quotascan *s, const char *prefix);
#endif
