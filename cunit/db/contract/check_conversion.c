/* check_conversion.c - text form, copies, conversion, detection, engines that are not here. */
#include "cunit/db/contract/contract.h"
#include "cunit/db/contract/suites.h"

START_TEST(text_form)
{
	struct buf b = BUF_INIT;
	begin(_i);
	struct cyrusdb *db = open_row(CYRUSDB_CREATE);
	char in[] = "# comment\n\nb\t%two\ttabs\na\t%one\nc\t%three\nc\ne\t\n";
	FILE *f = fmemopen(in, sizeof in - 1, "r");
	ck_assert_int_eq(cyrusdb_undumpfile(db, f, NULL), 0);
	fclose(f);
	ck_assert_str_eq(text_of(db, &b), "a=%one b=%two\ttabs e= ");
	char *out = NULL;
	size_t n = 0;
	f = open_memstream(&out, &n);
	ck_assert_int_eq(cyrusdb_dumpfile(db, "", 0, f, NULL), 0);
	fclose(f);
	ck_assert_str_eq(out, "a\t%one\nb\t%two\ttabs\ne\t\n");
	free(out);
	f = open_memstream(&out, &n);
	ck_assert_int_eq(cyrusdb_dumpfile(db, "b", 1, f, NULL), 0);
	fclose(f);
	ck_assert_str_eq(out, "b\t%two\ttabs\n");
	free(out);
	char bad[] = "x\t1\n\tnokey\n";
	f = fmemopen(bad, sizeof bad - 1, "r");
	ck_assert_int_ne(cyrusdb_undumpfile(db, f, NULL), 0);
	fclose(f);
	ck_assert_str_eq(text_of(db, &b), "a=%one b=%two\ttabs e= ");
	buf_free(&b);
}
END_TEST

/* From every engine to every other and back, in place; what was written comes out, in the order that was asked for. */
START_TEST(conversion)
{
	struct buf b = BUF_INIT;
	const struct dbrow *from = &dbrows[_i / DBROWS], *to = &dbrows[_i % DBROWS];
	if (!strcmp(from->engine, to->engine) || from->sort != to->sort) return;
	/* a tree has no one file that could be put in the place of another */
	if ((from->is & ROW_NAMES) || on_server(from)) return;
	begin(_i / DBROWS);
	const char *path = path_of("quotas.db");
	struct cyrusdb *db = open_as(from->engine, path, base_flags | CYRUSDB_CREATE);
	ck_assert_int_eq(put(db, "user.fred-x", "%3"), 0);
	ck_assert_int_eq(put(db, "user.fred", "%1"), 0);
	ck_assert_int_eq(put(db, "user.fred.a", "%2"), 0);
	cyrusdb_close(db);
	int r = cyrusdb_convert_sorted(env, path, path, from->engine, to->engine, to->sort ? CYRUSDB_MBOXSORT : 0);
	ck_assert_msg(!r, "%s to %s: %d", from->engine, to->engine, r);
	ck_assert_int_ne(access(path_of("quotas.db.NEW"), F_OK), 0);
	begin(_i % DBROWS);
	path = path_of("quotas.db");
	db = open_as(to->engine, path, base_flags);
	ck_assert_str_eq(cyrusdb_engine(db), to->engine);
	bool mbox = to->sort || !strcmp(to->engine, "flat");
	ck_assert_str_eq(text_of(db, &b), mbox ? "user.fred=%1 user.fred.a=%2 user.fred-x=%3 "
		: "user.fred=%1 user.fred-x=%3 user.fred.a=%2 ");
	ck_assert_int_eq(cyrusdb_consistent(db), 0);
	ck_assert_int_eq(cyrusdb_check_order(db, SIZE_MAX), 0);
	ck_assert_int_eq(put(db, "user.g", "%4"), 0);
	cyrusdb_close(db);
	buf_free(&b);
}
END_TEST

/* An engine that knows its files opens nobody else's; detection finds who can (test point 8). */
START_TEST(detected)
{
	struct buf b = BUF_INIT;
	const struct dbrow *asked = &dbrows[_i % DBROWS];
	begin(_i / DBROWS);
	if (!has_magic(row) || on_server(asked) || row->sort || asked->sort || (asked->is & ROW_NAMES)
		|| !strcmp(asked->engine, row->engine)) return;
	if (!strncmp(asked->engine, row->engine, strcspn(row->engine, "-")) && strstr(asked->engine, "nosync")) return;
	prepare();
	const char *path = db_path(row->engine);
	ck_assert_str_eq(cyrusdb_detect(path), row->engine);
	struct cyrusdb *db = open_as(asked->engine, path, CYRUSDB_CREATE);
	ck_assert_str_eq(cyrusdb_engine(db), row->engine);
	ck_assert_str_eq(text_of(db, &b), all_text);
	cyrusdb_close(db);
	db = open_as(asked->engine, db_path(row->engine), CYRUSDB_CONVERT);
	ck_assert_str_eq(cyrusdb_engine(db), asked->engine);
	ck_assert_str_eq(text_of(db, &b), all_text);
	buf_free(&b);
}
END_TEST

/* The order a file is in is carried over when nobody says otherwise; a table in the other order than asked for is sorted anew. */
START_TEST(conversion_keeps_the_order)
{
	struct buf b = BUF_INIT;
	begin(_i);
	if (!(row->is & ROW_ORDER) || !row->sort) return;
	const char *to = strcmp(row->engine, "twoskip") ? "twoskip" : "skiplist";
	struct cyrusdb *db = open_row(CYRUSDB_CREATE);
	ck_assert_int_eq(put(db, "user.fred-x", "%3"), 0);
	ck_assert_int_eq(put(db, "user.fred", "%1"), 0);
	ck_assert_int_eq(put(db, "user.fred.a", "%2"), 0);
	cyrusdb_close(db);
	char *path = mem_strdup(db_path(row->engine));
	ck_assert_int_eq(cyrusdb_convert(env, path, path, row->engine, to), 0);
	db = open_as(to, path, CYRUSDB_MBOXSORT);
	ck_assert_int_eq(cyrusdb_check_order(db, SIZE_MAX), 0);
	ck_assert_int_eq(cyrusdb_consistent(db), 0);
	ck_assert_str_eq(text_of(db, &b), "user.fred=%1 user.fred.a=%2 user.fred-x=%3 ");
	cyrusdb_close(db);
	ck_assert_int_eq(cyrusdb_convert_sorted(env, path, path, to, row->engine, 0), 0);
	db = open_as(row->engine, path, 0);
	ck_assert_int_eq(cyrusdb_check_order(db, SIZE_MAX), 0);
	ck_assert_str_eq(text_of(db, &b), "user.fred=%1 user.fred-x=%3 user.fred.a=%2 ");
	cyrusdb_close(db);
	free(path);
	buf_free(&b);
}
END_TEST

START_TEST(copies_for_the_backup)
{
	struct buf b = BUF_INIT;
	begin(_i);
	prepare();
	const char *path = db_path(row->engine), *to = path_of("backup");
	ck_assert_int_eq(mkdir(to, 0700), 0);
	ck_assert_int_eq(cyrusdb_archive(env, row->engine, (const char *const[]){ path, path_of("missing.db"), NULL }, to), 0);
	ck_assert_int_eq(cyrusdb_sync(env), 0);
	if (names_only() || on_server(row)) return;      /* the tree is not copied (spec 10) */
	struct cyrusdb *db = open_as(row->engine, path_of("backup/x.db"), base_flags | CYRUSDB_RDONLY);
	ck_assert_str_eq(text_of(db, &b), all_text);
	buf_free(&b);
}
END_TEST

START_TEST(result_codes)
{
	static const struct { int rc; const char *text; } codes[] = {
		{ 0, "not an error" }, { 1, "done" }, { -1, "IO error" }, { -2, "again" }, { -3, "item exists" },
		{ -4, "internal error" },
		{ -5, "item not found" }, { -6, "locked" }, { -7, "action not implemented" }, { -8, "no space available" },
		{ -9, "database is readonly" }, { -10, "not a cyrusdb error" }, { 2, "not a cyrusdb error" },
	};
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) ck_assert_str_eq(cyrusdb_strerror(codes[i].rc), codes[i].text);
	for (size_t i = 0; i < DBROWS; i++) ck_assert_msg(cyrusdb_engine_known(dbrows[i].engine), "%s", dbrows[i].engine);
	size_t n = 0;                                    /* no engine without a row */
	for (const char *const *e = cyrusdb_engines(); *e; e++) {
		size_t i = 0;
		while (i < DBROWS && strcmp(dbrows[i].engine, *e)) i++;
		ck_assert_msg(i < DBROWS, "%s is not tested", *e);
		n++;
	}
	ck_assert_uint_ge(n, 4);
}
END_TEST

/* Engines this build or this server has not: known by name or by their files, and the log says what to do. */
START_TEST(engines_that_are_not_here)
{
	struct cyrusdb *db = NULL;
	static const char *const names[] = { "twom", "zeroskip" };
	for (int i = 0; i < 2; i++) {
		ck_assert(!cyrusdb_engine_known(names[i]));
		expect_log();
		ck_assert_int_eq(cyrusdb_open(env, names[i], path_of("none.db"), CYRUSDB_CREATE, &db), CYRUSDB_INTERNAL);
		ck_assert_msg(log_said("none.db") && log_said("cvt_cyrusdb"), "%s", names[i]);
		ck_assert_int_ne(access(path_of("none.db"), F_OK), 0);
	}
	newfile_write(path_of("m.db"), 0600, "\241\002\213\015twomfile\0\0\0\0and more", 24);
	ck_assert_int_eq(mkdir(path_of("z.db"), 0700), 0);
	static const char *const files[] = { "m.db", "z.db" };
	for (int i = 0; i < 2; i++) {
		ck_assert_str_eq(cyrusdb_detect(path_of(files[i])), names[i]);
		for (size_t e = 0; e < DBROWS; e++) {
			if ((dbrows[e].is & ROW_NAMES) || on_server(&dbrows[e])) continue;
			expect_log();
			ck_assert_msg(cyrusdb_open(env, dbrows[e].engine, path_of(files[i]), CYRUSDB_CREATE | CYRUSDB_CONVERT, &db), "%s",
				dbrows[e].engine);
			ck_assert_msg(log_said(files[i]) && log_said(names[i]) && log_said("cvt_cyrusdb"), "%s %s", dbrows[e].engine,
				files[i]);
		}
	}
	struct buf b = BUF_INIT;
	slurp(path_of("m.db"), &b);
	ck_assert_uint_eq(b.len, 24);
	buf_free(&b);
}
END_TEST

/* The same for what this build was made without. */
START_TEST(engines_that_were_not_built)
{
	static const struct { const char *name, *file; } all[] = {
		{ "berkeley", "b.berkeley" }, { "berkeley-hash", "b.berkeley-hash" }, { "berkeley-nosync", "b.berkeley" },
		{ "berkeley-hash-nosync", "b.berkeley-hash" }, { "sql", "sql.sqlite" },
	};
	struct cyrusdb *db = NULL;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		if (cyrusdb_engine_known(all[i].name)) continue;
		expect_log();
		const char *path = copy_golden(all[i].file, all[i].name);
		ck_assert_int_eq(cyrusdb_open(env, all[i].name, path, CYRUSDB_CREATE, &db), CYRUSDB_INTERNAL);
		ck_assert(log_said(path) && log_said("build with") && log_said("cvt_cyrusdb"));
		expect_log();
		ck_assert_int_eq(cyrusdb_open(env, "twoskip", path, CYRUSDB_CONVERT, &db), CYRUSDB_IOERROR);
		ck_assert(log_said(path) && log_said("build with") && log_said("cvt_cyrusdb"));
	}
}
END_TEST

TCase *case_conversion(void)
{
	TCase *t = tcase_create("conversion");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, dbtest_setup, dbtest_teardown);
	tcase_add_loop_test(t, text_form, 0, DBROWS);
	tcase_add_loop_test(t, conversion, 0, DBROWS * DBROWS);
	tcase_add_loop_test(t, detected, 0, DBROWS * DBROWS);
	tcase_add_loop_test(t, conversion_keeps_the_order, 0, DBROWS);
	tcase_add_loop_test(t, copies_for_the_backup, 0, DBROWS);
	tcase_add_test(t, result_codes);
	tcase_add_test(t, engines_that_are_not_here);
	tcase_add_test(t, engines_that_were_not_built);
	return t;
}
