/* duplicate.h - deliver.db: which message went into which mailbox, so that a repeat can be dropped (spec/databases.md 9).
 * Losing the file costs duplicates, never mail. */
#ifndef CAMB_DUPLICATE_H
#define CAMB_DUPLICATE_H
#include "store/store.h"

#include <time.h>

struct duplicate_key { const char *id, *to, *date; };       /* message id with <>, mailbox unique id, Date header's text; NULL:
                                                               "" */

/* ---- the records
 * Who wrote a record shows in its `to`: a mailbox's unique id (delivery), ".USER.sieve." (redirects and what scripts sent), a
 * user's name with an id of 32 hex digits and no date (vacation), or nothing (news that were offered). */
struct duplicate_mark { int64_t when; uint64_t uid; };
void duplicate_key_print(const struct duplicate_key *key, struct buf *out);
/* points into p; ERR_BADFORMAT: to be pruned */
int duplicate_key_parse(const char *p, size_t len, struct duplicate_key *key);
/* a value of old has no UID; ERR_BADFORMAT */
int duplicate_mark_parse(const char *p, size_t len, struct duplicate_mark *m);
void duplicate_mark_print(const struct duplicate_mark *m, struct buf *out);

/* NULL (logged) when it cannot be opened: delivery goes on without it. */
struct cyrusdb *duplicate_open(struct store *st);
void duplicate_close(struct cyrusdb *db);                   /* NULL is allowed */
/* When it was delivered, 0: it was not (or nobody knows). uid may be NULL. db NULL: 0. */
time_t duplicate_check(struct cyrusdb *db, const struct duplicate_key *key, uint32_t *uid);
/* 0 or ERR_IO (logged). db NULL: 0. */
int duplicate_mark(struct cyrusdb *db, const struct duplicate_key *key, time_t when, uint32_t uid);
#endif
