/* check_records.c - opening, single records, transactions. */
#include "cunit/db/contract/contract.h"
#include "cunit/db/contract/suites.h"

/* ---- opening */

START_TEST(open_flags)
{
	struct cyrusdb *db = NULL, *again = NULL;
	begin(_i);
	const char *path = db_path(row->engine);
	int r = cyrusdb_open(env, row->engine, path, base_flags, &db);
	ck_assert_msg(r == (names_only() ? CYRUSDB_IOERROR : CYRUSDB_NOTFOUND), "%s: %d", row->engine, r);
	ck_assert_ptr_null(db);
	ck_assert_int_eq(cyrusdb_open(env, row->engine, path, base_flags | CYRUSDB_CONVERT | CYRUSDB_SHARED, &db), CYRUSDB_INTERNAL);
	ck_assert_int_eq(cyrusdb_open(env, row->engine, path, base_flags | CYRUSDB_CREATE | CYRUSDB_RDONLY, &db), CYRUSDB_INTERNAL);
	ck_assert_int_eq(cyrusdb_open(env, "nosuch", path, base_flags | CYRUSDB_CREATE, &db), CYRUSDB_INTERNAL);
	/* parents are made */
	char deep[200];
	snprintf(deep, sizeof deep, "%s/a/b/%s", dir, names_only() ? "quotas.db" : "x.db");
	db = open_as(row->engine, deep, base_flags | CYRUSDB_CREATE | CYRUSDB_NOCRC | CYRUSDB_NOCOMPACT);
	ck_assert_int_eq(put(db, "user.a", "%1"), 0);
	again = open_as(row->engine, deep, base_flags);
	ck_assert_ptr_eq(db, again);
	ck_assert_str_eq(cyrusdb_engine(db), row->engine);
	ck_assert_str_eq(cyrusdb_path(db), deep);
	cyrusdb_close(db);
	struct buf b = BUF_INIT;                         /* the other still counts */
	ck_assert_str_eq(text_of(again, &b), "user.a=%1 ");
	cyrusdb_close(again);
	db = open_as(row->engine, deep, base_flags | CYRUSDB_RDONLY);
	ck_assert_str_eq(text_of(db, &b), "user.a=%1 ");
	ck_assert_int_eq(put(db, "user.b", "%2"), CYRUSDB_READONLY);
	ck_assert_int_eq(cyrusdb_open(env, row->engine, deep, base_flags, &again), CYRUSDB_LOCKED);
	cyrusdb_close(db);
	buf_free(&b);
}
END_TEST

START_TEST(shared_transactions)
{
	const char *v;
	size_t n;
	struct buf b = BUF_INIT;
	struct cyrusdb_txn *txn = NULL;
	begin(_i);
	prepare();
	struct cyrusdb *db = open_row(CYRUSDB_SHARED);
	ck_assert_int_eq(put(db, "user.x", "%"), CYRUSDB_READONLY);
	ck_assert_int_eq(cyrusdb_store(db, "user.x", 6, "%", 1, &txn), CYRUSDB_READONLY);
	ck_assert_ptr_null(txn);
	ck_assert_int_eq(cyrusdb_fetch(db, "user.a", 6, &v, &n, &txn), 0);
	ck_assert_ptr_nonnull(txn);
	seen_by_others(all_text);                        /* who only read at the same time */
	ck_assert_int_eq(cyrusdb_commit(db, txn), 0);
	txn = NULL;
	ck_assert_int_eq(cyrusdb_fetch(db, "user.a", 6, &v, &n, &txn), 0);
	ck_assert_int_eq(cyrusdb_delete(db, "user.a", 6, &txn, true), CYRUSDB_READONLY);
	ck_assert_ptr_null(txn);
	ck_assert_int_eq(cyrusdb_repack(db), CYRUSDB_READONLY);
	ck_assert_str_eq(text_of(db, &b), all_text);
	/* somebody who may write opens it too */
	struct cyrusdb *writer = open_row(0);
	ck_assert_int_eq(put(writer, "user.d", "%5"), 0);
	cyrusdb_close(writer);
	cyrusdb_close(db);
	buf_free(&b);
}
END_TEST

/* ---- single records */

START_TEST(single_records)
{
	const char *v;
	size_t n;
	struct buf b = BUF_INIT;
	begin(_i);
	struct cyrusdb *db = open_row(CYRUSDB_CREATE);
	ck_assert_str_eq(text_of(db, &b), "");           /* an empty scan is a success */
	ck_assert_int_eq(cyrusdb_fetch(db, "user.a", 6, &v, &n, NULL), CYRUSDB_NOTFOUND);
	ck_assert_ptr_null(v);
	ck_assert_int_eq(cyrusdb_create(db, "user.a", 6, "%1", 2, NULL), 0);
	ck_assert_int_eq(cyrusdb_create(db, "user.a", 6, "%2", 2, NULL), CYRUSDB_EXISTS);
	ck_assert_int_eq(cyrusdb_fetch(db, "user.a", 6, &v, &n, NULL), 0);
	ck_assert_str_eq(v, "%1");
	ck_assert_int_eq(put(db, "user.a", "%2"), 0);
	ck_assert_int_eq(cyrusdb_fetch(db, "user.a", 6, &v, &n, NULL), 0);
	ck_assert_str_eq(v, "%2");
	/* present and empty is not absent; a null pointer is an empty value */
	ck_assert_int_eq(cyrusdb_store(db, "user.e", 6, NULL, 0, NULL), 0);
	v = NULL;
	n = 1;
	ck_assert_int_eq(cyrusdb_fetch(db, "user.e", 6, &v, &n, NULL), 0);
	ck_assert_ptr_nonnull(v);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(cyrusdb_create(db, "user.e", 6, "%", 1, NULL), CYRUSDB_EXISTS);
	seen_by_others("user.a=%2 user.e= ");
	ck_assert_int_eq(cyrusdb_delete(db, "user.e", 6, NULL, false), 0);
	ck_assert_int_eq(cyrusdb_delete(db, "user.e", 6, NULL, false), CYRUSDB_NOTFOUND);
	ck_assert_int_eq(cyrusdb_delete(db, "user.e", 6, NULL, true), 0);
	ck_assert_int_eq(cyrusdb_store(db, "", 0, "x", 1, NULL), CYRUSDB_INTERNAL);
	ck_assert_int_eq(cyrusdb_fetch(db, "", 0, &v, &n, NULL), CYRUSDB_INTERNAL);
	ck_assert_str_eq(text_of(db, &b), "user.a=%2 ");
	cyrusdb_close(db);
	seen_by_others("user.a=%2 ");
	buf_free(&b);
}
END_TEST

START_TEST(next_record)
{
	const char *k, *v;
	size_t kn, n;
	struct cyrusdb_txn *txn = NULL;
	begin(_i);
	prepare();
	struct cyrusdb *db = open_row(0);
	ck_assert_int_eq(cyrusdb_fetchnext(db, "", 0, &k, &kn, &v, &n, NULL), 0);
	ck_assert_str_eq(k, "user.a");
	ck_assert_str_eq(v, "%1");
	ck_assert_int_eq(cyrusdb_fetchnext(db, k, kn, &k, &kn, &v, &n, NULL), 0);        /* with what it gave itself */
	ck_assert_str_eq(k, "user.b");
	ck_assert_int_eq(cyrusdb_fetchnext(db, "user.bb", 7, &k, &kn, &v, &n, NULL), 0); /* a key that is not there */
	ck_assert_str_eq(k, "user.c");
	ck_assert_int_eq(cyrusdb_fetchnext(db, "user.d", 6, &k, &kn, &v, &n, NULL), CYRUSDB_NOTFOUND);
	ck_assert_int_eq(cyrusdb_fetchnext(db, "user.a", 6, &k, &kn, &v, &n, &txn), 0);
	ck_assert_str_eq(k, "user.b");
	ck_assert_int_eq(cyrusdb_delete(db, "user.b", 6, &txn, false), 0);
	ck_assert_int_eq(cyrusdb_fetchnext(db, "user.a", 6, &k, &kn, &v, &n, &txn), 0);
	ck_assert_str_eq(k, "user.c");
	ck_assert_int_eq(cyrusdb_fetchnext(db, "user.d", 6, &k, &kn, &v, &n, &txn), CYRUSDB_NOTFOUND);
	ck_assert_ptr_nonnull(txn);
	ck_assert_int_eq(cyrusdb_abort(db, txn), 0);
	cyrusdb_close(db);
	seen_by_others(all_text);
}
END_TEST

/* ---- transactions */

START_TEST(transactions)
{
	const char *v;
	size_t n;
	struct buf b = BUF_INIT;
	begin(_i);
	prepare();
	char *twice = mem_printf("%s/./%s", dir, strrchr(db_path(row->engine), '/') + 1);
	struct cyrusdb *db = open_row(0);
	/* by another name too; quotalegacy's name is no file */
	struct cyrusdb *again = open_as(row->engine, names_only() || on_server(row) ? db_path(row->engine) : twice, base_flags);
	free(twice);
	struct cyrusdb_txn *txn = NULL, *other = NULL;
	ck_assert_ptr_eq(db, again);
	ck_assert_int_eq(cyrusdb_fetch(db, "user.x", 6, &v, &n, &txn), CYRUSDB_NOTFOUND);
	ck_assert_ptr_nonnull(txn);                      /* not found is no reason to end it */
	ck_assert_int_eq(cyrusdb_fetch(db, "user.a", 6, &v, &n, &other), CYRUSDB_LOCKED);
	ck_assert_ptr_null(other);
	ck_assert_int_eq(put(db, "user.q", "%q"), CYRUSDB_INTERNAL);
	ck_assert_int_eq(cyrusdb_repack(db), row->is & ROW_REPACKS ? CYRUSDB_LOCKED : 0);
	ck_assert_int_eq(cyrusdb_store(db, "user.a", 6, "%x", 2, &txn), 0);
	ck_assert_int_eq(cyrusdb_fetch(again, "user.a", 6, &v, &n, NULL), 0);
	ck_assert_str_eq(v, "%x");                       /* a read without it runs inside */
	ck_assert_int_eq(cyrusdb_create(db, "user.b", 6, "%x", 2, &txn), CYRUSDB_EXISTS);
	ck_assert_ptr_null(txn);
	ck_assert_str_eq(text_of(db, &b), all_text);     /* all of it rolled back */
	ck_assert_int_eq(cyrusdb_store(db, "user.a", 6, "%x", 2, &txn), 0);
	ck_assert_int_eq(cyrusdb_delete(db, "user.x", 6, &txn, false), CYRUSDB_NOTFOUND);
	ck_assert_ptr_null(txn);
	ck_assert_str_eq(text_of(db, &b), all_text);
	ck_assert_int_eq(cyrusdb_store(db, "user.a", 6, "%x", 2, &txn), 0);
	ck_assert_int_eq(cyrusdb_store(db, "", 0, "%x", 2, &txn), CYRUSDB_INTERNAL);
	ck_assert_ptr_null(txn);
	ck_assert_int_eq(cyrusdb_commit(db, NULL), CYRUSDB_INTERNAL);
	ck_assert_int_eq(cyrusdb_abort(db, NULL), CYRUSDB_INTERNAL);
	cyrusdb_close(again);
	cyrusdb_close(db);
	seen_by_others(all_text);
	buf_free(&b);
}
END_TEST

START_TEST(commit_and_abort)
{
	struct buf b = BUF_INIT;
	begin(_i);
	prepare();
	struct cyrusdb *db = open_row(0);
	struct cyrusdb_txn *txn = NULL;
	ck_assert_int_eq(cyrusdb_delete(db, "user.b", 6, &txn, false), 0);
	ck_assert_int_eq(cyrusdb_store(db, "user.c", 6, "%new", 4, &txn), 0);
	ck_assert_int_eq(cyrusdb_create(db, "user.e", 6, "%5", 2, &txn), 0);
	ck_assert_int_eq(cyrusdb_delete(db, "user.e", 6, &txn, false), 0);
	ck_assert_int_eq(cyrusdb_create(db, "user.e", 6, "%6", 2, &txn), 0);
	ck_assert_str_eq(text_of(db, &b), "user.a=%1 user.c=%new user.d=%4 user.e=%6 ");
	ck_assert_int_eq(cyrusdb_abort(db, txn), 0);
	ck_assert_str_eq(text_of(db, &b), all_text);
	seen_by_others(all_text);
	txn = NULL;
	ck_assert_int_eq(cyrusdb_delete(db, "user.b", 6, &txn, false), 0);
	if (!names_only()) ck_assert_int_eq(cyrusdb_store(db, "user.c", 6, "%new", 4, &txn), 0);
	ck_assert_int_eq(cyrusdb_commit(db, txn), 0);
	const char *want = names_only() ? "user.a=%1 user.c=%3 user.d=%4 " : "user.a=%1 user.c=%new user.d=%4 ";
	ck_assert_str_eq(text_of(db, &b), want);
	seen_by_others(want);
	ck_assert_int_eq(cyrusdb_consistent(db), 0);
	/* one that changed nothing; and one that the end of the handle finds open */
	txn = NULL;
	ck_assert_int_eq(cyrusdb_fetch(db, "user.a", 6, NULL, NULL, &txn), 0);
	ck_assert_int_eq(cyrusdb_commit(db, txn), 0);
	txn = NULL;
	ck_assert_int_eq(cyrusdb_store(db, "user.d", 6, "%lost", 5, &txn), 0);
	cyrusdb_close(db);
	seen_by_others(want);
	buf_free(&b);
}
END_TEST

/* Whole transactions: cyrusdb_transact(). */

struct trying { int tries, again, say; bool fail; struct cyrusdb *db; int inner; };

static int try_it(void *arg, struct cyrusdb *d, struct cyrusdb_txn **txn)
{
	struct trying *t = arg;
	const char *v;
	size_t n;
	t->tries++;
	if (cyrusdb_fetch(d, "user.n", 6, &v, &n, txn)) return CYRUSDB_INTERNAL;
	char *next = mem_printf("%%%d", atoi(v + 1) + 1);
	int r = cyrusdb_store(d, "user.n", 6, next, strlen(next), txn);
	free(next);
	t->inner = cyrusdb_transact(d, try_it, t);
	if (t->fail) {
		ck_assert_int_eq(cyrusdb_create(d, "user.n", 6, "%", 1, txn), CYRUSDB_EXISTS);
		ck_assert_int_eq(cyrusdb_store(d, "user.m", 6, "%", 1, txn), CYRUSDB_EXISTS);        /* nothing more is done by half */
		ck_assert_int_eq(cyrusdb_fetch(d, "user.n", 6, NULL, NULL, NULL), CYRUSDB_EXISTS);
	}
	return r ? r : t->tries <= t->again ? CYRUSDB_AGAIN : t->say;
}

static int nothing(void *arg, struct cyrusdb *d, struct cyrusdb_txn **txn)
{
	(void)d, (void)txn;
	return *(int *)arg;
}

static int number(struct cyrusdb *d)
{
	const char *v;
	size_t n;
	ck_assert_int_eq(cyrusdb_fetch(d, "user.n", 6, &v, &n, NULL), 0);
	return atoi(v + 1);
}

START_TEST(whole_transactions)
{
	begin(_i);
	struct cyrusdb *d = open_row(CYRUSDB_CREATE);
	static const struct { struct trying how; int r, adds, tries; } rows[] = {
		{ { .say = 0 }, 0, 1, 1 },
		{ { .say = CYRUSDB_DONE }, CYRUSDB_DONE, 0, 1 },
		{ { .say = CYRUSDB_IOERROR }, CYRUSDB_IOERROR, 0, 1 },
		{ { .again = 3 }, 0, 1, 4 },
		{ { .again = 3, .say = CYRUSDB_DONE }, CYRUSDB_DONE, 0, 4 },
		{ { .fail = true }, CYRUSDB_EXISTS, 0, 1 },
		{ { .fail = true, .say = CYRUSDB_DONE }, CYRUSDB_EXISTS, 0, 1 },
	};
	int want = 0;
	ck_assert_int_eq(put(d, "user.n", "%0"), 0);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct trying t = rows[i].how;
		int r = cyrusdb_transact(d, try_it, &t);
		want += rows[i].adds;
		ck_assert_msg(r == rows[i].r && t.tries == rows[i].tries && number(d) == want, "%s: row %zu: %d after %d tries: %d",
			row->engine, i, r, t.tries, number(d));
		ck_assert_int_eq(t.inner, CYRUSDB_LOCKED);
		ck_assert_int_eq(cyrusdb_fetch(d, "user.m", 6, NULL, NULL, NULL), CYRUSDB_NOTFOUND);
	}
	for (int said = CYRUSDB_BADFORMAT; said <= CYRUSDB_DONE; said++)                  /* AGAIN ends, too */
		ck_assert_int_eq(cyrusdb_transact(d, nothing, &said), said);
	struct cyrusdb_txn *txn = NULL;
	int zero = 0;
	ck_assert_int_eq(cyrusdb_store(d, "user.n", 6, "%7", 2, &txn), 0);
	ck_assert_int_eq(cyrusdb_transact(d, nothing, &zero), CYRUSDB_LOCKED);
	ck_assert_int_eq(cyrusdb_commit(d, txn), 0);
	ck_assert_int_eq(number(d), 7);
}
END_TEST

TCase *case_records(void)
{
	TCase *t = tcase_create("records");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, dbtest_setup, dbtest_teardown);
	tcase_add_loop_test(t, open_flags, 0, DBROWS);
	tcase_add_loop_test(t, shared_transactions, 0, DBROWS);
	tcase_add_loop_test(t, single_records, 0, DBROWS);
	tcase_add_loop_test(t, next_record, 0, DBROWS);
	tcase_add_loop_test(t, transactions, 0, DBROWS);
	tcase_add_loop_test(t, commit_and_abort, 0, DBROWS);
	tcase_add_loop_test(t, whole_transactions, 0, DBROWS);
	return t;
}
