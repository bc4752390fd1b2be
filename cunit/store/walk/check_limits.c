/* check_limits.c - a walk that is limited, or told to skip or to stop. */
#include "cunit/store/walk/suites.h"
#include "cunit/store/walk/walktest.h"
#include "sys/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static int64_t now;
static int64_t slow_clock(void) { return now += NSEC_PER_SEC; }

static const struct { struct dirwalk_limits max; const char *want; int result, err; } limited[] = {
	{ { .depth = 2 }, "0d:r/a 1d:r/a/b 2d:r/a/b/c 1f:r/a/long-name 0f:r/x 0f:r/y DEEP=1", 0, 0 },
	{ { .depth = 3 }, "0d:r/a 1d:r/a/b 2d:r/a/b/c 3f:r/a/b/c/f 1f:r/a/long-name 0f:r/x 0f:r/y", 0, 0 },
	{ { .name = 1 }, "0d:r/a 1d:r/a/b 2d:r/a/b/c 3f:r/a/b/c/f 0f:r/x 0f:r/y NAME=1", 0, 0 },
	{ { .name = 9 }, "0d:r/a 1d:r/a/b 2d:r/a/b/c 3f:r/a/b/c/f 1f:r/a/long-name 0f:r/x 0f:r/y", 0, 0 },
	{ { .entries = 2 }, " ENTRIES=1", -1, E2BIG },
	{ { .entries = 5 }, "0d:r/a 1d:r/a/b ENTRIES=1", -1, E2BIG },
	{ { .entries = 7 }, "0d:r/a 1d:r/a/b 2d:r/a/b/c 3f:r/a/b/c/f 1f:r/a/long-name 0f:r/x 0f:r/y", 0, 0 },
	{ { .held = 2 }, " ENTRIES=1", -1, E2BIG },
	{ { .held = 4 }, "0d:r/a ENTRIES=1", -1, E2BIG },
	{ { .held = 7 }, "0d:r/a 1d:r/a/b 2d:r/a/b/c 3f:r/a/b/c/f 1f:r/a/long-name 0f:r/x 0f:r/y", 0, 0 },
	{ { .nsec = 1 }, " TIME=1", -1, ETIMEDOUT },
	{ { .nsec = 4 * NSEC_PER_SEC }, "0d:r/a 1d:r/a/b TIME=1", -1, ETIMEDOUT },
	{ { .nsec = 400 * NSEC_PER_SEC }, "0d:r/a 1d:r/a/b 2d:r/a/b/c 3f:r/a/b/c/f 1f:r/a/long-name 0f:r/x 0f:r/y", 0, 0 },
};

START_TEST(limits_are_told)
{
	const char *root = "r";
	struct buf b = BUF_INIT;
	follow("d r/a/b/c;f r/a/b/c/f;f r/a/long-name;f r/x;f r/y");
	clock_fake(slow_clock, NULL);
	struct dirwalk w = { .roots = &root, .nroots = 1, .levels = DIRWALK_ALL, .limits = limited[_i].max, .entry = collect,
		.arg = &b };
	ck_assert_int_eq(dirwalk_run(&w), limited[_i].result);
	if (limited[_i].err) ck_assert_int_eq(errno, limited[_i].err);
	put_odds(&b, &w);
	ck_assert_str_eq(buf_cstr(&b), limited[_i].want);
	buf_free(&b);
}
END_TEST

/* The default depth; and time runs out in the middle of a long directory too. */
START_TEST(limits_have_defaults)
{
	struct tally t = { 0 };
	const char *root = "r";
	dig(DIRWALK_DEPTH + 100, NULL);
	struct dirwalk w = { .roots = &root, .nroots = 1, .levels = DIRWALK_ALL, .entry = tally, .arg = &t };
	ck_assert_int_eq(dirwalk_run(&w), 0);
	ck_assert_int_eq(t.deepest, DIRWALK_DEPTH);
	ck_assert_uint_eq(w.n.odd[DIRWALK_ODD_DEEP], 1);
	make("wide");
	for (int i = 0; i < 1000; i++) {
		char name[32];
		snprintf(name, sizeof name, "wide/%d", i);
		ck_assert_int_eq(mknod(name, S_IFREG | 0600, 0), 0);
	}
	root = "wide";
	t = (struct tally){ 0 };
	clock_fake(slow_clock, NULL);
	w.limits.nsec = 4 * NSEC_PER_SEC;
	ck_assert_int_eq(dirwalk_run(&w), -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
	ck_assert_int_ge(t.files, 255);
	ck_assert_int_lt(t.files, 1000);
}
END_TEST

static int skip_or_stop(void *arg, const struct dirwalk_entry *e)
{
	collect(arg, e);
	return !strcmp(e->name, "skip") ? DIRWALK_SKIP : !strcmp(e->name, "stop") ? 42 : !strcmp(e->name, "fail") ? -1 : 0;
}

START_TEST(walk_skips_and_stops_as_told)
{
	static const struct { const char *recipe; int result; const char *want; } rows[] = {
		{ "d r/skip/inside;f r/f", 0, "0f:r/f 0d:r/skip" },
		{ "f r/a", 0, "0f:r/a 0f:r/f 0d:r/skip" },
		{ "d r/a-/stop/below", 42, "0f:r/a 0d:r/a- 1d:r/a-/stop" },
		{ "f r/a-/fail", -1, "0f:r/a 0d:r/a- 1f:r/a-/fail" },
	};
	const char *root = "r";
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b = BUF_INIT;
		follow(rows[i].recipe);
		struct dirwalk w = { .roots = &root, .nroots = 1, .levels = DIRWALK_ALL, .entry = skip_or_stop, .arg = &b };
		ck_assert_int_eq(dirwalk_run(&w), rows[i].result);
		ck_assert_str_eq(buf_cstr(&b), rows[i].want);
		buf_free(&b);
	}
}
END_TEST

TCase *case_limits(void)
{
	TCase *t = tcase_create("limits");
	tcase_set_timeout(t, 300);
	tcase_add_checked_fixture(t, walktest_setup, walktest_teardown);
	tcase_add_loop_test(t, limits_are_told, 0, COUNT(limited));
	tcase_add_test(t, limits_have_defaults);
	tcase_add_test(t, walk_skips_and_stops_as_told);
	return t;
}
