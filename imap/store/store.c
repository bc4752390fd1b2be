/* store.c - see store.h. */
#include "store/store.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "db/dbconf.h"
#include "store/layout.h"
#include "store/mailbox.h"
#include "store/paths.h"
#include "store/spool_list.h"
#include "store/spool_walk.h"

#include <stdlib.h>

static int open_list(struct store *st, const char *path, int flags)
{
	int rc = cyrusdb_open(st->dbs, conf_word(st->conf, OPT_MBOXLIST_DB), path, flags, &st->mboxlist);
	if (rc) log_msg(LOG_ERR, "DBERROR: opening %s: %s", path, cyrusdb_strerror(rc));
	return rc == CYRUSDB_NOTFOUND ? ERR_NOTFOUND : rc ? ERR_IO : 0;
}

/* improved_mboxlist_sort has a meaning in the 2.5 layout only, and which layout it is shows when the list is open. */
static int resort(struct store *st, bool sorted)
{
	bool wanted = st->layout->level == LEVEL_25 && conf_bool(st->conf, OPT_IMPROVED_MBOXLIST_SORT);
	if (wanted == sorted) return 0;
	char *path = mem_strdup(cyrusdb_path(st->mboxlist));
	cyrusdb_close(st->mboxlist);
	st->mboxlist = NULL;
	int r = open_list(st, path, wanted ? CYRUSDB_MBOXSORT : 0);
	free(path);
	return r;
}

void store_half_upgraded(void)
{
	log_msg(LOG_ERR, "DBERROR: the mailbox list is half upgraded: it has records of 3.6 and of an older release");
}

/* The level the store is in decides the defaults; an explicit compatibility_level only where the list is empty or agrees. */
static int settle_layout(struct store *st)
{
	enum conf_level found = LEVEL_AUTO, wanted = conf_level_wanted(st->conf);
	int r = layout_detect(st->mboxlist, &found);
	if (r == ERR_BADFORMAT) store_half_upgraded();
	if (r) return r;
	if (found == LEVEL_AUTO) found = wanted == LEVEL_AUTO ? LEVEL_36 : wanted;
	if (wanted != LEVEL_AUTO && wanted != found)
		log_msg(LOG_WARNING,
			"compatibility_level differs from the layout of the mailbox list; the list's layout is used for its records");
	return store_use_level(st, found);
}

int store_use_level(struct store *st, enum conf_level level)
{
	bool sorted = st->layout && st->layout->level == LEVEL_25 && conf_bool(st->conf, OPT_IMPROVED_MBOXLIST_SORT),
		known = st->layout;
	enum conf_level wanted = conf_level_wanted(st->conf);
	st->layout = level == LEVEL_25 ? &layout_25 : &layout_36;
	conf_set_level(st->conf, wanted == LEVEL_AUTO ? level : wanted);
	namespace_free(&st->ns);
	int r = namespace_init(&st->ns, st->conf, true);
	if (r) log_msg(LOG_ERR, "Invalid namespace prefix in configuration file");
	st->ns.level = level;                   /* how names are stored follows the list, whatever the defaults */
	if (!r && known) r = resort(st, sorted);
	return r;
}

enum { SOURCE_DATABASE, SOURCE_SPOOL };        /* the words of mboxlist_source */

int store_open(struct store **out, struct conf *conf, bool create)
{
	if (conf_enum(conf, OPT_MBOXLIST_SOURCE) != SOURCE_SPOOL) return store_open_list(out, conf, NULL, create);
	char *path = spool_list_current(conf);
	*out = NULL;
	int r = path ? store_open_list(out, conf, path, false) : ERR_IO;
	if (!r) (*out)->listed_by_spool = true;
	free(path);
	return r;
}

enum { ORDER_SAMPLE = 1000 };                  /* records of a table that must be sorted as improved_mboxlist_sort says */

int store_check_order(struct store *st, struct cyrusdb *db)
{
	return st->layout->level == LEVEL_25 && cyrusdb_check_order(db, ORDER_SAMPLE) ? ERR_IO : 0;
}

int store_open_list(struct store **out, struct conf *conf, const char *mboxlist, bool create)
{
	struct store *st = mem_zalloc(sizeof *st);
	struct buf path = BUF_INIT;
	st->conf = conf;
	st->session_id = "";
	st->macros = acl_macros(conf_word(conf, OPT_DELETERIGHT));
	st->dbs = dbconf_env(conf, false);
	if (mboxlist) buf_puts(&path, mboxlist);
	else path_conf(st, OPT_MBOXLIST_DB_PATH, "mailboxes.db", &path);
	/* A crashed list must not be recovered in the wrong order: until it is known whose list it is, the option is believed. */
	bool sorted = conf_level_wanted(conf) != LEVEL_36 && conf_bool(conf, OPT_IMPROVED_MBOXLIST_SORT);
	int r = open_list(st, buf_cstr(&path), (create ? CYRUSDB_CREATE : 0) | (sorted ? CYRUSDB_MBOXSORT : 0));
	if (!r) r = settle_layout(st);
	if (!r) r = resort(st, sorted);
	if (!r) r = store_check_order(st, st->mboxlist);
	buf_free(&path);
	if (r) {
		store_close(st);
		st = NULL;
	}
	*out = st;
	return r;
}

void store_close(struct store *st)
{
	if (!st) return;
	while (st->mailboxes) {
		struct mailbox *mb = st->mailboxes;
		mailbox_abort(mb);
		mb->refs = 1;
		mailbox_close(&mb);
	}
	spool_walk_log_rest(st);
	if (st->statuscache) cyrusdb_close(st->statuscache);
	if (st->racl) cyrusdb_close(st->racl);
	if (st->mboxlist) cyrusdb_close(st->mboxlist);
	cyrusdb_env_free(st->dbs);
	namespace_free(&st->ns);
	free(st);
}
