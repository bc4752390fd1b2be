/* check_mbname.c - mailbox names as users type and see them, and what may be created (spec/names.md). */
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "cunit/store/names/namestest.h"
#include "cunit/store/names/suites.h"
#include "store/mbname.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* Typed by whom, and the internal name it stands for, NULL: refused. in25, in36: "" when that release is not asked. */
static const struct { const char *conf, *user; bool admin; const char *typed, *in25, *in36; } typed[] = {
	/* spec 5.4, first table */
	{ ALT_SLASH VIRT, "fred.smith", false, "INBOX", "user.fred^smith", "user.fred^smith" },
	{ ALT_SLASH VIRT, "fred.smith", false, "inbox", "user.fred^smith", "user.fred^smith" },
	{ ALT_SLASH VIRT, "fred.smith", false, "Work.x/y", "user.fred^smith.Work^x.y", "user.fred^smith.Work^x.y" },
	{ ALT_SLASH VIRT, "fred.smith", false, "INBOX/sub", NULL, "user.fred^smith.INBOX.sub" },
	{ ALT_SLASH VIRT, "fred.smith", false, "inbox/sub2", NULL, "user.fred^smith.INBOX.sub2" },
	{ ALT_SLASH VIRT, "fred.smith", false, "Alt Folders/w", "user.fred^smith.Alt Folders.w", "user.fred^smith.w" },
	{ ALT_SLASH VIRT, "fred.smith", false, "Shared Folders", NULL, NULL },
	{ ALT_SLASH VIRT, "fred.smith", false, "Other Users", NULL, NULL },
	{ ALT_SLASH VIRT, "fred.smith", false, "Shared Folders/shared.thing", "shared^thing", "shared^thing" },
	{ ALT_SLASH VIRT, "fred.smith", false, "shared folders/x", "user.fred^smith.shared folders.x",
		"user.fred^smith.shared folders.x" },
	{ ALT_SLASH VIRT, "fred.smith", false, "Other Users/joe/a", "user.joe.a", "user.joe.a" },
	{ ALT_SLASH VIRT, "fred.smith", false, "user/fred.smith/zz", "user.fred^smith.user.fred^smith.zz",
		"user.fred^smith.user.fred^smith.zz" },
	{ ALT_SLASH VIRT, "fred.smith", false, "a^b", "user.fred^smith.a^b", NULL },
	{ ALT_SLASH VIRT, "fred.smith", false, "teams/x@example.com", NULL, "user.fred^smith.teams.x@example^com" },
	{ ALT_SLASH VIRT, "joe@example.com", false, "a", "example.com!user.joe.a", "example.com!user.joe.a" },
	{ ALT_SLASH VIRT, "joe@example.com", false, "Shared Folders/t", "example.com!t", "example.com!t" },
	/* second table */
	{ STD_SLASH VIRT, "cyrus", true, "user/fred.smith", "user.fred^smith", "user.fred^smith" },
	{ ALT_SLASH VIRT, "cyrus", true, "user/fred.smith", "user.fred^smith", "user.fred^smith" },
	{ STD_SLASH VIRT, "cyrus", true, "user/joe/Sub.dot@example.com", "example.com!user.joe.Sub^dot",
		"example.com!user.joe.Sub^dot" },
	{ STD_SLASH VIRT, "cyrus", true, "teams/a.b@example.com", "example.com!teams.a^b", "example.com!teams.a^b" },
	{ STD_SLASH VIRT, "cyrus", true, "shared.thing", "shared^thing", "shared^thing" },
	{ STD_SLASH VIRT, "admin@other.org", true, "user/joe@example.com", NULL, NULL },
	/* the standard namespace */
	{ STD_DOT, "fred", false, "INBOX", "user.fred", "user.fred" },
	{ STD_DOT, "fred", false, "iNbOx.a.b", "user.fred.a.b", "user.fred.a.b" },
	{ STD_DOT, "fred", false, "user.joe.x", "user.joe.x", "user.joe.x" }, { STD_DOT, "fred", false, "news", "news", "news" },
	{ STD_DOT, "fred", false, "INBOXES", "INBOXES", "INBOXES" }, { STD_DOT, "fred", false, "a.", "a", "a" },
	{ STD_DOT, "fred", false, "a..b", NULL, "a.b" }, { STD_DOT, "fred", false, "", NULL, NULL },
	{ STD_DOT, "fred", false, ".", NULL, NULL },
	{ STD_DOT, "fred", false, "a/b", "a/b", NULL }, { STD_DOT, "fred", false, "a^b", "a^b", "a^b" },
	{ STD_DOT, NULL, false, "INBOX", NULL, NULL }, { STD_DOT, NULL, false, "news", "news", "news" },
	{ STD_SLASH, "fred", false, "INBOX/a.b", "user.fred.a^b", "user.fred.a^b" },
	{ STD_SLASH, "fred", false, "a//b", NULL, "a.b" },
	{ STD_SLASH, "fred.smith", false, "INBOX", "user.fred^smith", "user.fred^smith" },
	{ STD_DOT, "fred.smith", false, "INBOX", NULL, "user.fred^smith" },
	{ STD_DOT, "cyrus", true, "DELETED.user.joe.6B01D590", "DELETED.user.joe.6B01D590", "DELETED.user.joe.6B01D590" },
};

START_TEST(names_as_typed)
{
	size_t row = (size_t)_i / 2;
	bool v36 = _i % 2;
	struct namespace ns;
	struct mbname n;
	const char *want = v36 ? typed[row].in36 : typed[row].in25;
	with_namespace(v36 ? "3.6" : "2.5", typed[row].conf, typed[row].admin, &ns);
	int r = mbname_from_external(&n, typed[row].typed, typed[row].user, &ns);
	char *got = r ? NULL : mbname_internal(&n, &ns);
	ck_assert_msg(want ? got && !strcmp(got, want) : !got, "%s by %s: %s, not %s", typed[row].typed, typed[row].user, got, want);
	if (!r) mbname_free(&n);
	free(got);
	namespace_free(&ns);
}
END_TEST

/* Internal names as sessions see them, NULL: not at all. */
static const struct { const char *conf, *user; bool admin; const char *internal, *out25, *out36; } shown[] = {
	/* spec 6.2: views of one store */
	{ ALT_SLASH VIRT, "cyrus", true, "example.com!user.joe", "user/joe@example.com", "user/joe@example.com" },
	{ ALT_SLASH VIRT, "cyrus", true, "example.com!user.joe.Sub^dot", "user/joe/Sub.dot@example.com",
		"user/joe/Sub.dot@example.com" },
	{ ALT_SLASH VIRT, "cyrus", true, "example.com!teams.a^b", "teams/a.b@example.com", "teams/a.b@example.com" },
	{ ALT_SLASH VIRT, "cyrus", true, "user.fred^smith.Work^x.y", "user/fred.smith/Work.x/y", "user/fred.smith/Work.x/y" },
	{ ALT_SLASH VIRT, "cyrus", true, "shared^thing", "shared.thing", "shared.thing" },
	{ ALT_SLASH VIRT, "joe@example.com", false, "example.com!user.joe", "INBOX", "INBOX" },
	{ ALT_SLASH VIRT, "joe@example.com", false, "example.com!user.joe.Sub^dot", "Sub.dot", "Sub.dot" },
	{ ALT_SLASH VIRT, "joe@example.com", false, "example.com!teams.a^b", "Shared Folders/teams/a.b", "Shared Folders/teams/a.b" },
	{ ALT_SLASH VIRT, "ann@example.com", false, "example.com!user.joe", "Other Users/joe", "Other Users/joe" },
	{ ALT_SLASH VIRT, "ann@example.com", false, "example.com!user.joe.Sub^dot", "Other Users/joe/Sub.dot",
		"Other Users/joe/Sub.dot" },
	{ ALT_SLASH VIRT, "fred.smith", false, "user.fred^smith.Work^x.y", "Work.x/y", "Work.x/y" },
	{ ALT_SLASH VIRT, "ann", false, "user.fred^smith.Work^x.y", "Other Users/fred.smith/Work.x/y",
		"Other Users/fred.smith/Work.x/y" },
	{ ALT_SLASH VIRT, "ann", false, "shared^thing", "Shared Folders/shared.thing", "Shared Folders/shared.thing" },
	{ ALT_SLASH VIRT, "ann@other.org", false, "example.com!user.joe", NULL, NULL },
	/* spec 6.2: what the administrator made below INBOX */
	{ ALT_SLASH, "fred", false, "user.fred.INBOX", "INBOX", "Alt Folders/INBOX" },
	{ ALT_SLASH, "fred", false, "user.fred.INBOX.sub", "INBOX/sub", "INBOX/sub" },
	{ ALT_SLASH, "fred", false, "user.fred.inbox", "inbox", "Alt Folders/inbox" },
	{ ALT_SLASH, "fred", false, "user.fred.Inbox.s", "Inbox/s", "Alt Folders/Inbox/s" },
	{ ALT_SLASH, "fred", false, "user.fred.Shared Folders.k", "Shared Folders/k", "Alt Folders/Shared Folders/k" },
	{ ALT_SLASH, "fred", false, "user.fred.Other Users.q", "Other Users/q", "Alt Folders/Other Users/q" },
	{ ALT_SLASH, "fred", false, "user.fred.Alt Folders", "Alt Folders", "Alt Folders/Alt Folders" },
	{ ALT_SLASH, "fred", false, "user.fred.user.fred.zz", "user/fred/zz", "user/fred/zz" },
	{ ALT_SLASH, "fred", false, "user.fred.DELETED", "DELETED", "DELETED" },
	/* standard namespace; deleted names only for administrators */
	{ STD_DOT, "fred", false, "user.fred", "INBOX", "INBOX" },
	{ STD_DOT, "fred", false, "user.fred.a.b", "INBOX.a.b", "INBOX.a.b" },
	{ STD_DOT, "fred", false, "user.freddy.a", "user.freddy.a", "user.freddy.a" },
	{ STD_DOT, "fred", true, "user.fred.a", "user.fred.a", "user.fred.a" },
	{ STD_DOT, "fred", false, "DELETED.user.fred.a.6B01D590", NULL, NULL },
	{ STD_SLASH, "cyrus", true, "DELETED.user.fred.a.6B01D590", "DELETED/user/fred/a/6B01D590", "DELETED/user/fred/a/6B01D590" },
	{ STD_SLASH, "fred", false, "INBOX.x", "INBOX/x", NULL },
	{ STD_DOT, "fred", false, "user.fred.a^b", "INBOX.a^b", "INBOX.a^b" },
	{ ALT_SLASH, "fred", false, "DELETED.user.fred.a.6B01D590", NULL, NULL },
};

START_TEST(names_as_shown)
{
	size_t row = (size_t)_i / 2;
	bool v36 = _i % 2;
	struct namespace ns;
	struct mbname n;
	const char *want = v36 ? shown[row].out36 : shown[row].out25;
	with_namespace(v36 ? "3.6" : "2.5", shown[row].conf, shown[row].admin, &ns);
	ck_assert_int_eq(mbname_from_internal(&n, shown[row].internal, &ns), 0);
	char *got = mbname_external(&n, shown[row].user, &ns);
	ck_assert_msg(want ? got && !strcmp(got, want) : !got, "%s to %s: %s, not %s", shown[row].internal, shown[row].user, got,
		want);
	mbname_free(&n);
	free(got);
	namespace_free(&ns);
}
END_TEST

static const char *const internals[] = {
	"user.fred", "user.fred.a", "user.fred.a^b.c", "user.fred^smith.x", "news", "news.comp^lang.c", "user.fred.&AOk-t&AOk-",
	"user.fred.a b", "DELETED.user.fred.a.6B01D590", "DELETED.news.6B01D590", "user.fred.DELETED.x", "userx.y", "User.x",
};

/* internal -> shown -> typed -> internal, for owner, other user and administrator, in the three namespaces and both releases; and
 * internal -> dbname -> internal. */
START_TEST(names_round_trip)
{
	static const char *const confs[] = { STD_DOT, STD_SLASH, ALT_SLASH };
	static const char *const users[] = { "fred", "ann", "cyrus" };
	const char *in = internals[_i];
	int trips = 0;
	for (size_t k = 0; k < 18; k++) {
		struct namespace ns;
		struct mbname n, back;
		struct buf db = BUF_INIT;
		const char *user = users[k / 6];
		with_namespace(k % 2 ? "3.6" : "2.5", confs[k / 2 % 3], k / 6 == 2, &ns);
		ck_assert_int_eq(mbname_from_internal(&n, in, &ns), 0);
		char *again = mbname_internal(&n, &ns);
		ck_assert_str_eq(again, in);
		free(again);
		mbname_dbname(&n, &ns, &db);
		ck_assert_int_eq(mbname_from_dbname(&back, db.s, db.len, &ns), 0);
		again = mbname_internal(&back, &ns);
		ck_assert_str_eq(again, in);
		free(again);
		mbname_free(&back);
		char *ext = mbname_external(&n, user, &ns);
		if (ext) {
			ck_assert_msg(!mbname_from_external(&back, ext, user, &ns), "%s", ext);
			again = mbname_internal(&back, &ns);
			ck_assert_msg(!strcmp(again, in), "%s shown to %s as %s leads to %s", in, user, ext, again);
			free(again);
			mbname_free(&back);
			trips++;
		}
		free(ext);
		buf_free(&db);
		mbname_free(&n);
		namespace_free(&ns);
	}
	ck_assert_int_ge(trips, 4);
}
END_TEST

static const struct { const char *internal; bool deleted; const char *owner; size_t boxes; } split[] = {
	{ "user", false, NULL, 1 }, { "user.fred", false, "fred", 0 }, { "user.fred^smith.a.b", false, "fred.smith", 2 },
	{ "users.fred", false, NULL, 2 },
	{ "DELETED.user.fred.6B01D590", true, "fred", 0 }, { "DELETED.user.fred.a.6b01d590", true, "fred", 1 },
	{ "DELETED.a.6B01D590", true, NULL, 1 },
	{ "DELETED.user.fred.6B01D59", false, NULL, 4 }, { "DELETED.user.fred.6B01D5900", false, NULL, 4 },
	{ "DELETED.user.fred.6B01D59G", false, NULL, 4 },
	{ "DELETED.6B01D590", false, NULL, 2 }, { "DELETED", false, NULL, 1 }, { "deleted.user.fred.6B01D590", false, NULL, 4 },
	{ "user.DELETED.a.6B01D590", false, "DELETED", 2 },
};

START_TEST(names_taken_apart)
{
	struct namespace ns;
	struct mbname n, copy;
	with_namespace(_i % 2 ? "3.6" : "2.5", STD_DOT, true, &ns);
	size_t row = (size_t)_i / 2;
	ck_assert_int_eq(mbname_from_internal(&n, split[row].internal, &ns), 0);
	mbname_copy(&copy, &n);
	mbname_free(&n);
	ck_assert_int_eq(copy.deleted, split[row].deleted);
	if (copy.deleted) ck_assert_int_eq(copy.is_deleted_at, 0x6B01D590);
	char *owner = mbname_userid(&copy);
	ck_assert_pstr_eq(owner, split[row].owner);
	ck_assert_uint_eq(copy.boxes.n, split[row].boxes);
	ck_assert_int_eq(mbname_is_inbox(&copy), split[row].owner && !split[row].boxes && !split[row].deleted);
	ck_assert_int_eq(mbname_owned_by(&copy, "fred", &ns), split[row].owner && !strcmp(split[row].owner, "fred"));
	free(owner);
	mbname_free(&copy);
	namespace_free(&ns);
}
END_TEST

START_TEST(names_that_are_none)
{
	static const char *const bad[] = { "", ".", "a.", ".a", "a..b", "user.fred.", "x.org!", "x.org!a..b" };
	static const struct { const char *p; size_t n; } baddb[] =
		{ { "", 0 }, { "\x1f", 1 }, { "a\x1f", 2 }, { "\x1f" "a", 2 }, { "a\x1f\x1f" "b", 4 },
		{ "x.org\x1d", 6 }, { "a\0b", 3 } };
	struct namespace ns;
	struct mbname n;
	with_namespace("3.6", STD_DOT VIRT, true, &ns);
	for (size_t i = 0; i < COUNT(bad); i++) ck_assert_msg(mbname_from_internal(&n, bad[i], &ns) == ERR_BADNAME, "%s", bad[i]);
	for (size_t i = 0; i < COUNT(baddb); i++)
		ck_assert_msg(mbname_from_dbname(&n, baddb[i].p, baddb[i].n, &ns) == ERR_BADNAME, "%zu", i);
	ck_assert_int_ne(mbname_from_userid(&n, "", &ns), 0);
	ck_assert_int_ne(mbname_from_userid(&n, NULL, &ns), 0);
	ck_assert_int_ne(mbname_from_userid(&n, "@x.org", &ns), 0);
	ck_assert_int_ne(mbname_from_userid(&n, "a/../b", &ns), 0);
	ck_assert_int_ne(mbname_from_userid(&n, "x.org!a", &ns), 0);
	namespace_free(&ns);
}
END_TEST

/* spec 3.1: one component below INBOX, `.` and standard ("std"), or `/`, alternate and virtual domains ("alt"). */
static const struct { const char *box; bool std25, std36, alt25, alt36; } creatable[] = {
	{ "z\"y", 0, 0, 0, 0 }, { "z%y", 0, 0, 0, 0 }, { "z&y", 0, 0, 0, 0 }, { "z;y", 0, 0, 0, 0 }, { "z<y", 0, 0, 0, 0 },
	{ "z>y", 0, 0, 0, 0 },
	{ "z\\y", 0, 0, 0, 0 }, { "z`y", 0, 0, 0, 0 }, { "z{y", 0, 0, 0, 0 }, { "z|y", 0, 0, 0, 0 }, { "z}y", 0, 0, 0, 0 },
	{ "z\ty", 0, 0, 0, 0 }, { "z\ny", 0, 0, 0, 0 }, { "z\ry", 0, 0, 0, 0 }, { "z\x7fy", 0, 0, 0, 0 },
	{ "z\xe9y", 0, 0, 0, 0 },
	{ "z!y", 0, 0, 0, 0 },                               /* 2.5's defect is not copied */
	{ "z(y", 0, 1, 0, 1 }, { "z)y", 0, 1, 0, 1 }, { "z*y", 0, 1, 0, 1 }, { "z?y", 0, 1, 0, 1 }, { "z[y", 0, 1, 0, 1 },
	{ "z]y", 0, 1, 0, 1 },
	{ "z@y", 0, 1, 0, 1 }, { "z^y", 0, 1, 1, 0 },
	{ "~x", 1, 1, 1, 1 }, { "$x", 1, 1, 1, 1 }, { "a~b", 1, 1, 1, 1 }, { "a b", 1, 1, 1, 1 }, { "A", 1, 1, 1, 1 },
	{ "&AOk-", 1, 1, 1, 1 }, { "&AOk-x&AOk-", 1, 1, 1, 1 }, { "&-", 1, 1, 1, 1 }, { "&AOk-&-", 1, 1, 1, 1 },
	{ "&AOk-&AOk-", 0, 0, 0, 0 }, { "&AGE-", 0, 0, 0, 0 }, { "&AOl-", 0, 0, 0, 0 }, { "&", 0, 0, 0, 0 },
	{ "&AOk", 0, 0, 0, 0 },
	{ "&2D3cAA-", 0, 1, 0, 1 },
};

START_TEST(names_that_may_be_created)
{
	size_t row = (size_t)_i / 4;
	bool alt = _i / 2 % 2, v36 = _i % 2;
	bool want = alt ? v36 ? creatable[row].alt36 : creatable[row].alt25 : v36 ? creatable[row].std36 : creatable[row].std25;
	struct namespace ns;
	struct mbname n;
	with_namespace(v36 ? "3.6" : "2.5", alt ? ALT_SLASH VIRT : STD_DOT, false, &ns);
	char *name = mem_printf("%s%s", alt ? "" : "INBOX.", creatable[row].box);
	int r = mbname_from_external(&n, name, "fred", &ns);
	if (!r) {
		char *internal = mbname_internal(&n, &ns);
		r = mbname_check_create(&n, internal, &ns);
		free(internal);
		mbname_free(&n);
	}
	ck_assert_msg(!r == want, "%s: %d", name, r);
	free(name);
	namespace_free(&ns);
}
END_TEST

/* spec 3.1: top-level names of an administrator, with `.`. */
static const struct { const char *name; bool ok25, ok36; } admin_creates[] = {
	{ "$x", 1, 0 }, { "~x", 0, 0 }, { "user", 0, 0 }, { "user.anyone", 0, 0 }, { "user.anonymous", 0, 0 },
	{ "user.%x", 0, 0 }, { "User", 0, 1 },
	{ "user.Anyone", 0, 1 }, { "DELETED", 1, 0 }, { "DELETED.zz.12345678", 1, 1 }, { "user.a b", 1, 1 }, { "user.A", 1, 1 },
	{ "a!b", 0, 0 },
	{ "top(x)", 0, 1 }, { "user.x@y", 0, 1 }, { "^top", 0, 1 }, { "user..dot", 0, 1 }, { ".user.q1", 0, 1 },
	{ "user.q1.", 1, 1 },
};

START_TEST(names_administrators_may_create)
{
	size_t row = (size_t)_i / 2;
	bool v36 = _i % 2, want = v36 ? admin_creates[row].ok36 : admin_creates[row].ok25;
	struct namespace ns;
	struct mbname n;
	with_namespace(v36 ? "3.6" : "2.5", STD_DOT, true, &ns);
	int r = mbname_from_external(&n, admin_creates[row].name, "cyrus", &ns);
	if (!r) {
		char *internal = mbname_internal(&n, &ns);
		r = mbname_check_create(&n, internal, &ns);
		free(internal);
		mbname_free(&n);
	}
	ck_assert_msg(!r == want, "%s: %d", admin_creates[row].name, r);
	namespace_free(&ns);
}
END_TEST

START_TEST(names_length)
{
	for (size_t len = MBNAME_MAX - 1; len <= MBNAME_MAX + 1; len++) {
		struct namespace ns;
		struct mbname n;
		char *name = mem_zalloc(len + 1);
		memset(name, 'x', len);
		memcpy(name, "user.fred.", 10);
		with_namespace(_i ? "3.6" : "2.5", STD_DOT, false, &ns);
		ck_assert_int_eq(mbname_from_internal(&n, name, &ns), 0);
		ck_assert_int_eq(mbname_check_create(&n, name, &ns), len > MBNAME_MAX ? ERR_BADNAME : 0);
		mbname_free(&n);
		namespace_free(&ns);
		free(name);
	}
}
END_TEST

START_TEST(namespace_prefixes_are_checked)
{
	static const struct { const char *conf; int err; } t[] = {
		{ ALT_SLASH "userprefix: a/b\n", ERR_CONFIG }, { ALT_SLASH "sharedprefix: a/b\n", ERR_CONFIG },
		{ ALT_SLASH "userprefix: same\nsharedprefix: same\n", ERR_CONFIG },
		{ ALT_SLASH "userprefix: 0123456789012345678901234567890123456789\n", ERR_CONFIG },
		{ ALT_SLASH "userprefix: 012345678901234567890123456789012345678\n", 0 }, { ALT_SLASH "userprefix: Users/\n", 0 },
		{ STD_SLASH "userprefix: a/b\n", 0 },
	};
	for (size_t i = 0; i < COUNT(t); i++) {
		struct conf *c = load("3.6", t[i].conf);
		struct namespace ns;
		int r = namespace_init(&ns, c, false);
		ck_assert_msg(r == t[i].err, "row %zu: %d", i, r);
		if (!r) namespace_free(&ns);
		conf_free(c);
	}
}
END_TEST

START_TEST(directory_letters)
{
	ck_assert_int_eq(dir_hash_c("fred", false), 'f');
	ck_assert_int_eq(dir_hash_c("Fred", false), 'f');
	ck_assert_int_eq(dir_hash_c("1fred", false), 'q');
	ck_assert_int_eq(dir_hash_c("", false), 'q');
	ck_assert_int_eq(dir_hash_c("\xe9", false), 'q');
	ck_assert_int_eq(dir_hash_c("fred.smith", true), dir_hash_c("fred", true));
	for (int c = 1; c < 256; c++) {
		char name[2] = { (char)c, 0 };
		ck_assert(dir_hash_c(name, true) >= 'A' && dir_hash_c(name, true) <= 'W');
		ck_assert(dir_hash_c(name, false) >= 'a' && dir_hash_c(name, false) <= 'z');
	}
}
END_TEST

TCase *case_mbname(void)
{
	TCase *t = tcase_create("names");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, scratch_setup, scratch_teardown);
	tcase_add_loop_test(t, names_as_typed, 0, 2 * COUNT(typed));
	tcase_add_loop_test(t, names_as_shown, 0, 2 * COUNT(shown));
	tcase_add_loop_test(t, names_round_trip, 0, COUNT(internals));
	tcase_add_loop_test(t, names_taken_apart, 0, 2 * COUNT(split));
	tcase_add_test(t, names_that_are_none);
	tcase_add_loop_test(t, names_that_may_be_created, 0, 4 * COUNT(creatable));
	tcase_add_loop_test(t, names_administrators_may_create, 0, 2 * COUNT(admin_creates));
	tcase_add_loop_test(t, names_length, 0, 2);
	tcase_add_test(t, namespace_prefixes_are_checked);
	tcase_add_test(t, directory_letters);
	return t;
}
