/* twoskip.c - the default engine: an append-only file with a two-slot skip list through it (spec/cyrusdb.md 7).
 *
 * Nothing below current_size ever changes but the pointers in record heads, and of the two slots for level 1 one always holds
 * what was true before the running transaction. Recovery is in twoskip_recover.c. */
#include "db/twoskip_priv.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/sys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

static const char magic[20] = "\241\002\213\015twoskip file\0\0\0";
static const char blank[8] = " BLANK\007\240";

static uint32_t crc(const void *p, size_t n)
{
	uLong c = crc32(0, NULL, 0);
	const unsigned char *s = p;
	for (; n > 1u << 30; s += 1u << 30, n -= 1u << 30) c = crc32(c, s, 1u << 30);
	return (uint32_t)crc32(c, s, (uInt)n);
}

static int bad(const struct cyrusdb *db, uint64_t off, const char *what, bool quiet)
{
	if (!quiet) log_msg(LOG_ERR, "DBERROR: twoskip %s: %s at offset %llu", db->path, what, (unsigned long long)off);
	return CYRUSDB_IOERROR;
}

/* ---- file and header */

int ts_map(struct cyrusdb *db, uint64_t len)
{
	struct ts *t = ts_of(db);
	return map_refresh(&t->map, t->fd, len) < 0 ? db_io(db, "mapping") : CYRUSDB_OK;
}

static int write_at(struct cyrusdb *db, const void *p, size_t n, uint64_t off)
{
	struct ts *t = ts_of(db);
	if (sys_pwrite_all(t->fd, p, n, (off_t)off) < 0) return db_io(db, "writing");
	if (off + n > t->size) t->size = off + n;
	return t->size > t->map.len ? ts_map(db, t->size) : CYRUSDB_OK;
}

int ts_write_header(struct cyrusdb *db)
{
	struct ts *t = ts_of(db);
	unsigned char h[TS_HEADER];
	memcpy(h, magic, sizeof magic);
	put_be32(h + 20, t->version);
	put_be64(h + 24, t->generation);
	put_be64(h + 32, t->records);
	put_be64(h + 40, t->repack_size);
	put_be64(h + 48, t->current_size);
	put_be32(h + 56, t->flags);
	put_be32(h + 60, crc(h, 60));
	return write_at(db, h, sizeof h, 0);
}

int ts_read_header(struct cyrusdb *db)
{
	struct ts *t = ts_of(db);
	const char *h = t->map.base;
	if (t->map.len < TS_HEADER || memcmp(h, magic, sizeof magic)) return CYRUSDB_BADFORMAT;
	if (get_be32(h + 60) != crc(h, 60)) return bad(db, 0, "header checksum is wrong", false);
	t->version = get_be32(h + 20);
	if (t->version > 1) return bad(db, 20, "unknown version", false);
	t->generation = get_be64(h + 24);
	t->records = get_be64(h + 32);
	t->repack_size = get_be64(h + 40);
	t->current_size = get_be64(h + 48);
	t->flags = get_be32(h + 56);
	if (t->current_size < TS_DATA || t->current_size % 8) return bad(db, 48, "impossible size", false);
	if (t->current_size > t->size) return bad(db, 48, "file is shorter than its header says", false);
	t->end = t->current_size;
	return CYRUSDB_OK;
}

bool ts_unclean(const struct ts *t) { return t->size != t->current_size || (t->flags & TS_FLAG_DIRTY); }

/* An empty file, or one whose creator died before the header was whole. */
static bool is_unborn(const struct ts *t)
{
	static const char zero[TS_HEADER];
	if (t->size > TS_DATA) return false;
	size_t n = t->size < TS_HEADER ? (size_t)t->size : TS_HEADER;
	if (!n || !memcmp(t->map.base, zero, n)) return true;
	/* the first half of a header: records are impossible in a file of this size */
	return !memcmp(t->map.base, magic, n < sizeof magic ? n : sizeof magic) && (n <= 32 || !memcmp(t->map.base + 32, zero,
		n - 32));
}

int ts_init_file(struct cyrusdb *db)
{
	struct ts *t = ts_of(db);
	struct ts_rec dummy = { .off = TS_DUMMY, .type = '=', .level = TS_MAXLEVEL, .head = TS_DATA - TS_DUMMY };
	int r = ts_write_head(db, &dummy);
	t->version = t->generation = 1;
	t->records = t->flags = 0;
	t->repack_size = t->current_size = t->end = TS_DATA;
	if (!r) r = ts_write_header(db);
	if (!r && t->size > TS_DATA && sys_ftruncate(t->fd, TS_DATA) < 0) r = db_io(db, "truncating");
	if (!r && sys_fsync(t->fd) < 0) r = db_io(db, "syncing");
	if (!r) t->size = TS_DATA;
	return r;
}

/* ---- records */

struct db_slice ts_key(const struct ts *t, const struct ts_rec *r)
{
	return (struct db_slice){ t->map.base + r->keyoff, r->keylen };
}

struct db_slice ts_val(const struct ts *t, const struct ts_rec *r)
{
	return (struct db_slice){ t->map.base + r->valoff, r->vallen };
}

static uint64_t pad8(uint64_t n) { return (n + 7) & ~(uint64_t)7; }

/* Everything that can be checked without the checksum. */
static const char *parse_head(const struct ts *t, uint64_t off, uint64_t limit, struct ts_rec *r)
{
	if (limit > t->map.len) limit = t->map.len;
	if (off < TS_DUMMY || off % 8 || limit < 24 || off > limit - 24) return "no record can be";
	const char *p = t->map.base + off;
	memset(r, 0, sizeof *r);
	r->off = off;
	r->type = (uint8_t)p[0];
	r->level = (uint8_t)p[1];
	if (!r->type || !strchr("=+-$", r->type)) return "unknown record type";
	if (r->level > TS_MAXLEVEL || (r->type == '+' && !r->level) || ((r->type == '-' || r->type == '$') && r->level))
		return "bad level";
	if ((r->type == '=') != (off == TS_DUMMY)) return "misplaced record";
	r->keylen = get_be16(p + 2);
	r->vallen = get_be32(p + 4);
	uint64_t at = off + 8;
	bool longkey = r->keylen == 0xFFFF, longval = r->vallen == 0xFFFFFFFFu;
	uint64_t need = 8 + (longkey ? 8 : 0) + (longval ? 8 : 0) + 8 * ((uint64_t)r->level + 1) + 8;
	if (need > limit - off) return "cut off record";
	if (longkey) r->keylen = get_be64(t->map.base + at), at += 8;
	if (longval) r->vallen = get_be64(t->map.base + at), at += 8;
	for (int i = 0; i <= r->level; i++, at += 8) r->ptr[i] = get_be64(t->map.base + at);
	r->crc_tail = get_be32(t->map.base + at + 4);
	r->head = (uint32_t)need;
	r->keyoff = off + need;
	uint64_t room = limit - r->keyoff;
	if (r->keylen > room || r->vallen > room - r->keylen || pad8(r->keylen + r->vallen) > room) return "cut off record";
	r->valoff = r->keyoff + r->keylen;
	r->next = r->keyoff + pad8(r->keylen + r->vallen);
	return NULL;
}

void ts_forget_sound(struct ts *t)
{
	free(t->sound);
	t->sound = NULL;
	t->sound_size = 0;
}

/* The byte that has this record's bit in `mask`. */
static unsigned char *sound_byte(struct ts *t, uint64_t off, unsigned char *mask)
{
	size_t at = (size_t)(off / 64);
	if (at >= t->sound_size) {
		size_t more = (size_t)(t->size / 64) + 1, size = at < more ? more + more / 4 : at + 1;
		t->sound = mem_realloc(t->sound, size);
		memset(t->sound + t->sound_size, 0, size - t->sound_size);
		t->sound_size = size;
	}
	*mask = (unsigned char)(1u << (off / 8 % 8));
	return &t->sound[at];
}

int ts_read(const struct cyrusdb *db, uint64_t off, uint64_t limit, struct ts_rec *r, bool quiet)
{
	struct ts *t = ts_of(db);
	const char *why = parse_head(t, off, limit, r);
	if (why) return bad(db, off, why, quiet);
	unsigned char mask, *bits = sound_byte(t, off, &mask);
	if (*bits & mask) return CYRUSDB_OK;
	const char *p = t->map.base + off;
	if (get_be32(p + r->head - 8) != crc(p, r->head - 8)) return bad(db, off, "record head checksum is wrong", quiet);
	*bits |= mask;
	return CYRUSDB_OK;
}

int ts_read_torn(const struct cyrusdb *db, uint64_t off, uint64_t limit, struct ts_rec *r)
{
	return parse_head(ts_of(db), off, limit, r) ? CYRUSDB_IOERROR : CYRUSDB_OK;
}

bool ts_tail_ok(const struct ts *t, const struct ts_rec *r)
{
	return r->keyoff == r->next ? !r->crc_tail : crc(t->map.base + r->keyoff, r->next - r->keyoff) == r->crc_tail;
}

/* The bytes of a head, its CRC included; returns their number. */
static size_t build_head(const struct ts_rec *r, unsigned char *h)
{
	size_t at = 8;
	bool longkey = r->keylen >= 0xFFFF, longval = r->vallen >= 0xFFFFFFFFu;
	h[0] = r->type;
	h[1] = r->level;
	put_be16(h + 2, longkey ? 0xFFFF : (uint16_t)r->keylen);
	put_be32(h + 4, longval ? 0xFFFFFFFFu : (uint32_t)r->vallen);
	if (longkey) put_be64(h + at, r->keylen), at += 8;
	if (longval) put_be64(h + at, r->vallen), at += 8;
	for (int i = 0; i <= r->level; i++, at += 8) put_be64(h + at, r->ptr[i]);
	put_be32(h + at, crc(h, at));
	put_be32(h + at + 4, r->crc_tail);
	return at + 8;
}

int ts_write_head(struct cyrusdb *db, struct ts_rec *r)
{
	unsigned char h[TS_HEAD_MAX];
	size_t n = build_head(r, h);
	return write_at(db, h, n, r->off);
}

/* ---- pointers */

uint64_t ts_level1(const struct ts *t, const struct ts_rec *r)
{
	if (r->ptr[0] >= t->end) return r->ptr[1] >= t->end ? 0 : r->ptr[1];
	if (r->ptr[1] >= t->end) return r->ptr[0];
	return r->ptr[0] > r->ptr[1] ? r->ptr[0] : r->ptr[1];
}

static void set_level1(const struct ts *t, struct ts_rec *r, uint64_t to)
{
	uint64_t c = t->current_size;
	if (r->ptr[0] >= c) r->ptr[0] = to;
	else if (r->ptr[1] >= c) r->ptr[1] = to;
	else if (r->ptr[1] > r->ptr[0]) r->ptr[0] = to;
	else r->ptr[1] = to;
}

int ts_follow(const struct cyrusdb *db, const struct ts_rec *r, uint64_t *raw, uint64_t *live)
{
	const struct ts *t = ts_of(db);
	uint64_t to = ts_level1(t, r);
	if (raw) *raw = to;
	*live = to;
	if (!to) return CYRUSDB_OK;
	if (to < t->map.len && t->map.base[to] == '-') {
		struct ts_rec del;
		int rc = ts_read(db, to, t->end, &del, false);
		if (rc) return rc;
		*live = del.ptr[0];
	}
	return CYRUSDB_OK;
}

/* What level n (from 2) of r points to. Beyond the end lies only what a dead transaction wrote; level 1 knows the way. */
static uint64_t upper(const struct ts *t, const struct ts_rec *r, int n) { return r->ptr[n] >= t->end ? 0 : r->ptr[n]; }

/* ---- search */

struct walk {
	struct cyrusdb *db;
	struct db_slice key;
	uint64_t steps;                  /* bounded, so that a cycle in a damaged file ends */
	struct ts_rec at;                /* last record before the key */
};

/* Reads the record at `to`: *order is how its key compares with the one sought. */
static int step(struct walk *w, uint64_t to, struct ts_rec *next, int *order)
{
	struct ts *t = ts_of(w->db);
	if (!w->steps--) return bad(w->db, to, "the list has a loop", false);
	int r = ts_read(w->db, to, t->end, next, false);
	if (r) return r;
	if (next->type != '+') return bad(w->db, to, "the list leads to something that is no record", false);
	*order = w->db->engine->compare(w->db, ts_key(t, next), w->key);
	return CYRUSDB_OK;
}

/* Walks along one level while keys are smaller; *seen, the pointer at which it stopped, need not be looked at again below. */
static int walk_level(struct walk *w, int level, uint64_t *seen, struct ts_pos *pos)
{
	struct ts *t = ts_of(w->db);
	for (;;) {
		uint64_t raw, to;
		int order = 0, r = CYRUSDB_OK;
		if (level == 1) r = ts_follow(w->db, &w->at, &raw, &to);
		else raw = to = upper(t, &w->at, level);
		if (r) return r;
		pos->back[level] = w->at.off;
		pos->forward[level] = raw;
		if (!to || (to == *seen && level > 1)) return CYRUSDB_OK;
		struct ts_rec next;
		r = step(w, to, &next, &order);
		if (r) return r;
		if (order >= 0) {
			*seen = to;
			if (level == 1 && !order) pos->found = true, pos->rec = next;
			return CYRUSDB_OK;
		}
		w->at = next;
	}
}

int ts_find(struct cyrusdb *db, struct db_slice key, struct ts_pos *pos)
{
	struct ts *t = ts_of(db);
	struct walk w = { .db = db, .key = key, .steps = t->end / 24 + 2 * TS_MAXLEVEL };
	uint64_t seen = 0;
	pos->found = false;
	int r = ts_read(db, TS_DUMMY, t->end, &w.at, false);
	for (int level = TS_MAXLEVEL; !r && level; level--) r = walk_level(&w, level, &seen, pos);
	if (!r && pos->found && !ts_tail_ok(t, &pos->rec)) r = bad(db, pos->rec.off, "record checksum is wrong", false);
	return r;
}

static int ts_fetch(struct cyrusdb *db, struct db_slice key, struct db_slice *val)
{
	struct ts_pos pos;
	int r = ts_find(db, key, &pos);
	if (r) return r;
	if (!pos.found) return CYRUSDB_NOTFOUND;
	*val = ts_val(ts_of(db), &pos.rec);
	return CYRUSDB_OK;
}

/* The record that leads to what follows the key; an iteration asks for the one after the last, which needs no search. */
static int find_before(struct cyrusdb *db, struct db_slice key, bool or_equal, struct ts_pos *pos, struct ts_rec *before)
{
	struct ts *t = ts_of(db);
	if (t->at && !or_equal && !ts_read(db, t->at, t->end, before, true)) {
		struct db_slice at = ts_key(t, before);
		pos->found = false;
		if (before->type == '+' && at.n == key.n && !memcmp(at.p, key.p, key.n)) return CYRUSDB_OK;
	}
	int r = ts_find(db, key, pos);
	if (r || (pos->found && or_equal)) return r;
	if (pos->found) *before = pos->rec;
	else r = ts_read(db, pos->back[1], t->end, before, false);
	return r;
}

static int ts_next(struct cyrusdb *db, struct db_slice key, bool or_equal, struct db_slice *found, struct db_slice *val)
{
	struct ts *t = ts_of(db);
	struct ts_pos pos;
	struct ts_rec before;
	uint64_t to;
	int r = find_before(db, key, or_equal, &pos, &before);
	if (!r && !(pos.found && or_equal)) {
		r = ts_follow(db, &before, NULL, &to);
		if (r) return r;
		if (!to) return CYRUSDB_NOTFOUND;
		r = ts_read(db, to, t->end, &pos.rec, false);
		if (!r && (pos.rec.type != '+' || !ts_tail_ok(t, &pos.rec))) r = bad(db, to, "record checksum is wrong", false);
		/* a list that does not ascend would keep an iteration going for ever */
		if (!r && key.n && db->engine->compare(db, ts_key(t, &pos.rec), key) <= 0)
			r = bad(db, to, "keys are out of order", false);
	}
	t->at = r ? 0 : pos.rec.off;
	if (r) return r;
	*found = ts_key(t, &pos.rec);
	*val = ts_val(t, &pos.rec);
	return CYRUSDB_OK;
}

/* ---- changes */

static int first_change(struct cyrusdb *db)
{
	struct ts *t = ts_of(db);
	if (t->changed) return CYRUSDB_OK;
	t->flags |= TS_FLAG_DIRTY;
	t->changed = true;
	int r = ts_write_header(db);
	if (!r && sys_fdatasync(t->fd) < 0) r = db_io(db, "syncing");
	return r;
}

/* Keeps the part of a head that is rewritten later within one sector (spec 7.2). */
static uint64_t blanks_before(uint64_t end, uint32_t head)
{
	uint64_t n = 0;
	if (head > 504) return 0;
	while ((end + n + 8) % TS_SECTOR > (end + n - 8 + head) % TS_SECTOR) n += 8;
	return n;
}

/* Writes a whole record at the end: blanks, head, key, value, padding in one call. Sets rec->off. */
static int append(struct cyrusdb *db, struct ts_rec *rec, struct db_slice key, struct db_slice val)
{
	struct ts *t = ts_of(db);
	struct buf b = BUF_INIT;
	unsigned char h[TS_HEAD_MAX];
	rec->keylen = key.n;
	rec->vallen = val.n;
	uint64_t tail = pad8(key.n + val.n);
	uint32_t head = 8 + (key.n >= 0xFFFF ? 8 : 0) + (val.n >= 0xFFFFFFFFu ? 8 : 0) + 8 * (rec->level + 1u) + 8;
	uint64_t skip = blanks_before(t->end, head);
	buf_reserve(&b, skip + head + tail + 1);
	for (uint64_t i = 0; i < skip; i += 8) buf_append(&b, blank, 8);
	size_t at = b.len;
	b.len += head;
	buf_append(&b, key.p, key.n);
	buf_append(&b, val.p, val.n);
	while (b.len < at + head + tail) buf_putc(&b, 0);
	rec->crc_tail = tail ? crc(b.s + at + head, tail) : 0;
	memcpy(b.s + at, h, build_head(rec, h));
	rec->off = t->end + skip;
	int r = write_at(db, b.s, b.len, t->end);
	if (!r) t->end += b.len;
	buf_free(&b);
	return r;
}

/* Points the predecessors at levels 1 to `top` elsewhere: to[n]. A record with several levels is written once. */
static int redirect(struct cyrusdb *db, const uint64_t *back, const uint64_t *to, int top)
{
	struct ts *t = ts_of(db);
	int r = CYRUSDB_OK;
	for (int level = 1; !r && level <= top;) {
		struct ts_rec rec;
		uint64_t off = back[level];
		r = ts_read(db, off, t->end, &rec, false);
		if (r) break;
		for (; level <= top && back[level] == off; level++) {
			if (level == 1) set_level1(t, &rec, to[1]);
			else if (level <= rec.level) rec.ptr[level] = to[level];
		}
		r = ts_write_head(db, &rec);
	}
	return r;
}

static uint64_t successor(const struct ts *t, const struct ts_pos *pos, int level)
{
	if (!pos->found || level > pos->rec.level) return pos->forward[level];
	return level == 1 ? ts_level1(t, &pos->rec) : upper(t, &pos->rec, level);
}

int ts_put(struct cyrusdb *db, struct db_slice key, struct db_slice val, bool must_be_new)
{
	struct ts *t = ts_of(db);
	struct ts_pos pos;
	t->at = 0;
	int r = ts_find(db, key, &pos);
	if (r) return r;
	if (pos.found) {
		if (must_be_new) return CYRUSDB_EXISTS;
		struct db_slice old = ts_val(t, &pos.rec);
		if (old.n == val.n && (!val.n || !memcmp(old.p, val.p, val.n))) return CYRUSDB_OK;
	}
	r = first_change(db);
	if (r) return r;
	struct ts_rec rec = { .type = '+', .level = (uint8_t)db_random_level(db->env, TS_MAXLEVEL) };
	int top = pos.found && pos.rec.level > rec.level ? pos.rec.level : rec.level;
	uint64_t to[TS_MAXLEVEL + 1];
	for (int i = 1; i <= top; i++) {
		to[i] = successor(t, &pos, i);
		if (i <= rec.level) rec.ptr[i] = to[i];
	}
	r = append(db, &rec, key, val);
	if (r) return r;
	for (int i = 1; i <= rec.level; i++) to[i] = rec.off;
	r = redirect(db, pos.back, to, top);
	if (!r && !pos.found) t->records++;
	return r;
}

int ts_del(struct cyrusdb *db, struct db_slice key)
{
	struct ts *t = ts_of(db);
	struct ts_pos pos;
	struct ts_rec rec = { .type = '-' };
	uint64_t to[TS_MAXLEVEL + 1];
	t->at = 0;
	int r = ts_find(db, key, &pos);
	if (r) return r;
	if (!pos.found) return CYRUSDB_NOTFOUND;
	r = first_change(db);
	if (!r) r = ts_follow(db, &pos.rec, NULL, &rec.ptr[0]);
	for (int i = 2; i <= pos.rec.level; i++) to[i] = upper(t, &pos.rec, i);
	int top = pos.rec.level;
	if (!r) r = append(db, &rec, (struct db_slice){ "", 0 }, (struct db_slice){ "", 0 });
	if (r) return r;
	to[1] = rec.off;
	r = redirect(db, pos.back, to, top);
	if (!r) t->records--;
	return r;
}

int ts_commit_append(struct cyrusdb *db)
{
	struct ts *t = ts_of(db);
	struct ts_rec rec = { .type = '$', .ptr = { t->current_size } };
	uint64_t before = t->current_size;
	int r = append(db, &rec, (struct db_slice){ "", 0 }, (struct db_slice){ "", 0 });
	if (!r && sys_fdatasync(t->fd) < 0) r = db_io(db, "syncing");
	if (r) return r;
	t->current_size = t->end;
	t->flags &= ~(uint32_t)TS_FLAG_DIRTY;
	r = ts_write_header(db);
	if (!r && sys_fdatasync(t->fd) < 0) r = db_io(db, "syncing");
	if (!r) t->changed = false;
	else {                           /* the old header again, so that abort finds what it expects */
		t->current_size = before;
		t->flags |= TS_FLAG_DIRTY;
		ts_write_header(db);
	}
	return r;
}

static int ts_commit(struct cyrusdb *db)
{
	struct ts *t = ts_of(db);
	if (!t->changed) return CYRUSDB_OK;
	int r = ts_commit_append(db);
	/* what was committed stays so even when making it smaller fails */
	if (!r && !(db->flags & CYRUSDB_NOCOMPACT) && ts_wants_repack(db)) ts_repack(db);
	return r;
}

static int ts_abort(struct cyrusdb *db)
{
	struct ts *t = ts_of(db);
	if (!t->changed) return CYRUSDB_OK;
	t->changed = false;
	t->end = t->current_size;
	return ts_recover(db);
}

/* ---- opening and locking */

static bool untouched(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec
		&& a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static int lock_and_read(struct cyrusdb *db, enum lock_mode mode)
{
	struct ts *t = ts_of(db);
	struct stat st;
	bool rdonly = db->flags & CYRUSDB_RDONLY;
	t->size = UINT64_MAX;            /* unknown until we hold the lock */
	t->at = 0;
	if (lock_reopen(t->fd, db->path, mode, rdonly, db->env->lock_ms, &st) < 0) return db_io(db, "locking");
	if (st.st_ino != t->st.st_ino || st.st_dev != t->st.st_dev) map_free(&t->map);
	if (!untouched(&st, &t->st)) ts_forget_sound(t);
	t->st = st;
	t->size = (uint64_t)st.st_size;
	int r = ts_map(db, t->size);
	if (!r && t->size >= TS_HEADER) r = ts_read_header(db);
	else if (!r) r = CYRUSDB_BADFORMAT;
	return r;
}

static void ts_unlock(struct cyrusdb *db)
{
	struct ts *t = ts_of(db);
	if (lock_fd(t->fd, LOCK_UNLOCK, 0, db->path) < 0) db_io(db, "unlocking");
}

static int lock_for_write(struct cyrusdb *db)
{
	struct ts *t = ts_of(db);
	int r = lock_and_read(db, LOCK_EXCLUSIVE);
	if (r && t->map.len == t->size && is_unborn(t)) r = ts_init_file(db);
	if (!r && ts_unclean(t)) r = ts_recover(db);
	t->changed = false;
	return r;
}

static int ts_lock(struct cyrusdb *db, bool write)
{
	struct ts *t = ts_of(db);
	bool rdonly = db->flags & CYRUSDB_RDONLY;
	int r = CYRUSDB_OK;
	for (int tries = 0; tries < 100; tries++) {
		r = write ? lock_for_write(db) : lock_and_read(db, LOCK_SHARED);
		if (r || write || rdonly || !ts_unclean(t)) break;
		ts_unlock(db);           /* nobody writes, so somebody died: put it right, then share again */
		r = lock_for_write(db);
		if (r) break;
		ts_unlock(db);
	}
	if (r) ts_unlock(db);
	return r;
}

static void ts_close(struct cyrusdb *db)
{
	struct ts *t = ts_of(db);
	map_free(&t->map);
	ts_forget_sound(t);
	if (t->fd >= 0) sys_close(t->fd);
	free(t);
}

static int open_file(struct cyrusdb *db)
{
	bool rdonly = db->flags & CYRUSDB_RDONLY;
	int fd = sys_open(db->path, rdonly ? O_RDONLY : O_RDWR, 0);
	return fd < 0 && errno == ENOENT && (db->flags & CYRUSDB_CREATE) ? db_create_file(db->path, 0644) : fd;
}

static int ts_open(struct cyrusdb *db)
{
	struct ts *t = db->impl = mem_zalloc(sizeof *t);
	t->map = (struct map)MAP_INIT;
	t->fd = open_file(db);
	int r = CYRUSDB_OK;
	if (t->fd < 0) {
		r = errno == ENOENT && !(db->flags & CYRUSDB_CREATE) ? CYRUSDB_NOTFOUND : db_io(db, "opening");
		free(t);
		return r;
	}
	/* the first lock initialises an empty file and refuses anybody else's */
	r = ts_lock(db, false);
	if (r && t->map.len == t->size && is_unborn(t) && !(db->flags & CYRUSDB_RDONLY)) r = ts_lock(db, true);
	if (r) ts_close(db);
	else ts_unlock(db);
	return r;
}

static int ts_compare(const struct cyrusdb *db, struct db_slice a, struct db_slice b)
{
	return db->flags & CYRUSDB_MBOXSORT ? db_cmp_mbox(a, b) : db_cmp_raw(a, b);
}

static int ts_in_file_order(struct cyrusdb *db, bool (*fn)(void *arg, struct db_slice key), void *arg)
{
	struct ts *t = ts_of(db);
	struct ts_rec rec;
	uint64_t to, steps = t->end / 24;
	int r = ts_read(db, TS_DUMMY, t->end, &rec, true);
	while (!r && !(r = ts_follow(db, &rec, NULL, &to)) && to && steps--) {
		r = ts_read(db, to, t->end, &rec, true);
		if (!r && !fn(arg, ts_key(t, &rec))) break;
	}
	return r;
}

const struct db_engine engine_twoskip = {
	.name = "twoskip", .open = ts_open, .close = ts_close, .lock = ts_lock, .unlock = ts_unlock, .fetch = ts_fetch,
		.next = ts_next,
	.put = ts_put, .del = ts_del, .commit = ts_commit, .abort = ts_abort, .consistent = ts_check, .repack = ts_repack,
		.dump = ts_dump, .since = ts_since,
	.compare = ts_compare, .longlock = "mappedfile", .in_file_order = ts_in_file_order, .order = db_cmp_raw,
};
