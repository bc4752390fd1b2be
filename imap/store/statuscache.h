/* statuscache.h - statuscache.db is a cache: rows are dropped whenever their mailbox changes, and made again by whoever wants
 * them (spec/databases.md 11). We never answer from it, so it is right or absent. */
#ifndef CAMB_STATUSCACHE_H
#define CAMB_STATUSCACHE_H
#include "store/store.h"

/* nothing unless `statuscache` is on; failures are logged */
void statuscache_invalidate(struct store *st, const char *mboxname);
#endif
