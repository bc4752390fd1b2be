/* store.h - one process's hold on a mail store: configuration, databases, layout, and the tables of what this process has open
 * and locked (POSIX locks belong to the process, so it must answer "already mine" from memory). One per process. */
#ifndef CAMB_STORE_H
#define CAMB_STORE_H
#include "auth/acl.h"
#include "conf/conf.h"
#include "db/cyrusdb.h"
#include "store/mbname.h"
#include "sys/dirwalk.h"

struct layout;
struct mailbox;
struct namelock;

struct store {
	struct conf *conf;                    /* borrowed */
	struct cyrusdb_env *dbs;
	const struct layout *layout;          /* which of the two dialects the store is in: layout.h */
	struct namespace ns;                  /* an administrator's, for conversions that involve no session */
	struct acl_macros macros;
	struct cyrusdb *mboxlist;             /* open for the life of the store */
	bool listed_by_spool;                 /* mboxlist_source: spool: the list is a copy, which nobody may change */
	struct cyrusdb *racl;                 /* rows beside the list, racl_file.h; NULL: not open */
	bool racl_off;                        /* there are none, and no use in trying: told in the log */
	bool quota_sorted;                    /* quotas.db was looked at by store_check_order() */
	struct cyrusdb *statuscache;          /* NULL until used, or when `statuscache` is off */
	struct namelock *locks;               /* held name locks */
	struct mailbox *mailboxes;            /* open ones */
	/* called after a commit that others should see: IDLE's notification. May be NULL. */
	void (*notify)(void *arg, const char *mboxname);
	void *notify_arg;
	struct dirwalk_log oddities;          /* of the spool, in the log */
	const char *session_id;               /* for audit lines; "" when there is none */
};

/* Opens the databases, finds out the layout (spec/databases.md 1.1) and sets the configuration's level to it. create: a missing
 * mailboxes.db is made (servers, ctl_cyrusdb); else ERR_NOTFOUND. Errors are logged. */
int store_open(struct store **out, struct conf *conf, bool create);
/* another mailboxes.db; NULL: the usual */
int store_open_list(struct store **out, struct conf *conf, const char *mboxlist, bool create);
/* Tools that fill an empty list: which layout it gets, where the configuration does not say (level auto). */
int store_use_level(struct store *st, enum conf_level level);
/* ERR_IO (logged, with what to do): the table is not sorted as improved_mboxlist_sort says, so that look-ups in it would miss.
 * Looked at in the layout of 2.5 only, where the option has a meaning. */
int store_check_order(struct store *st, struct cyrusdb *db);
void store_half_upgraded(void);               /* says so in the log: the list has records of 3.6 and of an older release */
void store_close(struct store *st);           /* closes open mailboxes; NULL is allowed */
#endif
