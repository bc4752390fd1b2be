/* check_racl.c - what was stored in a database since a moment; reverse ACL rows in a file beside the mailbox list. */
#include "cunit/store/storetest.h"
#include "store/layout.h"
#include "store/racl_file.h"
#include "store/racl_index.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

/* ------------------------------------------------------------------------------------------------ cyrusdb_since() */

enum { KEYS = 40, ROUNDS = 300 };

struct told {
	unsigned char stored[KEYS], want[KEYS];
	int stop_after, calls;
};

static int tell(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	struct told *t = arg;
	ck_assert_uint_eq(keylen, 3);
	ck_assert_uint_gt(vallen, 0);
	ck_assert_int_eq(val[0], 'v');
	t->stored[(key[1] - '0') * 10 + key[2] - '0'] = 1;
	return ++t->calls == t->stop_after ? 77 : 0;
}

static struct cyrusdb *open_db(struct storetest *t, const char *engine, struct cyrusdb_env **env)
{
	char path[300];
	struct cyrusdb *db;
	snprintf(path, sizeof path, "%s/test.%s", t->dir, engine);
	*env = cyrusdb_env_new(t->dir, false);
	ck_assert_int_eq(cyrusdb_open(*env, engine, path, CYRUSDB_CREATE | CYRUSDB_NOCOMPACT, &db), 0);
	return db;
}

static void change(struct cyrusdb *db, int key, bool remove, struct cyrusdb_txn **txn)
{
	char k[16], v[64];
	static unsigned n;
	snprintf(k, sizeof k, "k%02d", key);
	n++;
	snprintf(v, sizeof v, "value %u %.*s", n, (int)(n % 30), "..............................");
	if (remove) ck_assert_int_eq(cyrusdb_delete(db, k, 3, txn, true), 0);
	else ck_assert_int_eq(cyrusdb_store(db, k, 3, v, strlen(v), txn), 0);
}

/* A history of random transactions, some given up: since each of them, exactly the keys that were stored. */
START_TEST(what_was_stored)
{
	struct storetest t;
	struct cyrusdb_env *env;
	storetest_new(&t, "3.6", "");
	struct cyrusdb *db = open_db(&t, "twoskip", &env);
	struct cyrusdb_mark marks[ROUNDS];
	unsigned char stored[ROUNDS][KEYS] = { { 0 } };
	srandom(7);
	for (int n = 0; n < ROUNDS; n++) {
		struct cyrusdb_txn *txn = NULL;
		bool give_up = random() % 7 == 0;
		ck_assert_int_eq(cyrusdb_since(db, NULL, NULL, NULL, &marks[n]), 0);
		for (int i = random() % 6; i >= 0; i--) {
			int key = (int)(random() % KEYS);
			bool remove = random() % 3 == 0;
			change(db, key, remove, &txn);
			if (!give_up && !remove) stored[n][key] = 1;
		}
		if (!txn) continue;
		if (give_up) cyrusdb_abort(db, txn);
		else ck_assert_int_eq(cyrusdb_commit(db, txn), 0);
	}
	struct cyrusdb_mark now;
	struct told told = { .calls = 0 };
	for (int n = ROUNDS; n-- > 0;) {
		for (int k = 0; k < KEYS; k++) told.want[k] |= stored[n][k];
		memset(told.stored, 0, sizeof told.stored);
		ck_assert_int_eq(cyrusdb_since(db, &marks[n], tell, &told, &now), 0);
		ck_assert_msg(!memcmp(told.stored, told.want, KEYS), "since round %d", n);
		ck_assert_uint_ge(now.end, marks[n].end);
	}
	told.calls = 0;
	told.stop_after = 5;
	ck_assert_int_eq(cyrusdb_since(db, &marks[0], tell, &told, &now), 77);
	ck_assert_int_eq(told.calls, 5);
	told.stop_after = told.calls = 0;
	ck_assert_int_eq(cyrusdb_since(db, &now, tell, &told, &now), 0);
	ck_assert_int_eq(told.calls, 0);
	ck_assert_int_eq(cyrusdb_repack(db), 0);
	ck_assert_int_eq(cyrusdb_since(db, &now, tell, &told, &marks[0]), CYRUSDB_NOTFOUND);
	ck_assert_int_eq(cyrusdb_since(db, &marks[0], tell, &told, &now), 0);
	cyrusdb_close(db);
	cyrusdb_env_free(env);
	storetest_remove(&t);
}
END_TEST

/* One lock for several reads, of every engine; no change in between, neither ours nor another process's. */
START_TEST(reads_under_one_lock)
{
	static const char *const engines[] = { "twoskip", "skiplist", "flat" };
	struct storetest t;
	struct cyrusdb_env *env;
	struct cyrusdb_txn *txn = NULL;
	struct told told = { .calls = 0 };
	const char *val;
	size_t len;
	storetest_new(&t, "3.6", "");
	struct cyrusdb *db = open_db(&t, engines[_i], &env);
	change(db, 1, false, NULL);
	change(db, 2, false, NULL);
	ck_assert_int_eq(cyrusdb_hold(db), 0);
	ck_assert_int_eq(cyrusdb_hold(db), 0);
	ck_assert_int_eq(cyrusdb_fetch(db, "k01", 3, &val, &len, NULL), 0);
	ck_assert_int_eq(cyrusdb_fetch(db, "k03", 3, &val, &len, NULL), CYRUSDB_NOTFOUND);
	ck_assert_int_eq(cyrusdb_foreach(db, "k", 1, NULL, tell, &told, NULL), 0);
	ck_assert_int_eq(told.calls, 2);
	ck_assert_int_eq(cyrusdb_store(db, "k03", 3, "v", 1, NULL), CYRUSDB_LOCKED);
	ck_assert_int_eq(cyrusdb_fetch(db, "k01", 3, &val, &len, &txn), CYRUSDB_LOCKED);
	ck_assert_ptr_null(txn);
	cyrusdb_release(db);
	ck_assert_int_eq(cyrusdb_delete(db, "k01", 3, NULL, true), CYRUSDB_LOCKED);
	if (_i < 2) {                      /* flat's readers need no lock */
		pid_t pid = fork();
		ck_assert_int_ge(pid, 0);
		if (!pid) {
			int fd = open(cyrusdb_path(db), O_RDWR);
			struct flock f = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
			_exit(fd >= 0 && fcntl(fd, F_SETLK, &f) < 0 && (errno == EAGAIN || errno == EACCES) ? 0 : 1);
		}
		int status;
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_int_eq(status, 0);
	}
	cyrusdb_release(db);
	change(db, 3, false, NULL);
	change(db, 4, false, &txn);
	ck_assert_int_eq(cyrusdb_hold(db), CYRUSDB_LOCKED);
	ck_assert_int_eq(cyrusdb_commit(db, txn), 0);
	ck_assert_int_eq(cyrusdb_fetch(db, "k04", 3, &val, &len, NULL), 0);
	cyrusdb_close(db);
	cyrusdb_env_free(env);
	storetest_remove(&t);
}
END_TEST

/* Marks that no file gave out: NOTFOUND, nothing is read from where they point. */
START_TEST(marks_that_are_wrong)
{
	struct storetest t;
	struct cyrusdb_env *env;
	struct cyrusdb_mark good, now;
	struct told told = { .calls = 0 };
	storetest_new(&t, "3.6", "");
	struct cyrusdb *db = open_db(&t, "twoskip", &env);
	for (int i = 0; i < 20; i++) change(db, i, false, NULL);
	ck_assert_int_eq(cyrusdb_since(db, NULL, NULL, NULL, &good), 0);
	change(db, 21, false, NULL);
	for (uint64_t end = 0; end < good.end + 4096; end++) {
		struct cyrusdb_mark m = good;
		m.end = end;
		if (end != good.end) ck_assert_int_eq(cyrusdb_since(db, &m, tell, &told, &now), CYRUSDB_NOTFOUND);
	}
	struct cyrusdb_mark odd[5] = { good, good, good, good, good };
	odd[0].end = UINT64_MAX;
	odd[1].dev++;
	odd[2].ino++;
	odd[3].generation--;
	odd[4].check ^= 1;
	for (size_t i = 0; i < COUNT(odd); i++) ck_assert_int_eq(cyrusdb_since(db, &odd[i], tell, &told, &now), CYRUSDB_NOTFOUND);
	ck_assert_int_eq(told.calls, 0);
	ck_assert_int_eq(cyrusdb_since(db, &good, tell, &told, &now), 0);
	ck_assert_int_eq(told.calls, 1);
	cyrusdb_close(db);
	cyrusdb_env_free(env);
	db = open_db(&t, "skiplist", &env);
	ck_assert_int_eq(cyrusdb_since(db, NULL, NULL, NULL, &now), CYRUSDB_NOTIMPLEMENTED);
	cyrusdb_close(db);
	cyrusdb_env_free(env);
	storetest_remove(&t);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ the file */

static void put(struct store *st, const char *name, const char *acl, unsigned flags)
{
	struct mbentry e = { .name = mem_strdup(name), .partition = mem_strdup("default"), .acl = mem_strdup(acl), .type = 'e',
		.flags = flags };
	e.uniqueid = mem_printf("id-%s", name);
	ck_assert_int_eq(mbname_from_internal(&e.parts, name, &st->ns), 0);
	ck_assert_int_eq(mboxlist_put(st, &e), 0);
	mbentry_free(&e);
}

struct found {
	struct racl_index x;
	struct strarray v;
};

/* A name counts when its record is there, as LIST sees it. */
static void note(void *arg, const char *name, size_t len)
{
	struct found *f = arg;
	struct mbentry e;
	if (racl_index_lookup(&f->x, name, len, &e)) return;
	if (!(e.flags & MBENTRY_DELETED) && strarray_find(&f->v, e.name) < 0) strarray_append(&f->v, e.name);
	mbentry_free(&e);
}

/* What the index says is open to id, in the order of the alphabet; "-" when there is none. Caller frees. */
static char *open_to(struct store *st, const char *id, size_t *recent)
{
	struct found f = { .v = STRARRAY_INIT };
	const struct buf none = BUF_INIT;
	uint64_t rows = 0;
	if (!racl_index_open(st, &f.x)) return mem_strdup("-");
	if (recent) *recent = f.x.recent.n;
	for (int users = 0; users < 2; users++)
		ck_assert_int_eq(racl_index_each(&f.x, id, &(struct racl_query){ users, false, &none, note, &f }, &rows), 0);
	racl_index_close(&f.x);
	strarray_sort(&f.v);
	char *all = strarray_join(&f.v, " ");
	strarray_free(&f.v);
	return all;
}

#define OPEN_TO(id, want) do { char *got_ = open_to(t.st, id, NULL); ck_assert_str_eq(got_, want); free(got_); } while (0)
#define RECENT(count) do { size_t n_ = 99; free(open_to(t.st, "x", &n_)); ck_assert_uint_eq(n_, count); } while (0)

static const char *const levels[] = { "2.5", "3.6" };

START_TEST(rows_beside_the_list)
{
	struct storetest t;
	char path[300];
	storetest_new(&t, levels[_i], "mboxlist_acl_index: 4\nadmins: boss\n");
	snprintf(path, sizeof path, "%s.racl", cyrusdb_path(t.st->mboxlist));
	put(t.st, "user.ann", "ann\tlrs\tanyone\tp\tboss\tlr\t", 0);
	OPEN_TO("anyone", "-");                                    /* few records: none is kept */
	ck_assert_int_ne(access(path, F_OK), 0);
	put(t.st, "user.ann.pub", "ann\tlrs\tanyone\tlrs\tgroup:a\tl\t-fred\tl\t", 0);
	put(t.st, "news", "anyone\tlrs\tfred\tlr\t", 0);
	put(t.st, "user.bob", "bob\tlrs\t", 0);
	OPEN_TO("anyone", "news user.ann.pub");
	ck_assert_int_eq(access(path, F_OK), 0);
	OPEN_TO("ann", "");
	OPEN_TO("boss", "user.ann");                               /* who is an administrator may change */
	OPEN_TO("fred", "news");
	OPEN_TO("group:a", "user.ann.pub");
	RECENT(0);
	put(t.st, "user.bob", "bob\tlrs\tfred\tl\tanyone\tr\t", 0);      /* not in the file yet */
	RECENT(2);
	OPEN_TO("fred", "news user.bob");
	OPEN_TO("anyone", "news user.ann.pub user.bob");
	ck_assert_int_eq(racl_file_settle(t.st), 0);
	RECENT(0);
	OPEN_TO("fred", "news user.bob");
	/* more than is read again each time */
	for (int i = 0; i < 1500; i++) put(t.st, "user.ann", i % 2 ? "ann\tlrs\tfred\tl\t" : "ann\tlrs\t", 0);
	RECENT(0);
	OPEN_TO("fred", "news user.ann user.bob");
	put(t.st, "user.bob", "", MBENTRY_DELETED);
	OPEN_TO("fred", "news user.ann");
	ck_assert_int_eq(cyrusdb_repack(t.st->mboxlist), 0);
	put(t.st, "news.x", "fred\tlr\t", 0);
	OPEN_TO("fred", "news news.x user.ann");
	ck_assert_int_eq(unlink(path), 0);
	OPEN_TO("fred", "news news.x user.ann");
	ck_assert_int_eq(truncate(path, 100), 0);
	OPEN_TO("fred", "news news.x user.ann");
	storetest_remove(&t);
}
END_TEST

/* Who owns a mailbox depends on the configuration: rows of another one are not used. */
START_TEST(another_configuration)
{
	struct storetest t;
	storetest_new(&t, levels[_i], "mboxlist_acl_index: 1\nvirtdomains: userid\ndefaultdomain: here\n");
	put(t.st, "user.joe", "joe\tlrs\t", 0);
	put(t.st, "far.org!user.joe", "joe@far.org\tlrs\tjoe\tl\t", 0);
	OPEN_TO("joe", "far.org!user.joe");
	OPEN_TO("joe@far.org", "");
	storetest_close(&t);
	storetest_run("sed -i 's/^mboxlist_acl_index.*/mboxlist_acl_index: 0/' %s/imapd.conf", t.dir);
	storetest_open(&t);
	OPEN_TO("joe", "-");
	storetest_close(&t);
	storetest_run("sed -i 's/^mboxlist_acl_index.*/mboxlist_acl_index: 1/; s/^defaultdomain.*/defaultdomain: other/' "
		"%s/imapd.conf", t.dir);
	storetest_open(&t);
	put(t.st, "user.joe", "joe@here\tlrs\t", 0);
	OPEN_TO("joe@here", "user.joe");
	storetest_remove(&t);
}
END_TEST

/* A random life of the list; the index names at least what the ACLs of the live records do. */
START_TEST(never_less_than_the_truth)
{
	static const char *const acls[] = { "a\tlr\t", "a\tlr\tb\tl\t", "anyone\tl\t", "b\tr\t-a\tl\t", "c\tlrs\tgroup:x\tlr\t", "",
		"a\tp\t" };
	static const char *const ids[] = { "a", "b", "c", "anyone", "group:x", "-a" };
	struct storetest t;
	enum { NAMES = 30 };
	storetest_new(&t, levels[_i], "mboxlist_acl_index: 1\n");
	const char *now[NAMES] = { NULL };
	srandom(11);
	for (int n = 0; n < 600; n++) {
		int i = (int)(random() % NAMES);
		char name[32];
		snprintf(name, sizeof name, "%s%d", i % 3 ? "user.u" : "box", i);
		now[i] = random() % 5 ? acls[random() % (long)COUNT(acls)] : NULL;
		put(t.st, name, now[i] ? now[i] : "", now[i] ? 0 : MBENTRY_DELETED);
		if (random() % 50 == 0) ck_assert_int_eq(racl_file_settle(t.st), 0);
		if (random() % 100 == 0) ck_assert_int_eq(cyrusdb_repack(t.st->mboxlist), 0);
		if (n % 10) continue;
		for (size_t k = 0; k < COUNT(ids); k++) {
			char *got = open_to(t.st, ids[k], NULL);
			for (int m = 0; m < NAMES; m++) {
				char want[40], pad[8192];
				struct buf key = BUF_INIT;
				buf_printf(&key, "%s\t", ids[k]);
				const char *at = now[m] ? strstr(now[m], key.s) : NULL;
				while (at && at > now[m] && at[-1] != '\t') at = strstr(at + 1, key.s);
				bool open = at && strpbrk(at + key.len, "lr\t")[0] != '\t';
				buf_free(&key);
				snprintf(want, sizeof want, " %s%d ", m % 3 ? "user.u" : "box", m);
				snprintf(pad, sizeof pad, " %s ", got);
				if (open) ck_assert_msg(strstr(pad, want), "after %d: %s is open to %s", n, want, ids[k]);
			}
			free(got);
		}
	}
	storetest_remove(&t);
}
END_TEST

/* A server that is not to write anything: a file that fits is used, with what was stored since; none is made or written to. */
START_TEST(read_only)
{
	struct storetest t;
	struct stat before, after;
	char path[300];
	storetest_new(&t, levels[_i], "mboxlist_acl_index: 1\n");
	snprintf(path, sizeof path, "%s.racl", cyrusdb_path(t.st->mboxlist));
	put(t.st, "news", "anyone\tlrs\t", 0);
	OPEN_TO("anyone", "news");
	storetest_close(&t);
	storetest_run("echo 'readonly: yes' >>%s/imapd.conf", t.dir);
	ck_assert_int_eq(stat(path, &before), 0);
	storetest_open(&t);
	for (int i = 0; i < 20; i++) put(t.st, "user.bob", i % 2 ? "bob\tlrs\tanyone\tl\t" : "bob\tlrs\t", 0);
	OPEN_TO("anyone", "news user.bob");
	ck_assert_int_eq(stat(path, &after), 0);
	ck_assert(before.st_ino == after.st_ino && before.st_size == after.st_size);
	ck_assert_int_eq(unlink(path), 0);
	storetest_close(&t);
	storetest_open(&t);
	OPEN_TO("anyone", "-");
	ck_assert_int_ne(access(path, F_OK), 0);
	storetest_remove(&t);
}
END_TEST

START_TEST(no_index)
{
	struct storetest t;
	char path[300];
	storetest_new(&t, "2.5", "mboxlist_acl_index: 1\nmboxlist_db: skiplist\n");
	put(t.st, "news", "anyone\tlrs\t", 0);
	OPEN_TO("anyone", "-");                                    /* its files do not remember */
	storetest_remove(&t);
	storetest_new(&t, "3.6", "mboxlist_acl_index: 1\n");
	snprintf(path, sizeof path, "%s.racl", cyrusdb_path(t.st->mboxlist));
	ck_assert_int_eq(mkdir(path, 0700), 0);
	storetest_run("touch %s/x", path);
	put(t.st, "news", "anyone\tlrs\t", 0);
	OPEN_TO("anyone", "-");
	OPEN_TO("anyone", "-");
	storetest_run("test \"$(find %s -name '*racl*' | wc -l)\" = 1", t.dir);
	storetest_run("rm -r %s", path);
	storetest_close(&t);
	storetest_open(&t);
	OPEN_TO("anyone", "news");
	storetest_run("test \"$(find %s -name '*racl*' | wc -l)\" = 1", t.dir);
	storetest_remove(&t);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("index of ACLs");
	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, what_was_stored);
	tcase_add_test(tc, marks_that_are_wrong);
	tcase_add_loop_test(tc, reads_under_one_lock, 0, 3);
	tcase_add_loop_test(tc, rows_beside_the_list, 0, COUNT(levels));
	tcase_add_loop_test(tc, another_configuration, 0, COUNT(levels));
	tcase_add_loop_test(tc, never_less_than_the_truth, 0, COUNT(levels));
	tcase_add_loop_test(tc, read_only, 0, COUNT(levels));
	tcase_add_test(tc, no_index);
	return suite_run("racl", (TCase *[]){ tc, NULL });
}
