/* contract.c - see contract.h. */
#include "cunit/db/contract/contract.h"

const struct dbrow *row;
int base_flags;

void begin(int i)
{
	row = &dbrows[i];
	base_flags = row->sort ? CYRUSDB_MBOXSORT : 0;
}

bool on_server(const struct dbrow *r) { return (r->is & ROW_SQL) && getenv("DBTEST_PGSQL"); }
bool has_magic(const struct dbrow *r) { return (r->is & ROW_MAGIC) || ((r->is & ROW_SQL) && !getenv("DBTEST_PGSQL")); }

struct cyrusdb *open_row(int flags) { return open_as(row->engine, db_path(row->engine), flags | base_flags); }
bool names_only(void) { return row->is & ROW_NAMES; }

void prepare(void)
{
	struct cyrusdb *db = open_row(CYRUSDB_CREATE);
	ck_assert_int_eq(put(db, "user.a", "%1"), 0);
	ck_assert_int_eq(put(db, "user.b", "%2"), 0);
	ck_assert_int_eq(put(db, "user.c", "%3"), 0);
	ck_assert_int_eq(put(db, "user.d", "%4"), 0);
	cyrusdb_close(db);
}

const char all_text[] = "user.a=%1 user.b=%2 user.c=%3 user.d=%4 ";

void seen_by_others(const char *want)
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
