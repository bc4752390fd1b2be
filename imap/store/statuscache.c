/* statuscache.c - see statuscache.h. */
#include "store/statuscache.h"
#include "base/log.h"
#include "store/paths.h"

#include <string.h>
#include <unistd.h>

static bool open_cache(struct store *st)
{
	struct buf path = BUF_INIT;
	if (st->statuscache) return true;
	path_conf(st, OPT_STATUSCACHE_DB_PATH, "statuscache.db", &path);
	if (access(buf_cstr(&path), F_OK) == 0) {                 /* nothing to drop from a file that is not there */
		int rc = cyrusdb_open(st->dbs, conf_word(st->conf, OPT_STATUSCACHE_DB), buf_cstr(&path), 0, &st->statuscache);
		if (rc) log_msg(LOG_ERR, "DBERROR: opening %s: %s", buf_cstr(&path), cyrusdb_strerror(rc));
	}
	buf_free(&path);
	return st->statuscache != NULL;
}

struct drop {
	struct cyrusdb *db;
	size_t namelen;
};

/* Keys are "NAME%" or "NAME%%USER"; the mailbox "NAME%x" is another one. */
static int drop_row(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	struct drop *d = arg;
	(void)val, (void)vallen;
	if (keylen == d->namelen + 1 || key[d->namelen + 1] == '%') cyrusdb_delete(d->db, key, keylen, NULL, true);
	return 0;
}

void statuscache_invalidate(struct store *st, const char *mboxname)
{
	if (!conf_bool(st->conf, OPT_STATUSCACHE) || !open_cache(st)) return;
	struct buf prefix = BUF_INIT;
	buf_printf(&prefix, "%s%%", mboxname);
	struct drop d = { st->statuscache, strlen(mboxname) };
	int rc = cyrusdb_foreach(st->statuscache, prefix.s, prefix.len, NULL, drop_row, &d, NULL);
	if (rc) log_msg(LOG_ERR, "DBERROR: statuscache: %s: %s", mboxname, cyrusdb_strerror(rc));
	buf_free(&prefix);
}
