/* dbconf.c - see dbconf.h. */
#include "db/dbconf.h"

#include "base/mem.h"

#include <stdlib.h>

struct cyrusdb_env *dbconf_env(const struct conf *c, bool recover)
{
	char *dir = mem_printf("%s/db", conf_dir(c));
	struct cyrusdb_env *env = cyrusdb_env_new(dir, recover);
	struct cyrusdb_settings *s = cyrusdb_env_settings(env);
	free(dir);
	s->fulldirhash = conf_bool(c, OPT_FULLDIRHASH);
	s->virtdomains = conf_enum(c, OPT_VIRTDOMAINS) != 0;
	s->skiplist_unsafe = conf_bool(c, OPT_SKIPLIST_UNSAFE);
	s->skiplist_always_checkpoint = conf_bool(c, OPT_SKIPLIST_ALWAYS_CHECKPOINT);
	s->berkeley_cachesize = (unsigned)conf_int(c, OPT_BERKELEY_CACHESIZE);
	s->berkeley_locks_max = (unsigned)conf_int(c, OPT_BERKELEY_LOCKS_MAX);
	s->berkeley_txns_max = (unsigned)conf_int(c, OPT_BERKELEY_TXNS_MAX);
	s->sql_engine = conf_word(c, OPT_SQL_ENGINE);
	s->sql_database = conf_str(c, OPT_SQL_DATABASE);
	s->sql_hostnames = conf_str(c, OPT_SQL_HOSTNAMES);
	s->sql_user = conf_str(c, OPT_SQL_USER);
	s->sql_passwd = conf_str(c, OPT_SQL_PASSWD);
	s->sql_usessl = conf_bool(c, OPT_SQL_USESSL);
	return env;
}

int dbconf_sort_flag(const struct conf *c)
{
	return conf_level(c) == LEVEL_25 && conf_bool(c, OPT_IMPROVED_MBOXLIST_SORT) ? CYRUSDB_MBOXSORT : 0;
}
