/* check_audit.c - option auditlog: which changes give which lines in which release's form, after the change and not without
 * it. */
#include "cunit/store/storetest.h"
#include "store/audit.h"
#include "sys/fault.h"

#include <errno.h>

static struct strarray lines = STRARRAY_INIT;

static void keep(void *arg, int priority, const char *line)
{
	(void)arg;
	if (!strncmp(line, "auditlog: ", 10)) {
		ck_assert_int_eq(priority, LOG_NOTICE);
		strarray_append(&lines, line + 10);
	}
}

static void start(struct storetest *t, const char *level, const char *conf)
{
	storetest_new(t, level, conf);
	log_hook(keep, NULL);
	t->st->session_id = "S1";
	strarray_free(&lines);
}

static void finish(struct storetest *t)
{
	log_hook(NULL, NULL);
	strarray_free(&lines);
	storetest_remove(t);
}

/* The lines since the last call fit the patterns, one by one: '#' stands for a number, '?' for an id. */
static bool fits(const char *s, const char *pattern)
{
	for (; *pattern; pattern++) {
		size_t n = *pattern == '#' ? strspn(s, "0123456789")
			: *pattern == '?' ? strspn(s, "0123456789abcdefghijklmnopqrstuvwxyz-") : *s == *pattern;
		if (!n) return false;
		s += n;
	}
	return !*s;
}

static void expect(const char *when, const char *const *want)
{
	size_t n = 0;
	while (want[n]) n++;
	for (size_t i = 0; i < lines.n && i < n; i++)
		ck_assert_msg(fits(lines.v[i], want[i]), "%s: line %zu is\n%s\nnot\n%s", when, i, lines.v[i], want[i]);
	ck_assert_msg(lines.n == n, "%s: %zu lines, wanted %zu; the next: %s", when, lines.n, n,
		lines.n > n ? lines.v[n] : want[lines.n]);
	strarray_free(&lines);
}
#define EXPECT(when, ...) expect(when, (const char *const[]){ __VA_ARGS__ __VA_OPT__(,) NULL })

static int change(struct storetest *t, uint32_t uid, uint32_t flags)
{
	struct mailbox *mb;
	struct index_record r;
	ck_assert_int_eq(mailbox_open(t->st, "user.fred", &mb), 0);
	ck_assert_int_eq(mailbox_lock(mb, LOCK_EXCLUSIVE), 0);
	ck_assert_int_eq(mailbox_find(mb, uid, &r), 0);
	r.system_flags |= flags;
	ck_assert_int_eq(mailbox_rewrite(mb, &r, false), 0);
	int e = mailbox_unlock(mb);
	mailbox_close(&mb);
	return e;
}

static const char both[] = "auditlog: yes\nexpunge_mode: immediate\n";
static const char slow[] = "auditlog: yes\nexpunge_mode: delayed\n";

START_TEST(messages_36)
{
	struct storetest t;
	start(&t, "3.6", both);
	storetest_create(&t, "user.fred");
	EXPECT("create", "create sessionid=<S1> mailbox=<user.fred> uniqueid=<?> uidvalidity=<#>");
	ck_assert_int_eq(storetest_append(&t, "user.fred", 7, "\\Flagged", NULL), 0);
	EXPECT("append", "append sessionid=<S1> mailbox=<user.fred> uniqueid=<?> uid=<1> modseq=<2> sysflags=<\\Flagged> guid=<?> "
		"messageid=<7@example.org> size=<#>",
		"modseq sessionid=<S1> mailbox=<user.fred> uniqueid=<?> highestmodseq=<2> deletedmodseq=<0>");
	ck_assert_int_eq(change(&t, 1, FLAG_DELETED | FLAG_ANSWERED), 0);
	EXPECT("flags",
		"touched sessionid=<S1> mailbox=<user.fred> uniqueid=<?> uid=<1> guid=<?> cid=<?> modseq=<3> oldflags=<\\Flagged> "
		"sysflags=<\\Answered \\Flagged \\Deleted>",
		"modseq sessionid=<S1> mailbox=<user.fred> uniqueid=<?> highestmodseq=<3> deletedmodseq=<0>");
	ck_assert_int_eq(change(&t, 1, FLAG_EXPUNGED), 0);
	EXPECT("expunge", "expunge sessionid=<S1> mailbox=<user.fred> uniqueid=<?> uid=<1> modseq=<4> "
		"sysflags=<\\Answered \\Flagged \\Deleted \\Unlinked \\Expunged> guid=<?> size=<#>",
		"modseq sessionid=<S1> mailbox=<user.fred> uniqueid=<?> highestmodseq=<4> deletedmodseq=<0>",
		"unlink sessionid=<S1> mailbox=<user.fred> uniqueid=<?> uid=<1> modseq=<4> "
		"sysflags=<\\Answered \\Flagged \\Deleted \\Unlinked \\Expunged> guid=<?>");
	finish(&t);
}
END_TEST

START_TEST(messages_25)
{
	struct storetest t;
	start(&t, "2.5", slow);
	storetest_create(&t, "user.fred");
	EXPECT("create", "create sessionid=<S1> mailbox=<user.fred> uniqueid=<?> uidvalidity=<#>");
	ck_assert_int_eq(storetest_append(&t, "user.fred", 7, "\\Flagged", NULL), 0);
	EXPECT("append", "append sessionid=<S1> mailbox=<user.fred> uniqueid=<?> uid=<1> guid=<?>",
		"modseq sessionid=<S1> mailbox=<user.fred> uniqueid=<?> highestmodseq=<2>");
	ck_assert_int_eq(change(&t, 1, FLAG_ANSWERED), 0);
	EXPECT("flags", "modseq sessionid=<S1> mailbox=<user.fred> uniqueid=<?> highestmodseq=<3>");
	ck_assert_int_eq(change(&t, 1, FLAG_EXPUNGED), 0);
	EXPECT("expunge", "expunge sessionid=<S1> mailbox=<user.fred> uniqueid=<?> uid=<1> guid=<?>",
		"modseq sessionid=<S1> mailbox=<user.fred> uniqueid=<?> highestmodseq=<4>");
	ck_assert_int_eq(change(&t, 1, FLAG_UNLINKED), 0);
	EXPECT("unlink", "modseq sessionid=<S1> mailbox=<user.fred> uniqueid=<?> highestmodseq=<5>",
		"unlink sessionid=<S1> mailbox=<user.fred> uniqueid=<?> uid=<1>");
	finish(&t);
}
END_TEST

static const char *const levels[] = { "2.5", "3.6" };

START_TEST(mailboxes)
{
	struct storetest t;
	bool more = _i;
	start(&t, levels[_i], "auditlog: yes\n");
	storetest_create(&t, "user.fred.a");
	strarray_free(&lines);
	ck_assert_int_eq(mailbox_set_acl(t.st, "user.fred.a", "fred\tlr\t"), 0);
	if (more) EXPECT("acl", "modseq sessionid=<S1> mailbox=<user.fred.a> uniqueid=<?> highestmodseq=<2> deletedmodseq=<0>",
		"acl: sessionid=<S1> mailbox=<user.fred.a> uniqueid=<?> mbtype=<e> oldacl=<fred\tlrswipkxtecdan\t> acl=<fred\tlr\t> "
		"foldermodseq=<2>");
	else EXPECT("acl");
	ck_assert_int_eq(mailbox_rename(t.st, &(struct mailbox_rename){ .from = "user.fred.a", .to = "user.fred.b" }), 0);
	ck_assert(fits(lines.v[lines.n - 1], "rename sessionid=<S1> oldmailbox=<user.fred.a> newmailbox=<user.fred.b> uniqueid=<?>"));
	strarray_free(&lines);
	ck_assert_int_eq(mailbox_rename(t.st, &(struct mailbox_rename){ .from = "user.fred.a", .to = "user.fred.c" }), ERR_NOMAILBOX);
	EXPECT("a rename that failed");
	ck_assert_int_eq(mailbox_delete(t.st, "user.fred.b"), 0);
	EXPECT("delete", "delete sessionid=<S1> mailbox=<user.fred.b> uniqueid=<?>");
	finish(&t);
}
END_TEST

START_TEST(partitions)
{
	struct storetest t;
	start(&t, levels[_i], "auditlog: yes\npartition-other: /dev/null/x\n");
	storetest_create(&t, "user.fred");
	strarray_free(&lines);
	ck_assert_int_ne(mailbox_rename(t.st, &(struct mailbox_rename){ .from = "user.fred", .to = "user.fred",
		.partition = "other" }), 0);
	EXPECT("a move that failed");
	storetest_close(&t);
	storetest_run("mkdir %s/other && sed -i 's,/dev/null/x,%s/other,' %s/imapd.conf", t.dir, t.dir, t.dir);
	storetest_open(&t);
	t.st->session_id = "S2";
	ck_assert_int_eq(mailbox_rename(t.st, &(struct mailbox_rename){ .from = "user.fred", .to = "user.fred",
		.partition = "other" }), 0);
	EXPECT("move", "partitionmove sessionid=<S2> mailbox=<user.fred> uniqueid=<?> oldpart=<default> newpart=<other>");
	finish(&t);
}
END_TEST

START_TEST(quotas)
{
	struct storetest t;
	struct quota q;
	start(&t, levels[_i], "auditlog: yes\n");
	quota_parse("0 100", 5, &q);
	ck_assert_int_eq(quota_write(t.st, "user.fred", &q), 0);
	audit_quota(t.st, "newquota", "user.fred", &q);
	ck_assert_int_eq(quota_delete(t.st, "user.nobody"), 0);
	ck_assert_int_eq(quota_delete(t.st, "user.fred"), 0);
	if (_i) EXPECT("quota", "newquota root=<user.fred> STORAGE=<100>", "rmquota root=<user.fred>");
	else EXPECT("quota");
	quota_free(&q);
	finish(&t);
}
END_TEST

START_TEST(traffic)
{
	struct storetest t;
	start(&t, levels[_i], "auditlog: yes\n");
	audit_traffic(t.st, 12, 345);
	EXPECT("traffic", "traffic sessionid=<S1> bytes_in=<12> bytes_out=<345>");
	finish(&t);
}
END_TEST

START_TEST(nothing_without_the_option)
{
	struct storetest t;
	start(&t, levels[_i], "expunge_mode: immediate\n");
	storetest_create(&t, "user.fred");
	ck_assert_int_eq(storetest_append(&t, "user.fred", 7, "\\Flagged", NULL), 0);
	ck_assert_int_eq(change(&t, 1, FLAG_EXPUNGED), 0);
	ck_assert_int_eq(mailbox_set_acl(t.st, "user.fred", "fred\tlr\t"), 0);
	ck_assert_int_eq(mailbox_delete(t.st, "user.fred"), 0);
	audit_traffic(t.st, 1, 1);
	EXPECT("off");
	finish(&t);
}
END_TEST

/* A disk that is full at any call: no append is told that is not there, and none is there that is not told. */
START_TEST(what_did_not_happen_is_not_told)
{
	struct storetest t;
	bool failed = true;
	unsigned stayed = 0;
	start(&t, levels[_i], "auditlog: yes\n");
	storetest_create(&t, "user.fred");
	for (unsigned long n = 1; failed && n < 500; n++) {
		uint32_t uid = 0;
		strarray_free(&lines);
		fault_install(&(struct fault){ .kind = FAULT_ERROR, .n = n, .err = ENOSPC });
		int r = storetest_append(&t, "user.fred", 1, NULL, &uid);
		failed = fault_count() >= n;
		fault_install(NULL);
		bool told = false;
		for (size_t i = 0; i < lines.n; i++) told |= !strncmp(lines.v[i], "append ", 7);
		ck_assert_msg(told == !r, "call %lu: %s and %s", n, r ? err_text(r) : "appended", told ? "told" : "not told");
		stayed += !r;
	}
	ck_assert(!failed && stayed > 0);
	finish(&t);
}
END_TEST

/* What a sender writes cannot make a line of its own. */
START_TEST(a_message_id_stays_on_its_line)
{
	static const char text[] = "Subject: s\r\nMessage-ID: <a\x01\x7f\r\n\tauditlog: delete b@c>\r\n\r\nbody\r\n";
	struct storetest t;
	struct stage *s;
	struct append a;
	start(&t, "3.6", "auditlog: yes\n");
	storetest_create(&t, "user.fred");
	strarray_free(&lines);
	ck_assert_int_eq(stage_new(t.st, "default", 1600000000, 1, &s), 0);
	ck_assert_int_eq(stage_write(s, text, sizeof text - 1), 0);
	ck_assert_int_eq(stage_finish(s), 0);
	ck_assert_int_eq(append_begin(t.st, "user.fred", "fred", ~0u, 0, 0, &a), 0);
	ck_assert_int_eq(append_message(&a, s, 0, NULL, NULL), 0);
	ck_assert_int_eq(append_commit(&a), 0);
	stage_free(s);
	ck_assert_uint_ge(lines.n, 1);
	ck_assert_ptr_nonnull(strstr(lines.v[0], " messageid=<aauditlog:deleteb@c> size="));
	finish(&t);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("lines");
	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, messages_36);
	tcase_add_test(tc, messages_25);
	tcase_add_loop_test(tc, mailboxes, 0, 2);
	tcase_add_loop_test(tc, partitions, 0, 2);
	tcase_add_loop_test(tc, quotas, 0, 2);
	tcase_add_loop_test(tc, traffic, 0, 2);
	tcase_add_loop_test(tc, nothing_without_the_option, 0, 2);
	tcase_add_loop_test(tc, what_did_not_happen_is_not_told, 0, 2);
	tcase_add_test(tc, a_message_id_stays_on_its_line);
	return suite_run("audit", (TCase *[]){ tc, NULL });
}
