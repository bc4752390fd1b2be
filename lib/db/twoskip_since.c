/* twoskip_since.c - what was stored since a moment. The file only grows at its end until it is repacked, so what was appended
 * since then is read once, in the order of the file (spec/cyrusdb.md 7). */
#include "db/twoskip_priv.h"

#include <string.h>

enum { COMMIT = 24, BLANK = 8 };         /* bytes of a commit record, and of a blank */

static uint64_t skip_blanks(const struct ts *t, uint64_t off)
{
	while (off + BLANK <= t->end && !memcmp(t->map.base + off, " BLANK\007\240", BLANK)) off += BLANK;
	return off;
}

/* A checksum that the transaction ending at `end` leaves there for good: heads are written over later, keys and values never
 * are. */
static uint32_t check_at(const struct cyrusdb *db, uint64_t end)
{
	struct ts_rec commit, first;
	if (end < TS_DATA + COMMIT || ts_read(db, end - COMMIT, end, &commit, true) || commit.type != '$') return 0;
	if (ts_read(db, skip_blanks(ts_of(db), commit.ptr[0]), end, &first, true)) return 0;
	return first.crc_tail ^ (uint32_t)(end - commit.ptr[0]);
}

static bool still_there(const struct cyrusdb *db, const struct cyrusdb_mark *m, const struct cyrusdb_mark *now)
{
	return m->dev == now->dev && m->ino == now->ino && m->generation == now->generation && m->end <= now->end && m->end >= TS_DATA
		&& m->check == check_at(db, m->end);
}

int ts_since(struct cyrusdb *db, const struct cyrusdb_mark *mark, cyrusdb_cb *cb, void *arg, struct cyrusdb_mark *now)
{
	struct ts *t = ts_of(db);
	*now = (struct cyrusdb_mark){ .dev = t->st.st_dev, .ino = t->st.st_ino, .generation = t->generation, .end = t->end,
		.check = check_at(db, t->end), .records = t->records };
	if (mark && !still_there(db, mark, now)) return CYRUSDB_NOTFOUND;
	int r = CYRUSDB_OK;
	for (uint64_t off = mark ? mark->end : t->end; !r && (off = skip_blanks(t, off)) < t->end;) {
		struct ts_rec rec;
		r = ts_read(db, off, t->end, &rec, false);
		if (!r && rec.type == '+' && !ts_tail_ok(t, &rec)) r = CYRUSDB_IOERROR;
		if (!r && rec.type == '+') r = cb(arg, ts_key(t, &rec).p, rec.keylen, ts_val(t, &rec).p, rec.vallen);
		off = rec.next;
	}
	return r;
}
