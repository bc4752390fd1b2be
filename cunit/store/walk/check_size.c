/* check_size.c - trees too deep and too wide, descriptors, system calls. $WALK_ENTRIES: entries in the widest (make
 * check-slow). */
#include "cunit/store/walk/suites.h"
#include "cunit/store/walk/walktest.h"
#include "sys/sys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static int most_open;

static int open_now(void)
{
	int n = 0;
	for (int fd = 0; fd < 256; fd++) n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static int note_openat(int dirfd, const char *name, int flags)
{
	int fd = sys_real.openat(dirfd, name, flags), n = open_now();
	if (n > most_open) most_open = n;
	return fd;
}

static void deep_walk(int depth, const struct sys_calls *calls, uint64_t most_calls)
{
	struct tally t = { 0 };
	const char *root = "r";
	struct dirwalk w = { .roots = &root, .nroots = 1, .levels = DIRWALK_ALL, .limits.depth = depth, .entry = tally, .arg = &t };
	sys_use(calls);
	ck_assert_int_eq(dirwalk_run(&w), 0);
	sys_use(NULL);
	ck_assert_int_eq(t.dirs, depth);
	ck_assert_int_eq(t.files, depth);
	ck_assert_int_eq(t.last, 0);                  /* "z" of the root comes last: every level was come back to */
	ck_assert_uint_eq(w.n.dirs, (uint64_t)depth + 1);
	for (int i = 0; i < DIRWALK_ODDS; i++) ck_assert_uint_eq(w.n.odd[i], 0);
	ck_assert_uint_le(w.n.calls, most_calls);
}

START_TEST(ten_thousand_directories_deep)
{
	struct sys_calls calls = sys_real;
	enum { DEEP = 10000 };
	calls.openat = note_openat;
	dig(DEEP, "z");
	int before = open_now();
	most_open = 0;
	deep_walk(DEEP, &calls, 8 * (DEEP + 1));      /* 5, and 3 to come back: "..", fstat, close */
	ck_assert_int_le(most_open - before, DIRWALK_OPEN + 2);
	ck_assert_int_gt(most_open - before, 1);
	/* with next to no descriptors it goes as well */
	struct rlimit was, few;
	int base = 0;
	for (int fd = 0; fd < 256; fd++)
		if (fcntl(fd, F_GETFD) >= 0) base = fd + 1;
	for (int fd = 0; fd < base; fd++)             /* no gaps: the limit is on numbers */
		if (fcntl(fd, F_GETFD) < 0) ck_assert_int_eq(dup2(0, fd), fd);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &was), 0);
	few = was;
	few.rlim_cur = (rlim_t)base + 4;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	deep_walk(DEEP, NULL, 9 * (DEEP + 1));
	few.rlim_cur = (rlim_t)base + 1;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	ck_assert_int_eq(dirwalk_list("r", 0, NULL, NULL), 0);
	const char *root = "r";
	struct dirwalk w = { .roots = &root, .nroots = 1, .levels = DIRWALK_ALL };
	ck_assert_int_eq(dirwalk_run(&w), -1);
	ck_assert_int_eq(errno, EMFILE);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &was), 0);
}
END_TEST

static int rising(void *arg, const struct dirwalk_entry *e)
{
	struct buf *last = arg;
	ck_assert_msg(!last->len || strcmp(buf_cstr(last), e->name) < 0, "%s after %s", e->name, buf_cstr(last));
	buf_setcstr(last, e->name);
	return 0;
}

/* 10^5 of them; 10^6 when WALK_ENTRIES says so (make check-slow). */
START_TEST(many_entries_in_one_directory)
{
	const char *env = getenv("WALK_ENTRIES"), *root = "r";
	int many = env ? atoi(env) : 100000;
	struct buf last = BUF_INIT;
	make("r");
	ck_assert_int_eq(chdir("r"), 0);
	touch("0");
	for (int i = 1; i < many; i++) {
		char name[32];
		snprintf(name, sizeof name, "%d.", i);
		ck_assert_int_eq(mknod(name, S_IFREG | 0600, 0), 0);
	}
	ck_assert_int_eq(chdir(scratch_dir), 0);
	struct dirwalk w = { .roots = &root, .nroots = 1, .entry = rising, .arg = &last };
	ck_assert_int_eq(dirwalk_run(&w), 0);
	ck_assert_uint_eq(w.n.entries, (uint64_t)many);
	ck_assert_uint_le(w.n.calls, 5 + (uint64_t)many / 1000);
	buf_free(&last);
}
END_TEST

START_TEST(counts_are_right)
{
	const char *root = "r";
	struct tally t = { 0 };
	follow("d r/a/b/c;d r/e;f r/1.;f r/a/2.;f r/a/b/3.;l /sys r/l;l x r/a/l;p r/e/p");
	struct dirwalk w = { .roots = &root, .nroots = 1, .levels = DIRWALK_ALL, .entry = tally, .arg = &t };
	ck_assert_int_eq(dirwalk_run(&w), 0);
	ck_assert_uint_eq(w.n.dirs, 5);
	ck_assert_uint_eq(w.n.entries, 10);
	ck_assert_uint_eq(w.n.odd[DIRWALK_ODD_LINK], 2);
	ck_assert_uint_eq(w.n.odd[DIRWALK_ODD_SPECIAL], 1);
	ck_assert_uint_eq(w.n.calls, 5 * 5);
	ck_assert_int_eq(t.dirs + t.files + t.links, 9);
	w.flags = DIRWALK_STAT;
	ck_assert_int_eq(dirwalk_run(&w), 0);
	ck_assert_uint_eq(w.n.calls, 5 * 5 + 4);      /* files and the FIFO; neither links nor directories */
	w.levels = 1;
	ck_assert_int_eq(dirwalk_run(&w), 0);
	ck_assert_uint_eq(w.n.dirs, 3);
	w.levels = 0;
	w.entry = NULL;
	ck_assert_int_eq(dirwalk_run(&w), 0);
	ck_assert_uint_eq(w.n.dirs, 1);
	ck_assert_uint_eq(w.n.entries, 4);
}
END_TEST

/* Links and circles cost nothing: the same system calls with and without them. */
START_TEST(links_cost_no_system_call)
{
	const char *root = "r";
	uint64_t calls[2];
	for (int i = 0; i < 2; i++) {
		if (!i) follow("d r/a/b;d r/c;f r/a/1.;f r/c/2.");
		else follow("l /sys r/s;l /proc r/a/p;l ../.. r/a/b/up;l . r/c/here;l / r/c/1.;l r r/r");
		struct dirwalk w = { .roots = &root, .nroots = 1, .levels = DIRWALK_ALL, .flags = DIRWALK_STAT };
		ck_assert_int_eq(dirwalk_run(&w), 0);
		ck_assert_uint_eq(w.n.odd[DIRWALK_ODD_LINK], i ? 6 : 0);
		calls[i] = w.n.calls;
	}
	ck_assert_uint_eq(calls[0], calls[1]);
}
END_TEST

TCase *case_size(void)
{
	TCase *t = tcase_create("size");
	tcase_set_timeout(t, 300);
	tcase_add_checked_fixture(t, walktest_setup, walktest_teardown);
	tcase_add_test(t, ten_thousand_directories_deep);
	tcase_add_test(t, many_entries_in_one_directory);
	tcase_add_test(t, counts_are_right);
	tcase_add_test(t, links_cost_no_system_call);
	return t;
}
