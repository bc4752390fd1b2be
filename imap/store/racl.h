/* racl.h - the reverse ACL rows of a 3.6 mailbox list (option reverseacls; spec/databases.md 4.4). Every change of an entry
 * carries its rows along as long as the marker is there; whether they agree with the ACLs is proven when the server starts. */
#ifndef CAMB_RACL_H
#define CAMB_RACL_H
#include "store/mbentry.h"
#include "store/store.h"

typedef void racl_row_cb(void *arg, const char *key, size_t len);
/* The rows of an entry: for each identifier to whom the ACL gives `l` or `r`, and who is not the owner, "A" "U" or "S" RS
 * identifier RS name, the name as the list's key has it behind its first letter. admins: also for administrators, whom 3.6 leaves
 * out. None for a tombstone. */
void racl_rows(struct store *st, const struct mbentry *e, bool admins, racl_row_cb *cb, void *arg);

/* keep: compares all rows with all ACLs, adds what is missing, removes what is stale, and sets the marker. Else removes all of
 * them. One transaction; nothing is written where nothing is wrong. Nothing happens in layouts without such rows. 0 or ERR_IO. */
int racl_settle(struct store *st, bool keep, size_t *missing, size_t *stale);
#endif
