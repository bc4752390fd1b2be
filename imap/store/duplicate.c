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

void duplicate_key_print(const struct duplicate_key *key, struct buf *b)
{
	put_part(b, key->id);
	put_part(b, key->to);
	put_part(b, key->date);
}

int duplicate_key_parse(const char *p, size_t len, struct duplicate_key *key)
{
	const char **parts[] = { &key->id, &key->to, &key->date }, *end = p + len;
	for (int i = 0; i < 3; i++) {
		const char *nul = memchr(p, 0, (size_t)(end - p));
		if (!nul) return ERR_BADFORMAT;
		*parts[i] = p;
		p = nul + 1;
	}
	return p == end ? 0 : ERR_BADFORMAT;
}

int duplicate_mark_parse(const char *p, size_t len, struct duplicate_mark *m)
{
	*m = (struct duplicate_mark){ 0 };
	if (len != VALUE_SIZE && len != OLD_VALUE_SIZE) return ERR_BADFORMAT;
	memcpy(&m->when, p, sizeof m->when);
	if (len == VALUE_SIZE) memcpy(&m->uid, p + sizeof m->when, sizeof m->uid);
	return 0;
}

void duplicate_mark_print(const struct duplicate_mark *m, struct buf *out)
{
	buf_append(out, &m->when, sizeof m->when);
	buf_append(out, &m->uid, sizeof m->uid);
}

time_t duplicate_check(struct cyrusdb *db, const struct duplicate_key *key, uint32_t *uid)
{
	struct buf k = BUF_INIT;
	const char *val;
	size_t len;
	struct duplicate_mark m;
	if (!db) return 0;
	duplicate_key_print(key, &k);
	int rc = cyrusdb_fetch(db, k.s, k.len, &val, &len, NULL);
	buf_free(&k);
	if (rc && rc != CYRUSDB_NOTFOUND)
		log_msg(LOG_ERR, "DBERROR: looking up %s/%s/%s: %s", key->id, key->to, key->date ? key->date : "", cyrusdb_strerror(rc));
	if (rc || duplicate_mark_parse(val, len, &m)) return 0;
	if (uid) *uid = (uint32_t)m.uid;
	return (time_t)m.when;
}

int duplicate_mark(struct cyrusdb *db, const struct duplicate_key *key, time_t when, uint32_t uid)
{
	struct buf k = BUF_INIT, val = BUF_INIT;
	if (!db) return 0;
	duplicate_mark_print(&(struct duplicate_mark){ when, uid }, &val);
	duplicate_key_print(key, &k);
	int rc = cyrusdb_store(db, k.s, k.len, val.s, val.len, NULL);
	buf_free(&k);
	buf_free(&val);
	if (rc) log_msg(LOG_ERR, "DBERROR: error updating delivery database: %s", cyrusdb_strerror(rc));
	return rc ? ERR_IO : 0;
}
