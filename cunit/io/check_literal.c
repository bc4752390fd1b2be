/* check_literal.c - literals: how they are announced, and their bytes. */
#include "cunit/io/prottest.h"
#include "cunit/io/suites.h"
#include "io/literal.h"
#include "io/prot.h"

#include <check.h>
#include <string.h>

/* `in` begins behind the '{'. For what is no literal `next` is the byte that was put back. */
static const struct { const char *in; bool ok; uint64_t size; bool nosync; int next; } literals[] = {
	{ "", false, 0, false, PROT_EOF }, { "}\r\n", false, 0, false, '}' }, { "+}\r\n", false, 0, false, '}' },
	{ "x}\r\n", false, 0, false, 'x' },
	{ "-1}\r\n", false, 0, false, '-' }, { " 1}\r\n", false, 0, false, ' ' }, { "1 }\r\n", false, 0, false, ' ' },
	{ "1", false, 0, false, PROT_EOF },
	{ "1}", false, 0, false, PROT_EOF }, { "1}x", false, 0, false, 'x' }, { "1}\r", false, 0, false, PROT_EOF },
	{ "1}\rx", false, 0, false, 'x' },
	{ "1}\r\r\n", false, 0, false, '\r' }, { "1++}\r\n", false, 0, false, '+' }, { "1+x}\r\n", false, 0, false, 'x' },
	{ "1-}\r\n", false, 0, false, '-' },
	{ "0x10}\r\n", false, 0, false, 'x' }, { "1.0}\r\n", false, 0, false, '.' }, { "1\r\n", false, 0, false, '\r' },
	{ "18446744073709551616}\r\n", false, 0, false, '6' }, { "99999999999999999999999}\r\n", false, 0, false, '9' },
	{ "184467440737095516150}\r\n", false, 0, false, '0' },
	{ "0}\r\n.", true, 0, false, '.' }, { "0+}\r\n.", true, 0, true, '.' }, { "12}\r\n.", true, 12, false, '.' },
	{ "12}\n.", true, 12, false, '.' },
	{ "12+}\r\n.", true, 12, true, '.' }, { "007}\r\n.", true, 7, false, '.' },
	{ "4294967296}\r\n.", true, 4294967296u, false, '.' },
	{ "18446744073709551615+}\r\n.", true, UINT64_MAX, true, '.' },
};

START_TEST(literal_announcements)
{
	size_t row = (size_t)_i / 2;
	struct literal l;
	char buf[32];
	play(literals[row].in, strlen(literals[row].in), _i % 2 ? 1 : 100);
	bool binary = row % 3 == 0;
	ck_assert_int_eq(literal_parse(p, binary, &l), literals[row].ok);
	ck_assert_uint_eq(arrived(buf, sizeof buf), 0);      /* nothing is answered yet */
	ck_assert_int_eq(prot_getc(p), literals[row].next);
	if (!literals[row].ok) return;
	ck_assert_uint_eq(l.size, literals[row].size);
	ck_assert_int_eq(l.nosync, literals[row].nosync);
	ck_assert_int_eq(l.binary, binary);
}
END_TEST

START_TEST(literal_bytes)
{
	struct literal sync = { 6, false, false }, nosync = { 6, true, true }, none = { 0, true, false };
	struct buf b = BUF_INIT;
	char buf[32];
	play("a\0\r\n{1bcdefgXYZ", 15, _i ? 1 : 100);
	buf_puts(&b, "kept");
	literal_go_ahead(p, &sync);
	arrived(buf, sizeof buf);
	ck_assert_int_eq(strncmp(buf, "+ ", 2), 0);
	ck_assert_str_eq(buf + strlen(buf) - 2, "\r\n");
	ck_assert(literal_read(p, &sync, &b));
	ck_assert_uint_eq(b.len, 10);
	ck_assert_int_eq(memcmp(b.s, "kepta\0\r\n{1", 10), 0);
	literal_go_ahead(p, &nosync);
	ck_assert_uint_eq(arrived(buf, sizeof buf), 0);      /* those bytes were not waiting to be asked */
	ck_assert(literal_discard(p, &nosync));
	ck_assert(literal_read(p, &none, &b));
	ck_assert(literal_discard(p, &none));
	ck_assert_uint_eq(b.len, 10);
	ck_assert_int_eq(prot_getc(p), 'X');
	ck_assert(!literal_read(p, &sync, &b));              /* the stream ends first */
	ck_assert(!literal_discard(p, &sync));
	buf_free(&b);
}
END_TEST

TCase *case_literal(void)
{
	TCase *t = tcase_create("literals");
	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, prottest_setup, prottest_teardown);
	tcase_add_loop_test(t, literal_announcements, 0, 2 * COUNT(literals));
	tcase_add_loop_test(t, literal_bytes, 0, 2);
	return t;
}
