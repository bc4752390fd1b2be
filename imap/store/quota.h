/* quota.h - quota roots: limits and usage per resource (spec/databases.md 7, mailbox.md 14). Roots are internal names. */
#ifndef CAMB_QUOTA_H
#define CAMB_QUOTA_H
#include "store/store.h"

enum quota_resource { QUOTA_STORAGE, QUOTA_MESSAGE, QUOTA_ANNOTSTORAGE, QUOTA_NUMFOLDERS, QUOTA_RESOURCES };
extern const struct quota_resource_info {
	const char *name;                 /* as IMAP spells it */
	const char *key;                  /* in the record */
	unsigned unit;                    /* of the limit, in units of usage: 1024 or 1 */
} quota_resources[QUOTA_RESOURCES];

enum { QUOTA_UNLIMITED = -1 };
struct quota {
	uint64_t used[QUOTA_RESOURCES];
	int64_t limit[QUOTA_RESOURCES];   /* QUOTA_UNLIMITED, or in units */
	bool has_modseq;
	uint64_t modseq;
	char *scan_mbox;                  /* a `quota -f` is at work: counters up to here also go to scan[] */
	int64_t scan[QUOTA_RESOURCES];
};
void quota_free(struct quota *q);
int quota_parse(const char *p, size_t len, struct quota *q);       /* every historical form; ERR_BADFORMAT */
void quota_print(const struct quota *q, bool modseq, struct buf *out);

int quota_read(struct store *st, const char *root, struct quota *q);        /* ERR_NOQUOTAROOT */
int quota_write(struct store *st, const char *root, const struct quota *q);
int quota_delete(struct store *st, const char *root);
/* Read-modify-write in one transaction: change() returns true to have the record stored; after a
 * deadlock it is asked again, with what is there then. ERR_NOQUOTAROOT. */
int quota_change(struct store *st, const char *root, bool (*change)(void *arg, struct quota *q), void *arg);
/* Adds the differences to the root's usage, never below 0; mboxname tells a running scan what changed. */
int quota_use(struct store *st, const char *root, const char *mboxname, const int64_t diff[QUOTA_RESOURCES]);
/* 0 or ERR_QUOTA: would positive differences go over a limit? A missing root allows everything. *over (may be NULL): which. */
int quota_check(struct store *st, const char *root, const int64_t diff[QUOTA_RESOURCES], enum quota_resource *over);
/* The longest existing root that is the name or above it. NULL when none; caller frees. */
char *quota_find_root(struct store *st, const struct mbname *n);
typedef int quota_cb(void *arg, const char *root, const struct quota *q);
int quota_each(struct store *st, const char *prefix, quota_cb *cb, void *arg);
#endif
