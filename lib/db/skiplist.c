/* skiplist.c - the engine of 2.3 and 2.4: a skip list with a log of changes behind it, pointers overwritten in place
 * (spec/cyrusdb.md 8). Keys compare as signed bytes. Recovery and checkpoints are in skiplist_recover.c.
 *
 * Other than the originals, readers too look at the end of the log, and never show what a dead writer left uncommitted. */
#include "db/skiplist_priv.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/sys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char magic[20] = "\241\002\213\015skiplist file\0\0";
#define END_OF_POINTERS 0xFFFFFFFFu
#define SL_SIZE_MAX 0x7FFFFF00u          /* 2 GiB: the originals use int here and there */

static uint32_t pad4(uint32_t n) { return (n + 3) & ~3u; }

static int bad(const struct cyrusdb *db, uint32_t off, const char *what)
{
	log_msg(LOG_ERR, "DBERROR: skiplist %s: %s at offset %u", db->path, what, off);
	return CYRUSDB_IOERROR;
}

uint32_t sl_word(const struct sl *t, uint32_t off) { return get_be32(t->map.base + off); }
struct db_slice sl_key(const struct sl *t, const struct sl_rec *r)
{
	return (struct db_slice){ t->map.base + r->keyoff, r->keylen };
}

/* ---- records */

static bool read_string(const struct sl *t, uint32_t *off, uint32_t *at, uint32_t *len)
{
	if (t->size - *off < 4) return false;
	*len = sl_word(t, *off);
	*at = *off + 4;
	if (*len > t->size || pad4(*len) > t->size - *at) return false;
	*off = *at + pad4(*len);
	return true;
}

static bool read_pointers(const struct sl *t, uint32_t off, struct sl_rec *r)
{
	r->ptroff = off;
	for (r->level = 0; r->level <= SL_MAXLEVEL; r->level++, off += 4) {
		if (t->size - off < 4) return false;
		if (sl_word(t, off) == END_OF_POINTERS) {
			r->next = off + 4;
			return r->level > 0;
		}
	}
	return false;
}

bool sl_read(const struct sl *t, uint32_t off, struct sl_rec *r)
{
	if (off < SL_DUMMY || off % 4 || off > t->size || t->size - off < 4) return false;
	memset(r, 0, sizeof *r);
	r->off = off;
	r->type = sl_word(t, off);
	off += 4;
	switch (r->type) {
	case SL_COMMIT:
		r->next = off;
		return true;
	case SL_DELETE:
		if (t->size - off < 4) return false;
		r->target = sl_word(t, off);
		r->next = off + 4;
		return true;
	case SL_INORDER: case SL_ADD: case SL_DUMMYREC:
		return read_string(t, &off, &r->keyoff, &r->keylen) && read_string(t, &off, &r->valoff, &r->vallen)
			&& read_pointers(t, off, r) && (r->type == SL_DUMMYREC) == (r->off == SL_DUMMY);
	default: return false;
	}
}

/* ---- the file */

int sl_map(struct cyrusdb *db)
{
	struct sl *t = sl_of(db);
	return map_refresh(&t->map, t->fd, t->size) < 0 ? db_io(db, "mapping") : CYRUSDB_OK;
}

int sl_sync(struct cyrusdb *db)
{
	if (db->env->set.skiplist_unsafe) return CYRUSDB_OK;
	return sys_fdatasync(sl_of(db)->fd) < 0 ? db_io(db, "syncing") : CYRUSDB_OK;
}

int sl_set_word(struct cyrusdb *db, uint32_t off, uint32_t v)
{
	struct sl *t = sl_of(db);
	char four[4];
	put_be32(four, v);
	if (sl_word(t, off) == v) return CYRUSDB_OK;
	if (sys_pwrite_all(t->fd, four, 4, off) == 0) return CYRUSDB_OK;
	t->broken = true;
	return db_io(db, "writing");
}

void sl_header_build(const struct sl *t, unsigned char *h)
{
	memcpy(h, magic, sizeof magic);
	put_be32(h + 20, 1);
	put_be32(h + 24, 2);
	put_be32(h + 28, SL_MAXLEVEL);
	put_be32(h + 32, t->curlevel);
	put_be32(h + 36, t->listsize);
	put_be32(h + 40, t->logstart);
	put_be32(h + 44, t->last_recovery);
}

int sl_write_header(struct cyrusdb *db)
{
	struct sl *t = sl_of(db);
	unsigned char h[SL_HEADER];
	sl_header_build(t, h);
	if (sys_pwrite_all(t->fd, h, sizeof h, 0) == 0) return CYRUSDB_OK;
	t->broken = true;
	return db_io(db, "writing");
}

bool sl_header_parse(struct sl *t)
{
	const char *h = t->map.base;
	if (t->map.len < SL_DATA || memcmp(h, magic, sizeof magic)) return false;
	t->curlevel = get_be32(h + 32);
	t->listsize = get_be32(h + 36);
	t->logstart = get_be32(h + 40);
	t->last_recovery = get_be32(h + 44);
	return get_be32(h + 20) == 1 && get_be32(h + 28) <= SL_MAXLEVEL && t->curlevel <= SL_MAXLEVEL;
}

static int init_file(struct cyrusdb *db)
{
	struct sl *t = sl_of(db);
	unsigned char h[SL_DATA] = { 0 };
	t->curlevel = 1;
	t->listsize = 0;
	t->logstart = SL_DATA;
	t->last_recovery = (uint32_t)clock_now();
	sl_header_build(t, h);
	put_be32(h + SL_DUMMY, SL_DUMMYREC);
	put_be32(h + SL_DATA - 4, END_OF_POINTERS);
	if (sys_pwrite_all(t->fd, h, sizeof h, 0) < 0) return db_io(db, "writing");
	t->size = SL_DATA;
	int r = sl_map(db);
	return r ? r : sl_sync(db);
}

/* ---- search */

int sl_find(struct cyrusdb *db, struct db_slice key, struct sl_pos *pos)
{
	struct sl *t = sl_of(db);
	struct sl_rec at, next;
	uint32_t steps = t->size / 16 + 2 * SL_MAXLEVEL;         /* bounded, so that a cycle in a damaged file ends */
	pos->found = false;
	if (!sl_read(t, SL_DUMMY, &at) || at.level != SL_MAXLEVEL) return bad(db, SL_DUMMY, "no dummy record");
	for (uint32_t level = SL_MAXLEVEL; level; level--) {
		for (;;) {
			uint32_t slot = at.ptroff + 4 * (level - 1), to = sl_word(t, slot);
			pos->back[level] = slot;
			pos->forward[level] = to;
			if (!to) break;
			if (!steps--) return bad(db, to, "the list has a loop");
			if (!sl_read(t, to, &next) || next.level < level) return bad(db, to, "no record of the list");
			if (next.type != SL_INORDER && next.type != SL_ADD) return bad(db, to, "no record of the list");
			int c = db->engine->compare(db, sl_key(t, &next), key);
			if (c < 0) {
				at = next;
				continue;
			}
			if (!c && level == 1) {
				pos->found = true;
				pos->rec = next;
			}
			break;
		}
	}
	return CYRUSDB_OK;
}

static int sl_fetch(struct cyrusdb *db, struct db_slice key, struct db_slice *val)
{
	struct sl_pos pos;
	int r = sl_find(db, key, &pos);
	if (r) return r;
	if (!pos.found) return CYRUSDB_NOTFOUND;
	*val = (struct db_slice){ sl_of(db)->map.base + pos.rec.valoff, pos.rec.vallen };
	return CYRUSDB_OK;
}

static int sl_next(struct cyrusdb *db, struct db_slice key, bool or_equal, struct db_slice *found, struct db_slice *val)
{
	struct sl *t = sl_of(db);
	struct sl_pos pos;
	int r = sl_find(db, key, &pos);
	if (r) return r;
	uint32_t to = pos.found && !or_equal ? sl_word(t, pos.rec.ptroff) : pos.forward[1];
	if (!to) return CYRUSDB_NOTFOUND;
	if (!sl_read(t, to, &pos.rec) || (pos.rec.type != SL_INORDER && pos.rec.type != SL_ADD))
		return bad(db, to, "no record of the list");
	*found = sl_key(t, &pos.rec);
	*val = (struct db_slice){ t->map.base + pos.rec.valoff, pos.rec.vallen };
	if (key.n && !(pos.found && or_equal) && db->engine->compare(db, *found, key) <= 0)
		return bad(db, to, "keys are out of order");
	return CYRUSDB_OK;
}

/* ---- changes: the log record first, then the pointers, so that what to undo can always be found */

static int append(struct cyrusdb *db, const struct buf *b)
{
	struct sl *t = sl_of(db);
	if (b->len > SL_SIZE_MAX - t->size) {
		log_msg(LOG_ERR, "DBERROR: skiplist %s: file would be too large", db->path);
		return CYRUSDB_FULL;
	}
	if (sys_pwrite_all(t->fd, b->s, b->len, t->size) < 0) {
		t->broken = true;
		return db_io(db, "writing");
	}
	t->size += (uint32_t)b->len;
	t->logged = true;
	return sl_map(db);
}

static void add_string(struct buf *b, struct db_slice s)
{
	buf_be32(b, (uint32_t)s.n);
	buf_append(b, s.p, s.n);
	while (b->len % 4) buf_putc(b, 0);
}

static void add_record(struct buf *b, struct db_slice key, struct db_slice val, const uint32_t *ptr, uint32_t level)
{
	buf_be32(b, SL_ADD);
	add_string(b, key);
	add_string(b, val);
	for (uint32_t i = 1; i <= level; i++) buf_be32(b, ptr[i]);
	buf_be32(b, END_OF_POINTERS);
}

static int redirect(struct cyrusdb *db, const struct sl_pos *pos, uint32_t level, uint32_t to)
{
	int r = CYRUSDB_OK;
	for (uint32_t i = 1; !r && i <= level; i++) r = sl_set_word(db, pos->back[i], to);
	return r;
}

static int replace(struct cyrusdb *db, struct sl_pos *pos, struct db_slice key, struct db_slice val)
{
	struct sl *t = sl_of(db);
	struct buf b = BUF_INIT;
	uint32_t ptr[SL_MAXLEVEL + 1] = { 0 }, to = t->size + 8;
	for (uint32_t i = 1; i <= pos->rec.level; i++) ptr[i] = sl_word(t, pos->rec.ptroff + 4 * (i - 1));
	buf_be32(&b, SL_DELETE);
	buf_be32(&b, pos->rec.off);
	add_record(&b, key, val, ptr, pos->rec.level);
	int r = append(db, &b);
	buf_free(&b);
	return r ? r : redirect(db, pos, pos->rec.level, to);
}

static int insert(struct cyrusdb *db, struct sl_pos *pos, struct db_slice key, struct db_slice val)
{
	struct sl *t = sl_of(db);
	struct buf b = BUF_INIT;
	uint32_t level = (uint32_t)db_random_level(db->env, SL_MAXLEVEL), to = t->size;
	int r = CYRUSDB_OK;
	if (level > t->curlevel) {
		t->curlevel = level;
		r = sl_write_header(db);
	}
	add_record(&b, key, val, pos->forward, level);
	if (!r) r = append(db, &b);
	buf_free(&b);
	return r ? r : redirect(db, pos, level, to);
}

static int sl_put(struct cyrusdb *db, struct db_slice key, struct db_slice val, bool must_be_new)
{
	struct sl *t = sl_of(db);
	struct sl_pos pos;
	int r = sl_find(db, key, &pos);
	if (r) return r;
	if (key.n > SL_SIZE_MAX || val.n > SL_SIZE_MAX) return CYRUSDB_FULL;
	if (!pos.found) return insert(db, &pos, key, val);
	if (must_be_new) return CYRUSDB_EXISTS;
	if (pos.rec.vallen == val.n && (!val.n || !memcmp(t->map.base + pos.rec.valoff, val.p, val.n))) return CYRUSDB_OK;
	return replace(db, &pos, key, val);
}

static int sl_del(struct cyrusdb *db, struct db_slice key)
{
	struct sl *t = sl_of(db);
	struct sl_pos pos;
	struct buf b = BUF_INIT;
	int r = sl_find(db, key, &pos);
	if (r) return r;
	if (!pos.found) return CYRUSDB_NOTFOUND;
	buf_be32(&b, SL_DELETE);
	buf_be32(&b, pos.rec.off);
	r = append(db, &b);
	buf_free(&b);
	for (uint32_t i = 1; !r && i <= pos.rec.level; i++)
		r = sl_set_word(db, pos.back[i], sl_word(t, pos.rec.ptroff + 4 * (i - 1)));
	return r;
}

static int sl_commit(struct cyrusdb *db)
{
	struct sl *t = sl_of(db);
	struct buf b = BUF_INIT;
	if (!t->logged) return CYRUSDB_OK;
	int r = sl_sync(db);
	buf_be32(&b, SL_COMMIT);
	if (!r) r = append(db, &b);
	if (!r) r = sl_sync(db);
	buf_free(&b);
	if (r) {
		t->broken = true;
		return r;
	}
	t->logged = false;
	if (!(db->flags & CYRUSDB_NOCOMPACT) && t->size > 2 * (uint64_t)t->logstart + SL_CHECKPOINT_MIN) sl_checkpoint(db);
	return CYRUSDB_OK;
}

/* ---- abort: the transaction's log records, last first */

static int undo(struct cyrusdb *db, uint32_t off)
{
	struct sl *t = sl_of(db);
	struct sl_rec rec, old;
	struct sl_pos pos;
	if (!sl_read(t, off, &rec)) return CYRUSDB_IOERROR;
	if (rec.type == SL_DELETE && !sl_read(t, rec.target, &old)) return CYRUSDB_IOERROR;
	if (rec.type == SL_ADD) old = rec;
	int r = sl_find(db, sl_key(t, &old), &pos);
	for (uint32_t i = 1; !r && i <= old.level; i++) {
		uint32_t to = rec.type == SL_DELETE ? old.off : sl_word(t, old.ptroff + 4 * (i - 1));
		if (rec.type == SL_DELETE || pos.forward[i] == old.off) r = sl_set_word(db, pos.back[i], to);
	}
	return r;
}

static int undo_all(struct cyrusdb *db)
{
	struct sl *t = sl_of(db);
	uint32_t *at = NULL;
	size_t n = 0, alloc = 0;
	struct sl_rec rec;
	int r = CYRUSDB_OK;
	for (uint32_t off = t->txn_start; off < t->size; off = rec.next) {
		if (!sl_read(t, off, &rec)) break;
		MEM_GROW(at, alloc, n + 1);
		at[n++] = off;
	}
	while (!r && n) r = undo(db, at[--n]);
	free(at);
	if (!r && sys_ftruncate(t->fd, t->txn_start) < 0) r = db_io(db, "truncating");
	if (!r) t->size = t->txn_start;
	return r;
}

static int sl_abort(struct cyrusdb *db)
{
	struct sl *t = sl_of(db);
	int r = CYRUSDB_OK;
	if (t->logged && !t->broken) r = undo_all(db);
	if (t->broken || r) {
		struct stat st;
		/* also drops a COMMIT that was written but could not be synced */
		if (fstat(t->fd, &st) == 0 && st.st_size > (off_t)t->txn_start && sys_ftruncate(t->fd, t->txn_start) < 0)
			db_io(db, "truncating");
		if (fstat(t->fd, &st) == 0) t->size = (uint32_t)st.st_size;
		r = sl_map(db);
		if (!r) r = sl_recover(db);
	}
	t->logged = t->broken = false;
	return r;
}

/* ---- opening and locking */

/* Did the last writer end its transaction? (spec 8.3) */
static bool safe_to_append(const struct sl *t)
{
	if (t->size % 4 || t->size < SL_DATA || t->logstart > t->size || t->logstart < SL_DATA) return false;
	if (t->size == t->logstart) return sl_word(t, t->size - 4) == END_OF_POINTERS;
	if (sl_word(t, t->size - 4) != SL_COMMIT) return false;
	return sl_word(t, t->size - 8) == END_OF_POINTERS || sl_word(t, t->size - 12) == SL_DELETE;
}

static bool is_unborn(const struct sl *t)
{
	size_t n = t->size < sizeof magic ? t->size : sizeof magic;
	return t->size < SL_DATA && (!n || !memcmp(t->map.base, magic, n));
}

static int lock_and_read(struct cyrusdb *db, enum lock_mode mode)
{
	struct sl *t = sl_of(db);
	struct stat st;
	if (lock_reopen(t->fd, db->path, mode, db->flags & CYRUSDB_RDONLY, db->env->lock_ms, &st) < 0) return db_io(db, "locking");
	if (st.st_ino != t->st.st_ino || st.st_dev != t->st.st_dev) map_free(&t->map);
	t->st = st;
	if (st.st_size > (off_t)SL_SIZE_MAX) return bad(db, 0, "file is too large");
	t->size = (uint32_t)st.st_size;
	int r = sl_map(db);
	if (r) return r;
	if (mode == LOCK_EXCLUSIVE && is_unborn(t)) return init_file(db);
	return sl_header_parse(t) ? CYRUSDB_OK : CYRUSDB_BADFORMAT;
}

static void sl_unlock(struct cyrusdb *db) { lock_fd(sl_of(db)->fd, LOCK_UNLOCK, 0, db->path); }

static bool wants_recovery(struct cyrusdb *db)
{
	const struct sl *t = sl_of(db);
	uint32_t stamp = skipstamp_read(db->env);
	return !safe_to_append(t) || !stamp || t->last_recovery < stamp;
}

static int lock_for_write(struct cyrusdb *db, bool opening)
{
	struct sl *t = sl_of(db);
	int r = lock_and_read(db, LOCK_EXCLUSIVE);
	t->broken = t->logged = false;
	if (!r && (opening ? wants_recovery(db) : !safe_to_append(t))) r = sl_recover(db);
	t->txn_start = t->size;
	return r;
}

static int sl_lock(struct cyrusdb *db, bool write)
{
	struct sl *t = sl_of(db);
	int r = CYRUSDB_OK;
	for (int tries = 0; tries < 100; tries++) {
		r = write ? lock_for_write(db, false) : lock_and_read(db, LOCK_SHARED);
		if (r || write || (db->flags & CYRUSDB_RDONLY) || safe_to_append(t)) break;
		sl_unlock(db);
		r = lock_for_write(db, false);
		if (r) break;
		sl_unlock(db);
	}
	if (r) sl_unlock(db);
	return r;
}

static void sl_close(struct cyrusdb *db)
{
	struct sl *t = sl_of(db);
	map_free(&t->map);
	sys_close(t->fd);
	free(t);
}

static int sl_open(struct cyrusdb *db)
{
	bool rdonly = db->flags & CYRUSDB_RDONLY;
	int fd = sys_open(db->path, rdonly ? O_RDONLY : O_RDWR, 0);
	if (fd < 0 && errno == ENOENT) {
		if (!(db->flags & CYRUSDB_CREATE)) return CYRUSDB_NOTFOUND;
		fd = db_create_file(db->path, 0644);
	}
	if (fd < 0) return db_io(db, "opening");
	struct sl *t = db->impl = mem_zalloc(sizeof *t);
	t->map = (struct map)MAP_INIT;
	t->fd = fd;
	int r = sl_lock(db, false);
	bool whole = !r;
	if (whole) sl_unlock(db);
	if (!rdonly && ((whole && wants_recovery(db)) || (r == CYRUSDB_BADFORMAT && is_unborn(t)))) {
		r = lock_for_write(db, whole);
		sl_unlock(db);
	}
	if (r) sl_close(db);
	return r;
}

static int sl_repack(struct cyrusdb *db) { return sl_checkpoint(db); }

static int sl_compare(const struct cyrusdb *db, struct db_slice a, struct db_slice b)
{
	return db->flags & CYRUSDB_MBOXSORT ? db_cmp_mbox(a, b) : db_cmp_signed(a, b);
}

static int sl_in_file_order(struct cyrusdb *db, bool (*fn)(void *arg, struct db_slice key), void *arg)
{
	struct sl *t = sl_of(db);
	struct sl_rec rec;
	uint32_t steps = t->size / 16, to;
	if (!sl_read(t, SL_DUMMY, &rec)) return CYRUSDB_IOERROR;
	while ((to = sl_word(t, rec.ptroff)) != 0 && steps--) {
		if (!sl_read(t, to, &rec) || (rec.type != SL_INORDER && rec.type != SL_ADD)) return CYRUSDB_IOERROR;
		if (!fn(arg, sl_key(t, &rec))) break;
	}
	return CYRUSDB_OK;
}

const struct db_engine engine_skiplist = {
	.name = "skiplist", .open = sl_open, .close = sl_close, .lock = sl_lock, .unlock = sl_unlock, .fetch = sl_fetch,
		.next = sl_next,
	.put = sl_put, .del = sl_del, .commit = sl_commit, .abort = sl_abort, .consistent = sl_check, .repack = sl_repack,
		.dump = sl_dump,
	.compare = sl_compare, .longlock = "skiplist", .in_file_order = sl_in_file_order, .order = db_cmp_signed,
};
