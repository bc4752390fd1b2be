/* synccache.h - the replication cache of a channel and the index of backups (spec/databases.md 16). Ours neither replicates nor
 * backs up: the records are read so that tools can show and check them. */
#ifndef CAMB_SYNCCACHE_H
#define CAMB_SYNCCACHE_H
#include "store/dlist.h"

/* sync_cache.db: internal mailbox name -> what the replica is known to have, in the words of replication. NULL: damaged. From the
 * arena. */
struct dlist *synccache_parse(struct arena *a, const char *p, size_t len);
const char *synccache_uniqueid(const struct dlist *state);      /* of the mailbox; NULL: not told */

/* backups.db: user id -> path of his backup file. ERR_BADFORMAT: not an absolute path. */
int backuprow_parse(const char *p, size_t len, char **path);    /* the caller frees */
#endif
