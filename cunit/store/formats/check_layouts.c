/* check_layouts.c - which layout a store has, paths by name, locks on names. */
#include "base/num.h"
#include "cunit/store/formats/suites.h"
#include "cunit/store/storetest.h"

#include <sys/wait.h>

static const struct { const char *key, *val; } list_25[] = {
	{ "News", "%(A %(anyone lrs) I 1 P default V 1 M 1)" }, { "Inn", "%(A %(anyone lrs) I 2 P default V 1 M 1)" },
	{ "user.x", "0 default x\tlrs\t" },
}, list_36[] = {
	{ "NNews", "%(T e I abc P default V 1 M 1 A %(anyone lrs))" },
	{ "Iabc", "%(T e N News P default V 1 M 1 A %(anyone lrs) H ())" },
	{ "AS\x1e", "" }, { "AS\x1e" "anyone\x1eNews", "" },
};

static void fill(struct storetest *t, bool old, bool new)
{
	for (size_t i = 0; old && i < COUNT(list_25); i++)
		ck_assert_int_eq(cyrusdb_store(t->st->mboxlist, list_25[i].key, strlen(list_25[i].key), list_25[i].val,
			strlen(list_25[i].val), NULL), 0);
	for (size_t i = 0; new && i < COUNT(list_36); i++)
		ck_assert_int_eq(cyrusdb_store(t->st->mboxlist, list_36[i].key, strlen(list_36[i].key), list_36[i].val,
			strlen(list_36[i].val), NULL), 0);
}

START_TEST(detect)
{
	static const struct { bool old, new; int r; enum conf_level level; } rows[] = {
		{ false, false, 0, LEVEL_AUTO }, { true, false, 0, LEVEL_25 }, { false, true, 0, LEVEL_36 },
		{ true, true, ERR_BADFORMAT, LEVEL_AUTO },
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
	{ "AApple Info News", 0, 0, LEVEL_25 }, { "Inn", 0, 0, LEVEL_25 }, { "News", 0, 0, LEVEL_25 },
	{ "News user.x", 0, 0, LEVEL_25 }, { "\xc3\xa4 user.x", 0, 0, LEVEL_25 },
	{ "=Iabc =NNews", 0, 0, LEVEL_36 }, { "=A =Iabc =NNews", 0, 0, LEVEL_36 },
	{ "=Iabc =NNews user.x", ERR_BADFORMAT, ERR_BADFORMAT, LEVEL_36 },
	{ "=Iabc =NNews Box", ERR_BADFORMAT, ERR_BADFORMAT, LEVEL_36 },
	{ "=Iabc =NNews \xc3\xa4", ERR_BADFORMAT, ERR_BADFORMAT, LEVEL_36 },
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
			: p[1] == 'N' ? "%(T e I abc P default V 1 M 1 A %(anyone lrs))"
				: "%(T e N News P default V 1 M 1 A %(anyone lrs) H ())";
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
	{ "2.5", "hashimapspool: 1\n", "user.alice.sub", "/a/user/alice/sub" },
	{ "3.6", "hashimapspool: 1\n", "user.1x", "/q/user/1x" },
	{ "2.5", "hashimapspool: 1\n", "News", "/n/News" },
	{ "2.5", "hashimapspool: 1\nfulldirhash: 1\n", "user.alice.1", "/L/user/alice/1" },
	{ "3.6", "hashimapspool: 1\nfulldirhash: 1\n", "user.fred^smith", NULL },
	{ "2.5", "hashimapspool: 1\nfulldirhash: 1\n", "user.fred^smith", NULL },
	{ "2.5", "hashimapspool: 1\nfulldirhash: 1\nvirtdomains: userid\n", "example.net!user.joe.Plain",
		"/domain/O/example.net/B/user/joe/Plain" },
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

TCase *case_layouts(void)
{
	TCase *t = tcase_create("layouts");
	tcase_set_timeout(t, 300);
	tcase_add_test(t, detect);
	tcase_add_loop_test(t, detect_one, 0, 2 * COUNT(lists));
	tcase_add_loop_test(t, paths_by_name, 0, COUNT(dirs));
	tcase_add_test(t, name_locks);
	return t;
}
