/* mboxlist.h - the mailbox list: which mailboxes there are. Layout-independent; see layout.h for what is on disk.
 * All names are internal. Tombstones and intermediates are absent unless a function says otherwise. */
#ifndef CAMB_MBOXLIST_H
#define CAMB_MBOXLIST_H
#include "store/mbentry.h"
#include "store/store.h"

/* 0, ERR_NOMAILBOX, ERR_BADNAME, ERR_BADFORMAT, ERR_IO. On success the caller frees *out. */
int mboxlist_lookup(struct store *st, const char *name, struct mbentry *out);
int mboxlist_lookup_any(struct store *st, const char *name, struct mbentry *out);      /* tombstones and intermediates too */
int mboxlist_lookup_parts(struct store *st, const struct mbname *n, struct mbentry *out);

typedef int mboxlist_cb(void *arg, const struct mbentry *e);      /* non-zero stops and is returned */
enum mboxlist_which { MBOXLIST_LIVE, MBOXLIST_ALL };               /* ALL: tombstones and intermediates too */
/* Every mailbox in database order. under: only that name and what is below it (NULL: all). No lock is held during cb. A damaged
 * record is logged and passed over. */
int mboxlist_each(struct store *st, const struct mbname *under, enum mboxlist_which which, mboxlist_cb *cb, void *arg);
bool mboxlist_has_children(struct store *st, const struct mbname *n);

/* A walk over the records whose key begins with a prefix, all under one look at the database (mboxlist_walk.c). */
struct mboxlist_walk {
	/* A first look at the bytes of a record: false, and it is neither decoded nor reported. May be NULL. */
	bool (*worth)(void *arg, const char *val, size_t len);
	/* Must not touch the mailbox list. *skip: go on behind everything below *past, which is freed; non-zero stops and is
	 * returned. */
	int (*cb)(void *arg, const struct mbentry *e, struct mbname *past, bool *skip);
	void *arg;
	const struct buf *leave;           /* beginnings of keys, not empty, that are stepped over */
	size_t nleave;
	uint64_t rows;                     /* out: records that were looked at */
};
/* prefix: of a key, by mboxlist_prefix(); empty: all. one_domain: records of another domain than the prefix's are stepped
 * over. */
int mboxlist_walk(struct store *st, const struct buf *prefix, bool one_domain, struct mboxlist_walk *w);
/* The key of n: what begins with these bytes. below: only what is below it. Nothing but a domain is a name too. */
void mboxlist_prefix(struct store *st, const struct mbname *n, bool below, struct buf *out);

/* Does the prefix leave out all names with a domain, were it not that it is a part of some? */
bool mboxlist_no_domain(const struct store *st, const struct buf *prefix);

int mboxlist_put(struct store *st, const struct mbentry *e);       /* create or change; one transaction */
int mboxlist_bury(struct store *st, const struct mbentry *e);      /* tombstone, or nothing at all for a DELETED name */
int mboxlist_move(struct store *st, const struct mbentry *from, const struct mbentry *to);
#endif
