/* check_names.c - mailbox names in all their forms (spec/names.md), number sets, seen state, subscriptions, special uses and the
 * status cache, in stores of both layouts. */
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "store/layout.h"
#include "store/mbname.h"
#include "store/paths.h"
#include "store/seen.h"
#include "store/seqset.h"
#include "store/specialuse.h"
#include "store/statuscache.h"
#include "store/subs.h"
#include "sys/file.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(a) (sizeof (a) / sizeof *(a))

static char dir[64];
static struct buf logged = BUF_INIT;

static void keep_log(void *arg, int priority, const char *line)
{
	(void)arg, (void)priority;
	buf_puts(&logged, line);
	buf_putc(&logged, '\n');
}

static void setup(void)
{
	strcpy(dir, "/tmp/check_names.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	log_hook(keep_log, NULL);
}

static void teardown(void)
{
	char *cmd = mem_printf("rm -rf %s", dir);
	ck_assert_int_eq(system(cmd), 0);
	free(cmd);
	log_hook(NULL, NULL);
	buf_free(&logged);
}

static struct conf *load(const char *level, const char *text)
{
	struct conf_error err;
	struct conf *c = NULL;
	char *path = mem_printf("%s/imapd.conf", dir);
	FILE *f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fprintf(f, "configdirectory: %s\npartition-default: %s/spool\ndefaultpartition: default\ncompatibility_level: %s\n%s", dir, dir, level, text);
	fclose(f);
	ck_assert_msg(!conf_load(&c, path, "test", true, &err), "%s", err.text);
	free(path);
	return c;
}

/* ------------------------------------------------------------------------------------------------ translation */

#define STD_DOT "unixhierarchysep: no\naltnamespace: no\n"
#define STD_SLASH "unixhierarchysep: yes\naltnamespace: no\n"
#define ALT_SLASH "unixhierarchysep: yes\naltnamespace: yes\n"
#define VIRT "virtdomains: userid\n"

static void with_namespace(const char *level, const char *conf, bool admin, struct namespace *ns)
{
	struct conf *c = load(level, conf);
	ck_assert_int_eq(namespace_init(ns, c, admin), 0);
	conf_free(c);
}

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
	{ ALT_SLASH VIRT, "fred.smith", false, "shared folders/x", "user.fred^smith.shared folders.x", "user.fred^smith.shared folders.x" },
	{ ALT_SLASH VIRT, "fred.smith", false, "Other Users/joe/a", "user.joe.a", "user.joe.a" },
	{ ALT_SLASH VIRT, "fred.smith", false, "user/fred.smith/zz", "user.fred^smith.user.fred^smith.zz", "user.fred^smith.user.fred^smith.zz" },
	{ ALT_SLASH VIRT, "fred.smith", false, "a^b", "user.fred^smith.a^b", NULL },
	{ ALT_SLASH VIRT, "fred.smith", false, "teams/x@example.com", NULL, "user.fred^smith.teams.x@example^com" },
	{ ALT_SLASH VIRT, "joe@example.com", false, "a", "example.com!user.joe.a", "example.com!user.joe.a" },
	{ ALT_SLASH VIRT, "joe@example.com", false, "Shared Folders/t", "example.com!t", "example.com!t" },
	/* second table */
	{ STD_SLASH VIRT, "cyrus", true, "user/fred.smith", "user.fred^smith", "user.fred^smith" },
	{ ALT_SLASH VIRT, "cyrus", true, "user/fred.smith", "user.fred^smith", "user.fred^smith" },
	{ STD_SLASH VIRT, "cyrus", true, "user/joe/Sub.dot@example.com", "example.com!user.joe.Sub^dot", "example.com!user.joe.Sub^dot" },
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
	{ ALT_SLASH VIRT, "cyrus", true, "example.com!user.joe.Sub^dot", "user/joe/Sub.dot@example.com", "user/joe/Sub.dot@example.com" },
	{ ALT_SLASH VIRT, "cyrus", true, "example.com!teams.a^b", "teams/a.b@example.com", "teams/a.b@example.com" },
	{ ALT_SLASH VIRT, "cyrus", true, "user.fred^smith.Work^x.y", "user/fred.smith/Work.x/y", "user/fred.smith/Work.x/y" },
	{ ALT_SLASH VIRT, "cyrus", true, "shared^thing", "shared.thing", "shared.thing" },
	{ ALT_SLASH VIRT, "joe@example.com", false, "example.com!user.joe", "INBOX", "INBOX" },
	{ ALT_SLASH VIRT, "joe@example.com", false, "example.com!user.joe.Sub^dot", "Sub.dot", "Sub.dot" },
	{ ALT_SLASH VIRT, "joe@example.com", false, "example.com!teams.a^b", "Shared Folders/teams/a.b", "Shared Folders/teams/a.b" },
	{ ALT_SLASH VIRT, "ann@example.com", false, "example.com!user.joe", "Other Users/joe", "Other Users/joe" },
	{ ALT_SLASH VIRT, "ann@example.com", false, "example.com!user.joe.Sub^dot", "Other Users/joe/Sub.dot", "Other Users/joe/Sub.dot" },
	{ ALT_SLASH VIRT, "fred.smith", false, "user.fred^smith.Work^x.y", "Work.x/y", "Work.x/y" },
	{ ALT_SLASH VIRT, "ann", false, "user.fred^smith.Work^x.y", "Other Users/fred.smith/Work.x/y", "Other Users/fred.smith/Work.x/y" },
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
	ck_assert_msg(want ? got && !strcmp(got, want) : !got, "%s to %s: %s, not %s", shown[row].internal, shown[row].user, got, want);
	mbname_free(&n);
	free(got);
	namespace_free(&ns);
}
END_TEST

static const char *const internals[] = {
	"user.fred", "user.fred.a", "user.fred.a^b.c", "user.fred^smith.x", "news", "news.comp^lang.c", "user.fred.&AOk-t&AOk-", "user.fred.a b",
	"DELETED.user.fred.a.6B01D590", "DELETED.news.6B01D590", "user.fred.DELETED.x", "userx.y", "User.x",
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
	static const struct { const char *p; size_t n; } baddb[] = { { "", 0 }, { "\x1f", 1 }, { "a\x1f", 2 }, { "\x1f" "a", 2 }, { "a\x1f\x1f" "b", 4 },
		{ "x.org\x1d", 6 }, { "a\0b", 3 } };
	struct namespace ns;
	struct mbname n;
	with_namespace("3.6", STD_DOT VIRT, true, &ns);
	for (size_t i = 0; i < COUNT(bad); i++) ck_assert_msg(mbname_from_internal(&n, bad[i], &ns) == ERR_BADNAME, "%s", bad[i]);
	for (size_t i = 0; i < COUNT(baddb); i++) ck_assert_msg(mbname_from_dbname(&n, baddb[i].p, baddb[i].n, &ns) == ERR_BADNAME, "%zu", i);
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

/* ------------------------------------------------------------------------------------------------ number sets */

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

/* ------------------------------------------------------------------------------------------------ seen state */

static const struct { const char *row; int err; uint32_t lastuid; const char *uids; } rows[] = {
	{ "", ERR_BADFORMAT, 0, "" }, { "x", ERR_BADFORMAT, 0, "" }, { "2 1 2 3 1", ERR_BADFORMAT, 0, "" },
	{ "1 1795282335", ERR_BADFORMAT, 0, "" },
	{ "1 1 4294967296 1 1", ERR_BADFORMAT, 0, "" }, { "1 1 -3 1 1", ERR_BADFORMAT, 0, "" },
	{ "1 1 18446744073709551616 1 ", ERR_BADFORMAT, 0, "" },
	{ "1 1 3 1 1:", ERR_SYNTAX, 3, "" }, { "1 1 3 1 hello", ERR_SYNTAX, 3, "" }, { "1 1 3 1 1,2 ", ERR_SYNTAX, 3, "" },
	{ "1 1795282335 3 1795282335 1,3", 0, 3, "1,3" }, { "1 1 3 1 ", 0, 3, "" }, { "1 1 3 1", 0, 3, "" },
	{ "1 1 7 1 5:*", 0, 7, "5:7" },
	{ "1 1 0 1 ", 0, 0, "" },
};

START_TEST(seen_rows)
{
	struct seen s;
	struct buf b = BUF_INIT;
	ck_assert_int_eq(seen_parse(&s, rows[_i].row, strlen(rows[_i].row)), rows[_i].err);
	ck_assert_uint_eq(s.lastuid, rows[_i].lastuid);
	seqset_print(&s.uids, &b);
	ck_assert_str_eq(buf_cstr(&b), rows[_i].uids);
	seen_free(&s);
	buf_free(&b);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ with a store */

static const char *const levels[] = { "2.5", "3.6" };
static struct conf *conf;

static struct store *open_store(const char *level, const char *more)
{
	struct store *st;
	conf = load(level, more);
	ck_assert_int_eq(store_open(&st, conf, true), 0);
	return st;
}

static void close_store(struct store *st)
{
	store_close(st);
	conf_free(conf);
}

static bool see_two(void *arg, struct seen *s)
{
	s->lastuid = 12;
	s->lastread = 1700000000;
	s->lastchange = 1700000001;
	seqset_add(&s->uids, 3, 5);
	seqset_add(&s->uids, 9, 9);
	return *(bool *)arg;
}

START_TEST(seen_is_kept)
{
	struct store *st = open_store(levels[_i], "");
	struct seen s;
	struct buf b = BUF_INIT;
	bool keep = false;
	ck_assert_int_eq(seen_read(st, "fred.smith", "id-1", &s), 0);        /* absent: nothing seen */
	ck_assert_uint_eq(s.lastuid, 0);
	ck_assert_uint_eq(seqset_count(&s.uids), 0);
	ck_assert_int_eq(seen_update(st, "fred.smith", "id-1", see_two, &keep), 0);
	ck_assert_int_eq(seen_read(st, "fred.smith", "id-1", &s), 0);
	ck_assert_uint_eq(s.lastuid, 0);                     /* the change was declined */
	seen_free(&s);
	keep = true;
	ck_assert_int_eq(seen_update(st, "fred.smith", "id-1", see_two, &keep), 0);
	ck_assert_int_eq(seen_read(st, "fred.smith", "id-1", &s), 0);
	seqset_print(&s.uids, &b);
	ck_assert_str_eq(buf_cstr(&b), "3:5,9");
	ck_assert(s.lastuid == 12 && s.lastread == 1700000000 && s.lastchange == 1700000001);
	seen_free(&s);
	ck_assert_int_eq(seen_read(st, "fred.smith", "id-2", &s), 0);
	ck_assert_uint_eq(s.lastuid, 0);
	ck_assert_int_eq(seen_read(st, "joe", "id-1", &s), 0);
	ck_assert_uint_eq(s.lastuid, 0);
	ck_assert_int_eq(seen_delete(st, "fred.smith", "id-1"), 0);
	ck_assert_int_eq(seen_delete(st, "fred.smith", "id-1"), 0);
	ck_assert_int_eq(seen_read(st, "fred.smith", "id-1", &s), 0);
	ck_assert_uint_eq(s.lastuid, 0);
	buf_free(&b);
	close_store(st);
}
END_TEST

START_TEST(seen_that_is_damaged)
{
	struct store *st = open_store(levels[_i], "");
	struct buf path = BUF_INIT;
	struct cyrusdb *db;
	struct seen s;
	bool keep = true;
	ck_assert_int_eq(seen_update(st, "fred", "other", see_two, &keep), 0);
	st->layout->user_file(st, "fred", "seen", &path);
	ck_assert_int_eq(cyrusdb_open(st->dbs, conf_word(conf, OPT_SEENSTATE_DB), buf_cstr(&path), 0, &db), 0);
	cyrusdb_store(db, "bad", 3, "1 1 3 1 x,y", 11, NULL);
	cyrusdb_store(db, "new", 3, "9 1 3 1 1", 9, NULL);
	cyrusdb_close(db);
	ck_assert_int_eq(seen_read(st, "fred", "bad", &s), 0);               /* read as empty, and said */
	ck_assert_uint_eq(seqset_count(&s.uids), 0);
	ck_assert_msg(strstr(buf_cstr(&logged), "invalid sequence <1 1 3 1 x,y> for fred bad - nuking"), "%s", logged.s);
	ck_assert_int_eq(seen_read(st, "fred", "new", &s), ERR_BADFORMAT);
	ck_assert_int_eq(seen_update(st, "fred", "new", see_two, &keep), ERR_BADFORMAT);     /* what we cannot read we do not replace */
	ck_assert_int_eq(seen_update(st, "fred", "bad", see_two, &keep), 0);
	ck_assert_int_eq(seen_read(st, "fred", "bad", &s), 0);
	ck_assert_uint_eq(seqset_count(&s.uids), 4);
	seen_free(&s);
	buf_free(&path);
	close_store(st);
}
END_TEST

static int list_name(void *arg, const struct mbname *n)
{
	struct buf *b = arg;
	for (size_t i = 0; i < n->boxes.n; i++) buf_printf(b, "%s%s", i ? "." : "", n->boxes.v[i]);
	buf_printf(b, "(%s);", n->localpart ? n->localpart : "");
	return 0;
}

static int stop_now(void *arg, const struct mbname *n)
{
	(void)arg, (void)n;
	return 7;
}

static void subscribe(struct store *st, const char *user, const char *name, bool on)
{
	struct mbname n;
	ck_assert_int_eq(mbname_from_internal(&n, name, &st->ns), 0);
	ck_assert_int_eq(subs_set(st, user, &n, on), 0);
	ck_assert_int_eq(subs_has(st, user, &n), on);
	mbname_free(&n);
}

START_TEST(subscriptions)
{
	struct store *st = open_store(levels[_i], "");
	struct buf b = BUF_INIT;
	ck_assert_int_eq(subs_each(st, "fred.smith", list_name, &b), 0);
	subscribe(st, "fred.smith", "user.fred^smith.gone", false);          /* nothing to take away, and no file made for it */
	ck_assert_uint_eq(b.len, 0);
	subscribe(st, "fred.smith", "user.fred^smith", true);
	subscribe(st, "fred.smith", "user.fred^smith.a^b.c", true);
	subscribe(st, "fred.smith", "user.fred^smith.a^b.c", true);          /* twice is once */
	subscribe(st, "fred.smith", "user.joe.shared", true);
	subscribe(st, "fred.smith", "news.no^such", true);
	ck_assert_int_eq(subs_each(st, "fred.smith", list_name, &b), 0);
	ck_assert_ptr_nonnull(strstr(buf_cstr(&b), "a.b.c(fred.smith);"));
	ck_assert_ptr_nonnull(strstr(b.s, "news.no.such();"));
	ck_assert_ptr_nonnull(strstr(b.s, "shared(joe);"));
	size_t entries = 0;
	for (const char *p = b.s; (p = strchr(p, ';')); p++) entries++;
	ck_assert_uint_eq(entries, 4);                       /* no version record among them */
	ck_assert_int_eq(subs_each(st, "fred.smith", stop_now, NULL), 7);
	subscribe(st, "fred.smith", "user.joe.shared", false);
	buf_reset(&b);
	ck_assert_int_eq(subs_each(st, "fred.smith", list_name, &b), 0);
	ck_assert_ptr_null(strstr(buf_cstr(&b), "joe"));
	buf_reset(&b);
	ck_assert_int_eq(subs_each(st, "joe", list_name, &b), 0);
	ck_assert_uint_eq(b.len, 0);
	buf_free(&b);
	close_store(st);
}
END_TEST

static int count_rows(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	(void)val, (void)vallen;
	buf_append(arg, key, keylen);
	buf_putc(arg, ' ');
	return 0;
}

/* All rows of the mailbox go, those of its neighbours stay. */
START_TEST(statuscache_rows_are_dropped)
{
	static const char *const keys[] = { "user.fred%", "user.fred%%fred", "user.fred%%joe", "user.fred%x%", "user.fred%x%%joe", "user.fred.a%", "user.freddy%%fred" };
	struct store *st = open_store(levels[_i], "statuscache: yes\n");
	struct cyrusdb *db;
	struct buf path = BUF_INIT, left = BUF_INIT;
	statuscache_invalidate(st, "user.fred");             /* without a file: nothing, and none is made */
	path_conf(st, OPT_STATUSCACHE_DB_PATH, "statuscache.db", &path);
	ck_assert_int_ne(access(buf_cstr(&path), F_OK), 0);
	ck_assert_int_eq(cyrusdb_open(st->dbs, conf_word(conf, OPT_STATUSCACHE_DB), path.s, CYRUSDB_CREATE, &db), 0);
	for (size_t i = 0; i < COUNT(keys); i++) ck_assert_int_eq(cyrusdb_store(db, keys[i], strlen(keys[i]), "row", 3, NULL), 0);
	cyrusdb_close(db);
	statuscache_invalidate(st, "user.fred");
	ck_assert_ptr_nonnull(st->statuscache);
	ck_assert_int_eq(cyrusdb_foreach(st->statuscache, "", 0, NULL, count_rows, &left, NULL), 0);
	ck_assert_str_eq(buf_cstr(&left), "user.fred%x% user.fred%x%%joe user.fred.a% user.freddy%%fred ");
	statuscache_invalidate(st, "user.none");
	buf_free(&path);
	buf_free(&left);
	close_store(st);
}
END_TEST

static void put_annotation(struct store *st, const struct mbentry *e, const char *user, const char *value, size_t claimed)
{
	struct buf path = BUF_INIT, key = BUF_INIT, val = BUF_INIT;
	struct cyrusdb *db;
	path_conf(st, OPT_ANNOTATION_DB_PATH, "annotations.db", &path);
	ck_assert_int_eq(cyrusdb_open(st->dbs, conf_word(conf, OPT_ANNOTATION_DB), buf_cstr(&path), CYRUSDB_CREATE, &db), 0);
	st->layout->annot_scope(e, &key);
	buf_append(&key, "\0/specialuse\0", 13);
	buf_puts(&key, user);
	buf_putc(&key, 0);
	buf_be32(&val, (uint32_t)claimed);
	buf_be32(&val, 0);
	buf_puts(&val, value);
	ck_assert_int_eq(cyrusdb_store(db, key.s, key.len, val.s, val.len, NULL), 0);
	cyrusdb_close(db);
	buf_free(&path);
	buf_free(&key);
	buf_free(&val);
}

START_TEST(special_uses)
{
	struct store *st = open_store(levels[_i], "");
	struct mbentry e = { .name = mem_strdup("user.fred.Sent"), .uniqueid = mem_strdup("id-1"), .acl = mem_strdup("") };
	struct mbentry o = { .name = mem_strdup("user.fred.Other"), .uniqueid = mem_strdup("id-2"), .acl = mem_strdup("") };
	struct buf b = BUF_INIT;
	struct annots *s = annots_open(st, "fred");
	ck_assert_ptr_null(s);                               /* no database */
	ck_assert(!specialuse_get(s, &e, &b));
	annots_close(s);
	ck_assert_int_eq(mbname_from_internal(&e.parts, e.name, &st->ns), 0);
	ck_assert_int_eq(mbname_from_internal(&o.parts, o.name, &st->ns), 0);
	put_annotation(st, &e, st->layout->annot_owner_token ? "[.OwNeR.]" : "fred", "\\Sent \\Flagged", 14);
	put_annotation(st, &e, "joe", "\\Junk", 5);
	put_annotation(st, &o, "joe", "\\Junk", 4000000000u);                /* a length beyond the record */
	ck_assert_ptr_null(annots_open(st, NULL));
	s = annots_open(st, "fred");
	ck_assert(specialuse_get(s, &e, &b));
	ck_assert_str_eq(buf_cstr(&b), "\\Sent \\Flagged");
	ck_assert(!specialuse_get(s, &o, &b));
	annots_close(s);
	s = annots_open(st, "joe");                      /* his own view, not the owner's */
	buf_reset(&b);
	ck_assert(specialuse_get(s, &e, &b));
	ck_assert_str_eq(buf_cstr(&b), "\\Junk");
	ck_assert(!specialuse_get(s, &o, &b));
	annots_close(s);
	s = annots_open(st, "ann");
	ck_assert(!specialuse_get(s, &e, &b));
	annots_close(s);
	mbentry_free(&e);
	mbentry_free(&o);
	buf_free(&b);
	close_store(st);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ the mailbox list's records */

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

int main(void)
{
	Suite *s = suite_create("names");
	TCase *t = tcase_create("names");
	suite_add_tcase(s, t);
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
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
	tcase_add_loop_test(t, seqset_reads_and_prints, 0, COUNT(sets));
	tcase_add_loop_test(t, seqset_agrees_with_a_table, 0, 20);
	tcase_add_test(t, seqset_at_the_ends);
	tcase_add_loop_test(t, seen_rows, 0, COUNT(rows));
	tcase_add_loop_test(t, seen_is_kept, 0, 2);
	tcase_add_loop_test(t, seen_that_is_damaged, 0, 2);
	tcase_add_loop_test(t, subscriptions, 0, 2);
	tcase_add_loop_test(t, statuscache_rows_are_dropped, 0, 2);
	tcase_add_loop_test(t, special_uses, 0, 2);
	tcase_add_loop_test(t, mailbox_list_records, 0, COUNT(records));
	tcase_add_test(t, paths_stay_below_their_root);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
