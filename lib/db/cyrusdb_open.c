/* cyrusdb_open.c - environments and handles: engines by name, detection, conversion, archive copies
 * (spec/cyrusdb.md 1.3, 1.8, 1.10). */
#include "db/db_priv.h"

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
#include <unistd.h>

/* The order in which tools list them. */
static const struct db_engine *const engines[] = {
#ifdef HAVE_BDB
	&engine_berkeley, &engine_berkeley_nosync, &engine_berkeley_hash, &engine_berkeley_hash_nosync,
#endif
	&engine_flat, &engine_skiplist, &engine_quotalegacy,
#ifdef HAVE_SQL
	&engine_sql,
#endif
	&engine_twoskip, NULL
};

const char *const *cyrusdb_engines(void)
{
	static const char *const names[] = {
#ifdef HAVE_BDB
		"berkeley", "berkeley-nosync", "berkeley-hash", "berkeley-hash-nosync",
#endif
		"flat", "skiplist", "quotalegacy",
#ifdef HAVE_SQL
		"sql",
#endif
		"twoskip", NULL
	};
	return names;
}

/* Engines that files and configurations name and this build has not: what to do about a file of theirs. */
static const struct absent { const char *name, *advice; } absents[] = {
#ifndef HAVE_BDB
#define BERKELEY_ADVICE "build with Berkeley DB 5.3 (libdb5.3-dev), or convert it with the release that wrote it: " \
	"cvt_cyrusdb FILE ENGINE FILE.new twoskip"
	{ "berkeley", BERKELEY_ADVICE }, { "berkeley-nosync", BERKELEY_ADVICE }, { "berkeley-hash", BERKELEY_ADVICE },
	{ "berkeley-hash-nosync", BERKELEY_ADVICE },
#endif
#ifndef HAVE_SQL
	{ "sql", "build with SQLite 3 (libsqlite3-dev) or PostgreSQL (libpq-dev), or convert it with the release that wrote it: "
		"cvt_cyrusdb FILE ENGINE FILE.new twoskip" },
#endif
#define NEWER_ADVICE "convert it with the server that wrote it: cvt_cyrusdb FILE ENGINE FILE.new twoskip; or dump it there " \
	"(cyr_dbtool FILE ENGINE show >DUMP) and load it here (cyr_dbtool -n FILE.new twoskip set <DUMP)"
	{ "twom", NEWER_ADVICE }, { "zeroskip", NEWER_ADVICE },
};

/* Logs that `path` wants an engine which is not here, and what to run. */
static int refuse(const char *engine, const char *path)
{
	for (size_t i = 0; engine && i < sizeof absents / sizeof *absents; i++) {
		if (strcmp(absents[i].name, engine)) continue;
		log_msg(LOG_ERR, "DBERROR: %s: cyrusdb backend %s not supported by this build; for FILE %s, ENGINE %s: %s", path, engine,
			path, engine, absents[i].advice);
		return CYRUSDB_INTERNAL;
	}
	log_msg(LOG_ERR, "DBERROR: %s: cyrusdb backend %s not supported", path, engine ? engine : "(none)");
	return CYRUSDB_INTERNAL;
}

static const struct db_engine *engine_find(const char *name)
{
	for (int i = 0; name && engines[i]; i++)
		if (!strcmp(engines[i]->name, name)) return engines[i];
	return NULL;
}

bool cyrusdb_engine_known(const char *engine) { return engine_find(engine) != NULL; }

/* ---- the environment */

void cyrusdb_env_patience(struct cyrusdb_env *env, int ms) { env->lock_ms = ms; }

struct cyrusdb_env *cyrusdb_env_new(const char *dbdir, bool recover)
{
	struct cyrusdb_env *env = mem_zalloc(sizeof *env);
	env->dbdir = mem_strdup(dbdir);
	env->recover = recover;
	env->set.skiplist_always_checkpoint = true;
	env->set.berkeley_cachesize = 512;
	env->set.berkeley_locks_max = 50000;
	env->set.berkeley_txns_max = 100;
	env->lock_ms = LOCK_DEFAULT;
	env->random = (uint64_t)clock_real_ns() ^ (uint64_t)getpid() << 40;
	if (recover) skipstamp_recover(env);
	return env;
}

struct cyrusdb_settings *cyrusdb_env_settings(struct cyrusdb_env *env) { return &env->set; }

static void handle_free(struct cyrusdb *db)
{
	if (db->in_txn) cyrusdb_abort(db, &db->txn);
	db->engine->close(db);
	buf_free(&db->key);
	buf_free(&db->val);
	free(db->path);
	free(db);
}

void cyrusdb_env_free(struct cyrusdb_env *env)
{
	if (!env) return;
	for (size_t i = 0; i < env->open.n; i++) handle_free(env->open.v[i]);
	ptrarray_free(&env->open);
#ifdef HAVE_BDB
	berkeley_env_free(env);
#endif
	free(env->dbdir);
	free(env);
}

int db_random_level(struct cyrusdb_env *env, int max)
{
	if (env->level) return env->level(env->level_arg, max);
	/* splitmix64; a skip list needs coins, not secrets */
	uint64_t z = env->random += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	z ^= z >> 31;
	int level = 1;
	while (level < max && (z & 1)) level++, z >>= 1;
	return level;
}

void db_keys_add(struct db_keys *k, const void *p, size_t n)
{
	MEM_GROW(k->v, k->alloc, k->n + 1);
	k->v[k->n++] = (struct db_slice){ mem_dup(p, n), n };
}

void db_keys_free(struct db_keys *k)
{
	for (size_t i = 0; i < k->n; i++) free((void *)(uintptr_t)k->v[i].p);
	free(k->v);
	*k = (struct db_keys){ NULL, 0, 0 };
}

/* ---- detection */

static const char cyrus_magic[] = "\241\002\213\015";
#define BTREE_MAGIC 0x00053162u
#define HASH_MAGIC 0x00061561u

const char *cyrusdb_detect(const char *path)
{
	char head[16];
	uint32_t bdb;
	struct stat st;
	int fd = sys_open(path, O_RDONLY | O_NONBLOCK, 0);
	if (fd < 0) return NULL;
	if (sys_fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {            /* nobody else's database is one */
		sys_close(fd);
		return "zeroskip";
	}
	ssize_t n = sys_pread_full(fd, head, sizeof head, 0);
	sys_close(fd);
	if (n < (ssize_t)sizeof head) return NULL;
	if (!memcmp(head, cyrus_magic, 4)) {
		if (!memcmp(head + 4, "skiplist fil", 12)) return "skiplist";
		if (!memcmp(head + 4, "twoskip file", 12)) return "twoskip";
		if (!memcmp(head + 4, "twomfile", 8)) return "twom";
	}
	if (!memcmp(head, "SQLite format 3", 16)) return "sql";
	memcpy(&bdb, head + 12, 4);
	if (bdb == BTREE_MAGIC || bdb == __builtin_bswap32(BTREE_MAGIC)) return "berkeley";
	if (bdb == HASH_MAGIC || bdb == __builtin_bswap32(HASH_MAGIC)) return "berkeley-hash";
	return NULL;
}

/* ---- handles */

int db_create_file(const char *path, mode_t mode)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash && slash > path ? mem_dup(path, (size_t)(slash - path)) : NULL;
	int r = folder ? file_mkdirs_sync(folder, 0755) : 0, fd = -1;
	free(folder);
	if (r == 0) fd = sys_open(path, O_RDWR | O_CREAT, mode);
	if (fd >= 0 && file_sync_parent(path) < 0) {
		int e = errno;
		sys_close(fd);
		errno = e;
		return -1;
	}
	return fd;
}

/* The same file under any name: closing a second descriptor of it would drop our locks on the first. */
static struct cyrusdb *find_open(struct cyrusdb_env *env, const char *path)
{
	struct stat here, there;
	bool exists = env->open.n && stat(path, &here) == 0;
	for (size_t i = 0; i < env->open.n; i++) {
		struct cyrusdb *db = env->open.v[i];
		if (!strcmp(db->path, path)) return db;
		if (exists && stat(db->path, &there) == 0 && here.st_ino == there.st_ino && here.st_dev == there.st_dev) return db;
	}
	return NULL;
}

static int engine_open(struct cyrusdb_env *env, const struct db_engine *e, const char *path, int flags, struct cyrusdb **out)
{
	struct cyrusdb *db = mem_zalloc(sizeof *db);
	db->env = env;
	db->engine = e;
	db->path = mem_strdup(path);
	db->flags = flags;
	db->refs = 1;
	db->txn.db = db;
	int r = e->open(db);
	if (r) {
		free(db->path);
		free(db);
		return r;
	}
	ptrarray_append(&env->open, db);
	*out = db;
	return CYRUSDB_OK;
}

static int convert(struct cyrusdb_env *env, const char *from, const char *to, const char *fromengine, const char *toengine,
	int sort);

static int open_detected(struct cyrusdb_env *env, const struct db_engine *e, const char *path, int flags, int r,
	struct cyrusdb **out)
{
	const char *real = cyrusdb_detect(path);
	if (!real) {
		log_msg(LOG_ERR, "DBERROR: failed to detect DB type for %s (backend %s) (r was %d)", path, e->name, r);
		return r;
	}
	const struct db_engine *other = engine_find(real);
	if (!other) {
		refuse(real, path);
		return r;
	}
	if (other == e) return r;
	if (flags & CYRUSDB_CONVERT) {
		if (!convert(env, path, path, real, e->name, flags)) {
			log_msg(LOG_NOTICE, "cyrusdb: converted %s from %s to %s", path, real, e->name);
			other = e;
		} else {
			log_msg(LOG_ERR, "DBERROR: failed to convert %s from %s to %s, maybe someone beat us", path, real, e->name);
			real = cyrusdb_detect(path);             /* so they did */
			if (real && engine_find(real)) other = engine_find(real);
		}
	} else log_msg(LOG_NOTICE, "cyrusdb: opening %s with backend %s (requested %s)", path, real, e->name);
	return engine_open(env, other, path, flags, out);
}

int cyrusdb_open(struct cyrusdb_env *env, const char *engine, const char *path, int flags, struct cyrusdb **out)
{
	*out = NULL;
	const struct db_engine *e = engine_find(engine);
	if (!e) return refuse(engine, path);
	if ((flags & CYRUSDB_SHARED) && (flags & CYRUSDB_CONVERT)) return CYRUSDB_INTERNAL;
	if ((flags & CYRUSDB_RDONLY) && (flags & (CYRUSDB_CONVERT | CYRUSDB_CREATE))) return CYRUSDB_INTERNAL;
	struct cyrusdb *db = find_open(env, path);
	if (db) {
		if ((db->flags & CYRUSDB_RDONLY) && !(flags & CYRUSDB_RDONLY)) return CYRUSDB_LOCKED;
		if (!(flags & CYRUSDB_SHARED)) db->flags &= ~CYRUSDB_SHARED;
		db->refs++;
		*out = db;
		return CYRUSDB_OK;
	}
	int r = engine_open(env, e, path, flags, out);
	if (r && r != CYRUSDB_NOTFOUND) r = open_detected(env, e, path, flags, r, out);
	return r == CYRUSDB_BADFORMAT ? CYRUSDB_IOERROR : r;
}

int cyrusdb_close(struct cyrusdb *db)
{
	if (!db) return CYRUSDB_OK;
	if (--db->refs) return CYRUSDB_OK;
	struct ptrarray *open = &db->env->open;
	long i = ptrarray_find(open, db);
	if (i >= 0) ptrarray_remove(open, (size_t)i);
	handle_free(db);
	return CYRUSDB_OK;
}

const char *cyrusdb_engine(const struct cyrusdb *db) { return db->engine->name; }
const char *cyrusdb_path(const struct cyrusdb *db) { return db->path; }

/* ---- conversion */

struct copy {
	struct cyrusdb *to;
	struct cyrusdb_txn *txn;
	int rc;
};

static int copy_record(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	struct copy *c = arg;
	/* quotalegacy has a file and a lock for each record: one transaction over all would run out of descriptors */
	bool single = c->to->engine == &engine_quotalegacy;
	c->rc = cyrusdb_store(c->to, key, keylen, val, vallen, single ? NULL : &c->txn);
	return c->rc;
}

static void unlink_new(const char *path)
{
	if (sys_unlink(path) < 0 && errno != ENOENT) log_msg(LOG_ERR, "DBERROR: removing %s: %m", path);
}

/* What is beside an SQLite file would be taken for a part of the next one of that name. */
static void unlink_journal(const char *path)
{
	char *journal = mem_printf("%s-journal", path);
	unlink_new(journal);
	free(journal);
}

/* Copies all of `from`, which the caller holds in a transaction, to a fresh file. */
static int copy_all(struct cyrusdb_env *env, struct cyrusdb *from, struct cyrusdb_txn **txn, const struct db_engine *e,
	const char *path, int sort)
{
	struct copy c = { NULL, NULL, CYRUSDB_OK };
	unlink_new(path);
	unlink_journal(path);
	int r = engine_open(env, e, path, CYRUSDB_CREATE | CYRUSDB_NOCOMPACT | sort, &c.to);
	if (r) return r;
	if (e->clear) r = e->clear(c.to);
	if (!r) r = cyrusdb_foreach(from, "", 0, NULL, copy_record, &c, txn);
	if (!r && c.txn) r = cyrusdb_commit(c.to, c.txn);        /* an empty source begins none */
	else if (c.txn) cyrusdb_abort(c.to, c.txn);
	if (!r) r = cyrusdb_consistent(c.to);
	cyrusdb_close(c.to);
	return r;
}

static int replace(struct cyrusdb_env *env, const struct db_engine *e, const char *from, const char *to)
{
	if (e->rename) return e->rename(env, from, to);
	return sys_rename(from, to) < 0 || file_sync_parent(to) < 0 ? CYRUSDB_IOERROR : CYRUSDB_OK;
}

/* The source in the order it is really in, whatever it was asked for in; its write lock is held. */
static int open_source(struct cyrusdb_env *env, const struct db_engine *e, const char *path, int sort, struct cyrusdb **src,
	struct cyrusdb_txn **txn)
{
	int r = engine_open(env, e, path, sort, src);
	if (r) return r;
	r = cyrusdb_fetch(*src, "_", 1, NULL, NULL, txn);        /* for the write lock only */
	if (r == CYRUSDB_NOTFOUND) r = CYRUSDB_OK;
	if (!r && db_sorted_otherwise(*src, SIZE_MAX)) (*src)->flags ^= CYRUSDB_MBOXSORT;
	return r;
}

enum { SORT_AS_IT_IS = -1 };

/* Differences to the originals, on purpose: an error while reading keeps the original, and the order is carried over. */
static int convert(struct cyrusdb_env *env, const char *from, const char *to, const char *fromengine, const char *toengine,
	int sort)
{
	const struct db_engine *fe = engine_find(fromengine), *te = engine_find(toengine);
	struct cyrusdb *src = NULL;
	struct cyrusdb_txn *txn = NULL;
	if (!fe || !te) return refuse(fe ? toengine : fromengine, from);
	if (find_open(env, from)) return CYRUSDB_INTERNAL;
	bool in_place = !strcmp(from, to);
	char *dest = in_place ? mem_printf("%s.NEW", from) : mem_strdup(to);
	int r = open_source(env, fe, from, sort == SORT_AS_IT_IS ? 0 : sort & CYRUSDB_MBOXSORT, &src, &txn);
	if (!r) {
		r = copy_all(env, src, &txn, te, dest, (sort == SORT_AS_IT_IS ? src->flags : sort) & CYRUSDB_MBOXSORT);
		if (!r && in_place) r = replace(env, te, dest, from);
		if (r) unlink_new(dest);
	}
	if (txn) cyrusdb_abort(src, txn);
	cyrusdb_close(src);
	free(dest);
	return r;
}

int cyrusdb_convert(struct cyrusdb_env *env, const char *from, const char *to, const char *fromengine, const char *toengine)
{
	return convert(env, from, to, fromengine, toengine, SORT_AS_IT_IS);
}

int cyrusdb_convert_sorted(struct cyrusdb_env *env, const char *from, const char *to, const char *fromengine,
	const char *toengine, int flags)
{
	return convert(env, from, to, fromengine, toengine, flags & CYRUSDB_MBOXSORT);
}

/* ---- all tables of an engine */

int cyrusdb_sync(struct cyrusdb_env *env)
{
	int rc = CYRUSDB_OK;
	for (int i = 0; engines[i]; i++) {
		int r = engines[i]->sync ? engines[i]->sync(env) : CYRUSDB_OK;
		if (r) rc = r;
	}
	return rc;
}

static int archive_file(const char *path, const char *dir)
{
	const char *slash = strrchr(path, '/');
	char *to = mem_printf("%s/%s", dir, slash ? slash + 1 : path);
	int r = CYRUSDB_OK;
	if (file_copy(path, to, 0644) < 0 && errno != ENOENT) {
		log_msg(LOG_ERR, "DBERROR: archiving %s to %s: %m", path, to);
		r = CYRUSDB_IOERROR;
	}
	free(to);
	return r;
}

/* No lock: recovery tolerates a copy made during a write (spec 1.10). A file that is missing is left out. */
int cyrusdb_archive(struct cyrusdb_env *env, const char *engine, const char *const *paths, const char *dir)
{
	const struct db_engine *e = engine_find(engine);
	if (!e) return CYRUSDB_INTERNAL;
	if (e->archive) return e->archive(env, paths, dir);
	for (int i = 0; paths[i]; i++) {
		int r = archive_file(paths[i], dir);
		if (r) return r;
	}
	return CYRUSDB_OK;
}
