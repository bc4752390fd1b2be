/* check_keys.c - keys and values of any kind, and their orders. */
#include "cunit/db/contract/contract.h"
#include "cunit/db/contract/suites.h"

static const struct { const char *k; size_t n; } odd_keys[] = {
	{ "\0", 1 }, { "\0\0", 2 }, { "a\0b", 3 }, { "a\0", 2 }, { "a\tb", 3 }, { "a\nb", 3 }, { "a\rb", 3 }, { "\xff", 1 },
	{ "\xff\xff", 2 },
	{ "\xff\x80", 2 }, { "a\x80", 2 }, { "\x01", 1 }, { "a b", 3 }, { "a", 1 }, { ".", 1 }, { "\xf0\x9f\x98\x80", 4 }, { "'", 1 },
	{ "a'b\"c", 5 },
	{ "%", 1 }, { "_", 1 }, { "a%_b", 4 }, { "\\", 1 }, { "\\000", 4 }, { "#", 1 }, { ";--", 3 }, { "\xc3", 1 },
	{ "\xed\xa0\x80", 3 }, { "_a", 2 },
};
enum { ODD = sizeof odd_keys / sizeof *odd_keys };

static size_t count_ascending(struct cyrusdb *db)
{
	struct buf last = BUF_INIT;
	const char *k, *v;
	size_t count = 0, kn, n;
	while (!cyrusdb_fetchnext(db, last.s, last.len, &k, &kn, &v, &n, NULL)) {
		if (last.len) ck_assert_msg(cyrusdb_compare(db, last.s, last.len, k, kn) < 0, "%s: %zu", row->engine, count);
		buf_set(&last, k, kn);
		count++;
	}
	buf_free(&last);
	return count;
}

static int counted(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	(void)key, (void)keylen, (void)val, (void)vallen;
	++*(size_t *)arg;
	return 0;
}

/* Under mailbox order TAB and LF are one and the same. */
static bool same_as_earlier(const struct cyrusdb *db, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (!cyrusdb_compare(db, odd_keys[i].k, odd_keys[i].n, odd_keys[j].k, odd_keys[j].n)) return true;
	return false;
}

START_TEST(odd_bytes)
{
	begin(_i);
	if (names_only()) return;                        /* its keys are file names */
	struct cyrusdb *db = open_row(CYRUSDB_CREATE);
	const char *v;
	size_t n, there = 0;
	for (int pass = 0; pass < 3; pass++) {
		for (size_t i = 0; i < ODD; i++) {
			if (same_as_earlier(db, i)) continue;
			if (!pass) there++;
			if (!pass) ck_assert_int_eq(cyrusdb_create(db, odd_keys[i].k, odd_keys[i].n, odd_keys[i].k, odd_keys[i].n, NULL), 0);
			ck_assert_msg(!cyrusdb_fetch(db, odd_keys[i].k, odd_keys[i].n, &v, &n, NULL), "%s %zu", row->engine, i);
			ck_assert_uint_eq(n, odd_keys[i].n);
			ck_assert_int_eq(memcmp(v, odd_keys[i].k, n), 0);
			ck_assert_int_eq(cyrusdb_create(db, odd_keys[i].k, odd_keys[i].n, "", 0, NULL), CYRUSDB_EXISTS);
		}
		ck_assert_int_eq(cyrusdb_consistent(db), 0);
		ck_assert_int_eq(cyrusdb_repack(db), 0);
		cyrusdb_close(db);
		db = open_row(0);
	}
	ck_assert_uint_eq(count_ascending(db), there);
	n = 0;                                           /* a prefix is no pattern */
	ck_assert_int_eq(cyrusdb_foreach(db, "_", 1, NULL, counted, &n, NULL), 0);
	ck_assert_uint_eq(n, 2);
	n = 0;
	ck_assert_int_eq(cyrusdb_foreach(db, "\0", 1, NULL, counted, &n, NULL), 0);
	ck_assert_uint_eq(n, 2);
	for (size_t i = 0; i < ODD; i++)
		if (!same_as_earlier(db, i)) ck_assert_int_eq(cyrusdb_delete(db, odd_keys[i].k, odd_keys[i].n, NULL, false), 0);
	ck_assert_uint_eq(count_ascending(db), 0);
}
END_TEST

/* Every byte as a key, and behind a letter; in the order the engine says it has. */
START_TEST(every_byte)
{
	struct cyrusdb_txn *txn = NULL;
	size_t n = 0, there = 0;
	begin(_i);
	if (names_only()) return;
	struct cyrusdb *db = open_row(CYRUSDB_CREATE);
	for (int c = 0; c < 256; c++) {
		if (c == '\n' && cyrusdb_compare(db, "\n", 1, "\t", 1) == 0) continue;
		char key[2] = { 'k', (char)c };
		ck_assert_int_eq(cyrusdb_create(db, key + 1, 1, key, 2, &txn), 0);
		ck_assert_int_eq(cyrusdb_create(db, key, 2, key, 2, &txn), 0);
		there += 2;
	}
	ck_assert_int_eq(cyrusdb_commit(db, txn), 0);
	ck_assert_uint_eq(count_ascending(db), there);
	ck_assert_int_eq(cyrusdb_foreach(db, "k", 1, NULL, counted, &n, NULL), 0);
	ck_assert_uint_eq(n, there / 2 + 1);
	ck_assert_int_eq(cyrusdb_consistent(db), 0);
	/* spec 2.1 and 2.2: 0x80 is behind 'z' as an unsigned byte, before NUL as a signed one */
	bool is_signed = !row->sort && !strcmp(row->engine, "skiplist");
	ck_assert_int_eq(cyrusdb_compare(db, "\x80", 1, "z", 1) < 0, is_signed);
	ck_assert_int_eq(cyrusdb_compare(db, "a", 1, "ab", 2) < 0, true);
}
END_TEST

static const size_t sizes[] = { 0, 1, 7, 8, 1023, 1024, 65534, 65535, 65536, 70000, 300000 };

START_TEST(long_keys_and_values)
{
	begin(_i);
	struct cyrusdb *db = open_row(CYRUSDB_CREATE);
	char *big = mem_zalloc(400000);
	const char *v;
	size_t n;
	memset(big, 'x', 400000);
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
			size_t kl = sizes[i] ? sizes[i] : 3;
			if (names_only() && kl > 200) break;     /* a file name; and a root is a line or two */
			if (!pass) ck_assert_int_eq(cyrusdb_store(db, big, kl, big, sizes[i], NULL), 0);
			ck_assert_int_eq(cyrusdb_fetch(db, big, kl, &v, &n, NULL), 0);
			ck_assert_ptr_nonnull(v);
			ck_assert_uint_eq(n, sizes[i]);
			ck_assert_int_eq(memcmp(v, big, n), 0);
		}
		ck_assert_int_eq(cyrusdb_consistent(db), 0);
		ck_assert_int_eq(cyrusdb_repack(db), 0);
	}
	free(big);
}
END_TEST

/* What a name cannot be is refused, and nothing is made for it. */
START_TEST(keys_that_are_no_file_names)
{
	static const struct { const char *k; size_t n; } bad[] =
		{ { "../x", 4 }, { "a/b", 3 }, { ".", 1 }, { ".x", 2 }, { "a\0b", 3 } };
	struct buf b = BUF_INIT;
	begin(_i);
	if (!names_only()) return;
	struct cyrusdb *db = open_row(CYRUSDB_CREATE);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		ck_assert_int_eq(cyrusdb_store(db, bad[i].k, bad[i].n, "1 2", 3, NULL), CYRUSDB_INTERNAL);
		ck_assert_int_eq(cyrusdb_fetch(db, bad[i].k, bad[i].n, NULL, NULL, NULL), CYRUSDB_NOTFOUND);
	}
	ck_assert_str_eq(text_of(db, &b), "");
	buf_free(&b);
}
END_TEST

START_TEST(mailbox_order)
{
	static const char *const names[] = { "user.freda", "user.fred-x", "user.fred", "user.fred x", "user.fred.a" };
	begin(_i);
	struct buf b = BUF_INIT;
	struct cyrusdb *db = open_row(CYRUSDB_CREATE);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) ck_assert_int_eq(put(db, names[i], "%"), 0);
	bool mbox = row->sort || !strcmp(row->engine, "flat");
	ck_assert_str_eq(text_of(db, &b), mbox ? "user.fred=% user.fred.a=% user.fred x=% user.fred-x=% user.freda=% "
		: "user.fred=% user.fred x=% user.fred-x=% user.fred.a=% user.freda=% ");
	ck_assert_int_eq(cyrusdb_consistent(db), 0);
	ck_assert_int_eq(cyrusdb_check_order(db, SIZE_MAX), 0);
	ck_assert_int_eq(cyrusdb_repack(db), 0);
	buf_free(&b);
}
END_TEST

/* A file sorted the other way is noticed, not searched in vain; a reader that only looks takes it as it is. */
START_TEST(the_other_order)
{
	begin(_i);
	if (!(row->is & ROW_ORDER)) return;
	struct buf b = BUF_INIT;
	struct cyrusdb *db = open_row(CYRUSDB_CREATE);
	ck_assert_int_eq(put(db, "user.fred.a", "%"), 0);
	ck_assert_int_eq(cyrusdb_check_order(db, SIZE_MAX), 0);
	ck_assert_int_eq(put(db, "user.fred-x", "%"), 0);
	ck_assert_int_eq(put(db, "user.fred", "%"), 0);
	cyrusdb_close(db);
	char *want;
	db = open_row(0);
	want = mem_strdup(text_of(db, &b));
	cyrusdb_close(db);
	db = open_as(row->engine, db_path(row->engine), base_flags ^ CYRUSDB_MBOXSORT);
	ck_assert_int_eq(cyrusdb_check_order(db, 2), 0);         /* the first two are in either order */
	expect_log();
	ck_assert_int_eq(cyrusdb_check_order(db, 3), CYRUSDB_IOERROR);
	ck_assert(log_said(db_path(row->engine)) && log_said("improved_mboxlist_sort") && log_said("ctl_mboxlist -u"));
	cyrusdb_close(db);
	db = open_as(row->engine, db_path(row->engine), (base_flags ^ CYRUSDB_MBOXSORT) | CYRUSDB_RDONLY);
	ck_assert_int_eq(cyrusdb_check_order(db, SIZE_MAX), 0);
	ck_assert_str_eq(text_of(db, &b), want);
	cyrusdb_close(db);
	free(want);
	buf_free(&b);
}
END_TEST

TCase *case_keys(void)
{
	TCase *t = tcase_create("keys");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, dbtest_setup, dbtest_teardown);
	tcase_add_loop_test(t, odd_bytes, 0, DBROWS);
	tcase_add_loop_test(t, every_byte, 0, DBROWS);
	tcase_add_loop_test(t, long_keys_and_values, 0, DBROWS);
	tcase_add_loop_test(t, keys_that_are_no_file_names, 0, DBROWS);
	tcase_add_loop_test(t, mailbox_order, 0, DBROWS);
	tcase_add_loop_test(t, the_other_order, 0, DBROWS);
	return t;
}
