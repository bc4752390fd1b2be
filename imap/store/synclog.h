/* synclog.h - the replication log: what changed, for sync_client (spec/databases.md 17). Silent unless `sync_log` is on. */
#ifndef CAMB_SYNCLOG_H
#define CAMB_SYNCLOG_H
#include "store/store.h"

/* One line: the word and up to two arguments (NULL: absent), to the log of every channel. Failures are logged, never returned:
 * replication catches up on its own. */
void synclog(struct store *st, const char *word, const char *a, const char *b);
#endif
