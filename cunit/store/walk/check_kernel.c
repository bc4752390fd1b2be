/* check_kernel.c - a kernel that says odd things. */
#include "cunit/store/walk/suites.h"
#include "cunit/store/walk/walktest.h"
#include "sys/sys.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int dents_calls, dents_fail_at, dents_err;

static ssize_t failing_getdents(int fd, void *p, size_t n)
{
	if (++dents_calls == dents_fail_at) {
		errno = dents_err;
		return -1;
	}
	return sys_real.getdents(fd, p, n);
}

static bool interrupted;
static int interrupted_openat(int dirfd, const char *name, int flags)
{
	interrupted = !interrupted;
	errno = EINTR;
	return interrupted ? -1 : sys_real.openat(dirfd, name, flags);
}

static ssize_t interrupted_getdents(int fd, void *p, size_t n)
{
	interrupted = !interrupted;
	errno = EINTR;
	return interrupted ? -1 : sys_real.getdents(fd, p, n);
}

/* A file system that tells no types, and one entry a call. */
static ssize_t untyped_getdents(int fd, void *p, size_t n)
{
	ssize_t got = sys_real.getdents(fd, p, n < 64 ? n : 64);
	for (ssize_t at = 0; at < got;) {
		struct sys_dirent *d = (void *)((char *)p + at);
		d->type = DT_UNKNOWN;
		at += d->size;
	}
	return got;
}

START_TEST(errors_of_the_kernel)
{
	struct sys_calls calls = sys_real;
	static const struct { int at, err, result; const char *want; } rows[] = {
		{ 1, EIO, -1, " UNREADABLE=1" },                 /* of the root nothing or half is worse than an error */
		{ 2, EIO, -1, " UNREADABLE=1" },
		{ 3, EIO, 0, "0d:r/a 0f:r/z UNREADABLE=1" },
		{ 4, EIO, 0, "0d:r/a 1f:r/a/f 0f:r/z UNREADABLE=1" },
		{ 3, ENOENT, 0, "0d:r/a 0f:r/z" },               /* removed after we opened it */
		{ 9, EIO, 0, "0d:r/a 1f:r/a/f 0f:r/z" },
	};
	follow("d r/a;f r/a/f;f r/z");
	for (size_t i = 0; i < COUNT(rows); i++) {
		calls = sys_real;
		calls.getdents = failing_getdents;
		dents_calls = 0;
		dents_fail_at = rows[i].at;
		dents_err = rows[i].err;
		sys_use(&calls);
		char *s = walk_all("r", 0, rows[i].result);
		if (rows[i].result) ck_assert_int_eq(errno, EIO);
		ck_assert_str_eq(s, rows[i].want);
		free(s);
	}
	calls = sys_real;
	calls.openat = interrupted_openat;
	calls.getdents = interrupted_getdents;
	sys_use(&calls);
	expect("r", "0d:r/a 1f:r/a/f 0f:r/z");
	calls = sys_real;
	calls.getdents = untyped_getdents;
	follow("l /sys r/l;p r/p;d r/a-b");
	sys_use(&calls);
	expect("r", "0d:r/a 0d:r/a-b 1f:r/a/f 0l:r/l 0s:r/p 0f:r/z LINK=1 SPECIAL=1");
}
END_TEST

static const struct { uint16_t size; uint8_t type; const char *name; size_t name_len; const char *want; int result; } records[] =
	{
	{ 24, DT_REG, "x\0\0\0\0", 5, "0f:r/x", 0 },
	{ 0, DT_REG, "x\0\0\0\0", 5, " UNREADABLE=1", -1 },
	{ 19, DT_REG, "x\0\0\0\0", 5, " UNREADABLE=1", -1 },
	{ 25, DT_REG, "x\0\0\0\0", 5, " UNREADABLE=1", -1 },
	{ 65535, DT_REG, "x\0\0\0\0", 5, " UNREADABLE=1", -1 },
	{ 24, DT_REG, "xxxxx", 5, " NAME=1", 0 },
	{ 24, DT_REG, "\0\0\0\0\0", 5, " NAME=1", 0 },
	{ 24, DT_DIR, "a/b\0\0", 5, " NAME=1", 0 },
	{ 24, DT_DIR, "/\0\0\0\0", 5, " NAME=1", 0 },
	{ 20, DT_DIR, ".", 1, " NAME=1", 0 },
	{ 24, DT_DIR, "..\0\0\0", 5, "", 0 },
	{ 24, DT_DIR, "no\0\0\0", 5, "0d:r/no vanished=1", 0 },
	{ 24, DT_WHT, "x\0\0\0\0", 5, "0s:r/x SPECIAL=1", 0 },
	{ 24, 255, "x\0\0\0\0", 5, "0s:r/x SPECIAL=1", 0 },
};
static size_t record;
static bool record_done;

static ssize_t one_record(int fd, void *p, size_t n)
{
	(void)fd, (void)n;
	if (record_done) return 0;
	record_done = true;
	size_t head = offsetof(struct sys_dirent, name);
	struct sys_dirent *d = p;
	d->ino = 7;
	d->size = records[record].size;
	d->type = records[record].type;
	memcpy(d->name, records[record].name, records[record].name_len);
	return (ssize_t)(head + records[record].name_len);
}

START_TEST(records_of_nonsense)
{
	struct sys_calls calls = sys_real;
	make("r");
	calls.getdents = one_record;
	record = (size_t)_i;
	record_done = false;
	sys_use(&calls);
	char *s = walk_all("r", 0, records[_i].result);
	ck_assert_str_eq(s, records[_i].want);
	free(s);
}
END_TEST

TCase *case_kernel(void)
{
	TCase *t = tcase_create("kernel");
	tcase_set_timeout(t, 300);
	tcase_add_checked_fixture(t, walktest_setup, walktest_teardown);
	tcase_add_test(t, errors_of_the_kernel);
	tcase_add_loop_test(t, records_of_nonsense, 0, COUNT(records));
	return t;
}
