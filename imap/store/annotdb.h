/* annotdb.h - annotations.db, where the annotations of mailboxes and of the server are: the file, and its records as the layout
 * has them (spec/databases.md 8). What clients see of it is annots.h's business, bytes are annotrow.h's. */
#ifndef CAMB_ANNOTDB_H
#define CAMB_ANNOTDB_H
#include "store/annotrow.h"
#include "store/mbentry.h"
#include "store/store.h"

/* flags: CYRUSDB_CREATE or 0. A cyrusdb_rc: NOTFOUND, when there is none and none is to be made, is not logged. */
int annotdb_open(struct store *st, int flags, struct cyrusdb **db);
/* Appends the first part of the mailbox's keys, with its NUL; e NULL: the server's. False, and nothing: the mailbox lacks the id
 * they would begin with, and must not be taken for the server. */
bool annotdb_scope(const struct store *st, const struct mbentry *e, struct buf *out);
/* What stands for the user in keys of that mailbox: his id, or 3.6's word for its owner. Borrowed. */
const char *annotdb_user(const struct store *st, const struct mbentry *e, const char *userid);
/* false as above */
bool annotdb_key(const struct store *st, const struct mbentry *e, const char *entry, const char *user, struct buf *out);
/* A value as the layout writes it; modseq: 0 but for messages. */
void annotdb_value(const struct store *st, const char *value, size_t len, uint64_t modseq, struct buf *out);
/* The record's value that is not empty, borrowed from the database. NOTFOUND: none, or one that cannot be read. txn may be
 * NULL. */
int annotdb_fetch(struct cyrusdb *db, const struct buf *key, struct annotrow *row, struct cyrusdb_txn **txn);
#endif
