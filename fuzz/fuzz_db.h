/* fuzz_db.h - any bytes as the file of a database: open, recover, read, change, repack, check. The targets name the engine and
 * the file. */
#ifndef CAMB_FUZZ_DB_H
#define CAMB_FUZZ_DB_H
#include "replay.h"
#include "base/log.h"
#include "base/mem.h"
#include "db/cyrusdb.h"
#include "db/db_priv.h"
#include "sys/file.h"
#include "sys/newfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void fuzz_quiet(void *arg, int priority, const char *line) { (void)arg, (void)priority, (void)line; }

static int fuzz_count(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	(void)key, (void)keylen, (void)val, (void)vallen;
	return ++*(int *)arg > 10000;
}

static inline void fuzz_use(const char *engine, const char *path, int flags)
{
	struct cyrusdb_env *env = cyrusdb_env_new("/dev/null/db", false);
	struct cyrusdb *db;
	int n = 0;
	env->random = 1;
	env->lock_ms = 100;
	cyrusdb_env_settings(env)->sql_engine = "sqlite";
	if (!cyrusdb_open(env, engine, path, flags, &db)) {
		const char *k, *v;
		size_t klen, len;
		cyrusdb_check_order(db, 1000);
		cyrusdb_fetch(db, "user.b", 6, &v, &len, NULL);
		cyrusdb_fetchnext(db, "user.b", 6, &k, &klen, &v, &len, NULL);
		cyrusdb_foreach(db, "", 0, NULL, fuzz_count, &n, NULL);
		cyrusdb_foreach(db, "user.", 5, NULL, fuzz_count, &n, NULL);
		cyrusdb_consistent(db);
		cyrusdb_store(db, "user.b", 6, "%new", 4, NULL);
		struct cyrusdb_txn *txn = NULL;
		if (!cyrusdb_store(db, "user.c", 6, "%other", 6, &txn) && !cyrusdb_delete(db, "user.b", 6, &txn, true))
			cyrusdb_abort(db, txn);
		cyrusdb_delete(db, "user.d", 6, NULL, true);
		cyrusdb_repack(db);
		cyrusdb_close(db);
	}
	cyrusdb_env_free(env);
}

static char *fuzz_folder;

static inline void fuzz_clean(void)
{
	char *cmd = mem_printf("rm -rf %s", fuzz_folder);
	if (system(cmd)) perror(cmd);
	free(cmd);
	free(fuzz_folder);
}

/* name: of the file, below a folder of our own in the scratch directory; it may have folders in it, which are made. db: the name
 * the table is opened by. */
static inline int fuzz_file(const char *engine, const char *name, const char *db, const uint8_t *data, size_t size, bool write)
{
	const char *tmp = getenv("TMPDIR");
	if (!fuzz_folder) {
		fuzz_folder = mem_printf("%s/fuzz_db.%ld", tmp ? tmp : "/tmp", (long)getpid());
		atexit(fuzz_clean);
	}
	char *path = mem_printf("%s/%s", fuzz_folder, name), *table = mem_printf("%s/%s", fuzz_folder, db);
	log_hook(fuzz_quiet, NULL);
	if (newfile_write(path, 0600, data, size) == 0) {
		fuzz_use(engine, table, CYRUSDB_RDONLY);
		if (write) fuzz_use(engine, table, 0);
	}
	unlink(path);
	free(path);
	free(table);
	return 0;
}
#endif
