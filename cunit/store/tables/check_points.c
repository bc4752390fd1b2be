/* check_points.c - where servers went wrong before (spec/databases.md 21, points 4 to 11). */
#include "cunit/store/tables/suites.h"
#include "cunit/store/tables/tables.h"
#include "store/annotrow.h"
#include "store/layout.h"
#include "store/mbrecord.h"
#include "store/quota.h"
#include "store/seen.h"
#include "store/syncline.h"
#include "store/synclog.h"
#include "store/userdeny.h"
#include "sys/file.h"
#include "sys/lock.h"

#include <fcntl.h>
#include <sys/wait.h>

/* ------------------------------------------------------------------------------------------------ 4. quota */

static const struct { const char *text; uint64_t used[4]; int64_t limit[4]; } old_quotas[] = {
	{ "833 1000", { 833 }, { 1000, -1, -1, -1 } },
	{ "833 1000\n", { 833 }, { 1000, -1, -1, -1 } },
	{ "833\n1000", { 833 }, { 1000, -1, -1, -1 } },
	{ "833 -1", { 833 }, { -1, -1, -1, -1 } },
	{ "833 1000 12", { 833 }, { 1000, -1, -1, -1 } },
	{ "833 1000 M 8 50", { 833, 8 }, { 1000, 50, -1, -1 } },
	{ "833 1000 12 m 8 50 9 as 22 -1 nf 5 7", { 833, 8, 22, 5 }, { 1000, 50, -1, 7 } },
	{ "%(NF (5) S (833 1000) NEW (1 2) M (8 50))", { 833, 8, 0, 5 }, { 1000, 50, -1, -1 } },
	{ "%(S (-5 1000))", { 0 }, { 1000, -1, -1, -1 } },
	{ "%(S (833 -1))", { 833 }, { -1, -1, -1, -1 } },
};

START_TEST(t4_quota_in_every_form)
{
	struct quota q;
	ck_assert_int_eq(quota_parse(old_quotas[_i].text, strlen(old_quotas[_i].text), &q), 0);
	for (int i = 0; i < QUOTA_RESOURCES; i++) {
		ck_assert_uint_eq(q.used[i], old_quotas[_i].used[i]);
		ck_assert_int_eq(q.limit[i], old_quotas[_i].limit[i]);
	}
	ck_assert(!q.has_modseq);
	quota_free(&q);
}
END_TEST

/* SCAN is the scanner's: what is used is what the counters say, and others add to both. */
START_TEST(t4_scan_counts_for_the_writer_only)
{
	struct storetest t;
	struct quota q;
	storetest_new(&t, "3.6", NULL);
	const char *text = "%(S (1000 1) M (1) AS (0) NF (1) SCAN %(MBOX user.fred.m S 7 M 7 AS 7 NF 7))";
	ck_assert_int_eq(quota_parse(text, strlen(text), &q), 0);
	ck_assert_int_eq(quota_write(t.st, "user.fred", &q), 0);
	quota_free(&q);
	int64_t more[QUOTA_RESOURCES] = { 10, 1, 0, 0 };
	ck_assert_int_eq(quota_check(t.st, "user.fred", more, NULL), 0);          /* 1010 of 1024 bytes, whatever SCAN counts */
	ck_assert_int_eq(quota_use(t.st, "user.fred", "user.fred.a", more), 0);
	ck_assert_int_eq(quota_use(t.st, "user.fred", "user.fred.z", more), 0);
	ck_assert_int_eq(quota_read(t.st, "user.fred", &q), 0);
	ck_assert_uint_eq(q.used[0], 1020);
	ck_assert_int_eq(q.scan[0], 17);
	quota_free(&q);
	storetest_remove(&t);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ 5. annotations */

START_TEST(t5_annotation_values)
{
	struct annotrow a;
	struct annotkey k;
	static const char no_tail[] = "\0\0\0\3\0\0\0\0pub";
	ck_assert_int_eq(annotrow_parse(no_tail, 11, &a), 0);
	ck_assert(a.len == 3 && !memcmp(a.value, "pub", 3) && !a.has_tail);
	ck_assert_int_eq(annotrow_parse(no_tail, 12, &a), 0);                     /* with the NUL */
	ck_assert_uint_eq(a.len, 3);
	static const char bits32[] = "\0\0\0\3pub\0text/plain\0\0\0\0\0";
	ck_assert_int_eq(annotrow_parse(bits32, sizeof bits32 - 1, &a), 0);
	ck_assert_int_eq(a.form, ANNOTROW_32);
	ck_assert(a.len == 3 && !memcmp(a.value, "pub", 3));
	static const char empty[] = "\0\0\0\0\0\0\0\0\0text/plain\0\0\0\0\0\0\0\0";
	ck_assert_int_eq(annotrow_parse(empty, sizeof empty - 1, &a), 0);
	ck_assert_uint_eq(a.len, 0);
	static const char bytes[] = "\0\0\0\4\0\0\0\0\xff\0\x80\n\0text/plain\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x21\0";
	ck_assert_int_eq(annotrow_parse(bytes, sizeof bytes - 1, &a), 0);
	ck_assert(a.len == 4 && !memcmp(a.value, "\xff\0\x80\n", 4) && a.has_tail && a.modseq == 0x21 && !a.flags);
	static const char other_type[] = "\0\0\0\1\0\0\0\0x\0text/html; charset=utf-8\0\0\0\0\0\0\0\0\0";
	ck_assert_int_eq(annotrow_parse(other_type, sizeof other_type - 1, &a), 0);
	ck_assert(a.len == 1 && *a.value == 'x');
	static const char key[] = "3\0/comment\0fred";
	ck_assert_int_eq(annotkey_parse(key, sizeof key - 1, &k), 0);
	ck_assert(k.short_end && annotkey_userlen(&k, key, sizeof key - 1) == 4 && !strcmp(k.entry, "/comment"));
	ck_assert_int_eq(annotkey_parse("3\0/comment\0", 11, &k), 0);
	ck_assert_uint_eq(annotkey_userlen(&k, k.scope, 11), 0);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ 6. identifiers */

static const char *const identifiers[] = { "a b", "a\"b", "(a", "a)", "50%", "back\\slash", "{3}", "*", "NIL", "fred@example.com",
	"-bob", "group:x y", "caf\xc3\xa9" };

START_TEST(t6_odd_identifiers_come_back)
{
	for (int level = 0; level < 2; level++) {
		struct buf b = BUF_INIT;
		char *acl = mem_printf("%s\tlrs\tanyone\tr\t", identifiers[_i]);
		struct namespace ns = test_ns(LEVEL_36);
		struct mbentry e = { .type = 'e', .acl = acl, .uniqueid = mem_strdup("x"), .partition = mem_strdup("default") },
			back = { .type = 'e' };
		if (level) mbrecord_36_name_print(&e, 1, &b);
		else mbrecord_25_print(&e, 1, &b);
		ck_assert_msg(!memmem(b.s, b.len, "A %(a b", 7), "raw: %.*s", (int)b.len, b.s);
		ck_assert_int_eq(level ? mbrecord_36_parse(b.s, b.len, &ns, &back) : mbrecord_25_parse(b.s, b.len, &back), 0);
		ck_assert_str_eq(back.acl, acl);
		ck_assert_str_eq(back.partition, "default");
		mbentry_free(&back);
		mbentry_free(&e);
		buf_free(&b);
	}
}
END_TEST

static int count_one(void *arg, const struct mbentry *e)
{
	(void)e;
	++*(int *)arg;
	return 0;
}

START_TEST(t6_a_damaged_record_is_reported_and_passed_over)
{
	struct storetest t;
	struct mbentry e;
	int n = 0;
	storetest_new(&t, "2.5", NULL);
	storetest_create(&t, "user.fred");
	static const char raw[] = "%(A %(a b lrswipkxtecdan) I 1 P default V 1 M 1)";
	ck_assert_int_eq(cyrusdb_store(t.st->mboxlist, "user.fred.damaged", 17, raw, sizeof raw - 1, NULL), 0);
	ck_assert_int_eq(mboxlist_lookup(t.st, "user.fred.damaged", &e), ERR_BADFORMAT);
	ck_assert_int_eq(mboxlist_each(t.st, NULL, MBOXLIST_LIVE, count_one, &n), 0);
	ck_assert_int_eq(n, 1);
	storetest_remove(&t);

	/* nor does it make a list of 3.6 look half upgraded, which nobody would open */
	storetest_new(&t, "3.6", NULL);
	storetest_create(&t, "user.fred");
	ck_assert_int_eq(cyrusdb_store(t.st->mboxlist, "Nuser" US "fred" US "damaged", 18, raw, sizeof raw - 1, NULL), 0);
	reopen(&t, "auto");
	ck_assert_int_eq(mboxlist_lookup(t.st, "user.fred.damaged", &e), ERR_BADFORMAT);
	n = 0;
	ck_assert_int_eq(mboxlist_each(t.st, NULL, MBOXLIST_LIVE, count_one, &n), 0);
	ck_assert_int_eq(n, 1);
	storetest_remove(&t);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ 7. seen */

START_TEST(t7_seen_values)
{
	struct seen s;
	ck_assert_int_eq(seen_parse(&s, BYTES("1 5 3 6 ")), 0);
	ck_assert_uint_eq(seqset_count(&s.uids), 0);
	seen_free(&s);
	ck_assert_int_eq(seen_parse(&s, BYTES("1 5 3 6 1:*")), 0);
	ck_assert_uint_eq(seqset_count(&s.uids), 3);                    /* `*` is lastuid */
	seen_free(&s);
	ck_assert_int_eq(seen_parse(&s, BYTES("1 5 3 6 1:x")), ERR_SYNTAX);
	ck_assert_uint_eq(s.lastuid, 3);
	seen_free(&s);
	ck_assert_int_eq(seen_parse(&s, BYTES("2 5 3 6 1")), ERR_BADFORMAT);
	seen_free(&s);
}
END_TEST

START_TEST(t7_a_bad_set_reads_as_nothing_seen)
{
	struct storetest t;
	struct seen s;
	struct buf path = BUF_INIT;
	struct cyrusdb *db;
	storetest_new(&t, "2.5", NULL);
	t.st->layout->user_file(t.st, "fred", "seen", &path);
	ck_assert_int_eq(cyrusdb_open(t.st->dbs, conf_word(t.conf, OPT_SEENSTATE_DB), buf_cstr(&path), CYRUSDB_CREATE, &db), 0);
	ck_assert_int_eq(cyrusdb_store(db, "id", 2, BYTES("1 5 3 6 junk"), NULL), 0);
	ck_assert_int_eq(cyrusdb_store(db, "new", 3, BYTES("9 5 3 6 1"), NULL), 0);
	cyrusdb_close(db);
	ck_assert_int_eq(seen_read(t.st, "fred", "id", &s), 0);
	ck_assert_uint_eq(s.lastuid, 3);
	ck_assert_uint_eq(seqset_count(&s.uids), 0);
	seen_free(&s);
	ck_assert_int_eq(seen_read(t.st, "fred", "new", &s), ERR_BADFORMAT);
	seen_free(&s);
	buf_free(&path);
	storetest_remove(&t);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ 8. sync log */

START_TEST(t8_sync_log_names)
{
	static const char *const names[] = { "user.a b", "user.a\"b", "user.{x}", "user.\xc3\xa4", "", "a(b", "a)b", "a\\b", "a\tb",
		"plain" };
	for (size_t i = 0; i < COUNT(names); i++) {
		struct buf b = BUF_INIT;
		struct syncline l;
		ck_assert_int_eq(syncline_print("DOUBLEMAILBOX", names[i], "x", &b), 0);
		ck_assert_int_eq(syncline_parse(b.s, b.len - 1, &l), 0);
		ck_assert_str_eq(l.arg[0], names[i]);
		ck_assert_str_eq(l.arg[1], "x");
		syncline_free(&l);
		buf_free(&b);
	}
	struct buf b = BUF_INIT;
	ck_assert_int_eq(syncline_print("USER", "a\nb", NULL, &b), ERR_SYNTAX);
	ck_assert_uint_eq(b.len, 0);
}
END_TEST

/* The reader renames the log and waits for whoever has it locked: the line must not end up in the file that it is about to read
 * to its end. */
START_TEST(t8_the_log_is_renamed_under_the_writer)
{
	struct storetest t;
	storetest_new(&t, "3.6", "sync_log: yes\n");
	char *log = mem_printf("%s/conf/sync/log", t.dir), *run = mem_printf("%s/conf/sync/log-run", t.dir);
	synclog(t.st, "USER", "first", NULL);
	int fd = open(log, O_RDWR);
	ck_assert_int_eq(lock_fd(fd, LOCK_EXCLUSIVE, LOCK_DEFAULT, log), 0);
	pid_t pid = fork();
	if (!pid) {                                   /* locks are a process's: the writer must be another one */
		synclog(t.st, "USER", "second", NULL);
		_exit(0);
	}
	ck_assert_int_eq(rename(log, run), 0);
	close(fd);
	waitpid(pid, NULL, 0);
	struct buf b = BUF_INIT;
	ck_assert_int_eq(file_read(run, 1000, &b), 0);
	same(&b, BYTES("USER first\n"), "log-run");
	buf_reset(&b);
	ck_assert_int_eq(file_read(log, 1000, &b), 0);
	same(&b, BYTES("USER second\n"), "log");
	buf_free(&b);
	free(log);
	free(run);
	storetest_remove(&t);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ 9. user_deny */

START_TEST(t9_user_deny_in_a_flat_file)
{
	struct storetest t;
	struct cyrusdb *db;
	struct userdeny d;
	struct buf raw = BUF_INIT;
	const char *val;
	size_t len;
	storetest_new(&t, "3.6", NULL);
	char *path = mem_printf("%s/conf/user_deny.db", t.dir);
	FILE *f = fopen(path, "w");                               /* by hand: TABs as they are; and escaped */
	fputs("alice\t2\t!imap,*\tnot by mail\nbob\t2\xff\x89imap,pop3\xff\x89go away\n", f);
	fclose(f);
	ck_assert_int_eq(cyrusdb_open(t.st->dbs, "flat", path, 0, &db), 0);
	ck_assert_int_eq(cyrusdb_fetch(db, "alice", 5, &val, &len, NULL), 0);
	ck_assert_int_eq(userdeny_parse(val, len, &d), 0);
	ck_assert_str_eq(d.message, "not by mail");
	ck_assert(!userdeny_applies(&d, "imap") && userdeny_applies(&d, "imaps") && userdeny_applies(&d, "lmtp"));
	userdeny_free(&d);
	ck_assert_int_eq(cyrusdb_fetch(db, "bob", 3, &val, &len, NULL), 0);
	ck_assert_int_eq(userdeny_parse(val, len, &d), 0);
	ck_assert(userdeny_applies(&d, "imap") && userdeny_applies(&d, "pop3") && !userdeny_applies(&d, "imaps"));
	userdeny_print(&d, &raw);
	ck_assert_int_eq(cyrusdb_store(db, "bob", 3, raw.s, raw.len, NULL), 0);
	cyrusdb_close(db);
	buf_reset(&raw);
	ck_assert_int_eq(file_read(path, 1000, &raw), 0);
	ck_assert_ptr_nonnull(memmem(raw.s, raw.len,
		BYTES("\x62\x6f\x62\x09\x32\xff\x89\x69\x6d\x61\x70\x2c\x70\x6f\x70\x33\xff\x89\x67\x6f")));
	userdeny_free(&d);
	buf_free(&raw);
	free(path);
	storetest_remove(&t);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ 11. hashing */

static const struct { const char *name; char plain, full; } hashes[] = {
	{ "fred", 'f', 0 }, { "alice", 'a', 'L' }, { "bob", 'b', 'E' }, { "admin", 'a', 'I' }, { "carol", 'c', 'B' },
	{ "margaret", 'm', 'U' }, { "dave", 'd', 'G' },
	{ "erin", 'e', 'C' }, { "heidi", 'h', 'L' }, { "joe", 'j', 'B' }, { "fred^smith", 'f', 'L' }, { "fred.smith", 'f', 'E' },
	{ "ann.lee", 'a', 'N' },
	{ "example.net", 'e', 'O' }, { "1stfloor", 'q', 0 }, { "\xc3\x84", 'q', 0 }, { "Fred", 'f', 0 }, { "", 'q', 0 },
};

START_TEST(t11_hashing)
{
	ck_assert_int_eq(dir_hash_c(hashes[_i].name, false), hashes[_i].plain);
	char full = (char)dir_hash_c(hashes[_i].name, true);
	ck_assert_msg(hashes[_i].full ? full == hashes[_i].full : full >= 'A' && full <= 'W', "%s: %c", hashes[_i].name, full);
}
END_TEST

static const struct { const char *more, *user, *file, *spool, *root; } places[] = {
	{ "", "fred", "user/f/fred.sub", "user/fred", NULL },
	{ "hashimapspool: yes\n", "fred", "user/f/fred.sub", "f/user/fred", NULL },
	{ "fulldirhash: yes\n", "alice", "user/L/alice.sub", "user/alice", NULL },
	{ "hashimapspool: yes\nfulldirhash: yes\n", "alice", "user/L/alice.sub", "L/user/alice", NULL },
	{ "virtdomains: userid\ndefaultdomain: here\n", "joe@example.net", "domain/e/example.net/user/j/joe.sub",
		"domain/example.net/user/joe", NULL },
	{ "virtdomains: userid\ndefaultdomain: here\nhashimapspool: yes\n", "joe@example.net", "domain/e/example.net/user/j/joe.sub",
		"domain/e/example.net/j/user/joe", NULL },
	{ "virtdomains: userid\ndefaultdomain: here\nhashimapspool: yes\nfulldirhash: yes\n", "joe@example.net",
		"domain/O/example.net/user/B/joe.sub", "domain/O/example.net/B/user/joe", NULL },
	{ "virtdomains: userid\ndefaultdomain: here\nhashimapspool: yes\n", "joe@here", "user/j/joe.sub", "j/user/joe", NULL },
	{ "hashimapspool: yes\n", "1stfloor", "user/q/1stfloor.sub", "q/user/1stfloor", NULL },
};

START_TEST(t11_places)
{
	struct storetest t;
	struct buf path = BUF_INIT;
	struct mbname n;
	storetest_new(&t, "2.5", places[_i].more);
	char *userid = NULL, *file = mem_printf("%s/conf/%s", t.dir, places[_i].file),
		*dir = mem_printf("%s/spool/%s", t.dir, places[_i].spool);
	ck_assert_int_eq(mbname_from_userid(&n, places[_i].user, &t.st->ns), 0);
	userid = mbname_userid(&n);
	t.st->layout->user_file(t.st, userid, "sub", &path);
	ck_assert_str_eq(buf_cstr(&path), file);
	struct mbentry e = { .name = mbname_internal(&n, &t.st->ns), .partition = mem_strdup("default"), .flags = MBENTRY_LEGACYDIRS,
		.acl = mem_strdup("") };
	mbname_copy(&e.parts, &n);
	buf_reset(&path);
	ck_assert_int_eq(path_mailbox(t.st, &e, META_DATA, NULL, &path), 0);
	ck_assert_str_eq(buf_cstr(&path), dir);
	mbentry_free(&e);
	mbname_free(&n);
	buf_free(&path);
	free(userid);
	free(file);
	free(dir);
	storetest_remove(&t);
}
END_TEST

TCase *case_points(void)
{
	TCase *t = tcase_create("points");
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, t4_quota_in_every_form, 0, COUNT(old_quotas));
	tcase_add_test(t, t4_scan_counts_for_the_writer_only);
	tcase_add_test(t, t5_annotation_values);
	tcase_add_loop_test(t, t6_odd_identifiers_come_back, 0, COUNT(identifiers));
	tcase_add_test(t, t6_a_damaged_record_is_reported_and_passed_over);
	tcase_add_test(t, t7_seen_values);
	tcase_add_test(t, t7_a_bad_set_reads_as_nothing_seen);
	tcase_add_test(t, t8_sync_log_names);
	tcase_add_test(t, t8_the_log_is_renamed_under_the_writer);
	tcase_add_test(t, t9_user_deny_in_a_flat_file);
	tcase_add_loop_test(t, t11_hashing, 0, COUNT(hashes));
	tcase_add_loop_test(t, t11_places, 0, COUNT(places));
	return t;
}
