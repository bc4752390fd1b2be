/* twoskip_priv.h - shared by twoskip.c (records, search, changes) and twoskip_recover.c (recovery, repack, checks). The format
 * is spec/cyrusdb.md 7; TS_ constants are its numbers. */
#ifndef CAMB_TWOSKIP_PRIV_H
#define CAMB_TWOSKIP_PRIV_H
#include "db/db_priv.h"
#include "sys/map.h"

#include <sys/stat.h>

enum {
	TS_HEADER = 64, TS_DUMMY = 64, TS_DATA = 336, TS_MAXLEVEL = 31, TS_SECTOR = 512, TS_HEAD_MAX = 24 + 8 * (TS_MAXLEVEL + 1) + 8,
	TS_FLAG_DIRTY = 1, TS_REPACK_MIN = 16834,
};

struct ts {
	int fd;
	struct stat st;                  /* of the file that is open */
	struct map map;
	/* the header as last read or written */
	uint64_t generation, records, repack_size, current_size;
	uint32_t version, flags;
	uint64_t end;                    /* the logical end: grows inside a transaction */
	uint64_t size;                   /* of the file, as of the lock */
	bool changed;                    /* this transaction wrote something */
	/* Heads whose checksum was right, a bit for each 8 bytes of the file, as long as nobody else has written to it: a search meets the same
	 * few heads every time. Recovery and checks begin by forgetting them. NULL: none. */
	unsigned char *sound;
	size_t sound_size;
	uint64_t at;                     /* the record that next() gave last, while nothing has changed since; 0: none */
};

struct ts_rec {
	uint64_t off, keyoff, valoff, next;      /* next: where the following record begins */
	uint64_t keylen, vallen;
	uint32_t head;                   /* bytes before the key */
	uint8_t type, level;
	uint64_t ptr[TS_MAXLEVEL + 1];
	uint32_t crc_tail;
};

struct ts_pos {                          /* where a key is or would be */
	bool found;
	struct ts_rec rec;               /* when found */
	uint64_t back[TS_MAXLEVEL + 1], forward[TS_MAXLEVEL + 1];     /* by level, from 1 */
};

static inline struct ts *ts_of(const struct cyrusdb *db) { return db->impl; }
struct db_slice ts_key(const struct ts *t, const struct ts_rec *r);
struct db_slice ts_val(const struct ts *t, const struct ts_rec *r);

/* Reads the record at off, which must end at or before `limit`. IOERROR (logged unless quiet) when it is not one. */
int ts_read(const struct cyrusdb *db, uint64_t off, uint64_t limit, struct ts_rec *r, bool quiet);
/* As ts_read, but without a look at the head CRC: for a head whose rewrite was cut off. */
int ts_read_torn(const struct cyrusdb *db, uint64_t off, uint64_t limit, struct ts_rec *r);
bool ts_tail_ok(const struct ts *t, const struct ts_rec *r);
uint64_t ts_level1(const struct ts *t, const struct ts_rec *r);        /* raw: may be a delete record */
/* The live record that level 1 of r leads to: 0 at the end. *raw (may be NULL) is the pointer itself. */
int ts_follow(const struct cyrusdb *db, const struct ts_rec *r, uint64_t *raw, uint64_t *live);
int ts_write_head(struct cyrusdb *db, struct ts_rec *r);
int ts_find(struct cyrusdb *db, struct db_slice key, struct ts_pos *pos);
int ts_write_header(struct cyrusdb *db);
int ts_read_header(struct cyrusdb *db);
void ts_forget_sound(struct ts *t);
int ts_map(struct cyrusdb *db, uint64_t len);
int ts_put(struct cyrusdb *db, struct db_slice key, struct db_slice val, bool must_be_new);
int ts_del(struct cyrusdb *db, struct db_slice key);
int ts_commit_append(struct cyrusdb *db);        /* the commit record, both syncs, the header */
int ts_init_file(struct cyrusdb *db);            /* dummy and header of an empty database */
bool ts_unclean(const struct ts *t);

int ts_recover(struct cyrusdb *db);              /* needs the exclusive lock */
int ts_check(struct cyrusdb *db);
int ts_repack(struct cyrusdb *db);
bool ts_wants_repack(const struct cyrusdb *db);
int ts_dump(struct cyrusdb *db, int detail);
int ts_since(struct cyrusdb *db, const struct cyrusdb_mark *mark, cyrusdb_cb *cb, void *arg, struct cyrusdb_mark *now);
#endif
