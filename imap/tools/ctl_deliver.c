/* ctl_deliver.c - what deliver.db remembers of messages, and forgetting the old (spec/databases.md 9, spec/tools.md 3). */
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "conf/program.h"
#include "db/dbconf.h"
#include "store/duplicate.h"
#include "sys/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { DAY = 24 * 60 * 60 };

struct run {
	struct cyrusdb *db;
	int64_t before;                      /* -E: marks of an earlier time go */
	unsigned long count, gone;
	int rc;
};

/* ---- -d */

static int dump_one(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	struct run *x = arg;
	struct duplicate_key k;
	struct duplicate_mark m;
	x->count++;
	if (duplicate_key_parse(key, keylen, &k) || duplicate_mark_parse(val, vallen, &m)) return 0;
	printf("id: %-40s\tto: %-20s\tat: %lld\tuid: %llu\n", k.id, k.to, (long long)m.when, (unsigned long long)m.uid);
	return 0;
}

static int dump(struct run *x)
{
	printf("it is NOW: %lld\n", (long long)clock_now());
	x->rc = cyrusdb_foreach(x->db, "", 0, NULL, dump_one, x, NULL);
	printf("got %lu entries\n", x->count);
	return x->rc || fflush(stdout) || ferror(stdout) ? 1 : 0;
}

/* ---- -E */

static int old(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	struct run *x = arg;
	struct duplicate_key k;
	struct duplicate_mark m;
	x->count++;
	return duplicate_key_parse(key, keylen, &k) || duplicate_mark_parse(val, vallen, &m) || m.when < x->before;
}

static int drop(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	struct run *x = arg;
	(void)val, (void)vallen;
	int r = cyrusdb_delete(x->db, key, keylen, NULL, true);
	if (r) x->rc = r;
	else x->gone++;
	return 0;
}

static int prune(struct run *x)
{
	int r = cyrusdb_foreach(x->db, "", 0, old, drop, x, NULL);
	if (r || x->rc) {
		fprintf(stderr, "ctl_deliver: %s\n", cyrusdb_strerror(r ? r : x->rc));
		return EX_TEMPFAIL;
	}
	log_msg(LOG_NOTICE, "duplicate_prune: purged %lu out of %lu entries", x->gone, x->count);
	return 0;
}

/* ---- main */

static int usage(void)
{
	fprintf(stderr, "ctl_deliver [-C <altconfig>] -d [-f <dbfile>]\nctl_deliver [-C <altconfig>] -E <days> [-f <dbfile>]\n");
	return 255;
}

static int run(const struct conf *c, const char *file, int64_t days)
{
	const char *given = conf_str(c, OPT_DUPLICATE_DB_PATH);
	char *path = file ? mem_strdup(file) : given ? mem_strdup(given) : mem_printf("%s/deliver.db", conf_dir(c));
	struct cyrusdb_env *env = dbconf_env(c, false);
	struct run x = { .before = clock_now() - days * DAY };
	int rc = cyrusdb_open(env, conf_word(c, OPT_DUPLICATE_DB), path, 0, &x.db);
	if (rc) {
		fprintf(stderr, "ctl_deliver: unable to init duplicate delivery database\n");
		rc = 1;
	} else {
		rc = days < 0 ? dump(&x) : prune(&x);
		cyrusdb_close(x.db);
	}
	cyrusdb_env_free(env);
	free(path);
	return rc;
}

int main(int argc, char **argv)
{
	const char *alt = NULL, *file = NULL;
	uint32_t days = 0;
	int what = 0, opt;
	while ((opt = getopt(argc, argv, "C:df:E:r")) != -1) switch (opt) {
	case 'C': alt = optarg; break;
	case 'f': file = optarg; break;
	case 'E':
		if (!num_str_u32(optarg, &days)) return usage();
		/* fallthrough */
	case 'd':
		if (what && what != opt) return usage();
		what = opt;
		break;
	case 'r':
		fprintf(stderr, "ctl_deliver: -r is deprecated, use ctl_cyrusdb -r instead\n");
		return 1;
	default: return usage();
	}
	if (!what || optind != argc) return usage();
	struct conf *c;
	int rc = program_init(&c, alt, "ctl_deliver", 0);
	if (rc) return rc;
	rc = run(c, file, what == 'd' ? -1 : (int64_t)days);
	conf_free(c);
	return rc;
}
