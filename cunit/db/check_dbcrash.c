/* check_dbcrash.c - the contract of cyrusdb.h under any engine: random work against a model, death at every write, errors and
 * interruptions at every call, two processes. */
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

static const char *db_path(const char *engine) { return path_of(strcmp(engine, "quotalegacy") ? "x.db" : "quotas.db"); }

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

/* ---- the contract */

START_TEST(transactions)
{
	const char *engine = engines_tested[_i];
	const char *v;
	size_t n;
	struct buf b = BUF_INIT;
	prepare(engine);
	char *twice = mem_printf("%s/./%s", dir, strrchr(db_path(engine), '/') + 1);
	struct cyrusdb *db = open_as(engine, db_path(engine), 0);
	/* by another name too; quotalegacy's name is no file */
	struct cyrusdb *again = open_as(engine, strcmp(engine, "quotalegacy") ? twice : db_path(engine), 0);
	free(twice);
	struct cyrusdb_txn *txn = NULL, *other = NULL;
	ck_assert_ptr_eq(db, again);
	ck_assert_int_eq(cyrusdb_fetch(db, "user.x", 6, &v, &n, &txn), CYRUSDB_NOTFOUND);
	ck_assert_ptr_nonnull(txn);                      /* not found is no reason to end it */
	ck_assert_int_eq(cyrusdb_fetch(db, "user.a", 6, &v, &n, &other), CYRUSDB_LOCKED);
	ck_assert_int_eq(put(db, "user.q", "%q"), CYRUSDB_INTERNAL);
	ck_assert_int_eq(cyrusdb_store(db, "user.a", 6, "%x", 2, &txn), 0);
	ck_assert_int_eq(cyrusdb_fetch(again, "user.a", 6, &v, &n, NULL), 0);
	ck_assert_str_eq(v, "%x");                       /* a read without it runs inside */
	ck_assert_int_eq(cyrusdb_create(db, "user.b", 6, "%x", 2, &txn), CYRUSDB_EXISTS);
	ck_assert_ptr_null(txn);
	ck_assert_str_eq(text_of(db, &b), old_text);     /* all of it rolled back */
	ck_assert_int_eq(cyrusdb_store(db, "user.a", 6, "%x", 2, &txn), 0);
	ck_assert_int_eq(cyrusdb_delete(db, "user.x", 6, &txn, false), CYRUSDB_NOTFOUND);
	ck_assert_ptr_null(txn);
	ck_assert_str_eq(text_of(db, &b), old_text);
	ck_assert_int_eq(cyrusdb_store(db, "", 0, "x", 1, NULL), CYRUSDB_INTERNAL);
	ck_assert_int_eq(cyrusdb_delete(db, "user.x", 6, NULL, true), 0);
	ck_assert_int_eq(cyrusdb_commit(db, NULL), CYRUSDB_INTERNAL);
	cyrusdb_close(again);
	cyrusdb_close(db);
	buf_free(&b);
}
END_TEST

struct meddle {
	struct cyrusdb *db;
	struct buf seen;
	int n;
};

static int meddle(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	struct meddle *m = arg;
	(void)val, (void)vallen;
	m->n++;
	ck_assert_int_eq(cyrusdb_delete(m->db, key, keylen, NULL, false), 0);
	buf_append(&m->seen, key, keylen);               /* the key outlives what we do */
	buf_putc(&m->seen, ' ');
	if (!strncmp(key, "user.b", keylen)) {
		ck_assert_int_eq(put(m->db, "user.aa", "%behind"), 0);
		if (strcmp(cyrusdb_engine(m->db), "quotalegacy")) ck_assert_int_eq(put(m->db, "user.cc", "%ahead"), 0);
		ck_assert_int_eq(cyrusdb_repack(m->db), 0);
	}
	return 0;
}

START_TEST(callback_may_do_anything)
{
	const char *engine = engines_tested[_i];
	struct buf b = BUF_INIT;
	prepare(engine);
	struct meddle m = { .db = open_as(engine, db_path(engine), 0) };
	ck_assert_int_eq(put(m.db, "userx", "%x"), 0);
	ck_assert_int_eq(put(m.db, "use", "%x"), 0);
	ck_assert_int_eq(cyrusdb_foreach(m.db, "user.", 5, NULL, meddle, &m, NULL), 0);
	bool ahead = strcmp(engine, "quotalegacy");
	ck_assert_str_eq(buf_cstr(&m.seen), ahead ? "user.a user.b user.c user.cc user.d " : "user.a user.b user.c user.d ");
	ck_assert_ptr_nonnull(strstr(text_of(m.db, &b), "user.aa=%behind "));
	buf_free(&m.seen);
	buf_free(&b);
}
END_TEST

static int stop(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	(void)key, (void)keylen, (void)val, (void)vallen;
	return ++*(int *)arg == 2 ? 77 : 0;
}
static int refuse(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	(void)arg, (void)key, (void)keylen, (void)val, (void)vallen;
	return 0;
}

START_TEST(iteration_stops)
{
	const char *engine = engines_tested[_i];
	int n = 0;
	prepare(engine);
	struct cyrusdb *db = open_as(engine, db_path(engine), 0);
	struct cyrusdb_txn *txn = NULL;
	ck_assert_int_eq(cyrusdb_foreach(db, "", 0, NULL, stop, &n, NULL), 77);
	ck_assert_int_eq(n, 2);
	ck_assert_int_eq(cyrusdb_foreach(db, "", 0, refuse, stop, &n, NULL), 0);
	n = 0;
	ck_assert_int_eq(cyrusdb_foreach(db, "", 0, NULL, stop, &n, &txn), 77);
	ck_assert_ptr_nonnull(txn);
	ck_assert_int_eq(cyrusdb_commit(db, txn), 0);
}
END_TEST

static const struct { const char *k; size_t n; } odd_keys[] = {
	{ "\0", 1 }, { "a\0b", 3 }, { "a\tb", 3 }, { "a\nb", 3 }, { "a\rb", 3 }, { "\xff", 1 }, { "\xff\xff", 2 }, { "a\x80", 2 },
		{ "\x01", 1 },
	{ "a b", 3 }, { "a", 1 }, { ".", 1 },
};

START_TEST(odd_bytes)
{
	const char *engine = engines_tested[_i];         /* not quotalegacy: its keys are file names */
	struct cyrusdb *db = open_as(engine, db_path(engine), CYRUSDB_CREATE);
	const char *v;
	size_t n;
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < sizeof odd_keys / sizeof *odd_keys; i++) {
			if (!pass) ck_assert_int_eq(cyrusdb_create(db, odd_keys[i].k, odd_keys[i].n, odd_keys[i].k, odd_keys[i].n, NULL), 0);
			ck_assert_int_eq(cyrusdb_fetch(db, odd_keys[i].k, odd_keys[i].n, &v, &n, NULL), 0);
			ck_assert_uint_eq(n, odd_keys[i].n);
			ck_assert_int_eq(memcmp(v, odd_keys[i].k, n), 0);
		}
		ck_assert_int_eq(cyrusdb_consistent(db), 0);
		ck_assert_int_eq(cyrusdb_repack(db), 0);
	}
	/* ascending, by the engine's own order */
	char last[200] = "";
	size_t lastlen = 0, count = 0, kn;
	const char *k;
	while (!cyrusdb_fetchnext(db, last, lastlen, &k, &kn, &v, &n, NULL)) {
		if (lastlen) ck_assert_int_lt(cyrusdb_compare(db, last, lastlen, k, kn), 0);
		memcpy(last, k, kn);
		lastlen = kn;
		count++;
	}
	ck_assert_uint_eq(count, sizeof odd_keys / sizeof *odd_keys);
}
END_TEST

static const size_t sizes[] = { 0, 1, 7, 8, 65534, 65535, 65536, 70000 };

START_TEST(long_keys_and_values)
{
	const char *engine = engines_tested[_i];
	struct cyrusdb *db = open_as(engine, db_path(engine), CYRUSDB_CREATE);
	char *big = mem_zalloc(80000);
	const char *v;
	size_t n;
	memset(big, 'x', 80000);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		size_t kl = sizes[i] ? sizes[i] : 3;
		ck_assert_int_eq(cyrusdb_store(db, big, kl, big, sizes[i], NULL), 0);
		ck_assert_int_eq(cyrusdb_fetch(db, big, kl, &v, &n, NULL), 0);
		ck_assert_ptr_nonnull(v);
		ck_assert_uint_eq(n, sizes[i]);
	}
	ck_assert_int_eq(cyrusdb_consistent(db), 0);
	ck_assert_int_eq(cyrusdb_repack(db), 0);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		ck_assert_int_eq(cyrusdb_fetch(db, big, sizes[i] ? sizes[i] : 3, &v, &n, NULL), 0);
		ck_assert_uint_eq(n, sizes[i]);
	}
	free(big);
}
END_TEST

START_TEST(mailbox_order)
{
	static const char *const names[] = { "user.freda", "user.fred-x", "user.fred", "user.fred x", "user.fred.a" };
	const char *engine = engines_tested[_i];
	if (strstr(engine, "hash")) return;              /* has no order */
	struct buf b = BUF_INIT;
	struct cyrusdb *db = open_as(engine, db_path(engine), CYRUSDB_CREATE | CYRUSDB_MBOXSORT);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) ck_assert_int_eq(put(db, names[i], "%"), 0);
	ck_assert_str_eq(text_of(db, &b), "user.fred=% user.fred.a=% user.fred x=% user.fred-x=% user.freda=% ");
	ck_assert_int_eq(cyrusdb_consistent(db), 0);
	buf_free(&b);
}
END_TEST

/* Two processes count up in one record, repacking now and then; no increment may get lost. */
START_TEST(two_processes)
{
	const char *engine = engines_tested[_i];
	enum { TIMES = 60, CHILDREN = 2 };
	struct cyrusdb *db = open_as(engine, db_path(engine), CYRUSDB_CREATE);
	ck_assert_int_eq(put(db, "user.n", "%0"), 0);
	cyrusdb_close(db);
	for (int c = 0; c < CHILDREN; c++) {
		if (fork()) continue;
		cyrusdb_open(env, engine, db_path(engine), 0, &db);
		for (int i = 0; i < TIMES; i++) {
			struct cyrusdb_txn *txn = NULL;
			const char *v;
			size_t n;
			char text[300];
			if (cyrusdb_fetch(db, "user.n", 6, &v, &n, &txn)) _exit(1);
			snprintf(text, sizeof text, "%%%d%*s", atoi(v + 1) + 1, i * 3, "");
			if (cyrusdb_store(db, "user.n", 6, text, strlen(text), &txn) || cyrusdb_commit(db, txn)) _exit(2);
			if (i % 10 == c && cyrusdb_repack(db)) _exit(3);
		}
		_exit(0);
	}
	for (int c = 0; c < CHILDREN; c++) {
		int status;
		ck_assert_int_gt(wait(&status), 0);
		ck_assert_msg(WIFEXITED(status) && !WEXITSTATUS(status), "%x", status);
	}
	const char *v;
	size_t n;
	db = open_as(engine, db_path(engine), 0);
	ck_assert_int_eq(cyrusdb_fetch(db, "user.n", 6, &v, &n, NULL), 0);
	ck_assert_int_eq(atoi(v + 1), TIMES * CHILDREN);
	ck_assert_int_eq(cyrusdb_consistent(db), 0);
}
END_TEST

START_TEST(text_form)
{
	struct buf b = BUF_INIT;
	struct cyrusdb *db = open_as("twoskip", path_of("t"), CYRUSDB_CREATE);
	char in[] = "# comment\n\nb\ttwo\ttabs\na\tone\nc\tthree\nc\n";
	FILE *f = fmemopen(in, sizeof in - 1, "r");
	ck_assert_int_eq(cyrusdb_undumpfile(db, f, NULL), 0);
	fclose(f);
	ck_assert_str_eq(text_of(db, &b), "a=one b=two\ttabs ");
	char *out = NULL;
	size_t n = 0;
	f = open_memstream(&out, &n);
	ck_assert_int_eq(cyrusdb_dumpfile(db, "", 0, f, NULL), 0);
	fclose(f);
	ck_assert_str_eq(out, "a\tone\nb\ttwo\ttabs\n");
	free(out);
	char bad[] = "x\t1\n\tnokey\n";
	f = fmemopen(bad, sizeof bad - 1, "r");
	ck_assert_int_ne(cyrusdb_undumpfile(db, f, NULL), 0);
	fclose(f);
	ck_assert_str_eq(text_of(db, &b), "a=one b=two\ttabs ");
	buf_free(&b);
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
	tcase_add_loop_test(t, transactions, 0, ALL_ENGINES);
	tcase_add_loop_test(t, callback_may_do_anything, 0, ENGINES);
	tcase_add_loop_test(t, iteration_stops, 0, ALL_ENGINES);
	tcase_add_loop_test(t, odd_bytes, 0, 3);
	tcase_add_loop_test(t, long_keys_and_values, 0, 3);
	tcase_add_loop_test(t, mailbox_order, 0, ALL_ENGINES);
	tcase_add_loop_test(t, two_processes, 0, ENGINES);
	tcase_add_test(t, text_form);
	suite_add_tcase(s, t);
	return run_suite(s);
}
