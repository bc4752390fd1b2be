/* sql.c - tables in an SQL database (spec/cyrusdb.md 12): two columns, dbkey and data, in a table named after the file. What is
 * particular to a kind of server is in its driver. */
#include "db/sql_priv.h"

#include "base/log.h"
#include "base/mem.h"
#include "sys/file.h"
#include "sys/sys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct sql_driver *const drivers[] = {      /* the first is what an unset sql_engine means */
#ifdef HAVE_PGSQL
	&sql_pgsql,
#endif
#ifdef HAVE_SQLITE
	&sql_sqlite,
#endif
	NULL
};

struct sql {
	const struct sql_driver *driver;
	void *conn;
	char *texts[SQL_TEXTS];
	struct buf key, val, at;
};

/* ---- names and statements */

static const struct sql_driver *driver_find(const struct cyrusdb_env *env)
{
	const char *want = env->set.sql_engine;
	for (int i = 0; drivers[i]; i++)
		if (!want || !*want || !strcmp(want, drivers[i]->name)) return drivers[i];
	log_msg(LOG_ERR, "DBERROR: sql_engine: %s: this build has no client library for it", want);
	return NULL;
}

static const char *database_of(const struct cyrusdb_env *env, const struct sql_driver *d, const char *path)
{
	const char *name = env->set.sql_database;
	return name && *name ? name : d->in_file ? path : "";
}

/* The base name, its last dot made an underscore, in quotes: mailboxes.db is "mailboxes_db". */
static char *table_of(const char *path)
{
	struct buf b = BUF_INIT;
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
	buf_putc(&b, '"');
	for (const char *s = name; *s; s++) {
		if (*s == '"') buf_putc(&b, '"');
		buf_putc(&b, s == dot ? '_' : *s);
	}
	buf_putc(&b, '"');
	return buf_take(&b);
}

/* `template` with the table's name for each @, without its quotes for each # */
static char *expand(const char *template, const char *table)
{
	struct buf b = BUF_INIT;
	for (const char *s = template; *s; s++) {
		if (*s == '@') buf_puts(&b, table);
		else if (*s == '#') buf_append(&b, table + 1, strlen(table) - 2);
		else buf_putc(&b, *s);
	}
	return buf_take(&b);
}

/* ---- running them */

static int run(struct cyrusdb *db, enum sql_text what, const struct db_slice *param, int n, sql_row *row, void *arg,
	long *changed)
{
	struct sql *q = db->impl;
	if (changed) *changed = 0;
	return q->texts[what] ? q->driver->run(db, q->conn, q->texts[what], param, n, row, arg, changed, false) : CYRUSDB_OK;
}

struct answer {
	struct buf *key, *val;
	bool any;
};

static void take_row(void *arg, const struct db_slice *column, int n)
{
	struct answer *a = arg;
	if (a->any) return;                              /* a table the originals wrote may have a key twice */
	if (a->key) buf_set(a->key, column[0].p, column[0].n);
	buf_set(a->val, column[n - 1].p, column[n - 1].n);
	a->any = true;
}

static int sql_fetch(struct cyrusdb *db, struct db_slice key, struct db_slice *val)
{
	struct sql *q = db->impl;
	struct answer a = { NULL, &q->val, false };
	int r = run(db, SQL_FETCH, &key, 1, take_row, &a, NULL);
	if (!r && !a.any) r = CYRUSDB_NOTFOUND;
	*val = (struct db_slice){ q->val.s, q->val.len };
	return r;
}

static int sql_next(struct cyrusdb *db, struct db_slice key, bool or_equal, struct db_slice *found, struct db_slice *val)
{
	struct sql *q = db->impl;
	struct answer a = { &q->key, &q->val, false };
	buf_set(&q->at, key.p, key.n);                   /* it may lie in what we are about to write over */
	struct db_slice at = { q->at.s, q->at.len };
	int r = key.n ? run(db, or_equal ? SQL_FROM : SQL_AFTER, &at, 1, take_row, &a, NULL)
		: run(db, SQL_FIRST, NULL, 0, take_row, &a, NULL);
	if (!r && !a.any) r = CYRUSDB_NOTFOUND;
	/* a damaged index could lead back, and a scan round and round */
	if (!r && key.n && db_cmp_raw((struct db_slice){ q->key.s, q->key.len }, at) < !or_equal) {
		log_msg(LOG_ERR, "DBERROR: sql: %s: keys are out of order", db->path);
		r = CYRUSDB_IOERROR;
	}
	*found = (struct db_slice){ q->key.s, q->key.len };
	*val = (struct db_slice){ q->val.s, q->val.len };
	return r;
}

static int sql_put(struct cyrusdb *db, struct db_slice key, struct db_slice val, bool must_be_new)
{
	struct db_slice param[2] = { key, val }, old;
	long changed;
	int r = must_be_new ? sql_fetch(db, key, &old) : CYRUSDB_NOTFOUND;
	if (r != CYRUSDB_NOTFOUND) return r ? r : CYRUSDB_EXISTS;
	r = run(db, SQL_UPDATE, param, 2, NULL, NULL, &changed);
	return r || changed ? r : run(db, SQL_INSERT, param, 2, NULL, NULL, NULL);
}

static int sql_del(struct cyrusdb *db, struct db_slice key)
{
	long changed;
	int r = run(db, SQL_DELETE, &key, 1, NULL, NULL, &changed);
	return !r && !changed ? CYRUSDB_NOTFOUND : r;
}

/* ---- in mailbox order, which no server knows: all keys, sorted here */

static void add_key(void *arg, const struct db_slice *column, int n)
{
	(void)n;
	if (column[0].n) db_keys_add(arg, column[0].p, column[0].n);
}

static int by_mbox(const void *a, const void *b) { return db_cmp_mbox(*(const struct db_slice *)a, *(const struct db_slice *)b); }

static int sql_keys(struct cyrusdb *db, struct db_slice prefix, struct db_keys *out)
{
	struct db_keys all = { NULL, 0, 0 };
	int r = run(db, SQL_KEYS, NULL, 0, add_key, &all, NULL);
	for (size_t i = 0; !r && i < all.n; i++)
		if (all.v[i].n >= prefix.n && (!prefix.n || !memcmp(all.v[i].p, prefix.p, prefix.n)))
			db_keys_add(out, all.v[i].p, all.v[i].n);
	db_keys_free(&all);
	if (out->n) qsort(out->v, out->n, sizeof *out->v, by_mbox);
	return r;
}

static int sql_compare_mbox(const struct cyrusdb *db, struct db_slice a, struct db_slice b)
{
	(void)db;
	return db_cmp_mbox(a, b);
}
static int sql_compare(const struct cyrusdb *db, struct db_slice a, struct db_slice b) { (void)db; return db_cmp_raw(a, b); }

/* ---- transactions; single statements that read need none */

/* In one database file there is one writer at a time, this process included: waiting for ourselves would end with the deadline
 * only. */
static bool we_hold_it(const struct cyrusdb *db)
{
	const struct sql *q = db->impl;
	const char *mine = database_of(db->env, q->driver, db->path);
	for (size_t i = 0; i < db->env->open.n; i++) {
		const struct cyrusdb *other = db->env->open.v[i];
		if (other == db || !other->in_txn || strcmp(other->engine->name, "sql")) continue;
		if (strcmp(database_of(db->env, q->driver, other->path), mine)) continue;
		log_msg(LOG_ERR,
			"DBERROR: sql: %s: a transaction on %s is open in the same file %s: leave sql_database unset, so that each table "
			"has its " "own", db->path, other->path, mine);
		return true;
	}
	return false;
}

static int sql_lock(struct cyrusdb *db, bool write)
{
	struct sql *q = db->impl;
	if (!write) return CYRUSDB_OK;
	if (q->driver->in_file && we_hold_it(db)) return CYRUSDB_LOCKED;
	int r = run(db, SQL_BEGIN, NULL, 0, NULL, NULL, NULL);
	if (r) return r;
	r = run(db, SQL_LOCK, NULL, 0, NULL, NULL, NULL);
	if (r) run(db, SQL_ROLLBACK, NULL, 0, NULL, NULL, NULL);
	return r;
}

static void sql_unlock(struct cyrusdb *db) { (void)db; }

static int sql_commit(struct cyrusdb *db) { return run(db, SQL_COMMIT, NULL, 0, NULL, NULL, NULL); }

static int sql_abort(struct cyrusdb *db)
{
	struct sql *q = db->impl;
	return q->driver->in_txn(q->conn) ? run(db, SQL_ROLLBACK, NULL, 0, NULL, NULL, NULL) : CYRUSDB_OK;
}

static void see_ok(void *arg, const struct db_slice *column, int n)
{
	(void)n;
	if (column[0].n != 2 || memcmp(column[0].p, "ok", 2)) *(bool *)arg = false;
}

static int sql_consistent(struct cyrusdb *db)
{
	bool ok = true;
	int r = run(db, SQL_CHECK, NULL, 0, see_ok, &ok, NULL);
	if (!r && !ok) log_msg(LOG_ERR, "DBERROR: sql: %s is damaged", db->path);
	return r ? r : ok ? CYRUSDB_OK : CYRUSDB_INTERNAL;
}

/* ---- opening */

/* Two processes may both find that there is no table: the one whose CREATE fails looks again. */
static int find_table(struct cyrusdb *db)
{
	struct sql *q = db->impl;
	int r = q->driver->run(db, q->conn, q->texts[SQL_EXISTS], NULL, 0, NULL, NULL, NULL, true);
	if (r != CYRUSDB_NOTFOUND || !(db->flags & CYRUSDB_CREATE)) return r;
	r = q->driver->run(db, q->conn, q->texts[SQL_CREATE], NULL, 0, NULL, NULL, NULL, true);
	if (!r) return run(db, SQL_INDEX, NULL, 0, NULL, NULL, NULL);
	return run(db, SQL_EXISTS, NULL, 0, NULL, NULL, NULL);
}

static void sql_close(struct cyrusdb *db)
{
	struct sql *q = db->impl;
	if (q->conn) q->driver->close(q->conn);
	for (int i = 0; i < SQL_TEXTS; i++) free(q->texts[i]);
	buf_free(&q->key);
	buf_free(&q->val);
	buf_free(&q->at);
	free(q);
}

static int sql_open(struct cyrusdb *db)
{
	const struct sql_driver *d = driver_find(db->env);
	if (!d) return CYRUSDB_INTERNAL;
	struct sql *q = db->impl = mem_zalloc(sizeof *q);
	char *table = table_of(db->path);
	int r = CYRUSDB_OK;
	q->driver = d;
	if (strlen(table) > d->name_max + 2) {
		log_msg(LOG_ERR, "DBERROR: sql: %s: the name of a table cannot be longer than %zu bytes", db->path, d->name_max);
		r = CYRUSDB_INTERNAL;
	}
	for (int i = 0; i < SQL_TEXTS; i++)
		if (d->texts[i]) q->texts[i] = expand(d->texts[i], table);
	free(table);
	if (!r) r = d->connect(db, database_of(db->env, d, db->path), &q->conn);
	if (!r) r = find_table(db);
	if (r) sql_close(db);
	else if (db->flags & CYRUSDB_MBOXSORT) db->engine = &engine_sql_sorted;
	return r;
}

/* ---- conversion, copies */

static int sql_clear(struct cyrusdb *db) { return run(db, SQL_CLEAR, NULL, 0, NULL, NULL, NULL); }

static bool in_own_file(const struct cyrusdb_env *env, const struct sql_driver *d)
{
	return d->in_file && !(env->set.sql_database && *env->set.sql_database);
}

/* The table of `from` gets the name that belongs to `to`. Then, where it lies in a file, the file moves too; where not, what was
 * under the name `to` (it was converted) goes. */
static int sql_rename(struct cyrusdb_env *env, const char *from, const char *to)
{
	struct cyrusdb db = { .env = env, .engine = &engine_sql, .path = mem_strdup(from), .txn = { NULL } };
	int r = sql_open(&db);
	if (!r) {
		struct sql *q = db.impl;
		char *old = table_of(to), *mine = table_of(from), *drop = expand(q->driver->texts[SQL_DROP], old);
		char *change = mem_printf("ALTER TABLE %s RENAME TO %s", mine, old);
		bool own_file = in_own_file(env, q->driver);
		r = run(&db, SQL_BEGIN, NULL, 0, NULL, NULL, NULL);
		if (!r) r = q->driver->run(&db, q->conn, drop, NULL, 0, NULL, NULL, NULL, false);
		if (!r) r = q->driver->run(&db, q->conn, change, NULL, 0, NULL, NULL, NULL, false);
		if (!r) r = run(&db, SQL_COMMIT, NULL, 0, NULL, NULL, NULL);
		if (r) sql_abort(&db);
		sql_close(&db);
		free(old);
		free(mine);
		free(drop);
		free(change);
		if (!r && own_file && sys_rename(from, to) < 0) r = CYRUSDB_IOERROR;
		if (!r && !own_file && sys_unlink(to) < 0 && errno != ENOENT) r = CYRUSDB_IOERROR;
		if (!r && file_sync_parent(to) < 0) r = CYRUSDB_IOERROR;
	}
	free(db.path);
	return r;
}

/* A table in a file is copied as one moment has it; a server has its own backups. */
static int sql_archive(struct cyrusdb_env *env, const char *const *paths, const char *dir)
{
	const struct sql_driver *d = driver_find(env);
	int rc = CYRUSDB_OK;
	if (!d) return CYRUSDB_INTERNAL;
	for (int i = 0; !rc && in_own_file(env, d) && paths[i]; i++) {
		const char *slash = strrchr(paths[i], '/');
		char *to = mem_printf("%s/%s", dir, slash ? slash + 1 : paths[i]);
		struct db_slice param = { to, strlen(to) };
		struct cyrusdb db = { .env = env, .engine = &engine_sql, .path = mem_strdup(paths[i]), .txn = { NULL } };
		int r = sql_open(&db);
		if (!r) {
			struct sql *q = db.impl;
			r = d->run(&db, q->conn, "VACUUM INTO ?1", &param, 1, NULL, NULL, NULL, false);
			sql_close(&db);
		}
		rc = r == CYRUSDB_NOTFOUND ? CYRUSDB_OK : r;
		free(db.path);
		free(to);
	}
	return rc;
}

#define SQL(var, ...) const struct db_engine var = { \
	.name = "sql", .open = sql_open, .close = sql_close, .lock = sql_lock, .unlock = sql_unlock, .fetch = sql_fetch, \
	.put = sql_put, \
	.del = sql_del, .commit = sql_commit, .abort = sql_abort, .consistent = sql_consistent, .clear = sql_clear, \
	.rename = sql_rename, \
	.archive = sql_archive, .exact_prefix = true, __VA_ARGS__ }
SQL(engine_sql, .next = sql_next, .compare = sql_compare);
SQL(engine_sql_sorted, .keys = sql_keys, .compare = sql_compare_mbox);
