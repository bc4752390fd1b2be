/* racl.h - the reverse ACL rows of a 3.6 mailbox list (option reverseacls; spec/databases.md 4.4). Every change of an entry carries its rows
 * along as long as the marker is there; whether they agree with the ACLs is proven when the server starts. */
#ifndef CAMB_RACL_H
#define CAMB_RACL_H
#include "store/store.h"

/* keep: compares all rows with all ACLs, adds what is missing, removes what is stale, and sets the marker. Else removes all of them. One
 * transaction; nothing is written where nothing is wrong. Nothing happens in layouts without such rows. 0 or ERR_IO. */
int racl_settle(struct store *st, bool keep, size_t *missing, size_t *stale);
#endif
