/* check_reconstruct.c - damage of every kind: afterwards the mailbox opens, the messages are all there, and flags and UIDs
 * survive where they can (spec/mailbox.md 16). Also: nothing changes in a healthy mailbox, and links are never followed. */
#include "base/num.h"
#include "cunit/store/storetest.h"
#include "store/quotascan.h"
#include "store/reconstruct.h"
#include "sys/file.h"

#include <fcntl.h>

enum { MESSAGES = 6 };
static const char *const levels[] = { "2.5", "3.6" };
static const char NAME[] = "user.fred.a";
static struct storetest t;
static struct buf said;

static void say(void *arg, const char *line)
{
	(void)arg;
	buf_printf(&said, "%s\n", line);
}

static int repair(unsigned flags)
{
	struct reconstruct rc = { .st = t.st, .flags = flags, .say = say };
	buf_reset(&said);
	return reconstruct_mailbox(&rc, NAME);
}

static void file_path(enum meta_kind kind, const char *file, struct buf *out)
{
	struct mbentry e;
	ck_assert_int_eq(mboxlist_lookup(t.st, NAME, &e), 0);
	buf_reset(out);
	ck_assert_int_eq(path_mailbox(t.st, &e, kind, file, out), 0);
	mbentry_free(&e);
}

static void read_file(enum meta_kind kind, const char *file, struct buf *out)
{
	struct buf path = BUF_INIT;
	file_path(kind, file, &path);
	buf_reset(out);
	ck_assert_int_eq(file_read(buf_cstr(&path), 1 << 24, out), 0);
	buf_free(&path);
}

static void write_bytes(enum meta_kind kind, const char *file, const void *p, size_t n)
{
	struct buf path = BUF_INIT;
	file_path(kind, file, &path);
	FILE *f = fopen(buf_cstr(&path), "w");
	ck_assert_uint_eq(fwrite(p, 1, n, f), n);
	fclose(f);
	buf_free(&path);
}

static void flip(enum meta_kind kind, const char *file, size_t at)
{
	struct buf b = BUF_INIT;
	read_file(kind, file, &b);
	ck_assert_uint_lt(at, b.len);
	b.s[at] = (char)(b.s[at] ^ 0x55);
	write_bytes(kind, file, b.s, b.len);
	buf_free(&b);
}

static void cut(enum meta_kind kind, const char *file, size_t len)
{
	struct buf b = BUF_INIT;
	read_file(kind, file, &b);
	write_bytes(kind, file, b.s, len < b.len ? len : b.len);
	buf_free(&b);
}

static void drop(enum meta_kind kind, const char *file)
{
	struct buf path = BUF_INIT;
	file_path(kind, file, &path);
	ck_assert_int_eq(unlink(buf_cstr(&path)), 0);
	buf_free(&path);
}

static uint32_t header_size(void) { return index_header_size(t.st->layout->index_version); }
static uint32_t record_size(void) { return index_record_size(t.st->layout->index_version); }

static void make(const char *level)
{
	uint32_t uid;
	storetest_new(&t, level, NULL);
	storetest_create(&t, "user.fred");
	storetest_create(&t, NAME);
	for (unsigned i = 1; i <= MESSAGES; i++)
		ck_assert_int_eq(storetest_append(&t, NAME, i, i % 2 ? "\\Flagged" : "$Work", &uid), 0);
}

/* Which messages have \Flagged or the keyword: "1f 2w ..." by message number. */
static char *flags_now(void)
{
	struct mailbox *mb;
	struct index_record r;
	struct buf b = BUF_INIT;
	ck_assert_int_eq(mailbox_open(t.st, NAME, &mb), 0);
	ck_assert_int_eq(mailbox_lock(mb, LOCK_SHARED), 0);
	for (uint32_t i = 1; i <= mb->h.num_records; i++) {
		if (mailbox_record(mb, i, &r) || !r.uid || r.system_flags & FLAG_EXPUNGED) continue;
		buf_printf(&b, "%s%u%s%s", b.len ? " " : "", storetest_message(mb, &r), r.system_flags & FLAG_FLAGGED ? "f" : "",
			r.user_flags[0] ? "w" : "");
	}
	mailbox_unlock(mb);
	mailbox_close(&mb);
	return buf_take(&b);
}

#define ALL "1:1 2:2 3:3 4:4 5:5 6:6"
#define ALL_FLAGS "1f 2w 3f 4w 5f 6w"

static void expect(const char *list, const char *flags, const char *when)
{
	storetest_expect(&t, NAME, list, when);
	char *now = flags_now();
	if (flags) ck_assert_msg(!strcmp(now, flags), "%s: flags '%s', wanted '%s'", when, now, flags);
	free(now);
	/* and it is at peace now: another run finds nothing */
	ck_assert_msg(!repair(RECONSTRUCT_PARSE), "%s: a second run fails", when);
	ck_assert_msg(!said.len, "%s: a second run says %s", when, buf_cstr(&said));
	uint32_t uid;
	ck_assert_msg(!storetest_append(&t, NAME, 50, NULL, &uid), "%s: nothing can be appended", when);
}

/* ------------------------------------------------------------------------------------------------ the table of damage */

static void none(void) { }
static void index_gone(void) { drop(META_INDEX, "cyrus.index"); }
static void index_empty(void) { cut(META_INDEX, "cyrus.index", 0); }
static void index_short_header(void) { cut(META_INDEX, "cyrus.index", 50); }
static void index_cut(void) { cut(META_INDEX, "cyrus.index", header_size() + 4 * record_size() + 10); }
static void index_version(void) { flip(META_INDEX, "cyrus.index", 11); }
static void index_sizes(void) { flip(META_INDEX, "cyrus.index", 15); }
static void index_count(void) { flip(META_INDEX, "cyrus.index", 20); }
static void index_last_uid(void) { flip(META_INDEX, "cyrus.index", 28); }
static void index_crc(void) { flip(META_INDEX, "cyrus.index", header_size() - 1); }
static void index_generation(void) { flip(META_INDEX, "cyrus.index", 3); }
static void index_record_crc(void) { flip(META_INDEX, "cyrus.index", header_size() + 2 * record_size() + 40); }
static void index_noise(void)
{
	char noise[5000];
	for (size_t i = 0; i < sizeof noise; i++) noise[i] = (char)(i * 7919 >> 3);
	write_bytes(META_INDEX, "cyrus.index", noise, sizeof noise);
}
static void header_gone(void) { drop(META_HEADER, "cyrus.header"); }
static void header_empty(void) { cut(META_HEADER, "cyrus.header", 0); }
static void header_magic(void) { flip(META_HEADER, "cyrus.header", 3); }
static void header_cut(void) { cut(META_HEADER, "cyrus.header", 120); }
static void cache_gone(void) { drop(META_CACHE, "cyrus.cache"); }
static void cache_empty(void) { cut(META_CACHE, "cyrus.cache", 0); }
static void cache_cut(void) { cut(META_CACHE, "cyrus.cache", 900); }
static void cache_byte(void) { flip(META_CACHE, "cyrus.cache", 60); }
static void cache_generation(void) { flip(META_CACHE, "cyrus.cache", 3); }
static void both_gone(void) { index_gone(); header_gone(); cache_gone(); }
static void message_gone(void) { drop(META_DATA, "3."); }
static void message_empty(void) { cut(META_DATA, "3.", 0); }
static void index_link(void)
{
	struct buf path = BUF_INIT;
	index_gone();
	file_path(META_INDEX, "cyrus.index", &path);
	ck_assert_int_eq(symlink("/dev/zero", buf_cstr(&path)), 0);
	buf_free(&path);
}

static const struct { const char *name; void (*damage)(void); const char *list, *flags, *says; } table[] = {
	{ "nothing", none, ALL, ALL_FLAGS, "" },
	{ "index gone", index_gone, ALL, "1 2 3 4 5 6", "failed to read index header" },
	{ "index empty", index_empty, ALL, "1 2 3 4 5 6", "failed to read index header" },
	{ "index of 50 bytes", index_short_header, ALL, "1 2 3 4 5 6", "uid 1 found - adding" },
	{ "index cut after four records", index_cut, ALL, "1f 2w 3f 4w 5 6", "uid 5 found - adding" },
	{ "version", index_version, ALL, ALL_FLAGS, "failed to read index header" },
	{ "header size", index_sizes, ALL, ALL_FLAGS, "failed to read index header" },
	{ "number of records", index_count, ALL, ALL_FLAGS, "failed to read index header" },
	{ "last_uid", index_last_uid, ALL, ALL_FLAGS, "failed to read index header" },
	{ "index header checksum", index_crc, ALL, ALL_FLAGS, "failed to read index header" },
	{ "generation", index_generation, ALL, ALL_FLAGS, "failed to read index header" },
	{ "record checksum", index_record_crc, "1:1 2:2 4:4 5:5 6:6 7:3", "1f 2w 4w 5f 6w 3", "record corrupted 3 (maybe uid 3)" },
	{ "index noise", index_noise, ALL, "1 2 3 4 5 6", "failed to read index header" },
	{ "index is a link", index_link, ALL, "1 2 3 4 5 6", "failed to read index header" },
	{ "header gone", header_gone, ALL, ALL_FLAGS, "failed to read header file" },
	{ "header empty", header_empty, ALL, ALL_FLAGS, "failed to read header file" },
	{ "header magic", header_magic, ALL, ALL_FLAGS, "failed to read header file" },
	{ "header cut", header_cut, ALL, ALL_FLAGS, "failed to read header file" },
	{ "cache gone", cache_gone, ALL, ALL_FLAGS, "missing cache file, recreating" },
	{ "cache empty", cache_empty, ALL, ALL_FLAGS, "rewrote cache for 1 " },
	{ "cache cut", cache_cut, ALL, ALL_FLAGS, "rewrote cache for 6 " },
	{ "cache byte", cache_byte, ALL, ALL_FLAGS, "rewrote cache for 1 " },
	{ "cache generation", cache_generation, ALL, ALL_FLAGS, "rewrote cache for 1 " },
	{ "all three gone", both_gone, ALL, "1 2 3 4 5 6", "failed to read header file" },
	{ "message gone", message_gone, "1:1 2:2 4:4 5:5 6:6", "1f 2w 4w 5f 6w", "uid 3 not found" },
	{ "message empty", message_empty, "1:1 2:2 4:4 5:5 6:6", "1f 2w 4w 5f 6w", "uid 3 not found" },
};

START_TEST(damage)
{
	const char *when = table[_i / 2].name;
	make(levels[_i % 2]);
	struct mbentry before, after;
	ck_assert_int_eq(mboxlist_lookup(t.st, NAME, &before), 0);
	table[_i / 2].damage();
	int r = repair(0);
	ck_assert_msg(!r, "%s: %s", when, err_text(r));
	if (*table[_i / 2].says) ck_assert_msg(strstr(buf_cstr(&said), table[_i / 2].says), "%s: said %s", when, buf_cstr(&said));
	else ck_assert_msg(!said.len, "%s: said %s", when, buf_cstr(&said));
	expect(table[_i / 2].list, table[_i / 2].flags, when);
	ck_assert_int_eq(mboxlist_lookup(t.st, NAME, &after), 0);
	ck_assert_str_eq(before.uniqueid, after.uniqueid);
	ck_assert_str_eq(before.acl, after.acl);
	mbentry_free(&before);
	mbentry_free(&after);
	storetest_remove(&t);
}
END_TEST

/* Every byte of the index header and of one record, flipped by itself: it always comes back. */
START_TEST(each_byte)
{
	make(levels[_i]);
	struct buf whole = BUF_INIT;
	read_file(META_INDEX, "cyrus.index", &whole);
	for (size_t at = 0; at < header_size() + record_size(); at++) {
		char when[40];
		snprintf(when, sizeof when, "byte %zu", at);
		write_bytes(META_INDEX, "cyrus.index", whole.s, whole.len);
		cut(META_CACHE, "cyrus.cache", 1 << 20);
		flip(META_INDEX, "cyrus.index", at);
		int r = repair(0);
		ck_assert_msg(!r, "%s: %s", when, err_text(r));
		char *list = storetest_list(&t, NAME);
		for (unsigned i = 1; i <= MESSAGES; i++) {
			char want[8];
			snprintf(want, sizeof want, ":%u", i);
			ck_assert_msg(strstr(list, want), "%s: message %u is lost: %s", when, i, list);
		}
		free(list);
		if (at >= header_size()) {                /* the file got a new number: back to where it was */
			storetest_remove(&t);
			make(levels[_i]);
		}
	}
	buf_free(&whole);
	storetest_remove(&t);
}
END_TEST

START_TEST(report_changes_nothing)
{
	make(levels[_i]);
	struct buf a = BUF_INIT, b = BUF_INIT;
	drop(META_DATA, "2.");
	flip(META_INDEX, "cyrus.index", header_size() + 2 * record_size() + 40);
	read_file(META_INDEX, "cyrus.index", &a);
	ck_assert_int_eq(repair(RECONSTRUCT_REPORT), 0);
	ck_assert_ptr_nonnull(strstr(buf_cstr(&said), "user.fred.a uid 2 not found\n"));
	ck_assert_ptr_nonnull(strstr(buf_cstr(&said), "user.fred.a: record corrupted 3 (maybe uid 3)\n"));
	read_file(META_INDEX, "cyrus.index", &b);
	ck_assert_uint_eq(a.len, b.len);
	ck_assert_mem_eq(a.s, b.s, a.len);
	flip(META_INDEX, "cyrus.index", 11);
	ck_assert_int_eq(repair(RECONSTRUCT_REPORT), ERR_BADFORMAT);
	buf_free(&a);
	buf_free(&b);
	storetest_remove(&t);
}
END_TEST

START_TEST(odd_files_and_links)
{
	static const char *const names[] = { "x", "07.", "8", "8..", "4294967296.", "4294967295.", "0." };
	struct buf path = BUF_INIT;
	struct stat sb;
	make(levels[_i]);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) write_bytes(META_DATA, names[i], "hello", 5);
	char *target = mem_printf("%s/outside", t.dir);
	FILE *f = fopen(target, "w");
	fputs("Subject: secret\r\n\r\nx\r\n", f);
	fclose(f);
	file_path(META_DATA, "9.", &path);
	ck_assert_int_eq(symlink(target, buf_cstr(&path)), 0);
	ck_assert_int_eq(repair(0), 0);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) ck_assert_ptr_nonnull(strstr(buf_cstr(&said), names[i]));
	ck_assert_ptr_nonnull(strstr(buf_cstr(&said), "odd file"));
	ck_assert_ptr_nonnull(strstr(buf_cstr(&said), "run reconstruct with -O to remove odd files\n"));
	storetest_expect(&t, NAME, ALL, "odd files");
	ck_assert_int_eq(repair(RECONSTRUCT_REPORT | RECONSTRUCT_REMOVE_ODD), 0);
	ck_assert_int_eq(lstat(buf_cstr(&path), &sb), 0);
	ck_assert_int_eq(repair(RECONSTRUCT_IGNORE_ODD), 0);
	ck_assert_uint_eq(said.len, 0);
	ck_assert_int_eq(repair(RECONSTRUCT_REMOVE_ODD), 0);
	ck_assert_int_eq(lstat(buf_cstr(&path), &sb), -1);
	ck_assert_int_eq(lstat(target, &sb), 0);
	expect(ALL, ALL_FLAGS, "odd files");
	free(target);
	buf_free(&path);
	storetest_remove(&t);
}
END_TEST

/* A file that is another message than the record says. */
START_TEST(guid_mismatch)
{
	char *other = storetest_text(77);
	make(levels[_i]);
	write_bytes(META_DATA, "3.", other, strlen(other));
	ck_assert_int_eq(repair(0), 0);
	ck_assert_str_eq(buf_cstr(&said), "user.fred.a uid 3 guid mismatch\nrun reconstruct with -R to fix or -U to remove\n");
	ck_assert_int_eq(repair(RECONSTRUCT_REUID), 0);
	ck_assert_ptr_nonnull(strstr(buf_cstr(&said), "uid 3 marking for uid upgrade\n"));
	expect("1:1 2:2 4:4 5:5 6:6 7:77", NULL, "-R");
	write_bytes(META_DATA, "4.", other, strlen(other));
	ck_assert_int_eq(repair(RECONSTRUCT_UNLINK), 0);
	ck_assert_ptr_nonnull(strstr(buf_cstr(&said), "uid 4 unlinking as requested with -U\n"));
	expect("1:1 2:2 5:5 6:6 7:77 8:50", NULL, "-U");
	free(other);
	storetest_remove(&t);
}
END_TEST

START_TEST(counting_quota)
{
	static const struct quota none_used = { .limit = { 1000, -1, -1, -1 } };
	struct quota q = none_used;
	make(levels[_i]);
	ck_assert_int_eq(quota_write(t.st, "user.fred", &q), 0);
	struct quotascan s = { .st = t.st, .fix = true };
	ck_assert_int_eq(quotascan_run(&s, ""), 0);
	ck_assert_int_eq(quota_read(t.st, "user.fred", &q), 0);
	ck_assert_uint_eq(q.used[QUOTA_MESSAGE], MESSAGES);
	ck_assert_uint_eq(q.used[QUOTA_NUMFOLDERS], 2);
	ck_assert_ptr_null(q.scan_mbox);
	drop(META_DATA, "3.");
	ck_assert_int_eq(repair(0), 0);                /* what repair takes away leaves the quota too */
	ck_assert_int_eq(quota_read(t.st, "user.fred", &q), 0);
	ck_assert_uint_eq(q.used[QUOTA_MESSAGE], MESSAGES - 1);
	storetest_remove(&t);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("reconstruct");
	tcase_set_timeout(tc, 300);
	tcase_add_loop_test(tc, damage, 0, COUNT(table) * 2);
	tcase_add_loop_test(tc, each_byte, 0, 2);
	tcase_add_loop_test(tc, report_changes_nothing, 0, 2);
	tcase_add_loop_test(tc, odd_files_and_links, 0, 2);
	tcase_add_loop_test(tc, guid_mismatch, 0, 2);
	tcase_add_loop_test(tc, counting_quota, 0, 2);
	return suite_run("reconstruct", (TCase *[]){ tc, NULL });
}
