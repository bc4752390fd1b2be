/* check_spool.c - what the store makes of a walk (store/spool_walk.h): its order, its log, its roots. */
#include "base/mem.h"
#include "base/strarray.h"
#include "cunit/store/storetest.h"
#include "cunit/store/walk/suites.h"
#include "cunit/store/walk/walktest.h"
#include "store/spool_walk.h"
#include "sys/clock.h"

#include <stdlib.h>
#include <string.h>

static int64_t now;

static int add_name(void *arg, const struct mbentry *e)
{
	strarray_append(arg, e->name);
	return 0;
}

static int add_dir(void *arg, const struct dirwalk_entry *e)
{
	const char *p = strstr(e->path, "/spool/") + 7;
	if (e->kind != DIRWALK_DIR || strchr(p, '.')) return 0;
	char *name = mem_strdup(p);
	for (char *q = name; *q; q++) *q = *q == '/' ? '.' : *q;
	strarray_take(arg, name);
	return 0;
}

/* Directories by name come in the order in which the mailbox list has them. */
START_TEST(order_is_that_of_the_mailbox_list)
{
	static const struct { const char *level, *more, *want; } rows[] = {
		{ "2.5", "", NULL },
		{ "2.5", "improved_mboxlist_sort: yes\n",
			"user user.A user.a user.a.0 user.a.x user.a.x.y user.a.x-y user.a b user.a b.x user.a+b "
			"user.a,b user.a-b user.a-b.x user.a0 user.ab" },
		{ "3.6", "mailbox_legacy_dirs: yes\n", NULL },
	};
	static const char *const names[] = { "a", "a.x", "a.x.y", "a-b", "a-b.x", "a b", "a b.x", "ab", "a+b", "A", "a.x-y", "a^b",
		"a,b", "a.0", "a0" };
	struct storetest t;
	struct strarray want = STRARRAY_INIT, got = STRARRAY_INIT, parts = STRARRAY_INIT;
	storetest_new(&t, rows[_i].level, rows[_i].more);
	scratch_hook();
	storetest_create(&t, "user");                 /* so that each directory is a mailbox */
	for (size_t i = 0; i < COUNT(names); i++) {
		char *name = mem_printf("user.%s", names[i]);
		if (!strchr(name, '^') || *rows[_i].level == '3') storetest_create(&t, name);
		free(name);
	}
	ck_assert_int_eq(mboxlist_each(t.st, NULL, MBOXLIST_ALL, add_name, &want), 0);
	spool_roots(t.conf, SPOOL_DATA, &parts);
	struct dirwalk w = { .roots = (const char *const *)parts.v, .nroots = parts.n, .levels = DIRWALK_ALL, .entry = add_dir,
		.arg = &got };
	ck_assert_int_eq(spool_walk(t.st, &w), 0);
	char *a = strarray_join(&want, " "), *b = strarray_join(&got, " ");
	ck_assert_uint_ge(got.n, 15);
	ck_assert_str_eq(b, rows[_i].want ? rows[_i].want : a);
	free(a);
	free(b);
	strarray_free(&want);
	strarray_free(&got);
	strarray_free(&parts);
	storetest_remove(&t);
}
END_TEST

static size_t lines_with(const char *word)
{
	size_t n = 0;
	for (const char *p = buf_cstr(&scratch_log); (p = strstr(p, word)); p++) n++;
	return n;
}

START_TEST(log_has_a_line_for_each_oddity)
{
	struct storetest t;
	struct strarray parts = STRARRAY_INIT;
	storetest_new(&t, "2.5", NULL);
	scratch_hook();
	storetest_run("cd %s/spool && ln -s /sys sys && ln -s . \"$(printf 'two\\nlines')\" && mkfifo pipe && mkdir a && ln -s .. "
		"a/up", t.dir);
	spool_roots(t.conf, SPOOL_DATA | SPOOL_META, &parts);
	struct dirwalk w = { .roots = (const char *const *)parts.v, .nroots = parts.n, .levels = DIRWALK_ALL };
	ck_assert_int_eq(spool_walk(t.st, &w), 0);
	char *want = mem_printf("spool: %s/spool/a/up: symbolic link, not followed\nspool: %s/spool/pipe: neither file nor "
		"directory, not opened\n"
		"spool: %s/spool/sys: symbolic link, not followed\nspool: %s/spool/two\\012lines: symbolic link, not followed\n",
		t.dir, t.dir, t.dir, t.dir);
	ck_assert_str_eq(buf_cstr(&scratch_log), want);
	free(want);
	buf_reset(&scratch_log);
	strarray_free(&parts);
	storetest_remove(&t);
	ck_assert_uint_eq(scratch_log.len, 0);
}
END_TEST

static int64_t still_clock(void) { return now; }

START_TEST(log_is_not_flooded)
{
	struct storetest t;
	struct strarray parts = STRARRAY_INIT;
	storetest_new(&t, "3.6", NULL);
	scratch_hook();
	now = 1000 * NSEC_PER_SEC;
	clock_fake(still_clock, NULL);
	storetest_run("cd %s/spool && for i in $(seq 200); do ln -s / l$i; done", t.dir);
	spool_roots(t.conf, SPOOL_DATA, &parts);
	struct dirwalk w = { .roots = (const char *const *)parts.v, .nroots = parts.n, .levels = DIRWALK_ALL };
	ck_assert_int_eq(spool_walk(t.st, &w), 0);
	ck_assert_uint_eq(w.n.odd[DIRWALK_ODD_LINK], 200);
	ck_assert_uint_eq(lines_with("not followed"), DIRWALK_LOG_LINES);
	now += DIRWALK_LOG_SECONDS * NSEC_PER_SEC;
	ck_assert_int_eq(spool_walk(t.st, &w), 0);
	ck_assert_uint_eq(lines_with("not followed"), 2 * DIRWALK_LOG_LINES);
	ck_assert_uint_eq(lines_with("spool: 150 more oddities were not logged"), 1);
	strarray_free(&parts);
	storetest_remove(&t);
	ck_assert_uint_eq(lines_with("spool: 150 more oddities were not logged"), 2);
}
END_TEST

START_TEST(roots_of_the_configuration)
{
	static const struct { unsigned kinds; const char *want; } rows[] = {
		{ SPOOL_DATA, "/p/a /p/b" }, { SPOOL_META, "/m" }, { SPOOL_HEADERS, "/h" }, { SPOOL_ARCHIVE, "/z" }, { 0, "" },
		{ SPOOL_DATA | SPOOL_META | SPOOL_HEADERS, "/h /m /p/a /p/b" },
	};
	struct storetest t;
	storetest_new(&t, "2.5",
		"partition-one: /p/a//\npartition-two: /p/b\npartition-same: /p/a\nmetapartition-one: /m/\nmetadir-header-one: /h\n"
		"archivepartition-one: /z\nmetadir-index-one: /never\n");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct strarray got = STRARRAY_INIT;
		spool_roots(t.conf, rows[i].kinds, &got);
		for (size_t k = got.n; k-- > 0;)
			if (!strncmp(got.v[k], t.dir, strlen(t.dir))) strarray_remove(&got, k);        /* partition-default */
		strarray_sort(&got);
		char *s = strarray_join(&got, " ");
		ck_assert_str_eq(s, rows[i].want);
		free(s);
		strarray_free(&got);
	}
	storetest_remove(&t);
}
END_TEST

/* {what is done to the spool after user.a.b was made, result for user.a.b} */
static const struct { const char *cmd; int want; } mailboxes[] = {
	{ ":", 0 },
	{ "rm -r user/a/b", ERR_NOTFOUND },
	{ "rm -r user/a", ERR_NOTFOUND },
	{ "rm -r user/a/b; ln -s /sys user/a/b", ERR_IO },
	{ "rm -r user/a/b; touch user/a/b", ERR_IO },
	{ "mv user/a out; ln -s ../out user/a", ERR_IO },                /* on the way to it */
	{ "mv user out; ln -s out user", ERR_IO },
	{ "cd ..; mv spool elsewhere; ln -s elsewhere spool", 0 },       /* the partition itself */
};

START_TEST(directory_of_a_mailbox)
{
	struct storetest t;
	struct mbentry e;
	struct buf b = BUF_INIT;
	storetest_new(&t, "2.5", NULL);
	scratch_hook();
	storetest_create(&t, "user.a");
	storetest_create(&t, "user.a.b");
	storetest_run("cd %s/spool && { %s; }", t.dir, mailboxes[_i].cmd);
	ck_assert_int_eq(mboxlist_lookup(t.st, "user.a.b", &e), 0);
	struct dirwalk w = { .entry = put_path, .arg = &b };
	ck_assert_int_eq(spool_walk_mailbox(t.st, &e, META_DATA, &w), mailboxes[_i].want);
	if (!mailboxes[_i].want) ck_assert_ptr_nonnull(strstr(buf_cstr(&b), "/user/a/b/cyrus.header "));
	else ck_assert_uint_eq(b.len, 0);
	free(e.partition);
	e.partition = mem_strdup("unknown");
	ck_assert_int_eq(spool_walk_mailbox(t.st, &e, META_DATA, &w), ERR_PARTITION);
	buf_free(&b);
	mbentry_free(&e);
	storetest_remove(&t);
}
END_TEST

TCase *case_spool(void)
{
	TCase *t = tcase_create("spool");
	tcase_set_timeout(t, 300);
	tcase_add_checked_fixture(t, walktest_setup, walktest_teardown);
	tcase_add_loop_test(t, order_is_that_of_the_mailbox_list, 0, 3);
	tcase_add_test(t, log_has_a_line_for_each_oddity);
	tcase_add_test(t, log_is_not_flooded);
	tcase_add_test(t, roots_of_the_configuration);
	tcase_add_loop_test(t, directory_of_a_mailbox, 0, COUNT(mailboxes));
	return t;
}
