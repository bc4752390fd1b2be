/* check_names.c - names as typed, as shown, and as created (spec/names.md). */
#include "base/num.h"
#include "cunit/store/formats/suites.h"
#include "cunit/store/storetest.h"

static bool same(const char *a, const char *b) { return a && b ? !strcmp(a, b) : a == b; }

static struct namespace namespace_of(enum conf_level level, const char *more, bool admin)
{
	struct namespace ns;
	struct conf *c;
	struct conf_error err;
	char path[64] = "/tmp/check_store.XXXXXX";
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");
	fprintf(f, "configdirectory: /nowhere\npartition-default: /nowhere\n%s", more);
	fclose(f);
	ck_assert_msg(!conf_load(&c, path, "test", true, &err), "%s", err.text);
	unlink(path);
	conf_set_level(c, level);
	ck_assert_int_eq(namespace_init(&ns, c, admin), 0);
	conf_free(c);
	return ns;
}

#define ALT "unixhierarchysep: yes\naltnamespace: yes\nvirtdomains: userid\ndefaultdomain: golden.example\n"
#define STD "unixhierarchysep: no\naltnamespace: no\nvirtdomains: off\n"
#define VIRT "unixhierarchysep: yes\naltnamespace: no\nvirtdomains: userid\ndefaultdomain: golden.example\n"

/* spec/names.md 5.4; NULL: not a name */
static const struct { bool admin; const char *typed, *l25, *l36; } typed[] = {
	{ false, "INBOX", "user.fred^smith", "user.fred^smith" },
	{ false, "Work.x/y", "user.fred^smith.Work^x.y", "user.fred^smith.Work^x.y" },
	{ false, "INBOX/sub", NULL, "user.fred^smith.INBOX.sub" }, { false, "inbox/sub2", NULL, "user.fred^smith.INBOX.sub2" },
	{ false, "Alt Folders/w", "user.fred^smith.Alt Folders.w", "user.fred^smith.w" },
	{ false, "Shared Folders", NULL, NULL }, { false, "Other Users", NULL, NULL },
	{ false, "Shared Folders/shared.thing", "shared^thing", "shared^thing" },
	{ false, "Shared Folders/newtop", "newtop", "newtop" },
	{ false, "user/fred.smith/zz", "user.fred^smith.user.fred^smith.zz", "user.fred^smith.user.fred^smith.zz" },
	{ false, "a^b", "user.fred^smith.a^b", NULL }, { false, "teams/x@example.com", NULL, "user.fred^smith.teams.x@example^com" },
	{ true, "user/fred.smith", "user.fred^smith", "user.fred^smith" },
	{ true, "user/joe/Sub.dot@example.com", "example.com!user.joe.Sub^dot", "example.com!user.joe.Sub^dot" },
	{ true, "teams/a.b@example.com", "example.com!teams.a^b", "example.com!teams.a^b" },
	{ true, "shared.thing", "shared^thing", "shared^thing" },
	{ true, "", NULL, NULL }, { true, "/", NULL, NULL },
};

START_TEST(names_typed)
{
	for (int level = LEVEL_25; level <= LEVEL_36; level++) {
		struct namespace ns = namespace_of((enum conf_level)level, ALT, typed[_i].admin);
		struct mbname n;
		const char *want = level == LEVEL_25 ? typed[_i].l25 : typed[_i].l36;
		int r = mbname_from_external(&n, typed[_i].typed, typed[_i].admin ? NULL : "fred.smith", &ns);
		char *got = r ? NULL : mbname_internal(&n, &ns);
		ck_assert_msg(same(got, want), "level %d: '%s' became %s, wanted %s", level, typed[_i].typed, got ? got : "nothing",
			want ? want : "nothing");
		if (!r) mbname_free(&n);
		free(got);
		namespace_free(&ns);
	}
}
END_TEST

/* spec/names.md 6.2: internal, viewer (NULL: an administrator), what 2.5 and 3.6 show */
static const struct { const char *internal, *viewer, *l25, *l36; } shown[] = {
	{ "user.fred^smith.INBOX", "fred.smith", "INBOX", "Alt Folders/INBOX" },
	{ "user.fred^smith.inbox", "fred.smith", "inbox", "Alt Folders/inbox" },
	{ "user.fred^smith.Inbox.s", "fred.smith", "Inbox/s", "Alt Folders/Inbox/s" },
	{ "user.fred^smith.Shared Folders.k", "fred.smith", "Shared Folders/k", "Alt Folders/Shared Folders/k" },
	{ "user.fred^smith.Other Users.q", "fred.smith", "Other Users/q", "Alt Folders/Other Users/q" },
	{ "user.fred^smith.Alt Folders", "fred.smith", "Alt Folders", "Alt Folders/Alt Folders" },
	{ "user.fred^smith.user.fred^smith.zz", "fred.smith", "user/fred.smith/zz", "user/fred.smith/zz" },
	{ "user.fred^smith.DELETED", "fred.smith", "DELETED", "DELETED" }, { "user.fred^smith", "fred.smith", "INBOX", "INBOX" },
	{ "example.com!user.joe", NULL, "user/joe@example.com", "user/joe@example.com" },
	{ "example.com!user.joe", "joe@example.com", "INBOX", "INBOX" },
	{ "example.com!user.joe", "ann@example.com", "Other Users/joe", "Other Users/joe" },
	{ "example.com!user.joe.Sub^dot", NULL, "user/joe/Sub.dot@example.com", "user/joe/Sub.dot@example.com" },
	{ "example.com!user.joe.Sub^dot", "joe@example.com", "Sub.dot", "Sub.dot" },
	{ "example.com!user.joe.Sub^dot", "ann@example.com", "Other Users/joe/Sub.dot", "Other Users/joe/Sub.dot" },
	{ "example.com!teams.a^b", NULL, "teams/a.b@example.com", "teams/a.b@example.com" },
	{ "example.com!teams.a^b", "joe@example.com", "Shared Folders/teams/a.b", "Shared Folders/teams/a.b" },
	{ "user.fred^smith.Work^x.y", NULL, "user/fred.smith/Work.x/y", "user/fred.smith/Work.x/y" },
	{ "user.fred^smith.Work^x.y", "fred.smith", "Work.x/y", "Work.x/y" },
	{ "user.fred^smith.Work^x.y", "bob", "Other Users/fred.smith/Work.x/y", "Other Users/fred.smith/Work.x/y" },
	{ "shared^thing", NULL, "shared.thing", "shared.thing" },
	{ "shared^thing", "bob", "Shared Folders/shared.thing", "Shared Folders/shared.thing" },
	{ "DELETED.user.bob.6B01EFF4", "bob", NULL, NULL },
	{ "DELETED.user.bob.6B01EFF4", NULL, "DELETED/user/bob/6B01EFF4", "DELETED/user/bob/6B01EFF4" },
};

START_TEST(names_shown)
{
	for (int level = LEVEL_25; level <= LEVEL_36; level++) {
		struct namespace ns = namespace_of((enum conf_level)level, ALT, !shown[_i].viewer);
		struct mbname n;
		struct buf db = BUF_INIT;
		const char *want = level == LEVEL_25 ? shown[_i].l25 : shown[_i].l36;
		ck_assert_int_eq(mbname_from_internal(&n, shown[_i].internal, &ns), 0);
		char *got = mbname_external(&n, shown[_i].viewer, &ns), *back = mbname_internal(&n, &ns);
		ck_assert_msg(same(got, want), "level %d: %s for %s: '%s', wanted '%s'", level, shown[_i].internal,
			shown[_i].viewer ? shown[_i].viewer : "admin", got ? got : "(none)", want ? want : "(none)");
		ck_assert_str_eq(back, shown[_i].internal);
		free(back);
		mbname_dbname(&n, &ns, &db);
		mbname_free(&n);
		ck_assert_int_eq(mbname_from_dbname(&n, db.s, db.len, &ns), 0);
		back = mbname_internal(&n, &ns);
		ck_assert_str_eq(back, shown[_i].internal);
		free(back);
		free(got);
		buf_free(&db);
		mbname_free(&n);
		namespace_free(&ns);
	}
}
END_TEST

/* spec/names.md 3.1, first table: may a user create it? Columns 2.5 std, 3.6 std, 2.5 alt, 3.6 alt. */
static const struct { const char *name; bool ok[4]; } created[] = {
	{ "z\"y", { 0, 0, 0, 0 } }, { "z%y", { 0, 0, 0, 0 } }, { "z&y", { 0, 0, 0, 0 } }, { "z;y", { 0, 0, 0, 0 } },
	{ "z<y", { 0, 0, 0, 0 } },
	{ "z>y", { 0, 0, 0, 0 } }, { "z\\y", { 0, 0, 0, 0 } }, { "z`y", { 0, 0, 0, 0 } }, { "z{y", { 0, 0, 0, 0 } },
	{ "z|y", { 0, 0, 0, 0 } },
	{ "z}y", { 0, 0, 0, 0 } }, { "z!y", { 0, 0, 0, 0 } },        /* the defect of 2.5 is not repeated */
	{ "z(y", { 0, 1, 0, 1 } }, { "z)y", { 0, 1, 0, 1 } }, { "z*y", { 0, 1, 0, 1 } }, { "z?y", { 0, 1, 0, 1 } },
	{ "z[y", { 0, 1, 0, 1 } },
	{ "z]y", { 0, 1, 0, 1 } }, { "z@y", { 0, 1, 0, 1 } }, { "z^y", { 0, 1, 1, 0 } }, { "z/y", { 0, 0, 1, 1 } },
	{ "$x", { 1, 1, 1, 1 } },
	{ "~x", { 1, 1, 1, 1 } }, { "a~b", { 1, 1, 1, 1 } }, { "&AOk-", { 1, 1, 1, 1 } }, { "&AOk-x&AOk-", { 1, 1, 1, 1 } },
	{ "&-", { 1, 1, 1, 1 } },
	{ "&AOk-&-", { 1, 1, 1, 1 } }, { "&AOk-&AOk-", { 0, 0, 0, 0 } }, { "&AGE-", { 0, 0, 0, 0 } }, { "&AOl-", { 0, 0, 0, 0 } },
	{ "&", { 0, 0, 0, 0 } },
	/* half a pair: refused in both, as recommended */
	{ "&AOk", { 0, 0, 0, 0 } }, { "&2D3cAA-", { 0, 1, 0, 1 } }, { "&2D0-", { 0, 0, 0, 0 } },
};

static bool may_create(const struct namespace *ns, const char *userid, const char *name)
{
	struct mbname n;
	if (mbname_from_external(&n, name, userid, ns)) return false;
	char *internal = mbname_internal(&n, ns);
	bool ok = !mbname_check_create(&n, internal, ns);
	free(internal);
	mbname_free(&n);
	return ok;
}

START_TEST(names_created)
{
	char *std = mem_printf("INBOX.%s", created[_i].name);
	for (int i = 0; i < 4; i++) {
		struct namespace ns = namespace_of(i % 2 ? LEVEL_36 : LEVEL_25, i < 2 ? STD : ALT, false);
		bool ok = may_create(&ns, "fred", i < 2 ? std : created[_i].name);
		ck_assert_msg(ok == created[_i].ok[i], "column %d: '%s' is %s", i + 1, created[_i].name, ok ? "accepted" : "refused");
		namespace_free(&ns);
	}
	free(std);
}
END_TEST

/* spec/names.md 3.1, second table: an administrator at the top level. NULL: refused; columns 2.5 and 3.6 with `.`. */
static const struct { const char *name; bool ok[4]; } admin_names[] = {
	{ "$x", { 1, 0, 1, 0 } }, { "~x", { 0, 0, 0, 0 } }, { "user", { 0, 0, 0, 0 } }, { "user.anyone", { 0, 0, 0, 0 } },
	{ "user.anonymous", { 0, 0, 0, 0 } }, { "user.%x", { 0, 0, 0, 0 } }, { "User", { 0, 1, 0, 1 } },
	{ "user.Anyone", { 0, 1, 0, 1 } },
	{ "DELETED", { 1, 0, 1, 0 } }, { "DELETED.zz.12345678", { 1, 1, 1, 1 } }, { "user.a b", { 1, 1, 1, 1 } },
	{ "user.A", { 1, 1, 1, 1 } },
	{ "top(x)", { 0, 1, 0, 1 } }, { "user.x@y", { 0, 1, 1, 1 } }, { "t@y", { 0, 1, 1, 1 } }, { "user..dot", { 0, 1, 0, 1 } },
	{ ".user.q1", { 0, 1, 0, 1 } }, { "user.q1.", { 1, 1, 1, 1 } }, { "^top", { 0, 1, 1, 0 } }, { "user.^q", { 0, 1, 1, 0 } },
};

START_TEST(names_admin)
{
	for (int i = 0; i < 4; i++) {
		struct namespace ns = namespace_of(i % 2 ? LEVEL_36 : LEVEL_25, i < 2 ? STD : VIRT, true);
		char *name = mem_strdup(admin_names[_i].name);
		for (char *p = name; i >= 2 && *p; p++)
			if (*p == '.') *p = '/';
		bool ok = may_create(&ns, NULL, name);
		ck_assert_msg(ok == admin_names[_i].ok[i], "column %d: '%s' is %s", i + 1, name, ok ? "accepted" : "refused");
		free(name);
		namespace_free(&ns);
	}
}
END_TEST

TCase *case_names(void)
{
	TCase *t = tcase_create("names");
	tcase_set_timeout(t, 300);
	tcase_add_loop_test(t, names_typed, 0, COUNT(typed));
	tcase_add_loop_test(t, names_shown, 0, COUNT(shown));
	tcase_add_loop_test(t, names_created, 0, COUNT(created));
	tcase_add_loop_test(t, names_admin, 0, COUNT(admin_names));
	return t;
}
