/* check_num.c - numbers, error texts, memory. */
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "cunit/base/suites.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------------ num */

static const struct { const char *s; bool ok32, ok64; uint64_t v; const char *rest; } numbers[] = {
	{ "", false, false, 0, "" }, { "-1", false, false, 0, "" }, { "+1", false, false, 0, "" }, { " 1", false, false, 0, "" },
	{ "x", false, false, 0, "" }, { "0x10", true, true, 0, "x10" }, { "0", true, true, 0, "" }, { "007", true, true, 7, "" },
	{ "12 ", true, true, 12, " " }, { "12}", true, true, 12, "}" }, { "4294967295", true, true, 4294967295u, "" },
	{ "4294967296", false, true, 4294967296u, "" }, { "18446744073709551615", false, true, UINT64_MAX, "" },
	{ "18446744073709551616", false, false, 0, "" }, { "99999999999999999999", false, false, 0, "" },
	{ "00000000000000000000000001", true, true, 1, "" },
};

START_TEST(num_reads_digits_only)
{
	const char *s = numbers[_i].s, *end = s + strlen(s), *p = s;
	uint32_t v32 = 77;
	uint64_t v64 = 77;
	ck_assert_int_eq(num_u32(&p, end, &v32), numbers[_i].ok32);
	ck_assert_uint_eq(v32, numbers[_i].ok32 ? numbers[_i].v : 77);      /* left alone when it fails */
	if (numbers[_i].ok32) ck_assert_str_eq(p, numbers[_i].rest);
	else ck_assert_ptr_eq(p, s);
	p = s;
	ck_assert_int_eq(num_u64(&p, end, &v64), numbers[_i].ok64);
	ck_assert_uint_eq(v64, numbers[_i].ok64 ? numbers[_i].v : 77);
	if (!numbers[_i].ok64) ck_assert_ptr_eq(p, s);
	v32 = 77;
	v64 = 77;
	bool whole = !*numbers[_i].rest;
	ck_assert_int_eq(num_str_u32(s, &v32), numbers[_i].ok32 && whole);
	ck_assert_int_eq(num_str_u64(s, &v64), numbers[_i].ok64 && whole);
	if (!whole) ck_assert_uint_eq(v32 + v64, 154);
}
END_TEST

START_TEST(num_stops_at_the_end_given)
{
	char digits[3] = { '1', '2', '3' };            /* no NUL behind it */
	const char *p = digits;
	uint32_t v;
	ck_assert(num_u32(&p, digits + 2, &v));
	ck_assert_uint_eq(v, 12);
	ck_assert_ptr_eq(p, digits + 2);
	ck_assert(!num_u32(&p, digits + 2, &v));
}
END_TEST

START_TEST(num_hex_both_ways)
{
	uint8_t out[4] = { 0 };
	char text[9];
	ck_assert(num_unhex("00fFA19c", 4, out));
	ck_assert_int_eq(memcmp(out, "\x00\xff\xa1\x9c", 4), 0);
	num_tohex(out, 4, text);
	ck_assert_str_eq(text, "00ffa19c");
	ck_assert(!num_unhex("00ffA1", 4, out));       /* too short: stops at the NUL */
	ck_assert(!num_unhex("0", 1, out));
	ck_assert(!num_unhex("g0", 1, out));
	ck_assert(!num_unhex("0g", 1, out));
	for (int c = 0; c < 256; c++) {
		static const char digits[] = "0123456789abcdefABCDEF";
		const char *at = c ? strchr(digits, c) : NULL;
		long want = !at ? -1 : at - digits < 16 ? at - digits : at - digits - 6;
		ck_assert_int_eq(num_hex(c), want);
	}
}
END_TEST

START_TEST(num_network_order_round_trip)
{
	uint8_t p[8];
	put_be16(p, 0xfffe);
	ck_assert_uint_eq(get_be16(p), 0xfffe);
	put_be32(p, 0x80000001u);
	ck_assert_uint_eq(p[0], 0x80);
	ck_assert_uint_eq(get_be32(p), 0x80000001u);
	put_be64(p, 0x8000000180000002u);
	ck_assert_uint_eq(get_be64(p), 0x8000000180000002u);
	ck_assert_uint_eq(get_be32(p + 4), 0x80000002u);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ err, mem, log */

START_TEST(err_every_code_has_a_text)
{
	for (int e = 0; e < ERR_COUNT; e++) {
		ck_assert_ptr_nonnull(err_text(e));
		ck_assert_uint_gt(strlen(err_text(e)), 0);
		for (int k = 0; k < e; k++) ck_assert_str_ne(err_text(e), err_text(k));
	}
	ck_assert_str_eq(err_text(-1), err_text(ERR_INTERNAL));
	ck_assert_str_eq(err_text(ERR_COUNT), err_text(ERR_INTERNAL));
	ck_assert_str_eq(err_text(ERR_NOMAILBOX), "Mailbox does not exist");
	ck_assert_int_eq(err_from_errno(ENOSPC), ERR_NOSPACE);
	ck_assert_int_eq(err_from_errno(EDQUOT), ERR_NOSPACE);
	ck_assert_int_eq(err_from_errno(EIO), ERR_IO);
	ck_assert_int_eq(err_from_errno(0), ERR_IO);
}
END_TEST

START_TEST(mem_zero_sizes_and_growth)
{
	void *p = mem_alloc(0);
	ck_assert_ptr_nonnull(p);
	p = mem_realloc(p, 0);
	ck_assert_ptr_nonnull(p);
	free(p);
	char *z = mem_zalloc(64), *d = mem_dup("a\0b", 3), *e = mem_dup(NULL, 0);
	for (int i = 0; i < 64; i++) ck_assert_int_eq(z[i], 0);
	ck_assert_int_eq(memcmp(d, "a\0b\0", 4), 0);
	ck_assert_str_eq(e, "");
	free(z);
	free(d);
	free(e);
	int *v = NULL;
	size_t alloc = 0;
	for (size_t n = 0; n < 1000; n++) {
		MEM_GROW(v, alloc, n + 1);
		ck_assert_uint_gt(alloc, n);
		v[n] = (int)n;
	}
	MEM_GROW(v, alloc, (size_t)5000);              /* more than double at once */
	ck_assert_uint_ge(alloc, 5000);
	for (int n = 0; n < 1000; n++) ck_assert_int_eq(v[n], n);
	free(v);
}
END_TEST

/* count * size that wraps must not become a small block: the process leaves as it does without memory. */
START_TEST(mem_array_overflow_ends_the_process) { free(mem_array(NULL, SIZE_MAX / 4 + 2, 4)); } END_TEST

TCase *case_num(void)
{
	TCase *t = tcase_create("num");
	tcase_add_loop_test(t, num_reads_digits_only, 0, COUNT(numbers));
	tcase_add_test(t, num_stops_at_the_end_given);
	tcase_add_test(t, num_hex_both_ways);
	tcase_add_test(t, num_network_order_round_trip);
	tcase_add_test(t, err_every_code_has_a_text);
	tcase_add_test(t, mem_zero_sizes_and_growth);
	tcase_add_exit_test(t, mem_array_overflow_ends_the_process, 75);
	return t;
}
