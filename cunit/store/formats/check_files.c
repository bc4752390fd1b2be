/* check_files.c - lists, cyrus.index, cyrus.header. */
#include "base/num.h"
#include "cunit/store/formats/suites.h"
#include "cunit/store/storetest.h"
#include "store/dlist.h"
#include "store/index_format.h"
#include "store/mboxheader.h"
#include "sys/file.h"

#include <dirent.h>

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
	{ "", false, 0 }, { "(", false, 0 }, { ")", false, 0 }, { "%(", false, 0 }, { "%(a", false, 0 }, { "%(a)", false, 0 },
	{ "\"", false, 0 },
	{ "\"a\\", false, 0 }, { "{3}\r\nab", false, 0 }, { "{3}ab", false, 0 }, { "{99999999999999999999}\r\na", false, 0 },
	{ "{", false, 0 },
	{ "{x}\r\n", false, 0 }, { "((((((((((((((((((((((((((((((((((((((((((1))))))))))))))))))))))))))))))))))))))))))", false,
		0 },
	{ "a", true, 0 }, { "NIL", true, 0 }, { "\"\"", true, 0 }, { "()", true, 0 }, { "%()", true, 0 }, { "{2}\r\nab", true, 0 },
	{ "{2+}\r\n()", true, 0 },
	{ "%(a b c (1 2 %(x y)))", true, 0 }, { "%(\"a b\" c)", true, 0 }, { "a b", true, 2 }, { "  a", true, 0 },
	{ "(a)x", true, 1 },
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
	{ "a", "a" }, { "", "\"\"" }, { "NIL", "\"NIL\"" }, { "nil", "nil" }, { "a b", "\"a b\"" }, { "a(b", "\"a(b\"" },
	{ "a)b", "\"a)b\"" },
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
	{ 6, 76, 60, false }, { 7, 76, 72, false }, { 8, 92, 80, false }, { 9, 96, 80, false }, { 10, 96, 88, false },
	{ 12, 128, 96, true },
	{ 13, 128, 104, true }, { 14, 160, 104, true }, { 15, 160, 104, true }, { 16, 160, 112, true }, { 17, 160, 112, true },
	{ 18, 160, 112, true }, { 19, 160, 112, true }, { 20, 192, 144, true },
};

/* Every field that the version has comes back; encoding what was decoded gives the same bytes. */
START_TEST(index_versions)
{
	uint32_t v = versions[_i].minor, header = versions[_i].header, record = versions[_i].record;
	struct index_header h = {
		.generation_no = 3, .minor_version = v, .start_offset = header, .record_size = record, .num_records = 9,
		.last_appenddate = 1600000001,
		.last_uid = 77, .quota_mailbox_used = 0x123456789, .pop3_last_login = 1600000002, .uidvalidity = 1600000003, .deleted = 4,
		.answered = 5,
		.flagged = 6, .options = 1, .leaked_cache_records = 8, .highestmodseq = 0x1122334455, .deletedmodseq = 0x1122334400,
		.exists = 7,
		.first_expunged = 1600000004, .last_repack_time = 1600000005, .header_file_crc = 0xdeadbeef, .synccrc_basic = 0xcafe,
		.recentuid = 76,
		.recenttime = 1600000006, .pop3_show_after = 1600000007, .quota_annot_used = 99, .synccrc_annot = 12345678, .unseen = 2,
		.createdmodseq = 11, .changes_epoch = 1600000008, .quota_deleted_used = 123, .quota_expunged_used = 456,
	}, back;
	struct index_record r = {
		.uid = 5, .internaldate = 1600000010, .sentdate = 1600000011, .gmtime = 1600000012, .last_updated = 1600000013,
		.savedate = 1600000014,
		.size = 1234, .header_size = 200, .cache_offset = 0x5000, .cache_version = 3, .system_flags = FLAG_FLAGGED,
		.user_flags = { 1, 2, 3, 4 },
		.content_lines = 17, .modseq = 0x1122334450, .cid = 0xabc, .createdmodseq = 12, .basecid = 13, .cache_crc = 0x1234,
		.guid = { 1, 2, 3 },
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

#define MAGIC "\241\002\213\015Cyrus mailbox header\n\"The best thing about this system was that it had lots of " \
	"goals.\"\n\t--Jim Morris on Andrew\n"

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
	{ "", NULL, NULL, NULL, NULL, NULL, NULL }, { "Cyrus", NULL, NULL, NULL, NULL, NULL, NULL },
	{ MAGIC, NULL, NULL, NULL, NULL, NULL, NULL },
	{ MAGIC "user.x\tid\n", NULL, NULL, NULL, NULL, NULL, NULL }, { MAGIC "user.x\tid\n\n", NULL, NULL, NULL, NULL, NULL, NULL },
	{ MAGIC "user.x\tid\n\nfred\tlrs\t", NULL, NULL, NULL, NULL, NULL, NULL },
	{ MAGIC "user.x\t\n\n\n", NULL, NULL, NULL, NULL, NULL, NULL },
	{ MAGIC "%", NULL, NULL, NULL, NULL, NULL, NULL }, { MAGIC "%(", NULL, NULL, NULL, NULL, NULL, NULL },
	{ MAGIC "%(T e N", NULL, NULL, NULL, NULL, NULL, NULL },
	{ MAGIC "%x\n", NULL, NULL, NULL, NULL, NULL, NULL },
	/* good */
	{ MAGIC "user.x\tid\n\nfred\tlrs\t\n", "user.x", "id", "fred\tlrs\t", NULL, NULL, NULL },
	{ MAGIC "user.x\n\n\n", "user.x", NULL, "", NULL, NULL, NULL },
	{ MAGIC "\tid\tmore\n\n\n", NULL, "id", "", NULL, NULL, NULL },
	{ MAGIC "\tid\na  c \n\n", NULL, "id", "", "a", NULL, "c" },
	{ MAGIC "%(T e N user.x I id Q user A %(fred lrs) U (a NIL c))\n", "user", "id", "fred\tlrs\t", "a", NULL, "c" },
	{ MAGIC "%(I id)\n", NULL, "id", "", NULL, NULL, NULL },
	{ MAGIC "%(T e Z (1 2) I id A %())\n", NULL, "id", "", NULL, NULL, NULL },
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

TCase *case_files(void)
{
	TCase *t = tcase_create("files");
	tcase_set_timeout(t, 300);
	tcase_add_loop_test(t, dlist_input, 0, COUNT(dlists));
	tcase_add_loop_test(t, dlist_output, 0, COUNT(atoms));
	tcase_add_test(t, index_golden);
	tcase_add_loop_test(t, index_versions, 0, COUNT(versions));
	tcase_add_test(t, index_bad);
	tcase_add_test(t, header_golden);
	tcase_add_loop_test(t, header_input, 0, COUNT(headers));
	return t;
}
