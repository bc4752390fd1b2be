/* ctl_cyrusdb.c - recovery of all databases at the start of the server, and their checkpoints (spec/cyrusdb.md 5,
 * spec/tools.md 3.1).
 * With -r it must be the only process that uses them. */
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/ptrarray.h"
#include "conf/program.h"
#include "db/dbconf.h"
#include "store/layout.h"
#include "store/recover.h"
#include "store/store.h"
#include "sys/dirwalk.h"
#include "sys/sys.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* sorted: improved_mboxlist_sort says how */
static const struct table { const char *name; enum conf_opt engine, path; bool archive, sorted; } tables[] = {

	{ "mailboxes.db", OPT_MBOXLIST_DB, OPT_MBOXLIST_DB_PATH, true, true },
	{ "quotas.db", OPT_QUOTA_DB, OPT_QUOTA_DB_PATH, true, true },
	{ "annotations.db", OPT_ANNOTATION_DB, OPT_ANNOTATION_DB_PATH, true, false },
	{ "deliver.db", OPT_DUPLICATE_DB, OPT_DUPLICATE_DB_PATH, false, false },
	{ "tls_sessions.db", OPT_TLS_SESSIONS_DB, OPT_TLS_SESSIONS_DB_PATH, false, false },
	{ "ptclient/ptscache.db", OPT_PTSCACHE_DB, OPT_PTSCACHE_DB_PATH, false, false },
	{ "statuscache.db", OPT_STATUSCACHE_DB, OPT_STATUSCACHE_DB_PATH, false, false },
};
enum { TABLES = sizeof tables / sizeof *tables };

/* Ours honours the *_db_path options at either level: it is where the servers look. */
static char *table_path(const struct conf *c, const struct table *t)
{
	const char *p = conf_str(c, t->path);
	return p ? mem_strdup(p) : mem_printf("%s/%s", conf_dir(c), t->name);
}

/* ---- -r */

static size_t bare_length(const char *engine)
{
	const char *s = strstr(engine, "-nosync");
	return s ? (size_t)(s - engine) : strlen(engine);
}

static int check_convert(const struct conf *c, struct cyrusdb_env *env, const struct table *t, int sort)
{
	const char *want = conf_word(c, t->engine);
	char *path = table_path(c, t);
	const char *have = cyrusdb_detect(path);
	int r = CYRUSDB_OK;
	if (have && (strlen(have) != bare_length(want) || strncmp(have, want, strlen(have)))) {
		log_msg(LOG_NOTICE, "converting %s from %s to %s", path, have, want);
		r = cyrusdb_convert_sorted(env, path, path, have, want, sort);
		if (r) log_msg(LOG_NOTICE, "conversion failed %s", path);
	}
	free(path);
	return r;
}

/* A table whose order is not the configured one is no use: look-ups in it miss. */
static int check_order(const struct conf *c, struct cyrusdb_env *env, const struct table *t, int sort)
{
	struct cyrusdb *db;
	char *path = table_path(c, t);
	int r = CYRUSDB_OK;
	if (access(path, F_OK) == 0 && !cyrusdb_open(env, conf_word(c, t->engine), path, sort, &db)) {
		r = cyrusdb_check_order(db, SIZE_MAX);
		cyrusdb_close(db);
	}
	if (r) fprintf(stderr, "ctl_cyrusdb: %s is not sorted as improved_mboxlist_sort says; what to do is in the log\n", path);
	free(path);
	return r;
}

/* improved_mboxlist_sort counts in stores of 2.5 only; whose it is shows in the mailbox list, which may be about to be
 * converted. */
static int sort_flag(const struct conf *c, struct cyrusdb_env *env)
{
	enum conf_level level = conf_level_wanted(c);
	struct cyrusdb *db;
	char *path = table_path(c, &tables[0]);
	const char *have = cyrusdb_detect(path);
	if (conf_bool(c, OPT_IMPROVED_MBOXLIST_SORT) && level == LEVEL_AUTO && have
		&& !cyrusdb_open(env, have, path, CYRUSDB_RDONLY, &db)) {
		if (cyrusdb_check_order(db, SIZE_MAX) || layout_detect(db, &level)) level = LEVEL_AUTO;
		cyrusdb_close(db);
	}
	free(path);
	return conf_bool(c, OPT_IMPROVED_MBOXLIST_SORT) && level == LEVEL_25 ? CYRUSDB_MBOXSORT : 0;
}

static int recover_tables(const struct conf *c, struct cyrusdb_env *env)
{
	int rc = 0, sort = sort_flag(c, env);
	for (int i = 0; i < TABLES; i++) {
		int flags = tables[i].sorted ? sort : 0, r = check_convert(c, env, &tables[i], flags);
		if (!r && tables[i].sorted) r = check_order(c, env, &tables[i], flags);
		if (r) rc = r;
	}
	return rc;
}

static int recover(struct conf *c, bool lists_too)
{
	struct cyrusdb_env *env = dbconf_env(c, true);
	int rc = recover_tables(c, env);
	cyrusdb_env_free(env);
	if (!lists_too) return rc;
	struct store *st;
	int r = store_open(&st, c, true);
	if (!r) {
		r = store_recover(st);
		store_close(st);
	}
	if (r) fprintf(stderr, "ctl_cyrusdb: unable to recover the mailbox list\n");
	return r ? r : rc;
}

/* ---- -c */

static int remove_file(void *arg, const struct dirwalk_entry *e)
{
	(void)arg;
	if (*e->name != '.' && sys_unlinkat(e->dirfd, e->name, 0) < 0) log_msg(LOG_ERR, "DBERROR: removing %s: %m", e->path);
	return 0;
}

static void empty_dir(const char *dir)
{
	if (dirwalk_list(dir, DIRWALK_ROOT_GONE, remove_file, NULL) < 0) log_msg(LOG_ERR, "DBERROR: reading %s: %m", dir);
}

/* db.backup1 becomes db.backup2, which goes; the new db.backup1 is empty. */
static int rotate(const char *one, const char *two)
{
	empty_dir(two);
	if (sys_rmdir(two) < 0 && errno != ENOENT) log_msg(LOG_ERR, "DBERROR: removing %s: %m", two);
	if (sys_rename(one, two) < 0 && errno != ENOENT) log_msg(LOG_ERR, "DBERROR: renaming %s: %m", one);
	if (sys_mkdir(one, 0755) == 0 || errno == EEXIST) return 0;
	log_msg(LOG_ERR, "DBERROR: creating %s: %m", one);
	return CYRUSDB_IOERROR;
}

static int archive_all(const struct conf *c, struct cyrusdb_env *env, const char *dir)
{
	int rc = 0;
	for (int i = 0; i < TABLES; i++) {
		const char *engine = conf_word(c, tables[i].engine);
		if (!tables[i].archive || !cyrusdb_engine_known(engine)) continue;
		char *path = table_path(c, &tables[i]);
		int r = cyrusdb_archive(env, engine, (const char *const[]){ path, NULL }, dir);
		if (r) {
			log_msg(LOG_ERR, "DBERROR: archive %s: %s", engine, cyrusdb_strerror(r));
			rc = r;
		}
		free(path);
	}
	if (rc) fprintf(stderr, "ctl_cyrusdb: unable to archive environment\n");
	return rc;
}

static int checkpoint(const struct conf *c)
{
	struct cyrusdb_env *env = dbconf_env(c, false);
	char *one = mem_printf("%s/db.backup1", conf_dir(c)), *two = mem_printf("%s/db.backup2", conf_dir(c));
	int rc = cyrusdb_sync(env);
	if (rc) {
		log_msg(LOG_ERR, "DBERROR: sync: %s", cyrusdb_strerror(rc));
		fprintf(stderr, "ctl_cyrusdb: unable to sync environment\n");
	}
	int r = rotate(one, two);
	if (!r) r = archive_all(c, env, one);
	free(one);
	free(two);
	cyrusdb_env_free(env);
	return r ? r : rc;
}

static int usage(void)
{
	fprintf(stderr, "usage: ctl_cyrusdb [-C <altconfig>] -c\n       ctl_cyrusdb [-C <altconfig>] -r [-x]\n");
	return 255;
}

int main(int argc, char **argv)
{
	const char *alt = NULL;
	bool only = false;
	int what = 0, opt;
	while ((opt = getopt(argc, argv, "C:rxc")) != -1) switch (opt) {
	case 'C': alt = optarg; break;
	case 'r': case 'c':
		if (what && what != opt) return usage();
		what = opt;
		break;
	case 'x': only = true; break;
	default: return usage();
	}
	if (!what || optind != argc || (only && what != 'r')) return usage();
	struct conf *c;
	int r = program_init(&c, alt, "ctl_cyrusdb", 0);
	if (r) return r;
	const char *doing = what == 'r' ? "recovering cyrus databases" : "checkpointing cyrus databases";
	log_msg(LOG_NOTICE, "%s", doing);
	r = what == 'r' ? recover(c, !only) : checkpoint(c);
	log_msg(LOG_NOTICE, "done %s", doing);
	conf_free(c);
	return r ? EX_TEMPFAIL : 0;
}
