/* check_mbrecord.c - the mailbox list's records, and names that would be bad paths. */
#include "base/err.h"
#include "base/num.h"
#include "cunit/store/names/namestest.h"
#include "cunit/store/names/suites.h"
#include "store/layout.h"
#include "store/mbname.h"
#include "store/paths.h"

#include <check.h>
#include <string.h>

static const struct { bool v36; const char *key; size_t keylen; const char *val; int err; } records[] = {
	{ false, "", 0, "0 default ", ERR_BADFORMAT }, { false, "user.fred", 9, "", ERR_BADFORMAT },
	{ false, "user.fred", 9, "%", ERR_BADFORMAT },
	{ false, "user.fred", 9, "%(", ERR_BADFORMAT }, { false, "user.fred", 9, "%(A %(fred lr", ERR_BADFORMAT },
	{ false, "user.fred", 9, "x default fred\tlr\t", ERR_BADFORMAT },
	{ false, "user..fred", 10, "0 default fred\tlr\t", ERR_BADFORMAT }, { false, "us\0r", 4, "0 default ", ERR_BADFORMAT },
	{ false, "user.fred", 9, "(uniqueid x 0 default", ERR_BADFORMAT },
	{ false, "$RACL", 5, "", ERR_NOTFOUND }, { false, "$RUNQ$x$user.fred", 17, "", ERR_NOTFOUND },
	{ false, "user.fred", 9, "0 default fred\tlr\t", 0 }, { false, "user.fred", 9, "(uniqueid X) 0 default fred\tlr\t", 0 },
	{ false, "user.fred", 9, "%(A %(fred lr) I X P default V 5 M 6)", 0 },
	{ true, "Nuser\x1f" "fred", 10, "", ERR_BADFORMAT }, { true, "Nuser\x1f" "fred", 10, "%(T ", ERR_BADFORMAT },
	{ true, "Nuser\x1f\x1f" "fred", 11, "%(T e I X M 6)", ERR_BADFORMAT },
	{ true, "N", 1, "%(T e I X M 6)", ERR_NOTFOUND },
	{ true, "Nuser\x1f" "fred", 10, "%(A %(fred lr) T e I X P default V 5 M 6)", 0 },
};

START_TEST(mailbox_list_records)
{
	const struct layout *l = records[_i].v36 ? &layout_36 : &layout_25;
	struct namespace ns;
	struct mbentry e;
	with_namespace(records[_i].v36 ? "3.6" : "2.5", STD_DOT, true, &ns);
	int r = l->decode(&ns, records[_i].key, records[_i].keylen, records[_i].val, strlen(records[_i].val), &e);
	ck_assert_int_eq(r, records[_i].err);
	if (!r) {
		ck_assert_str_eq(e.name, "user.fred");
		ck_assert_str_eq(e.acl, "fred\tlr\t");
		ck_assert_str_eq(e.partition, "default");
		mbentry_free(&e);
	}
	namespace_free(&ns);
}
END_TEST

/* What such names would do as paths if they were taken as they stand. */
START_TEST(paths_stay_below_their_root)
{
	struct store *st = open_store("2.5", "hashimapspool: yes\n");
	static const char *const names[] = { "user.fred.a^^b", "user.^^", "^^.^^", "user.fred.^" };
	struct buf b = BUF_INIT;
	for (size_t i = 0; i < COUNT(names); i++) {
		buf_reset(&b);
		path_by_name(st, "/root", names[i], &b);
		ck_assert_int_eq(strncmp(buf_cstr(&b), "/root/", 6), 0);
		ck_assert_ptr_null(strstr(b.s, "/../"));
		ck_assert_ptr_null(strstr(b.s, "/./"));
	}
	buf_reset(&b);
	path_by_name(st, "/root/", "user.fred.a", &b);
	ck_assert_str_eq(buf_cstr(&b), "/root/f/user/fred/a");
	buf_free(&b);
	close_store(st);
}
END_TEST

TCase *case_mbrecord(void)
{
	TCase *t = tcase_create("records");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, scratch_setup, scratch_teardown);
	tcase_add_loop_test(t, mailbox_list_records, 0, COUNT(records));
	tcase_add_test(t, paths_stay_below_their_root);
	return t;
}
