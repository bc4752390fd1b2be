/* berkeley.c - the Berkeley DB tables of 2.x sites (spec/cyrusdb.md 11). The library does its own locking, logging and I/O; its
 * environment in CONFIGDIR/db is opened only when a table is. A table opened read-only needs no environment at all. */
#include "db/db_priv.h"

#include "base/log.h"
#include "base/mem.h"
#include "sys/file.h"
#include "sys/sys.h"

#include <db.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct bdb {
	DB *h;
	DB_TXN *txn;                     /* while the exclusive "lock" is held */
	struct buf key, val;
};

static int fail(const struct cyrusdb *db, const char *doing, int e)
{
	switch (e) {
	case 0: return CYRUSDB_OK;
	case DB_NOTFOUND: return CYRUSDB_NOTFOUND;
	case DB_KEYEXIST: return CYRUSDB_EXISTS;
	case DB_LOCK_DEADLOCK: return CYRUSDB_AGAIN;
	case DB_RUNRECOVERY: log_msg(LOG_CRIT, "DBERROR: critical database situation"); break;
	default: break;
	}
	log_msg(LOG_ERR, "DBERROR: berkeley: %s %s: %s", doing, db ? db->path : "the environment", db_strerror(e));
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

static int bdb_fetch(struct cyrusdb *db, struct db_slice key, struct db_slice *val)
{
	struct bdb *b = db->impl;
	DBT k = dbt(key), v = { .flags = DB_DBT_MALLOC };
	int r = b->h->get(b->h, b->txn, &k, &v, b->txn ? DB_RMW : 0);
	if (r) return fail(db, "reading", r);
	buf_set(&b->val, v.data, v.size);
	free(v.data);
	*val = (struct db_slice){ b->val.s, b->val.len };
	return CYRUSDB_OK;
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

static int bdb_next(struct cyrusdb *db, struct db_slice key, bool or_equal, struct db_slice *found, struct db_slice *val)
{
	struct bdb *b = db->impl;
	DBC *c;
	struct buf at = BUF_INIT;        /* key may lie in b->key */
	buf_append(&at, key.p, key.n);
	int r = b->h->cursor(b->h, b->txn, &c, 0);
	if (!r) {
		struct db_slice from = { at.s, at.len };
		r = cursor_get(b, c, from, at.len ? DB_SET_RANGE : DB_FIRST);
		if (!r && !or_equal && at.len && !buf_cmp(&b->key, &at)) r = cursor_get(b, c, from, DB_NEXT);
		c->close(c);
	}
	/* A table that is sorted the other way would be walked in a circle */
	bool back = !r && at.len && db->engine->compare(db, (struct db_slice){ b->key.s, b->key.len }, (struct db_slice){ at.s, at.len }) < !or_equal;
	buf_free(&at);
	if (back) log_msg(LOG_ERR, "DBERROR: berkeley: %s: keys are out of order", db->path);
	if (back) return CYRUSDB_IOERROR;
	if (r) return fail(db, "reading", r);
	*found = (struct db_slice){ b->key.s, b->key.len };
	*val = (struct db_slice){ b->val.s, b->val.len };
	return CYRUSDB_OK;
}

static int bdb_in_file_order(struct cyrusdb *db, bool (*fn)(void *arg, struct db_slice key), void *arg)
{
	struct bdb *b = db->impl;
	DBC *c;
	int r = b->h->cursor(b->h, b->txn, &c, 0);
	if (r) return fail(db, "reading", r);
	while (!(r = cursor_get(b, c, (struct db_slice){ "", 0 }, DB_NEXT)))
		if (!fn(arg, (struct db_slice){ b->key.s, b->key.len })) break;
	c->close(c);
	return r == DB_NOTFOUND ? CYRUSDB_OK : fail(db, "reading", r);
}

static int by_bytes(const void *a, const void *b) { return db_cmp_raw(*(const struct db_slice *)a, *(const struct db_slice *)b); }

/* Hash tables have no order of their own: all keys, sorted. */
static int hash_keys(struct cyrusdb *db, struct db_slice prefix, struct db_keys *out)
{
	struct bdb *b = db->impl;
	DBC *c;
	int r = b->h->cursor(b->h, b->txn, &c, 0);
	if (r) return fail(db, "reading", r);
	while (!(r = cursor_get(b, c, prefix, DB_NEXT)))
		if (b->key.len >= prefix.n && (!prefix.n || !memcmp(b->key.s, prefix.p, prefix.n)))
			db_keys_add(out, b->key.s, b->key.len);
	c->close(c);
	if (out->n) qsort(out->v, out->n, sizeof *out->v, by_bytes);
	return r == DB_NOTFOUND ? CYRUSDB_OK : fail(db, "reading", r);
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

static int bdb_lock(struct cyrusdb *db, bool write)
{
	struct bdb *b = db->impl;
	DB_ENV *e = db->env->bdb;
	if (!write) return CYRUSDB_OK;
	return fail(db, "beginning a transaction on", e->txn_begin(e, NULL, &b->txn, 0));
}

static void bdb_unlock(struct cyrusdb *db) { (void)db; }

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
	/* somebody else's file is refused before the environment is touched for it */
	if (there && st.st_size && (!(real = cyrusdb_detect(db->path)) || strcmp(real, is_hash(db) ? "berkeley-hash" : "berkeley")))
		return CYRUSDB_BADFORMAT;
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
	.name = text, .open = bdb_open, .close = bdb_close, .lock = bdb_lock, .unlock = bdb_unlock, .fetch = bdb_fetch, .put = bdb_put, \
	.del = bdb_del, .commit = bdb_commit, .abort = bdb_abort, .compare = bdb_compare, .archive = bdb_archive, \
	.rename = bdb_rename, __VA_ARGS__ }
BERKELEY(engine_berkeley, "berkeley", .next = bdb_next, .sync = bdb_sync, .in_file_order = bdb_in_file_order, .order = db_cmp_raw);
BERKELEY(engine_berkeley_nosync, "berkeley-nosync", .next = bdb_next, .in_file_order = bdb_in_file_order,
	.order = db_cmp_raw);
BERKELEY(engine_berkeley_hash, "berkeley-hash", .keys = hash_keys, .exact_prefix = true);
BERKELEY(engine_berkeley_hash_nosync, "berkeley-hash-nosync", .keys = hash_keys, .exact_prefix = true);
