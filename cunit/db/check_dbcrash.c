/* check_dbcrash.c - the engines when things go wrong: random work against a model, death at every write, errors and interruptions
 * at every call. */
#include "cunit/db/dbtest.h"
#include "cunit/db/disk.h"
#include <sys/mman.h>

#include <errno.h>

/* the last ones do their own I/O: no faults for them */
static const char *const engines_tested[] = { "twoskip", "skiplist", "flat", "quotalegacy",
#ifdef HAVE_BDB
	"berkeley", "berkeley-hash", "berkeley-nosync",
#endif
};
enum { ENGINES = 4, ALL_ENGINES = sizeof engines_tested / sizeof *engines_tested };

/* ---- a model: sorted pairs in an array */

enum { KEYS = 40 };
static char *model[KEYS];

static void key_name(int i, char *out) { sprintf(out, "user.k%02d", i); }

static void model_text(struct buf *b)
{
	buf_reset(b);
	for (int i = 0; i < KEYS; i++) {
		char k[20];
		key_name(i, k);
		if (model[i]) buf_printf(b, "%s=%s ", k, model[i]);
	}
}

static void model_set(int i, const char *v)
{
	free(model[i]);
	model[i] = v ? mem_strdup(v) : NULL;
}

static uint32_t seed;
static uint32_t rnd(uint32_t n) { return (seed = seed * 1664525u + 1013904223u) / 65536u % n; }

static void one_op(struct cyrusdb *db, struct cyrusdb_txn **txn)
{
	char k[20], v[300];
	int i = (int)rnd(KEYS);
	key_name(i, k);
	snprintf(v, sizeof v, "%%%u%0*u", rnd(1000), (int)rnd(200) + 1, rnd(1000));
	switch (rnd(4)) {
	case 0:
		ck_assert_int_eq(cyrusdb_delete(db, k, strlen(k), txn, true), 0);
		model_set(i, NULL);
		break;
	case 1:
		if (model[i]) break;
		ck_assert_int_eq(cyrusdb_create(db, k, strlen(k), v, strlen(v), txn), 0);
		model_set(i, v);
		break;
	default:
		ck_assert_int_eq(cyrusdb_store(db, k, strlen(k), v, strlen(v), txn), 0);
		model_set(i, v);
	}
}

static void same_as_model(struct cyrusdb *db)
{
	struct buf a = BUF_INIT, b = BUF_INIT;
	model_text(&b);
	ck_assert_str_eq(text_of(db, &a), buf_cstr(&b));
	ck_assert_int_eq(cyrusdb_consistent(db), 0);
	buf_free(&a);
	buf_free(&b);
}

START_TEST(random_work)
{
	const char *engine = engines_tested[_i % ALL_ENGINES];
	seed = (uint32_t)_i + 1;
	struct cyrusdb *db = open_as(engine, db_path(engine), CYRUSDB_CREATE);
	for (int round = 0; round < 150; round++) {
		struct cyrusdb_txn *txn = NULL;
		char *saved[KEYS];
		switch (rnd(8)) {
		case 0:
			cyrusdb_close(db);
			db = open_as(engine, db_path(engine), 0);
			break;
		case 1: ck_assert_int_eq(cyrusdb_repack(db), 0); break;
		case 2:                                  /* a transaction that is given up */
			for (int i = 0; i < KEYS; i++) saved[i] = model[i] ? mem_strdup(model[i]) : NULL;
			for (int i = 0; i < 5; i++) one_op(db, &txn);
			if (txn) ck_assert_int_eq(cyrusdb_abort(db, txn), 0);
			for (int i = 0; i < KEYS; i++) {
				model_set(i, txn ? saved[i] : model[i]);
				free(saved[i]);
			}
			break;
		case 3:
			for (int i = 0; i < 5; i++) one_op(db, &txn);
			if (txn) ck_assert_int_eq(cyrusdb_commit(db, txn), 0);
			break;
		default: one_op(db, NULL);
		}
		same_as_model(db);
	}
	for (int i = 0; i < KEYS; i++) model_set(i, NULL);
}
END_TEST

/* ---- death, errors, interruptions */

/* The work: a few records, one transaction over them, a repack. */
static int work(const char *engine, bool create_only)
{
	struct cyrusdb *db = NULL;
	struct cyrusdb_txn *txn = NULL;
	int r = cyrusdb_open(env, engine, db_path(engine), CYRUSDB_CREATE, &db);
	if (r || create_only) return r;
	r = cyrusdb_store(db, "user.b", 6, "%NEW", 4, &txn);
	if (!r && strcmp(engine, "quotalegacy")) r = cyrusdb_store(db, "user.e", 6, "%five", 5, &txn);
	if (!r && strcmp(engine, "quotalegacy")) r = cyrusdb_delete(db, "user.c", 6, &txn, false);
	if (!r) r = cyrusdb_commit(db, txn);
	if (!r) r = cyrusdb_repack(db);
	return r;
}

static void prepare(const char *engine)
{
	struct cyrusdb *db = open_as(engine, db_path(engine), CYRUSDB_CREATE);
	ck_assert_int_eq(put(db, "user.a", "%1"), 0);
	ck_assert_int_eq(put(db, "user.b", "%2"), 0);
	ck_assert_int_eq(put(db, "user.c", "%3"), 0);
	ck_assert_int_eq(put(db, "user.d", "%4"), 0);
	cyrusdb_close(db);
}

static const char old_text[] = "user.a=%1 user.b=%2 user.c=%3 user.d=%4 ";
static const char *new_text(const char *engine)
{
	return strcmp(engine, "quotalegacy")
		? "user.a=%1 user.b=%NEW user.d=%4 user.e=%five " : "user.a=%1 user.b=%NEW user.c=%3 user.d=%4 ";
}

/* Old or new, nothing else; and it can be written to. */
static bool check_after(const char *engine, const char *how, unsigned long n)
{
	struct buf b = BUF_INIT;
	cyrusdb_env_free(env);
	env = new_env();
	struct cyrusdb *db = open_as(engine, db_path(engine), CYRUSDB_CREATE);
	const char *now = text_of(db, &b);
	bool fresh = !strcmp(now, new_text(engine));
	ck_assert_msg(fresh || !strcmp(now, old_text), "%s %s %lu: %s", engine, how, n, now);
	ck_assert_msg(!cyrusdb_consistent(db), "%s %s %lu", engine, how, n);
	ck_assert_int_eq(put(db, "user.zz", "%9"), 0);
	ck_assert_int_eq(cyrusdb_delete(db, "user.zz", 7, NULL, false), 0);
	ck_assert_msg(!cyrusdb_consistent(db), "%s %s %lu", engine, how, n);
	cyrusdb_close(db);
	buf_free(&b);
	return fresh;
}

static void clean(void)
{
	char *cmd = mem_printf("rm -rf %s/x.db* %s/quota*", dir, dir);
	cyrusdb_env_free(env);
	env = new_env();
	ck_assert_int_eq(system(cmd), 0);
	free(cmd);
}

/* In a child, so that it may die; its exit status. */
static int in_child(const char *engine, const struct fault *f, bool create_only)
{
	fflush(NULL);
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid) {
		env->random = 7;                 /* the same levels, so the same calls, each time */
		fault_install(f);
		int r = work(engine, create_only);
		_exit(r ? 1 : 0);
	}
	int status;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static const enum fault_kind deaths[] = { FAULT_DIE, FAULT_TORN };

START_TEST(death_at_every_write)
{
	const char *engine = engines_tested[_i / 2];
	bool was_new = false;
	for (unsigned long n = 1;; n++) {
		ck_assert_uint_lt(n, 1000);
		clean();
		env->random = 7;
		prepare(engine);
		int rc = in_child(engine, &(struct fault){ .kind = deaths[_i % 2], .n = n }, false);
		bool fresh = check_after(engine, _i % 2 ? "torn" : "die", n);
		ck_assert_msg(fresh || !was_new, "%s: new before, old at %lu", engine, n);
		was_new = fresh;
		if (rc == 0) {
			ck_assert(fresh);
			ck_assert_uint_gt(n, 3);
			break;
		}
		ck_assert_int_eq(rc, 99);
	}
}
END_TEST

START_TEST(death_while_creating)
{
	const char *engine = engines_tested[_i / 2];
	for (unsigned long n = 1; n < 100; n++) {
		clean();
		int rc = in_child(engine, &(struct fault){ .kind = deaths[_i % 2], .n = n }, true);
		struct buf b = BUF_INIT;
		struct cyrusdb *db = open_as(engine, db_path(engine), CYRUSDB_CREATE);
		ck_assert_str_eq(text_of(db, &b), "");
		ck_assert_int_eq(put(db, "user.a", "%1"), 0);
		ck_assert_str_eq(text_of(db, &b), "user.a=%1 ");
		buf_free(&b);
		if (rc == 0) return;
	}
	ck_abort_msg("no end");
}
END_TEST

static const struct { int err; int sticky; } errors[] = { { ENOSPC, 0 }, { EIO, 0 }, { ENOSPC, 1 } };

START_TEST(error_at_every_call)
{
	const char *engine = engines_tested[_i / 3];
	for (unsigned long n = 1;; n++) {
		ck_assert_uint_lt(n, 1000);
		clean();
		env->random = 7;
		prepare(engine);
		env->random = 7;
		fault_install(&(struct fault){ .kind = FAULT_ERROR, .n = n, .err = errors[_i % 3].err, .sticky = errors[_i % 3].sticky });
		int r = work(engine, false);
		bool hit = fault_count() >= n;
		fault_install(NULL);
		bool fresh = check_after(engine, "error", n);
		if (!hit) {
			ck_assert_int_eq(r, 0);
			ck_assert(fresh);
			break;
		}
	}
}
END_TEST

/* The handle that met the error goes on working. */
START_TEST(same_handle_after_an_error)
{
	const char *engine = engines_tested[_i];
	struct buf b = BUF_INIT;
	for (unsigned long n = 1; n < 40; n++) {
		clean();
		prepare(engine);
		struct cyrusdb *db = open_as(engine, db_path(engine), 0);
		fault_install(&(struct fault){ .kind = FAULT_ERROR, .n = n, .err = ENOSPC });
		int r = put(db, "user.b", "%NEW");
		fault_install(NULL);
		const char *now = text_of(db, &b);
		const char *newer = "user.a=%1 user.b=%NEW user.c=%3 user.d=%4 ";
		ck_assert_msg(!strcmp(now, newer) || (r && !strcmp(now, old_text)), "%s %lu (%d): %s", engine, n, r, now);
		ck_assert_int_eq(put(db, "user.b", "%2"), 0);
		ck_assert_str_eq(text_of(db, &b), old_text);
		ck_assert_int_eq(cyrusdb_consistent(db), 0);
	}
	buf_free(&b);
}
END_TEST

START_TEST(interrupted_and_short_writes)
{
	const char *engine = engines_tested[_i / 2];
	prepare(engine);
	fault_install(&(struct fault){ .kind = _i % 2 ? FAULT_SHORT : FAULT_EINTR, .n = 1 });
	int r = work(engine, false);
	fault_install(NULL);
	ck_assert_int_eq(r, 0);
	ck_assert(check_after(engine, "storm", 0));
}
END_TEST

/* ---- the same deaths on a disk that loses what was not synced, over random transactions */

/* DBCRASH_ROUNDS: deaths for each engine and kind of end. DBCRASH_KEEP: a folder for the files as the deaths left them, and what
 * is in them. */
static int rounds_wanted(void) { return getenv("DBCRASH_ROUNDS") ? atoi(getenv("DBCRASH_ROUNDS")) : 60; }

enum { TXNS = 6, OPS = 5 };
static const enum disk_end ends[] = { DISK_KILL, DISK_LOSE_ALL, DISK_LOSE_SOME };
static const char *const end_names[] = { "kill", "lose-all", "lose-some" };
enum { ENDS = 3 };

struct plan_op { int key; char *val; };                      /* val NULL: delete */
struct plan {
	struct { struct plan_op op[OPS]; int n; bool abort, repack; } txn[TXNS];
};

static void plan_make(struct plan *p, const char *engine)
{
	for (int t = 0; t < TXNS; t++) {
		p->txn[t].n = strcmp(engine, "quotalegacy") ? 1 + (int)rnd(OPS) : 1;     /* not atomic over more than one root */
		p->txn[t].abort = !rnd(6);
		p->txn[t].repack = !rnd(8);
		for (int i = 0; i < p->txn[t].n; i++) {
			char v[1300];
			snprintf(v, sizeof v, "%%%u%0*u", rnd(1000), (int)rnd(rnd(5) ? 60 : 1200) + 1, rnd(1000));
			p->txn[t].op[i] = (struct plan_op){ (int)rnd(KEYS), rnd(3) ? mem_strdup(v) : NULL };
		}
	}
}

static void plan_free(struct plan *p)
{
	for (int t = 0; t < TXNS; t++)
		for (int i = 0; i < p->txn[t].n; i++) free(p->txn[t].op[i].val);
}

/* *done: twice the transactions that were committed, and one more while a commit is under way */
static int plan_run(const struct plan *p, const char *engine, volatile int *done)
{
	struct cyrusdb *db = NULL;
	int r = cyrusdb_open(env, engine, db_path(engine), CYRUSDB_CREATE, &db);
	for (int t = 0; !r && t < TXNS; t++) {
		struct cyrusdb_txn *txn = NULL;
		for (int i = 0; !r && i < p->txn[t].n; i++) {
			char k[20];
			key_name(p->txn[t].op[i].key, k);
			const char *v = p->txn[t].op[i].val;
			r = v ? cyrusdb_store(db, k, strlen(k), v, strlen(v), &txn) : cyrusdb_delete(db, k, strlen(k), &txn, true);
		}
		if (r) break;
		if (p->txn[t].abort) r = cyrusdb_abort(db, txn);
		else {
			*done = 2 * t + 1;
			r = cyrusdb_commit(db, txn);
		}
		*done = 2 * t + 2;
		if (!r && p->txn[t].repack) r = cyrusdb_repack(db);
	}
	return r;
}

static void plan_apply(const struct plan *p, int from, int to)
{
	for (int t = from; t < to; t++)
		for (int i = 0; !p->txn[t].abort && i < p->txn[t].n; i++) model_set(p->txn[t].op[i].key, p->txn[t].op[i].val);
}

static void keep_state(const char *engine, int end, int round, bool after, const char *text)
{
	const char *to = getenv("DBCRASH_KEEP");
	if (!to || !strcmp(engine, "quotalegacy")) return;
	char *name = mem_printf("%s/%s.%s.%d%s", to, engine, end_names[end], round, after ? ".want" : "");
	struct buf b = BUF_INIT;
	if (after) buf_puts(&b, text);
	else if (file_read(db_path(engine), 1 << 26, &b) < 0) buf_reset(&b);
	if (b.len) ck_assert_int_eq(newfile_write(name, 0644, b.s, b.len), 0);
	buf_free(&b);
	free(name);
}

/* As after a power failure: skiplist's pointers are not to be trusted (spec 4: the stamp), so say that they are not. */
static void fresh_env(enum disk_end end)
{
	cyrusdb_env_free(env);
	if (end != DISK_KILL) ck_assert_int_eq(newfile_write(path_of("db/skipstamp"), 0600, "\0\0\0\0", 4), 0);
	env = new_env();
}

START_TEST(lost_writes)
{
	const char *engine = engines_tested[_i / ENDS];
	enum disk_end end = ends[_i % ENDS];
	int rounds = rounds_wanted(), deaths_seen = 0, commits = 0, forward = 0;
	unsigned long calls = 40;
	volatile int *done = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	seed = 77 + (uint32_t)_i + (getenv("DBCRASH_SEED") ? (uint32_t)atoi(getenv("DBCRASH_SEED")) : 0);
	ck_assert_int_eq(mkdir(path_of("kept"), 0700), 0);
	for (int round = 0; round < rounds; round++) {
		struct plan plan;
		struct buf old = BUF_INIT, next = BUF_INIT, now = BUF_INIT;
		unsigned long at = 1 + rnd((uint32_t)calls + 2);
		uint32_t more = rnd(60000);
		plan_make(&plan, engine);
		fresh_env(end);
		*done = 0;
		fflush(NULL);
		pid_t pid = fork();
		if (!pid) {
			disk_install(path_of("kept"), at, end, more);
			int r = plan_run(&plan, engine, done);
			done[1] = (int)disk.count;
			_exit(r ? 1 : 0);
		}
		int status;
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_msg(WIFEXITED(status) && (WEXITSTATUS(status) == 99 || !WEXITSTATUS(status)), "%s %s %d: %x", engine,
			end_names[_i % ENDS], round, (unsigned)status);
		deaths_seen += WEXITSTATUS(status) == 99;
		if (!WEXITSTATUS(status)) calls = (unsigned long)done[1];
		else if (at > calls - calls / 4) calls += calls / 8;     /* there is more behind */
		keep_state(engine, _i % ENDS, round, false, NULL);
		int whole = *done / 2;
		commits += whole;
		plan_apply(&plan, 0, whole);
		model_text(&old);
		fresh_env(end);
		struct cyrusdb *db = open_as(engine, db_path(engine), CYRUSDB_CREATE);
		text_of(db, &now);
		keep_state(engine, _i % ENDS, round, true, buf_cstr(&now));
		if (strcmp(buf_cstr(&now), buf_cstr(&old)) && *done % 2) {
			plan_apply(&plan, whole, whole + 1);
			forward++;
		}
		model_text(&next);
		ck_assert_msg(!strcmp(buf_cstr(&now), buf_cstr(&next)), "%s %s round %d, call %lu, done %d:\n%s\nnot\n%s\n", engine,
			end_names[_i % ENDS], round, at, *done, buf_cstr(&now), buf_cstr(&next));
		ck_assert_msg(!cyrusdb_consistent(db), "%s %s round %d", engine, end_names[_i % ENDS], round);
		cyrusdb_close(db);
		plan_free(&plan);
		buf_free(&old);
		buf_free(&next);
		buf_free(&now);
	}
	for (int i = 0; i < KEYS; i++) model_set(i, NULL);
	printf("%s, %s: %d deaths, %d transactions finished before them, %d in the middle of a commit that counted\n", engine,
		end_names[_i % ENDS], deaths_seen, commits, forward);
	ck_assert_int_gt(deaths_seen, rounds / 3);
	munmap((void *)(uintptr_t)done, 4096);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("dbcrash");
	tcase_set_timeout(t, 300);
	tcase_add_checked_fixture(t, dbtest_setup, dbtest_teardown);
	tcase_add_loop_test(t, random_work, 0, 3 * ALL_ENGINES);
	tcase_add_loop_test(t, death_at_every_write, 0, 2 * ENGINES);
	tcase_add_loop_test(t, death_while_creating, 0, 2 * ENGINES);
	tcase_add_loop_test(t, error_at_every_call, 0, 3 * ENGINES);
	tcase_add_loop_test(t, same_handle_after_an_error, 0, ENGINES);
	tcase_add_loop_test(t, interrupted_and_short_writes, 0, 2 * ENGINES);
	TCase *lost = tcase_create("lost");
	tcase_set_timeout(lost, 3600);
	tcase_add_checked_fixture(lost, dbtest_setup, dbtest_teardown);
	tcase_add_loop_test(lost, lost_writes, 0, ENDS * ENGINES);
	return suite_run("dbcrash", (TCase *[]){ t, lost, NULL });
}
