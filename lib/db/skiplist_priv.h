/* skiplist_priv.h - shared by skiplist.c (records, search, changes) and skiplist_recover.c. The format is spec/cyrusdb.md 8. */
#ifndef CAMB_SKIPLIST_PRIV_H
#define CAMB_SKIPLIST_PRIV_H
#include "db/db_priv.h"
#include "sys/map.h"

#include <sys/stat.h>

enum { SL_HEADER = 48, SL_DUMMY = 48, SL_DATA = 144, SL_MAXLEVEL = 20, SL_CHECKPOINT_MIN = 16834 };
enum { SL_INORDER = 1, SL_ADD = 2, SL_DELETE = 4, SL_COMMIT = 255, SL_DUMMYREC = 257 };

struct sl {
	int fd;
	struct stat st;
	struct map map;
	uint32_t curlevel, listsize, logstart, last_recovery;   /* header */
	uint32_t size;                   /* of the file, and where the next record goes */
	uint32_t txn_start;              /* size when the transaction began */
	bool logged;                     /* the transaction wrote log records */
	bool broken;                     /* one of its writes failed: only recovery can undo it */
};

struct sl_rec {
	uint32_t off, type, keyoff, keylen, valoff, vallen, ptroff, level, next;
	uint32_t target;                 /* of a DELETE */
};

struct sl_pos {
	bool found;
	struct sl_rec rec;               /* when found */
	uint32_t back[SL_MAXLEVEL + 1];          /* by level from 1: where the pointer to it lies in the file */
	uint32_t forward[SL_MAXLEVEL + 1];       /* and what that pointer says */
};

static inline struct sl *sl_of(const struct cyrusdb *db) { return db->impl; }
uint32_t sl_word(const struct sl *t, uint32_t off);
struct db_slice sl_key(const struct sl *t, const struct sl_rec *r);
/* False when no whole record lies at off. */
bool sl_read(const struct sl *t, uint32_t off, struct sl_rec *r);
int sl_find(struct cyrusdb *db, struct db_slice key, struct sl_pos *pos);
int sl_set_word(struct cyrusdb *db, uint32_t off, uint32_t v);
int sl_write_header(struct cyrusdb *db);
int sl_sync(struct cyrusdb *db);
int sl_map(struct cyrusdb *db);
bool sl_header_parse(struct sl *t);
void sl_header_build(const struct sl *t, unsigned char *h);

int sl_recover(struct cyrusdb *db);              /* needs the exclusive lock */
int sl_checkpoint(struct cyrusdb *db);
int sl_check(struct cyrusdb *db);
int sl_dump(struct cyrusdb *db, int detail);
#endif
