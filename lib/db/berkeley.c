/* berkeley.c - the Berkeley DB tables of 2.x sites (spec/cyrusdb.md 11). The library does its own locking, logging and I/O; its
 * environment in CONFIGDIR/db is opened only when a table is. A table opened read-only needs no environment at all. */
#include "db/db_priv.h"

#include "base/log.h"
#include "base/mem.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/sys.h"

#include <db.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct bdb {
	DB *h;
	DB_TXN *txn;                     /* while the exclusive "lock" is held */
	struct buf key, val;
	u_int32_t locker;                /* 0: none yet */
	DB_LOCK lock;                    /* what our writers take turns by, while `locked` */
	bool locked;
};

/* Who has a transaction open while we waited in vain. */
static void log_holder(const struct cyrusdb *db)
{
	DB_ENV *e = db ? db->env->bdb : NULL;
	DB_TXN_STAT *st = NULL;
	long pid = 0;
	if (e && e->txn_stat(e, &st, 0) == 0)
		for (u_int32_t i = 0; i < st->st_nactive && !pid; i++)
			if (st->st_txnarray[i].pid != getpid()) pid = (long)st->st_txnarray[i].pid;
	free(st);
	if (pid) log_msg(LOG_ERR, "IOERROR: lock on %s not granted, held by pid %ld", db->path, pid);
	else log_msg(LOG_ERR, "IOERROR: lock on %s not granted in time", db ? db->path : "the environment");
}

static int fail(const struct cyrusdb *db, const char *doing, int e)
{
	switch (e) {
	case 0: return CYRUSDB_OK;
	case DB_NOTFOUND: return CYRUSDB_NOTFOUND;
	case DB_KEYEXIST: return CYRUSDB_EXISTS;
	case DB_LOCK_DEADLOCK: return CYRUSDB_AGAIN;
	case DB_LOCK_NOTGRANTED: log_holder(db); return CYRUSDB_IOERROR;
	case DB_RUNRECOVERY:
		log_msg(LOG_CRIT, "DBERROR: critical database situation: stop all servers and run ctl_cyrusdb -r");
		break;
	default: break;
	}
	if (e > 0) db_log_errno("berkeley", doing, db ? db->path : "the environment", e);
	else log_msg(LOG_ERR, "DBERROR: berkeley: %s %s: %s", doing, db ? db->path : "the environment", db_strerror(e));
	return e == ENOSPC || e == EDQUOT ? CYRUSDB_FULL : CYRUSDB_IOERROR;
}

static void say(const DB_ENV *e, const char *prefix, const char *msg)
{
	(void)e, (void)prefix;
	log_msg(LOG_WARNING, "DBERROR db5: %s", msg);
}

/* ---- the environment */

static void env_settings(const struct cyrusdb_env *env, DB_ENV *e)
{
	const struct cyrusdb_settings *s = &env->set;
	unsigned kib = s->berkeley_cachesize < 20 ? 20 : s->berkeley_cachesize > 4194303 ? 4194303 : s->berkeley_cachesize;
	e->set_errcall(e, say);
	e->set_lk_max_locks(e, s->berkeley_locks_max);
	e->set_lk_max_lockers(e, s->berkeley_locks_max);
	e->set_lk_max_objects(e, s->berkeley_locks_max);
	e->set_tx_max(e, s->berkeley_txns_max);
	e->set_cachesize(e, kib >> 20, (kib & 0xFFFFF) << 10, 0);
	e->set_lk_detect(e, DB_LOCK_YOUNGEST);
}

static int env_open(struct cyrusdb_env *env, DB_ENV **out)
{
	static const u_int32_t flags = DB_INIT_LOCK | DB_INIT_MPOOL | DB_INIT_LOG | DB_INIT_TXN;
	DB_ENV *e = env->bdb;
	int r = 0;
	if (!e) {
		if (berkeley_check_env(env->dbdir)) return DB_VERSION_MISMATCH;
		if (file_mkdirs(env->dbdir, 0755) < 0) return errno;
		r = db_env_create(&e, 0);
		if (r) return r;
		env_settings(env, e);
		r = e->open(e, env->dbdir, flags | (env->recover ? DB_RECOVER | DB_CREATE : 0), 0644);
		if (r == ENOENT) r = e->open(e, env->dbdir, flags | DB_CREATE, 0644);
		if (r) e->close(e, 0);
		else env->bdb = e;
	}
	*out = env->bdb;
	return r;
}

void berkeley_env_free(struct cyrusdb_env *env)
{
	DB_ENV *e = env->bdb;
	if (e) fail(NULL, "closing", e->close(e, 0));
	env->bdb = NULL;
}

/* ---- records */

static DBT dbt(struct db_slice s) { return (DBT){ .data = (void *)(uintptr_t)s.p, .size = (u_int32_t)s.n }; }

/* The library waits for ever and looks for deadlocks only. So nothing of ours waits inside it: reads take what locks they need at
 * once or try again later, and writers take turns by a lock that they try for. False: it is too late. */
static bool wait_more(const struct cyrusdb *db, int64_t *deadline)
{
	int64_t now = clock_mono();
	if (!*deadline) *deadline = now + (int64_t)db->env->lock_ms * 1000000;
	if (now >= *deadline) return false;
	nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
	return true;
}

typedef int reader(struct bdb *b, DB_TXN *t, void *arg);

static int read_with(struct cyrusdb *db, reader *fn, void *arg)
{
	struct bdb *b = db->impl;
	DB_ENV *e = db->env->bdb;
	int64_t deadline = 0;
	int r;
	if (b->txn || (db->flags & CYRUSDB_RDONLY)) return fail(db, "reading", fn(b, b->txn, arg));
	do {
		DB_TXN *t;
		r = e->txn_begin(e, NULL, &t, DB_TXN_NOWAIT);
		if (r) break;
		r = fn(b, t, arg);
		t->abort(t);
	} while ((r == DB_LOCK_NOTGRANTED || r == DB_LOCK_DEADLOCK) && wait_more(db, &deadline));
	return fail(db, "reading", r == DB_LOCK_DEADLOCK ? DB_LOCK_NOTGRANTED : r);
}

static int get_key(struct bdb *b, DB_TXN *t, void *arg)
{
	DBT k = dbt(*(struct db_slice *)arg), v = { .flags = DB_DBT_MALLOC };
	int r = b->h->get(b->h, t, &k, &v, b->txn ? DB_RMW : 0);
	if (r) return r;
	buf_set(&b->val, v.data, v.size);
	free(v.data);
	return 0;
}

static int bdb_fetch(struct cyrusdb *db, struct db_slice key, struct db_slice *val)
{
	struct bdb *b = db->impl;
	int r = read_with(db, get_key, &key);
	*val = (struct db_slice){ b->val.s, b->val.len };
	return r;
}

static int cursor_get(struct bdb *b, DBC *c, struct db_slice from, u_int32_t how)
{
	DBT k = { .flags = DB_DBT_MALLOC }, v = { .flags = DB_DBT_MALLOC };
	if (how == DB_SET_RANGE) k.data = (void *)(uintptr_t)from.p, k.size = (u_int32_t)from.n;
	int r = c->get(c, &k, &v, how);
	if (r) return r;
	buf_set(&b->key, k.data, k.size);
	buf_set(&b->val, v.data, v.size);
	if (k.data != from.p) free(k.data);
	free(v.data);
	return 0;
}

struct next {
	struct buf at;
	bool or_equal;
};

static int get_next(struct bdb *b, DB_TXN *t, void *arg)
{
	const struct next *n = arg;
	DBC *c;
	int r = b->h->cursor(b->h, t, &c, 0);
	if (r) return r;
	struct db_slice from = { n->at.s, n->at.len };
	r = cursor_get(b, c, from, from.n ? DB_SET_RANGE : DB_FIRST);
	if (!r && !n->or_equal && from.n && !buf_cmp(&b->key, &n->at)) r = cursor_get(b, c, from, DB_NEXT);
	c->close(c);
	return r;
}

static int bdb_next(struct cyrusdb *db, struct db_slice key, bool or_equal, struct db_slice *found, struct db_slice *val)
{
	struct bdb *b = db->impl;
	struct next n = { BUF_INIT, or_equal };
	buf_append(&n.at, key.p, key.n);                 /* key may lie in b->key */
	int r = read_with(db, get_next, &n);
	*found = (struct db_slice){ b->key.s, b->key.len };
	*val = (struct db_slice){ b->val.s, b->val.len };
	/* a table that is sorted the other way would be walked in a circle */
	if (!r && n.at.len && db->engine->compare(db, *found, (struct db_slice){ n.at.s, n.at.len }) < !or_equal) {
		log_msg(LOG_ERR, "DBERROR: berkeley: %s: keys are out of order", db->path);
		r = CYRUSDB_IOERROR;
	}
	buf_free(&n.at);
	return r;
}

struct each {
	bool (*fn)(void *arg, struct db_slice key);
	void *arg;
	struct db_keys *all;             /* or all that begin so */
	struct db_slice prefix;
};

static int get_each(struct bdb *b, DB_TXN *t, void *arg)
{
	const struct each *x = arg;
	DBC *c;
	int r = b->h->cursor(b->h, t, &c, 0);
	if (r) return r;
	if (x->all) db_keys_free(x->all);                /* another try */
	while (!(r = cursor_get(b, c, (struct db_slice){ "", 0 }, DB_NEXT))) {
		if (x->fn && !x->fn(x->arg, (struct db_slice){ b->key.s, b->key.len })) break;
		if (x->all && b->key.len >= x->prefix.n && (!x->prefix.n || !memcmp(b->key.s, x->prefix.p, x->prefix.n)))
			db_keys_add(x->all, b->key.s, b->key.len);
	}
	c->close(c);
	return r == DB_NOTFOUND ? 0 : r;
}

static int bdb_in_file_order(struct cyrusdb *db, bool (*fn)(void *arg, struct db_slice key), void *arg)
{
	return read_with(db, get_each, &(struct each){ .fn = fn, .arg = arg });
}

static int by_bytes(const void *a, const void *b) { return db_cmp_raw(*(const struct db_slice *)a, *(const struct db_slice *)b); }

/* Hash tables have no order of their own: all keys, sorted. */
static int hash_keys(struct cyrusdb *db, struct db_slice prefix, struct db_keys *out)
{
	int r = read_with(db, get_each, &(struct each){ .all = out, .prefix = prefix });
	if (out->n) qsort(out->v, out->n, sizeof *out->v, by_bytes);
	return r;
}

static int bdb_put(struct cyrusdb *db, struct db_slice key, struct db_slice val, bool must_be_new)
{
	struct bdb *b = db->impl;
	DBT k = dbt(key), v = dbt(val);
	return fail(db, "writing", b->h->put(b->h, b->txn, &k, &v, must_be_new ? DB_NOOVERWRITE : 0));
}

static int bdb_del(struct cyrusdb *db, struct db_slice key)
{
	struct bdb *b = db->impl;
	DBT k = dbt(key);
	return fail(db, "deleting from", b->h->del(b->h, b->txn, &k, 0));
}

/* ---- transactions */

static void bdb_unlock(struct cyrusdb *db)
{
	struct bdb *b = db->impl;
	DB_ENV *e = db->env->bdb;
	if (b->locked) e->lock_put(e, &b->lock);
	b->locked = false;
}

static int bdb_lock(struct cyrusdb *db, bool write)
{
	struct bdb *b = db->impl;
	DB_ENV *e = db->env->bdb;
	DBT turn = { .data = db->path, .size = (u_int32_t)strlen(db->path) };
	int64_t deadline = 0;
	int r = 0;
	if (!write) return CYRUSDB_OK;
	if (!b->locker) r = e->lock_id(e, &b->locker);
	while (!r) {
		r = e->lock_get(e, b->locker, DB_LOCK_NOWAIT, &turn, DB_LOCK_WRITE, &b->lock);
		if (r != DB_LOCK_NOTGRANTED || !wait_more(db, &deadline)) break;
		r = 0;
	}
	b->locked = !r;
	if (!r) r = e->txn_begin(e, NULL, &b->txn, 0);
	if (r) bdb_unlock(db);
	return fail(db, "beginning a transaction on", r);
}

static int bdb_commit(struct cyrusdb *db)
{
	struct bdb *b = db->impl;
	DB_TXN *t = b->txn;
	b->txn = NULL;                   /* gone whatever commit says */
	return fail(db, "committing to", t->commit(t, strstr(db->engine->name, "nosync") ? DB_TXN_NOSYNC : 0));
}

static int bdb_abort(struct cyrusdb *db)
{
	struct bdb *b = db->impl;
	DB_TXN *t = b->txn;
	b->txn = NULL;
	return t ? fail(db, "rolling back", t->abort(t)) : CYRUSDB_OK;
}

/* ---- opening */

/* By the handle as it is now: who finds the file in the other order may take that over (cyrusdb_check_order). */
static int compare_keys(DB *h, const DBT *a, const DBT *b)
{
	const struct cyrusdb *db = h->app_private;
	return db->engine->compare(db, (struct db_slice){ a->data, a->size }, (struct db_slice){ b->data, b->size });
}

static bool is_hash(const struct cyrusdb *db) { return strstr(db->engine->name, "hash") != NULL; }

static int open_handle(struct cyrusdb *db, struct bdb *b)
{
	bool rdonly = db->flags & CYRUSDB_RDONLY;
	DB_ENV *e = NULL;
	int r = rdonly ? 0 : env_open(db->env, &e);
	if (!r) r = db_create(&b->h, e, 0);
	if (r) return r;
	if (!e) b->h->set_errcall(b->h, say);
	b->h->app_private = db;
	if (!is_hash(db)) b->h->set_bt_compare(b->h, compare_keys);
	u_int32_t flags = rdonly ? DB_RDONLY : DB_AUTO_COMMIT | (db->flags & CYRUSDB_CREATE ? DB_CREATE : 0);
	return b->h->open(b->h, NULL, db->path, NULL, is_hash(db) ? DB_HASH : DB_BTREE, flags, 0664);
}

static int bdb_open(struct cyrusdb *db)
{
	struct stat st;
	const char *real;
	bool there = stat(db->path, &st) == 0;
	if (!there && !(db->flags & CYRUSDB_CREATE)) return CYRUSDB_NOTFOUND;
	if (!there && file_mkparents(db->path, 0755) < 0) return db_io(db, "creating");
	if (there && access(db->path, R_OK) < 0) return db_io(db, "opening");
	/* one of no bytes is what is left of a creation; the library takes it for damage */
	if (there && !st.st_size && (db->flags & CYRUSDB_CREATE) && sys_unlink(db->path) < 0) return db_io(db, "creating");
	/* somebody else's file is refused before the environment is touched for it */
	if (there && st.st_size && (!(real = cyrusdb_detect(db->path)) || strcmp(real, is_hash(db) ? "berkeley-hash" : "berkeley")))
		return CYRUSDB_BADFORMAT;
	if (there && berkeley_check_table(db->path)) return CYRUSDB_IOERROR;
	struct bdb *b = db->impl = mem_zalloc(sizeof *b);
	int r = open_handle(db, b);
	if (!r) return CYRUSDB_OK;
	if (b->h) b->h->close(b->h, 0);
	free(b);
	return fail(db, "opening", r);
}

static void bdb_close(struct cyrusdb *db)
{
	struct bdb *b = db->impl;
	DB_ENV *e = db->env->bdb;
	if (b->locker) e->lock_id_free(e, b->locker);
	fail(db, "closing", b->h->close(b->h, 0));
	buf_free(&b->key);
	buf_free(&b->val);
	free(b);
}

static int bdb_compare(const struct cyrusdb *db, struct db_slice x, struct db_slice y)
{
	return db->flags & CYRUSDB_MBOXSORT && !is_hash(db) ? db_cmp_mbox(x, y) : db_cmp_raw(x, y);
}

/* ---- the whole environment */

static int bdb_sync(struct cyrusdb_env *env)
{
	DB_ENV *e = env->bdb;
	return e ? fail(NULL, "checkpointing", e->txn_checkpoint(e, 0, 0, 0)) : CYRUSDB_OK;
}

static int copy_into(const char *path, const char *dir)
{
	const char *slash = strrchr(path, '/');
	char *to = mem_printf("%s/%s", dir, slash ? slash + 1 : path);
	int r = file_copy(path, to, 0644) < 0 && errno != ENOENT ? CYRUSDB_IOERROR : CYRUSDB_OK;
	if (r) log_msg(LOG_ERR, "DBERROR: archiving %s: %m", path);
	free(to);
	return r;
}

/* Tables first, then every log they may need. */
static int bdb_archive(struct cyrusdb_env *env, const char *const *paths, const char *dir)
{
	DB_ENV *e;
	char **list = NULL;
	int r = env_open(env, &e);
	if (!r) r = e->txn_checkpoint(e, 0, 0, 0);
	if (!r) r = e->log_archive(e, &list, DB_ARCH_REMOVE);
	int rc = fail(NULL, "archiving", r);
	for (int i = 0; !rc && paths[i]; i++) rc = copy_into(paths[i], dir);
	if (!rc) rc = fail(NULL, "archiving", e->log_archive(e, &list, DB_ARCH_ABS | DB_ARCH_LOG));
	for (int i = 0; !rc && list && list[i]; i++) rc = copy_into(list[i], dir);
	free(list);
	return rc;
}

/* The library remembers files by name, so it must do the renaming itself; and it renames over nothing, so what was there steps
 * aside first. A crash in between leaves TO.OLD. */
static int bdb_rename(struct cyrusdb_env *env, const char *from, const char *to)
{
	DB_ENV *e;
	char *old = mem_printf("%s.OLD", to);
	int r = env_open(env, &e);
	if (!r && sys_rename(to, old) < 0) r = errno;
	if (!r) {
		r = e->dbrename(e, NULL, from, NULL, to, DB_AUTO_COMMIT);
		if (r) sys_rename(old, to);
		else sys_unlink(old);
	}
	free(old);
	if (!r && file_sync_parent(to) < 0) r = errno;
	return fail(NULL, "renaming in", r);
}

#define BERKELEY(var, text, ...) const struct db_engine var = { \
	.name = text, .open = bdb_open, .close = bdb_close, .lock = bdb_lock, .unlock = bdb_unlock, .fetch = bdb_fetch, \
	.put = bdb_put, \
	.del = bdb_del, .commit = bdb_commit, .abort = bdb_abort, .compare = bdb_compare, .archive = bdb_archive, \
	.rename = bdb_rename, __VA_ARGS__ }
BERKELEY(engine_berkeley, "berkeley", .next = bdb_next, .sync = bdb_sync, .in_file_order = bdb_in_file_order,
	.order = db_cmp_raw);
BERKELEY(engine_berkeley_nosync, "berkeley-nosync", .next = bdb_next, .in_file_order = bdb_in_file_order,
	.order = db_cmp_raw);
BERKELEY(engine_berkeley_hash, "berkeley-hash", .keys = hash_keys, .exact_prefix = true);
BERKELEY(engine_berkeley_hash_nosync, "berkeley-hash-nosync", .keys = hash_keys, .exact_prefix = true);
