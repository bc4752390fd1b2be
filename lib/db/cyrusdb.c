/* cyrusdb.c - what all engines share: transactions, locks around operations, iteration (spec/cyrusdb.md 1). The life of the
 * handles is in cyrusdb_open.c. */
#include "db/db_priv.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "sys/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define AGAIN_MAX 1000           /* berkeley: deadlocks in a row before an operation, or cyrusdb_transact(), gives up */

const char *cyrusdb_strerror(int rc)
{
	static const char *const text[] = { "not an error", "IO error", "again", "item exists", "internal error", "item not found",
		"locked",
		"action not implemented", "no space available", "database is readonly" };
	if (rc == CYRUSDB_DONE) return "done";
	if (rc > 0 || -rc >= (int)(sizeof text / sizeof *text)) return "not a cyrusdb error";
	return text[-rc];
}

void db_log_errno(const char *engine, const char *doing, const char *path, int e)
{
	struct stat st;
	if (e != EACCES && e != EPERM) {
		log_msg(LOG_ERR, "DBERROR: %s: %s %s: %s", engine, doing, path, strerror(e));
		return;
	}
	if (stat(path, &st) < 0) st.st_uid = (uid_t)-1, st.st_mode = 0;
	log_msg(LOG_ERR,
		"DBERROR: %s: %s %s: %s (we are uid %ld, it belongs to uid %ld, mode %o): give it to the account of the servers, "
		"chown %s %s", engine, doing, path, strerror(e), (long)geteuid(), (long)(int)st.st_uid, (unsigned)st.st_mode & 07777,
		CYRUS_USER, path);
}

int db_io(const struct cyrusdb *db, const char *doing)
{
	int e = errno;
	db_log_errno(db->engine->name, doing, db->path, e);
	return err_from_errno(e) == ERR_NOSPACE ? CYRUSDB_FULL : CYRUSDB_IOERROR;
}

static struct db_slice slice(const void *p, size_t n) { return (struct db_slice){ n ? p : "", n }; }

/* ---- locks and transactions */

static int db_lock(struct cyrusdb *db, bool write)
{
	if (write && (db->flags & CYRUSDB_RDONLY)) return CYRUSDB_READONLY;
	int r = db->engine->lock(db, write);
	if (!r) db->locked_at = clock_mono();
	return r;
}

static void db_unlock(struct cyrusdb *db)
{
	double seconds = (double)(clock_mono() - db->locked_at) / (double)NSEC_PER_SEC;
	db->engine->unlock(db);
	if (db->engine->longlock && seconds > 1.0)
		log_msg(LOG_NOTICE, "%s: longlock %s for %.1f seconds", db->engine->longlock, db->path, seconds);
}

static int txn_abort(struct cyrusdb *db)
{
	int r = db->shared ? CYRUSDB_OK : db->engine->abort(db);
	db->in_txn = db->failed = false;
	db_unlock(db);
	return r;
}

static int txn_commit(struct cyrusdb *db)
{
	if (db->failed) {
		txn_abort(db);
		return CYRUSDB_IOERROR;
	}
	int r = db->shared ? CYRUSDB_OK : db->engine->commit(db);
	if (r) {
		txn_abort(db);
		return r;
	}
	db->in_txn = false;
	db_unlock(db);
	return CYRUSDB_OK;
}

/* How one operation stands to transactions. */
struct op {
	struct cyrusdb *db;
	struct cyrusdb_txn **txn;
	bool write, own;                 /* own: the lock is taken for this operation alone */
};

static int begin(struct op *op, struct cyrusdb *db, struct cyrusdb_txn **txn, bool write)
{
	if (write && (db->flags & CYRUSDB_RDONLY)) return CYRUSDB_READONLY;
	if (txn && *txn && ((*txn)->db != db || !db->in_txn)) return CYRUSDB_INTERNAL;
	if (txn && *txn) return CYRUSDB_OK;
	if (db->held) return write || txn ? CYRUSDB_LOCKED : CYRUSDB_OK;
	if (txn) {
		if (db->in_txn) return CYRUSDB_LOCKED;
		db->shared = db->flags & CYRUSDB_SHARED;
		if (db->shared && write) return CYRUSDB_READONLY;
		int r = db_lock(db, !db->shared);
		if (r) return r;
		db->in_txn = true;
		db->failed = false;
		*txn = &db->txn;
		return CYRUSDB_OK;
	}
	if (db->in_txn) {                /* reads run inside; a write would be committed or lost with what it knows nothing of */
		if (!write) return CYRUSDB_OK;
		log_msg(LOG_ERR, "DBERROR: %s: write without the transaction that is open", db->path);
		return CYRUSDB_INTERNAL;
	}
	op->own = true;
	db->shared = false;
	if (!write) return db_lock(db, false);
	if (db->flags & CYRUSDB_SHARED) return CYRUSDB_READONLY;
	int r = db_lock(db, true);
	if (!r) db->in_txn = true;
	return r;
}

static int op_begin(struct op *op, struct cyrusdb *db, struct cyrusdb_txn **txn, bool write)
{
	*op = (struct op){ db, txn, write, false };
	if (db->doomed) return db->doomed;
	int r = begin(op, db, txn, write);
	if (r && db->transact) db->doomed = r;
	return r;
}

/* r is the result of the operation; `soft` results of reads leave the transaction alone. */
static int op_end(struct op *op, int r, bool soft)
{
	struct cyrusdb *db = op->db;
	if (op->own) {
		if (!op->write) db_unlock(db);
		else if (!r) r = txn_commit(db);
		else txn_abort(db);
		return r;
	}
	if (!r || soft) return r;
	if (db->transact) db->doomed = r;
	if (!op->txn) db->failed = db->in_txn;         /* the owner of the transaction learns it from commit */
	else {
		txn_abort(db);
		*op->txn = NULL;
	}
	return r;
}

int cyrusdb_hold(struct cyrusdb *db)
{
	if (db->in_txn) return CYRUSDB_LOCKED;
	int r = db->held ? CYRUSDB_OK : db_lock(db, false);
	if (!r) db->held++;
	return r;
}

void cyrusdb_release(struct cyrusdb *db)
{
	if (db->held && !--db->held) db_unlock(db);
}

int cyrusdb_commit(struct cyrusdb *db, struct cyrusdb_txn *txn)
{
	if (!txn || txn->db != db || !db->in_txn) return CYRUSDB_INTERNAL;
	return txn_commit(db);
}

int cyrusdb_abort(struct cyrusdb *db, struct cyrusdb_txn *txn)
{
	if (!txn || txn->db != db || !db->in_txn) return CYRUSDB_INTERNAL;
	return txn_abort(db);
}

static int transact_once(struct cyrusdb *db, cyrusdb_work *fn, void *arg)
{
	struct cyrusdb_txn *txn = NULL;
	db->transact = true;
	int r = fn(arg, db, &txn);
	if (db->doomed) r = db->doomed;
	db->transact = false;
	db->doomed = 0;
	if (txn && r) cyrusdb_abort(db, txn);
	else if (txn) r = cyrusdb_commit(db, txn);
	return r;
}

int cyrusdb_transact(struct cyrusdb *db, cyrusdb_work *fn, void *arg)
{
	int r = CYRUSDB_AGAIN;
	if (db->in_txn || db->transact) return CYRUSDB_LOCKED;
	for (int i = 0; r == CYRUSDB_AGAIN && i < AGAIN_MAX; i++) r = transact_once(db, fn, arg);
	return r;
}

/* ---- single records */

static int fetch_once(struct cyrusdb *db, struct db_slice key, const char **val, size_t *vallen, struct cyrusdb_txn **txn)
{
	struct op op;
	struct db_slice v;
	int r = op_begin(&op, db, txn, false);
	if (r) return r;
	r = db->engine->fetch(db, key, &v);
	if (!r) {                        /* a copy: after the unlock another process may replace or truncate what v points into */
		buf_set(&db->val, v.p, v.n);
		if (val) *val = buf_cstr(&db->val);
		if (vallen) *vallen = v.n;
	}
	return op_end(&op, r, r == CYRUSDB_NOTFOUND);
}

int cyrusdb_fetch(struct cyrusdb *db, const void *key, size_t keylen, const char **val, size_t *vallen, struct cyrusdb_txn **txn)
{
	if (val) *val = NULL;
	if (vallen) *vallen = 0;
	if (!keylen) return CYRUSDB_INTERNAL;
	int r = CYRUSDB_AGAIN;
	for (int i = 0; r == CYRUSDB_AGAIN && i < AGAIN_MAX; i++) {
		r = fetch_once(db, slice(key, keylen), val, vallen, txn);
		if (txn) break;
	}
	return r;
}

/* Engines without next(): the key after `key` in the list of all. One that the transaction has deleted may still be listed. */
static int next_of_keys(struct cyrusdb *db, struct db_slice key, struct db_slice *found, struct db_slice *val)
{
	struct db_keys all = { NULL, 0, 0 };
	int r = db->engine->keys(db, slice("", 0), &all);
	size_t i = 0;
	while (!r && i < all.n && key.n && db->engine->compare(db, all.v[i], key) <= 0) i++;
	if (!r) r = CYRUSDB_NOTFOUND;
	for (; r == CYRUSDB_NOTFOUND && i < all.n; i++) {
		buf_set(&db->key, all.v[i].p, all.v[i].n);
		*found = slice(db->key.s, db->key.len);
		r = db->engine->fetch(db, *found, val);
	}
	db_keys_free(&all);
	return r;
}

static int next_once(struct cyrusdb *db, struct db_slice key, const char **found, size_t *foundlen, const char **val,
	size_t *vallen,
	struct cyrusdb_txn **txn)
{
	struct op op;
	struct db_slice k, v;
	int r = op_begin(&op, db, txn, false);
	if (r) return r;
	r = db->engine->next ? db->engine->next(db, key, false, &k, &v) : next_of_keys(db, key, &k, &v);
	if (!r) {
		if (k.p != db->key.s) buf_set(&db->key, k.p, k.n);
		buf_set(&db->val, v.p, v.n);
		if (found) *found = buf_cstr(&db->key);
		if (foundlen) *foundlen = k.n;
		if (val) *val = buf_cstr(&db->val);
		if (vallen) *vallen = v.n;
	}
	return op_end(&op, r, r == CYRUSDB_NOTFOUND);
}

int cyrusdb_fetchnext(struct cyrusdb *db, const void *key, size_t keylen, const char **found, size_t *foundlen,
	const char **val, size_t *vallen, struct cyrusdb_txn **txn)
{
	int r = CYRUSDB_AGAIN;
	char *copy = mem_dup(key ? key : "", keylen);         /* the caller may pass what the last fetchnext gave */
	for (int i = 0; r == CYRUSDB_AGAIN && i < AGAIN_MAX; i++) {
		r = next_once(db, slice(copy, keylen), found, foundlen, val, vallen, txn);
		if (txn) break;
	}
	free(copy);
	return r;
}

enum write { WRITE_CREATE, WRITE_STORE, WRITE_DELETE };

static int write_op(struct cyrusdb *db, enum write what, struct db_slice key, struct db_slice val, bool force,
	struct cyrusdb_txn **txn)
{
	int r = CYRUSDB_AGAIN;
	for (int i = 0; r == CYRUSDB_AGAIN && i < AGAIN_MAX; i++) {
		struct op op;
		r = op_begin(&op, db, txn, true);
		if (r) return r;
		if (db->shared) r = CYRUSDB_READONLY;
		else if (!key.n) r = CYRUSDB_INTERNAL;
		else if (what == WRITE_DELETE) r = db->engine->del(db, key);
		else r = db->engine->put(db, key, val, what == WRITE_CREATE);
		if (what == WRITE_DELETE && force && r == CYRUSDB_NOTFOUND) r = CYRUSDB_OK;
		r = op_end(&op, r, false);
		if (txn) break;
	}
	return r;
}

int cyrusdb_create(struct cyrusdb *db, const void *key, size_t keylen, const void *val, size_t vallen, struct cyrusdb_txn **txn)
{
	return write_op(db, WRITE_CREATE, slice(key, keylen), slice(val, vallen), false, txn);
}

int cyrusdb_store(struct cyrusdb *db, const void *key, size_t keylen, const void *val, size_t vallen, struct cyrusdb_txn **txn)
{
	return write_op(db, WRITE_STORE, slice(key, keylen), slice(val, vallen), false, txn);
}

int cyrusdb_delete(struct cyrusdb *db, const void *key, size_t keylen, struct cyrusdb_txn **txn, bool force)
{
	return write_op(db, WRITE_DELETE, slice(key, keylen), slice("", 0), force, txn);
}

/* ---- iteration */

#define REFUSED_MAX 256          /* refusals by good() in a row after which others get a chance at the lock */

struct scan {
	struct op op;
	struct db_slice prefix;
	cyrusdb_cb *good, *cb;
	void *arg;
	struct buf key, val;             /* what cb sees */
	bool held;                       /* the lock is ours and must be let go around cb */
	int refused, stopped;
};

static bool matches(const struct cyrusdb *db, struct db_slice prefix, struct db_slice key)
{
	if (key.n < prefix.n) return false;
	key.n = prefix.n;
	return db->engine->exact_prefix ? !prefix.n || !memcmp(key.p, prefix.p, prefix.n) : !db->engine->compare(db, key, prefix);
}

static int scan_relock(struct scan *s)
{
	struct cyrusdb *db = s->op.db;
	if (!s->op.own) return db->in_txn || db->held ? CYRUSDB_OK : CYRUSDB_INTERNAL;      /* cb ended the transaction we run in */
	if (db->in_txn) return CYRUSDB_OK;                /* cb left one open: go on inside */
	int r = db_lock(db, false);
	s->held = !r;
	return r;
}

static void scan_unlock(struct scan *s)
{
	if (s->held) db_unlock(s->op.db);
	s->held = false;
}

/* One record: ask good under the lock, call cb without. s->key already holds the key. */
static int scan_visit(struct scan *s, struct db_slice val)
{
	if (s->good && !s->good(s->arg, buf_cstr(&s->key), s->key.len, val.p, val.n)) {
		if (++s->refused < REFUSED_MAX || !s->held) return CYRUSDB_OK;
		s->refused = 0;
		scan_unlock(s);
		return scan_relock(s);
	}
	s->refused = 0;
	buf_set(&s->val, val.p, val.n);
	scan_unlock(s);
	s->stopped = s->cb ? s->cb(s->arg, buf_cstr(&s->key), s->key.len, buf_cstr(&s->val), s->val.len) : 0;
	return s->stopped ? CYRUSDB_OK : scan_relock(s);
}

static int scan_next(struct scan *s)
{
	struct cyrusdb *db = s->op.db;
	struct db_slice k, v, at = s->prefix;
	bool or_equal = true;
	for (;;) {
		int r = db->engine->next(db, at, or_equal, &k, &v);
		if (r) return r == CYRUSDB_NOTFOUND ? CYRUSDB_OK : r;
		if (!matches(db, s->prefix, k)) return CYRUSDB_OK;
		buf_set(&s->key, k.p, k.n);
		r = scan_visit(s, v);
		if (r || s->stopped) return r;
		at = slice(s->key.s, s->key.len);
		or_equal = false;
	}
}

static int scan_keys(struct scan *s)
{
	struct cyrusdb *db = s->op.db;
	struct db_keys all = { NULL, 0, 0 };
	int r = db->engine->keys(db, s->prefix, &all);
	for (size_t i = 0; !r && !s->stopped && i < all.n; i++) {
		struct db_slice v;
		r = db->engine->fetch(db, all.v[i], &v);
		if (r == CYRUSDB_NOTFOUND) {         /* deleted since the list was made */
			r = CYRUSDB_OK;
			continue;
		}
		if (r) break;
		buf_set(&s->key, all.v[i].p, all.v[i].n);
		r = scan_visit(s, v);
	}
	db_keys_free(&all);
	return r;
}

int cyrusdb_foreach(struct cyrusdb *db, const void *prefix, size_t prefixlen, cyrusdb_cb *good, cyrusdb_cb *cb, void *arg,
	struct cyrusdb_txn **txn)
{
	struct scan s = { .prefix = slice(prefix, prefixlen), .good = good, .cb = cb, .arg = arg };
	int r = op_begin(&s.op, db, txn, false);
	if (r) return r;
	s.held = s.op.own;
	r = db->engine->next ? scan_next(&s) : scan_keys(&s);
	scan_unlock(&s);
	if (!s.op.own && r && db->in_txn) op_end(&s.op, r, false);
	else if (!s.op.own && r && txn) *txn = NULL;
	buf_free(&s.key);
	buf_free(&s.val);
	return r ? r : s.stopped;
}

/* ---- a walk that leaves things out */

#define WALK_MAX 4096            /* records under one hold of the lock */

/* One record of a walk: `at` becomes where it goes on, *or_equal whether a record of that very key is to come. */
static int walk_visit(const struct cyrusdb *db, struct db_slice k, struct db_slice v, cyrusdb_walk_cb *cb, void *arg,
	struct buf *at, bool *or_equal)
{
	struct buf seek = BUF_INIT;
	buf_set(at, k.p, k.n);
	int stop = cb(arg, buf_cstr(at), at->len, v.p, v.n, &seek);
	/* never backwards */
	*or_equal = seek.len && db->engine->compare(db, slice(seek.s, seek.len), slice(at->s, at->len)) > 0;
	if (*or_equal) buf_set(at, seek.s, seek.len);
	buf_free(&seek);
	return stop;
}

/* Engines without next(): their keys are few. */
static int walk_keys(struct cyrusdb *db, struct buf *at, cyrusdb_walk_cb *cb, void *arg, int *stopped)
{
	struct db_keys all = { NULL, 0, 0 };
	bool or_equal = true;
	int r = db->engine->keys(db, slice("", 0), &all);
	for (size_t i = 0; !r && !*stopped && i < all.n; i++) {
		struct db_slice v;
		int order = at->len ? db->engine->compare(db, all.v[i], slice(at->s, at->len)) : 1;
		if (order < 0 || (!order && !or_equal)) continue;
		r = db->engine->fetch(db, all.v[i], &v);
		if (!r) *stopped = walk_visit(db, all.v[i], v, cb, arg, at, &or_equal);
		else if (r == CYRUSDB_NOTFOUND) r = CYRUSDB_OK;
	}
	db_keys_free(&all);
	return r;
}

static int walk_next(struct op *op, struct buf *at, cyrusdb_walk_cb *cb, void *arg, int *stopped)
{
	struct cyrusdb *db = op->db;
	bool or_equal = true;
	for (unsigned n = 1; !*stopped; n++) {
		struct db_slice k, v;
		int r = db->engine->next(db, slice(at->s, at->len), or_equal, &k, &v);
		if (r) return r == CYRUSDB_NOTFOUND ? CYRUSDB_OK : r;
		*stopped = walk_visit(db, k, v, cb, arg, at, &or_equal);
		if (n % WALK_MAX || !op->own) continue;
		db_unlock(db);
		r = db_lock(db, false);
		op->own = !r;
		if (r) return r;
	}
	return CYRUSDB_OK;
}

int cyrusdb_walk(struct cyrusdb *db, const void *start, size_t startlen, cyrusdb_walk_cb *cb, void *arg)
{
	struct op op;
	struct buf at = BUF_INIT;
	int stopped = 0, r = op_begin(&op, db, NULL, false);
	if (r) return r;
	buf_append(&at, start, startlen);
	r = db->engine->next ? walk_next(&op, &at, cb, arg, &stopped) : walk_keys(db, &at, cb, arg, &stopped);
	if (op.own) db_unlock(db);
	buf_free(&at);
	return r ? r : stopped;
}

int cyrusdb_since(struct cyrusdb *db, const struct cyrusdb_mark *mark, cyrusdb_cb *cb, void *arg, struct cyrusdb_mark *now)
{
	struct op op;
	if (!db->engine->since) return CYRUSDB_NOTIMPLEMENTED;
	int r = op_begin(&op, db, NULL, false);
	if (r) return r;
	r = db->engine->since(db, mark, cb, arg, now);
	if (op.own) db_unlock(db);
	return r;
}

/* ---- the whole file */

int cyrusdb_consistent(struct cyrusdb *db)
{
	struct op op;
	if (!db->engine->consistent) return CYRUSDB_OK;
	int r = op_begin(&op, db, NULL, false);
	if (r) return r;
	r = db->engine->consistent(db);
	return op_end(&op, r, true);
}

int cyrusdb_repack(struct cyrusdb *db)
{
	if (db->flags & CYRUSDB_SHARED) return CYRUSDB_READONLY;
	if (!db->engine->repack) return CYRUSDB_OK;
	if (db->in_txn) return CYRUSDB_LOCKED;
	int r = db_lock(db, true);
	if (r) return r;
	r = db->engine->repack(db);
	db_unlock(db);
	return r;
}

static int print_record(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	(void)arg;
	return fwrite(key, 1, keylen, stdout) != keylen || putchar('\t') < 0 || fwrite(val, 1, vallen, stdout) != vallen
		|| putchar('\n') < 0
		? CYRUSDB_IOERROR : CYRUSDB_OK;
}

int cyrusdb_dump(struct cyrusdb *db, int detail)
{
	struct op op;
	if (!db->engine->dump) return cyrusdb_foreach(db, "", 0, NULL, print_record, NULL, NULL);
	int r = op_begin(&op, db, NULL, false);
	if (r) return r;
	r = db->engine->dump(db, detail);
	return op_end(&op, r, true);
}

int cyrusdb_check_order(struct cyrusdb *db, size_t most)
{
	struct op op;
	int r = op_begin(&op, db, NULL, false);
	if (r) return r;
	bool other = db_sorted_otherwise(db, most), mbox = db->flags & CYRUSDB_MBOXSORT;
	if (other && (db->flags & CYRUSDB_RDONLY)) db->flags ^= CYRUSDB_MBOXSORT;
	else if (other) {
		r = CYRUSDB_IOERROR;
		log_msg(LOG_ERR, "DBERROR: %s is sorted %s improved_mboxlist_sort, which is %s here: put the option back, dump the table "
			"(ctl_mboxlist -d; cyr_dbtool %s%s %s show), change the option, move the file away and load the dump (ctl_mboxlist "
			"-u; "
			"cyr_dbtool -n %s%s %s set)", db->path, mbox ? "without" : "with", mbox ? "on" : "off", mbox ? "" : "-M ", db->path,
			db->engine->name, mbox ? "-M " : "", db->path, db->engine->name);
	}
	return op_end(&op, r, true);
}

int cyrusdb_compare(const struct cyrusdb *db, const void *a, size_t alen, const void *b, size_t blen)
{
	return db->engine->compare(db, slice(a, alen), slice(b, blen));
}
