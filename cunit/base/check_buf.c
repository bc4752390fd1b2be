/* check_buf.c - buffers. */
#include "base/buf.h"
#include "base/num.h"
#include "cunit/base/suites.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

START_TEST(buf_starts_empty)
{
	struct buf b = BUF_INIT, other = BUF_INIT;
	ck_assert(buf_eq(&b, ""));
	ck_assert_int_eq(buf_cmp(&b, &other), 0);
	buf_append(&b, NULL, 0);
	buf_add(&b, &other);
	buf_remove(&b, 0, 5);
	buf_truncate(&b, 3);
	ck_assert_uint_eq(b.len, 0);
	ck_assert_str_eq(buf_cstr(&b), "");
	buf_free(&b);
	ck_assert_ptr_null(b.s);
	char *s = buf_take(&b);                        /* taking from nothing gives an empty string, not NULL */
	ck_assert_str_eq(s, "");
	free(s);
	buf_putc(&b, 'x');                             /* a freed or taken one may be used again */
	ck_assert(buf_eq(&b, "x"));
	buf_free(&b);
}
END_TEST

START_TEST(buf_holds_nuls)
{
	struct buf b = BUF_INIT;
	buf_append(&b, "a\0b", 3);
	ck_assert_uint_eq(b.len, 3);
	ck_assert(!buf_eq(&b, "a"));
	ck_assert_int_eq(buf_cstr(&b)[3], 0);
	buf_putc(&b, 0);
	ck_assert_uint_eq(b.len, 4);
	ck_assert_int_eq(memcmp(b.s, "a\0b\0", 4), 0);
	buf_free(&b);
}
END_TEST

START_TEST(buf_grows_by_each_way_of_writing)
{
	struct buf b = BUF_INIT, want = BUF_INIT;
	for (int i = 0; i < 3000; i++) {
		char text[16];
		snprintf(text, sizeof text, "%d;", i);
		if (i % 3 == 0) buf_puts(&b, text);
		else if (i % 3 == 1) buf_printf(&b, "%d;", i);
		else for (const char *p = text; *p; p++) buf_putc(&b, *p);
		buf_append(&want, text, strlen(text));
	}
	ck_assert_uint_eq(b.len, want.len);
	ck_assert_int_eq(buf_cmp(&b, &want), 0);
	buf_free(&b);
	buf_free(&want);
}
END_TEST

/* The text may end exactly at, before or behind what is allocated. */
START_TEST(buf_printf_at_every_length)
{
	for (int n = 0; n < 300; n++) {
		struct buf b = BUF_INIT;
		buf_puts(&b, "head");
		buf_printf(&b, "%0*d|", n, 7);
		ck_assert_uint_eq(b.len, 4 + (size_t)(n ? n : 1) + 1);
		ck_assert_int_eq(b.s[b.len - 1], '|');
		ck_assert_int_eq(memcmp(b.s, "head", 4), 0);
		ck_assert_uint_eq(strlen(buf_cstr(&b)), b.len);
		buf_free(&b);
	}
}
END_TEST

START_TEST(buf_network_order)
{
	struct buf b = BUF_INIT;
	buf_be32(&b, 0x01020304u);
	buf_be64(&b, 0xfffefdfcfbfaf9f8u);
	ck_assert_uint_eq(b.len, 12);
	ck_assert_int_eq(memcmp(b.s, "\1\2\3\4\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8", 12), 0);
	buf_free(&b);
}
END_TEST

static const struct { size_t off, n; const char *left; } removals[] = {
	{ 0, 0, "abcdef" }, { 0, 1, "bcdef" }, { 0, 6, "" }, { 0, 7, "" }, { 2, 2, "abef" }, { 5, 1, "abcde" },
	{ 5, 100, "abcde" },
	{ 6, 1, "abcdef" }, { 7, 1, "abcdef" }, { SIZE_MAX, 1, "abcdef" }, { 1, SIZE_MAX, "a" },
};

START_TEST(buf_remove_stays_inside)
{
	struct buf b = BUF_INIT;
	buf_setcstr(&b, "abcdef");
	buf_remove(&b, removals[_i].off, removals[_i].n);
	ck_assert_str_eq(buf_cstr(&b), removals[_i].left);
	buf_free(&b);
}
END_TEST

static const struct { const char *a; size_t an; const char *b; size_t bn; int sign; } orders[] = {
	{ "", 0, "", 0, 0 }, { "", 0, "\0", 1, -1 }, { "a", 1, "ab", 2, -1 }, { "b", 1, "ab", 2, 1 },
	{ "a\0a", 3, "a\0b", 3, -1 },
	{ "\xff", 1, "\x7f", 1, 1 }, { "same", 4, "same", 4, 0 },
};

START_TEST(buf_order)
{
	struct buf a = BUF_INIT, b = BUF_INIT;
	buf_set(&a, orders[_i].a, orders[_i].an);
	buf_set(&b, orders[_i].b, orders[_i].bn);
	int r = buf_cmp(&a, &b), back = buf_cmp(&b, &a);
	ck_assert_int_eq((r > 0) - (r < 0), orders[_i].sign);
	ck_assert_int_eq((back > 0) - (back < 0), -orders[_i].sign);
	buf_free(&a);
	buf_free(&b);
}
END_TEST

START_TEST(buf_set_reset_truncate)
{
	struct buf b = BUF_INIT;
	buf_setcstr(&b, "first");
	buf_set(&b, "xy", 2);
	ck_assert(buf_eq(&b, "xy"));
	buf_truncate(&b, 2);
	buf_truncate(&b, 3);                           /* never longer */
	ck_assert_uint_eq(b.len, 2);
	buf_truncate(&b, 1);
	ck_assert_str_eq(buf_cstr(&b), "x");
	buf_reset(&b);
	ck_assert(buf_eq(&b, ""));
	ck_assert_uint_gt(b.alloc, 0);
	buf_reserve(&b, 100000);
	memset(b.s + b.len, 'z', 100000);
	buf_free(&b);
}
END_TEST

TCase *case_buf(void)
{
	TCase *t = tcase_create("buf");
	tcase_add_test(t, buf_starts_empty);
	tcase_add_test(t, buf_holds_nuls);
	tcase_add_test(t, buf_grows_by_each_way_of_writing);
	tcase_add_test(t, buf_printf_at_every_length);
	tcase_add_test(t, buf_network_order);
	tcase_add_loop_test(t, buf_remove_stays_inside, 0, COUNT(removals));
	tcase_add_loop_test(t, buf_order, 0, COUNT(orders));
	tcase_add_test(t, buf_set_reset_truncate);
	return t;
}
