/* check_dbbad.c - what an engine meets that is not its own doing: files that are empty, cut, damaged, foreign or not ours to
 * read; a lock that is never let go; another release's Berkeley DB; a full disk in the middle. The log names the file and what to
 * run. */
#include "base/num.h"
#include "cunit/db/dbrows.h"
#include "cunit/db/dbtest.h"

#include <errno.h>
#include <signal.h>
#ifdef HAVE_BDB
#include <db.h>
#endif

static int sort_of(const struct dbrow *row) { return row->sort ? CYRUSDB_MBOXSORT : 0; }

static void fill(const struct dbrow *row, int records)
{
	struct cyrusdb *db = open_as(row->engine, db_path(row->engine), CYRUSDB_CREATE | sort_of(row));
	for (int i = 0; i < records; i++) {
		char key[20], val[40];
		snprintf(key, sizeof key, "user.k%02d", i);
		snprintf(val, sizeof val, "%%value of %d", i);
		ck_assert_int_eq(put(db, key, val), 0);
	}
	ck_assert_int_eq(cyrusdb_delete(db, "user.k01", 8, NULL, true), 0);
	cyrusdb_close(db);
}

/* The file a record's damage would be in. */
static const char *file_of(const struct dbrow *row)
{
	return row->is & ROW_NAMES ? path_of("quota/k/user.k02") : db_path(row->engine);
}

/* Everything that can be done, whatever comes of it; in a process of its own, because Berkeley's library may end it. True: no
 * crash. */
static void survive(const struct dbrow *row, const char *what, size_t at)
{
	fflush(NULL);
	pid_t pid = fork();
	if (!pid) {
		const char *v;
		size_t n;
		struct buf b = BUF_INIT;
		struct cyrusdb *db = NULL;
		signal(SIGALRM, SIG_DFL);                /* not Check's */
		alarm(30);
		env = new_env();
		env->lock_ms = 100;
		if (!cyrusdb_open(env, row->engine, db_path(row->engine), sort_of(row), &db)) {
			cyrusdb_fetch(db, "user.k02", 8, &v, &n, NULL);
			cyrusdb_foreach(db, "", 0, NULL, add_text, &b, NULL);
			cyrusdb_consistent(db);
			put(db, "user.k02", "%new");
			put(db, "user.k44", "%new");
			cyrusdb_delete(db, "user.k03", 8, NULL, true);
			cyrusdb_repack(db);
			cyrusdb_close(db);
		}
		buf_free(&b);
		cyrusdb_env_free(env);
		_exit(0);
	}
	int status;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && !WEXITSTATUS(status), "%s %s %zu: %x", row->engine, what, at, (unsigned)status);
}

START_TEST(cut_anywhere)
{
	const struct dbrow *row = &dbrows[_i];
	struct buf file = BUF_INIT;
	fill(row, 6);
	slurp(file_of(row), &file);
	size_t step = file.len > 4096 ? 509 : 7;         /* the libraries' pages are cut at every other half */
	for (size_t n = 0; n < file.len; n += step) {
		ck_assert_int_eq(newfile_write(file_of(row), 0600, file.s, n), 0);
		survive(row, "cut", n);
	}
	buf_free(&file);
}
END_TEST

START_TEST(bits_flipped)
{
	const struct dbrow *row = &dbrows[_i];
	struct buf file = BUF_INIT;
	fill(row, 6);
	slurp(file_of(row), &file);
	size_t step = file.len > 4096 ? 61 : file.len > 600 ? 11 : 3;
	for (size_t n = 0; n < file.len; n += n < 100 ? 3 : step) {
		file.s[n] = (char)(file.s[n] ^ 1 << n % 8);
		ck_assert_int_eq(newfile_write(file_of(row), 0600, file.s, file.len), 0);
		survive(row, "flipped", n);
		file.s[n] = (char)(file.s[n] ^ 1 << n % 8);
	}
	buf_free(&file);
}
END_TEST

/* A file of nothing is an empty table, or refused; either way what is written afterwards is there. */
START_TEST(empty_file)
{
	const struct dbrow *row = &dbrows[_i];
	struct cyrusdb *db = NULL;
	struct buf b = BUF_INIT;
	if (row->is & ROW_NAMES) fill(row, 3);
	ck_assert_int_eq(newfile_write(file_of(row), 0600, "", 0), 0);
	int r = cyrusdb_open(env, row->engine, db_path(row->engine), CYRUSDB_CREATE | sort_of(row), &db);
	ck_assert_msg(!r, "%s: %d", row->engine, r);
	ck_assert_str_eq(text_of(db, &b), row->is & ROW_NAMES ? "user.k00=%value of 0 " : "");
	ck_assert_int_eq(put(db, "user.k02", "%2"), 0);
	ck_assert_ptr_nonnull(strstr(text_of(db, &b), "user.k02=%2 "));
	buf_free(&b);
}
END_TEST

static const struct { const char *what, *bytes; size_t n; } foreign[] = {
	{ "text", "user.fred\t\nuser.joe\t\n", 21 },
	{ "zeros", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 41 },
	{ "gzip", "\x1f\x8b\x08\0\0\0\0\0\0\3", 10 }, { "short magic", "\241\002\213\015skip", 8 },
	{ "ELF", "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\3\0", 18 },
};
enum { FOREIGN = sizeof foreign / sizeof *foreign };

/* Somebody else's file: refused with its name in the log, and left as it is. */
START_TEST(foreign_files)
{
	const struct dbrow *row = &dbrows[_i / FOREIGN];
	struct buf b = BUF_INIT;
	struct cyrusdb *db = NULL;
	int what = _i % FOREIGN;
	/* flat takes text, which says nothing about whose it is; a beginning of its own file is a file that was being made */
	if (row->is & ROW_NAMES || (!strcmp(row->engine, "flat") && what != 1) || (what == 3 && !strcmp(row->engine, "skiplist")))
		return;
	if (what == 1 && (!strcmp(row->engine, "flat") || !strcmp(row->engine, "twoskip"))) return;
	if (getenv("DBTEST_PGSQL") && (row->is & ROW_SQL)) return;
	newfile_write(file_of(row), 0600, foreign[what].bytes, foreign[what].n);
	expect_log();
	int r = cyrusdb_open(env, row->engine, db_path(row->engine), CYRUSDB_CREATE | sort_of(row), &db);
	if (what == 3 && !strcmp(row->engine, "twoskip") && !r) return;
	ck_assert_msg(r == CYRUSDB_IOERROR, "%s %s: %d", row->engine, foreign[what].what, r);
	ck_assert(log_said(db_path(row->engine)));
	slurp(file_of(row), &b);
	ck_assert_uint_eq(b.len, foreign[what].n);
	ck_assert_int_eq(memcmp(b.s, foreign[what].bytes, b.len), 0);
	/* the other tables go on */
	db = open_as(row->engine, path_of("other.db"), CYRUSDB_CREATE);
	ck_assert_int_eq(put(db, "user.a", "%1"), 0);
	buf_free(&b);
}
END_TEST

START_TEST(not_ours_to_read)
{
	const struct dbrow *row = &dbrows[_i];
	struct cyrusdb *db = NULL;
	if (getenv("DBTEST_PGSQL") && (row->is & ROW_SQL)) return;
	fill(row, 3);
	ck_assert_int_eq(chmod(file_of(row), 0), 0);
	ck_assert_int_eq(chmod(dir, 0755), 0);
	fflush(NULL);
	pid_t pid = fork();
	if (!pid) {
		if (geteuid() == 0 && setreuid(65534, 65534) < 0) _exit(1);
		env = new_env();
		expect_log();
		int r = cyrusdb_open(env, row->engine, db_path(row->engine), CYRUSDB_CREATE | sort_of(row), &db);
		if (!r) r = cyrusdb_fetch(db, "user.k02", 8, NULL, NULL, NULL);
		if (r != CYRUSDB_IOERROR) fprintf(stderr, "%s: %d\n", row->engine, r);
		_exit(r != CYRUSDB_IOERROR ? 2 : !log_said(file_of(row)) ? 3 : !log_said("ermission denied") ? 4 : !log_said("uid 65534")
			&& geteuid() == 65534 ? 5 : 0);
	}
	int status;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && !WEXITSTATUS(status), "%s: %x", row->engine, (unsigned)status);
}
END_TEST

/* A process that sits on the lock: after the deadline the operation fails, the log says who it is, and the rest goes on. */
START_TEST(stuck_process)
{
	const struct dbrow *row = &dbrows[_i];
	int ready[2];
	char c, who[40];
	fill(row, 3);
	cyrusdb_env_free(env);
	ck_assert_int_eq(pipe(ready), 0);
	fflush(NULL);
	pid_t pid = fork();
	if (!pid) {
		struct cyrusdb *db = NULL;
		struct cyrusdb_txn *txn = NULL;
		env = new_env();
		if (cyrusdb_open(env, row->engine, db_path(row->engine), sort_of(row), &db)) _exit(1);
		if (cyrusdb_store(db, "user.k02", 8, "%mine", 5, &txn)) _exit(2);
		if (write(ready[1], "x", 1) != 1) _exit(3);
		for (;;) pause();
	}
	env = new_env();
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
	env->lock_ms = 30;
	struct cyrusdb *db = NULL;
	struct cyrusdb_txn *txn = NULL;
	expect_log();
	int r = cyrusdb_open(env, row->engine, db_path(row->engine), sort_of(row), &db);
	if (!r) r = cyrusdb_store(db, "user.k02", 8, "%ours", 5, &txn);
	ck_assert_msg(r == CYRUSDB_IOERROR, "%s: %d", row->engine, r);
	ck_assert_ptr_null(txn);
	snprintf(who, sizeof who, "held by pid %ld", (long)pid);
	if (getenv("DBTEST_PGSQL") && (row->is & ROW_SQL)) snprintf(who, sizeof who, "held by the server's process");
	ck_assert_msg(log_said(who) && log_said(row->is & ROW_NAMES ? "user.k02" : db_path(row->engine)), "%s: %s", row->engine,
		buf_cstr(&logged));
	struct cyrusdb *other = open_as(strncmp(row->engine, "berkeley", 8) ? row->engine : "twoskip", path_of("o/other.db"),
		CYRUSDB_CREATE);
	ck_assert_int_eq(put(other, "user.a", "%1"), 0);
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	/* once it is gone all is well; Berkeley's locks outlive their process, until ctl_cyrusdb -r */
	if (!strncmp(row->engine, "berkeley", 8)) {
		cyrusdb_env_free(env);
		char sub[80];
		snprintf(sub, sizeof sub, "%s/db", dir);
		env = cyrusdb_env_new(sub, true);
		db = NULL;
	}
	if (!db) db = open_as(row->engine, db_path(row->engine), sort_of(row));
	ck_assert_int_eq(put(db, "user.k02", "%ours"), 0);
	struct buf b = BUF_INIT;
	ck_assert_str_eq(text_of(db, &b), "user.k00=%value of 0 user.k02=%ours ");
	buf_free(&b);
}
END_TEST

/* ---- the disk is full at any call of a transaction: it is rolled back, FULL says why, and the handle goes on */

START_TEST(disk_full)
{
	static const char *const engines[] = { "twoskip", "skiplist", "flat", "quotalegacy" };
	const char *engine = engines[_i];
	struct buf b = BUF_INIT;
	struct cyrusdb *db = open_as(engine, db_path(engine), CYRUSDB_CREATE);
	ck_assert_int_eq(put(db, "user.a", "%1"), 0);
	ck_assert_int_eq(put(db, "user.b", "%2"), 0);
	char big[3000];
	memset(big, '%', sizeof big);
	int full = 0;
	for (unsigned long n = 1; n < 60; n++) {
		struct cyrusdb_txn *txn = NULL;
		fault_install(&(struct fault){ .kind = FAULT_ERROR, .n = n, .err = ENOSPC, .sticky = 1 });
		int r = cyrusdb_store(db, "user.b", 6, big, sizeof big, &txn);
		if (!r) r = cyrusdb_commit(db, txn);
		bool hit = fault_count() >= n;
		fault_install(NULL);
		if (r == CYRUSDB_FULL) full++;
		ck_assert_msg(!r == !hit || !r, "%s %lu: %d", engine, n, r);
		if (r)
			ck_assert_msg(!strcmp(text_of(db, &b), "user.a=%1 user.b=%2 ") || b.len > sizeof big, "%s %lu: %s", engine, n,
				buf_cstr(&b));
		if (!hit) break;
		ck_assert_int_eq(put(db, "user.b", "%2"), 0);
		ck_assert_int_eq(cyrusdb_consistent(db), 0);
	}
	ck_assert_int_gt(full, 0);
	buf_free(&b);
}
END_TEST

/* ---- files of another release of Berkeley DB */

#ifdef HAVE_BDB
static void patch(const char *path, off_t off, uint32_t v)
{
	struct buf b = BUF_INIT;
	slurp(path, &b);
	memcpy(b.s + off, &v, 4);
	ck_assert_int_eq(newfile_write(path, 0600, b.s, b.len), 0);
	buf_free(&b);
}

static const struct { const char *file; off_t off; uint32_t v; const char *says, *run; } releases[] = {
	{ "x.db", 16, 10, "newer Berkeley DB", "_dump" }, { "x.db", 16, 6, "older Berkeley DB", "db5.3_upgrade" },
	{ "db/__db.001", 8, 4, "belongs to Berkeley DB 4.3", "db4.3_recover" },
	{ "db/__db.001", 12, 1, "belongs to Berkeley DB 5.1", "db5.1_recover" },
	{ "db/log.0000000001", 16, 22, "log format 22", "db_recover" },
	{ "db/log.0000000001", 16, 13, "log format 13", "db_recover" },
};

START_TEST(another_berkeley)
{
	static const char *const all[] = { "x.db", "db/__db.001", "db/log.0000000001" };
	const struct dbrow row = { "berkeley", 0, 0 };
	struct buf before[3] = { BUF_INIT, BUF_INIT, BUF_INIT }, after = BUF_INIT;
	struct cyrusdb *db = NULL;
	fill(&row, 3);
	cyrusdb_env_free(env);
	patch(path_of(releases[_i].file), releases[_i].off, releases[_i].v);
	for (int i = 0; i < 3; i++) slurp(path_of(all[i]), &before[i]);
	for (int recover = 0; recover < 2; recover++) {
		char sub[80];
		snprintf(sub, sizeof sub, "%s/db", dir);
		env = cyrusdb_env_new(sub, recover);
		expect_log();
		ck_assert_int_eq(cyrusdb_open(env, "berkeley", path_of("x.db"), 0, &db), CYRUSDB_IOERROR);
		ck_assert_msg(log_said(path_of(releases[_i].file)) && log_said(releases[_i].says) && log_said(releases[_i].run), "%s",
			buf_cstr(&logged));
		if (!recover) cyrusdb_env_free(env);
	}
	for (int i = 0; i < 3; i++) {                    /* nothing was touched */
		slurp(path_of(all[i]), &after);
		ck_assert_int_eq(buf_cmp(&before[i], &after), 0);
		buf_free(&before[i]);
	}
	db = open_as("twoskip", path_of("other.db"), CYRUSDB_CREATE);
	ck_assert_int_eq(put(db, "a", "1"), 0);
	buf_free(&after);
}
END_TEST

/* The environment comes into being when a table is opened, and not before. */
START_TEST(lazy_environment)
{
	struct cyrusdb *db = open_as("twoskip", path_of("t.db"), CYRUSDB_CREATE);
	ck_assert_int_eq(put(db, "a", "1"), 0);
	ck_assert_int_eq(cyrusdb_sync(env), 0);
	ck_assert_int_ne(access(path_of("db/__db.001"), F_OK), 0);
	db = open_as("berkeley", copy_golden("b.berkeley", "b.db"), CYRUSDB_RDONLY);
	ck_assert_int_ne(access(path_of("db/__db.001"), F_OK), 0);
	ck_assert_int_eq(cyrusdb_open(env, "berkeley", path_of("none.db"), 0, &db), CYRUSDB_NOTFOUND);
	ck_assert_int_eq(cyrusdb_open(env, "berkeley", path_of("t.db"), 0, &db), 0);
	ck_assert_str_eq(cyrusdb_engine(db), "twoskip");
	ck_assert_int_ne(access(path_of("db/__db.001"), F_OK), 0);
	db = open_as("berkeley", path_of("n.db"), CYRUSDB_CREATE);
	ck_assert_int_eq(access(path_of("db/__db.001"), F_OK), 0);
}
END_TEST

/* Our processes take turns; one of the originals does not. Two that wait for one another: one is rolled back and told AGAIN. */
static int original(const char *path, int tell, int wait_for)
{
	char sub[80], c;
	DB_ENV *e;
	DB *h;
	DB_TXN *t;
	DBT a = { .data = (void *)(uintptr_t)"a", .size = 1 }, z = { .data = (void *)(uintptr_t)"z", .size = 1 }, v = a;
	snprintf(sub, sizeof sub, "%s/db", dir);
	if (db_env_create(&e, 0) || e->set_lk_detect(e, DB_LOCK_YOUNGEST)) return 1;
	if (e->open(e, sub, DB_INIT_LOCK | DB_INIT_MPOOL | DB_INIT_LOG | DB_INIT_TXN, 0644)) return 2;
	if (db_create(&h, e, 0) || h->open(h, NULL, path, NULL, DB_BTREE, DB_AUTO_COMMIT, 0644) || e->txn_begin(e, NULL, &t, 0))
		return 3;
	if (h->put(h, t, &a, &v, 0)) return 4;
	if (write(tell, "x", 1) != 1 || read(wait_for, &c, 1) != 1) return 5;
	int r = h->put(h, t, &z, &v, 0);
	if (r) t->abort(t);
	else r = t->commit(t, 0);
	h->close(h, 0);
	e->close(e, 0);
	return r == DB_LOCK_DEADLOCK ? 99 : r ? 6 : 0;
}

/* A table with a few records on a page, and one of the originals, which has "a" and goes for "z" as soon as `back` is written
 * to. */
struct rival {
	const char *path;
	struct cyrusdb *db;
	int there[2], back[2];
	pid_t pid;
};

static void rival_start(struct rival *v)
{
	char big[800], c;
	memset(big, '%', sizeof big);
	v->path = path_of("x.db");
	v->db = open_as("berkeley", v->path, CYRUSDB_CREATE);
	for (int i = 0; i < 26; i++) {
		char key[2] = { (char)('a' + i), 0 };
		ck_assert_int_eq(cyrusdb_store(v->db, key, 1, big, sizeof big, NULL), 0);
	}
	cyrusdb_close(v->db);
	cyrusdb_env_free(env);
	ck_assert_int_eq(pipe(v->there) | pipe(v->back), 0);
	fflush(NULL);
	v->pid = fork();
	if (!v->pid) {
		signal(SIGALRM, SIG_DFL);                /* not Check's */
		alarm(20);
		_exit(original(v->path, v->there[1], v->back[0]));
	}
	env = new_env();
	ck_assert_int_eq(read(v->there[0], &c, 1), 1);
	v->db = open_as("berkeley", v->path, 0);
}

static int rival_end(struct rival *v)
{
	int status;
	ck_assert_int_eq(waitpid(v->pid, &status, 0), v->pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

START_TEST(deadlock)
{
	struct cyrusdb_txn *txn = NULL;
	struct rival v;
	rival_start(&v);
	ck_assert_int_eq(cyrusdb_store(v.db, "z", 1, "!", 1, &txn), 0);
	ck_assert_int_eq(write(v.back[1], "x", 1), 1);
	int r = cyrusdb_store(v.db, "a", 1, "!", 1, &txn);
	if (r) ck_assert_ptr_null(txn);
	if (!r) r = cyrusdb_commit(v.db, txn);
	int said = rival_end(&v);
	ck_assert_msg((r == CYRUSDB_AGAIN && said == 0) || (r == 0 && said == 99), "%d %d", r, said);
}
END_TEST

struct try { struct rival *v; int tries, last; };

static int both(void *arg, struct cyrusdb *db, struct cyrusdb_txn **txn)
{
	struct try *t = arg;
	cyrusdb_store(db, "z", 1, "!", 1, txn);
	if (!t->tries++) ck_assert_int_eq(write(t->v->back[1], "x", 1), 1);
	cyrusdb_store(db, "a", 1, "!", 1, txn);
	t->last = cyrusdb_store(db, "m", 1, "!", 1, txn);           /* whose transaction is gone where the last one failed */
	return 0;                                                   /* which is not the last word */
}

START_TEST(deadlock_begun_anew)
{
	struct rival v;
	struct try t = { &v, 0, 0 };
	const char *val;
	size_t n;
	rival_start(&v);
	ck_assert_int_eq(cyrusdb_transact(v.db, both, &t), 0);
	int said = rival_end(&v);
	ck_assert_msg((said == 0 && t.tries == 2) || (said == 99 && t.tries == 1), "%d after %d", said, t.tries);
	for (const char *k = "amz"; *k; k++) {
		ck_assert_int_eq(cyrusdb_fetch(v.db, k, 1, &val, &n, NULL), 0);
		ck_assert(n == 1 && *val == '!');
	}
}
END_TEST
#endif

#ifdef HAVE_SQLITE
/* Tables that share one file by sql_database share its one writer: said at once instead of waited for. */
START_TEST(one_file_for_all)
{
	if (getenv("DBTEST_PGSQL")) return;
	struct cyrusdb_txn *txn = NULL, *other = NULL;
	char all[100];
	struct buf b = BUF_INIT;
	snprintf(all, sizeof all, "%s/all.sqlite", dir);
	cyrusdb_env_settings(env)->sql_database = all;
	struct cyrusdb *m = open_as("sql", path_of("mailboxes.db"), CYRUSDB_CREATE),
		*q = open_as("sql", path_of("quo'ta\"s.v2.db"), CYRUSDB_CREATE);
	ck_assert_int_ne(access(path_of("mailboxes.db"), F_OK), 0);
	ck_assert_int_eq(put(m, "a", "1"), 0);
	ck_assert_int_eq(put(q, "b", "2"), 0);
	ck_assert_int_eq(cyrusdb_store(m, "a", 1, "3", 1, &txn), 0);
	expect_log();
	ck_assert_int_eq(cyrusdb_store(q, "b", 1, "4", 1, &other), CYRUSDB_LOCKED);
	ck_assert(log_said("sql_database") && log_said("mailboxes.db"));
	ck_assert_ptr_null(other);
	ck_assert_int_eq(cyrusdb_commit(m, txn), 0);
	ck_assert_str_eq(text_of(m, &b), "a=3 ");
	ck_assert_str_eq(text_of(q, &b), "b=2 ");
	struct cyrusdb *none = NULL;
	ck_assert_int_eq(cyrusdb_open(env, "sql", path_of("none.db"), 0, &none), CYRUSDB_NOTFOUND);
	cyrusdb_close(m);
	cyrusdb_close(q);
	/* into it, over a table that a conversion left behind */
	struct cyrusdb *t = open_as("twoskip", path_of("t.db"), CYRUSDB_CREATE);
	ck_assert_int_eq(put(t, "new", "1"), 0);
	cyrusdb_close(t);
	q = open_as("sql", path_of("t.db.NEW"), CYRUSDB_CREATE);
	ck_assert_int_eq(put(q, "stray", "1"), 0);
	cyrusdb_close(q);
	ck_assert_int_eq(cyrusdb_convert(env, path_of("t.db"), path_of("t.db"), "twoskip", "sql"), 0);
	t = open_as("sql", path_of("t.db"), 0);
	ck_assert_str_eq(text_of(t, &b), "new=1 ");
	buf_free(&b);
}
END_TEST

START_TEST(sql_engine_that_is_not_here)
{
	struct cyrusdb *db = NULL;
	cyrusdb_env_settings(env)->sql_engine = "mysql";
	expect_log();
	ck_assert_int_eq(cyrusdb_open(env, "sql", path_of("x.db"), CYRUSDB_CREATE, &db), CYRUSDB_INTERNAL);
	ck_assert(log_said("mysql"));
}
END_TEST

/* What 3.6 wrote: text in both columns, no index. */
START_TEST(table_of_the_originals)
{
	if (getenv("DBTEST_PGSQL")) return;
	struct buf b = BUF_INIT;
	const char *v;
	size_t n;
	struct cyrusdb *db = open_as("sql", copy_golden("sql.sqlite", "mailboxes.db"), 0);
	ck_assert_str_eq(text_of(db, &b), "user.bob=hello2 user.fred=hello ");
	ck_assert_int_eq(cyrusdb_fetch(db, "user.fred", 9, &v, &n, NULL), 0);
	ck_assert_str_eq(v, "hello");
	ck_assert_int_eq(cyrusdb_create(db, "user.fred", 9, "x", 1, NULL), CYRUSDB_EXISTS);
	ck_assert_int_eq(put(db, "user.fred", "changed"), 0);
	ck_assert_int_eq(cyrusdb_delete(db, "user.bob", 8, NULL, false), 0);
	ck_assert_str_eq(text_of(db, &b), "user.fred=changed ");
	buf_free(&b);
}
END_TEST
#endif

int main(void)
{
	TCase *t = tcase_create("dbbad");
	tcase_set_timeout(t, 100);
	tcase_add_checked_fixture(t, dbtest_setup, dbtest_teardown);
	tcase_add_loop_test(t, cut_anywhere, 0, DBROWS);
	tcase_add_loop_test(t, bits_flipped, 0, DBROWS);
	tcase_add_loop_test(t, empty_file, 0, DBROWS);
	tcase_add_loop_test(t, foreign_files, 0, DBROWS * FOREIGN);
	tcase_add_loop_test(t, not_ours_to_read, 0, DBROWS);
	tcase_add_loop_test(t, stuck_process, 0, DBROWS);
	tcase_add_loop_test(t, disk_full, 0, 4);
#ifdef HAVE_BDB
	tcase_add_loop_test(t, another_berkeley, 0, COUNT(releases));
	tcase_add_test(t, lazy_environment);
	tcase_add_test(t, deadlock);
	tcase_add_test(t, deadlock_begun_anew);
#endif
#ifdef HAVE_SQLITE
	tcase_add_test(t, one_file_for_all);
	tcase_add_test(t, sql_engine_that_is_not_here);
	tcase_add_test(t, table_of_the_originals);
#endif
	return suite_run("dbbad", (TCase *[]){ t, NULL });
}
