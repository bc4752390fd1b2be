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

int mboxlist_put(struct store *st, const struct mbentry *e);       /* create or change; one transaction */
int mboxlist_bury(struct store *st, const struct mbentry *e);      /* tombstone, or nothing at all for a DELETED name */
int mboxlist_move(struct store *st, const struct mbentry *from, const struct mbentry *to);
#endif
