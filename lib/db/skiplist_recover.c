/* skiplist_recover.c - rebuilding the pointers of a skiplist file from its records, rewriting it in order, checking and
 * printing it (spec/cyrusdb.md 8.4, 8.5). */
#include "db/skiplist_priv.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/sys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static double since(int64_t start) { return (double)(clock_mono() - start) / (double)NSEC_PER_SEC; }

struct rebuild {
	struct cyrusdb *db;
	uint32_t off;                    /* how far we are */
	uint32_t count, curlevel;
	bool damaged;
};

/* ---- the part in order */

static int relink(struct rebuild *b)
{
	struct sl *t = sl_of(b->db);
	struct sl_rec rec;
	uint32_t slot[SL_MAXLEVEL + 1];
	int r = CYRUSDB_OK;
	if (!sl_read(t, SL_DUMMY, &rec) || rec.keylen || rec.vallen || rec.level != SL_MAXLEVEL) {
		log_msg(LOG_ERR, "DBERROR: skiplist recovery %s: no dummy record", b->db->path);
		return CYRUSDB_IOERROR;
	}
	for (uint32_t i = 1; i <= SL_MAXLEVEL; i++) slot[i] = rec.ptroff + 4 * (i - 1);
	for (b->off = SL_DATA; !r && b->off + 4 <= t->size && sl_word(t, b->off) == SL_INORDER; b->off = rec.next) {
		if (!sl_read(t, b->off, &rec)) {
			log_msg(LOG_ERR, "DBERROR: skiplist recovery %s: unreadable record at %u, the rest is lost", b->db->path, b->off);
			b->damaged = true;
			t->size = b->off;
			break;
		}
		for (uint32_t i = 1; !r && i <= rec.level; i++) {
			r = sl_set_word(b->db, slot[i], b->off);
			slot[i] = rec.ptroff + 4 * (i - 1);
		}
		if (rec.level > b->curlevel) b->curlevel = rec.level;
		b->count++;
	}
	for (uint32_t i = 1; !r && i <= SL_MAXLEVEL; i++) r = sl_set_word(b->db, slot[i], 0);
	return r;
}

/* ---- the log */

static int unlink_record(struct rebuild *b, const struct sl_rec *rec, const struct sl_pos *pos)
{
	struct sl *t = sl_of(b->db);
	int r = CYRUSDB_OK;
	for (uint32_t i = 1; !r && i <= rec->level; i++)
		if (pos->forward[i] == rec->off) r = sl_set_word(b->db, pos->back[i], sl_word(t, rec->ptroff + 4 * (i - 1)));
	b->count--;
	return r;
}

static int replay_add(struct rebuild *b, const struct sl_rec *rec)
{
	struct sl *t = sl_of(b->db);
	struct sl_pos pos;
	struct db_slice key = sl_key(t, rec);
	int r = sl_find(b->db, key, &pos);
	if (!r && pos.found) {
		log_msg(LOG_ERR, "DBERROR: skiplist recovery %s: ADD at %u exists, replacing", b->db->path, rec->off);
		r = unlink_record(b, &pos.rec, &pos);
		if (!r) r = sl_find(b->db, key, &pos);
	}
	for (uint32_t i = 1; !r && i <= rec->level; i++) {
		r = sl_set_word(b->db, rec->ptroff + 4 * (i - 1), pos.forward[i]);
		if (!r) r = sl_set_word(b->db, pos.back[i], rec->off);
	}
	if (rec->level > b->curlevel) b->curlevel = rec->level;
	b->count++;
	return r;
}

static int replay_delete(struct rebuild *b, const struct sl_rec *rec)
{
	struct sl *t = sl_of(b->db);
	struct sl_rec old;
	struct sl_pos pos;
	if (!sl_read(t, rec->target, &old) || (old.type != SL_INORDER && old.type != SL_ADD)) {
		log_msg(LOG_ERR, "DBERROR: skiplist recovery %s: DELETE at %u of no record", b->db->path, rec->off);
		b->damaged = true;
		return CYRUSDB_OK;
	}
	int r = sl_find(b->db, sl_key(t, &old), &pos);
	if (r) return r;
	if (pos.found) return unlink_record(b, &pos.rec, &pos);
	log_msg(LOG_ERR, "DBERROR: skiplist recovery %s: DELETE at %u of a record that is not there", b->db->path, rec->off);
	return CYRUSDB_OK;
}

/* Reads ahead to the COMMIT of the transaction at b->off: its records come back in *at. False: it has none. */
static bool whole_transaction(const struct rebuild *b, uint32_t **at, size_t *n, size_t *alloc, uint32_t *end)
{
	const struct sl *t = sl_of(b->db);
	struct sl_rec rec;
	*n = 0;
	for (uint32_t off = b->off; sl_read(t, off, &rec); off = rec.next) {
		if (rec.type == SL_COMMIT) {
			*end = rec.next;
			return true;
		}
		if (rec.type != SL_ADD && rec.type != SL_DELETE) return false;
		MEM_GROW(*at, *alloc, *n + 1);
		(*at)[(*n)++] = off;
	}
	return false;
}

/* Does a whole transaction lie somewhere behind `off`? After a power failure none does: what a COMMIT closes was on the disk
 * before it. One that does is proof of other damage, and of something to lose. */
static bool committed_behind(const struct sl *t, uint32_t off)
{
	struct sl_rec rec;
	bool any = false;
	for (; off < t->size && t->size - off >= 4; off = any ? rec.next : off + 4) {
		bool was = any;
		any = sl_read(t, off, &rec) && (rec.type == SL_ADD || rec.type == SL_DELETE || rec.type == SL_COMMIT);
		if (any && was && rec.type == SL_COMMIT) return true;
	}
	return false;
}

static int replay(struct rebuild *b)
{
	struct sl *t = sl_of(b->db);
	uint32_t *at = NULL, end, hole = 0;      /* hole: where zeros began, until a transaction is met behind them */
	size_t n, alloc = 0;
	int r = CYRUSDB_OK;
	while (!r && b->off + 4 <= t->size) {
		uint32_t type = sl_word(t, b->off);
		if (!type) {
			if (!b->damaged) log_msg(LOG_ERR, "DBERROR: skiplist recovery %s: zeros at %u, skipping", b->db->path, b->off);
			b->damaged = true;
			if (!hole) hole = b->off;
			b->off += 4;
			continue;
		}
		if (type != SL_COMMIT && type != SL_ADD && type != SL_DELETE && !committed_behind(t, b->off)) {
			log_msg(LOG_NOTICE, "skiplist recovery %s: found the rest of a partial txn, not replaying", b->db->path);
			break;
		}
		if (type != SL_COMMIT && type != SL_ADD && type != SL_DELETE) {
			log_msg(LOG_ERR, "DBERROR: skiplist recovery %s: unknown record type %u at %u", b->db->path, type, b->off);
			r = CYRUSDB_IOERROR;
			break;
		}
		if (!whole_transaction(b, &at, &n, &alloc, &end)) {
			log_msg(LOG_NOTICE, "skiplist recovery %s: found partial txn, not replaying", b->db->path);
			break;
		}
		for (size_t i = 0; !r && i < n; i++) {
			struct sl_rec rec;
			if (!sl_read(t, at[i], &rec)) r = CYRUSDB_IOERROR;
			else r = rec.type == SL_ADD ? replay_add(b, &rec) : replay_delete(b, &rec);
		}
		b->off = end;
		hole = 0;
	}
	if (hole) b->off = hole;
	free(at);
	return r;
}

/* ---- both */

static int finish(struct rebuild *b)
{
	struct sl *t = sl_of(b->db);
	struct stat st;
	int r = CYRUSDB_OK;
	if (fstat(t->fd, &st) < 0) return db_io(b->db, "looking at");
	if (st.st_size > (off_t)b->off && sys_ftruncate(t->fd, b->off) < 0) r = db_io(b->db, "truncating");
	if (!r) t->size = b->off;
	if (!r && sys_fdatasync(t->fd) < 0) r = db_io(b->db, "syncing");
	t->curlevel = b->curlevel;
	t->listsize = b->count;
	t->last_recovery = (uint32_t)clock_now();
	if (!r) r = sl_write_header(b->db);
	if (!r && sys_fdatasync(t->fd) < 0) r = db_io(b->db, "syncing");
	return r;
}

/* The order of the part before the log is certain; a file without one is as its list is linked. */
static bool sorted_otherwise(struct cyrusdb *db)
{
	struct sl *t = sl_of(db);
	struct db_orders o = { .engine = db->engine, .last = BUF_INIT, .left = SIZE_MAX, .own = true, .mbox = true };
	struct sl_rec rec;
	for (uint32_t off = SL_DATA; sl_read(t, off, &rec) && rec.type == SL_INORDER; off = rec.next)
		if (!db_orders_see(&o, sl_key(t, &rec))) break;
	buf_free(&o.last);
	if (o.own && o.mbox) return db_sorted_otherwise(db, SIZE_MAX);
	return db->flags & CYRUSDB_MBOXSORT ? o.own : o.mbox;
}

static int recover(struct cyrusdb *db);

int sl_recover(struct cyrusdb *db)
{
	int flags = db->flags;
	/* by the wrong one the log would be replayed into the wrong places */
	if (sorted_otherwise(db)) db->flags ^= CYRUSDB_MBOXSORT;
	int r = recover(db);
	db->flags = flags;
	return r;
}

static int recover(struct cyrusdb *db)
{
	struct sl *t = sl_of(db);
	struct rebuild b = { .db = db, .curlevel = 1 };
	int64_t start = clock_mono();
	int r = relink(&b);
	if (r) return r;
	if (b.off != t->logstart) {
		log_msg(LOG_NOTICE, "skiplist recovery %s: incorrect logstart %u changing to %u", db->path, t->logstart, b.off);
		t->logstart = b.off;
	}
	r = replay(&b);
	if (!r) r = finish(&b);
	if (r) return r;
	log_msg(LOG_NOTICE, "skiplist: recovered %s (%u record%s, %u bytes) in %.0f seconds", db->path, b.count, b.count == 1
		? "" : "s",
		t->size, since(start));
	t->broken = t->logged = false;
	if (b.damaged || db->env->set.skiplist_always_checkpoint) r = sl_checkpoint(db);
	return r;
}

/* ---- checkpoint: the same records, all in order */

struct writer {
	struct buf b;
	size_t slot[SL_MAXLEVEL + 1];    /* where the pointer to the next record of that level lies */
	uint32_t count;
};

static void write_record(struct writer *w, const struct sl *t, const struct sl_rec *rec)
{
	uint32_t at = (uint32_t)w->b.len;
	buf_be32(&w->b, SL_INORDER);
	buf_append(&w->b, t->map.base + rec->off + 4, rec->ptroff - rec->off - 4);
	for (uint32_t i = 1; i <= rec->level; i++) {
		put_be32(w->b.s + w->slot[i], at);
		w->slot[i] = w->b.len;
		buf_be32(&w->b, 0);
	}
	buf_be32(&w->b, 0xFFFFFFFFu);
	w->count++;
}

static int write_all(struct cyrusdb *db, struct writer *w)
{
	struct sl *t = sl_of(db);
	struct sl_rec rec;
	if (!sl_read(t, SL_DUMMY, &rec)) return CYRUSDB_IOERROR;
	for (int i = 0; i < SL_HEADER; i++) buf_putc(&w->b, 0);
	buf_be32(&w->b, SL_DUMMYREC);
	buf_be64(&w->b, 0);
	for (int i = 1; i <= SL_MAXLEVEL; i++) {
		w->slot[i] = w->b.len;
		buf_be32(&w->b, 0);
	}
	buf_be32(&w->b, 0xFFFFFFFFu);
	for (uint32_t to = sl_word(t, rec.ptroff); to; to = sl_word(t, rec.ptroff)) {
		if (!sl_read(t, to, &rec)) return CYRUSDB_IOERROR;       /* order was checked: this ends */
		write_record(w, t, &rec);
	}
	return CYRUSDB_OK;
}

/* The new file takes the place of the old one; the lock is then held on the new one. */
static int install(struct cyrusdb *db, const struct writer *w)
{
	struct sl *t = sl_of(db);
	char *path = mem_printf("%s.NEW", db->path);
	int fd = sys_open(path, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, 0644), r = CYRUSDB_OK;
	struct stat st;
	if (fd < 0 || sys_write_all(fd, w->b.s, w->b.len) < 0 || sys_fsync(fd) < 0 || lock_fd(fd, LOCK_EXCLUSIVE, LOCK_NOWAIT,
		path) < 0
		|| fstat(fd, &st) < 0 || sys_rename(path, db->path) < 0) {
		r = db_io(db, "checkpointing");
		if (fd >= 0) {
			sys_unlink(path);
			sys_close(fd);
		}
	} else {
		if (file_sync_parent(db->path) < 0) db_io(db, "syncing the directory of");
		map_free(&t->map);
		sys_ftruncate(t->fd, 0);         /* readers still holding the old file notice by its inode */
		sys_close(t->fd);
		t->fd = fd;
		t->st = st;
		t->size = (uint32_t)w->b.len;
		r = sl_map(db);
		if (!r && !sl_header_parse(t)) r = CYRUSDB_IOERROR;
	}
	free(path);
	return r;
}

int sl_checkpoint(struct cyrusdb *db)
{
	struct sl *t = sl_of(db);
	struct writer w = { .b = BUF_INIT };
	int64_t start = clock_mono();
	if (sl_check(db)) {
		log_msg(LOG_ERR, "db %s, inconsistent pre-checkpoint, bailing out", db->path);
		return CYRUSDB_IOERROR;
	}
	int r = write_all(db, &w);
	if (!r) {
		struct sl header = *t;
		header.logstart = (uint32_t)w.b.len;
		header.last_recovery = (uint32_t)clock_now();
		header.listsize = w.count;
		sl_header_build(&header, (unsigned char *)w.b.s);
		r = install(db, &w);
	}
	if (!r)
		log_msg(LOG_INFO, "skiplist: checkpointed %s (%u record%s, %u bytes) in %.0f sec", db->path, w.count,
			w.count == 1 ? "" : "s",
		t->size, since(start));
	buf_free(&w.b);
	return r;
}

/* ---- checking and printing */

static int inconsistent(const struct cyrusdb *db, uint32_t off, const char *what)
{
	log_msg(LOG_ERR, "DBERROR: skiplist %s: %s at offset %u", db->path, what, off);
	return CYRUSDB_INTERNAL;
}

int sl_check(struct cyrusdb *db)
{
	struct sl *t = sl_of(db);
	struct sl_rec rec, next;
	uint32_t expect[SL_MAXLEVEL + 1];
	bool first = true;
	if (!sl_read(t, SL_DUMMY, &rec) || rec.level != SL_MAXLEVEL) return inconsistent(db, SL_DUMMY, "no dummy record");
	for (uint32_t i = 1; i <= SL_MAXLEVEL; i++) expect[i] = sl_word(t, rec.ptroff + 4 * (i - 1));
	for (uint32_t to = expect[1]; to; to = expect[1]) {
		if (!sl_read(t, to, &next) || (next.type != SL_INORDER && next.type != SL_ADD))
			return inconsistent(db, to, "no record of the list");
		if (!first && db->engine->compare(db, sl_key(t, &next), sl_key(t, &rec)) <= 0)
			return inconsistent(db, to, "keys are out of order");
		for (uint32_t i = 1; i <= next.level; i++) {
			if (expect[i] != to) return inconsistent(db, to, "a level leads elsewhere");
			expect[i] = sl_word(t, next.ptroff + 4 * (i - 1));
		}
		rec = next;
		first = false;
	}
	for (uint32_t i = 2; i <= SL_MAXLEVEL; i++)
		if (expect[i]) return inconsistent(db, expect[i], "a level goes on behind the end");
	return CYRUSDB_OK;
}

int sl_dump(struct cyrusdb *db, int detail)
{
	struct sl *t = sl_of(db);
	struct sl_rec rec;
	printf("Header\n  curlevel %u, listsize %u, logstart 0x%x, last recovery %u\n", t->curlevel, t->listsize, t->logstart,
		t->last_recovery);
	for (uint32_t off = SL_DUMMY; sl_read(t, off, &rec); off = rec.next) {
		static const char *const names[] = { [SL_INORDER] = "INORDER", [SL_ADD] = "ADD", [SL_DELETE] = "DELETE" };
		printf("%08X %s", off, rec.type == SL_COMMIT ? "COMMIT" : rec.type == SL_DUMMYREC ? "DUMMY" : names[rec.type]);
		if (rec.type == SL_DELETE) printf(" %08X", rec.target);
		if (rec.level) printf(" kl=%u dl=%u lvl=%u", rec.keylen, rec.vallen, rec.level);
		for (uint32_t i = 0; i < rec.level && detail; i++) printf(" %08X", sl_word(t, rec.ptroff + 4 * i));
		putchar('\n');
	}
	return CYRUSDB_OK;
}
