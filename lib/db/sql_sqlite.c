/* sql_sqlite.c - SQLite as a driver of sql.c. The originals write keys and values as text and look for text, and SQLite takes
 * text and blobs for different things even where the bytes are the same: bytes without NUL are bound as text here too, and
 * compared as blobs. */
#include "db/sql_priv.h"

#include "base/log.h"
#include "base/mem.h"
#include "sys/file.h"
#include "sys/lock.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void log_busy(const struct cyrusdb *db, const char *file)
{
	struct stat st;
	long pid = stat(file, &st) == 0 ? lock_owner(&st) : 0;
	if (pid) log_msg(LOG_ERR, "IOERROR: lock on %s not granted, held by pid %ld (for %s)", file, pid, db->path);
	else log_msg(LOG_ERR, "IOERROR: lock on %s not granted in time (for %s)", file, db->path);
}

static int fail(const struct cyrusdb *db, sqlite3 *c, int rc, const char *text, bool quiet)
{
	const char *file = c ? sqlite3_db_filename(c, "main") : NULL;
	if (!file || !*file) file = db->path;
	switch (rc & 0xFF) {
	case SQLITE_BUSY: case SQLITE_LOCKED:
		log_busy(db, file);
		return CYRUSDB_IOERROR;
	case SQLITE_CANTOPEN: case SQLITE_PERM:
		if (access(file, R_OK) < 0 && errno != ENOENT) {
			db_log_errno("sql: sqlite", "opening", file, errno);
			return CYRUSDB_IOERROR;
		}
		break;
	case SQLITE_NOTADB: return CYRUSDB_BADFORMAT;
	case SQLITE_READONLY:
		if (db->flags & CYRUSDB_RDONLY) return CYRUSDB_READONLY;
		break;
	default: break;
	}
	if (!quiet) log_msg(LOG_ERR, "DBERROR: sql: sqlite: %s: %s: %s", file, text, c ? sqlite3_errmsg(c) : sqlite3_errstr(rc));
	return (rc & 0xFF) == SQLITE_FULL ? CYRUSDB_FULL : CYRUSDB_IOERROR;
}

static int bind(sqlite3_stmt *s, int i, struct db_slice v)
{
	const char *p = v.n ? v.p : "";
	if (v.n && memchr(p, 0, v.n)) return sqlite3_bind_blob64(s, i, p, v.n, SQLITE_STATIC);
	return sqlite3_bind_text64(s, i, p, v.n, SQLITE_STATIC, SQLITE_UTF8);
}

static int step_all(sqlite3_stmt *s, sql_row *row, void *arg)
{
	int rc;
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		struct db_slice column[2] = { { "", 0 }, { "", 0 } };
		int n = sqlite3_column_count(s);
		for (int i = 0; i < n && i < 2; i++) {
			const void *p = sqlite3_column_blob(s, i);
			column[i] = (struct db_slice){ p ? p : "", (size_t)sqlite3_column_bytes(s, i) };
		}
		if (row && n) row(arg, column, n < 2 ? n : 2);
	}
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int lite_run(struct cyrusdb *db, void *conn, const char *text, const struct db_slice *param, int nparams, sql_row *row,
	void *arg, long *changed, bool quiet)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(conn, text, -1, &s, NULL);
	/* the statement that asks for the table: any other mistake in a statement would be ours */
	if (rc == SQLITE_ERROR && quiet && strstr(sqlite3_errmsg(conn), "no such table")) return CYRUSDB_NOTFOUND;
	for (int i = 0; rc == SQLITE_OK && i < nparams; i++) rc = bind(s, i + 1, param[i]);
	if (rc == SQLITE_OK) rc = step_all(s, row, arg);
	if (rc == SQLITE_OK && changed) *changed = sqlite3_changes(conn);
	int r = rc == SQLITE_OK ? CYRUSDB_OK : fail(db, conn, rc, text, quiet);
	sqlite3_finalize(s);
	return r;
}

static int lite_connect(struct cyrusdb *db, const char *database, void **conn)
{
	bool rdonly = db->flags & CYRUSDB_RDONLY, create = db->flags & CYRUSDB_CREATE;
	sqlite3 *c = NULL;
	if (access(database, F_OK) < 0 && !create) return CYRUSDB_NOTFOUND;
	if (create && file_mkparents(database, 0755) < 0) return db_io(db, "creating");
	int rc = sqlite3_open_v2(database, &c, rdonly ? SQLITE_OPEN_READONLY
		: SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0), NULL);
	*conn = c;
	if (rc != SQLITE_OK) return fail(db, c, rc, "opening", false);
	sqlite3_extended_result_codes(c, 1);
	sqlite3_busy_timeout(c, db->env->lock_ms);
	sqlite3_db_config(c, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	/* EXTRA: the journal's directory is synced too, so that what was committed stays so */
	return lite_run(db, c, "PRAGMA synchronous = EXTRA", NULL, 0, NULL, NULL, NULL, false)
		|| lite_run(db, c, "PRAGMA trusted_schema = OFF", NULL, 0, NULL, NULL, NULL, false)
		|| lite_run(db, c, "PRAGMA cell_size_check = ON", NULL, 0, NULL, NULL, NULL, false) ? CYRUSDB_IOERROR : CYRUSDB_OK;
}

static void lite_close(void *conn) { sqlite3_close_v2(conn); }
static bool lite_in_txn(void *conn) { return !sqlite3_get_autocommit(conn); }

#define KEY "CAST(dbkey AS BLOB)"
#define AT "CAST(?1 AS BLOB)"

const struct sql_driver sql_sqlite = {
	.name = "sqlite", .name_max = 1000, .in_file = true,
	.connect = lite_connect, .close = lite_close, .run = lite_run, .in_txn = lite_in_txn,
	.texts = {
		[SQL_EXISTS] = "SELECT dbkey, data FROM @ LIMIT 0",
		[SQL_CREATE] = "CREATE TABLE @ (dbkey BLOB NOT NULL, data BLOB)",
		[SQL_INDEX] = "CREATE INDEX IF NOT EXISTS \"cambyses_#\" ON @ (" KEY ")",
		[SQL_FETCH] = "SELECT data FROM @ WHERE " KEY " = " AT " LIMIT 1",
		[SQL_FIRST] = "SELECT dbkey, data FROM @ WHERE " KEY " > x'' ORDER BY " KEY " LIMIT 1",
		[SQL_AFTER] = "SELECT dbkey, data FROM @ WHERE " KEY " > " AT " ORDER BY " KEY " LIMIT 1",
		[SQL_FROM] = "SELECT dbkey, data FROM @ WHERE " KEY " >= " AT " ORDER BY " KEY " LIMIT 1",
		[SQL_KEYS] = "SELECT DISTINCT " KEY " FROM @",
		[SQL_INSERT] = "INSERT INTO @ (dbkey, data) VALUES (?1, ?2)",
		[SQL_UPDATE] = "UPDATE @ SET data = ?2 WHERE " KEY " = " AT,
		[SQL_DELETE] = "DELETE FROM @ WHERE " KEY " = " AT,
		[SQL_CLEAR] = "DELETE FROM @",
		[SQL_BEGIN] = "BEGIN IMMEDIATE",
		[SQL_COMMIT] = "COMMIT",
		[SQL_ROLLBACK] = "ROLLBACK",
		[SQL_CHECK] = "PRAGMA quick_check",
		[SQL_DROP] = "DROP TABLE IF EXISTS @",
	},
};
