/* annots.c - see annots.h. */
#include "store/annots.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "store/mailbox.h"
#include "store/mboxlist.h"
#include "store/paths.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OWNER_TOKEN "[.OwNeR.]"

struct annots {
	struct store *st;
	struct cyrusdb *db;
	char *userid;
};

static int open_db(struct store *st, int flags, struct cyrusdb **db)
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

struct annots *annots_open(struct store *st, const char *userid)
{
	struct cyrusdb *db;
	if (!userid || open_db(st, 0, &db)) return NULL;
	struct annots *a = mem_alloc(sizeof *a);
	*a = (struct annots){ st, db, mem_strdup(userid) };
	return a;
}

void annots_close(struct annots *a)
{
	if (!a) return;
	cyrusdb_close(a->db);
	free(a->userid);
	free(a);
}

/* ------------------------------------------------------------------------------------------------ rows */

static void scope(struct store *st, const struct mbentry *e, struct buf *key)
{
	if (e) st->layout->annot_scope(e, key);
	buf_putc(key, 0);
}

static bool owned(struct store *st, const struct mbentry *e, const char *userid)
{
	return e && st->layout->annot_owner_token && mbname_owned_by(&e->parts, userid, &st->ns);
}

static void row_key(struct store *st, const struct mbentry *e, const char *entry, const char *user, struct buf *key)
{
	scope(st, e, key);
	buf_append(key, entry, strlen(entry) + 1);
	buf_append(key, user, strlen(user) + 1);
}

/* Spec 8.2. False: damaged, or a tombstone. */
static bool row_value(const char *val, size_t len, const char **p, size_t *n)
{
	if (len < 8 || (*n = get_be32(val)) > len - 8 || !*n || (len >= *n + 37 && val[*n + 36] & 1)) return false;
	*p = val + 8;
	return true;
}

static bool fetch(struct annots *a, const struct mbentry *e, const char *entry, const char *user, struct buf *out)
{
	struct buf key = BUF_INIT;
	const char *val, *p;
	size_t len, n;
	row_key(a->st, e, entry, user, &key);
	bool ok = !cyrusdb_fetch(a->db, key.s, key.len, &val, &len, NULL) && row_value(val, len, &p, &n);
	if (ok) buf_append(out, p, n);
	buf_free(&key);
	return ok;
}

bool annots_get(struct annots *a, const struct mbentry *e, const char *entry, bool shared, struct buf *out)
{
	if (!a) return false;
	if (shared) return fetch(a, e, entry, "", out);
	return (owned(a->st, e, a->userid) && fetch(a, e, entry, OWNER_TOKEN, out)) || fetch(a, e, entry, a->userid, out);
}

struct each {
	struct annots *a;
	size_t prefix;
	bool owner;
	struct buf own;                   /* the last entry that was the user's own: by the token, and by his id */
	annots_cb *cb;
	void *arg;
};

static int one_row(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	struct each *x = arg;
	const char *entry = key + x->prefix, *end = key + keylen, *nul = memchr(entry, 0, (size_t)(end - entry)), *p;
	size_t n;
	if (!nul || !row_value(val, vallen, &p, &n)) return 0;
	size_t userlen = strnlen(nul + 1, (size_t)(end - nul - 1));
	bool shared = !userlen;
	bool mine = (x->owner && userlen == strlen(OWNER_TOKEN) && !memcmp(nul + 1, OWNER_TOKEN, userlen))
		|| (userlen == strlen(x->a->userid) && !memcmp(nul + 1, x->a->userid, userlen));
	if (!shared && (!mine || buf_eq(&x->own, entry))) return 0;
	if (mine) buf_setcstr(&x->own, entry);
	char *name = mem_strdup(entry), *value = mem_dup(p, n);
	int r = x->cb(x->arg, name, shared, value, n);
	free(name);
	free(value);
	return r;
}

int annots_each(struct annots *a, const struct mbentry *e, annots_cb *cb, void *arg)
{
	struct buf key = BUF_INIT;
	if (!a) return 0;
	scope(a->st, e, &key);
	struct each x = { .a = a, .prefix = key.len, .owner = owned(a->st, e, a->userid), .cb = cb, .arg = arg };
	int r = cyrusdb_foreach(a->db, key.s, key.len, NULL, one_row, &x, NULL);
	if (r < 0) log_msg(LOG_ERR, "DBERROR: reading annotations: %s", cyrusdb_strerror(r));
	buf_free(&key);
	buf_free(&x.own);
	return r < 0 ? ERR_IO : r;
}

/* ------------------------------------------------------------------------------------------------ changing */

static void print_row(const struct store *st, const struct annots_change *c, struct buf *out)
{
	char word[8] = { 0 };
	put_be32(word, (uint32_t)c->len);
	buf_append(out, word, 8);
	buf_append(out, c->value, c->len);
	buf_append(out, "\0text/plain", 12);
	buf_append(out, "\0\0\0\0\0\0\0\0", 8);
	if (st->layout->annot_modseq) buf_append(out, "\0\0\0\0\0\0\0\0\0", 9);
}

static int change_row(struct store *st, struct cyrusdb *db, const char *userid, const struct mbentry *e,
	const struct annots_change *c, int64_t *diff, bool *changed, struct cyrusdb_txn **txn)
{
	struct buf key = BUF_INIT, val = BUF_INIT;
	const char *old, *p = NULL;
	size_t oldlen, n = 0, want = c->value ? c->len : 0;
	row_key(st, e, c->entry, c->shared ? "" : owned(st, e, userid) ? OWNER_TOKEN : userid, &key);
	int rc = cyrusdb_fetch(db, key.s, key.len, &old, &oldlen, txn);
	bool there = !rc;
	if (there && !row_value(old, oldlen, &p, &n)) n = 0;
	if (rc == CYRUSDB_NOTFOUND) rc = 0;
	if (!rc && (want != n || (n && memcmp(p, c->value, n)) || (there && !n))) {
		*diff += (int64_t)want - (int64_t)n;
		*changed = true;
		if (want) {
			print_row(st, c, &val);
			rc = cyrusdb_store(db, key.s, key.len, val.s, val.len, txn);
		} else {
			rc = cyrusdb_delete(db, key.s, key.len, txn, true);
		}
	}
	buf_free(&key);
	buf_free(&val);
	return rc;
}

struct work {
	struct store *st;
	struct cyrusdb *db;
	struct cyrusdb_txn *txn;
	int64_t diff;
	bool changed;
};

static int change_rows(struct work *w, const char *userid, const struct mbentry *e, const struct annots_change *v, size_t n)
{
	int rc = n ? open_db(w->st, CYRUSDB_CREATE, &w->db) : 0;
	for (size_t i = 0; i < n && !rc; i++) rc = change_row(w->st, w->db, userid, e, &v[i], &w->diff, &w->changed, &w->txn);
	if (!rc) return 0;
	log_msg(LOG_ERR, "DBERROR: storing annotations of %s: %s", e ? e->name : "the server", cyrusdb_strerror(rc));
	return ERR_IO;
}

/* r: whether it is to be done. */
static int end_rows(struct work *w, int r)
{
	int rc = 0;
	if (w->txn && (r || !w->changed)) cyrusdb_abort(w->db, w->txn);
	else if (w->txn) rc = cyrusdb_commit(w->db, w->txn);
	w->txn = NULL;
	if (rc) log_msg(LOG_ERR, "DBERROR: storing annotations: %s", cyrusdb_strerror(rc));
	return r ? r : rc ? ERR_IO : 0;
}

static bool apply_options(struct mailbox *mb, const struct annots_options *o)
{
	uint32_t options = o ? (mb->h.options | o->set) & ~o->clear : mb->h.options;
	bool differs = options != mb->h.options || (o && o->pop3_show_after && *o->pop3_show_after != mb->h.pop3_show_after);
	if (!differs) return false;
	mailbox_touch_index(mb);
	mb->h.options = options;
	if (o->pop3_show_after) mb->h.pop3_show_after = *o->pop3_show_after;
	return true;
}

/* 3.6 tells clients and replicas by the modseq of mailbox and list. */
static int tell_others(struct mailbox *mb)
{
	struct mbentry e;
	if (mb->st->layout->level != LEVEL_36) return 0;
	uint64_t modseq = mailbox_next_modseq(mb);
	int r = mboxlist_lookup(mb->st, mb->entry.name, &e);
	if (r) return r;
	e.foldermodseq = modseq;
	r = mboxlist_put(mb->st, &e);
	mbentry_free(&e);
	return r;
}

static int change_mailbox(struct work *w, struct mailbox *mb, const char *userid, const struct annots_change *v, size_t n,
	const struct annots_options *o)
{
	int64_t diff[QUOTA_RESOURCES] = { 0 };
	int r = change_rows(w, userid, &mb->entry, v, n);
	diff[QUOTA_ANNOTSTORAGE] = w->diff;
	if (!r && w->diff > 0 && mb->hdr.quotaroot) r = quota_check(w->st, mb->hdr.quotaroot, diff, NULL);
	if (!r && w->changed) {
		mailbox_touch_index(mb);                   /* the commit that takes the mark away */
		r = mailbox_announce(mb);
	}
	r = end_rows(w, r);
	if (r) return r;
	if (w->changed) {
		mb->h.quota_annot_used = w->diff < 0 && mb->h.quota_annot_used < (uint64_t)-w->diff ? 0
			: mb->h.quota_annot_used + (uint64_t)w->diff;
	}
	return apply_options(mb, o) || w->changed ? tell_others(mb) : 0;
}

int annots_set(struct store *st, const char *userid, const struct mbentry *e, const struct annots_change *v, size_t n,
	const struct annots_options *options)
{
	struct work w = { .st = st };
	struct mailbox *mb;
	int r;
	if (!e) {
		r = end_rows(&w, change_rows(&w, userid, NULL, v, n));
	} else if (!(r = mailbox_open(st, e->name, &mb))) {
		r = mailbox_lock(mb, LOCK_EXCLUSIVE);
		if (!r) {
			r = change_mailbox(&w, mb, userid, v, n, options);
			int r2 = mailbox_unlock(mb);
			if (!r) r = r2;
		}
		mailbox_close(&mb);
	}
	cyrusdb_close(w.db);
	return r;
}
