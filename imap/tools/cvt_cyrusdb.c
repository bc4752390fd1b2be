/* cvt_cyrusdb.c - a database file as a file of another engine (spec/tools.md 3). The old one stays. */
#include "base/log.h"
#include "conf/program.h"
#include "db/dbconf.h"

#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

static int usage(const char *name)
{
	fprintf(stderr, "Usage: %s [-C altconfig] <old db> <old db backend> <new db> <new db backend>\nUsable Backends:  ", name);
	for (const char *const *e = cyrusdb_engines(); *e; e++) fprintf(stderr, "%s %s", e == cyrusdb_engines() ? ":" : ",", *e);
	fputc('\n', stderr);
	return 255;
}

static int relative(const struct conf *c)
{
	printf("\nSorry, you cannot use this tool with relative path names.\n"
		"This is because some database backends do not\nalways do what you would expect with them.\n"
		"\nPlease use absolute pathnames instead.\n\n");
	return conf_level(c) == LEVEL_25 ? EX_TEMPFAIL : EX_OSERR;
}

static int convert(const struct conf *c, char **a)
{
	if (a[0][0] != '/' || a[2][0] != '/') return relative(c);
	printf("Converting from %s (%s) to %s (%s)\n", a[0], a[1], a[2], a[3]);
	for (int i = 1; i < 4; i += 2) {
		if (cyrusdb_engine_known(a[i])) continue;
		fprintf(stderr, "fatal error: cyrusdb backend %s not supported\n", a[i]);
		return conf_level(c) == LEVEL_25 ? EX_TEMPFAIL : EX_CONFIG;
	}
	struct cyrusdb_env *env = dbconf_env(c, false);
	int r = cyrusdb_convert(env, a[0], a[2], a[1], a[3]);
	cyrusdb_env_free(env);
	if (!r) return 0;
	log_msg(LOG_ERR, "DBERROR: converting %s (%s) to %s (%s): %s", a[0], a[1], a[2], a[3], cyrusdb_strerror(r));
	/* the references end with 0 here; a script that goes on with half a database helps nobody */
	printf("\nDBERROR: Conversion failed (r was %d). Check syslog for details.\n", r);
	return EX_TEMPFAIL;
}

int main(int argc, char **argv)
{
	const char *alt = NULL;
	int opt;
	while ((opt = getopt(argc, argv, "C:")) != -1) switch (opt) {
	case 'C': alt = optarg; break;
	default: return usage(argv[0]);
	}
	if (argc - optind != 4) return usage(argv[0]);
	struct conf *c;
	int rc = program_init(&c, alt, "cvt_cyrusdb", 0);
	if (rc) return rc;
	rc = convert(c, argv + optind);
	conf_free(c);
	return rc;
}
