/* tls_prune.c - removes TLS sessions that nobody may resume any more from tls_sessions.db (spec/databases.md 10, spec/tools.md
 * 3). */
#include "base/log.h"
#include "base/mem.h"
#include "conf/program.h"
#include "db/dbconf.h"
#include "store/tlssession.h"
#include "sys/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

struct prune {
	struct cyrusdb *db;
	int64_t now;
	unsigned long seen, gone;
	int rc;
};

static int over(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	struct prune *p = arg;
	struct tlssession t;
	(void)key, (void)keylen;
	p->seen++;
	return tlssession_parse(val, vallen, &t) || t.expires < p->now;
}

static int drop(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	struct prune *p = arg;
	(void)val, (void)vallen;
	int r = cyrusdb_delete(p->db, key, keylen, NULL, true);
	if (r) p->rc = r;
	else p->gone++;
	return 0;
}

static int prune(const struct conf *c)
{
	const char *given = conf_str(c, OPT_TLS_SESSIONS_DB_PATH);
	char *path = given ? mem_strdup(given) : mem_printf("%s/tls_sessions.db", conf_dir(c));
	struct cyrusdb_env *env = dbconf_env(c, false);
	struct prune p = { .now = clock_now() };
	if (access(path, F_OK) == 0) {                   /* no session was ever kept: nothing to do */
		p.rc = cyrusdb_open(env, conf_word(c, OPT_TLS_SESSIONS_DB), path, 0, &p.db);
		if (!p.rc) {
			int r = cyrusdb_foreach(p.db, "", 0, over, drop, &p, NULL);
			if (r && !p.rc) p.rc = r;
			cyrusdb_close(p.db);
		}
		if (p.rc) log_msg(LOG_ERR, "DBERROR: %s: %s", path, cyrusdb_strerror(p.rc));
		else log_msg(LOG_NOTICE, "tls_prune: purged %lu out of %lu entries", p.gone, p.seen);
	}
	if (p.rc) fprintf(stderr, "tls_prune: %s: %s\n", path, cyrusdb_strerror(p.rc));
	cyrusdb_env_free(env);
	free(path);
	return p.rc ? EX_TEMPFAIL : 0;
}

int main(int argc, char **argv)
{
	const char *alt = NULL;
	int opt;
	while ((opt = getopt(argc, argv, "C:")) != -1) switch (opt) {
	case 'C': alt = optarg; break;
	default:
		fprintf(stderr, "usage: tls_prune [-C <alt_config>]\n");
		return 255;
	}
	struct conf *c;
	int rc = program_init(&c, alt, "tls_prune", 0);
	if (rc) return rc;
	rc = prune(c);
	conf_free(c);
	return rc;
}
