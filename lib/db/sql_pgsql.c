/* sql_pgsql.c - PostgreSQL as a driver of sql.c: keys and values are BYTEA, bound and answered in binary. */
#include "db/sql_priv.h"

#include "base/log.h"
#include "base/mem.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#define BYTEA 17

static void hush(void *arg, const char *message) { (void)arg, (void)message; }

/* SQLSTATE decides; without one the connection is gone. */
static int fail(const struct cyrusdb *db, PGconn *c, const PGresult *res, const char *text, bool quiet)
{
	const char *state = res ? PQresultErrorField(res, PG_DIAG_SQLSTATE) : NULL;
	if (state && (!strcmp(state, "40001") || !strcmp(state, "40P01"))) return CYRUSDB_AGAIN;
	if (state && quiet && !strcmp(state, "42P01")) return CYRUSDB_NOTFOUND;         /* no such table */
	if (!quiet)
		log_msg(LOG_ERR, "DBERROR: sql: pgsql: %s: %s: %s", db->path, text, res ? PQresultErrorMessage(res) : PQerrorMessage(c));
	return state && !strncmp(state, "53", 2) ? CYRUSDB_FULL : CYRUSDB_IOERROR;
}

static void each_row(const PGresult *res, sql_row *row, void *arg)
{
	int n = PQnfields(res) < 2 ? PQnfields(res) : 2;
	for (int i = 0; n && i < PQntuples(res); i++) {
		struct db_slice column[2] = { { "", 0 }, { "", 0 } };
		for (int k = 0; k < n; k++)
			if (PQgetlength(res, i, k)) column[k] = (struct db_slice){ PQgetvalue(res, i, k), (size_t)PQgetlength(res, i, k) };
		row(arg, column, n);
	}
}

static void note_pid(void *arg, const struct db_slice *column, int n)
{
	(void)n;
	if (column[0].n == 4) *(long *)arg = (long)(unsigned char)column[0].p[0] << 24 | (long)(unsigned char)column[0].p[1] << 16
		| (long)(unsigned char)column[0].p[2] << 8 | (unsigned char)column[0].p[3];
}

/* Which session of the server holds the table that we waited for. */
static void log_holder(const struct cyrusdb *db, PGconn *c, const char *lock)
{
	const char *table = strchr(lock, '"');
	long pid = 0;
	char *name = table ? mem_dup(table, (size_t)(strrchr(lock, '"') + 1 - table)) : NULL;
	const char *value[1] = { name };
	PQclear(PQexec(c, "ROLLBACK"));
	PGresult *res = PQexecParams(c, "SELECT pid FROM pg_locks WHERE relation = $1::text::regclass AND granted"
		" AND mode = 'ShareRowExclusiveLock' LIMIT 1", 1, NULL, value, NULL, NULL, 1);
	if (PQresultStatus(res) == PGRES_TUPLES_OK) each_row(res, note_pid, &pid);
	PQclear(res);
	free(name);
	log_msg(LOG_ERR, "IOERROR: lock on %s not granted, held by the server's process %ld", db->path, pid);
}

static int pg_run(struct cyrusdb *db, void *conn, const char *text, const struct db_slice *param, int nparams, sql_row *row,
	void *arg, long *changed, bool quiet)
{
	static const Oid types[2] = { BYTEA, BYTEA };
	static const int binary[2] = { 1, 1 };
	const char *value[2] = { "", "" };
	int length[2] = { 0, 0 };
	/* the server was restarted since: a transaction is lost with it, but a new one may begin */
	if (PQstatus(conn) == CONNECTION_BAD && !db->in_txn) PQreset(conn);
	for (int i = 0; i < nparams; i++) {
		if (param[i].n > 0x3FFFFFFF) return CYRUSDB_FULL;
		if (param[i].n) value[i] = param[i].p;
		length[i] = (int)param[i].n;
	}
	PGresult *res = PQexecParams(conn, text, nparams, types, value, length, binary, 1);
	ExecStatusType status = PQresultStatus(res);
	int r = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ? CYRUSDB_OK : fail(db, conn, res, text, quiet);
	const char *state = r ? PQresultErrorField(res, PG_DIAG_SQLSTATE) : NULL;
	if (state && !strcmp(state, "55P03")) log_holder(db, conn, text);
	/* COMMIT of a transaction in which something failed answers ROLLBACK and no error */
	if (!r && !strcmp(text, "COMMIT") && strcmp(PQcmdStatus(res), "COMMIT")) r = CYRUSDB_IOERROR;
	if (!r && row) each_row(res, row, arg);
	if (!r && changed) *changed = atol(PQcmdTuples(res));
	PQclear(res);
	return r;
}

static int connect_to(struct cyrusdb *db, const char *host, const char *port, const char *database, PGconn **out)
{
	const struct cyrusdb_settings *s = &db->env->set;
	const char *names[] = { "host", "port", "dbname", "user", "password", "sslmode", "connect_timeout",
		"fallback_application_name", NULL };
	const char *values[] = { *host ? host : NULL, port, *database ? database : NULL, s->sql_user, s->sql_passwd,
		s->sql_usessl ? "require" : NULL, "10", "cambyses", NULL };
	PGconn *c = *out = PQconnectdbParams(names, values, 0);
	if (PQstatus(c) == CONNECTION_OK) {
		char *set = mem_printf("SET lock_timeout = %d", db->env->lock_ms);
		PQsetNoticeProcessor(c, hush, NULL);
		PQclear(PQexec(c, set));
		PQclear(PQexec(c, "SET synchronous_commit = on"));
		free(set);
		return CYRUSDB_OK;
	}
	log_msg(LOG_ERR, "DBERROR: sql: pgsql: %s: connecting to %s: %s", db->path, *host ? host : "the local server",
		PQerrorMessage(c));
	PQfinish(c);
	*out = NULL;
	return CYRUSDB_IOERROR;
}

/* sql_hostnames: host[:port] with commas between, in turn until one answers */
static int pg_connect(struct cyrusdb *db, const char *database, void **conn)
{
	char *hosts = mem_strdup(db->env->set.sql_hostnames ? db->env->set.sql_hostnames : ""), *save = NULL;
	PGconn *c = NULL;
	int r = CYRUSDB_IOERROR;
	char *host = strtok_r(hosts, ", \t", &save);
	if (!host) r = connect_to(db, "", NULL, database, &c);
	for (; host && r; host = strtok_r(NULL, ", \t", &save)) {
		char *colon = strrchr(host, ':');
		if (colon) *colon = 0;
		r = connect_to(db, host, colon ? colon + 1 : NULL, database, &c);
	}
	free(hosts);
	*conn = c;
	return r;
}

static void pg_close(void *conn) { PQfinish(conn); }
static bool pg_in_txn(void *conn)
{
	PGTransactionStatusType t = PQtransactionStatus(conn);
	return t == PQTRANS_INTRANS || t == PQTRANS_INERROR;
}

/* A key may be longer than an entry of an index: its beginning is indexed, and sorts as the keys do. */
#define HEAD(what) "substring(" what " from 1 for 1000)"
#define SORTED " ORDER BY " HEAD("dbkey") ", dbkey LIMIT 1"

const struct sql_driver sql_pgsql = {
	.name = "pgsql", .name_max = 63,
	.connect = pg_connect, .close = pg_close, .run = pg_run, .in_txn = pg_in_txn,
	.texts = {
		[SQL_EXISTS] = "SELECT dbkey, data FROM @ LIMIT 0",
		[SQL_CREATE] = "CREATE TABLE @ (dbkey BYTEA NOT NULL, data BYTEA)",
		[SQL_INDEX] = "CREATE INDEX ON @ (" HEAD("dbkey") ")",
		[SQL_FETCH] = "SELECT data FROM @ WHERE " HEAD("dbkey") " = " HEAD("$1::bytea") " AND dbkey = $1 LIMIT 1",
		[SQL_FIRST] = "SELECT dbkey, data FROM @ WHERE dbkey > ''::bytea" SORTED,
		[SQL_AFTER] = "SELECT dbkey, data FROM @ WHERE " HEAD("dbkey") " >= " HEAD("$1::bytea") " AND dbkey > $1" SORTED,
		[SQL_FROM] = "SELECT dbkey, data FROM @ WHERE " HEAD("dbkey") " >= " HEAD("$1::bytea") " AND dbkey >= $1" SORTED,
		[SQL_KEYS] = "SELECT DISTINCT dbkey FROM @",
		[SQL_INSERT] = "INSERT INTO @ (dbkey, data) VALUES ($1, $2)",
		[SQL_UPDATE] = "UPDATE @ SET data = $2 WHERE " HEAD("dbkey") " = " HEAD("$1::bytea") " AND dbkey = $1",
		[SQL_DELETE] = "DELETE FROM @ WHERE " HEAD("dbkey") " = " HEAD("$1::bytea") " AND dbkey = $1",
		[SQL_CLEAR] = "DELETE FROM @",
		[SQL_BEGIN] = "BEGIN",
		[SQL_LOCK] = "LOCK TABLE @ IN SHARE ROW EXCLUSIVE MODE",         /* readers go on */
		[SQL_COMMIT] = "COMMIT",
		[SQL_ROLLBACK] = "ROLLBACK",
		[SQL_DROP] = "DROP TABLE IF EXISTS @",
	},
};
