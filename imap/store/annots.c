/* annots.c - see annots.h. */
#include "store/annots.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/annotdb.h"
#include "store/mailbox.h"
#include "store/mboxlist.h"

#include <stdlib.h>
#include <string.h>

struct annots {
	struct store *st;
	struct cyrusdb *db;
	char *userid;
};

struct annots *annots_open(struct store *st, const char *userid)
{
	struct cyrusdb *db;
	if (!userid || annotdb_open(st, 0, &db)) return NULL;
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

static bool fetch(struct annots *a, const struct mbentry *e, const char *entry, const char *user, struct buf *out)
{
	struct buf key = BUF_INIT;
	struct annotrow row;
	bool ok = annotdb_key(a->st, e, entry, user, &key) && !annotdb_fetch(a->db, &key, &row, NULL);
	if (ok) buf_append(out, row.value, row.len);
	buf_free(&key);
	return ok;
}

bool annots_get(struct annots *a, const struct mbentry *e, const char *entry, bool shared, struct buf *out)
{
	if (!a) return false;
	const char *user = shared ? "" : annotdb_user(a->st, e, a->userid);
	return fetch(a, e, entry, user, out) || (!shared && user != a->userid && fetch(a, e, entry, a->userid, out));
}

struct each {
	struct annots *a;
	const char *user;                 /* as annotdb_user() has it */
	struct buf own;                   /* the last entry that was the user's own: by the token, and by his id */
	annots_cb *cb;
	void *arg;
};

static int one_row(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	struct each *x = arg;
	struct annotkey k;
	struct annotrow row;
	if (annotkey_parse(key, keylen, &k) || !annotrow_live(val, vallen, &row) || !row.len) return 0;
	bool shared = annotkey_user_is(&k, key, keylen, "");
	bool mine = annotkey_user_is(&k, key, keylen, x->user) || annotkey_user_is(&k, key, keylen, x->a->userid);
	if (!shared && (!mine || buf_eq(&x->own, k.entry))) return 0;
	if (mine) buf_setcstr(&x->own, k.entry);
	char *name = mem_strdup(k.entry), *value = mem_dup(row.value, row.len);
	int r = x->cb(x->arg, name, shared, value, row.len);
	free(name);
	free(value);
	return r;
}

int annots_each(struct annots *a, const struct mbentry *e, annots_cb *cb, void *arg)
{
	struct buf key = BUF_INIT;
	if (!a || !annotdb_scope(a->st, e, &key)) return 0;
	struct each x = { .a = a, .user = annotdb_user(a->st, e, a->userid), .cb = cb, .arg = arg };
	int r = cyrusdb_foreach(a->db, key.s, key.len, NULL, one_row, &x, NULL);
	if (r < 0) log_msg(LOG_ERR, "DBERROR: reading annotations: %s", cyrusdb_strerror(r));
	buf_free(&key);
	buf_free(&x.own);
	return r < 0 ? ERR_IO : r;
}

/* ------------------------------------------------------------------------------------------------ changing */

/* What is to be done, and what the last try at it came to. */
struct work {
	struct store *st;
	const char *userid;
	const struct mbentry *e;
	struct mailbox *mb;                    /* NULL: the server */
	const struct annots_change *v;
	size_t n;
	int64_t diff;
	bool changed;
	int r;                                 /* why it is not to be */
};

static int change_row(struct work *w, const struct annots_change *c, struct cyrusdb *db, struct cyrusdb_txn **txn)
{
	struct buf key = BUF_INIT, val = BUF_INIT;
	struct annotrow old = { .len = 0 };
	const char *bytes;
	size_t n, want = c->value ? c->len : 0;
	int rc = CYRUSDB_INTERNAL;
	if (!annotdb_key(w->st, w->e, c->entry, c->shared ? "" : annotdb_user(w->st, w->e, w->userid), &key)) goto done;
	rc = cyrusdb_fetch(db, key.s, key.len, &bytes, &n, txn);
	bool there = !rc;
	if (there && !annotrow_live(bytes, n, &old)) old.len = 0;
	if (rc == CYRUSDB_NOTFOUND) rc = 0;
	if (rc || (want == old.len && (want ? !memcmp(old.value, c->value, want) : !there))) goto done;
	w->diff += (int64_t)want - (int64_t)old.len;
	w->changed = true;
	annotdb_value(w->st, c->value, want, 0, &val);
	rc = want ? cyrusdb_store(db, key.s, key.len, val.s, val.len, txn) : cyrusdb_delete(db, key.s, key.len, txn, true);
done:
	buf_free(&key);
	buf_free(&val);
	return rc;
}

/* Before the rows are committed: is there room, and the mark in the index that is taken away when its counters are right
 * again. */
static int prepare_mailbox(struct work *w)
{
	const int64_t diff[QUOTA_RESOURCES] = { [QUOTA_ANNOTSTORAGE] = w->diff };
	int r = w->diff > 0 && w->mb->hdr.quotaroot ? quota_check(w->st, w->mb->hdr.quotaroot, diff, NULL) : 0;
	if (r || !w->changed) return r;
	mailbox_touch_index(w->mb);
	return mailbox_announce(w->mb);
}

static int change_rows(void *arg, struct cyrusdb *db, struct cyrusdb_txn **txn)
{
	struct work *w = arg;
	int rc = 0;
	w->diff = 0;
	w->changed = false;
	for (size_t i = 0; i < w->n && !rc; i++) rc = change_row(w, &w->v[i], db, txn);
	if (rc) return rc;
	w->r = w->mb ? prepare_mailbox(w) : 0;
	return w->r || !w->changed ? CYRUSDB_DONE : 0;
}

static int run(struct work *w)
{
	struct cyrusdb *db = NULL;
	if (!w->n) return 0;
	int rc = annotdb_open(w->st, CYRUSDB_CREATE, &db);
	if (!rc) rc = cyrusdb_transact(db, change_rows, w);
	cyrusdb_close(db);
	if (!rc || rc == CYRUSDB_DONE) return w->r;
	log_msg(LOG_ERR, "DBERROR: storing annotations of %s: %s", w->e ? w->e->name : "the server", cyrusdb_strerror(rc));
	return ERR_IO;
}

int annots_put(struct store *st, const char *userid, const struct mbentry *e, const char *entry, const char *value)
{
	const struct annots_change c = { entry, false, value, strlen(value) };
	return run(&(struct work){ .st = st, .userid = userid, .e = e, .v = &c, .n = 1 });
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

static int change_mailbox(struct work *w, const struct annots_options *o)
{
	struct mailbox *mb = w->mb;
	int r = run(w);
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
	struct work w = { .st = st, .userid = userid, .v = v, .n = n };
	if (!e) return run(&w);
	int r = mailbox_open(st, e->name, &w.mb);
	if (r) return r;
	w.e = &w.mb->entry;
	r = mailbox_lock(w.mb, LOCK_EXCLUSIVE);
	if (!r) {
		r = change_mailbox(&w, options);
		int r2 = mailbox_unlock(w.mb);
		if (!r) r = r2;
	}
	mailbox_close(&w.mb);
	return r;
}
