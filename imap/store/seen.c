/* seen.c - see seen.h. */
#include "store/seen.h"
#include "base/err.h"
#include "base/log.h"
#include "base/num.h"
#include "store/layout.h"
#include "store/synclog.h"

#include <string.h>

void seen_free(struct seen *s) { seqset_free(&s->uids); }

static bool field(const char **p, const char *end, uint64_t *v)
{
	if (!num_u64(p, end, v)) return false;
	if (*p < end && **p == ' ') ++*p;
	return true;
}

int seen_parse(struct seen *s, const char *p, size_t len)
{
	const char *end = p + len;
	uint64_t version, lastread, lastuid, lastchange;
	*s = (struct seen){ .uids = SEQSET_INIT };
	if (!field(&p, end, &version) || version != 1 || !field(&p, end, &lastread) || !field(&p, end, &lastuid)
		|| !field(&p, end, &lastchange)
	    || lastuid > UINT32_MAX) return ERR_BADFORMAT;
	s->lastread = (time_t)lastread;
	s->lastuid = (uint32_t)lastuid;
	s->lastchange = (time_t)lastchange;
	if (p < end && seqset_parse(&s->uids, p, (size_t)(end - p))) return ERR_SYNTAX;
	seqset_resolve(&s->uids, s->lastuid);
	return 0;
}

void seen_print(struct seen *s, struct buf *out)
{
	buf_printf(out, "1 %lld %u %lld ", (long long)s->lastread, s->lastuid, (long long)s->lastchange);
	seqset_print(&s->uids, out);
}

static int open_db(struct store *st, const char *userid, struct cyrusdb **db)
{
	struct buf path = BUF_INIT;
	st->layout->user_file(st, userid, "seen", &path);
	int rc = cyrusdb_open(st->dbs, conf_word(st->conf, OPT_SEENSTATE_DB), buf_cstr(&path), CYRUSDB_CREATE | CYRUSDB_CONVERT, db);
	if (rc) log_msg(LOG_ERR, "DBERROR: opening %s: %s", buf_cstr(&path), cyrusdb_strerror(rc));
	buf_free(&path);
	return rc ? ERR_IO : 0;
}

static int fetch(struct cyrusdb *db, const char *userid, const char *id, struct seen *out, struct cyrusdb_txn **txn)
{
	const char *val;
	size_t len;
	*out = (struct seen){ .uids = SEQSET_INIT };
	int rc = cyrusdb_fetch(db, id, strlen(id), &val, &len, txn);
	if (rc == CYRUSDB_NOTFOUND) return 0;
	if (rc) return ERR_IO;
	int r = seen_parse(out, val, len);
	if (r == ERR_SYNTAX) log_msg(LOG_ERR, "DBERROR: invalid sequence <%.*s> for %s %s - nuking", (int)len, val, userid, id);
	else if (r) log_msg(LOG_ERR, "DBERROR: seen state of %s for %s has an unknown version", userid, id);
	return r == ERR_SYNTAX ? 0 : r;
}

int seen_read(struct store *st, const char *userid, const char *uniqueid, struct seen *out)
{
	struct cyrusdb *db;
	*out = (struct seen){ .uids = SEQSET_INIT };
	int r = open_db(st, userid, &db);
	if (r) return r;
	r = fetch(db, userid, uniqueid, out, NULL);
	cyrusdb_close(db);
	return r;
}

struct change {
	const char *userid, *uniqueid;
	bool (*fn)(void *, struct seen *);
	void *arg;
	int r;                            /* of reading the record */
};

static int try_change(void *arg, struct cyrusdb *db, struct cyrusdb_txn **txn)
{
	struct change *c = arg;
	struct seen s;
	int rc = CYRUSDB_DONE;
	c->r = fetch(db, c->userid, c->uniqueid, &s, txn);
	if (!c->r && c->fn(c->arg, &s)) {
		struct buf b = BUF_INIT;
		seen_print(&s, &b);
		rc = cyrusdb_store(db, c->uniqueid, strlen(c->uniqueid), b.s, b.len, txn);
		buf_free(&b);
	}
	seen_free(&s);
	return rc;
}

int seen_update(struct store *st, const char *userid, const char *uniqueid, bool (*change)(void *, struct seen *), void *arg)
{
	struct cyrusdb *db;
	struct change c = { userid, uniqueid, change, arg, 0 };
	int r = open_db(st, userid, &db);
	if (r) return r;
	int rc = cyrusdb_transact(db, try_change, &c);
	cyrusdb_close(db);
	if (!rc) synclog(st, "SEEN", userid, uniqueid);
	return rc && rc != CYRUSDB_DONE ? ERR_IO : c.r;
}

int seen_delete(struct store *st, const char *userid, const char *uniqueid)
{
	struct cyrusdb *db;
	int r = open_db(st, userid, &db);
	if (r) return r;
	r = cyrusdb_delete(db, uniqueid, strlen(uniqueid), NULL, true) ? ERR_IO : 0;
	cyrusdb_close(db);
	return r;
}
