/* check_dbcrash.c - the engines when things go wrong: random work against a model, death at every write, errors and interruptions
 * at every call. */
#include "dbtest.h"

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

int main(void)
{
	Suite *s = suite_create("dbcrash");
	TCase *t = tcase_create("dbcrash");
	tcase_set_timeout(t, 300);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, random_work, 0, 3 * ALL_ENGINES);
	tcase_add_loop_test(t, death_at_every_write, 0, 2 * ENGINES);
	tcase_add_loop_test(t, death_while_creating, 0, 2 * ENGINES);
	tcase_add_loop_test(t, error_at_every_call, 0, 3 * ENGINES);
	tcase_add_loop_test(t, same_handle_after_an_error, 0, ENGINES);
	tcase_add_loop_test(t, interrupted_and_short_writes, 0, 2 * ENGINES);
	suite_add_tcase(s, t);
	return run_suite(s);
}
