/* db_priv.h - between cyrusdb.c, which knows transactions, locks and iteration, and the engines, which know one file format. */
#ifndef CAMB_DB_PRIV_H
#define CAMB_DB_PRIV_H
#include "base/buf.h"
#include "base/ptrarray.h"
#include "db/cyrusdb.h"

#include <stdint.h>
#include <sys/types.h>

struct db_slice {
	const char *p;
	size_t n;
};
struct db_keys {                 /* owns the bytes */
	struct db_slice *v;
	size_t n, alloc;
};
void db_keys_add(struct db_keys *k, const void *p, size_t n);
void db_keys_free(struct db_keys *k);

struct cyrusdb_txn { struct cyrusdb *db; };

struct cyrusdb {
	struct cyrusdb_env *env;
	const struct db_engine *engine;
	char *path;
	int flags, refs;
	bool in_txn, failed;             /* failed: an operation inside the transaction went wrong: it can only be aborted */
	bool transact;                   /* cyrusdb_transact() is at work */
	int doomed;                      /* what went wrong in it: each operation gives that again, until it begins anew */
	bool shared;                     /* the transaction holds the read lock only */
	struct cyrusdb_txn txn;
	unsigned held;                   /* cyrusdb_hold(): reads run under that lock */
	int64_t locked_at;
	struct buf key, val;             /* what fetch and fetchnext return */
	void *impl;
};

/* One engine. All calls but open, close and lock are made under the lock: next and fetch need at least the shared one, put,
 * del, commit and abort the exclusive one. Slices returned are valid until the next call. */
struct db_engine {
	const char *name;
	int (*open)(struct cyrusdb *db);                 /* BADFORMAT: somebody else's file; NOTFOUND */
	void (*close)(struct cyrusdb *db);
	int (*lock)(struct cyrusdb *db, bool write);     /* makes the committed state visible; recovers if need be */
	void (*unlock)(struct cyrusdb *db);
	int (*fetch)(struct cyrusdb *db, struct db_slice key, struct db_slice *val);
	/* first record > key (>= when or_equal), or NOTFOUND; NULL in engines that have keys() */
	int (*next)(struct cyrusdb *db, struct db_slice key, bool or_equal, struct db_slice *found, struct db_slice *val);
	int (*keys)(struct cyrusdb *db, struct db_slice prefix, struct db_keys *out);   /* sorted */
	int (*put)(struct cyrusdb *db, struct db_slice key, struct db_slice val, bool must_be_new);
	int (*del)(struct cyrusdb *db, struct db_slice key);       /* NOTFOUND when absent */
	int (*commit)(struct cyrusdb *db);               /* durable when it returns 0; may repack; on error nothing is changed */
	int (*abort)(struct cyrusdb *db);
	int (*consistent)(struct cyrusdb *db);           /* NULL: nothing to check */
	int (*repack)(struct cyrusdb *db);               /* under the exclusive lock; NULL: nothing to do */
	int (*dump)(struct cyrusdb *db, int detail);     /* NULL: the records are printed */
	/* under the shared lock; NULL: NOTIMPLEMENTED */
	int (*since)(struct cyrusdb *db, const struct cyrusdb_mark *mark, cyrusdb_cb *cb, void *arg, struct cyrusdb_mark *now);
	int (*compare)(const struct cyrusdb *db, struct db_slice a, struct db_slice b);
	int (*sync)(struct cyrusdb_env *env);            /* NULL: nothing */
	int (*archive)(struct cyrusdb_env *env, const char *const *paths, const char *dir);   /* NULL: the files are copied */
	int (*clear)(struct cyrusdb *db);                /* a table that creation may have found there already; NULL: it cannot */
	int (*rename)(struct cyrusdb_env *env, const char *from, const char *to);   /* a closed file over another; NULL: rename(2) */
	/* The keys as they are linked, without any comparison, until fn says false; under the shared lock. NULL: there is one order
	 * only */
	int (*in_file_order)(struct cyrusdb *db, bool (*fn)(void *arg, struct db_slice key), void *arg);
	int (*order)(struct db_slice a, struct db_slice b);          /* without MBOXSORT; NULL as in_file_order */
	bool exact_prefix;                               /* prefixes match byte for byte, not by compare */
	const char *longlock;                            /* who says "longlock" in the log; NULL: nobody */
};

extern const struct db_engine engine_twoskip, engine_skiplist, engine_flat, engine_quotalegacy;
#ifdef HAVE_BDB
extern const struct db_engine engine_berkeley, engine_berkeley_nosync, engine_berkeley_hash, engine_berkeley_hash_nosync;
void berkeley_env_free(struct cyrusdb_env *env);
/* IOERROR, and logged with what to run: another release of the library wrote it */
int berkeley_check_table(const char *path);
int berkeley_check_env(const char *dbdir);
#endif
#ifdef HAVE_SQL
extern const struct db_engine engine_sql, engine_sql_sorted;     /* the second in mailbox order; both are called "sql" */
#endif

struct cyrusdb_env {
	char *dbdir;
	bool recover;
	struct cyrusdb_settings set;
	struct ptrarray open;            /* struct cyrusdb */
	int lock_ms;                     /* how long to wait for a lock: LOCK_DEFAULT; a test seam */
	uint64_t random;
	int (*level)(void *arg, int max);        /* test seam: the level of the next record instead of a random one */
	void *level_arg;
	bool stamp_read;
	uint32_t stamp;                  /* skiplist: see skipstamp_read() */
	void *bdb;                       /* berkeley.c: its environment, once it was needed */
};
int db_random_level(struct cyrusdb_env *env, int max);       /* 1 with probability 1/2, 2 with 1/4 ... at most max */
uint32_t skipstamp_read(struct cyrusdb_env *env);            /* skiplist.c: files recovered before this need recovery; 0: all */
void skipstamp_recover(struct cyrusdb_env *env);             /* ctl_cyrusdb -r */

int db_cmp_raw(struct db_slice a, struct db_slice b);        /* spec 2.1 */
int db_cmp_signed(struct db_slice a, struct db_slice b);     /* spec 2.2 */
int db_cmp_mbox(struct db_slice a, struct db_slice b);       /* spec 2.3 */
/* Is the file (its first `most` keys) in no order that the handle has, but in the other one? Under a lock. */
bool db_sorted_otherwise(struct cyrusdb *db, size_t most);
/* for engines that see their keys in another way: struct db_orders */
bool db_orders_see(void *arg, struct db_slice key);
struct db_orders {
	const struct db_engine *engine;
	struct buf last;
	size_t left;                     /* keys still to look at */
	bool any, own, mbox;             /* which orders the keys are in so far: both, mostly */
};
/* Logs DBERROR; where it is a matter of permission, with whose the file is and what to run. */
void db_log_errno(const char *engine, const char *doing, const char *path, int e);
int db_io(const struct cyrusdb *db, const char *doing);
/* A new file for a table, and its folders; their names are on the disk when it returns, so that what is committed to it is not
 * lost with them. The descriptor, open for reading and writing, or -1 and errno. */
int db_create_file(const char *path, mode_t mode);      /* logs DBERROR with errno; IOERROR or FULL */

#endif
