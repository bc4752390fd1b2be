/* annotdb.c - see annotdb.h. */
#include "store/annotdb.h"
#include "base/log.h"
#include "store/layout.h"
#include "store/paths.h"

#include <string.h>
#include <unistd.h>

int annotdb_open(struct store *st, int flags, struct cyrusdb **db)
{
	struct buf path = BUF_INIT;
	int rc = CYRUSDB_NOTFOUND;
	path_conf(st, OPT_ANNOTATION_DB_PATH, "annotations.db", &path);
	if (flags || access(buf_cstr(&path), F_OK) == 0)
		rc = cyrusdb_open(st->dbs, conf_word(st->conf, OPT_ANNOTATION_DB), buf_cstr(&path), flags, db);
	if (rc && rc != CYRUSDB_NOTFOUND) log_msg(LOG_ERR, "DBERROR: opening %s: %s", buf_cstr(&path), cyrusdb_strerror(rc));
	buf_free(&path);
	return rc;
}

bool annotdb_scope(const struct store *st, const struct mbentry *e, struct buf *out)
{
	size_t before = out->len;
	if (e) st->layout->annot_scope(e, out);
	if (e && out->len == before) return false;
	buf_putc(out, 0);
	return true;
}

const char *annotdb_user(const struct store *st, const struct mbentry *e, const char *userid)
{
	return e && st->layout->annot_owner_token && mbname_owned_by(&e->parts, userid, &st->ns) ? ANNOTROW_OWNER : userid;
}

bool annotdb_key(const struct store *st, const struct mbentry *e, const char *entry, const char *user, struct buf *out)
{
	if (!annotdb_scope(st, e, out)) return false;
	buf_append(out, entry, strlen(entry) + 1);
	buf_append(out, user, strlen(user) + 1);
	return true;
}

void annotdb_value(const struct store *st, const char *value, size_t len, uint64_t modseq, struct buf *out)
{
	annotrow_print(&(struct annotrow){ .value = value, .len = len, .has_tail = st->layout->annot_modseq, .modseq = modseq }, out);
}

int annotdb_fetch(struct cyrusdb *db, const struct buf *key, struct annotrow *row, struct cyrusdb_txn **txn)
{
	const char *val;
	size_t len;
	int rc = cyrusdb_fetch(db, key->s, key->len, &val, &len, txn);
	return rc ? rc : annotrow_live(val, len, row) && row->len ? 0 : CYRUSDB_NOTFOUND;
}
