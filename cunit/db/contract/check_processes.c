/* check_processes.c - several processes at one database. */
#include "cunit/db/contract/contract.h"
#include "cunit/db/contract/suites.h"

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

TCase *case_processes(void)
{
	TCase *t = tcase_create("processes");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, dbtest_setup, dbtest_teardown);
	tcase_add_loop_test(t, two_processes, 0, DBROWS);
	tcase_add_loop_test(t, waiting_while_another_repacks, 0, DBROWS);
	return t;
}
