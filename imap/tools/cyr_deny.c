/* cyr_deny.c - who is kept out of which services: shows and changes user_deny.db (spec/databases.md 12, spec/tools.md 3). */
#include "base/err.h"
#include "base/mem.h"
#include "conf/program.h"
#include "db/dbconf.h"
#include "store/userdeny.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

struct words { char *services, *message; };      /* NULL: as usual */

static int show_one(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	struct userdeny d;
	(void)arg;
	if (userdeny_parse(val, vallen, &d)) fprintf(stderr, "cyr_deny: %.*s: the record cannot be read\n", (int)keylen, key);
	else printf("%-30.*s %-20s %s\n", (int)keylen, key, d.patterns, d.message && *d.message ? d.message : USERDENY_MESSAGE);
	userdeny_free(&d);
	return 0;
}

static int list(struct cyrusdb *db)
{
	printf("%-30s %-20s %s\n", "Username", "Service(s)", "Message");
	return db ? cyrusdb_foreach(db, "", 0, NULL, show_one, NULL, NULL) : 0;
}

static int deny(struct cyrusdb *db, const char *user, const struct words *w)
{
	static char all[] = "*", text[] = USERDENY_MESSAGE;
	struct userdeny d = { 2, w->services ? w->services : all, w->message ? w->message : text };
	struct buf val = BUF_INIT;
	userdeny_print(&d, &val);
	int r = cyrusdb_store(db, user, strlen(user), val.s, val.len, NULL);
	buf_free(&val);
	return r;
}

static int usage(void)
{
	fprintf(stderr, "Usage: cyr_deny [-C <altconfig>] [ -s services ] [ -m message ] user\n"
		"       cyr_deny [-C <altconfig>] -a user\n       cyr_deny [-C <altconfig>] -l\n");
	return EX_USAGE;
}

/* Without the file nobody is denied: only a denial makes it. */
static int run(const struct conf *c, int what, const char *user, const struct words *w)
{
	const char *given = conf_str(c, OPT_USERDENY_DB_PATH);
	char *path = given ? mem_strdup(given) : mem_printf("%s/user_deny.db", conf_dir(c));
	struct cyrusdb_env *env = dbconf_env(c, false);
	struct cyrusdb *db = NULL;
	int r = what && access(path, F_OK) < 0 ? 0
		: cyrusdb_open(env, conf_word(c, OPT_USERDENY_DB), path, what ? 0 : CYRUSDB_CREATE, &db);
	if (!r)
		r = what == 'l' ? list(db) : what == 'a' ? (db ? cyrusdb_delete(db, user, strlen(user), NULL, true) : 0)
			: deny(db, user, w);
	if (r) fprintf(stderr, "cyr_deny: %s: %s\n", path, cyrusdb_strerror(r));
	if (db) cyrusdb_close(db);
	cyrusdb_env_free(env);
	free(path);
	return r || fflush(stdout) || ferror(stdout) ? EX_TEMPFAIL : 0;
}

int main(int argc, char **argv)
{
	const char *alt = NULL;
	struct words w = { NULL, NULL };
	int what = 0, opt;
	while ((opt = getopt(argc, argv, "C:alm:s:")) != -1) switch (opt) {
	case 'C': alt = optarg; break;
	case 'a': case 'l':
		if (what && what != opt) return usage();
		what = opt;
		break;
	case 'm': w.message = optarg; break;
	case 's': w.services = optarg; break;
	default: return usage();
	}
	if ((what && (w.message || w.services)) || argc - optind != (what == 'l' ? 0 : 1)) return usage();
	/* neither can be told from what divides them in the file */
	if ((w.services && strpbrk(w.services, "\t\r\n")) || (w.message && strpbrk(w.message, "\r\n"))
		|| (what != 'l' && (!*argv[optind]
	    || strpbrk(argv[optind], "\t\r\n")))) return usage();
	struct conf *c;
	int rc = program_init(&c, alt, "cyr_deny", 0);
	if (rc) return rc;
	rc = run(c, what, argv[optind], &w);
	conf_free(c);
	return rc;
}
