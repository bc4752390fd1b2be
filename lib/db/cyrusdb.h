/* cyrusdb.h - ordered tables of byte strings in files: the contract of spec/cyrusdb.md section 1.
 *
 * Guarantees: a commit that returned 0 is on disk; a transaction that did not commit leaves nothing behind; readers see the last
 * commit; two processes (ours or the originals) may use one file at a time under its fcntl lock.
 * One file is opened once per process: a second cyrusdb_open() of the same path in the same environment returns the same
 * object, counted. Nothing here may be used from two threads. */
#ifndef CAMB_CYRUSDB_H
#define CAMB_CYRUSDB_H
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum cyrusdb_rc {
	CYRUSDB_OK = 0, CYRUSDB_DONE = 1, CYRUSDB_IOERROR = -1, CYRUSDB_AGAIN = -2, CYRUSDB_EXISTS = -3, CYRUSDB_INTERNAL = -4,
	CYRUSDB_NOTFOUND = -5, CYRUSDB_LOCKED = -6, CYRUSDB_NOTIMPLEMENTED = -7, CYRUSDB_FULL = -8, CYRUSDB_READONLY = -9,
	CYRUSDB_BADFORMAT = -10,
};
enum cyrusdb_flags {
	CYRUSDB_CREATE = 0x01,      /* make the file and its parents when missing */
	CYRUSDB_MBOXSORT = 0x02,    /* mailbox order (spec 2.3) instead of the engine's own */
	CYRUSDB_CONVERT = 0x04,     /* another engine's file is converted in place */
	CYRUSDB_NOCOMPACT = 0x08,
	CYRUSDB_SHARED = 0x10,      /* transactions take the read lock only, and a write in one fails with READONLY; not with CONVERT.
	                               When a path is open more than once, only as long as every opener asked for it */
	CYRUSDB_NOCRC = 0x20,       /* taken for the sake of callers; checksums are verified all the same */
	CYRUSDB_RDONLY = 0x100,     /* ours: open read-only, never recover or write; for tools that only look */
};

struct cyrusdb_env;             /* per process: the open files and the engines' global state */
struct cyrusdb;
struct cyrusdb_txn;

/* dbdir: CONFIGDIR/db. recover: this is `ctl_cyrusdb -r` (spec 4). Berkeley's environment is opened only when needed. */
struct cyrusdb_env *cyrusdb_env_new(const char *dbdir, bool recover);
void cyrusdb_env_patience(struct cyrusdb_env *env, int ms);      /* how long calls wait for a lock; minutes otherwise */
void cyrusdb_env_free(struct cyrusdb_env *env);          /* closes what is still open */

/* What the engines take from imapd.conf; db/dbconf.h fills it. All false and 0 in a new environment, except as noted. */
struct cyrusdb_settings {
	bool fulldirhash, virtdomains;                       /* quotalegacy: where its files lie */
	bool skiplist_unsafe, skiplist_always_checkpoint;    /* the second is true in a new environment */
	/* of the configuration, which outlives the environment; NULL: unset */
	const char *sql_engine, *sql_database, *sql_hostnames, *sql_user, *sql_passwd;
	bool sql_usessl;
	unsigned berkeley_cachesize, berkeley_locks_max, berkeley_txns_max;   /* KiB, count, count; 512, 50000, 100 */
};
struct cyrusdb_settings *cyrusdb_env_settings(struct cyrusdb_env *env);

const char *cyrusdb_strerror(int rc);                     /* the 3.6 wording */
bool cyrusdb_engine_known(const char *engine);
const char *const *cyrusdb_engines(void);                 /* names in table order, NULL at the end */
const char *cyrusdb_detect(const char *path);             /* engine name by magic, or NULL */

int cyrusdb_open(struct cyrusdb_env *env, const char *engine, const char *path, int flags, struct cyrusdb **out);
int cyrusdb_close(struct cyrusdb *db);                    /* NULL is allowed; an open transaction is aborted */
const char *cyrusdb_engine(const struct cyrusdb *db);     /* the one really used */
const char *cyrusdb_path(const struct cyrusdb *db);

/* The txn argument: NULL = lock, do, commit, unlock; pointer to NULL = begin (exclusive lock, even for a read); pointer to a
 * transaction = continue. Any error inside a transaction rolls it back and sets *txn to NULL.
 * Values returned by fetch are valid until the next operation on the database. */
int cyrusdb_fetch(struct cyrusdb *db, const void *key, size_t keylen, const char **val, size_t *vallen, struct cyrusdb_txn **txn);
int cyrusdb_fetchnext(struct cyrusdb *db, const void *key, size_t keylen, const char **found, size_t *foundlen,
	const char **val, size_t *vallen, struct cyrusdb_txn **txn);   /* first key > key; every engine has it here */
typedef int cyrusdb_cb(void *arg, const char *key, size_t keylen, const char *val, size_t vallen);
/* Every record whose key begins with prefix, in order. good (may be NULL) is asked under the lock and must not touch the
 * database; cb is called without the lock (unless inside a transaction) and may do anything, deleting the current key included;
 * its key stays valid, its value until it first touches this database. Non-zero from cb stops the scan and is returned. */
int cyrusdb_foreach(struct cyrusdb *db, const void *prefix, size_t prefixlen, cyrusdb_cb *good, cyrusdb_cb *cb, void *arg,
	struct cyrusdb_txn **txn);
/* The records from the first key >= start, in order, all under the lock (which others get a chance at between many records). cb
 * must not touch the database; what it is given is valid until it returns. It may put a key into *seek: the walk goes on with the
 * first one >= that, which must be greater than the present one. Non-zero from cb stops the walk and is returned. Not inside a
 * transaction of one's own. */
typedef int cyrusdb_walk_cb(void *arg, const char *key, size_t keylen, const char *val, size_t vallen, struct buf *seek);
int cyrusdb_walk(struct cyrusdb *db, const void *start, size_t startlen, cyrusdb_walk_cb *cb, void *arg);

/* Reads between the two share one lock and one look at the file; writes and transactions meanwhile give LOCKED. Held for long it
 * keeps writers waiting. Calls may nest. Not inside a transaction: LOCKED. */
int cyrusdb_hold(struct cyrusdb *db);
void cyrusdb_release(struct cyrusdb *db);        /* once for each hold that gave OK */

/* A moment in the life of a file, for somebody who keeps something made from it: see cyrusdb_since(). Plain numbers, to be stored
 * and read back. */
struct cyrusdb_mark {
	uint64_t dev, ino, generation, end;
	uint32_t check;                  /* of the last transaction before it: tells a file that was put back from a copy */
	uint64_t records;                /* how many there were */
};
/* *now: the file's present moment. mark: cb is given every record stored since then, oldest first, a key perhaps more than once
 * and perhaps gone or changed again meanwhile; NULL: none. Under the lock: cb must not touch the database; non-zero stops and is
 * returned. NOTFOUND: the file has been made anew or put back since the mark. NOTIMPLEMENTED: the engine's files do not remember
 * (all but twoskip). */
int cyrusdb_since(struct cyrusdb *db, const struct cyrusdb_mark *mark, cyrusdb_cb *cb, void *arg, struct cyrusdb_mark *now);
int cyrusdb_create(struct cyrusdb *db, const void *key, size_t keylen, const void *val, size_t vallen, struct cyrusdb_txn **txn);
int cyrusdb_store(struct cyrusdb *db, const void *key, size_t keylen, const void *val, size_t vallen, struct cyrusdb_txn **txn);
int cyrusdb_delete(struct cyrusdb *db, const void *key, size_t keylen, struct cyrusdb_txn **txn, bool force);
int cyrusdb_commit(struct cyrusdb *db, struct cyrusdb_txn *txn);
int cyrusdb_abort(struct cyrusdb *db, struct cyrusdb_txn *txn);

/* Runs fn in a transaction, which begins with the first call that fn gives txn to. 0 from fn commits; anything else rolls back
 * and is returned (by convention CYRUSDB_DONE: nothing to do). A deadlock (AGAIN), at the commit too, rolls back and begins anew
 * with fn, a bounded number of
 * times: fn must leave nothing behind but what it does in the transaction. An operation that fails (NOTFOUND of a read aside)
 * dooms the try: all further ones fail too, and fn's own result no longer counts. LOCKED: there is a transaction already. */
typedef int cyrusdb_work(void *arg, struct cyrusdb *db, struct cyrusdb_txn **txn);
int cyrusdb_transact(struct cyrusdb *db, cyrusdb_work *fn, void *arg);

int cyrusdb_consistent(struct cyrusdb *db);
int cyrusdb_repack(struct cyrusdb *db);
int cyrusdb_dump(struct cyrusdb *db, int detail);         /* structure, for a human, on stdout */
int cyrusdb_sync(struct cyrusdb_env *env);
int cyrusdb_archive(struct cyrusdb_env *env, const char *engine, const char *const *paths, const char *dir);
/* A copy of `from` under another engine; from == to: in its place. Until all of it is there the original stays. It keeps its
 * order: that of the mailbox list where the file is in it and in no other. The second form sorts by `flags` (CYRUSDB_MBOXSORT or
 * 0). */
int cyrusdb_convert(struct cyrusdb_env *env, const char *from, const char *to, const char *fromengine, const char *toengine);
int cyrusdb_convert_sorted(struct cyrusdb_env *env, const char *from, const char *to, const char *fromengine,
	const char *toengine, int flags);
void cyrusdb_mbox_ranks(unsigned char rank[256]);         /* mailbox order (spec 2.3), byte by byte */
/* 0 when the file is sorted as the handle has it, as far as its first `most` records show. The order is not recorded in a file
 * and a wrong one makes look-ups miss (spec 2.4): IOERROR when it is sorted the other way, and the log says what to do. A
 * read-only handle takes the order of the file over instead. */
int cyrusdb_check_order(struct cyrusdb *db, size_t most);
int cyrusdb_compare(const struct cyrusdb *db, const void *a, size_t alen, const void *b, size_t blen);

/* Text form, spec 1.9: KEY TAB VALUE LF, nothing quoted. cyrusdb_undumpfile() reads such lines (and those without a TAB, which
 * delete the key) in one transaction. 0 or a cyrusdb_rc; IOERROR also when the stream fails. */
int cyrusdb_dumpfile(struct cyrusdb *db, const void *prefix, size_t prefixlen, FILE *out, struct cyrusdb_txn **txn);
int cyrusdb_undumpfile(struct cyrusdb *db, FILE *in, struct cyrusdb_txn **txn);
#endif
