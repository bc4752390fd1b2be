/* check_append.c - a process that dies at any of its writes leaves a mailbox that opens, with every message that was acknowledged
 * (promise 4). A child dies at call n, for every n; the parent then looks at the store as a new process would. */
#include "cunit/crash/crashtest.h"

#include <errno.h>

static struct storetest t;
static char base[300];

struct op {
	const char *name;
	int (*run)(void);                              /* in the child: the acknowledged part, then the clean-up */
	void (*check)(bool acked, const char *when);   /* in the parent */
};
static int ack_fd;

static void ack(void)
{
	while (write(ack_fd, "A", 1) < 0 && errno == EINTR) ;
}

/* ------------------------------------------------------------------------------------------------ operations */

static int run_append(void)
{
	uint32_t uid;
	int r = storetest_append(&t, "user.fred.a", 3, "\\Flagged", &uid);
	if (!r) ack();
	return r;
}

static void check_next(const char *name, uint32_t uid, const char *when)
{
	uint32_t got = 0;
	ck_assert_msg(!storetest_append(&t, name, 9, NULL, &got), "%s: the next append fails", when);
	ck_assert_msg(got == uid, "%s: the next append got uid %u, not %u", when, got, uid);
	char *list = storetest_list(&t, name), want[32];
	snprintf(want, sizeof want, "%u:9", uid);
	ck_assert_msg(strlen(list) >= strlen(want) && !strcmp(list + strlen(list) - strlen(want), want), "%s: '%s'", when, list);
	free(list);
}

static void check_appended(bool acked, const char *when)
{
	char *list = storetest_list(&t, "user.fred.a");
	bool there = !strcmp(list, "1:1 2:2 3:3");
	ck_assert_msg(there || (!acked && !strcmp(list, "1:1 2:2")), "%s: '%s'", when, list);
	free(list);
	check_next("user.fred.a", there ? 4 : 3, when);
}

static int change(uint32_t flags, const char *keyword)
{
	struct mailbox *mb;
	struct index_record r;
	int n, e = mailbox_open(t.st, "user.fred.a", &mb);
	if (e) return e;
	e = mailbox_lock(mb, LOCK_EXCLUSIVE);
	if (!e) {
		e = mailbox_find(mb, 1, &r);
		if (!e && keyword && !(e = mailbox_user_flag(mb, keyword, true, false, &n))) r.user_flags[n / 32] |= 1u << (n % 32);
		r.system_flags |= flags;
		if (!e) e = mailbox_rewrite(mb, &r, false);
		int u = mailbox_unlock(mb);
		if (!e) e = u;
	}
	if (!e) ack();
	mailbox_close(&mb);
	return e;
}

static int run_expunge(void) { return change(FLAG_DELETED | FLAG_EXPUNGED, NULL); }
static int run_flags(void) { return change(FLAG_FLAGGED, "$Later"); }

static void check_expunged(bool acked, const char *when)
{
	char *list = storetest_list(&t, "user.fred.a");
	ck_assert_msg(!strcmp(list, "2:2") || (!acked && !strcmp(list, "1:1 2:2")), "%s: '%s'", when, list);
	free(list);
	check_next("user.fred.a", 3, when);
}

static void check_flags(bool acked, const char *when)
{
	struct mailbox *mb;
	struct index_record r;
	storetest_expect(&t, "user.fred.a", "1:1 2:2", when);
	ck_assert_int_eq(mailbox_open(t.st, "user.fred.a", &mb), 0);
	ck_assert_int_eq(mailbox_lock(mb, LOCK_SHARED), 0);
	ck_assert_int_eq(mailbox_find(mb, 1, &r), 0);
	bool done = r.system_flags & FLAG_FLAGGED;
	ck_assert_msg(done || !acked, "%s: the flag is lost", when);
	ck_assert_msg(done == (r.user_flags[0] == 1), "%s: half of the change", when);
	ck_assert_msg(!done || (mb->hdr.flagname[0] && !strcmp(mb->hdr.flagname[0], "$Later")), "%s: the name is lost", when);
	mailbox_unlock(mb);
	mailbox_close(&mb);
	check_next("user.fred.a", 3, when);
}

static int run_rename(void)
{
	int r = mailbox_rename(t.st, &(struct mailbox_rename){ .from = "user.fred.a", .to = "user.fred.b" });
	if (!r) ack();
	return r;
}

static bool live(const char *name)
{
	struct mbentry e;
	if (mboxlist_lookup(t.st, name, &e)) return false;
	mbentry_free(&e);
	return true;
}

static void check_renamed(bool acked, const char *when)
{
	bool a = live("user.fred.a"), b = live("user.fred.b");
	ck_assert_msg(a || b, "%s: the mailbox is lost", when);
	ck_assert_msg(!acked || (b && !a), "%s: not renamed", when);
	if (a) storetest_expect(&t, "user.fred.a", "1:1 2:2", when);
	if (b) storetest_expect(&t, "user.fred.b", "1:1 2:2", when);
	if (!b)
		ck_assert_msg(!mailbox_rename(t.st, &(struct mailbox_rename){ .from = "user.fred.a", .to = "user.fred.b" }),
			"%s: cannot be renamed again", when);
	storetest_expect(&t, "user.fred.b", "1:1 2:2", when);
	check_next("user.fred.b", 3, when);
}

static const struct op ops[] = {
	{ "append", run_append, check_appended }, { "expunge", run_expunge, check_expunged }, { "flags", run_flags, check_flags },
	{ "rename", run_rename, check_renamed },
};
static const char *const levels[] = { "2.5", "3.6" };
static const enum fault_kind kinds[] = { FAULT_DIE, FAULT_TORN };

/* ------------------------------------------------------------------------------------------------ the rounds */

static int run_in_child(const void *op) { return ((const struct op *)op)->run(); }

/* 0: it ran to its end; 99: it died at call n. */
static int child(const struct op *op, enum fault_kind kind, unsigned long n, bool *acked)
{
	struct fault f = { .kind = kind, .n = n };
	int fds[2];
	char c;
	ck_assert_int_eq(pipe(fds), 0);
	ack_fd = fds[1];
	int rc = crashtest_child(&t, &f, run_in_child, op);
	close(fds[1]);
	*acked = read(fds[0], &c, 1) == 1;
	close(fds[0]);
	return rc;
}

START_TEST(dies)
{
	const struct op *op = &ops[_i / 4];
	const char *level = levels[_i / 2 % 2];
	enum fault_kind kind = kinds[_i % 2];
	uint32_t uid;
	storetest_new(&t, level, "expunge_mode: immediate\n");
	storetest_create(&t, "user.fred");
	storetest_create(&t, "user.fred.a");
	ck_assert_int_eq(storetest_append(&t, "user.fred.a", 1, NULL, &uid), 0);
	ck_assert_int_eq(storetest_append(&t, "user.fred.a", 2, NULL, &uid), 0);
	storetest_close(&t);
	snprintf(base, sizeof base, "%s.base", t.dir);
	storetest_run("cp -a %s %s", t.dir, base);
	int rc = 99;
	unsigned long n = 0;
	while (rc == 99 && ++n < 1000) {
		bool acked;
		char when[100];
		snprintf(when, sizeof when, "%s, layout %s, %s at call %lu", op->name, level, crashtest_kind(kind), n);
		if (n > 1) storetest_run("rm -rf %s && cp -a %s %s", t.dir, base, t.dir);
		rc = child(op, kind, n, &acked);
		ck_assert_msg(rc == 99 || rc == 0, "%s: status %d", when, rc);
		ck_assert_msg(rc == 99 || acked, "%s: not acknowledged", when);
		storetest_open(&t);
		op->check(acked, when);
		storetest_close(&t);
	}
	ck_assert_int_eq(rc, 0);
	ck_assert_uint_gt(n, 3);                       /* it did die a few times */
	storetest_run("rm -rf %s", base);
	storetest_remove(&t);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("dies");
	tcase_set_timeout(tc, 300);
	tcase_add_loop_test(tc, dies, 0, COUNT(ops) * 4);
	return suite_run("crash", (TCase *[]){ tc, NULL });
}
