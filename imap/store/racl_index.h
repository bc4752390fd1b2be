/* racl_index.h - from a person to the mailboxes of others that an ACL opens to him, without a look at the whole mailbox list. The
 * rows (racl.h) stand in the list itself (3.6, `reverseacls`), or in a file of our own beside it (racl_file.h); a LIST asks here
 * and does not know which. */
#ifndef CAMB_RACL_INDEX_H
#define CAMB_RACL_INDEX_H
#include "base/strarray.h"
#include "store/mbentry.h"
#include "store/store.h"

struct racl_index {
	struct store *st;
	struct cyrusdb *db;                /* where the rows are; borrowed */
	struct strarray recent;            /* rows that are not in there yet */
	bool held;                         /* the file is read under one lock; nobody waits for it but who writes down rows */
};
/* false: there is no index, the list has to be read. */
bool racl_index_open(struct store *st, struct racl_index *x);
void racl_index_close(struct racl_index *x);

/* The names (users' or shared ones) of the mailboxes that a row of this identifier names, as the list's keys have them behind
 * their first letter; in no order that means anything, perhaps twice. A row may be stale: look at the record. prefix: of a key
 * (mboxlist_prefix()). one_domain: not those of another domain than the prefix's. *rows is added to. 0 or ERR_IO. */
struct racl_query {
	bool users, one_domain;
	const struct buf *prefix;
	void (*cb)(void *arg, const char *name, size_t len);
	void *arg;
};
int racl_index_each(const struct racl_index *x, const char *id, const struct racl_query *q, uint64_t *rows);
/* The identifiers "group:NAME" that have rows; perhaps twice. */
int racl_index_groups(const struct racl_index *x, bool users, void (*cb)(void *arg, const char *id), void *arg, uint64_t *rows);
/* The record that a name belongs to: 0, ERR_NOMAILBOX, ERR_BADFORMAT, ERR_IO. The caller frees *out. */
int racl_index_lookup(const struct racl_index *x, const char *name, size_t len, struct mbentry *out);
/* Order of the mailbox list. */
int racl_index_compare(const struct racl_index *x, const char *a, const char *b);

/* Are the rows in the list itself? */
bool racl_in_list(struct store *st);
#endif
