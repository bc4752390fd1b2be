/* subs.c - see subs.h. */
#include "store/subs.h"
#include "base/err.h"
#include "base/log.h"
#include "db/dbconf.h"
#include "store/layout.h"
#include "store/synclog.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* write: made when missing, with its version record. ERR_NOTFOUND: reading, and there is none. */
static int open_db(struct store *st, const char *userid, bool write, struct cyrusdb **db)
{
	struct buf path = BUF_INIT;
	st->layout->user_file(st, userid, "sub", &path);
	int rc = cyrusdb_open(st->dbs, conf_word(st->conf, OPT_SUBSCRIPTION_DB), buf_cstr(&path),
		(write ? CYRUSDB_CREATE : 0) | dbconf_sort_flag(st->conf), db);
	if (rc && rc != CYRUSDB_NOTFOUND) log_msg(LOG_ERR, "DBERROR: opening %s: %s", buf_cstr(&path), cyrusdb_strerror(rc));
	buf_free(&path);
	if (rc) return rc == CYRUSDB_NOTFOUND ? ERR_NOTFOUND : ERR_IO;
	if (store_check_order(st, *db)) {
		cyrusdb_close(*db);
		return ERR_IO;
	}
	const char *key = st->layout->sub_version_key, *val;
	size_t len;
	if (write && key && cyrusdb_fetch(*db, key, strlen(key), &val, &len, NULL) == CYRUSDB_NOTFOUND)
		cyrusdb_store(*db, key, strlen(key), st->layout->sub_version, strlen(st->layout->sub_version), NULL);
	return 0;
}

int subs_set(struct store *st, const char *userid, const struct mbname *n, bool subscribed)
{
	struct cyrusdb *db;
	struct buf key = BUF_INIT;
	int r = open_db(st, userid, subscribed, &db), rc;
	if (r) return r == ERR_NOTFOUND ? 0 : r;
	st->layout->sub_key(st, userid, n, &key);
	rc = subscribed ? cyrusdb_store(db, key.s, key.len, "", 0, NULL) : cyrusdb_delete(db, key.s, key.len, NULL, true);
	buf_free(&key);
	cyrusdb_close(db);
	if (rc) return ERR_IO;
	char *name = mbname_internal(n, &st->ns);
	synclog(st, "SUB", userid, name);
	free(name);
	return 0;
}

bool subs_has(struct store *st, const char *userid, const struct mbname *n)
{
	struct cyrusdb *db;
	struct buf key = BUF_INIT;
	const char *val;
	size_t len;
	if (open_db(st, userid, false, &db)) return false;
	st->layout->sub_key(st, userid, n, &key);
	bool found = !cyrusdb_fetch(db, key.s, key.len, &val, &len, NULL);
	buf_free(&key);
	cyrusdb_close(db);
	return found;
}

struct each {
	struct store *st;
	const char *userid;
	int (*cb)(void *, const struct mbname *);
	void *arg;
};

static int each_one(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	struct each *it = arg;
	struct mbname n;
	(void)val, (void)vallen;
	if (it->st->layout->sub_decode(it->st, it->userid, key, keylen, &n)) return 0;
	int r = it->cb(it->arg, &n);
	mbname_free(&n);
	return r;
}

int subs_each(struct store *st, const char *userid, int (*cb)(void *, const struct mbname *), void *arg)
{
	struct cyrusdb *db;
	struct each it = { st, userid, cb, arg };
	int r = open_db(st, userid, false, &db);
	if (r) return r == ERR_NOTFOUND ? 0 : r;
	bool held = !cyrusdb_hold(db);
	r = cyrusdb_foreach(db, "", 0, NULL, each_one, &it, NULL);
	if (held) cyrusdb_release(db);
	cyrusdb_close(db);
	return r < 0 ? ERR_IO : r;
}
