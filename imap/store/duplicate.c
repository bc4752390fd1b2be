/* duplicate.c - see duplicate.h. */
#include "store/duplicate.h"
#include "base/err.h"
#include "base/log.h"
#include "store/paths.h"

#include <string.h>

enum { VALUE_SIZE = 16, OLD_VALUE_SIZE = 8 };      /* native 8-byte time, native 8-byte UID; the time only */

struct cyrusdb *duplicate_open(struct store *st)
{
	struct buf path = BUF_INIT;
	struct cyrusdb *db = NULL;
	path_conf(st, OPT_DUPLICATE_DB_PATH, "deliver.db", &path);
	int rc = cyrusdb_open(st->dbs, conf_word(st->conf, OPT_DUPLICATE_DB), buf_cstr(&path), CYRUSDB_CREATE, &db);
	if (rc) log_msg(LOG_ERR, "DBERROR: opening %s: %s", buf_cstr(&path), cyrusdb_strerror(rc));
	buf_free(&path);
	return rc ? NULL : db;
}

void duplicate_close(struct cyrusdb *db)
{
	if (db) cyrusdb_close(db);
}

static void put_part(struct buf *b, const char *s)
{
	buf_puts(b, s ? s : "");
	buf_putc(b, 0);
}

static void build(const struct duplicate_key *key, struct buf *b)
{
	put_part(b, key->id);
	put_part(b, key->to);
	put_part(b, key->date);
}

time_t duplicate_check(struct cyrusdb *db, const struct duplicate_key *key, uint32_t *uid)
{
	struct buf k = BUF_INIT;
	const char *val;
	size_t len;
	int64_t when = 0;
	uint64_t number = 0;
	if (!db) return 0;
	build(key, &k);
	int rc = cyrusdb_fetch(db, k.s, k.len, &val, &len, NULL);
	buf_free(&k);
	if (rc && rc != CYRUSDB_NOTFOUND)
		log_msg(LOG_ERR, "DBERROR: looking up %s/%s/%s: %s", key->id, key->to, key->date ? key->date : "", cyrusdb_strerror(rc));
	if (rc || len < OLD_VALUE_SIZE) return 0;
	memcpy(&when, val, sizeof when);
	if (len >= VALUE_SIZE) memcpy(&number, val + sizeof when, sizeof number);
	if (uid) *uid = (uint32_t)number;
	return (time_t)when;
}

int duplicate_mark(struct cyrusdb *db, const struct duplicate_key *key, time_t when, uint32_t uid)
{
	struct buf k = BUF_INIT;
	int64_t t = when;
	uint64_t number = uid;
	char val[VALUE_SIZE];
	if (!db) return 0;
	memcpy(val, &t, sizeof t);
	memcpy(val + sizeof t, &number, sizeof number);
	build(key, &k);
	int rc = cyrusdb_store(db, k.s, k.len, val, sizeof val, NULL);
	buf_free(&k);
	if (rc) log_msg(LOG_ERR, "DBERROR: error updating delivery database: %s", cyrusdb_strerror(rc));
	return rc ? ERR_IO : 0;
}
