/* duplicate.h - deliver.db: which message went into which mailbox, so that a repeat can be dropped (spec/databases.md 9).
 * Losing the file costs duplicates, never mail. */
#ifndef CAMB_DUPLICATE_H
#define CAMB_DUPLICATE_H
#include "store/store.h"

#include <time.h>

struct duplicate_key { const char *id, *to, *date; };       /* message id with <>, mailbox unique id, Date header's text; NULL: "" */

/* NULL (logged) when it cannot be opened: delivery goes on without it. */
struct cyrusdb *duplicate_open(struct store *st);
void duplicate_close(struct cyrusdb *db);                   /* NULL is allowed */
/* When it was delivered, 0: it was not (or nobody knows). uid may be NULL. db NULL: 0. */
time_t duplicate_check(struct cyrusdb *db, const struct duplicate_key *key, uint32_t *uid);
/* 0 or ERR_IO (logged). db NULL: 0. */
int duplicate_mark(struct cyrusdb *db, const struct duplicate_key *key, time_t when, uint32_t uid);
#endif
