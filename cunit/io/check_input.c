/* check_input.c - a stream read: in pieces, too long, too late, not at all. */
#include "cunit/io/prottest.h"
#include "cunit/io/suites.h"
#include "io/prot.h"
#include "sys/clock.h"

#include <check.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------------ reading */

START_TEST(bytes_one_at_a_time)
{
	play("a\0\xff" "bc", 5, (size_t)_i + 1);
	ck_assert_int_eq(prot_getc(p), 'a');
	prot_ungetc(p, 'a');
	ck_assert_int_eq(prot_getc(p), 'a');
	ck_assert_int_eq(prot_getc(p), 0);
	ck_assert_int_eq(prot_getc(p), 0xff);                /* not PROT_EOF */
	char two[3] = "";
	ck_assert_uint_eq(prot_read(p, two, 2), 2);
	ck_assert_str_eq(two, "bc");
	ck_assert_ptr_null(prot_error(p));
	ck_assert_int_eq(prot_getc(p), PROT_EOF);
	prot_ungetc(p, PROT_EOF);
	ck_assert_int_eq(prot_getc(p), PROT_EOF);
	ck_assert(prot_eof(p) && !prot_timed_out(p));
	ck_assert_str_eq(prot_error(p), "end of file reached");
	ck_assert_uint_eq(prot_bytes_in(p), 5);
	const char *s;
	ck_assert_uint_eq(prot_peek(p, &s), 0);
	ck_assert_uint_eq(prot_read(p, two, 2), 0);
}
END_TEST

START_TEST(read_ends_with_the_stream)
{
	char buf[10] = "";
	play("abc", 3, 2);
	ck_assert_uint_eq(prot_read(p, buf, 9), 3);
	ck_assert_str_eq(buf, "abc");
	ck_assert(prot_eof(p));
}
END_TEST

static const struct { const char *in; size_t n, max; bool ok; const char *line; size_t len; int next; } lines[] = {
	{ "", 0, 10, false, "", 0, PROT_EOF }, { "abc", 3, 10, false, "abc", 3, PROT_EOF },
	{ "abc", 3, 3, true, "abc", 3, PROT_EOF },
	{ "abcdef\n", 7, 3, true, "abc", 3, 'd' }, { "\n", 1, 10, true, "\n", 1, PROT_EOF },
	{ "a\r\nb", 4, 10, true, "a\r\n", 3, 'b' },
	{ "a\nb\n", 4, 10, true, "a\n", 2, 'b' }, { "a\0b\nc", 5, 10, true, "a\0b\n", 4, 'c' },
	{ "ab\nc", 4, 3, true, "ab\n", 3, 'c' },
	{ "ab\nc", 4, 2, true, "ab", 2, '\n' }, { "a\rb\n", 4, 10, true, "a\rb\n", 4, PROT_EOF },
	{ "x\n", 2, 0, true, "", 0, 'x' },
};

/* Each row whole, and one byte at a time. */
START_TEST(lines_and_their_limit)
{
	size_t row = (size_t)_i / 2;
	struct buf b = BUF_INIT;
	buf_puts(&b, "kept");
	play(lines[row].in, lines[row].n, _i % 2 ? 1 : 100);
	ck_assert_int_eq(prot_getline(p, &b, lines[row].max), lines[row].ok);
	ck_assert_uint_eq(b.len, 4 + lines[row].len);
	ck_assert_int_eq(memcmp(b.s, "kept", 4), 0);
	if (lines[row].len) ck_assert_int_eq(memcmp(b.s + 4, lines[row].line, lines[row].len), 0);
	ck_assert_int_eq(prot_getc(p), lines[row].next);
	buf_free(&b);
}
END_TEST

/* A line longer than any buffer stops at the limit and the rest is still there. */
START_TEST(line_without_end)
{
	struct buf big = BUF_INIT, b = BUF_INIT;
	for (int i = 0; i < 50000; i++) buf_putc(&big, 'a' + i % 26);
	play(big.s, big.len, 7000);
	ck_assert(prot_getline(p, &b, 40000));
	ck_assert_uint_eq(b.len, 40000);
	ck_assert_int_eq(memcmp(b.s, big.s, 40000), 0);
	ck_assert(!prot_getline(p, &b, 40000));
	ck_assert_uint_eq(b.len, 50000);
	ck_assert_int_eq(memcmp(b.s, big.s, 50000), 0);
	buf_free(&big);
	buf_free(&b);
}
END_TEST

START_TEST(peek_and_skip)
{
	const char *s;
	play("abcdef", 6, 3);
	ck_assert_uint_eq(prot_peek(p, &s), 3);
	ck_assert_int_eq(memcmp(s, "abc", 3), 0);
	prot_skip(p, 2);
	ck_assert_uint_eq(prot_peek(p, &s), 1);
	prot_skip(p, 1);
	ck_assert_uint_eq(prot_peek(p, &s), 3);
	ck_assert_int_eq(*s, 'd');
	prot_discard_input(p);
	ck_assert_int_eq(prot_getc(p), PROT_EOF);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ waiting */

static void after_a_time_out(void)
{
	ck_assert(prot_timed_out(p) && !prot_eof(p));
	ck_assert_str_eq(prot_error(p), "idle for too long");
	send_them("late", 4);
	ck_assert_int_eq(prot_getc(p), PROT_EOF);            /* errors stick */
	prot_puts(p, "answer");
	ck_assert_int_eq(prot_flush(p), -1);
	char buf[16];
	ck_assert_uint_eq(arrived(buf, sizeof buf), 0);      /* and writes are dropped */
}

START_TEST(wait_ends_at_the_timeout)
{
	int asked = 0;
	waits_left = 0;
	prot_set_timeout(p, 180);
	prot_set_wait(p, time_out, &asked);
	ck_assert_int_eq(prot_getc(p), PROT_EOF);
	ck_assert_int_eq(asked, 180000);
	after_a_time_out();
}
END_TEST

/* A timeout of many days, as an administrator may write it, is no negative number of milliseconds. */
START_TEST(wait_with_an_enormous_timeout)
{
	int asked = 0;
	waits_left = 0;
	prot_set_timeout(p, INT_MAX);
	prot_set_wait(p, time_out, &asked);
	ck_assert_int_eq(prot_getc(p), PROT_EOF);
	ck_assert(asked == -1 || asked > 1000000000);
	after_a_time_out();
}
END_TEST

START_TEST(wait_for_ever)
{
	int asked = 0;
	waits_left = 3;
	wait_errno = EINTR;                                  /* signals do not end it */
	prot_set_timeout(p, 0);
	prot_set_wait(p, time_out, &asked);
	prot_getc(p);
	ck_assert_int_eq(asked, -1);
	ck_assert_int_eq(waits_left, -1);
}
END_TEST

static int64_t hurry_now;
static int64_t hurry(void) { return hurry_now += 4 * NSEC_PER_SEC; }

/* Signals that keep coming do not put the deadline off: by this clock the third wait is too late. */
START_TEST(interrupted_waits_keep_the_deadline)
{
	int asked = 0;
	waits_left = 100;
	wait_errno = EINTR;
	clock_fake(hurry, NULL);
	prot_set_timeout(p, 10);
	prot_set_wait(p, time_out, &asked);
	ck_assert_int_eq(prot_getc(p), PROT_EOF);
	ck_assert_int_eq(waits_left, 97);
	ck_assert_int_le(asked, 2001);
	clock_fake(NULL, NULL);
	after_a_time_out();
}
END_TEST

START_TEST(wait_that_fails)
{
	int asked = 0;
	waits_left = 1;
	wait_errno = ENOMEM;
	prot_set_wait(p, time_out, &asked);
	ck_assert_int_eq(prot_getc(p), PROT_EOF);
	ck_assert(!prot_timed_out(p) && !prot_eof(p));
	ck_assert_str_eq(prot_error(p), strerror(ENOMEM));
}
END_TEST

START_TEST(input_waiting)
{
	char buf[16];
	prot_puts(p, "prompt");
	ck_assert(!prot_input_waiting(p, 0));
	ck_assert_uint_eq(arrived(buf, sizeof buf), 6);      /* output is sent first */
	send_them("ab", 2);
	ck_assert(prot_input_waiting(p, 0));
	ck_assert_int_eq(prot_getc(p), 'a');
	ck_assert(prot_input_waiting(p, 0));                 /* buffered */
	ck_assert_int_eq(prot_getc(p), 'b');
	ck_assert(!prot_input_waiting(p, 0));
	hang_up();
	ck_assert(prot_input_waiting(p, 0));                 /* the end is news too */
	ck_assert_int_eq(prot_getc(p), PROT_EOF);
	ck_assert(prot_input_waiting(p, 0));
}
END_TEST

TCase *case_input(void)
{
	TCase *t = tcase_create("input");
	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, prottest_setup, prottest_teardown);
	tcase_add_loop_test(t, bytes_one_at_a_time, 0, 5);
	tcase_add_test(t, read_ends_with_the_stream);
	tcase_add_loop_test(t, lines_and_their_limit, 0, 2 * COUNT(lines));
	tcase_add_test(t, line_without_end);
	tcase_add_test(t, peek_and_skip);
	tcase_add_test(t, wait_ends_at_the_timeout);
	tcase_add_test(t, wait_with_an_enormous_timeout);
	tcase_add_test(t, wait_for_ever);
	tcase_add_test(t, interrupted_waits_keep_the_deadline);
	tcase_add_test(t, wait_that_fails);
	tcase_add_test(t, input_waiting);
	return t;
}
