/* twoskip_recover.c - putting a twoskip file right after a crash, rewriting it without its dead records, checking and printing it
 * (spec/cyrusdb.md 7.7, 7.8). */
#include "db/twoskip_priv.h"

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

/* ---- first stage: pointers of a file whose records are whole */

struct relink {
	struct cyrusdb *db;
	uint64_t last[TS_MAXLEVEL + 1];          /* the last record seen of at least that level */
	uint64_t count, fixed;
	bool torn;                               /* a head was cut off in the middle of its rewrite and is guessed */
	struct ts_rec at;
};

/* Reads a record on the list. A head whose checksum is wrong may be a rewrite that the crash cut off: key, value and lengths are
 * still sound then, and what is left of the two slots still holds the committed successor. The count proves it in the end. */
static int relink_read(struct relink *k, uint64_t off, struct ts_rec *rec)
{
	struct ts *t = ts_of(k->db);
	bool torn = false;
	if (ts_read(k->db, off, t->end, rec, true)) {
		if (ts_read_torn(k->db, off, t->end, rec) || !ts_tail_ok(t, rec) || (rec->type != '=' && rec->type != '+'))
			return ts_read(k->db, off, t->end, rec, false);
		torn = k->torn = true;
	}
	uint64_t c = t->current_size;
	bool stale = rec->ptr[0] >= c || (rec->level && rec->ptr[1] >= c);
	if (!torn && (!stale || rec->type == '-')) return CYRUSDB_OK;
	for (int i = 0; i <= rec->level; i++)
		if (rec->ptr[i] >= c || rec->ptr[i] % 8) rec->ptr[i] = 0;
	k->fixed++;
	return ts_write_head(k->db, rec);
}

static int set_upper(struct relink *k, int level, uint64_t to)
{
	struct ts_rec rec;
	struct ts *t = ts_of(k->db);
	int r = ts_read(k->db, k->last[level], t->end, &rec, false);
	if (r || rec.ptr[level] == to) return r;
	rec.ptr[level] = to;
	k->fixed++;
	return ts_write_head(k->db, &rec);
}

static int relink_all(struct relink *k)
{
	struct cyrusdb *db = k->db;
	struct ts *t = ts_of(db);
	struct ts_rec next;
	int r = relink_read(k, TS_DUMMY, &k->at);
	for (int i = 1; i <= TS_MAXLEVEL; i++) k->last[i] = TS_DUMMY;
	while (!r) {
		uint64_t to;
		r = ts_follow(db, &k->at, NULL, &to);
		if (r || !to) break;
		r = relink_read(k, to, &next);
		if (r) break;
		if (next.type != '+' || (k->count && db->engine->compare(db, ts_key(t, &next), ts_key(t, &k->at)) <= 0)) {
			log_msg(LOG_ERR, "DBERROR: twoskip %s: keys are out of order at offset %llu", db->path, (unsigned long long)to);
			return CYRUSDB_IOERROR;
		}
		for (int i = 2; !r && i <= next.level; i++) {
			r = set_upper(k, i, to);
			k->last[i] = to;
		}
		k->at = next;
		k->count++;
	}
	for (int i = 2; !r && i <= TS_MAXLEVEL; i++) r = set_upper(k, i, 0);
	return r;
}

static int set_dirty(struct cyrusdb *db)
{
	struct ts *t = ts_of(db);
	if (t->flags & TS_FLAG_DIRTY) return CYRUSDB_OK;
	t->flags |= TS_FLAG_DIRTY;
	int r = ts_write_header(db);
	return r ? r : sys_fsync(t->fd) < 0 ? db_io(db, "syncing") : CYRUSDB_OK;
}

static int recover1(struct cyrusdb *db)
{
	struct ts *t = ts_of(db);
	struct relink k = { .db = db };
	int64_t start = clock_mono();
	uint64_t was = t->records;
	t->end = t->current_size;
	int r = set_dirty(db);
	if (!r) r = relink_all(&k);
	if (!r && k.torn && k.count != was) r = CYRUSDB_IOERROR;
	if (!r && sys_ftruncate(t->fd, (off_t)t->current_size) < 0) r = db_io(db, "truncating");
	if (!r) t->size = t->current_size;
	if (!r && sys_fsync(t->fd) < 0) r = db_io(db, "syncing");
	if (r) return r;
	t->records = k.count;
	t->flags &= ~(uint32_t)TS_FLAG_DIRTY;
	r = ts_write_header(db);
	if (!r && sys_fsync(t->fd) < 0) r = db_io(db, "syncing");
	if (!r) log_msg(LOG_INFO, "twoskip: recovered %s (%llu record%s, %llu bytes) in %.3f seconds - fixed %llu offset%s", db->path,
		(unsigned long long)k.count, k.count == 1 ? "" : "s", (unsigned long long)t->current_size, since(start),
		(unsigned long long)k.fixed, k.fixed == 1 ? "" : "s");
	return r;
}

/* ---- a new file beside the old one */

static int fresh_open(struct cyrusdb *db, struct cyrusdb *fresh)
{
	struct ts *t = mem_zalloc(sizeof *t);
	t->map = (struct map)MAP_INIT;
	t->fd = -1;
	*fresh = *db;
	fresh->path = mem_printf("%s.NEW", db->path);
	fresh->impl = t;
	if (sys_unlink(fresh->path) < 0 && errno != ENOENT) return db_io(fresh, "removing");
	t->fd = sys_open(fresh->path, O_RDWR | O_CREAT | O_EXCL, 0644);
	if (t->fd < 0) return db_io(fresh, "creating");
	/* locked before it has its final name: whoever opens that then waits for us */
	if (lock_fd(t->fd, LOCK_EXCLUSIVE, LOCK_NOWAIT, fresh->path) < 0 || fstat(t->fd, &t->st) < 0) return db_io(fresh, "locking");
	int r = ts_init_file(fresh);
	t->generation = ts_of(db)->generation + 1;
	return r;
}

static void fresh_drop(struct cyrusdb *fresh)
{
	struct ts *t = ts_of(fresh);
	if (t->fd >= 0) {
		sys_unlink(fresh->path);
		sys_close(t->fd);
	}
	map_free(&t->map);
	ts_forget_sound(t);
	free(t);
	free(fresh->path);
}

/* Commits the new file and puts it in the place of the old one, which is closed. The lock is then held on the new one. */
static int fresh_install(struct cyrusdb *db, struct cyrusdb *fresh)
{
	struct ts *t = ts_of(fresh), *old = ts_of(db);
	t->repack_size = t->end;
	t->changed = true;
	int r = ts_commit_append(fresh);
	if (!r) r = ts_check(fresh);
	if (!r && sys_rename(fresh->path, db->path) < 0) r = db_io(fresh, "renaming");
	if (r) {
		fresh_drop(fresh);
		return r;
	}
	if (file_sync_parent(db->path) < 0) db_io(db, "syncing the directory of");
	map_free(&old->map);
	ts_forget_sound(old);
	sys_close(old->fd);
	*old = *t;
	free(t);
	free(fresh->path);
	return CYRUSDB_OK;
}

/* ---- second stage: what can be read, transaction by transaction */

struct salvage {
	struct cyrusdb *db, *to;
	uint64_t *pending;               /* offsets of the records of the running transaction */
	size_t n, alloc;
	bool damaged;                    /* something of it was unreadable */
	bool lost;                       /* an earlier one was dropped: what a delete meant is no longer certain */
	uint64_t seen, limit;
};

/* The greatest key below `key`; the last key when `key` is empty. NOTFOUND: there is none. */
static int before(struct cyrusdb *db, struct db_slice key, struct db_slice *victim)
{
	struct ts *t = ts_of(db);
	struct ts_pos pos;
	struct ts_rec rec;
	int r = CYRUSDB_OK;
	if (key.n) {
		r = ts_find(db, key, &pos);
		if (!r) r = ts_read(db, pos.back[1], t->end, &rec, false);
	} else {
		uint64_t to = TS_DUMMY;
		r = ts_read(db, TS_DUMMY, t->end, &rec, false);
		for (int level = TS_MAXLEVEL; !r && level; level--)
			for (;;) {
				if (level > 1) to = rec.ptr[level];
				else r = ts_follow(db, &rec, NULL, &to);
				if (r || !to || (r = ts_read(db, to, t->end, &rec, false))) break;
			}
	}
	if (r) return r;
	if (rec.type != '+') return CYRUSDB_NOTFOUND;
	*victim = ts_key(t, &rec);
	return CYRUSDB_OK;
}

/* A delete record names the live record behind its victim: the victim is the key before that one. */
static int apply_delete(struct salvage *s, const struct ts_rec *del)
{
	struct ts_rec next;
	struct db_slice key = { "", 0 }, victim;
	if (s->lost) return CYRUSDB_OK;          /* better an old record too many than the wrong one deleted */
	if (del->ptr[0]) {
		int r = ts_read(s->db, del->ptr[0], s->limit, &next, true);
		if (r) return r;
		key = ts_key(ts_of(s->db), &next);
	}
	int r = before(s->to, key, &victim);
	if (r) return r == CYRUSDB_NOTFOUND ? CYRUSDB_OK : r;
	char *copy = mem_dup(victim.p, victim.n);
	r = ts_del(s->to, (struct db_slice){ copy, victim.n });
	free(copy);
	return r;
}

/* Every record of the transaction and every record its deletes point to must be readable before any of it is applied. */
static bool pending_sound(struct salvage *s)
{
	struct ts *t = ts_of(s->db);
	for (size_t i = 0; i < s->n; i++) {
		struct ts_rec rec, next;
		if (ts_read(s->db, s->pending[i], s->limit, &rec, true) || !ts_tail_ok(t, &rec)) return false;
		if (rec.type == '+' && !rec.keylen) return false;
		if (rec.type == '-' && rec.ptr[0]
			&& (ts_read(s->db, rec.ptr[0], s->limit, &next, true) || next.type != '+' || !ts_tail_ok(t, &next))) return false;
	}
	return true;
}

static int apply_pending(struct salvage *s)
{
	struct ts *t = ts_of(s->db);
	int r = CYRUSDB_OK;
	if (s->damaged || !pending_sound(s)) s->lost = true;
	else for (size_t i = 0; !r && i < s->n; i++) {
		struct ts_rec rec;
		r = ts_read(s->db, s->pending[i], s->limit, &rec, true);
		if (!r) r = rec.type == '+' ? ts_put(s->to, ts_key(t, &rec), ts_val(t, &rec), false) : apply_delete(s, &rec);
	}
	s->n = 0;
	s->damaged = false;
	return r;
}

static int salvage_all(struct salvage *s)
{
	struct ts *t = ts_of(s->db);
	uint64_t off = TS_DATA;
	int r = CYRUSDB_OK;
	while (!r && off + 8 <= s->limit) {
		struct ts_rec rec;
		if (!memcmp(t->map.base + off, " BLANK\007\240", 8)) {
			off += 8;
			continue;
		}
		if (ts_read(s->db, off, s->limit, &rec, true) || rec.type == '=') {
			s->damaged = true;
			off += 8;
			continue;
		}
		if (rec.type == '$') r = apply_pending(s);
		else {
			if (rec.type == '+') s->seen++;
			MEM_GROW(s->pending, s->alloc, s->n + 1);
			s->pending[s->n++] = off;
		}
		off = rec.next;
	}
	return r;
}

static int recover2(struct cyrusdb *db)
{
	struct cyrusdb fresh;
	struct ts *t = ts_of(db);
	struct salvage s = { .db = db, .to = &fresh, .limit = t->current_size };
	int r = fresh_open(db, &fresh);
	if (!r) r = salvage_all(&s);
	free(s.pending);
	uint64_t n = ts_of(&fresh)->records;
	if (!r && !n) r = CYRUSDB_NOTFOUND;
	if (r) {
		fresh_drop(&fresh);
		return r;
	}
	r = fresh_install(db, &fresh);
	if (!r) log_msg(LOG_NOTICE, "twoskip: recovery2 %s - rescued %llu of %llu records", db->path, (unsigned long long)n,
		(unsigned long long)s.seen);
	return r;
}

int ts_recover(struct cyrusdb *db)
{
	struct ts *t = ts_of(db);
	int flags = db->flags;
	t->end = t->current_size;
	ts_forget_sound(t);
	/* Opened in the wrong order: recovered in its own all the same. The second stage would take it for damage and delete what it must not. */
	if (db_sorted_otherwise(db, SIZE_MAX)) db->flags ^= CYRUSDB_MBOXSORT;
	int r = recover1(db);
	/* running out of space is no damage */
	if (r == CYRUSDB_IOERROR) {
		log_msg(LOG_ERR, "DBERROR: recovery1 failed, trying recovery2 %s", db->path);
		t->end = t->current_size;
		r = recover2(db);
	}
	t = ts_of(db);
	t->changed = false;
	db->flags = flags;
	return r;
}

/* ---- repack */

bool ts_wants_repack(const struct cyrusdb *db)
{
	const struct ts *t = ts_of(db);
	return t->current_size > TS_REPACK_MIN && t->current_size > 2 * t->repack_size;
}

static int copy_records(struct cyrusdb *db, struct cyrusdb *to)
{
	struct ts *t = ts_of(db);
	struct ts_rec rec;
	int r = ts_read(db, TS_DUMMY, t->end, &rec, false);
	while (!r) {
		uint64_t next;
		r = ts_follow(db, &rec, NULL, &next);
		if (r || !next) break;
		r = ts_read(db, next, t->end, &rec, false);
		if (!r && !ts_tail_ok(t, &rec)) r = CYRUSDB_IOERROR;
		if (!r) r = ts_put(to, ts_key(t, &rec), ts_val(t, &rec), true);
	}
	return r;
}

int ts_repack(struct cyrusdb *db)
{
	struct cyrusdb fresh;
	struct ts *t = ts_of(db);
	int64_t start = clock_mono();
	uint64_t was = t->current_size;
	if (ts_check(db)) {
		log_msg(LOG_ERR, "db %s, inconsistent pre-checkpoint, bailing out", db->path);
		return CYRUSDB_IOERROR;
	}
	int r = fresh_open(db, &fresh);
	if (!r) r = copy_records(db, &fresh);
	if (r) {
		fresh_drop(&fresh);
		return r;
	}
	r = fresh_install(db, &fresh);
	t = ts_of(db);
	if (!r) log_msg(LOG_INFO, "twoskip: checkpointed %s (%llu record%s, %llu => %llu bytes) in %.3f seconds", db->path,
		(unsigned long long)t->records, t->records == 1 ? "" : "s", (unsigned long long)was, (unsigned long long)t->current_size,
		since(start));
	return r;
}

/* ---- checking and printing */

static int inconsistent(const struct cyrusdb *db, uint64_t off, const char *what)
{
	log_msg(LOG_ERR, "DBERROR: twoskip %s: %s at offset %llu", db->path, what, (unsigned long long)off);
	return CYRUSDB_INTERNAL;
}

int ts_check(struct cyrusdb *db)
{
	struct ts *t = ts_of(db);
	struct ts_rec rec, next;
	uint64_t expect[TS_MAXLEVEL + 1], count = 0, to;
	ts_forget_sound(t);
	int r = ts_read(db, TS_DUMMY, t->end, &rec, false);
	if (r) return r;
	memcpy(expect, rec.ptr, sizeof expect);
	for (;;) {
		r = ts_follow(db, &rec, NULL, &to);
		if (r || !to) break;
		r = ts_read(db, to, t->end, &next, false);
		if (r) break;
		if (next.type != '+' || !ts_tail_ok(t, &next)) return inconsistent(db, to, "bad record");
		if (count && db->engine->compare(db, ts_key(t, &next), ts_key(t, &rec)) <= 0)
			return inconsistent(db, to, "keys are out of order");
		for (int i = 2; i <= next.level; i++) {
			if (expect[i] != to) return inconsistent(db, to, "a level leads elsewhere");
			expect[i] = next.ptr[i];
		}
		rec = next;
		count++;
	}
	if (r) return r;
	for (int i = 2; i <= TS_MAXLEVEL; i++)
		if (expect[i]) return inconsistent(db, expect[i], "a level goes on behind the end");
	return count == t->records ? CYRUSDB_OK : inconsistent(db, 32, "the number of records is wrong");
}

static void dump_bytes(const char *label, struct db_slice s)
{
	printf(" %s=\"", label);
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c < 32 || c > 126 || c == '"' || c == '\\') printf("\\%03o", c);
		else putchar(c);
	}
	putchar('"');
}

int ts_dump(struct cyrusdb *db, int detail)
{
	struct ts *t = ts_of(db);
	printf("HEADER: v=%u fl=%u num=%llu sz=(%llu/%llu) gen=%llu\n", t->version, t->flags, (unsigned long long)t->records,
		(unsigned long long)t->current_size, (unsigned long long)t->repack_size, (unsigned long long)t->generation);
	for (uint64_t off = TS_DUMMY; off + 8 <= t->end;) {
		struct ts_rec rec;
		if (!memcmp(t->map.base + off, " BLANK\007\240", 8)) {
			printf("%08llX BLANK\n", (unsigned long long)off);
			off += 8;
			continue;
		}
		if (ts_read(db, off, t->end, &rec, true)) {
			printf("%08llX UNREADABLE\n", (unsigned long long)off);
			off += 8;
			continue;
		}
		printf("%08llX %s level=%d", (unsigned long long)off, rec.type == '=' ? "DUMMY" : rec.type == '+'
			? "RECORD" : rec.type == '-' ?
			"DELETE" : "COMMIT", rec.level);
		if (rec.type == '+') dump_bytes("key", ts_key(t, &rec));
		if (rec.type == '+' && detail > 1) dump_bytes("val", ts_val(t, &rec));
		for (int i = 0; i <= rec.level; i++)
			if (rec.ptr[i] || i < 2) printf(" %d:%08llX", i, (unsigned long long)rec.ptr[i]);
		putchar('\n');
		off = rec.next;
	}
	return CYRUSDB_OK;
}
