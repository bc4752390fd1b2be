/* check_layouts.c - stores of either layout, and lists that look like both (spec/databases.md 21, points 2 and 3). */
#include "cunit/store/tables/suites.h"
#include "cunit/store/tables/tables.h"
#include "store/layout.h"

#define LINE_25 "%(A %(fred lrs) I u-1 P default V 1 M 1)"

START_TEST(t2_a_store_keeps_its_form)
{
	struct storetest t;
	storetest_new(&t, "2.5", NULL);
	storetest_create(&t, "user.fred");
	reopen(&t, "3.6");
	ck_assert_int_eq(t.st->layout->level, LEVEL_25);
	storetest_create(&t, "user.fred.a");
	char *v = raw_value(&t, "user.fred.a"), *n = raw_value(&t, "Nuser" US "fred" US "a");
	ck_assert(v && !memcmp(v, "%(A ", 4) && !n);
	free(v);
	storetest_remove(&t);

	storetest_new(&t, "3.6", NULL);
	storetest_create(&t, "user.fred");
	reopen(&t, "2.5");
	ck_assert_int_eq(t.st->layout->level, LEVEL_36);
	storetest_create(&t, "user.fred.a");
	v = raw_value(&t, "Nuser" US "fred" US "a");
	n = raw_value(&t, "user.fred.a");
	ck_assert(v && !memcmp(v, "%(T e I ", 8) && !n);
	free(v);
	storetest_remove(&t);
}
END_TEST

/* A 2.5 list whose first key looks like one of 3.6's; and a list that is both. */
START_TEST(t3_the_news_store)
{
	struct storetest t;
	enum conf_level level;
	storetest_new(&t, "2.5", NULL);
	put_raw(&t, "News", LINE_25);
	put_raw(&t, "Inbox", LINE_25);
	put_raw(&t, "AS", LINE_25);
	ck_assert_int_eq(layout_detect(t.st->mboxlist, &level), 0);
	ck_assert_int_eq(level, LEVEL_25);
	ck_assert_int_eq(layout_prove(t.st->mboxlist, &level), 0);
	ck_assert_int_eq(level, LEVEL_25);
	reopen(&t, "auto");
	ck_assert_int_eq(t.st->layout->level, LEVEL_25);
	struct mbentry e;
	ck_assert_int_eq(mboxlist_lookup(t.st, "News", &e), 0);
	ck_assert_str_eq(e.uniqueid, "u-1");
	mbentry_free(&e);
	/* what 3.6.1 made of it: a marker and a row for "ews" prove nothing */
	put_raw(&t, "AS\x1e", "");
	put_raw(&t, "AS\x1e" "fred\x1e" "ews", "");
	ck_assert_int_eq(layout_detect(t.st->mboxlist, &level), 0);
	ck_assert_int_eq(level, LEVEL_25);
	/* with records of 3.6 among them it is a damaged upgrade */
	put_raw(&t, "Iu-2", "%(T e N a P default M 1 A %() H ())");
	ck_assert_int_eq(layout_prove(t.st->mboxlist, &level), ERR_BADFORMAT);
	storetest_remove(&t);
}
END_TEST

START_TEST(t3_the_dotted_user)
{
	struct storetest t;
	struct buf path = BUF_INIT;
	storetest_new(&t, "2.5", "unixhierarchysep: yes\n");
	t.st->layout->user_file(t.st, "fred.smith", "sub", &path);
	ck_assert_msg(strstr(buf_cstr(&path), "/conf/user/f/fred^smith.sub"), "%s", path.s);
	storetest_remove(&t);
	storetest_new(&t, "3.6", NULL);
	buf_reset(&path);
	t.st->layout->user_file(t.st, "fred.smith", "sub", &path);          /* no INBOX: by name */
	ck_assert_msg(strstr(buf_cstr(&path), "/conf/user/f/fred.smith.sub"), "%s", path.s);
	storetest_run("mkdir -p %s/conf/user/f && touch '%s/conf/user/f/fred^smith.sub'", t.dir, t.dir);
	buf_reset(&path);
	t.st->layout->user_file(t.st, "fred.smith", "sub", &path);          /* what an upgrade left */
	ck_assert_msg(strstr(buf_cstr(&path), "/conf/user/f/fred^smith.sub"), "%s", path.s);
	storetest_run("touch %s/conf/user/f/fred.smith.sub", t.dir);
	buf_reset(&path);
	t.st->layout->user_file(t.st, "fred.smith", "sub", &path);
	ck_assert_msg(strstr(buf_cstr(&path), "/conf/user/f/fred.smith.sub"), "%s", path.s);
	buf_free(&path);
	storetest_remove(&t);
}
END_TEST

START_TEST(t3_tombstones)
{
	for (int level = 0; level < 2; level++) {
		struct storetest t;
		struct mbentry e;
		storetest_new(&t, level ? "3.6" : "2.5", NULL);
		storetest_create(&t, "user.fred");
		storetest_create(&t, "user.fred.x");
		ck_assert_int_eq(mboxlist_lookup(t.st, "user.fred.x", &e), 0);
		char *id = mem_strdup(e.uniqueid);
		ck_assert_int_eq(mboxlist_bury(t.st, &e), 0);
		mbentry_free(&e);
		ck_assert_int_eq(mboxlist_lookup(t.st, "user.fred.x", &e), ERR_NOMAILBOX);
		ck_assert_int_eq(mboxlist_lookup_any(t.st, "user.fred.x", &e), 0);
		ck_assert(e.flags & MBENTRY_DELETED && !e.partition && !*e.acl);
		mbentry_free(&e);
		char *v = raw_value(&t, level ? "Nuser" US "fred" US "x" : "user.fred.x");
		char *want = mem_printf(level ? "%%(T ed I %s V " : "%%(I %s T d V ", id);
		ck_assert_msg(!strncmp(v, want, strlen(want)) && !strstr(v, " A "), "%s", v);
		free(v);
		free(want);
		/* made anew it is another mailbox */
		storetest_create(&t, "user.fred.x");
		ck_assert_int_eq(mboxlist_lookup(t.st, "user.fred.x", &e), 0);
		ck_assert_str_ne(e.uniqueid, id);
		mbentry_free(&e);
		/* a DELETED name leaves nothing, neither by name nor by id */
		storetest_create(&t, "DELETED.user.fred.y.6B01D58D");
		ck_assert_int_eq(mboxlist_lookup(t.st, "DELETED.user.fred.y.6B01D58D", &e), 0);
		free(id);
		id = mem_printf("I%s", e.uniqueid);
		ck_assert_int_eq(mboxlist_bury(t.st, &e), 0);
		mbentry_free(&e);
		ck_assert_int_eq(mboxlist_lookup_any(t.st, "DELETED.user.fred.y.6B01D58D", &e), ERR_NOMAILBOX);
		ck_assert_ptr_null(raw_value(&t, id));
		free(id);
		storetest_remove(&t);
	}
}
END_TEST

TCase *case_layouts(void)
{
	TCase *t = tcase_create("layouts");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, t2_a_store_keeps_its_form);
	tcase_add_test(t, t3_the_news_store);
	tcase_add_test(t, t3_the_dotted_user);
	tcase_add_test(t, t3_tombstones);
	return t;
}
