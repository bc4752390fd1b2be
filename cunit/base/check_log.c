/* check_log.c - the log, and what keeps it from being flooded. */
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/repeat.h"
#include "cunit/base/suites.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char last_line[64];
static int last_priority;

static void keep(void *arg, int priority, const char *line)
{
	++*(int *)arg;
	last_priority = priority;
	snprintf(last_line, sizeof last_line, "%.60s", line);
}

START_TEST(log_goes_to_the_hook)
{
	int lines = 0;
	log_hook(keep, &lines);
	errno = ENOENT;
	log_msg(LOG_WARNING, "%s: %m", "file");
	log_hook(NULL, NULL);
	ck_assert_int_eq(lines, 1);
	ck_assert_int_eq(last_priority, LOG_WARNING);
	ck_assert_str_eq(last_line, "file: No such file or directory");
	ck_assert_int_eq(log_facility("mail", LOG_USER), LOG_MAIL);
	ck_assert_int_eq(log_facility("LOCAL6", LOG_USER), LOG_LOCAL6);
	ck_assert_int_eq(log_facility("nothing", LOG_USER), LOG_USER);
	ck_assert_int_eq(log_facility("", LOG_USER), LOG_USER);
	ck_assert_int_eq(log_facility(NULL, LOG_USER), LOG_USER);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ repeat */

#define SEC 1000000000LL
static struct repeat rep;
static struct buf out;
static unsigned lines;

static void keep_text(void *arg, int priority, const char *text)
{
	(void)arg;
	lines++;
	buf_printf(&out, "%d %s\n", priority, text);
}

static void repeat_begin(void)
{
	static const struct repeat empty;
	rep = empty;
	rep.emit = keep_text;
	lines = 0;
	buf_reset(&out);
}

static const struct {
	const char *a, *b;
	bool alike;
} alikes[] = {
	{ "", "", true }, { "", "x", false }, { "x", "X", false }, { "7", "123456789", true }, { "7", "7 7", false },
	{ "7 7", "70 0", true },
	{ "pid 12 died", "pid 9 died", true }, { "pid 12 died", "pid  9 died", false }, { "age 1.5s", "age 22.075s", true },
	{ "age 1.5s", "age 15s", false }, { "imap1", "imap2", true }, { "imap", "imap1", false }, { "a\xff", "a\xfe", false },
};

START_TEST(repeat_tells_lines_apart)
{
	repeat_begin();
	for (int i = 0; i < REPEAT_PASS; i++) ck_assert(repeat_pass(&rep, 0, LOG_ERR, alikes[_i].a));
	ck_assert_int_eq(repeat_pass(&rep, 0, LOG_ERR, alikes[_i].b), !alikes[_i].alike);
	ck_assert(repeat_pass(&rep, 0, LOG_WARNING, alikes[_i].a));    /* another priority is another kind */
}
END_TEST

START_TEST(repeat_counts_what_is_over_the_limit)
{
	char line[32];
	repeat_begin();
	ck_assert_int_eq(repeat_due(&rep), INT64_MAX);
	for (int i = 0; i < 8; i++) {
		snprintf(line, sizeof line, "died: %d", i);
		ck_assert_int_eq(repeat_pass(&rep, 100 + i, LOG_ERR, line), i < REPEAT_PASS);
	}
	ck_assert_int_eq(repeat_due(&rep), 100 + REPEAT_WINDOW);
	repeat_flush(&rep, 99 + REPEAT_WINDOW);
	ck_assert_uint_eq(lines, 0);
	repeat_flush(&rep, 100 + REPEAT_WINDOW);
	ck_assert(buf_eq(&out, "3 3 more lines like: died: 7\n"));
	ck_assert_int_eq(repeat_due(&rep), INT64_MAX);
	repeat_flush(&rep, INT64_MAX);
	ck_assert_uint_eq(lines, 1);
	/* A new window begins with the next line, whether or not anybody flushed. */
	for (int i = 0; i < 6; i++) repeat_pass(&rep, 20 * SEC, LOG_ERR, "died: 0");
	ck_assert(repeat_pass(&rep, 30 * SEC, LOG_ERR, "died: 1"));
	ck_assert_ptr_nonnull(strstr(buf_cstr(&out), "3 1 more line like: died: 0\n"));
	/* Few lines: nothing to tell, and no reason to wake. */
	repeat_begin();
	for (int i = 0; i < REPEAT_PASS; i++) repeat_pass(&rep, 0, LOG_CRIT, "x");
	ck_assert_int_eq(repeat_due(&rep), INT64_MAX);
	repeat_flush(&rep, INT64_MAX);
	ck_assert_uint_eq(lines, 0);
	buf_free(&out);
}
END_TEST

START_TEST(repeat_storm_of_100000_lines)
{
	char line[64];
	unsigned passed = 0;
	unsigned long told = 0;
	repeat_begin();
	for (int i = 0; i < 100000; i++) {                     /* 100 seconds of it */
		snprintf(line, sizeof line, "fork of service %d failed", i);
		passed += repeat_pass(&rep, i * (SEC / 1000), LOG_ERR, line);
	}
	repeat_flush(&rep, INT64_MAX);
	ck_assert_uint_eq(passed, 10 * REPEAT_PASS);
	ck_assert_uint_eq(lines, 10);
	for (const char *p = buf_cstr(&out); *p; p = strchr(p, '\n') + 1) told += strtoul(p + 2, NULL, 10);
	ck_assert_uint_eq(told + passed, 100000);              /* nothing is lost from the count */
	ck_assert_ptr_nonnull(strstr(buf_cstr(&out), "fork of service 99999 failed"));
	buf_free(&out);
}
END_TEST

START_TEST(repeat_table_is_bounded)
{
	char line[64];
	unsigned passed = 0, came = 0;
	repeat_begin();
	for (int i = 0; i < 6; i++) repeat_pass(&rep, 0, LOG_ERR, "first"), passed += i < REPEAT_PASS, came++;
	for (int round = 0; round < 20; round++)
		for (int i = 0; i < 3 * REPEAT_KINDS; i++) {
			snprintf(line, sizeof line, "kind %c%c", 'a' + i / 26, 'a' + i % 26);
			passed += repeat_pass(&rep, 1 + round, LOG_ERR, line);
			came++;
		}
	ck_assert_msg(!strncmp(buf_cstr(&out), "3 1 more line like: first\n", 26), "the oldest goes first, and is told of");
	repeat_flush(&rep, INT64_MAX);
	ck_assert_uint_le(passed + lines, came);
	/* One kind among many is still counted as long as its window is younger than the table is large. */
	repeat_begin();
	passed = 0;
	for (int i = 0; i < 1000; i++) {
		snprintf(line, sizeof line, "kind %c", 'a' + i % 26);
		passed += repeat_pass(&rep, i, LOG_ERR, line);
	}
	ck_assert_uint_eq(passed, 26 * REPEAT_PASS);
	buf_free(&out);
}
END_TEST

START_TEST(repeat_leaves_notices_alone)
{
	repeat_begin();
	for (int i = 0; i < 100; i++)
		for (int p = LOG_NOTICE; p <= LOG_DEBUG; p++) ck_assert(repeat_pass(&rep, 0, p, "got SIGHUP"));
	ck_assert(repeat_pass(&rep, 0, LOG_DAEMON | LOG_NOTICE, "got SIGHUP"));
	for (int i = 0; i < REPEAT_PASS; i++) ck_assert(repeat_pass(&rep, 0, LOG_WARNING, "got SIGHUP"));
	ck_assert(!repeat_pass(&rep, 0, LOG_WARNING, "got SIGHUP"));
}
END_TEST

START_TEST(repeat_long_and_odd_lines)
{
	char *big = mem_alloc(100001);
	memset(big, 'x', 100000);
	big[100000] = 0;
	repeat_begin();
	for (int i = 0; i < 6; i++) repeat_pass(&rep, 0, LOG_ERR, big);
	memset(big, '7', 100000);
	for (int i = 0; i < 5; i++) ck_assert(repeat_pass(&rep, 0, LOG_ERR, big));
	ck_assert(!repeat_pass(&rep, 0, LOG_ERR, "1"));
	ck_assert(repeat_pass(&rep, 0, LOG_ERR, "%s%n"));
	for (int i = 0; i < 5; i++) repeat_pass(&rep, 0, LOG_ERR, "%s%n");
	repeat_flush(&rep, INT64_MAX);
	ck_assert_uint_eq(lines, 3);
	ck_assert_ptr_nonnull(strstr(buf_cstr(&out), "like: %s%n\n"));
	ck_assert_uint_lt(out.len, 3 * REPEAT_TEXT);
	buf_free(&out);
	free(big);
}
END_TEST

/* The filter of the log: asked about warnings and worse, and may write itself. */
static bool refuse_bad(void *arg, int priority, const char *line)
{
	++*(unsigned *)arg;
	if (!strstr(line, "bad 7")) return true;
	errno = 0;
	log_msg(priority, "instead of %s", line);
	return false;
}

START_TEST(log_filter_drops_lines)
{
	unsigned asked = 0;
	repeat_begin();
	log_hook(keep_text, NULL);
	log_filter(refuse_bad, &asked);
	errno = ENOENT;
	log_msg(LOG_ERR, "bad %d", 7);
	ck_assert_int_eq(errno, ENOENT);
	log_msg(LOG_NOTICE, "bad 7");
	log_msg(LOG_WARNING, "good %s", "line");
	log_filter(NULL, NULL);
	log_msg(LOG_ERR, "bad 7");
	log_hook(NULL, NULL);
	ck_assert(buf_eq(&out, "3 instead of bad 7\n5 bad 7\n4 good line\n3 bad 7\n"));
	ck_assert_uint_eq(asked, 2);
	buf_free(&out);
}
END_TEST

TCase *case_log(void)
{
	TCase *t = tcase_create("log");
	tcase_add_test(t, log_goes_to_the_hook);
	tcase_add_test(t, log_filter_drops_lines);
	tcase_add_loop_test(t, repeat_tells_lines_apart, 0, COUNT(alikes));
	tcase_add_test(t, repeat_counts_what_is_over_the_limit);
	tcase_add_test(t, repeat_storm_of_100000_lines);
	tcase_add_test(t, repeat_table_is_bounded);
	tcase_add_test(t, repeat_leaves_notices_alone);
	tcase_add_test(t, repeat_long_and_odd_lines);
	return t;
}
