/* check_dbcontract.c - the contract of cyrusdb.h (spec/cyrusdb.md 1, its test points in 15), one suite for every engine in each of its
 * orders. Who adds an engine adds rows to the table. */
#include "dbtest.h"
#include "dbrows.h"

#include <errno.h>

static const struct dbrow *row;
static int base_flags;

static void begin(int i)
{
	row = &dbrows[i];
	base_flags = row->sort ? CYRUSDB_MBOXSORT : 0;
}

/* A table on a server is no file: nothing to detect, to convert from in place, or to copy. */
static bool on_server(const struct dbrow *r) { return (r->is & ROW_SQL) && getenv("DBTEST_PGSQL"); }
static bool has_magic(const struct dbrow *r) { return (r->is & ROW_MAGIC) || ((r->is & ROW_SQL) && !getenv("DBTEST_PGSQL")); }

static struct cyrusdb *open_row(int flags) { return open_as(row->engine, db_path(row->engine), flags | base_flags); }
static bool names_only(void) { return row->is & ROW_NAMES; }

static void prepare(void)
{
	struct cyrusdb *db = open_row(CYRUSDB_CREATE);
	ck_assert_int_eq(put(db, "user.a", "%1"), 0);
	ck_assert_int_eq(put(db, "user.b", "%2"), 0);
	ck_assert_int_eq(put(db, "user.c", "%3"), 0);
	ck_assert_int_eq(put(db, "user.d", "%4"), 0);
	cyrusdb_close(db);
}

static const char all_text[] = "user.a=%1 user.b=%2 user.c=%3 user.d=%4 ";

/* As another process would see it: by a new environment. */
static void seen_by_others(const char *want)
{
	struct buf b = BUF_INIT;
	fflush(NULL);
	pid_t pid = fork();
	if (!pid) {
		struct cyrusdb *db = NULL;
		struct cyrusdb_env *own = new_env();
		if (cyrusdb_open(own, row->engine, db_path(row->engine), base_flags, &db)) _exit(2);
		if (cyrusdb_foreach(db, "", 0, NULL, add_text, &b, NULL)) _exit(3);
		if (strcmp(buf_cstr(&b), want)) fprintf(stderr, "%s: others see %s, not %s\n", row->engine, buf_cstr(&b), want);
		_exit(strcmp(buf_cstr(&b), want) ? 4 : 0);
	}
	int status;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && !WEXITSTATUS(status), "%s: %x", row->engine, (unsigned)status);
}

/* ---- opening */

START_TEST(open_flags)
{
	struct cyrusdb *db = NULL, *again = NULL;
	begin(_i);
	const char *path = db_path(row->engine);
	int r = cyrusdb_open(env, row->engine, path, base_flags, &db);
	ck_assert_msg(r == (names_only() ? CYRUSDB_IOERROR : CYRUSDB_NOTFOUND), "%s: %d", row->engine, r);
	ck_assert_ptr_null(db);
	ck_assert_int_eq(cyrusdb_open(env, row->engine, path, base_flags | CYRUSDB_CONVERT | CYRUSDB_SHARED, &db), CYRUSDB_INTERNAL);
	ck_assert_int_eq(cyrusdb_open(env, row->engine, path, base_flags | CYRUSDB_CREATE | CYRUSDB_RDONLY, &db), CYRUSDB_INTERNAL);
	ck_assert_int_eq(cyrusdb_open(env, "nosuch", path, base_flags | CYRUSDB_CREATE, &db), CYRUSDB_INTERNAL);
	/* parents are made */
	char deep[200];
	snprintf(deep, sizeof deep, "%s/a/b/%s", dir, names_only() ? "quotas.db" : "x.db");
	db = open_as(row->engine, deep, base_flags | CYRUSDB_CREATE | CYRUSDB_NOCRC | CYRUSDB_NOCOMPACT);
	ck_assert_int_eq(put(db, "user.a", "%1"), 0);
	again = open_as(row->engine, deep, base_flags);
	ck_assert_ptr_eq(db, again);
	ck_assert_str_eq(cyrusdb_engine(db), row->engine);
	ck_assert_str_eq(cyrusdb_path(db), deep);
	cyrusdb_close(db);
	struct buf b = BUF_INIT;                         /* the other still counts */
	ck_assert_str_eq(text_of(again, &b), "user.a=%1 ");
	cyrusdb_close(again);
	db = open_as(row->engine, deep, base_flags | CYRUSDB_RDONLY);
	ck_assert_str_eq(text_of(db, &b), "user.a=%1 ");
	ck_assert_int_eq(put(db, "user.b", "%2"), CYRUSDB_READONLY);
	ck_assert_int_eq(cyrusdb_open(env, row->engine, deep, base_flags, &again), CYRUSDB_LOCKED);
	cyrusdb_close(db);
	buf_free(&b);
}
END_TEST

START_TEST(shared_transactions)
{
	const char *v;
	size_t n;
	struct buf b = BUF_INIT;
	struct cyrusdb_txn *txn = NULL;
	begin(_i);
	prepare();
	struct cyrusdb *db = open_row(CYRUSDB_SHARED);
	ck_assert_int_eq(put(db, "user.x", "%"), CYRUSDB_READONLY);
	ck_assert_int_eq(cyrusdb_store(db, "user.x", 6, "%", 1, &txn), CYRUSDB_READONLY);
	ck_assert_ptr_null(txn);
	ck_assert_int_eq(cyrusdb_fetch(db, "user.a", 6, &v, &n, &txn), 0);
	ck_assert_ptr_nonnull(txn);
	seen_by_others(all_text);                        /* who only read at the same time */
	ck_assert_int_eq(cyrusdb_commit(db, txn), 0);
	txn = NULL;
	ck_assert_int_eq(cyrusdb_fetch(db, "user.a", 6, &v, &n, &txn), 0);
	ck_assert_int_eq(cyrusdb_delete(db, "user.a", 6, &txn, true), CYRUSDB_READONLY);
	ck_assert_ptr_null(txn);
	ck_assert_int_eq(cyrusdb_repack(db), CYRUSDB_READONLY);
	ck_assert_str_eq(text_of(db, &b), all_text);
	/* somebody who may write opens it too */
	struct cyrusdb *writer = open_row(0);
	ck_assert_int_eq(put(writer, "user.d", "%5"), 0);
	cyrusdb_close(writer);
	cyrusdb_close(db);
	buf_free(&b);
}
END_TEST

/* ---- single records */

START_TEST(single_records)
{
	const char *v;
	size_t n;
	struct buf b = BUF_INIT;
	begin(_i);
	struct cyrusdb *db = open_row(CYRUSDB_CREATE);
	ck_assert_str_eq(text_of(db, &b), "");           /* an empty scan is a success */
	ck_assert_int_eq(cyrusdb_fetch(db, "user.a", 6, &v, &n, NULL), CYRUSDB_NOTFOUND);
	ck_assert_ptr_null(v);
	ck_assert_int_eq(cyrusdb_create(db, "user.a", 6, "%1", 2, NULL), 0);
	ck_assert_int_eq(cyrusdb_create(db, "user.a", 6, "%2", 2, NULL), CYRUSDB_EXISTS);
	ck_assert_int_eq(cyrusdb_fetch(db, "user.a", 6, &v, &n, NULL), 0);
	ck_assert_str_eq(v, "%1");
	ck_assert_int_eq(put(db, "user.a", "%2"), 0);
	ck_assert_int_eq(cyrusdb_fetch(db, "user.a", 6, &v, &n, NULL), 0);
	ck_assert_str_eq(v, "%2");
	/* present and empty is not absent; a null pointer is an empty value */
	ck_assert_int_eq(cyrusdb_store(db, "user.e", 6, NULL, 0, NULL), 0);
	v = NULL;
	n = 1;
	ck_assert_int_eq(cyrusdb_fetch(db, "user.e", 6, &v, &n, NULL), 0);
	ck_assert_ptr_nonnull(v);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(cyrusdb_create(db, "user.e", 6, "%", 1, NULL), CYRUSDB_EXISTS);
	seen_by_others("user.a=%2 user.e= ");
	ck_assert_int_eq(cyrusdb_delete(db, "user.e", 6, NULL, false), 0);
	ck_assert_int_eq(cyrusdb_delete(db, "user.e", 6, NULL, false), CYRUSDB_NOTFOUND);
	ck_assert_int_eq(cyrusdb_delete(db, "user.e", 6, NULL, true), 0);
	ck_assert_int_eq(cyrusdb_store(db, "", 0, "x", 1, NULL), CYRUSDB_INTERNAL);
	ck_assert_int_eq(cyrusdb_fetch(db, "", 0, &v, &n, NULL), CYRUSDB_INTERNAL);
	ck_assert_str_eq(text_of(db, &b), "user.a=%2 ");
	cyrusdb_close(db);
	seen_by_others("user.a=%2 ");
	buf_free(&b);
}
END_TEST

START_TEST(next_record)
{
	const char *k, *v;
	size_t kn, n;
	struct cyrusdb_txn *txn = NULL;
	begin(_i);
	prepare();
	struct cyrusdb *db = open_row(0);
	ck_assert_int_eq(cyrusdb_fetchnext(db, "", 0, &k, &kn, &v, &n, NULL), 0);
	ck_assert_str_eq(k, "user.a");
	ck_assert_str_eq(v, "%1");
	ck_assert_int_eq(cyrusdb_fetchnext(db, k, kn, &k, &kn, &v, &n, NULL), 0);        /* with what it gave itself */
	ck_assert_str_eq(k, "user.b");
	ck_assert_int_eq(cyrusdb_fetchnext(db, "user.bb", 7, &k, &kn, &v, &n, NULL), 0); /* a key that is not there */
	ck_assert_str_eq(k, "user.c");
	ck_assert_int_eq(cyrusdb_fetchnext(db, "user.d", 6, &k, &kn, &v, &n, NULL), CYRUSDB_NOTFOUND);
	ck_assert_int_eq(cyrusdb_fetchnext(db, "user.a", 6, &k, &kn, &v, &n, &txn), 0);
	ck_assert_str_eq(k, "user.b");
	ck_assert_int_eq(cyrusdb_delete(db, "user.b", 6, &txn, false), 0);
	ck_assert_int_eq(cyrusdb_fetchnext(db, "user.a", 6, &k, &kn, &v, &n, &txn), 0);
	ck_assert_str_eq(k, "user.c");
	ck_assert_int_eq(cyrusdb_fetchnext(db, "user.d", 6, &k, &kn, &v, &n, &txn), CYRUSDB_NOTFOUND);
	ck_assert_ptr_nonnull(txn);
	ck_assert_int_eq(cyrusdb_abort(db, txn), 0);
	cyrusdb_close(db);
	seen_by_others(all_text);
}
END_TEST

/* ---- transactions */

START_TEST(transactions)
{
	const char *v;
	size_t n;
	struct buf b = BUF_INIT;
	begin(_i);
	prepare();
	char *twice = mem_printf("%s/./%s", dir, strrchr(db_path(row->engine), '/') + 1);
	struct cyrusdb *db = open_row(0);
	/* by another name too; quotalegacy's name is no file */
	struct cyrusdb *again = open_as(row->engine, names_only() || on_server(row) ? db_path(row->engine) : twice, base_flags);
	free(twice);
	struct cyrusdb_txn *txn = NULL, *other = NULL;
	ck_assert_ptr_eq(db, again);
	ck_assert_int_eq(cyrusdb_fetch(db, "user.x", 6, &v, &n, &txn), CYRUSDB_NOTFOUND);
	ck_assert_ptr_nonnull(txn);                      /* not found is no reason to end it */
	ck_assert_int_eq(cyrusdb_fetch(db, "user.a", 6, &v, &n, &other), CYRUSDB_LOCKED);
	ck_assert_ptr_null(other);
	ck_assert_int_eq(put(db, "user.q", "%q"), CYRUSDB_INTERNAL);
	ck_assert_int_eq(cyrusdb_repack(db), row->is & ROW_REPACKS ? CYRUSDB_LOCKED : 0);
	ck_assert_int_eq(cyrusdb_store(db, "user.a", 6, "%x", 2, &txn), 0);
	ck_assert_int_eq(cyrusdb_fetch(again, "user.a", 6, &v, &n, NULL), 0);
	ck_assert_str_eq(v, "%x");                       /* a read without it runs inside */
	ck_assert_int_eq(cyrusdb_create(db, "user.b", 6, "%x", 2, &txn), CYRUSDB_EXISTS);
	ck_assert_ptr_null(txn);
	ck_assert_str_eq(text_of(db, &b), all_text);     /* all of it rolled back */
	ck_assert_int_eq(cyrusdb_store(db, "user.a", 6, "%x", 2, &txn), 0);
	ck_assert_int_eq(cyrusdb_delete(db, "user.x", 6, &txn, false), CYRUSDB_NOTFOUND);
	ck_assert_ptr_null(txn);
	ck_assert_str_eq(text_of(db, &b), all_text);
	ck_assert_int_eq(cyrusdb_store(db, "user.a", 6, "%x", 2, &txn), 0);
	ck_assert_int_eq(cyrusdb_store(db, "", 0, "%x", 2, &txn), CYRUSDB_INTERNAL);
	ck_assert_ptr_null(txn);
	ck_assert_int_eq(cyrusdb_commit(db, NULL), CYRUSDB_INTERNAL);
	ck_assert_int_eq(cyrusdb_abort(db, NULL), CYRUSDB_INTERNAL);
	cyrusdb_close(again);
	cyrusdb_close(db);
	seen_by_others(all_text);
	buf_free(&b);
}
END_TEST

START_TEST(commit_and_abort)
{
	struct buf b = BUF_INIT;
	begin(_i);
	prepare();
	struct cyrusdb *db = open_row(0);
	struct cyrusdb_txn *txn = NULL;
	ck_assert_int_eq(cyrusdb_delete(db, "user.b", 6, &txn, false), 0);
	ck_assert_int_eq(cyrusdb_store(db, "user.c", 6, "%new", 4, &txn), 0);
	ck_assert_int_eq(cyrusdb_create(db, "user.e", 6, "%5", 2, &txn), 0);
	ck_assert_int_eq(cyrusdb_delete(db, "user.e", 6, &txn, false), 0);
	ck_assert_int_eq(cyrusdb_create(db, "user.e", 6, "%6", 2, &txn), 0);
	ck_assert_str_eq(text_of(db, &b), "user.a=%1 user.c=%new user.d=%4 user.e=%6 ");
	ck_assert_int_eq(cyrusdb_abort(db, txn), 0);
	ck_assert_str_eq(text_of(db, &b), all_text);
	seen_by_others(all_text);
	txn = NULL;
	ck_assert_int_eq(cyrusdb_delete(db, "user.b", 6, &txn, false), 0);
	if (!names_only()) ck_assert_int_eq(cyrusdb_store(db, "user.c", 6, "%new", 4, &txn), 0);
	ck_assert_int_eq(cyrusdb_commit(db, txn), 0);
	const char *want = names_only() ? "user.a=%1 user.c=%3 user.d=%4 " : "user.a=%1 user.c=%new user.d=%4 ";
	ck_assert_str_eq(text_of(db, &b), want);
	seen_by_others(want);
	ck_assert_int_eq(cyrusdb_consistent(db), 0);
	/* one that changed nothing; and one that the end of the handle finds open */
	txn = NULL;
	ck_assert_int_eq(cyrusdb_fetch(db, "user.a", 6, NULL, NULL, &txn), 0);
	ck_assert_int_eq(cyrusdb_commit(db, txn), 0);
	txn = NULL;
	ck_assert_int_eq(cyrusdb_store(db, "user.d", 6, "%lost", 5, &txn), 0);
	cyrusdb_close(db);
	seen_by_others(want);
	buf_free(&b);
}
END_TEST

/* ---- iteration */

struct seen {
	struct cyrusdb *db;
	struct cyrusdb_txn **txn;
	struct buf keys;
	const char *no;                  /* good refuses it */
};

static int not_that(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	const struct seen *s = arg;
	(void)val, (void)vallen;
	return strlen(s->no) != keylen || memcmp(s->no, key, keylen);
}

static int note(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	struct seen *s = arg;
	(void)val, (void)vallen;
	buf_append(&s->keys, key, keylen);
	buf_putc(&s->keys, ' ');
	return 0;
}

START_TEST(prefixes)
{
	static const struct { const char *prefix, *want; } cases[] = {
		{ "user.", "user.a user.c user.d " }, { "user.c", "user.c " }, { "user.cc", "" }, { "v", "v " }, { "z", "" },
		{ "", "use user.a user.c user.d v " },
	};
	begin(_i);
	prepare();
	struct cyrusdb *db = open_row(0);
	ck_assert_int_eq(put(db, "use", "%"), 0);
	ck_assert_int_eq(put(db, "v", "%"), 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct seen s = { .db = db, .no = "user.b" };
		ck_assert_int_eq(cyrusdb_foreach(db, cases[i].prefix, strlen(cases[i].prefix), not_that, note, &s, NULL), 0);
		ck_assert_str_eq(buf_cstr(&s.keys), cases[i].want);
		buf_free(&s.keys);
	}
}
END_TEST

static int meddle(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	struct seen *s = arg;
	(void)val, (void)vallen;
	ck_assert_int_eq(cyrusdb_delete(s->db, key, keylen, s->txn, false), 0);
	buf_append(&s->keys, key, keylen);               /* the key outlives what we do */
	buf_putc(&s->keys, ' ');
	if (keylen != 6 || strncmp(key, "user.b", 6)) return 0;
	ck_assert_int_eq(cyrusdb_store(s->db, "user.aa", 7, "%behind", 7, s->txn), 0);
	ck_assert_int_eq(cyrusdb_store(s->db, "user.cc", 7, "%ahead", 6, s->txn), 0);
	if (!s->txn) ck_assert_int_eq(cyrusdb_repack(s->db), 0);
	return 0;
}

/* _i counts rows twice: with a transaction and without */
START_TEST(callback_may_do_anything)
{
	struct buf b = BUF_INIT;
	struct cyrusdb_txn *txn = NULL;
	begin(_i / 2);
	prepare();
	struct seen s = { .db = open_row(0), .txn = _i % 2 ? &txn : NULL };
	ck_assert_int_eq(put(s.db, "userx", "%x"), 0);
	ck_assert_int_eq(put(s.db, "use", "%x"), 0);
	ck_assert_int_eq(cyrusdb_foreach(s.db, "user.", 5, NULL, meddle, &s, s.txn), 0);
	bool ahead = strstr(buf_cstr(&s.keys), "user.cc");
	ck_assert_str_eq(buf_cstr(&s.keys), ahead ? "user.a user.b user.c user.cc user.d " : "user.a user.b user.c user.d ");
	ck_assert(ahead || (row->is & ROW_LISTS));       /* what lists its keys first need not see it */
	if (_i % 2) ck_assert_int_eq(cyrusdb_commit(s.db, txn), 0);
	struct buf want = BUF_INIT;
	buf_printf(&want, "use=%%x user.aa=%%behind %suserx=%%x ", ahead ? "" : "user.cc=%ahead ");
	ck_assert_str_eq(text_of(s.db, &b), buf_cstr(&want));
	ck_assert_int_eq(cyrusdb_consistent(s.db), 0);
	buf_free(&want);
	buf_free(&s.keys);
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
	int n = 0;
	begin(_i);
	prepare();
	struct cyrusdb *db = open_row(0);
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

/* goodp says no so often that the lock is let go in between */
START_TEST(many_refused)
{
	enum { MANY = 700 };
	char key[20];
	struct cyrusdb_txn *txn = NULL;
	begin(_i);
	struct cyrusdb *db = open_row(CYRUSDB_CREATE);
	for (int i = 0; i < MANY; i++) {
		snprintf(key, sizeof key, "user.k%04d", i);
		ck_assert_int_eq(cyrusdb_store(db, key, strlen(key), "%", 1, names_only() ? NULL : &txn), 0);
	}
	if (txn) ck_assert_int_eq(cyrusdb_commit(db, txn), 0);
	ck_assert_int_eq(cyrusdb_foreach(db, "", 0, refuse, NULL, NULL, NULL), 0);
	struct seen s = { .db = db, .no = "user.k0003" };
	ck_assert_int_eq(cyrusdb_foreach(db, "user.k000", 9, not_that, note, &s, NULL), 0);
	ck_assert_uint_eq(s.keys.len, 9 * 11);
	buf_free(&s.keys);
}
END_TEST

/* ---- keys and values of any kind */

static const struct { const char *k; size_t n; } odd_keys[] = {
	{ "\0", 1 }, { "\0\0", 2 }, { "a\0b", 3 }, { "a\0", 2 }, { "a\tb", 3 }, { "a\nb", 3 }, { "a\rb", 3 }, { "\xff", 1 }, { "\xff\xff", 2 },
	{ "\xff\x80", 2 }, { "a\x80", 2 }, { "\x01", 1 }, { "a b", 3 }, { "a", 1 }, { ".", 1 }, { "\xf0\x9f\x98\x80", 4 }, { "'", 1 }, { "a'b\"c", 5 },
	{ "%", 1 }, { "_", 1 }, { "a%_b", 4 }, { "\\", 1 }, { "\\000", 4 }, { "#", 1 }, { ";--", 3 }, { "\xc3", 1 }, { "\xed\xa0\x80", 3 }, { "_a", 2 },
};
enum { ODD = sizeof odd_keys / sizeof *odd_keys };

static size_t count_ascending(struct cyrusdb *db)
{
	struct buf last = BUF_INIT;
	const char *k, *v;
	size_t count = 0, kn, n;
	while (!cyrusdb_fetchnext(db, last.s, last.len, &k, &kn, &v, &n, NULL)) {
		if (last.len) ck_assert_msg(cyrusdb_compare(db, last.s, last.len, k, kn) < 0, "%s: %zu", row->engine, count);
		buf_set(&last, k, kn);
		count++;
	}
	buf_free(&last);
	return count;
}

static int counted(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	(void)key, (void)keylen, (void)val, (void)vallen;
	++*(size_t *)arg;
	return 0;
}

/* Under mailbox order TAB and LF are one and the same. */
static bool same_as_earlier(const struct cyrusdb *db, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (!cyrusdb_compare(db, odd_keys[i].k, odd_keys[i].n, odd_keys[j].k, odd_keys[j].n)) return true;
	return false;
}

START_TEST(odd_bytes)
{
	begin(_i);
	if (names_only()) return;                        /* its keys are file names */
	struct cyrusdb *db = open_row(CYRUSDB_CREATE);
	const char *v;
	size_t n, there = 0;
	for (int pass = 0; pass < 3; pass++) {
		for (size_t i = 0; i < ODD; i++) {
			if (same_as_earlier(db, i)) continue;
			if (!pass) there++;
			if (!pass) ck_assert_int_eq(cyrusdb_create(db, odd_keys[i].k, odd_keys[i].n, odd_keys[i].k, odd_keys[i].n, NULL), 0);
			ck_assert_msg(!cyrusdb_fetch(db, odd_keys[i].k, odd_keys[i].n, &v, &n, NULL), "%s %zu", row->engine, i);
			ck_assert_uint_eq(n, odd_keys[i].n);
			ck_assert_int_eq(memcmp(v, odd_keys[i].k, n), 0);
			ck_assert_int_eq(cyrusdb_create(db, odd_keys[i].k, odd_keys[i].n, "", 0, NULL), CYRUSDB_EXISTS);
		}
		ck_assert_int_eq(cyrusdb_consistent(db), 0);
		ck_assert_int_eq(cyrusdb_repack(db), 0);
		cyrusdb_close(db);
		db = open_row(0);
	}
	ck_assert_uint_eq(count_ascending(db), there);
	n = 0;                                           /* a prefix is no pattern */
	ck_assert_int_eq(cyrusdb_foreach(db, "_", 1, NULL, counted, &n, NULL), 0);
	ck_assert_uint_eq(n, 2);
	n = 0;
	ck_assert_int_eq(cyrusdb_foreach(db, "\0", 1, NULL, counted, &n, NULL), 0);
	ck_assert_uint_eq(n, 2);
	for (size_t i = 0; i < ODD; i++)
		if (!same_as_earlier(db, i)) ck_assert_int_eq(cyrusdb_delete(db, odd_keys[i].k, odd_keys[i].n, NULL, false), 0);
	ck_assert_uint_eq(count_ascending(db), 0);
}
END_TEST

/* Every byte as a key, and behind a letter; in the order the engine says it has. */
START_TEST(every_byte)
{
	struct cyrusdb_txn *txn = NULL;
	size_t n = 0, there = 0;
	begin(_i);
	if (names_only()) return;
	struct cyrusdb *db = open_row(CYRUSDB_CREATE);
	for (int c = 0; c < 256; c++) {
		if (c == '\n' && cyrusdb_compare(db, "\n", 1, "\t", 1) == 0) continue;
		char key[2] = { 'k', (char)c };
		ck_assert_int_eq(cyrusdb_create(db, key + 1, 1, key, 2, &txn), 0);
		ck_assert_int_eq(cyrusdb_create(db, key, 2, key, 2, &txn), 0);
		there += 2;
	}
	ck_assert_int_eq(cyrusdb_commit(db, txn), 0);
	ck_assert_uint_eq(count_ascending(db), there);
	ck_assert_int_eq(cyrusdb_foreach(db, "k", 1, NULL, counted, &n, NULL), 0);
	ck_assert_uint_eq(n, there / 2 + 1);
	ck_assert_int_eq(cyrusdb_consistent(db), 0);
	/* spec 2.1 and 2.2: 0x80 is behind 'z' as an unsigned byte, before NUL as a signed one */
	bool is_signed = !row->sort && !strcmp(row->engine, "skiplist");
	ck_assert_int_eq(cyrusdb_compare(db, "\x80", 1, "z", 1) < 0, is_signed);
	ck_assert_int_eq(cyrusdb_compare(db, "a", 1, "ab", 2) < 0, true);
}
END_TEST

static const size_t sizes[] = { 0, 1, 7, 8, 1023, 1024, 65534, 65535, 65536, 70000, 300000 };

START_TEST(long_keys_and_values)
{
	begin(_i);
	struct cyrusdb *db = open_row(CYRUSDB_CREATE);
	char *big = mem_zalloc(400000);
	const char *v;
	size_t n;
	memset(big, 'x', 400000);
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
			size_t kl = sizes[i] ? sizes[i] : 3;
			if (names_only() && kl > 200) break;     /* a file name; and a root is a line or two */
			if (!pass) ck_assert_int_eq(cyrusdb_store(db, big, kl, big, sizes[i], NULL), 0);
			ck_assert_int_eq(cyrusdb_fetch(db, big, kl, &v, &n, NULL), 0);
			ck_assert_ptr_nonnull(v);
			ck_assert_uint_eq(n, sizes[i]);
			ck_assert_int_eq(memcmp(v, big, n), 0);
		}
		ck_assert_int_eq(cyrusdb_consistent(db), 0);
		ck_assert_int_eq(cyrusdb_repack(db), 0);
	}
	free(big);
}
END_TEST

/* What a name cannot be is refused, and nothing is made for it. */
START_TEST(keys_that_are_no_file_names)
{
	static const struct { const char *k; size_t n; } bad[] = { { "../x", 4 }, { "a/b", 3 }, { ".", 1 }, { ".x", 2 }, { "a\0b", 3 } };
	struct buf b = BUF_INIT;
	begin(_i);
	if (!names_only()) return;
	struct cyrusdb *db = open_row(CYRUSDB_CREATE);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		ck_assert_int_eq(cyrusdb_store(db, bad[i].k, bad[i].n, "1 2", 3, NULL), CYRUSDB_INTERNAL);
		ck_assert_int_eq(cyrusdb_fetch(db, bad[i].k, bad[i].n, NULL, NULL, NULL), CYRUSDB_NOTFOUND);
	}
	ck_assert_str_eq(text_of(db, &b), "");
	buf_free(&b);
}
END_TEST

START_TEST(mailbox_order)
{
	static const char *const names[] = { "user.freda", "user.fred-x", "user.fred", "user.fred x", "user.fred.a" };
	begin(_i);
	struct buf b = BUF_INIT;
	struct cyrusdb *db = open_row(CYRUSDB_CREATE);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) ck_assert_int_eq(put(db, names[i], "%"), 0);
	bool mbox = row->sort || !strcmp(row->engine, "flat");
	ck_assert_str_eq(text_of(db, &b), mbox ? "user.fred=% user.fred.a=% user.fred x=% user.fred-x=% user.freda=% "
		: "user.fred=% user.fred x=% user.fred-x=% user.fred.a=% user.freda=% ");
	ck_assert_int_eq(cyrusdb_consistent(db), 0);
	ck_assert_int_eq(cyrusdb_check_order(db, SIZE_MAX), 0);
	ck_assert_int_eq(cyrusdb_repack(db), 0);
	buf_free(&b);
}
END_TEST

/* A file sorted the other way is noticed, not searched in vain; a reader that only looks takes it as it is. */
START_TEST(the_other_order)
{
	begin(_i);
	if (!(row->is & ROW_ORDER)) return;
	struct buf b = BUF_INIT;
	struct cyrusdb *db = open_row(CYRUSDB_CREATE);
	ck_assert_int_eq(put(db, "user.fred.a", "%"), 0);
	ck_assert_int_eq(cyrusdb_check_order(db, SIZE_MAX), 0);
	ck_assert_int_eq(put(db, "user.fred-x", "%"), 0);
	ck_assert_int_eq(put(db, "user.fred", "%"), 0);
	cyrusdb_close(db);
	char *want;
	db = open_row(0);
	want = mem_strdup(text_of(db, &b));
	cyrusdb_close(db);
	db = open_as(row->engine, db_path(row->engine), base_flags ^ CYRUSDB_MBOXSORT);
	ck_assert_int_eq(cyrusdb_check_order(db, 2), 0);         /* the first two are in either order */
	expect_log();
	ck_assert_int_eq(cyrusdb_check_order(db, 3), CYRUSDB_IOERROR);
	ck_assert(log_said(db_path(row->engine)) && log_said("improved_mboxlist_sort") && log_said("ctl_mboxlist -u"));
	cyrusdb_close(db);
	db = open_as(row->engine, db_path(row->engine), (base_flags ^ CYRUSDB_MBOXSORT) | CYRUSDB_RDONLY);
	ck_assert_int_eq(cyrusdb_check_order(db, SIZE_MAX), 0);
	ck_assert_str_eq(text_of(db, &b), want);
	cyrusdb_close(db);
	free(want);
	buf_free(&b);
}
END_TEST

/* ---- cyrusdb_transact() */

struct trying { int tries, again, say; bool fail; struct cyrusdb *db; int inner; };

static int try_it(void *arg, struct cyrusdb *d, struct cyrusdb_txn **txn)
{
	struct trying *t = arg;
	const char *v;
	size_t n;
	t->tries++;
	if (cyrusdb_fetch(d, "user.n", 6, &v, &n, txn)) return CYRUSDB_INTERNAL;
	char *next = mem_printf("%%%d", atoi(v + 1) + 1);
	int r = cyrusdb_store(d, "user.n", 6, next, strlen(next), txn);
	free(next);
	t->inner = cyrusdb_transact(d, try_it, t);
	if (t->fail) {
		ck_assert_int_eq(cyrusdb_create(d, "user.n", 6, "%", 1, txn), CYRUSDB_EXISTS);
		ck_assert_int_eq(cyrusdb_store(d, "user.m", 6, "%", 1, txn), CYRUSDB_EXISTS);        /* nothing more is done by half */
		ck_assert_int_eq(cyrusdb_fetch(d, "user.n", 6, NULL, NULL, NULL), CYRUSDB_EXISTS);
	}
	return r ? r : t->tries <= t->again ? CYRUSDB_AGAIN : t->say;
}

static int nothing(void *arg, struct cyrusdb *d, struct cyrusdb_txn **txn)
{
	(void)d, (void)txn;
	return *(int *)arg;
}

static int number(struct cyrusdb *d)
{
	const char *v;
	size_t n;
	ck_assert_int_eq(cyrusdb_fetch(d, "user.n", 6, &v, &n, NULL), 0);
	return atoi(v + 1);
}

START_TEST(whole_transactions)
{
	begin(_i);
	struct cyrusdb *d = open_row(CYRUSDB_CREATE);
	static const struct { struct trying how; int r, adds, tries; } rows[] = {
		{ { .say = 0 }, 0, 1, 1 },
		{ { .say = CYRUSDB_DONE }, CYRUSDB_DONE, 0, 1 },
		{ { .say = CYRUSDB_IOERROR }, CYRUSDB_IOERROR, 0, 1 },
		{ { .again = 3 }, 0, 1, 4 },
		{ { .again = 3, .say = CYRUSDB_DONE }, CYRUSDB_DONE, 0, 4 },
		{ { .fail = true }, CYRUSDB_EXISTS, 0, 1 },
		{ { .fail = true, .say = CYRUSDB_DONE }, CYRUSDB_EXISTS, 0, 1 },
	};
	int want = 0;
	ck_assert_int_eq(put(d, "user.n", "%0"), 0);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct trying t = rows[i].how;
		int r = cyrusdb_transact(d, try_it, &t);
		want += rows[i].adds;
		ck_assert_msg(r == rows[i].r && t.tries == rows[i].tries && number(d) == want, "%s: row %zu: %d after %d tries: %d", row->engine, i, r,
			t.tries, number(d));
		ck_assert_int_eq(t.inner, CYRUSDB_LOCKED);
		ck_assert_int_eq(cyrusdb_fetch(d, "user.m", 6, NULL, NULL, NULL), CYRUSDB_NOTFOUND);
	}
	for (int said = CYRUSDB_BADFORMAT; said <= CYRUSDB_DONE; said++) ck_assert_int_eq(cyrusdb_transact(d, nothing, &said), said);   /* AGAIN ends, too */
	struct cyrusdb_txn *txn = NULL;
	int zero = 0;
	ck_assert_int_eq(cyrusdb_store(d, "user.n", 6, "%7", 2, &txn), 0);
	ck_assert_int_eq(cyrusdb_transact(d, nothing, &zero), CYRUSDB_LOCKED);
	ck_assert_int_eq(cyrusdb_commit(d, txn), 0);
	ck_assert_int_eq(number(d), 7);
}
END_TEST

/* ---- processes */

/* Two processes count up in one record, repacking now and then; no increment may get lost. */
START_TEST(two_processes)
{
	enum { TIMES = 60, CHILDREN = 2 };
	begin(_i);
	struct cyrusdb *db = open_row(CYRUSDB_CREATE);
	ck_assert_int_eq(put(db, "user.n", "%0"), 0);
	cyrusdb_close(db);
	cyrusdb_env_free(env);                           /* nothing of a library's is handed on to children */
	env = new_env();
	fflush(NULL);
	for (int c = 0; c < CHILDREN; c++) {
		if (fork()) continue;
		if (cyrusdb_open(env, row->engine, db_path(row->engine), base_flags, &db)) _exit(4);
		for (int i = 0; i < TIMES; i++) {
			struct cyrusdb_txn *txn = NULL;
			const char *v;
			size_t n;
			char text[300];
			int r = cyrusdb_fetch(db, "user.n", 6, &v, &n, &txn);
			if (!r) {
				snprintf(text, sizeof text, "%%%d%*s", atoi(v + 1) + 1, i * 3, "");
				r = cyrusdb_store(db, "user.n", 6, text, strlen(text), &txn);
			}
			if (!r) r = cyrusdb_commit(db, txn);
			if (r == CYRUSDB_AGAIN) i--;     /* a deadlock: all of it again */
			else if (r) _exit(1);
			if (i % 10 == c && cyrusdb_repack(db)) _exit(3);
		}
		cyrusdb_env_free(env);
		_exit(0);
	}
	for (int c = 0; c < CHILDREN; c++) {
		int status;
		ck_assert_int_gt(wait(&status), 0);
		ck_assert_msg(WIFEXITED(status) && !WEXITSTATUS(status), "%s: %x", row->engine, (unsigned)status);
	}
	const char *v;
	size_t n;
	db = open_row(0);
	ck_assert_int_eq(cyrusdb_fetch(db, "user.n", 6, &v, &n, NULL), 0);
	ck_assert_int_eq(atoi(v + 1), TIMES * CHILDREN);
	ck_assert_int_eq(cyrusdb_consistent(db), 0);
}
END_TEST

/* One waits for the lock while the other puts a new file in the place of the old one (test point 7). */
START_TEST(waiting_while_another_repacks)
{
	begin(_i);
	if (!(row->is & ROW_REPACKS)) return;
	prepare();
	int ready[2], go[2];
	char c;
	ck_assert_int_eq(pipe(ready) | pipe(go), 0);
	struct cyrusdb *mine = open_row(0);              /* before the other has the lock */
	fflush(NULL);
	pid_t pid = fork();
	if (!pid) {
		struct cyrusdb *db = NULL;
		struct cyrusdb_txn *txn = NULL;
		if (cyrusdb_open(new_env(), row->engine, db_path(row->engine), base_flags, &db)) _exit(1);
		if (cyrusdb_store(db, "user.a", 6, "%mine", 5, &txn)) _exit(2);
		if (write(ready[1], "x", 1) != 1 || read(go[0], &c, 1) != 1) _exit(3);
		usleep(20000);                           /* the parent is at the lock by now, or will find the new file anyway */
		if (cyrusdb_commit(db, txn) || cyrusdb_repack(db)) _exit(4);
		_exit(0);
	}
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
	ck_assert_int_eq(write(go[1], "x", 1), 1);
	ck_assert_int_eq(put(mine, "user.b", "%ours"), 0);
	int status;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && !WEXITSTATUS(status), "%x", (unsigned)status);
	cyrusdb_close(mine);
	seen_by_others("user.a=%mine user.b=%ours user.c=%3 user.d=%4 ");
	for (int i = 0; i < 2; i++) close(ready[i]), close(go[i]);
}
END_TEST

/* ---- text form, copies, conversion */

START_TEST(text_form)
{
	struct buf b = BUF_INIT;
	begin(_i);
	struct cyrusdb *db = open_row(CYRUSDB_CREATE);
	char in[] = "# comment\n\nb\t%two\ttabs\na\t%one\nc\t%three\nc\ne\t\n";
	FILE *f = fmemopen(in, sizeof in - 1, "r");
	ck_assert_int_eq(cyrusdb_undumpfile(db, f, NULL), 0);
	fclose(f);
	ck_assert_str_eq(text_of(db, &b), "a=%one b=%two\ttabs e= ");
	char *out = NULL;
	size_t n = 0;
	f = open_memstream(&out, &n);
	ck_assert_int_eq(cyrusdb_dumpfile(db, "", 0, f, NULL), 0);
	fclose(f);
	ck_assert_str_eq(out, "a\t%one\nb\t%two\ttabs\ne\t\n");
	free(out);
	f = open_memstream(&out, &n);
	ck_assert_int_eq(cyrusdb_dumpfile(db, "b", 1, f, NULL), 0);
	fclose(f);
	ck_assert_str_eq(out, "b\t%two\ttabs\n");
	free(out);
	char bad[] = "x\t1\n\tnokey\n";
	f = fmemopen(bad, sizeof bad - 1, "r");
	ck_assert_int_ne(cyrusdb_undumpfile(db, f, NULL), 0);
	fclose(f);
	ck_assert_str_eq(text_of(db, &b), "a=%one b=%two\ttabs e= ");
	buf_free(&b);
}
END_TEST

/* From every engine to every other and back, in place; what was written comes out, in the order that was asked for. */
START_TEST(conversion)
{
	struct buf b = BUF_INIT;
	const struct dbrow *from = &dbrows[_i / DBROWS], *to = &dbrows[_i % DBROWS];
	if (!strcmp(from->engine, to->engine) || from->sort != to->sort) return;
	/* a tree has no one file that could be put in the place of another */
	if ((from->is & ROW_NAMES) || on_server(from)) return;
	begin(_i / DBROWS);
	const char *path = path_of("quotas.db");
	struct cyrusdb *db = open_as(from->engine, path, base_flags | CYRUSDB_CREATE);
	ck_assert_int_eq(put(db, "user.fred-x", "%3"), 0);
	ck_assert_int_eq(put(db, "user.fred", "%1"), 0);
	ck_assert_int_eq(put(db, "user.fred.a", "%2"), 0);
	cyrusdb_close(db);
	int r = cyrusdb_convert_sorted(env, path, path, from->engine, to->engine, to->sort ? CYRUSDB_MBOXSORT : 0);
	ck_assert_msg(!r, "%s to %s: %d", from->engine, to->engine, r);
	ck_assert_int_ne(access(path_of("quotas.db.NEW"), F_OK), 0);
	begin(_i % DBROWS);
	path = path_of("quotas.db");
	db = open_as(to->engine, path, base_flags);
	ck_assert_str_eq(cyrusdb_engine(db), to->engine);
	bool mbox = to->sort || !strcmp(to->engine, "flat");
	ck_assert_str_eq(text_of(db, &b), mbox ? "user.fred=%1 user.fred.a=%2 user.fred-x=%3 " : "user.fred=%1 user.fred-x=%3 user.fred.a=%2 ");
	ck_assert_int_eq(cyrusdb_consistent(db), 0);
	ck_assert_int_eq(cyrusdb_check_order(db, SIZE_MAX), 0);
	ck_assert_int_eq(put(db, "user.g", "%4"), 0);
	cyrusdb_close(db);
	buf_free(&b);
}
END_TEST

/* An engine that knows its files opens nobody else's; detection finds who can (test point 8). */
START_TEST(detected)
{
	struct buf b = BUF_INIT;
	const struct dbrow *asked = &dbrows[_i % DBROWS];
	begin(_i / DBROWS);
	if (!has_magic(row) || on_server(asked) || row->sort || asked->sort || (asked->is & ROW_NAMES) || !strcmp(asked->engine, row->engine)) return;
	if (!strncmp(asked->engine, row->engine, strcspn(row->engine, "-")) && strstr(asked->engine, "nosync")) return;
	prepare();
	const char *path = db_path(row->engine);
	ck_assert_str_eq(cyrusdb_detect(path), row->engine);
	struct cyrusdb *db = open_as(asked->engine, path, CYRUSDB_CREATE);
	ck_assert_str_eq(cyrusdb_engine(db), row->engine);
	ck_assert_str_eq(text_of(db, &b), all_text);
	cyrusdb_close(db);
	db = open_as(asked->engine, db_path(row->engine), CYRUSDB_CONVERT);
	ck_assert_str_eq(cyrusdb_engine(db), asked->engine);
	ck_assert_str_eq(text_of(db, &b), all_text);
	buf_free(&b);
}
END_TEST

/* The order a file is in is carried over when nobody says otherwise; a table in the other order than asked for is sorted anew. */
START_TEST(conversion_keeps_the_order)
{
	struct buf b = BUF_INIT;
	begin(_i);
	if (!(row->is & ROW_ORDER) || !row->sort) return;
	const char *to = strcmp(row->engine, "twoskip") ? "twoskip" : "skiplist";
	struct cyrusdb *db = open_row(CYRUSDB_CREATE);
	ck_assert_int_eq(put(db, "user.fred-x", "%3"), 0);
	ck_assert_int_eq(put(db, "user.fred", "%1"), 0);
	ck_assert_int_eq(put(db, "user.fred.a", "%2"), 0);
	cyrusdb_close(db);
	char *path = mem_strdup(db_path(row->engine));
	ck_assert_int_eq(cyrusdb_convert(env, path, path, row->engine, to), 0);
	db = open_as(to, path, CYRUSDB_MBOXSORT);
	ck_assert_int_eq(cyrusdb_check_order(db, SIZE_MAX), 0);
	ck_assert_int_eq(cyrusdb_consistent(db), 0);
	ck_assert_str_eq(text_of(db, &b), "user.fred=%1 user.fred.a=%2 user.fred-x=%3 ");
	cyrusdb_close(db);
	ck_assert_int_eq(cyrusdb_convert_sorted(env, path, path, to, row->engine, 0), 0);
	db = open_as(row->engine, path, 0);
	ck_assert_int_eq(cyrusdb_check_order(db, SIZE_MAX), 0);
	ck_assert_str_eq(text_of(db, &b), "user.fred=%1 user.fred-x=%3 user.fred.a=%2 ");
	cyrusdb_close(db);
	free(path);
	buf_free(&b);
}
END_TEST

START_TEST(copies_for_the_backup)
{
	struct buf b = BUF_INIT;
	begin(_i);
	prepare();
	const char *path = db_path(row->engine), *to = path_of("backup");
	ck_assert_int_eq(mkdir(to, 0700), 0);
	ck_assert_int_eq(cyrusdb_archive(env, row->engine, (const char *const[]){ path, path_of("missing.db"), NULL }, to), 0);
	ck_assert_int_eq(cyrusdb_sync(env), 0);
	if (names_only() || on_server(row)) return;      /* the tree is not copied (spec 10) */
	struct cyrusdb *db = open_as(row->engine, path_of("backup/x.db"), base_flags | CYRUSDB_RDONLY);
	ck_assert_str_eq(text_of(db, &b), all_text);
	buf_free(&b);
}
END_TEST

START_TEST(result_codes)
{
	static const struct { int rc; const char *text; } codes[] = {
		{ 0, "not an error" }, { 1, "done" }, { -1, "IO error" }, { -2, "again" }, { -3, "item exists" }, { -4, "internal error" },
		{ -5, "item not found" }, { -6, "locked" }, { -7, "action not implemented" }, { -8, "no space available" },
		{ -9, "database is readonly" }, { -10, "not a cyrusdb error" }, { 2, "not a cyrusdb error" },
	};
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) ck_assert_str_eq(cyrusdb_strerror(codes[i].rc), codes[i].text);
	for (size_t i = 0; i < DBROWS; i++) ck_assert_msg(cyrusdb_engine_known(dbrows[i].engine), "%s", dbrows[i].engine);
	size_t n = 0;                                    /* no engine without a row */
	for (const char *const *e = cyrusdb_engines(); *e; e++) {
		size_t i = 0;
		while (i < DBROWS && strcmp(dbrows[i].engine, *e)) i++;
		ck_assert_msg(i < DBROWS, "%s is not tested", *e);
		n++;
	}
	ck_assert_uint_ge(n, 4);
}
END_TEST

/* Engines this build or this server has not: known by name or by their files, and the log says what to do. */
START_TEST(engines_that_are_not_here)
{
	struct cyrusdb *db = NULL;
	static const char *const names[] = { "twom", "zeroskip" };
	for (int i = 0; i < 2; i++) {
		ck_assert(!cyrusdb_engine_known(names[i]));
		expect_log();
		ck_assert_int_eq(cyrusdb_open(env, names[i], path_of("none.db"), CYRUSDB_CREATE, &db), CYRUSDB_INTERNAL);
		ck_assert_msg(log_said("none.db") && log_said("cvt_cyrusdb"), "%s", names[i]);
		ck_assert_int_ne(access(path_of("none.db"), F_OK), 0);
	}
	newfile_write(path_of("m.db"), 0600, "\241\002\213\015twomfile\0\0\0\0and more", 24);
	ck_assert_int_eq(mkdir(path_of("z.db"), 0700), 0);
	static const char *const files[] = { "m.db", "z.db" };
	for (int i = 0; i < 2; i++) {
		ck_assert_str_eq(cyrusdb_detect(path_of(files[i])), names[i]);
		for (size_t e = 0; e < DBROWS; e++) {
			if ((dbrows[e].is & ROW_NAMES) || on_server(&dbrows[e])) continue;
			expect_log();
			ck_assert_msg(cyrusdb_open(env, dbrows[e].engine, path_of(files[i]), CYRUSDB_CREATE | CYRUSDB_CONVERT, &db), "%s", dbrows[e].engine);
			ck_assert_msg(log_said(files[i]) && log_said(names[i]) && log_said("cvt_cyrusdb"), "%s %s", dbrows[e].engine, files[i]);
		}
	}
	struct buf b = BUF_INIT;
	slurp(path_of("m.db"), &b);
	ck_assert_uint_eq(b.len, 24);
	buf_free(&b);
}
END_TEST

/* The same for what this build was made without. */
START_TEST(engines_that_were_not_built)
{
	static const struct { const char *name, *file; } all[] = {
		{ "berkeley", "b.berkeley" }, { "berkeley-hash", "b.berkeley-hash" }, { "berkeley-nosync", "b.berkeley" },
		{ "berkeley-hash-nosync", "b.berkeley-hash" }, { "sql", "sql.sqlite" },
	};
	struct cyrusdb *db = NULL;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		if (cyrusdb_engine_known(all[i].name)) continue;
		expect_log();
		const char *path = copy_golden(all[i].file, all[i].name);
		ck_assert_int_eq(cyrusdb_open(env, all[i].name, path, CYRUSDB_CREATE, &db), CYRUSDB_INTERNAL);
		ck_assert(log_said(path) && log_said("build with") && log_said("cvt_cyrusdb"));
		expect_log();
		ck_assert_int_eq(cyrusdb_open(env, "twoskip", path, CYRUSDB_CONVERT, &db), CYRUSDB_IOERROR);
		ck_assert(log_said(path) && log_said("build with") && log_said("cvt_cyrusdb"));
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("dbcontract");
	TCase *t = tcase_create("dbcontract");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, open_flags, 0, DBROWS);
	tcase_add_loop_test(t, shared_transactions, 0, DBROWS);
	tcase_add_loop_test(t, single_records, 0, DBROWS);
	tcase_add_loop_test(t, next_record, 0, DBROWS);
	tcase_add_loop_test(t, transactions, 0, DBROWS);
	tcase_add_loop_test(t, commit_and_abort, 0, DBROWS);
	tcase_add_loop_test(t, prefixes, 0, DBROWS);
	tcase_add_loop_test(t, callback_may_do_anything, 0, 2 * DBROWS);
	tcase_add_loop_test(t, iteration_stops, 0, DBROWS);
	tcase_add_loop_test(t, many_refused, 0, DBROWS);
	tcase_add_loop_test(t, odd_bytes, 0, DBROWS);
	tcase_add_loop_test(t, every_byte, 0, DBROWS);
	tcase_add_loop_test(t, long_keys_and_values, 0, DBROWS);
	tcase_add_loop_test(t, keys_that_are_no_file_names, 0, DBROWS);
	tcase_add_loop_test(t, mailbox_order, 0, DBROWS);
	tcase_add_loop_test(t, the_other_order, 0, DBROWS);
	tcase_add_loop_test(t, two_processes, 0, DBROWS);
	tcase_add_loop_test(t, waiting_while_another_repacks, 0, DBROWS);
	tcase_add_loop_test(t, whole_transactions, 0, DBROWS);
	tcase_add_loop_test(t, text_form, 0, DBROWS);
	tcase_add_loop_test(t, conversion, 0, DBROWS * DBROWS);
	tcase_add_loop_test(t, detected, 0, DBROWS * DBROWS);
	tcase_add_loop_test(t, conversion_keeps_the_order, 0, DBROWS);
	tcase_add_loop_test(t, copies_for_the_backup, 0, DBROWS);
	tcase_add_test(t, result_codes);
	tcase_add_test(t, engines_that_are_not_here);
	tcase_add_test(t, engines_that_were_not_built);
	suite_add_tcase(s, t);
	return run_suite(s);
}
