/* check_auth.c - access control lists and canonical user ids (spec/databases.md 4.5, names.md 7; RFC 4314, RFC 2086). */
#include "auth/acl.h"
#include "auth/user.h"
#include "base/err.h"
#include "base/mem.h"
#include "cunit/scratch.h"
#include "cunit/suite.h"
#include "sys/newfile.h"

#include <check.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static struct conf *load(const char *more) { return scratch_conf("test", false, "configdirectory: /nonexistent\n%s", more); }

/* ------------------------------------------------------------------------------------------------ rights strings */

#define KX (ACL_CREATE | ACL_DELETEMBOX)
#define TE (ACL_DELETEMSG | ACL_EXPUNGE)

static const struct { const char *s, *deleteright; uint32_t rights; char bad; } parsed[] = {
	/* what is no right is named, the rest counts */
	{ "lqr", "c", ACL_LOOKUP | ACL_READ, 'q' }, { "L", "c", 0, 'L' }, { "l r", "c", ACL_LOOKUP | ACL_READ, ' ' },
	{ "zy", "c", 0, 'z' },
	{ "\xff", "c", 0, '\xff' }, { "l\tr", "c", ACL_LOOKUP | ACL_READ, '\t' }, { "-l", "c", ACL_LOOKUP, '-' },
	{ "+", "c", 0, '+' },
	/* single letters, twice is once */
	{ "", "c", 0, 0 }, { "l", "c", ACL_LOOKUP, 0 }, { "ll", "c", ACL_LOOKUP, 0 }, { "a", "c", ACL_ADMIN, 0 },
	{ "n", "c", ACL_ANNOTATE, 0 },
	{ "lrswipkxtean", "c", ACL_FULL, 0 }, { "naetxkpiwsrl", "c", ACL_FULL, 0 },
	{ "0", "c", ACL_USER0, 0 }, { "9", "c", (uint32_t)ACL_USER0 << 9, 0 }, { "0123456789", "c", ACL_ALL_USER, 0 },
	/* the letters of RFC 2086: all their members, unless one of those is spelled out */
	{ "c", "c", KX, 0 }, { "c", "d", ACL_CREATE, 0 }, { "c", "x", ACL_CREATE, 0 }, { "c", NULL, KX, 0 }, { "c", "", KX, 0 },
	{ "d", "c", TE, 0 }, { "d", "d", TE | ACL_DELETEMBOX, 0 }, { "d", "x", TE, 0 },
	{ "ck", "c", ACL_CREATE, 0 }, { "cx", "c", ACL_DELETEMBOX, 0 }, { "cx", "x", KX, 0 }, { "kc", "c", ACL_CREATE, 0 },
	{ "dt", "c", ACL_DELETEMSG, 0 }, { "ed", "c", ACL_EXPUNGE, 0 }, { "dx", "c", TE | ACL_DELETEMBOX, 0 },
	{ "dx", "d", ACL_DELETEMBOX, 0 },
	{ "cd", "c", KX | TE, 0 }, { "lrswipcda", "c", ACL_FULL & ~ACL_ANNOTATE, 0 }, { "lrswipkxtecdan", "c", ACL_FULL, 0 },
};

START_TEST(rights_from_letters)
{
	struct acl_macros m = acl_macros(parsed[_i].deleteright);
	char bad = 1;
	ck_assert_uint_eq(acl_rights_parse(parsed[_i].s, &m, &bad), parsed[_i].rights);
	ck_assert_int_eq(bad, parsed[_i].bad);
	ck_assert_uint_eq(acl_rights_parse(parsed[_i].s, &m, NULL), parsed[_i].rights);
}
END_TEST

static const struct { uint32_t rights; const char *deleteright, *s; } printed[] = {
	{ 0, "c", "" }, { ACL_FULL, "c", "lrswipkxtecdan" }, { ACL_FULL | ACL_ALL_USER, "c", "lrswipkxtecdan0123456789" },
	{ ACL_READ | ACL_LOOKUP, "c", "lr" }, { ACL_CREATE, "c", "kc" }, { ACL_DELETEMBOX, "c", "xc" },
	{ ACL_DELETEMBOX, "d", "xd" },
	{ ACL_DELETEMBOX, "x", "x" }, { ACL_EXPUNGE, "c", "ed" }, { ACL_DELETEMSG, "x", "td" },
	{ (uint32_t)ACL_USER0 << 3, "c", "3" },
};

START_TEST(rights_to_letters)
{
	struct acl_macros m = acl_macros(printed[_i].deleteright);
	struct buf b = BUF_INIT;
	acl_rights_print(&b, printed[_i].rights, &m);
	ck_assert_str_eq(buf_cstr(&b), printed[_i].s);
	buf_free(&b);
}
END_TEST

/* What is written is read back as the same rights, for every set of them and each deleteright. */
START_TEST(rights_round_trip)
{
	static const char *const words[] = { "c", "d", "x" };
	struct acl_macros m = acl_macros(words[_i]);
	struct buf b = BUF_INIT;
	for (uint32_t r = 0; r < 1u << 13; r++) {
		char bad;
		buf_reset(&b);
		acl_rights_print(&b, r, &m);
		ck_assert_msg(acl_rights_parse(buf_cstr(&b), &m, &bad) == r && !bad, "%x: %s", r, b.s);
	}
	buf_free(&b);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ evaluation */

static bool in_staff(void *arg, const char *group) { return arg && !strcmp(group, "staff"); }

static const struct { const char *acl, *userid; bool staff; const char *rights; } evaluated[] = {
	/* damaged lists grant no more than their sound entries */
	{ NULL, "bob", false, "" }, { "", "bob", false, "" }, { "bob", "bob", false, "" }, { "bob\t", "bob", false, "" },
	{ "\t\t\t\t", "bob", false, "" },
	{ "\tlr\t", "bob", false, "" }, { "\tlr\tbob\tl\t", "bob", false, "l" }, { "bob\tl\tjoe", "bob", false, "l" },
	{ "bob\tlr", "bob", false, "lr" },
	{ "bob lr", "bob", false, "" }, { "bob\t?!\t", "bob", false, "" }, { "bob\tl?r\t", "bob", false, "lr" },
	/* identifiers are compared whole and exactly */
	{ "bob\tlr\t", "bob", false, "lr" }, { "bob\tlr\t", "Bob", false, "" }, { "bobby\tlr\t", "bob", false, "" },
	{ "bo\tlr\t", "bob", false, "" },
	{ "bob@x.org\tlr\t", "bob", false, "" }, { "bob@x.org\tlr\t", "bob@x.org", false, "lr" },
	{ "bob\tlr\t", NULL, false, "" },
	{ "bob\tl\tbob\tr\t", "bob", false, "lr" },
	/* anyone, anonymous, groups */
	{ "anyone\tlr\t", "bob", false, "lr" }, { "anyone\tlr\t", NULL, false, "lr" },
	{ "anyone\tlr\t", "anonymous", false, "lr" },
	{ "anonymous\tl\t", "bob", false, "" }, { "anonymous\tl\t", "anonymous", false, "l" },
	{ "Anyone\tlr\t", "bob", false, "" },
	{ "anyone\tl\tbob\tr\t", "bob", false, "lr" },
	{ "group:staff\ts\t", "bob", true, "s" }, { "group:staff\ts\t", "bob", false, "" },
	{ "group:other\ts\t", "bob", true, "" },
	{ "group:\ts\t", "bob", true, "" }, { "group:staff\ts\t", "group:staff", false, "" },
	/* negative rights take away at the end, wherever they stand */
	{ "anyone\tlrs\t-bob\tr\t", "bob", false, "ls" }, { "-bob\tr\tanyone\tlrs\t", "bob", false, "ls" },
	{ "-bob\tr\tbob\tr\t", "bob", false, "" },
	{ "anyone\tlrs\t-bob\tr\t", "joe", false, "lrs" }, { "anyone\tlrs\t-anyone\trs\t", "bob", false, "l" },
	{ "-anyone\tl\t", "bob", false, "" },
	{ "bob\tlrs\t-group:staff\tls\t", "bob", true, "r" }, { "bob\tlrs\t-group:staff\tls\t", "bob", false, "lrs" },
	{ "bob\tlrswipkxtecdan\t-bob\tc\t", "bob", false, "lrswiptedan" },
	{ "bob\tlrswipkxtecdan\t-bob\td\t", "bob", false, "lrswipkxcan" },
	{ "-\tl\tbob\tl\t", "bob", false, "l" }, { "bob\tl\t--bob\tl\t", "bob", false, "l" }, { "--bob\tl\t", "-bob", false, "" },
	/* the letters of old stores */
	{ "bob\tlrswipcda\t", "bob", false, "lrswipkxtecda" }, { "bob\tlrs5\t", "bob", false, "lrs5" },
};

START_TEST(acl_grants)
{
	struct acl_macros m = acl_macros("c");
	struct acl_who who = { evaluated[_i].userid, in_staff, evaluated[_i].staff ? &m : NULL };
	struct buf b = BUF_INIT;
	acl_rights_print(&b, acl_evaluate(evaluated[_i].acl, &who, &m), &m);
	ck_assert_msg(buf_eq(&b, evaluated[_i].rights), "%s for %s: %s", evaluated[_i].acl, evaluated[_i].userid, buf_cstr(&b));
	buf_free(&b);
}
END_TEST

START_TEST(acl_without_groups)
{
	struct acl_macros m = acl_macros("c");
	struct acl_who who = { "bob", NULL, NULL };
	ck_assert_uint_eq(acl_evaluate("group:staff\tl\tbob\tr\t", &who, &m), ACL_READ);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ changes */

static const struct { const char *acl, *id; enum acl_how how; const char *rights, *result; } changes[] = {
	{ NULL, "bob", ACL_SET, "lr", "bob\tlr\t" }, { "", "bob", ACL_ADD, "lr", "bob\tlr\t" },
	{ "", "bob", ACL_REMOVE, "lr", "" },
	{ "", "bob", ACL_SET, "", "" }, { "bob\tlr\t", "bob", ACL_SET, "", "" }, { "bob\tlr\t", "bob", ACL_SET, "w", "bob\tw\t" },
	{ "bob\tlr\t", "bob", ACL_ADD, "sl", "bob\tlrs\t" }, { "bob\tlr\t", "bob", ACL_REMOVE, "l", "bob\tr\t" },
	{ "bob\tlr\t", "bob", ACL_REMOVE, "lr", "" }, { "bob\tlr\t", "bob", ACL_REMOVE, "x", "bob\tlr\t" },
	/* others keep their place and their text, the changed one its place */
	{ "a\tlr\tbob\tl\tz\tcd\t", "bob", ACL_ADD, "r", "a\tlr\tbob\tlr\tz\tcd\t" },
	{ "a\tlr\tbob\tl\tz\tl\t", "bob", ACL_SET, "", "a\tlr\tz\tl\t" },
	{ "a\tlr\t", "bob", ACL_SET, "s", "a\tlr\tbob\ts\t" },
	/* a negative entry is an entry of its own */
	{ "bob\tlr\t", "-bob", ACL_SET, "l", "bob\tlr\t-bob\tl\t" }, { "bob\tlr\t-bob\tl\t", "bob", ACL_SET, "", "-bob\tl\t" },
	{ "-bob\tlr\t", "-bob", ACL_REMOVE, "l", "-bob\tr\t" },
	/* old letters are written out on change */
	{ "bob\tlrc\t", "bob", ACL_ADD, "s", "bob\tlrskxc\t" }, { "bob\tlrd\t", "bob", ACL_REMOVE, "t", "bob\tlred\t" },
	{ "bob\tlrkxc\t", "bob", ACL_REMOVE, "c", "bob\tlr\t" },
	/* a damaged tail goes */
	{ "a\tlr\tjunk", "bob", ACL_SET, "l", "a\tlr\tbob\tl\t" }, { "a\tlr", "bob", ACL_SET, "l", "a\tlr\tbob\tl\t" },
	{ "\tlr\ta\tl\t", "bob", ACL_SET, "l", "a\tl\tbob\tl\t" },
};

START_TEST(acl_changed)
{
	struct acl_macros m = acl_macros("c");
	uint32_t r = acl_rights_parse(changes[_i].rights, &m, NULL);
	char *s = acl_change(changes[_i].acl, changes[_i].id, changes[_i].how, r, &m);
	ck_assert_str_eq(s, changes[_i].result);
	free(s);
}
END_TEST

static void list_entry(void *arg, const char *id, const char *rights) { buf_printf(arg, "<%s=%s>", id, rights); }

START_TEST(acl_each_entry)
{
	struct buf b = BUF_INIT;
	acl_each(NULL, list_entry, &b);
	acl_each("", list_entry, &b);
	acl_each("tail", list_entry, &b);
	ck_assert_uint_eq(b.len, 0);
	acl_each("anyone\tlr\t-bob\t\tgroup:a b\tl\ttail", list_entry, &b);
	ck_assert_str_eq(buf_cstr(&b), "<anyone=lr><-bob=><group:a b=l>");
	buf_free(&b);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ user ids */

#define U10 "0123456789"
#define U80 U10 U10 U10 U10 U10 U10 U10 U10

static const struct { const char *conf, *name, *domain, *out; int err; } ids[] = {
	/* refused bytes and lengths */
	{ "", "", NULL, NULL, ERR_BADUSER }, { "", "a%b", NULL, NULL, ERR_BADUSER }, { "", "a&b", NULL, NULL, ERR_BADUSER },
	{ "", "a*", NULL, NULL, ERR_BADUSER }, { "", "a/b", NULL, NULL, ERR_BADUSER }, { "", "a:b", NULL, NULL, ERR_BADUSER },
	{ "", "a?", NULL, NULL, ERR_BADUSER }, { "", "a\tb", NULL, NULL, ERR_BADUSER }, { "", "a\x7f", NULL, NULL, ERR_BADUSER },
	{ "", "caf\xc3\xa9", NULL, NULL, ERR_BADUSER }, { "", "a\nb", NULL, NULL, ERR_BADUSER },
	{ "", U80 "x", NULL, NULL, ERR_BADUSER },
	{ "", "group:no such group", NULL, NULL, ERR_BADIDENT }, { "", "group:", NULL, NULL, ERR_BADIDENT },
	{ "virtdomains: userid\n", U80, "x.org", NULL, ERR_BADUSER },
	{ "", U80, NULL, U80, 0 }, { "", "a!\"\\^b", NULL, "a!\"\\^b", 0 }, { "", "a b", NULL, "a b", 0 },
	/* case */
	{ "", "Fred.Smith", NULL, "fred.smith", 0 }, { "username_tolower: no\n", "Fred", NULL, "Fred", 0 },
	{ "", "ANONYMOUS", NULL, "anonymous", 0 }, { "username_tolower: no\n", "Anonymous", NULL, "anonymous", 0 },
	{ "username_tolower: no\n", "AnyOne", NULL, "anyone", 0 }, { "", "anybody", NULL, "anyone", 0 },
	{ "", "anyones", NULL, "anyones", 0 },
	/* without virtual domains '@' means nothing */
	{ "virtdomains: off\n", "joe@X.org", NULL, "joe@x.org", 0 }, { "virtdomains: off\n", "joe", "x.org", "joe", 0 },
	{ "virtdomains: off\ndefaultdomain: x.org\n", "joe@x.org", NULL, "joe@x.org", 0 },
	{ "virtdomains: off\n", "joe%x.org", NULL, NULL, ERR_BADUSER },
	{ "virtdomains: off\n", "anyone@x.org", NULL, "anyone@x.org", 0 },
	/* with them */
	{ "virtdomains: userid\n", "Joe@X.Org", NULL, "joe@x.org", 0 },
	{ "virtdomains: on\n", "joe@x.org", NULL, "joe@x.org", 0 },
	{ "virtdomains: userid\n", "joe%x.org", NULL, "joe@x.org", 0 },
	{ "virtdomains: userid\n", "a@b@x.org", NULL, "a@b@x.org", 0 },
	{ "virtdomains: userid\n", "a%b@x.org", NULL, NULL, ERR_BADUSER },
	{ "virtdomains: userid\n", "a%b%x.org", NULL, NULL, ERR_BADUSER },
	{ "virtdomains: userid\ndefaultdomain: Example.COM\n", "joe@example.com", NULL, "joe", 0 },
	{ "virtdomains: userid\ndefaultdomain: example.com\n", "joe%EXAMPLE.com", NULL, "joe", 0 },
	{ "virtdomains: userid\ndefaultdomain: example.com\n", "a@b@example.com", NULL, "a@b", 0 },
	{ "virtdomains: userid\n", "joe@", NULL, "joe", 0 }, { "virtdomains: userid\n", "@", NULL, NULL, ERR_BADUSER },
	{ "virtdomains: userid\n", "joe", "x.org", "joe@x.org", 0 },
	{ "virtdomains: userid\n", "joe@y.org", "x.org", "joe@y.org", 0 },
	{ "virtdomains: userid\ndefaultdomain: y.org\n", "joe@y.org", "x.org", "joe", 0 },
	{ "virtdomains: userid\n", "anyone", "x.org", "anyone", 0 },
	{ "virtdomains: userid\n", "AnyBody@x.org", NULL, "anyone@x.org", 0 },
};

START_TEST(user_ids)
{
	struct conf *c = load(ids[_i].conf);
	char *out = NULL;
	ck_assert_msg(user_canon(c, ids[_i].name, ids[_i].domain, &out) == ids[_i].err, "%s gave %s", ids[_i].name,
		out ? out : "an error");
	ck_assert_pstr_eq(out, ids[_i].out);
	free(out);
	conf_free(c);
}
END_TEST

START_TEST(user_group_that_exists)
{
	struct group *g = getgrgid(0);
	struct conf *c = load("");
	char *out, *name;
	ck_assert_ptr_nonnull(g);
	name = mem_printf("group:%s", g->gr_name);
	ck_assert_int_eq(user_canon(c, name, "x.org", &out), 0);
	ck_assert_str_eq(out, name);
	free(name);
	free(out);
	conf_free(c);
}
END_TEST

START_TEST(user_lists)
{
	struct conf *c = load("admins: cyrus  root@x.org\n");
	ck_assert(user_in_list(c, OPT_ADMINS, "cyrus"));
	ck_assert(user_in_list(c, OPT_ADMINS, "root@x.org"));
	ck_assert(!user_in_list(c, OPT_ADMINS, "root"));
	ck_assert(!user_in_list(c, OPT_ADMINS, "cyru"));
	ck_assert(!user_in_list(c, OPT_ADMINS, "Cyrus"));
	ck_assert(!user_in_list(c, OPT_ADMINS, ""));
	ck_assert(!user_in_list(c, OPT_PROXYSERVERS, "cyrus"));
	conf_free(c);
}
END_TEST

/* The groups are those of the machine's user database: whoever runs the test is in his own. */
START_TEST(user_has_his_unix_groups)
{
	struct passwd *pw = getpwuid(getuid());
	struct group *g = pw ? getgrgid(pw->pw_gid) : NULL;
	struct conf *c = load("unix_group_enable: yes\n"), *off = load("unix_group_enable: no\n");
	struct acl_macros m = acl_macros("c");
	struct user u;
	ck_assert_ptr_nonnull(g);
	char *acl = mem_printf("group:%s\tlr\tgroup:no such group\ts\t", g->gr_name), *id = mem_strdup(pw->pw_name);
	user_init(&u, c, id);
	ck_assert_uint_eq(acl_evaluate(acl, &u.who, &m), ACL_LOOKUP | ACL_READ);
	ck_assert(!u.isadmin);
	user_free(&u);
	user_init(&u, off, id);
	ck_assert_uint_eq(acl_evaluate(acl, &u.who, &m), 0);
	user_free(&u);
	user_init(&u, c, "no-such-user-here");
	ck_assert_uint_eq(acl_evaluate(acl, &u.who, &m), 0);
	ck_assert_uint_eq(u.groups.n, 0);
	user_free(&u);
	user_init(&u, c, NULL);                              /* nobody: "anyone" only */
	ck_assert_uint_eq(acl_evaluate("anyone\tl\tanonymous\tr\t", &u.who, &m), ACL_LOOKUP);
	ck_assert(!u.isadmin);
	user_free(&u);
	free(acl);
	free(id);
	conf_free(c);
	conf_free(off);
}
END_TEST

START_TEST(user_admin_flag)
{
	struct conf *c = load("admins: cyrus\n");
	struct user u;
	user_init(&u, c, "cyrus");
	ck_assert(u.isadmin);
	user_free(&u);
	user_init(&u, c, "cyrus@x.org");
	ck_assert(!u.isadmin);
	user_free(&u);
	conf_free(c);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("auth");
	tcase_add_checked_fixture(t, scratch_setup, scratch_teardown);
	tcase_add_loop_test(t, rights_from_letters, 0, COUNT(parsed));
	tcase_add_loop_test(t, rights_to_letters, 0, COUNT(printed));
	tcase_add_loop_test(t, rights_round_trip, 0, 3);
	tcase_add_loop_test(t, acl_grants, 0, COUNT(evaluated));
	tcase_add_test(t, acl_without_groups);
	tcase_add_loop_test(t, acl_changed, 0, COUNT(changes));
	tcase_add_test(t, acl_each_entry);
	tcase_add_loop_test(t, user_ids, 0, COUNT(ids));
	tcase_add_test(t, user_group_that_exists);
	tcase_add_test(t, user_lists);
	tcase_add_test(t, user_has_his_unix_groups);
	tcase_add_test(t, user_admin_flag);
	return suite_run("auth", (TCase *[]){ t, NULL });
}
