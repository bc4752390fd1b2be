/* check_trees.c - trees that should not be, roots, and the order of names. */
#include "cunit/store/walk/suites.h"
#include "cunit/store/walk/walktest.h"

#include <errno.h>
#include <string.h>

static const struct { const char *recipe, *want; } trees[] = {
	{ "d r", "" },
	{ "d r;d r/a/b;f r/a/b/g;f r/f;f r/.h", "0f:r/.h 0d:r/a 1d:r/a/b 2f:r/a/b/g 0f:r/f" },
	{ "d r;l /sys r/x", "0l:r/x LINK=1" },
	{ "d r;l /sys/class r/cyrus.header", "0l:r/cyrus.header LINK=1" },
	{ "d r;l /proc r/x;l /proc/self/cwd r/y;l /proc/self/fd r/z", "0l:r/x 0l:r/y 0l:r/z LINK=3" },
	{ "d r;l / r/x", "0l:r/x LINK=1" },
	{ "d r/a;l .. r/up;l . r/here;l .. r/a/up;l ../.. r/a/upup", "0d:r/a 1l:r/a/up 1l:r/a/upup 0l:r/here 0l:r/up LINK=4" },
	{ "d r;l self r/self;l b r/a;l a r/b", "0l:r/a 0l:r/b 0l:r/self LINK=3" },
	{ "d r/sibling;f r/sibling/f;l sibling r/a", "0l:r/a 0d:r/sibling 1f:r/sibling/f LINK=1" },
	{ "d r/d;f r/d/f;l d r/3;l 3 r/2;l 2 r/1", "0l:r/1 0l:r/2 0l:r/3 0d:r/d 1f:r/d/f LINK=3" },
	{ "d r;d out/in;f out/secret;l ../out r/x;l ../out/secret r/1.;l nowhere r/y", "0l:r/1. 0l:r/x 0l:r/y LINK=3" },
	{ "d r;p r/1.;p r/cyrus.index;f r/2.", "0s:r/1. 0f:r/2. 0s:r/cyrus.index SPECIAL=2" },
	{ "d r/a\nb;f r/a\nb/\001;l /\n r/\n", "0l:r/\n 0d:r/a\nb 1f:r/a\nb/\001 LINK=1" },
	{ "d r/\xff\xfe;f r/&;f r/&Jjo;f r/&&-;f r/\xc3\xa4;f r/%s%n",
		"0f:r/%s%n 0f:r/& 0f:r/&&- 0f:r/&Jjo 0f:r/\xc3\xa4 0d:r/\xff\xfe" },
	{ "d r/...;f r/.../..x;d r/-;f r/~", "0d:r/- 0d:r/... 1f:r/.../..x 0f:r/~" },
};

START_TEST(trees_that_should_not_be)
{
	follow(trees[_i].recipe);
	expect("r", trees[_i].want);
}
END_TEST

START_TEST(names_of_255_bytes)
{
	struct buf b = BUF_INIT;
	char name[256] = "";
	memset(name, 'n', 255);
	buf_printf(&b, "r/%s/%s", name, name);
	make(buf_cstr(&b));
	buf_reset(&b);
	buf_printf(&b, "0d:r/%s 1d:r/%s/%s", name, name, name);
	expect("r", buf_cstr(&b));
	buf_free(&b);
}
END_TEST

/* {what to make, root, below, flags, result, errno, oddities} */
static const struct { const char *recipe, *root, *below; unsigned flags; int want, err; const char *odd; } roots[] = {
	{ "d d", "", NULL, 0, -1, ENOENT, "" },
	{ "d d", "none", NULL, 0, -1, ENOENT, "" },
	{ "d d", "none", NULL, DIRWALK_ROOT_GONE, 0, 0, "" },
	{ "d d", "none/deeper", NULL, DIRWALK_ROOT_GONE, 0, 0, "" },
	{ "f f", "f", NULL, 0, -1, ENOTDIR, "" },
	{ "f f", "f/x", NULL, DIRWALK_ROOT_GONE, -1, ENOTDIR, "" },
	{ "p p", "p", NULL, 0, -1, ENOTDIR, "" },
	{ "d d;f d/f;l d l", "l", NULL, 0, -1, ELOOP, " LINK=1" },
	{ "d d;f d/f;l d l", "l/", NULL, 0, -1, ELOOP, " LINK=1" },
	{ "d d;f d/f;l d l", "l", NULL, DIRWALK_ROOT_LINK, 0, 0, "0f:l/f" },
	{ "d d;f d/f;l d l", "l///", NULL, DIRWALK_ROOT_LINK, 0, 0, "0f:l/f" },
	{ "l l l", "l", NULL, DIRWALK_ROOT_LINK, -1, ELOOP, " LINK=1" },
	{ "l l l", "l", NULL, 0, -1, ELOOP, " LINK=1" },
	{ "d d/a/b;f d/a/b/f;f d/g", "d", "a/b", 0, 0, 0, "0f:d/a/b/f" },
	{ "d d/a/b;f d/a/b/f;f d/g", "d/", "/a//b/", 0, 0, 0, "0f:d/a/b/f" },
	{ "d d/a/b;f d/g", "d", "", 0, 0, 0, "0d:d/a 1d:d/a/b 0f:d/g" },
	{ "d d/a;f d/g", "d", "a/../..", 0, -1, EINVAL, "" },
	{ "d d/a;f d/g", "d", "..", 0, -1, EINVAL, "" },
	{ "d d;d out/b;l ../out d/a", "d", "a/b", 0, -1, ELOOP, " LINK=1" },
	{ "d d;d out/b;l ../out d/a", "d", "a/b", DIRWALK_ROOT_LINK, -1, ELOOP, " LINK=1" },
	{ "d d/a;d out;l ../../out d/a/b", "d", "a/b", DIRWALK_ROOT_LINK | DIRWALK_ROOT_GONE, -1, ELOOP, " LINK=1" },
	{ "d d/a/b;f d/a/b/f;l d l", "l", "a/b", 0, -1, ELOOP, " LINK=1" },
	{ "d d/a/b;f d/a/b/f;l d l", "l", "a/b", DIRWALK_ROOT_LINK, 0, 0, "0f:l/a/b/f" },
	{ "d d/a;f d/a/b", "d", "a/b", 0, -1, ENOTDIR, "" },
	{ "d d/a;f d/a/b", "d", "a/c", 0, -1, ENOENT, "" },
	{ "d d/a;f d/a/b", "d", "a/c", DIRWALK_ROOT_GONE, 0, 0, "" },
	{ "d d;p d/a", "d", "a/c", 0, -1, ENOTDIR, "" },
};

START_TEST(roots_and_what_is_below_them)
{
	struct buf b = BUF_INIT;
	follow(roots[_i].recipe);
	struct dirwalk w = { .roots = &roots[_i].root, .nroots = 1, .below = roots[_i].below, .levels = DIRWALK_ALL,
		.flags = roots[_i].flags, .entry = collect, .arg = &b };
	ck_assert_int_eq(dirwalk_run(&w), roots[_i].want);
	if (roots[_i].err) ck_assert_int_eq(errno, roots[_i].err);
	put_odds(&b, &w);
	ck_assert_str_eq(buf_cstr(&b), roots[_i].odd);
	buf_free(&b);
}
END_TEST

/* A root in a root is walked when its turn comes, and once. */
START_TEST(roots_in_roots)
{
	static const char *const both[] = { "r", "r/part", "link" , "r/part/", "r" };
	struct buf b = BUF_INIT;
	follow("d r/part/sub;f r/part/sub/f;d r/a;f r/z;l r/part link");
	struct dirwalk w = { .roots = both, .nroots = COUNT(both), .levels = DIRWALK_ALL, .flags = DIRWALK_ROOT_LINK,
		.entry = collect, .arg = &b };
	ck_assert_int_eq(dirwalk_run(&w), 0);
	put_odds(&b, &w);
	ck_assert_str_eq(buf_cstr(&b), "0d:r/a 0d:r/part 0f:r/z 0d:r/part/sub 1f:r/part/sub/f");
	ck_assert_uint_eq(w.n.dirs, 4);
	buf_reset(&b);
	w.roots = (const char *const[]){ "r/a", "none", "r/part" };
	w.nroots = 3;
	ck_assert_int_eq(dirwalk_run(&w), -1);
	w.flags |= DIRWALK_ROOT_GONE;
	ck_assert_int_eq(dirwalk_run(&w), 0);
	ck_assert_str_eq(buf_cstr(&b), "0d:r/part/sub 1f:r/part/sub/f");
	buf_reset(&b);
	w.nroots = 0;
	ck_assert_int_eq(dirwalk_run(&w), 0);
	buf_free(&b);
}
END_TEST

START_TEST(order_is_that_of_names)
{
	static const struct { char sep; bool caret; const char *want; } rows[] = {
		{ '.', false, "a a! a!/x a-b a-b/x a/a a/a/a a/b a0 a0/x a^b b " },
		{ '\x1f', false, "a a/a a/a/a a/b a! a!/x a-b a-b/x a0 a0/x a^b b " },
		{ '\x1f', true, "a a/a a/a/a a/b a! a!/x a-b a-b/x a^b a0 a0/x b " },
	};
	const char *root = "r";
	follow("d r/a/b;d r/a/a/a;d r/a-b/x;d r/a!/x;d r/a0/x;d r/a^b;d r/b");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b = BUF_INIT;
		unsigned char rank[256];
		for (int c = 0; c < 256; c++) rank[c] = (unsigned char)(c == '^' && rows[i].caret ? '.' : c);
		struct dirwalk w = { .roots = &root, .nroots = 1, .levels = DIRWALK_ALL, .rank = rank, .sep = rows[i].sep,
			.entry = put_path, .arg = &b };
		ck_assert_int_eq(dirwalk_run(&w), 0);
		ck_assert_str_eq(buf_cstr(&b), rows[i].want);
		buf_free(&b);
	}
}
END_TEST

TCase *case_trees(void)
{
	TCase *t = tcase_create("trees");
	tcase_set_timeout(t, 300);
	tcase_add_checked_fixture(t, walktest_setup, walktest_teardown);
	tcase_add_loop_test(t, trees_that_should_not_be, 0, COUNT(trees));
	tcase_add_test(t, names_of_255_bytes);
	tcase_add_loop_test(t, roots_and_what_is_below_them, 0, COUNT(roots));
	tcase_add_test(t, roots_in_roots);
	tcase_add_test(t, order_is_that_of_names);
	return t;
}
