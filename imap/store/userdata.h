/* userdata.h - what belongs to a user and is in no mailbox: subscriptions, seen state, URLAUTH keys, Sieve scripts, quota roots
 * (spec/databases.md 2.1, 2.2, 7, 18). Where a user's files are told by his INBOX's unique id, renaming him moves none of
 * them. */
#ifndef CAMB_USERDATA_H
#define CAMB_USERDATA_H
#include "store/mbentry.h"
#include "store/store.h"

/* Both may be repeated after an interruption: what is done already is passed over. `inbox` is the entry of the INBOX as it is
 * now. */
int userdata_move(struct store *st, const struct mbentry *inbox, const struct mbname *to);
int userdata_remove(struct store *st, const struct mbentry *inbox);

/* The limits of the old INBOX's root and of those below it, for new ones with nothing used yet. A new one that is there already
 * stays. */
int userdata_copy_roots(struct store *st, const struct mbname *from, const struct mbname *to);
void userdata_drop_roots(struct store *st, const struct mbname *inbox);       /* his root and those below it */
#endif
