/* check_seqset.c - number sets. */
#include "base/err.h"
#include "base/num.h"
#include "cunit/store/names/namestest.h"
#include "cunit/store/names/suites.h"
#include "store/seqset.h"

#include <check.h>
#include <string.h>

static const struct { const char *s; uint32_t star; const char *out; uint64_t count; } sets[] = {
	{ "", 9, NULL, 0 }, { ",", 9, NULL, 0 }, { "1,", 9, NULL, 0 }, { ",1", 9, NULL, 0 }, { "1,,2", 9, NULL, 0 },
	{ "1:", 9, NULL, 0 }, { ":1", 9, NULL, 0 },
	{ "1:2:3", 9, NULL, 0 }, { "a", 9, NULL, 0 }, { "1 ", 9, NULL, 0 }, { " 1", 9, NULL, 0 }, { "-1", 9, NULL, 0 },
	{ "1-2", 9, NULL, 0 }, { "**", 9, NULL, 0 },
	{ "1*", 9, NULL, 0 }, { "4294967296", 9, NULL, 0 }, { "99999999999", 9, NULL, 0 }, { "1:99999999999", 9, NULL, 0 },
	{ "1", 9, "1", 1 }, { "3:1", 9, "1:3", 3 }, { "1,2,3", 9, "1:3", 3 }, { "3,2,1", 9, "1:3", 3 },
	{ "5:7,1:6", 9, "1:7", 7 }, { "1:3,7,5", 9, "1:3,5,7", 5 },
	{ "*", 9, "9", 1 }, { "*:*", 9, "9", 1 }, { "7:*", 9, "7:9", 3 }, { "*:7", 9, "7:9", 3 }, { "12:*", 9, "9:12", 4 },
	{ "1,*", 9, "1,9", 2 },
	{ "1:*", 1, "1", 1 }, { "2,4,6,8,1,3,5,7", 9, "1:8", 8 }, { "1:4294967294", 9, "1:4294967294", 4294967294u },
	{ "0", 9, "0", 1 },
	{ "1:2,2:3,9:8,8", 20, "1:3,8:9", 5 },
};

START_TEST(seqset_reads_and_prints)
{
	struct seqset s;
	struct buf b = BUF_INIT;
	int r = seqset_parse(&s, sets[_i].s, strlen(sets[_i].s));
	ck_assert_int_eq(r, sets[_i].out ? 0 : ERR_SYNTAX);
	if (!r) {
		seqset_resolve(&s, sets[_i].star);
		seqset_print(&s, &b);
		ck_assert_str_eq(buf_cstr(&b), sets[_i].out);
		ck_assert_uint_eq(seqset_count(&s), sets[_i].count);
	}
	seqset_free(&s);
	buf_free(&b);
}
END_TEST

/* Random additions and removals against a plain table of bits. */
START_TEST(seqset_agrees_with_a_table)
{
	enum { N = 200 };
	bool in[N + 2] = { false };
	struct seqset s = SEQSET_INIT;
	uint32_t x = 12345 + (uint32_t)_i;
	for (int step = 0; step < 400; step++) {
		x = x * 1103515245u + 12345;
		uint32_t low = 1 + (x >> 8) % N, high = low + (x >> 20) % 5;
		if (high > N) high = N;
		if (x >> 28 < 9) {
			if (x >> 30 & 1) seqset_add(&s, high, low);
			else seqset_add(&s, low, high);
			for (uint32_t k = low; k <= high; k++) in[k] = true;
		} else {
			seqset_remove(&s, low);
			in[low] = false;
		}
		if (step % 7) continue;
		uint32_t first = 0, last = 0, count = 0;
		for (uint32_t k = 0; k < N + 2; k++) {
			ck_assert_msg(seqset_has(&s, k) == in[k], "step %d: %u", step, k);
			if (in[k] && !first) first = k;
			if (in[k]) last = k, count++;
		}
		ck_assert_uint_eq(seqset_first(&s), first);
		ck_assert_uint_eq(seqset_last(&s), last);
		ck_assert_uint_eq(seqset_count(&s), count);
		for (size_t k = 1; k < s.n; k++) ck_assert_uint_gt(s.v[k].low, s.v[k - 1].high);
	}
	seqset_free(&s);
}
END_TEST

START_TEST(seqset_at_the_ends)
{
	struct seqset s = SEQSET_INIT;
	ck_assert_uint_eq(seqset_first(&s), 0);
	ck_assert_uint_eq(seqset_last(&s), 0);
	ck_assert(!seqset_has(&s, 0));
	seqset_remove(&s, 5);
	seqset_add(&s, 0, UINT32_MAX);
	seqset_add(&s, 0, 0);
	ck_assert_uint_eq(seqset_count(&s), (uint64_t)UINT32_MAX + 1);
	seqset_remove(&s, 0);
	seqset_remove(&s, UINT32_MAX);
	seqset_remove(&s, 7);
	ck_assert(!seqset_has(&s, 0) && seqset_has(&s, 1) && !seqset_has(&s, 7) && seqset_has(&s, 8));
	ck_assert(!seqset_has(&s, UINT32_MAX) && seqset_has(&s, UINT32_MAX - 1));
	seqset_free(&s);
}
END_TEST

TCase *case_seqset(void)
{
	TCase *t = tcase_create("number sets");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, scratch_setup, scratch_teardown);
	tcase_add_loop_test(t, seqset_reads_and_prints, 0, COUNT(sets));
	tcase_add_loop_test(t, seqset_agrees_with_a_table, 0, 20);
	tcase_add_test(t, seqset_at_the_ends);
	return t;
}
