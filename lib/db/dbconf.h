/* dbconf.h - the database environment that a configuration asks for. */
#ifndef CAMB_DBCONF_H
#define CAMB_DBCONF_H
#include "conf/conf.h"
#include "db/cyrusdb.h"

/* CONFIGDIR/db, with the settings of the engines taken from c. recover: ctl_cyrusdb -r. Never NULL; c must outlive it. */
struct cyrusdb_env *dbconf_env(const struct conf *c, bool recover);
/* Open flags that the configuration adds for the mailbox list, subscriptions and quota: CYRUSDB_MBOXSORT or 0 (spec 2.4). */
int dbconf_sort_flag(const struct conf *c);
#endif
