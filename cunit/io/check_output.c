/* check_output.c - a stream written to: peers that do not read, or have gone; two descriptors; the tap. */
#include "cunit/io/prottest.h"
#include "cunit/io/suites.h"
#include "io/prot.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

START_TEST(output_goes_out_before_a_read_waits)
{
	char buf[32];
	prot_puts(p, "* OK");
	prot_putc(p, ' ');
	prot_printf(p, "%s%d", "x", 7);
	ck_assert_uint_eq(arrived(buf, sizeof buf), 0);
	play("", 0, 1);
	ck_assert_int_eq(prot_getc(p), PROT_EOF);
	arrived(buf, sizeof buf);
	ck_assert_str_eq(buf, "* OK x7");
	ck_assert_uint_eq(prot_bytes_out(p), 7);
}
END_TEST

struct drain {
	int fd;
	struct buf got;
};

static void *drain_all(void *arg)
{
	struct drain *d = arg;
	char block[5000];
	for (ssize_t n; (n = read(d->fd, block, sizeof block)) > 0;) buf_append(&d->got, block, (size_t)n);
	return NULL;
}

/* More than the socket holds, in small and large pieces, to a peer that reads when it likes: all of it, in order. */
START_TEST(full_pipe_delivers_all_in_order)
{
	struct buf sent = BUF_INIT, big = BUF_INIT;
	struct drain d = { theirs, BUF_INIT };
	pthread_t t;
	for (int i = 0; i < 300000; i++) buf_putc(&big, 'A' + i % 59);
	ck_assert_int_eq(pthread_create(&t, NULL, drain_all, &d), 0);
	for (int i = 0; i < 12; i++) {
		size_t n = (size_t)i * i * 2000;
		prot_printf(p, "<%d>", i);
		prot_write(p, big.s, n);
		buf_printf(&sent, "<%d>", i);
		buf_append(&sent, big.s, n);
	}
	ck_assert_int_eq(prot_flush(p), 0);
	shutdown(ours, SHUT_WR);
	pthread_join(t, NULL);
	ck_assert_uint_eq(d.got.len, sent.len);
	ck_assert_int_eq(buf_cmp(&d.got, &sent), 0);
	ck_assert_uint_eq(prot_bytes_out(p), sent.len);
	buf_free(&d.got);
	buf_free(&sent);
	buf_free(&big);
}
END_TEST

/* A peer that never reads is left after the timeout. */
START_TEST(full_pipe_times_out)
{
	char block[10000];
	memset(block, 'x', sizeof block);
	prot_set_timeout(p, 1);
	for (int i = 0; i < 1000 && !prot_error(p); i++) prot_write(p, block, sizeof block);
	ck_assert_str_eq(prot_error(p), "idle for too long");
	ck_assert(prot_timed_out(p));
	ck_assert_int_eq(prot_flush(p), -1);
}
END_TEST

START_TEST(peer_that_went_away)
{
	hang_up();
	prot_puts(p, "hello");
	ck_assert_int_eq(prot_flush(p), -1);
	ck_assert_str_eq(prot_error(p), strerror(EPIPE));
	ck_assert(!prot_timed_out(p));
	ck_assert_int_eq(prot_getc(p), PROT_EOF);
}
END_TEST

/* Who closes his half after the last command still gets his answers. */
START_TEST(half_closed_peer_is_answered)
{
	struct buf b = BUF_INIT;
	char buf[32];
	send_them("a NOOP\r\n", 8);
	shutdown(theirs, SHUT_WR);
	ck_assert(prot_getline(p, &b, 100));
	prot_puts(p, "a OK\r\n");
	ck_assert_int_eq(prot_getc(p), PROT_EOF);
	arrived(buf, sizeof buf);
	ck_assert_str_eq(buf, "a OK\r\n");
	ck_assert(prot_eof(p));
	buf_free(&b);
}
END_TEST

/* What had come before an error can still be read: commands sent ahead of a hang-up count. Then it is the end. */
START_TEST(input_buffered_before_an_error)
{
	send_them("abc", 3);
	ck_assert_int_eq(prot_getc(p), 'a');
	prot_fail(p, "first");
	prot_fail(p, "second");
	ck_assert_str_eq(prot_error(p), "first");
	send_them("more", 4);
	ck_assert_int_eq(prot_getc(p), 'b');
	ck_assert_int_eq(prot_getc(p), 'c');
	ck_assert_int_eq(prot_getc(p), PROT_EOF);
	prot_puts(p, "x");
	ck_assert_int_eq(prot_flush(p), -1);
	ck_assert_uint_eq(prot_bytes_out(p), 0);
}
END_TEST

START_TEST(two_descriptors)
{
	int to[2], from[2];
	char buf[8] = "";
	ck_assert_int_eq(pipe(to), 0);
	ck_assert_int_eq(pipe(from), 0);
	struct prot *q = prot_new(to[0], from[1]);
	ck_assert_int_eq(prot_fd(q), to[0]);
	ck_assert_int_eq(write(to[1], "in", 2), 2);
	close(to[1]);
	prot_puts(q, "out");
	ck_assert_int_eq(prot_getc(q), 'i');
	ck_assert_int_eq(prot_getc(q), 'n');
	ck_assert_int_eq(prot_getc(q), PROT_EOF);
	ck_assert_int_eq(read(from[0], buf, 7), 3);
	ck_assert_str_eq(buf, "out");
	prot_free(q);
	ck_assert_int_eq(fcntl(to[0], F_GETFD) >= 0, 1);     /* they stay the caller's */
	close(to[0]);
	close(from[0]);
	close(from[1]);
	prot_free(NULL);
}
END_TEST

static void tap(void *arg, char dir, const void *s, size_t n)
{
	buf_putc(arg, dir);
	buf_append(arg, s, n);
}

START_TEST(tap_sees_both_ways)
{
	struct buf b = BUF_INIT;
	prot_set_tap(p, tap, &b);
	play("in", 2, 10);
	prot_puts(p, "out");
	prot_getc(p);
	prot_set_tap(p, NULL, NULL);
	prot_puts(p, "unseen");
	ck_assert_str_eq(buf_cstr(&b), ">out<in");
	buf_free(&b);
}
END_TEST

TCase *case_output(void)
{
	TCase *t = tcase_create("output");
	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, prottest_setup, prottest_teardown);
	tcase_add_test(t, output_goes_out_before_a_read_waits);
	tcase_add_test(t, full_pipe_delivers_all_in_order);
	tcase_add_test(t, full_pipe_times_out);
	tcase_add_test(t, peer_that_went_away);
	tcase_add_test(t, half_closed_peer_is_answered);
	tcase_add_test(t, input_buffered_before_an_error);
	tcase_add_test(t, two_descriptors);
	tcase_add_test(t, tap_sees_both_ways);
	return t;
}
