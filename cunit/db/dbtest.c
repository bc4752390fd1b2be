/* dbtest.c - see dbtest.h. */
#include "cunit/db/dbtest.h"

#include "base/log.h"
#include "db/db_priv.h"
#include "sys/file.h"
#include "sys/newfile.h"

#include <unistd.h>

char dir[64];
struct cyrusdb_env *env;

/* ---- what was logged since expect_log() */

struct buf logged;

void expect_log(void) { buf_reset(&logged); }
bool log_said(const char *text) { return strstr(buf_cstr(&logged), text) != NULL; }

static void no_log(void *arg, int priority, const char *line)
{
	(void)arg, (void)priority;
	buf_puts(&logged, line);
	buf_putc(&logged, '\n');
	if (getenv("DBTEST_LOG") && *getenv("DBTEST_LOG")) fprintf(stderr, "%s\n", line);
}

struct cyrusdb_env *new_env(void)
{
	char sub[80];
	snprintf(sub, sizeof sub, "%s/db", dir);
	struct cyrusdb_env *e = cyrusdb_env_new(sub, false);
	struct cyrusdb_settings *s = cyrusdb_env_settings(e);
	s->skiplist_always_checkpoint = false;
	const char *server = getenv("DBTEST_PGSQL");             /* tests/sql.sh: the folder of a PostgreSQL server's socket */
	s->sql_engine = server ? "pgsql" : "sqlite";
	if (server) s->sql_hostnames = server, s->sql_database = "postgres";
	return e;
}

void dbtest_setup(void)
{
	const char *tmp = getenv("TMPDIR");
	if (!tmp) tmp = access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp";
	snprintf(dir, sizeof dir, "%.40s/check_db.XXXXXX", tmp);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	log_hook(no_log, NULL);
	/* tables are named after files, whatever their folder */
	if (getenv("DBTEST_PGSQL"))
		ck_assert_int_eq(system("psql -qX -h $DBTEST_PGSQL -d postgres -c 'DROP SCHEMA public CASCADE' -c 'CREATE SCHEMA "
			"public' >/dev/null 2>&1"), 0);
	char stamp[100];
	snprintf(stamp, sizeof stamp, "%s/db/skipstamp", dir);
	ck_assert_int_eq(newfile_write(stamp, 0600, "\0\0\0\1", 4), 0);
	env = new_env();
}

void dbtest_teardown(void)
{
	cyrusdb_env_free(env);
	env = NULL;
	char *cmd = mem_printf("rm -rf %s", dir);
	ck_assert_int_eq(system(cmd), 0);
	free(cmd);
	log_hook(NULL, NULL);
	buf_free(&logged);
}

const char *path_of(const char *name)
{
	static char p[4][200];
	static int i;
	i = (i + 1) % 4;
	snprintf(p[i], sizeof p[i], "%s/%s", dir, name);
	return p[i];
}

char *golden(const char *name)
{
	const char *src = getenv("srcdir");
	return mem_printf("%s/cunit/golden/cyrusdb/%s", src ? src : ".", name);
}

const char *db_path(const char *engine) { return path_of(strcmp(engine, "quotalegacy") ? "x.db" : "quotas.db"); }

const char *copy_golden(const char *name, const char *as)
{
	char *from = golden(name);
	const char *to = path_of(as);
	ck_assert_msg(!file_copy(from, to, 0600), "%s", from);
	free(from);
	return to;
}

void slurp(const char *path, struct buf *b)
{
	buf_reset(b);
	ck_assert_msg(!file_read(path, 1 << 26, b), "%s", path);
}

int add_text(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	buf_append(arg, key, keylen);
	buf_putc(arg, '=');
	buf_append(arg, val, vallen);
	buf_putc(arg, ' ');
	return 0;
}

const char *text_of(struct cyrusdb *db, struct buf *b)
{
	buf_reset(b);
	ck_assert_int_eq(cyrusdb_foreach(db, "", 0, NULL, add_text, b, NULL), 0);
	return buf_cstr(b);
}

struct cyrusdb *open_as(const char *engine, const char *path, int flags)
{
	struct cyrusdb *db = NULL;
	int r = cyrusdb_open(env, engine, path, flags, &db);
	ck_assert_msg(!r && db, "%s %s: %d", engine, path, r);
	return db;
}

int put(struct cyrusdb *db, const char *key, const char *val)
{
	return cyrusdb_store(db, key, strlen(key), val, strlen(val), NULL);
}
