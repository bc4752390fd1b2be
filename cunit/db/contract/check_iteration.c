/* check_iteration.c - going through records, and what its callbacks may do. */
#include "cunit/db/contract/contract.h"
#include "cunit/db/contract/suites.h"

struct seen {
	struct cyrusdb *db;
	struct cyrusdb_txn **txn;
	struct buf keys;
	const char *no;                  /* good refuses it */
};

static int not_that(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	const struct seen *s = arg;
	(void)val, (void)vallen;
	return strlen(s->no) != keylen || memcmp(s->no, key, keylen);
}

static int note(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	struct seen *s = arg;
	(void)val, (void)vallen;
	buf_append(&s->keys, key, keylen);
	buf_putc(&s->keys, ' ');
	return 0;
}

START_TEST(prefixes)
{
	static const struct { const char *prefix, *want; } cases[] = {
		{ "user.", "user.a user.c user.d " }, { "user.c", "user.c " }, { "user.cc", "" }, { "v", "v " }, { "z", "" },
		{ "", "use user.a user.c user.d v " },
	};
	begin(_i);
	prepare();
	struct cyrusdb *db = open_row(0);
	ck_assert_int_eq(put(db, "use", "%"), 0);
	ck_assert_int_eq(put(db, "v", "%"), 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct seen s = { .db = db, .no = "user.b" };
		ck_assert_int_eq(cyrusdb_foreach(db, cases[i].prefix, strlen(cases[i].prefix), not_that, note, &s, NULL), 0);
		ck_assert_str_eq(buf_cstr(&s.keys), cases[i].want);
		buf_free(&s.keys);
	}
}
END_TEST

static int meddle(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	struct seen *s = arg;
	(void)val, (void)vallen;
	ck_assert_int_eq(cyrusdb_delete(s->db, key, keylen, s->txn, false), 0);
	buf_append(&s->keys, key, keylen);               /* the key outlives what we do */
	buf_putc(&s->keys, ' ');
	if (keylen != 6 || strncmp(key, "user.b", 6)) return 0;
	ck_assert_int_eq(cyrusdb_store(s->db, "user.aa", 7, "%behind", 7, s->txn), 0);
	ck_assert_int_eq(cyrusdb_store(s->db, "user.cc", 7, "%ahead", 6, s->txn), 0);
	if (!s->txn) ck_assert_int_eq(cyrusdb_repack(s->db), 0);
	return 0;
}

/* _i counts rows twice: with a transaction and without */
START_TEST(callback_may_do_anything)
{
	struct buf b = BUF_INIT;
	struct cyrusdb_txn *txn = NULL;
	begin(_i / 2);
	prepare();
	struct seen s = { .db = open_row(0), .txn = _i % 2 ? &txn : NULL };
	ck_assert_int_eq(put(s.db, "userx", "%x"), 0);
	ck_assert_int_eq(put(s.db, "use", "%x"), 0);
	ck_assert_int_eq(cyrusdb_foreach(s.db, "user.", 5, NULL, meddle, &s, s.txn), 0);
	bool ahead = strstr(buf_cstr(&s.keys), "user.cc");
	ck_assert_str_eq(buf_cstr(&s.keys), ahead ? "user.a user.b user.c user.cc user.d " : "user.a user.b user.c user.d ");
	ck_assert(ahead || (row->is & ROW_LISTS));       /* what lists its keys first need not see it */
	if (_i % 2) ck_assert_int_eq(cyrusdb_commit(s.db, txn), 0);
	struct buf want = BUF_INIT;
	buf_printf(&want, "use=%%x user.aa=%%behind %suserx=%%x ", ahead ? "" : "user.cc=%ahead ");
	ck_assert_str_eq(text_of(s.db, &b), buf_cstr(&want));
	ck_assert_int_eq(cyrusdb_consistent(s.db), 0);
	buf_free(&want);
	buf_free(&s.keys);
	buf_free(&b);
}
END_TEST

static int stop(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	(void)key, (void)keylen, (void)val, (void)vallen;
	return ++*(int *)arg == 2 ? 77 : 0;
}
static int refuse(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	(void)arg, (void)key, (void)keylen, (void)val, (void)vallen;
	return 0;
}

START_TEST(iteration_stops)
{
	int n = 0;
	begin(_i);
	prepare();
	struct cyrusdb *db = open_row(0);
	struct cyrusdb_txn *txn = NULL;
	ck_assert_int_eq(cyrusdb_foreach(db, "", 0, NULL, stop, &n, NULL), 77);
	ck_assert_int_eq(n, 2);
	ck_assert_int_eq(cyrusdb_foreach(db, "", 0, refuse, stop, &n, NULL), 0);
	n = 0;
	ck_assert_int_eq(cyrusdb_foreach(db, "", 0, NULL, stop, &n, &txn), 77);
	ck_assert_ptr_nonnull(txn);
	ck_assert_int_eq(cyrusdb_commit(db, txn), 0);
}
END_TEST

/* goodp says no so often that the lock is let go in between */
START_TEST(many_refused)
{
	enum { MANY = 700 };
	char key[20];
	struct cyrusdb_txn *txn = NULL;
	begin(_i);
	struct cyrusdb *db = open_row(CYRUSDB_CREATE);
	for (int i = 0; i < MANY; i++) {
		snprintf(key, sizeof key, "user.k%04d", i);
		ck_assert_int_eq(cyrusdb_store(db, key, strlen(key), "%", 1, names_only() ? NULL : &txn), 0);
	}
	if (txn) ck_assert_int_eq(cyrusdb_commit(db, txn), 0);
	ck_assert_int_eq(cyrusdb_foreach(db, "", 0, refuse, NULL, NULL, NULL), 0);
	struct seen s = { .db = db, .no = "user.k0003" };
	ck_assert_int_eq(cyrusdb_foreach(db, "user.k000", 9, not_that, note, &s, NULL), 0);
	ck_assert_uint_eq(s.keys.len, 9 * 11);
	buf_free(&s.keys);
}
END_TEST

TCase *case_iteration(void)
{
	TCase *t = tcase_create("iteration");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, dbtest_setup, dbtest_teardown);
	tcase_add_loop_test(t, prefixes, 0, DBROWS);
	tcase_add_loop_test(t, callback_may_do_anything, 0, 2 * DBROWS);
	tcase_add_loop_test(t, iteration_stops, 0, DBROWS);
	tcase_add_loop_test(t, many_refused, 0, DBROWS);
	return t;
}
