/* check_store.c - the formats of the store: lists, index, header, names, sets, seen, quota, ACLs, layouts; locking. */
#include "base/num.h"
#include "store/dlist.h"
#include "store/index_format.h"
#include "store/kv_acl.h"
#include "store/mboxheader.h"
#include "store/seen.h"
#include "cunit/store/storetest.h"
#include "sys/file.h"

#include <dirent.h>
#include <errno.h>
#include <sys/wait.h>

static const char *golden(void)
{
	static char path[512];
	const char *src = getenv("srcdir"), *other = getenv("STORE_GOLDEN_DIR");
	if (other) return other;
	snprintf(path, sizeof path, "%s/cunit/golden/store", src ? src : ".");
	return path;
}

/* Calls fn for every golden file whose name ends so; returns how many there were. */
static int each_golden(const char *end, void (*fn)(const char *name, const struct buf *text))
{
	DIR *d = opendir(golden());
	int n = 0;
	ck_assert_msg(d != NULL, "%s", golden());
	for (struct dirent *e; (e = readdir(d));) {
		size_t len = strlen(e->d_name), want = strlen(end);
		struct buf text = BUF_INIT;
		if (len < want || strcmp(e->d_name + len - want, end)) continue;
		char *path = mem_printf("%s/%s", golden(), e->d_name);
		ck_assert_int_eq(file_read(path, 1 << 26, &text), 0);
		fn(e->d_name, &text);
		buf_free(&text);
		free(path);
		n++;
	}
	closedir(d);
	return n;
}

/* ------------------------------------------------------------------------------------------------ dlist */

static const struct { const char *in; bool ok; int rest; } dlists[] = {
	{ "", false, 0 }, { "(", false, 0 }, { ")", false, 0 }, { "%(", false, 0 }, { "%(a", false, 0 }, { "%(a)", false, 0 }, { "\"", false, 0 },
	{ "\"a\\", false, 0 }, { "{3}\r\nab", false, 0 }, { "{3}ab", false, 0 }, { "{99999999999999999999}\r\na", false, 0 }, { "{", false, 0 },
	{ "{x}\r\n", false, 0 }, { "((((((((((((((((((((((((((((((((((((((((((1))))))))))))))))))))))))))))))))))))))))))", false, 0 },
	{ "a", true, 0 }, { "NIL", true, 0 }, { "\"\"", true, 0 }, { "()", true, 0 }, { "%()", true, 0 }, { "{2}\r\nab", true, 0 }, { "{2+}\r\n()", true, 0 },
	{ "%(a b c (1 2 %(x y)))", true, 0 }, { "%(\"a b\" c)", true, 0 }, { "a b", true, 2 }, { "  a", true, 0 }, { "(a)x", true, 1 },
};

START_TEST(dlist_input)
{
	struct arena *a = arena_new();
	const char *p = dlists[_i].in, *end = p + strlen(p);
	struct dlist *d = dlist_parse(a, &p, end);
	ck_assert_msg((d != NULL) == dlists[_i].ok, "%s", dlists[_i].in);
	if (d) ck_assert_int_eq(end - p, dlists[_i].rest);
	arena_free(a);
}
END_TEST

static const struct { const char *s, *out; } atoms[] = {
	{ "a", "a" }, { "", "\"\"" }, { "NIL", "\"NIL\"" }, { "nil", "nil" }, { "a b", "\"a b\"" }, { "a(b", "\"a(b\"" }, { "a)b", "\"a)b\"" },
	{ "a{b", "\"a{b\"" }, { "a*b", "\"a*b\"" }, { "a\"b", "{3}\r\na\"b" }, { "a%b", "{3}\r\na%b" }, { "a\\b", "{3}\r\na\\b" },
	{ "a\x1f" "b", "a\x1f" "b" }, { "a\x1d" "b", "\"a\x1d" "b\"" }, { "a\x7f", "\"a\x7f\"" }, { "\xc3\xa9", "{2}\r\n\xc3\xa9" },
	{ "a\nb", "{3}\r\na\nb" }, { NULL, "NIL" },
};

START_TEST(dlist_output)
{
	struct buf b = BUF_INIT;
	struct arena *a = arena_new();
	dlist_put_str(&b, atoms[_i].s);
	ck_assert_str_eq(buf_cstr(&b), atoms[_i].out);
	const char *p = buf_cstr(&b);
	struct dlist *d = dlist_parse(a, &p, p + b.len);
	ck_assert_ptr_nonnull(d);
	if (!atoms[_i].s) ck_assert_int_eq(d->kind, DLIST_NIL);
	else ck_assert_str_eq(d->s, atoms[_i].s);
	arena_free(a);
	buf_free(&b);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ cyrus.index */

static void index_back(const char *name, const struct buf *text)
{
	struct index_header h;
	struct index_record r;
	char out[INDEX_HEADER_MAX];
	ck_assert_msg(!index_header_decode(text->s, text->len, &h), "%s", name);
	index_header_encode(&h, out);
	ck_assert_msg(!memcmp(out, text->s, h.start_offset), "%s: the header changes", name);
	for (uint32_t i = 0; i < h.num_records; i++) {
		const char *at = text->s + h.start_offset + (size_t)i * h.record_size;
		ck_assert_uint_le((size_t)(at - text->s) + h.record_size, text->len);
		ck_assert_msg(!index_record_decode(at, h.minor_version, &r), "%s: record %u", name, i + 1);
		index_record_encode(&r, h.minor_version, out);
		ck_assert_msg(!memcmp(out, at, h.record_size), "%s: record %u changes", name, i + 1);
	}
}

START_TEST(index_golden) { ck_assert_int_ge(each_golden(".index", index_back), 5); }
END_TEST

static const struct { uint32_t minor, header, record; bool crc; } versions[] = {
	{ 6, 76, 60, false }, { 7, 76, 72, false }, { 8, 92, 80, false }, { 9, 96, 80, false }, { 10, 96, 88, false }, { 12, 128, 96, true },
	{ 13, 128, 104, true }, { 14, 160, 104, true }, { 15, 160, 104, true }, { 16, 160, 112, true }, { 17, 160, 112, true },
	{ 18, 160, 112, true }, { 19, 160, 112, true }, { 20, 192, 144, true },
};

/* Every field that the version has comes back; encoding what was decoded gives the same bytes. */
START_TEST(index_versions)
{
	uint32_t v = versions[_i].minor, header = versions[_i].header, record = versions[_i].record;
	struct index_header h = {
		.generation_no = 3, .minor_version = v, .start_offset = header, .record_size = record, .num_records = 9, .last_appenddate = 1600000001,
		.last_uid = 77, .quota_mailbox_used = 0x123456789, .pop3_last_login = 1600000002, .uidvalidity = 1600000003, .deleted = 4, .answered = 5,
		.flagged = 6, .options = 1, .leaked_cache_records = 8, .highestmodseq = 0x1122334455, .deletedmodseq = 0x1122334400, .exists = 7,
		.first_expunged = 1600000004, .last_repack_time = 1600000005, .header_file_crc = 0xdeadbeef, .synccrc_basic = 0xcafe, .recentuid = 76,
		.recenttime = 1600000006, .pop3_show_after = 1600000007, .quota_annot_used = 99, .synccrc_annot = 12345678, .unseen = 2,
		.createdmodseq = 11, .changes_epoch = 1600000008, .quota_deleted_used = 123, .quota_expunged_used = 456,
	}, back;
	struct index_record r = {
		.uid = 5, .internaldate = 1600000010, .sentdate = 1600000011, .gmtime = 1600000012, .last_updated = 1600000013, .savedate = 1600000014,
		.size = 1234, .header_size = 200, .cache_offset = 0x5000, .cache_version = 3, .system_flags = FLAG_FLAGGED, .user_flags = { 1, 2, 3, 4 },
		.content_lines = 17, .modseq = 0x1122334450, .cid = 0xabc, .createdmodseq = 12, .basecid = 13, .cache_crc = 0x1234, .guid = { 1, 2, 3 },
	}, rback;
	char a[INDEX_HEADER_MAX], b[INDEX_HEADER_MAX];
	ck_assert_uint_eq(index_header_size(v), header);
	ck_assert_uint_eq(index_record_size(v), record);
	ck_assert(index_version_ok(v));
	ck_assert(index_has_crc(v) == versions[_i].crc);
	index_header_encode(&h, a);
	ck_assert_int_eq(index_header_decode(a, header, &back), 0);
	ck_assert_uint_eq(back.last_uid, 77);
	ck_assert_uint_eq(back.uidvalidity, 1600000003);
	ck_assert_uint_eq(back.quota_mailbox_used, 0x123456789);
	ck_assert_uint_eq(back.exists, v < 12 ? 9 : 7);
	ck_assert_uint_eq(back.highestmodseq, v < 8 ? 1 : 0x1122334455);
	ck_assert_uint_eq(back.quota_annot_used, v < 13 ? 0 : 99);
	ck_assert_uint_eq(back.unseen, v < 14 ? 0 : 2);
	ck_assert_uint_eq(back.createdmodseq, v < 16 ? 0 : 11);
	ck_assert_uint_eq(back.changes_epoch, v < 12 ? 0 : v < 17 ? 1600000005 : 1600000008);
	ck_assert_uint_eq(back.quota_expunged_used, v < 18 ? 0 : 456);
	ck_assert_uint_eq(back.recenttime, v < 12 ? 0 : 1600000006);
	index_header_encode(&back, b);
	if (v >= 8) ck_assert_mem_eq(a, b, header);          /* below, highestmodseq reads as 1 and is not written */
	index_record_encode(&r, v, a);
	ck_assert_int_eq(index_record_decode(a, v, &rback), 0);
	ck_assert_uint_eq(rback.uid, 5);
	ck_assert_uint_eq(rback.size, 1234);
	ck_assert_int_eq(rback.internaldate, 1600000010);
	ck_assert_int_eq(rback.gmtime, v < 12 ? 0 : 1600000012);
	ck_assert_int_eq(rback.savedate, v < 15 ? 0 : 1600000014);
	ck_assert_uint_eq(rback.content_lines, v < 15 ? 17 : 0);
	ck_assert_uint_eq(rback.modseq, v < 8 ? 0 : 0x1122334450);
	ck_assert_uint_eq(rback.cid, v < 13 ? 0 : 0xabc);
	ck_assert_uint_eq(rback.createdmodseq, v < 16 ? 0 : 12);
	ck_assert_uint_eq(rback.basecid, v < 20 ? 0 : 13);
	ck_assert_uint_eq(rback.cache_crc, v < 12 ? 0 : 0x1234);
	ck_assert_uint_eq(rback.cache_offset, 0x5000);
	ck_assert_uint_eq(rback.user_flags[3], 4);
	ck_assert_int_eq(rback.guid[2], v < 10 ? 0 : 3);
	index_record_encode(&rback, v, b);
	ck_assert_mem_eq(a, b, record);
	for (uint32_t at = 0; versions[_i].crc && at < record; at++) {         /* the checksum covers every byte */
		memcpy(b, a, record);
		b[at] = (char)(b[at] ^ 1);
		ck_assert_int_eq(index_record_decode(b, v, &rback), ERR_CRC);
	}
}
END_TEST

START_TEST(index_bad)
{
	char p[INDEX_HEADER_MAX] = { 0 };
	struct index_header h;
	for (uint32_t v = 0; v < 40; v++) {
		put_be32(p + 8, v);
		ck_assert_int_eq(index_header_decode(p, sizeof p, &h), ERR_BADFORMAT);         /* sizes 0 */
		if (!index_version_ok(v)) continue;
		put_be32(p + 12, index_header_size(v));
		put_be32(p + 16, index_record_size(v));
		ck_assert_int_eq(index_header_decode(p, sizeof p, &h), index_has_crc(v) ? ERR_CRC : 0);
		for (size_t n = 0; n < index_header_size(v); n++) ck_assert_int_eq(index_header_decode(p, n, &h), ERR_BADFORMAT);
		put_be32(p + 16, index_record_size(v) + 1);
		ck_assert_int_eq(index_header_decode(p, sizeof p, &h), ERR_BADFORMAT);
		put_be32(p + 12, 0);
	}
	ck_assert(!index_version_ok(11) && !index_version_ok(5) && !index_version_ok(21) && !index_version_ok(0xffffffff));
}
END_TEST

/* ------------------------------------------------------------------------------------------------ cyrus.header */

#define MAGIC "\241\002\213\015Cyrus mailbox header\n\"The best thing about this system was that it had lots of goals.\"\n\t--Jim Morris on Andrew\n"

static void header_back(const char *name, const struct buf *text)
{
	struct mboxheader h;
	struct buf out = BUF_INIT;
	ck_assert_msg(!mboxheader_parse(&h, text->s, text->len), "%s", name);
	mboxheader_print(&h, &out);
	ck_assert_msg(out.len == text->len && !memcmp(out.s, text->s, out.len), "%s changes", name);
	mboxheader_free(&h);
	buf_free(&out);
}

START_TEST(header_golden) { ck_assert_int_ge(each_golden(".header", header_back), 4); }
END_TEST

static const struct { const char *text, *root, *id, *acl, *flag0, *flag1, *flag2; } headers[] = {
	/* bad: id NULL and acl NULL */
	{ "", NULL, NULL, NULL, NULL, NULL, NULL }, { "Cyrus", NULL, NULL, NULL, NULL, NULL, NULL }, { MAGIC, NULL, NULL, NULL, NULL, NULL, NULL },
	{ MAGIC "user.x\tid\n", NULL, NULL, NULL, NULL, NULL, NULL }, { MAGIC "user.x\tid\n\n", NULL, NULL, NULL, NULL, NULL, NULL },
	{ MAGIC "user.x\tid\n\nfred\tlrs\t", NULL, NULL, NULL, NULL, NULL, NULL }, { MAGIC "user.x\t\n\n\n", NULL, NULL, NULL, NULL, NULL, NULL },
	{ MAGIC "%", NULL, NULL, NULL, NULL, NULL, NULL }, { MAGIC "%(", NULL, NULL, NULL, NULL, NULL, NULL }, { MAGIC "%(T e N", NULL, NULL, NULL, NULL, NULL, NULL },
	{ MAGIC "%x\n", NULL, NULL, NULL, NULL, NULL, NULL },
	/* good */
	{ MAGIC "user.x\tid\n\nfred\tlrs\t\n", "user.x", "id", "fred\tlrs\t", NULL, NULL, NULL },
	{ MAGIC "user.x\n\n\n", "user.x", NULL, "", NULL, NULL, NULL }, { MAGIC "\tid\tmore\n\n\n", NULL, "id", "", NULL, NULL, NULL },
	{ MAGIC "\tid\na  c \n\n", NULL, "id", "", "a", NULL, "c" },
	{ MAGIC "%(T e N user.x I id Q user A %(fred lrs) U (a NIL c))\n", "user", "id", "fred\tlrs\t", "a", NULL, "c" },
	{ MAGIC "%(I id)\n", NULL, "id", "", NULL, NULL, NULL }, { MAGIC "%(T e Z (1 2) I id A %())\n", NULL, "id", "", NULL, NULL, NULL },
};

static bool same(const char *a, const char *b) { return a && b ? !strcmp(a, b) : a == b; }

START_TEST(header_input)
{
	struct mboxheader h;
	int r = mboxheader_parse(&h, headers[_i].text, strlen(headers[_i].text));
	ck_assert_int_eq(r, headers[_i].acl ? 0 : ERR_BADFORMAT);
	if (r) return;
	ck_assert(same(h.quotaroot, headers[_i].root));
	ck_assert(same(h.uniqueid, headers[_i].id));
	ck_assert(same(h.acl, headers[_i].acl));
	ck_assert(same(h.flagname[0], headers[_i].flag0));
	ck_assert(same(h.flagname[1], headers[_i].flag1));
	ck_assert(same(h.flagname[2], headers[_i].flag2));
	mboxheader_free(&h);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ names */

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
	{ false, "INBOX", "user.fred^smith", "user.fred^smith" }, { false, "Work.x/y", "user.fred^smith.Work^x.y", "user.fred^smith.Work^x.y" },
	{ false, "INBOX/sub", NULL, "user.fred^smith.INBOX.sub" }, { false, "inbox/sub2", NULL, "user.fred^smith.INBOX.sub2" },
	{ false, "Alt Folders/w", "user.fred^smith.Alt Folders.w", "user.fred^smith.w" },
	{ false, "Shared Folders", NULL, NULL }, { false, "Other Users", NULL, NULL },
	{ false, "Shared Folders/shared.thing", "shared^thing", "shared^thing" }, { false, "Shared Folders/newtop", "newtop", "newtop" },
	{ false, "user/fred.smith/zz", "user.fred^smith.user.fred^smith.zz", "user.fred^smith.user.fred^smith.zz" },
	{ false, "a^b", "user.fred^smith.a^b", NULL }, { false, "teams/x@example.com", NULL, "user.fred^smith.teams.x@example^com" },
	{ true, "user/fred.smith", "user.fred^smith", "user.fred^smith" },
	{ true, "user/joe/Sub.dot@example.com", "example.com!user.joe.Sub^dot", "example.com!user.joe.Sub^dot" },
	{ true, "teams/a.b@example.com", "example.com!teams.a^b", "example.com!teams.a^b" }, { true, "shared.thing", "shared^thing", "shared^thing" },
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
		ck_assert_msg(same(got, want), "level %d: '%s' became %s, wanted %s", level, typed[_i].typed, got ? got : "nothing", want ? want : "nothing");
		if (!r) mbname_free(&n);
		free(got);
		namespace_free(&ns);
	}
}
END_TEST

/* spec/names.md 6.2: internal, viewer (NULL: an administrator), what 2.5 and 3.6 show */
static const struct { const char *internal, *viewer, *l25, *l36; } shown[] = {
	{ "user.fred^smith.INBOX", "fred.smith", "INBOX", "Alt Folders/INBOX" }, { "user.fred^smith.inbox", "fred.smith", "inbox", "Alt Folders/inbox" },
	{ "user.fred^smith.Inbox.s", "fred.smith", "Inbox/s", "Alt Folders/Inbox/s" },
	{ "user.fred^smith.Shared Folders.k", "fred.smith", "Shared Folders/k", "Alt Folders/Shared Folders/k" },
	{ "user.fred^smith.Other Users.q", "fred.smith", "Other Users/q", "Alt Folders/Other Users/q" },
	{ "user.fred^smith.Alt Folders", "fred.smith", "Alt Folders", "Alt Folders/Alt Folders" },
	{ "user.fred^smith.user.fred^smith.zz", "fred.smith", "user/fred.smith/zz", "user/fred.smith/zz" },
	{ "user.fred^smith.DELETED", "fred.smith", "DELETED", "DELETED" }, { "user.fred^smith", "fred.smith", "INBOX", "INBOX" },
	{ "example.com!user.joe", NULL, "user/joe@example.com", "user/joe@example.com" }, { "example.com!user.joe", "joe@example.com", "INBOX", "INBOX" },
	{ "example.com!user.joe", "ann@example.com", "Other Users/joe", "Other Users/joe" },
	{ "example.com!user.joe.Sub^dot", NULL, "user/joe/Sub.dot@example.com", "user/joe/Sub.dot@example.com" },
	{ "example.com!user.joe.Sub^dot", "joe@example.com", "Sub.dot", "Sub.dot" },
	{ "example.com!user.joe.Sub^dot", "ann@example.com", "Other Users/joe/Sub.dot", "Other Users/joe/Sub.dot" },
	{ "example.com!teams.a^b", NULL, "teams/a.b@example.com", "teams/a.b@example.com" },
	{ "example.com!teams.a^b", "joe@example.com", "Shared Folders/teams/a.b", "Shared Folders/teams/a.b" },
	{ "user.fred^smith.Work^x.y", NULL, "user/fred.smith/Work.x/y", "user/fred.smith/Work.x/y" },
	{ "user.fred^smith.Work^x.y", "fred.smith", "Work.x/y", "Work.x/y" },
	{ "user.fred^smith.Work^x.y", "bob", "Other Users/fred.smith/Work.x/y", "Other Users/fred.smith/Work.x/y" },
	{ "shared^thing", NULL, "shared.thing", "shared.thing" }, { "shared^thing", "bob", "Shared Folders/shared.thing", "Shared Folders/shared.thing" },
	{ "DELETED.user.bob.6B01EFF4", "bob", NULL, NULL }, { "DELETED.user.bob.6B01EFF4", NULL, "DELETED/user/bob/6B01EFF4", "DELETED/user/bob/6B01EFF4" },
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
		ck_assert_msg(same(got, want), "level %d: %s for %s: '%s', wanted '%s'", level, shown[_i].internal, shown[_i].viewer ? shown[_i].viewer : "admin",
			got ? got : "(none)", want ? want : "(none)");
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
	{ "z\"y", { 0, 0, 0, 0 } }, { "z%y", { 0, 0, 0, 0 } }, { "z&y", { 0, 0, 0, 0 } }, { "z;y", { 0, 0, 0, 0 } }, { "z<y", { 0, 0, 0, 0 } },
	{ "z>y", { 0, 0, 0, 0 } }, { "z\\y", { 0, 0, 0, 0 } }, { "z`y", { 0, 0, 0, 0 } }, { "z{y", { 0, 0, 0, 0 } }, { "z|y", { 0, 0, 0, 0 } },
	{ "z}y", { 0, 0, 0, 0 } }, { "z!y", { 0, 0, 0, 0 } },        /* the defect of 2.5 is not repeated */
	{ "z(y", { 0, 1, 0, 1 } }, { "z)y", { 0, 1, 0, 1 } }, { "z*y", { 0, 1, 0, 1 } }, { "z?y", { 0, 1, 0, 1 } }, { "z[y", { 0, 1, 0, 1 } },
	{ "z]y", { 0, 1, 0, 1 } }, { "z@y", { 0, 1, 0, 1 } }, { "z^y", { 0, 1, 1, 0 } }, { "z/y", { 0, 0, 1, 1 } }, { "$x", { 1, 1, 1, 1 } },
	{ "~x", { 1, 1, 1, 1 } }, { "a~b", { 1, 1, 1, 1 } }, { "&AOk-", { 1, 1, 1, 1 } }, { "&AOk-x&AOk-", { 1, 1, 1, 1 } }, { "&-", { 1, 1, 1, 1 } },
	{ "&AOk-&-", { 1, 1, 1, 1 } }, { "&AOk-&AOk-", { 0, 0, 0, 0 } }, { "&AGE-", { 0, 0, 0, 0 } }, { "&AOl-", { 0, 0, 0, 0 } }, { "&", { 0, 0, 0, 0 } },
	{ "&AOk", { 0, 0, 0, 0 } }, { "&2D3cAA-", { 0, 1, 0, 1 } }, { "&2D0-", { 0, 0, 0, 0 } },     /* half a pair: refused in both, as recommended */
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
	{ "user.anonymous", { 0, 0, 0, 0 } }, { "user.%x", { 0, 0, 0, 0 } }, { "User", { 0, 1, 0, 1 } }, { "user.Anyone", { 0, 1, 0, 1 } },
	{ "DELETED", { 1, 0, 1, 0 } }, { "DELETED.zz.12345678", { 1, 1, 1, 1 } }, { "user.a b", { 1, 1, 1, 1 } }, { "user.A", { 1, 1, 1, 1 } },
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

/* ------------------------------------------------------------------------------------------------ sets, seen, quota, ACL */

static const struct { const char *in, *out; } sets[] = {
	{ "1", "1" }, { "3,1,2", "1:3" }, { "5:2", "2:5" }, { "1:3,2:8,10", "1:8,10" }, { "4294967295", "4294967295" }, { "1,3,5", "1,3,5" },
	{ "", NULL }, { ",", NULL }, { "1,", NULL }, { ",1", NULL }, { "1:", NULL }, { ":1", NULL }, { "a", NULL }, { "1-2", NULL }, { "1 ", NULL },
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
	{ "1 5 3 5 1:2,x", ERR_SYNTAX, 3, 0 }, { "2 1 1 1 1", ERR_BADFORMAT, 0, 0 }, { "", ERR_BADFORMAT, 0, 0 }, { "1", ERR_BADFORMAT, 0, 0 },
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
	{ "%(S (833 1000) M (8 50) AS (22) NF (5))", true, { 833, 8, 22, 5 }, { 1000, 50, -1, -1 }, "%(S (833 1000) M (8 50) AS (22) NF (5))" },
	{ "%(S (1) M (2) AS (3) NF (4) MODSEQ 39)", true, { 1, 2, 3, 4 }, { -1, -1, -1, -1 }, "%(S (1) M (2) AS (3) NF (4))" },
	{ "%(S (5 6))", true, { 5, 0, 0, 0 }, { 6, -1, -1, -1 }, "%(S (5 6) M (0) AS (0) NF (0))" },
	{ "%(S (-5 -1))", true, { 0, 0, 0, 0 }, { -1, -1, -1, -1 }, "%(S (0) M (0) AS (0) NF (0))" },
	{ "100 200", true, { 100, 0, 0, 0 }, { 200, -1, -1, -1 }, "%(S (100 200) M (0) AS (0) NF (0))" },
	{ "100 -1", true, { 100, 0, 0, 0 }, { -1, -1, -1, -1 }, NULL }, { "100 200 7 m 1 2 9", true, { 100, 1, 0, 0 }, { 200, 2, -1, -1 }, NULL },
	{ "100 200 M 3 4 as 5 6 NF 7 8", true, { 100, 3, 5, 7 }, { 200, 4, 6, 8 }, NULL },
	{ "", false, { 0 }, { 0 }, NULL }, { "x", false, { 0 }, { 0 }, NULL }, { "%(S x", false, { 0 }, { 0 }, NULL }, { "%x", false, { 0 }, { 0 }, NULL },
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

/* ------------------------------------------------------------------------------------------------ layouts and paths */

static const struct { const char *key, *val; } list_25[] = {
	{ "News", "%(A %(anyone lrs) I 1 P default V 1 M 1)" }, { "Inn", "%(A %(anyone lrs) I 2 P default V 1 M 1)" }, { "user.x", "0 default x\tlrs\t" },
}, list_36[] = {
	{ "NNews", "%(T e I abc P default V 1 M 1 A %(anyone lrs))" }, { "Iabc", "%(T e N News P default V 1 M 1 A %(anyone lrs) H ())" },
	{ "AS\x1e", "" }, { "AS\x1e" "anyone\x1eNews", "" },
};

static void fill(struct storetest *t, bool old, bool new)
{
	for (size_t i = 0; old && i < COUNT(list_25); i++)
		ck_assert_int_eq(cyrusdb_store(t->st->mboxlist, list_25[i].key, strlen(list_25[i].key), list_25[i].val, strlen(list_25[i].val), NULL), 0);
	for (size_t i = 0; new && i < COUNT(list_36); i++)
		ck_assert_int_eq(cyrusdb_store(t->st->mboxlist, list_36[i].key, strlen(list_36[i].key), list_36[i].val, strlen(list_36[i].val), NULL), 0);
}

START_TEST(detect)
{
	static const struct { bool old, new; int r; enum conf_level level; } rows[] = {
		{ false, false, 0, LEVEL_AUTO }, { true, false, 0, LEVEL_25 }, { false, true, 0, LEVEL_36 }, { true, true, ERR_BADFORMAT, LEVEL_AUTO },
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct storetest t = { .st = NULL };
		enum conf_level level = LEVEL_AUTO;
		storetest_new(&t, "auto", NULL);
		fill(&t, rows[i].old, rows[i].new);
		ck_assert_int_eq(layout_detect(t.st->mboxlist, &level), rows[i].r);
		if (!rows[i].r) ck_assert_int_eq(level, rows[i].level);
		storetest_remove(&t);
	}
}
END_TEST

/* One mailbox list after the other; what a few records tell, and what all of them do. */
static const struct { const char *keys; int quick, whole; enum conf_level level; } lists[] = {
	{ "AApple Info News", 0, 0, LEVEL_25 }, { "Inn", 0, 0, LEVEL_25 }, { "News", 0, 0, LEVEL_25 }, { "News user.x", 0, 0, LEVEL_25 }, { "\xc3\xa4 user.x", 0, 0, LEVEL_25 },
	{ "=Iabc =NNews", 0, 0, LEVEL_36 }, { "=A =Iabc =NNews", 0, 0, LEVEL_36 }, { "=Iabc =NNews user.x", ERR_BADFORMAT, ERR_BADFORMAT, LEVEL_36 },
	{ "=Iabc =NNews Box", ERR_BADFORMAT, ERR_BADFORMAT, LEVEL_36 }, { "=Iabc =NNews \xc3\xa4", ERR_BADFORMAT, ERR_BADFORMAT, LEVEL_36 },
	{ "=Iabc Inn =NNews", 0, ERR_BADFORMAT, LEVEL_36 },                     /* recovery finds out */
};

START_TEST(detect_one)
{
	struct storetest t = { .st = NULL };
	enum conf_level level;
	storetest_new(&t, "auto", _i / (int)COUNT(lists) ? "mboxlist_db: skiplist\n" : NULL);
	const char *p = lists[_i % (int)COUNT(lists)].keys;
	for (size_t n; *p; p += n + (p[n] == ' ')) {
		n = strcspn(p, " ");
		const char *val = *p != '=' ? "%(A %(anyone lrs) I 1 P default V 1 M 1)" : p[1] == 'A' ? ""
			: p[1] == 'N' ? "%(T e I abc P default V 1 M 1 A %(anyone lrs))" : "%(T e N News P default V 1 M 1 A %(anyone lrs) H ())";
		char *key = p[0] == '=' && p[1] == 'A' ? mem_strdup("AS\x1e") : mem_dup(p + (*p == '='), n - (*p == '='));
		ck_assert_int_eq(cyrusdb_store(t.st->mboxlist, key, strlen(key), val, strlen(val), NULL), 0);
		free(key);
	}
	ck_assert_int_eq(layout_detect(t.st->mboxlist, &level), lists[_i % (int)COUNT(lists)].quick);
	ck_assert_int_eq(level, lists[_i % (int)COUNT(lists)].level);
	ck_assert_int_eq(layout_prove(t.st->mboxlist, &level), lists[_i % (int)COUNT(lists)].whole);
	ck_assert_int_eq(level, lists[_i % (int)COUNT(lists)].level);
	storetest_remove(&t);
}
END_TEST

static const struct { const char *level, *more, *name, *below; } dirs[] = {
	{ "2.5", "", "user.alice.sub", "/user/alice/sub" }, { "3.6", "", "user.alice.sub", "/user/alice/sub" },
	{ "2.5", "hashimapspool: 1\n", "user.alice.sub", "/a/user/alice/sub" }, { "3.6", "hashimapspool: 1\n", "user.1x", "/q/user/1x" },
	{ "2.5", "hashimapspool: 1\n", "News", "/n/News" },
	{ "2.5", "hashimapspool: 1\nfulldirhash: 1\n", "user.alice.1", "/L/user/alice/1" },
	{ "3.6", "hashimapspool: 1\nfulldirhash: 1\n", "user.fred^smith", NULL }, { "2.5", "hashimapspool: 1\nfulldirhash: 1\n", "user.fred^smith", NULL },
	{ "2.5", "hashimapspool: 1\nfulldirhash: 1\nvirtdomains: userid\n", "example.net!user.joe.Plain", "/domain/O/example.net/B/user/joe/Plain" },
	{ "2.5", "hashimapspool: 1\nfulldirhash: 1\n", "DELETED.user.bob.6B01EFF4", "/C/DELETED/user/bob/6B01EFF4" },
};

START_TEST(paths_by_name)
{
	struct storetest t;
	struct buf b = BUF_INIT;
	storetest_new(&t, dirs[_i].level, dirs[_i].more);
	path_by_name(t.st, "/root/", dirs[_i].name, &b);
	if (dirs[_i].below) {
		char *want = mem_printf("/root%s", dirs[_i].below);
		ck_assert_str_eq(buf_cstr(&b), want);
		free(want);
	} else {                                       /* the caret case: 3.6 hashes as if it were a dot, that is, "fred" */
		char letter = dir_hash_c(dirs[_i].level[0] == '3' ? "fred" : "fred^smith", true);
		ck_assert_int_eq(buf_cstr(&b)[6], letter);
		ck_assert_int_ne(dir_hash_c("fred", true), dir_hash_c("fred^smith", true));
	}
	buf_free(&b);
	storetest_remove(&t);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ locking */

/* 0 got it, 1 refused: another process tries the lock. */
static int other_takes(struct storetest *t, enum lock_mode mode)
{
	pid_t pid = fork();
	int status;
	if (!pid) {
		struct storetest own = *t;
		struct namelock *l;
		storetest_open(&own);
		_exit(namelock_take(own.st, "user.x", mode, LOCK_NOWAIT, &l) ? 1 : 0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

START_TEST(name_locks)
{
	struct storetest t;
	struct namelock *a, *b, *c;
	storetest_new(&t, "2.5", NULL);
	ck_assert_int_eq(namelock_take(t.st, "user.x", LOCK_SHARED, LOCK_NOWAIT, &a), 0);
	ck_assert_int_eq(namelock_take(t.st, "user.x", LOCK_SHARED, LOCK_NOWAIT, &b), 0);
	ck_assert_int_eq(namelock_take(t.st, "user.x", LOCK_EXCLUSIVE, LOCK_NOWAIT, &c), ERR_LOCKED);
	ck_assert_int_eq(other_takes(&t, LOCK_SHARED), 0);
	ck_assert_int_eq(other_takes(&t, LOCK_EXCLUSIVE), 1);
	namelock_release(t.st, &a);
	ck_assert_int_eq(other_takes(&t, LOCK_EXCLUSIVE), 1);          /* still held once */
	namelock_release(t.st, &b);
	ck_assert_int_eq(other_takes(&t, LOCK_EXCLUSIVE), 0);
	ck_assert_int_eq(namelock_take(t.st, "user.x", LOCK_EXCLUSIVE, LOCK_NOWAIT, &a), 0);
	ck_assert_int_eq(namelock_take(t.st, "user.x", LOCK_SHARED, LOCK_NOWAIT, &b), 0);
	ck_assert_int_eq(namelock_mode(b), LOCK_EXCLUSIVE);
	ck_assert_int_eq(other_takes(&t, LOCK_SHARED), 1);
	namelock_release(t.st, &a);
	namelock_release(t.st, &b);
	namelock_release(t.st, &b);
	ck_assert_int_eq(other_takes(&t, LOCK_SHARED), 0);
	storetest_remove(&t);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("formats");
	tcase_set_timeout(tc, 300);
#define LOOP(test, table) tcase_add_loop_test(tc, test, 0, COUNT(table))
	LOOP(dlist_input, dlists);
	LOOP(dlist_output, atoms);
	tcase_add_test(tc, index_golden);
	LOOP(index_versions, versions);
	tcase_add_test(tc, index_bad);
	tcase_add_test(tc, header_golden);
	LOOP(header_input, headers);
	LOOP(names_typed, typed);
	LOOP(names_shown, shown);
	LOOP(names_created, created);
	LOOP(names_admin, admin_names);
	LOOP(seqsets, sets);
	LOOP(seen_rows, seens);
	LOOP(quota_records, quotas);
	LOOP(kv_acls, acls);
	tcase_add_test(tc, detect);
	tcase_add_loop_test(tc, detect_one, 0, 2 * COUNT(lists));
	LOOP(paths_by_name, dirs);
	tcase_add_test(tc, name_locks);
	return suite_run("store", (TCase *[]){ tc, NULL });
}
