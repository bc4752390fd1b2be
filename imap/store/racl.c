/* racl.c - the reverse ACL rows of the mailbox list as a whole: proven equal to the ACLs, or put right. See racl.h. */
#include "store/racl.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/layout.h"
#include "store/mboxlist.h"

#include <string.h>

/* ------------------------------------------------------------------------------------------------ the rows of one entry */

struct racl {
	struct store *st;
	const struct mbentry *e;
	bool admins;
	racl_row_cb *cb;
	void *arg;
};

static bool is_admin(const struct store *st, const char *id)
{
	const char *admins = conf_str(st->conf, OPT_ADMINS);
	struct strarray a = STRARRAY_INIT;
	strarray_split(&a, admins ? admins : "", " \t");
	bool r = strarray_find(&a, id) >= 0;
	strarray_free(&a);
	return r;
}

static void racl_one(void *arg, const char *id, const char *rights)
{
	struct racl *c = arg;
	if (!(acl_rights_parse(rights, &c->st->macros, NULL) & (ACL_LOOKUP | ACL_READ))) return;
	if (mbname_owned_by(&c->e->parts, id, &c->st->ns) || (!c->admins && is_admin(c->st, id))) return;
	struct buf row = BUF_INIT, key = BUF_INIT;
	size_t letters = strlen(c->st->layout->scan_prefix);
	c->st->layout->key(&c->st->ns, &c->e->parts, &key);
	buf_printf(&row, "A%c\x1e%s\x1e", c->e->parts.localpart ? 'U' : 'S', id);
	buf_append(&row, key.s + letters, key.len - letters);
	c->cb(c->arg, row.s, row.len);
	buf_free(&row);
	buf_free(&key);
}

void racl_rows(struct store *st, const struct mbentry *e, bool admins, racl_row_cb *cb, void *arg)
{
	struct racl c = { st, e, admins, cb, arg };
	if (!(e->flags & MBENTRY_DELETED)) acl_each(e->acl, racl_one, &c);
}

/* ------------------------------------------------------------------------------------------------ all rows of a list of 3.6 */

struct rows {
	struct store *st;
	struct hash *wanted;              /* key -> anything: rows that the ACLs ask for and the list has not */
	struct strarray stale;            /* rows that nothing asks for; without their NULs, which no row has */
	const char *marker;
	bool marked;
	struct cyrusdb_txn **txn;
	bool keep;
	int rc;
};

static void want(void *arg, const char *key, size_t len)
{
	struct rows *r = arg;
	hash_put(r->wanted, key, len, r);
}

static int want_rows_of(void *arg, const struct mbentry *e)
{
	struct rows *r = arg;
	racl_rows(r->st, e, false, want, r);
	return 0;
}

static int compare_row(void *arg, const char *key, size_t keylen, const char *val, size_t vallen, struct buf *seek)
{
	struct rows *r = arg;
	(void)val, (void)vallen, (void)seek;
	if (*key != 'A') return ERR_COUNT;
	if (keylen == strlen(r->marker) && !memcmp(key, r->marker, keylen)) r->marked = true;
	else if (!hash_remove(r->wanted, key, keylen)) strarray_take(&r->stale, mem_dup(key, keylen));
	return 0;
}

static int add_row(void *arg, const void *key, size_t len, void *value)
{
	struct rows *r = arg;
	(void)value;
	r->rc = cyrusdb_store(r->st->mboxlist, key, len, "", 0, r->txn);
	return r->rc;
}

static int put_right(void *arg, struct cyrusdb *db, struct cyrusdb_txn **txn)
{
	struct rows *r = arg;
	size_t n = strlen(r->marker);
	r->txn = txn;
	r->rc = 0;
	if (r->keep) hash_each(r->wanted, add_row, r);
	for (size_t i = 0; i < r->stale.n && !r->rc; i++) r->rc = cyrusdb_delete(db, r->stale.v[i], strlen(r->stale.v[i]), txn, true);
	if (r->rc || r->keep == r->marked) return r->rc;
	return r->keep ? cyrusdb_store(db, r->marker, n, "", 0, txn) : cyrusdb_delete(db, r->marker, n, txn, true);
}

int racl_settle(struct store *st, bool keep, size_t *missing, size_t *stale)
{
	struct rows r = { .st = st, .wanted = hash_new(), .marker = st->layout->racl_marker, .keep = keep };
	*missing = *stale = 0;
	int e = 0;
	if (r.marker) {
		if (keep) e = mboxlist_each(st, NULL, MBOXLIST_LIVE, want_rows_of, &r);
		int rc = cyrusdb_walk(st->mboxlist, "A", 1, compare_row, &r);
		if (!e && rc && rc != ERR_COUNT) e = ERR_IO;
		*missing = hash_count(r.wanted);
		*stale = r.stale.n;
		if (!e) r.rc = cyrusdb_transact(st->mboxlist, put_right, &r);
		if (r.rc) e = ERR_IO;
	}
	if (r.rc) log_msg(LOG_ERR, "DBERROR: mailbox list: reverse ACL rows: %s", cyrusdb_strerror(r.rc));
	hash_free(r.wanted, NULL);
	strarray_free(&r.stale);
	return e;
}
