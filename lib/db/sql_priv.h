/* sql_priv.h - between sql.c, which knows the contract, and one driver for each kind of server. */
#ifndef CAMB_SQL_PRIV_H
#define CAMB_SQL_PRIV_H
#include "db/db_priv.h"

/* The statements, with @ for the quoted name of the table, # for the name within quotes; parameters are bytes and always bound. A
 * driver without a statement has NULL. */
enum sql_text {
	SQL_EXISTS, SQL_CREATE, SQL_INDEX, SQL_FETCH, SQL_FIRST, SQL_AFTER, SQL_FROM, SQL_KEYS, SQL_INSERT, SQL_UPDATE, SQL_DELETE,
		SQL_CLEAR,
	SQL_BEGIN, SQL_LOCK, SQL_COMMIT, SQL_ROLLBACK, SQL_CHECK, SQL_DROP, SQL_TEXTS
};

/* One row of an answer; the bytes are borrowed until it returns. */
typedef void sql_row(void *arg, const struct db_slice *column, int n);

struct sql_driver {
	const char *name;                /* as in sql_engine */
	size_t name_max;                 /* bytes of a table's name */
	bool in_file;                    /* without sql_database the table lies in the file of its name */
	const char *texts[SQL_TEXTS];
	/* *conn: a connection, in which nothing runs. NOTFOUND: there is no such database and CREATE is not among the flags;
	 * BADFORMAT */
	int (*connect)(struct cyrusdb *db, const char *database, void **conn);
	void (*close)(void *conn);
	/* Runs one statement. *changed (may be NULL): rows it changed. 0 or a cyrusdb_rc; AGAIN: a deadlock. What went wrong is
	 * logged, unless `quiet`. */
	int (*run)(struct cyrusdb *db, void *conn, const char *text, const struct db_slice *param, int nparams, sql_row *row,
		void *arg, long *changed, bool quiet);
	bool (*in_txn)(void *conn);      /* a transaction is open: one that failed may be gone already */
};
extern const struct sql_driver sql_sqlite, sql_pgsql;
#endif
