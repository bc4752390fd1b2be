/* check_deflate.c - a stream under DEFLATE. */
#include "base/mem.h"
#include "cunit/io/prottest.h"
#include "cunit/io/suites.h"
#include "io/prot.h"

#include <check.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <zlib.h>

static void pack(struct buf *out, const char *s, size_t n, int flush)
{
	z_stream z = { 0 };
	ck_assert_int_eq(deflateInit2(&z, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY), Z_OK);
	buf_reserve(out, n + 1000);
	z.next_in = (Bytef *)(uintptr_t)s;
	z.avail_in = (uInt)n;
	z.next_out = (Bytef *)out->s + out->len;
	z.avail_out = (uInt)n + 1000;
	deflate(&z, flush);
	ck_assert_uint_eq(z.avail_in, 0);
	out->len += n + 1000 - z.avail_out;
	deflateEnd(&z);
}

START_TEST(deflate_both_ways)
{
	struct prot *q = prot_new(theirs, theirs);
	struct buf b = BUF_INIT;
	ck_assert_int_eq(prot_set_deflate(p), 0);
	ck_assert_int_eq(prot_set_deflate(q), 0);
	for (int round = 0; round < 20; round++) {
		prot_printf(q, "%d FETCH 1:* FLAGS FETCH 1:* FLAGS FETCH 1:* FLAGS\r\n", round);
		ck_assert_int_eq(prot_flush(q), 0);
		buf_reset(&b);
		ck_assert(prot_getline(p, &b, 1000));
		ck_assert_int_eq(atoi(buf_cstr(&b)), round);
		ck_assert(!prot_input_waiting(p, 0));
		prot_write(p, b.s, b.len);
		prot_write(p, "\0", 1);
		ck_assert_int_eq(prot_flush(p), 0);
		struct buf back = BUF_INIT;
		ck_assert(prot_getline(q, &back, 1000));
		ck_assert_int_eq(buf_cmp(&back, &b), 0);
		ck_assert_int_eq(prot_getc(q), 0);
		buf_free(&back);
	}
	hang_up();
	ck_assert_int_eq(prot_getc(p), PROT_EOF);
	ck_assert(prot_eof(p));
	prot_free(q);
	buf_free(&b);
}
END_TEST

START_TEST(deflate_in_pieces)
{
	struct buf in = BUF_INIT, b = BUF_INIT;
	pack(&in, "first\r\nsecond\r\n", 15, Z_SYNC_FLUSH);
	ck_assert_int_eq(prot_set_deflate(p), 0);
	play(in.s, in.len, (size_t)_i + 1);
	ck_assert(prot_getline(p, &b, 100));
	ck_assert(prot_getline(p, &b, 100));
	ck_assert(buf_eq(&b, "first\r\nsecond\r\n"));
	ck_assert_int_eq(prot_getc(p), PROT_EOF);
	ck_assert(prot_eof(p));
	buf_free(&in);
	buf_free(&b);
}
END_TEST

/* What came in one packet with the command that turned compression on is compressed already. */
START_TEST(deflate_begins_in_the_packet_of_the_command)
{
	struct buf in = BUF_INIT, b = BUF_INIT;
	buf_puts(&in, "COMPRESS\n");
	pack(&in, "NOOP\n", 5, Z_SYNC_FLUSH);
	send_them(in.s, in.len);
	ck_assert(prot_getline(p, &b, 100));
	ck_assert_int_eq(prot_set_deflate(p), 0);
	ck_assert(prot_input_waiting(p, 0));
	buf_reset(&b);
	ck_assert(prot_getline(p, &b, 100));
	ck_assert(buf_eq(&b, "NOOP\n"));
	buf_free(&in);
	buf_free(&b);
}
END_TEST

/* A megabyte of zeros in a kilobyte: read as it is asked for, and all there. */
START_TEST(deflate_bomb_is_read_piece_by_piece)
{
	enum { N = 1 << 20 };
	struct buf in = BUF_INIT;
	char *zeros = mem_zalloc(N);
	const char *s;
	size_t total = 0;
	pack(&in, zeros, N, Z_SYNC_FLUSH);
	send_them(in.s, in.len);
	shutdown(theirs, SHUT_WR);
	ck_assert_int_eq(prot_set_deflate(p), 0);
	for (size_t n; (n = prot_peek(p, &s)); total += n) {
		ck_assert_uint_le(n, 65536);
		for (size_t i = 0; i < n; i++) ck_assert_int_eq(s[i], 0);
		prot_skip(p, n);
	}
	ck_assert_uint_eq(total, N);
	ck_assert(prot_eof(p));
	buf_free(&in);
	free(zeros);
}
END_TEST

/* A peer may end its deflate stream with its last command; what it said before is heard, then it is the end. */
START_TEST(deflate_stream_that_is_finished)
{
	struct buf in = BUF_INIT, b = BUF_INIT;
	pack(&in, "LOGOUT\r\n", 8, Z_FINISH);
	ck_assert_int_eq(prot_set_deflate(p), 0);
	play(in.s, in.len, 100);
	ck_assert(prot_getline(p, &b, 100));
	ck_assert(buf_eq(&b, "LOGOUT\r\n"));
	ck_assert_int_eq(prot_getc(p), PROT_EOF);
	buf_free(&in);
	buf_free(&b);
}
END_TEST

START_TEST(deflate_of_junk)
{
	ck_assert_int_eq(prot_set_deflate(p), 0);
	send_them("a LOGOUT\r\n\xff\xff\xff\xff", 14);
	ck_assert_int_eq(prot_getc(p), PROT_EOF);
	ck_assert_str_eq(prot_error(p), "decompression failed");
	ck_assert(!prot_eof(p));
}
END_TEST

TCase *case_deflate(void)
{
	TCase *t = tcase_create("deflate");
	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, prottest_setup, prottest_teardown);
	tcase_add_test(t, deflate_both_ways);
	tcase_add_loop_test(t, deflate_in_pieces, 0, 4);
	tcase_add_test(t, deflate_begins_in_the_packet_of_the_command);
	tcase_add_test(t, deflate_bomb_is_read_piece_by_piece);
	tcase_add_test(t, deflate_stream_that_is_finished);
	tcase_add_test(t, deflate_of_junk);
	return t;
}
