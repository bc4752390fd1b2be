/* check_values.c - sets of numbers, seen state, quota records, ACLs in other words. */
#include "base/num.h"
#include "cunit/store/formats/suites.h"
#include "cunit/store/storetest.h"
#include "store/dlist.h"
#include "store/kv_acl.h"
#include "store/seen.h"

static const struct { const char *in, *out; } sets[] = {
	{ "1", "1" }, { "3,1,2", "1:3" }, { "5:2", "2:5" }, { "1:3,2:8,10", "1:8,10" }, { "4294967295", "4294967295" },
	{ "1,3,5", "1,3,5" },
	{ "", NULL }, { ",", NULL }, { "1,", NULL }, { ",1", NULL }, { "1:", NULL }, { ":1", NULL }, { "a", NULL }, { "1-2", NULL },
	{ "1 ", NULL },
	{ "4294967296", NULL }, { "99999999999", NULL }, { "-1", NULL }, { "1::2", NULL }, { "1:2:3", NULL },
};

START_TEST(seqsets)
{
	struct seqset s = SEQSET_INIT;
	struct buf b = BUF_INIT;
	int r = seqset_parse(&s, sets[_i].in, strlen(sets[_i].in));
	ck_assert_msg((r == 0) == (sets[_i].out != NULL), "'%s'", sets[_i].in);
	if (!r) {
		seqset_print(&s, &b);
		ck_assert_str_eq(buf_cstr(&b), sets[_i].out);
	}
	seqset_free(&s);
	buf_free(&b);
}
END_TEST

static const struct { const char *in; int r; uint32_t lastuid; uint64_t count; } seens[] = {
	{ "1 1795282335 3 1795282335 1,3", 0, 3, 2 }, { "1 1795282335 3 1795282335 ", 0, 3, 0 }, { "1 0 0 0 1:40,42", 0, 0, 41 },
	{ "1 5 3 5 1:2,x", ERR_SYNTAX, 3, 0 }, { "2 1 1 1 1", ERR_BADFORMAT, 0, 0 }, { "", ERR_BADFORMAT, 0, 0 },
	{ "1", ERR_BADFORMAT, 0, 0 },
	{ "1 2", ERR_BADFORMAT, 0, 0 }, { "x y z", ERR_BADFORMAT, 0, 0 }, { "1 1 4294967296 1 1", ERR_BADFORMAT, 0, 0 },
};

START_TEST(seen_rows)
{
	struct seen s;
	int r = seen_parse(&s, seens[_i].in, strlen(seens[_i].in));
	ck_assert_msg(r == seens[_i].r, "'%s'", seens[_i].in);
	if (r == ERR_BADFORMAT) return;
	ck_assert_uint_eq(s.lastuid, seens[_i].lastuid);
	ck_assert_uint_eq(seqset_count(&s.uids), seens[_i].count);
	seen_free(&s);
}
END_TEST

static const struct { const char *in; bool ok; uint64_t used[4]; int64_t limit[4]; const char *out; } quotas[] = {
	{ "%(S (833 1000) M (8 50) AS (22) NF (5))", true, { 833, 8, 22, 5 }, { 1000, 50, -1, -1 },
		"%(S (833 1000) M (8 50) AS (22) NF (5))" },
	{ "%(S (1) M (2) AS (3) NF (4) MODSEQ 39)", true, { 1, 2, 3, 4 }, { -1, -1, -1, -1 }, "%(S (1) M (2) AS (3) NF (4))" },
	{ "%(S (5 6))", true, { 5, 0, 0, 0 }, { 6, -1, -1, -1 }, "%(S (5 6) M (0) AS (0) NF (0))" },
	{ "%(S (-5 -1))", true, { 0, 0, 0, 0 }, { -1, -1, -1, -1 }, "%(S (0) M (0) AS (0) NF (0))" },
	{ "100 200", true, { 100, 0, 0, 0 }, { 200, -1, -1, -1 }, "%(S (100 200) M (0) AS (0) NF (0))" },
	{ "100 -1", true, { 100, 0, 0, 0 }, { -1, -1, -1, -1 }, NULL },
	{ "100 200 7 m 1 2 9", true, { 100, 1, 0, 0 }, { 200, 2, -1, -1 }, NULL },
	{ "100 200 M 3 4 as 5 6 NF 7 8", true, { 100, 3, 5, 7 }, { 200, 4, 6, 8 }, NULL },
	{ "", false, { 0 }, { 0 }, NULL }, { "x", false, { 0 }, { 0 }, NULL }, { "%(S x", false, { 0 }, { 0 }, NULL },
	{ "%x", false, { 0 }, { 0 }, NULL },
	{ "%(S (a b))", false, { 0 }, { 0 }, NULL },
};

START_TEST(quota_records)
{
	struct quota q;
	struct buf b = BUF_INIT;
	int r = quota_parse(quotas[_i].in, strlen(quotas[_i].in), &q);
	ck_assert_msg((r == 0) == quotas[_i].ok, "'%s'", quotas[_i].in);
	if (r) return;
	for (int i = 0; i < 4; i++) {
		ck_assert_uint_eq(q.used[i], quotas[_i].used[i]);
		ck_assert_int_eq(q.limit[i], quotas[_i].limit[i]);
	}
	quota_print(&q, false, &b);
	if (quotas[_i].out) ck_assert_str_eq(buf_cstr(&b), quotas[_i].out);
	buf_free(&b);
	quota_free(&q);
}
END_TEST

static const struct { const char *acl, *kv; } acls[] = {
	{ "", "%()" }, { "fred\tlrs\t", "%(fred lrs)" }, { "anyone\tlrp\t-bob\tr\t", "%(anyone lrp -bob r)" },
	{ "a b\tlrs\t", "%(\"a b\" lrs)" }, { "joe@example.com\tlrs\tx\t\t", "%(joe@example.com lrs x \"\")" },
};

START_TEST(kv_acls)
{
	struct buf b = BUF_INIT;
	struct arena *a = arena_new();
	kv_acl_print(&b, acls[_i].acl);
	ck_assert_str_eq(buf_cstr(&b), acls[_i].kv);
	const char *p = buf_cstr(&b);
	char *back = kv_acl_parse(dlist_parse(a, &p, p + b.len));
	ck_assert_str_eq(back, acls[_i].acl);
	free(back);
	back = kv_acl_parse(NULL);
	ck_assert_str_eq(back, "");
	free(back);
	arena_free(a);
	buf_free(&b);
}
END_TEST

TCase *case_values(void)
{
	TCase *t = tcase_create("values");
	tcase_set_timeout(t, 300);
	tcase_add_loop_test(t, seqsets, 0, COUNT(sets));
	tcase_add_loop_test(t, seen_rows, 0, COUNT(seens));
	tcase_add_loop_test(t, quota_records, 0, COUNT(quotas));
	tcase_add_loop_test(t, kv_acls, 0, COUNT(acls));
	return t;
}
