/* mboxlist.c - see mboxlist.h. */
#include "store/mboxlist.h"
#include "base/err.h"
#include "base/log.h"
#include "store/layout.h"

#include <stdlib.h>
#include <string.h>

int mboxlist_lookup_parts(struct store *st, const struct mbname *n, struct mbentry *out)
{
	struct buf key = BUF_INIT;
	const char *val;
	size_t len;
	*out = (struct mbentry){ 0 };
	st->layout->key(&st->ns, n, &key);
	int rc = cyrusdb_fetch(st->mboxlist, key.s, key.len, &val, &len, NULL);
	int r = rc == CYRUSDB_NOTFOUND ? ERR_NOMAILBOX : rc ? ERR_IO : st->layout->decode(&st->ns, key.s, key.len, val, len, out);
	if (r == ERR_BADFORMAT) log_msg(LOG_ERR, "DBERROR: mailbox list: damaged record of %.*s", (int)key.len, key.s);
	buf_free(&key);
	return r == ERR_NOTFOUND ? ERR_NOMAILBOX : r;
}

int mboxlist_lookup_any(struct store *st, const char *name, struct mbentry *out)
{
	struct mbname n;
	*out = (struct mbentry){ 0 };
	if (mbname_from_internal(&n, name, &st->ns)) return ERR_NOMAILBOX;
	int r = mboxlist_lookup_parts(st, &n, out);
	mbname_free(&n);
	return r;
}

int mboxlist_lookup(struct store *st, const char *name, struct mbentry *out)
{
	int r = mboxlist_lookup_any(st, name, out);
	if (r || !(out->flags & (MBENTRY_DELETED | MBENTRY_INTERMEDIATE | MBENTRY_RESERVED))) return r;
	mbentry_free(out);
	return ERR_NOMAILBOX;
}

/* ------------------------------------------------------------------------------------------------ iteration */

struct each {
	struct store *st;
	enum mboxlist_which which;
	mboxlist_cb *cb;
	void *arg;
};

static int each_record(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	struct each *it = arg;
	struct mbentry e;
	int r = it->st->layout->decode(&it->st->ns, key, keylen, val, vallen, &e);
	if (r == ERR_BADFORMAT) log_msg(LOG_ERR, "DBERROR: mailbox list: damaged record of %.*s", (int)keylen, key);
	if (r) return 0;
	if (it->which == MBOXLIST_ALL || !(e.flags & (MBENTRY_DELETED | MBENTRY_INTERMEDIATE | MBENTRY_RESERVED)))
		r = it->cb(it->arg, &e);
	mbentry_free(&e);
	return r;
}

/* The key prefix of everything strictly below n. */
static void below(struct store *st, const struct mbname *n, struct buf *out)
{
	if (n->deleted) {                       /* the time is the last component and the children come before it */
		st->layout->key(&st->ns, n, out);
		buf_truncate(out, out->len - 8);
		return;
	}
	struct mbname child;
	mbname_copy(&child, n);
	strarray_append(&child.boxes, "x");
	st->layout->key(&st->ns, &child, out);
	buf_truncate(out, out->len - 1);
	mbname_free(&child);
}

int mboxlist_each(struct store *st, const struct mbname *under, enum mboxlist_which which, mboxlist_cb *cb, void *arg)
{
	struct each it = { st, which, cb, arg };
	struct buf prefix = BUF_INIT;
	int r = 0;
	if (under) {
		struct mbentry e;
		if (!mboxlist_lookup_parts(st, under, &e)) {
			if (which == MBOXLIST_ALL || !(e.flags & (MBENTRY_DELETED | MBENTRY_INTERMEDIATE | MBENTRY_RESERVED)))
				r = cb(arg, &e);
			mbentry_free(&e);
		}
		below(st, under, &prefix);
	} else {
		buf_puts(&prefix, st->layout->scan_prefix);
	}
	if (!r) r = cyrusdb_foreach(st->mboxlist, prefix.s ? prefix.s : "", prefix.len, NULL, each_record, &it, NULL);
	buf_free(&prefix);
	return r < 0 ? ERR_IO : r;
}

static int found_one(void *arg, const struct mbentry *e)
{
	(void)arg, (void)e;
	return ERR_COUNT;
}

bool mboxlist_has_children(struct store *st, const struct mbname *n)
{
	struct each it = { st, MBOXLIST_LIVE, found_one, NULL };
	struct buf prefix = BUF_INIT;
	below(st, n, &prefix);
	int r = cyrusdb_foreach(st->mboxlist, prefix.s, prefix.len, NULL, each_record, &it, NULL);
	buf_free(&prefix);
	return r == ERR_COUNT;
}

/* ------------------------------------------------------------------------------------------------ changes */

/* One of the layout's three, as often as it takes. */
struct change {
	struct store *st;
	int (*one)(struct store *st, const struct mbentry *e, struct cyrusdb_txn **txn);
	int (*two)(struct store *st, const struct mbentry *from, const struct mbentry *to, struct cyrusdb_txn **txn);
	const struct mbentry *e, *to;
	const char *what;
};

static int try_change(void *arg, struct cyrusdb *db, struct cyrusdb_txn **txn)
{
	const struct change *c = arg;
	(void)db;
	return c->one ? c->one(c->st, c->e, txn) : c->two(c->st, c->e, c->to, txn);
}

static int change_list(struct change c)
{
	if (c.st->listed_by_spool) return ERR_NOTSUPPORTED;
	int rc = cyrusdb_transact(c.st->mboxlist, try_change, &c);
	if (!rc) return 0;
	log_msg(LOG_ERR, "DBERROR: mailbox list: cannot %s %s: %s", c.what, c.e->name, cyrusdb_strerror(rc));
	return ERR_IO;
}

int mboxlist_put(struct store *st, const struct mbentry *e)
{
	return change_list((struct change){ .st = st, .one = st->layout->put, .e = e, .what = "store" });
}

int mboxlist_bury(struct store *st, const struct mbentry *e)
{
	return change_list((struct change){ .st = st, .one = st->layout->bury, .e = e, .what = "delete" });
}

int mboxlist_move(struct store *st, const struct mbentry *from, const struct mbentry *to)
{
	return change_list((struct change){ .st = st, .two = st->layout->move, .e = from, .to = to, .what = "rename" });
}
