/* mailbox_annots.c - what expunging and unlinking do to a message's annotations (spec/mailbox.md 8): their sizes and checksums
 * leave the index header at once, the rows go when the file goes. Reading and setting annotations is METADATA's and ANNOTATE's
 * business. */
#include "store/mailbox.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "store/annotdb.h"
#include "store/paths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

static bool open_rows_with(struct mailbox *mb, int flags)
{
	struct buf path = BUF_INIT;
	if (mb->annots) return true;
	if (!path_mailbox(mb->st, &mb->entry, META_ANNOTATIONS, "cyrus.annotations", &path)
		&& (flags || access(buf_cstr(&path), F_OK) == 0)) {
		int rc = cyrusdb_open(mb->st->dbs, conf_word(mb->st->conf, OPT_ANNOTATION_DB), buf_cstr(&path), CYRUSDB_CONVERT | flags,
			&mb->annots);
		if (rc) log_msg(LOG_ERR, "DBERROR: mailbox %s: opening %s: %s", mb->entry.name, buf_cstr(&path), cyrusdb_strerror(rc));
	}
	buf_free(&path);
	return mb->annots != NULL;
}

static bool open_rows(struct mailbox *mb) { return open_rows_with(mb, 0); }

static size_t row_prefix(uint32_t uid, char out[16]) { return (size_t)snprintf(out, 16, "%u", uid) + 1; }      /* with its NUL */

struct expunged {
	struct mailbox *mb;
	uint32_t uid;
};

/* What a row adds to the counters of the index. */
struct share {
	struct annotkey key;
	struct annotrow row;
	uint32_t crc;
};

/* False: the row does not count. */
static bool row_share(struct mailbox *mb, uint32_t uid, const char *key, size_t keylen, const char *val, size_t vallen,
	struct share *s)
{
	struct buf text = BUF_INIT;
	if (annotkey_parse(key, keylen, &s->key) || !annotrow_live(val, vallen, &s->row)) return false;
	char *owner = annotkey_user_is(&s->key, key, keylen, ANNOTROW_OWNER) ? mbname_userid(&mb->entry.parts) : NULL;
	buf_printf(&text, "%u %s ", uid, s->key.entry);
	if (owner) buf_puts(&text, owner);
	else buf_append(&text, s->key.userid, annotkey_userlen(&s->key, key, keylen));
	buf_putc(&text, ' ');
	buf_append(&text, s->row.value, s->row.len);
	s->crc = (uint32_t)crc32(0, (const Bytef *)text.s, (uInt)text.len);
	buf_free(&text);
	free(owner);
	return true;
}

static int take_out(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	struct expunged *x = arg;
	struct share s;
	if (!row_share(x->mb, x->uid, key, keylen, val, vallen, &s)) return 0;
	x->mb->h.synccrc_annot ^= s.crc;
	x->mb->h.quota_annot_used = x->mb->h.quota_annot_used > s.row.len ? x->mb->h.quota_annot_used - s.row.len : 0;
	return 0;
}

struct each {
	struct mailbox *mb;
	int (*fn)(void *arg, uint32_t uid, size_t size, uint32_t crc);
	void *arg;
};

static int each_row(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	struct each *x = arg;
	const char *p = key;
	struct share s;
	uint32_t uid;
	if (!num_u32(&p, key + keylen, &uid) || p == key + keylen || *p) return 0;
	return row_share(x->mb, uid, key, keylen, val, vallen, &s) ? x->fn(x->arg, uid, s.row.len, s.crc) : 0;
}

int mailbox_annots_each(struct mailbox *mb, int (*fn)(void *arg, uint32_t uid, size_t size, uint32_t crc), void *arg)
{
	struct each x = { mb, fn, arg };
	if (!open_rows(mb)) return 0;
	return cyrusdb_foreach(mb->annots, "", 0, NULL, each_row, &x, mb->annots_txn ? &mb->annots_txn : NULL);
}

void mailbox_annots_expunged(struct mailbox *mb, const struct index_record *r)
{
	char prefix[16];
	struct expunged x = { mb, r->uid };
	size_t n = row_prefix(r->uid, prefix);
	if (open_rows(mb)) cyrusdb_foreach(mb->annots, prefix, n, NULL, take_out, &x, mb->annots_txn ? &mb->annots_txn : NULL);
}

static int own_row(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	uint64_t *used = arg;
	struct annotkey k;
	struct annotrow row;
	if (!annotkey_parse(key, keylen, &k) && annotrow_live(val, vallen, &row)) *used += row.len;
	return 0;
}

int mailbox_annots_own(struct mailbox *mb, uint64_t *used)
{
	struct buf scope = BUF_INIT;
	struct cyrusdb *db;
	int rc = 0;
	*used = 0;
	if (annotdb_scope(mb->st, &mb->entry, &scope) && !(rc = annotdb_open(mb->st, 0, &db))) {
		rc = cyrusdb_foreach(db, scope.s, scope.len, NULL, own_row, used, NULL);
		cyrusdb_close(db);
	}
	buf_free(&scope);
	return rc && rc != CYRUSDB_NOTFOUND ? ERR_IO : 0;
}

static int delete_row(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	struct mailbox *mb = arg;
	(void)val, (void)vallen;
	return cyrusdb_delete(mb->annots, key, keylen, &mb->annots_txn, true);
}

int mailbox_annots_unlinked(struct mailbox *mb, uint32_t uid)
{
	char prefix[16];
	size_t n = row_prefix(uid, prefix);
	if (!open_rows(mb)) return 0;
	return cyrusdb_foreach(mb->annots, prefix, n, NULL, delete_row, mb, &mb->annots_txn) ? ERR_IO : 0;
}

int mailbox_annots_commit(struct mailbox *mb)
{
	struct cyrusdb_txn *txn = mb->annots_txn;
	mb->annots_txn = NULL;
	return txn && cyrusdb_commit(mb->annots, txn) ? ERR_IO : 0;
}

void mailbox_annots_abort(struct mailbox *mb)
{
	struct cyrusdb_txn *txn = mb->annots_txn;
	mb->annots_txn = NULL;
	if (txn) cyrusdb_abort(mb->annots, txn);
}

/* ------------------------------------------------------------------------------------------------ rows of a copied message */

/* Read first and written then: source and target may be one database. */
struct copied {
	struct mailbox *from, *to;
	uint32_t from_uid, uid;
	const char *userid;
	struct buf *rows;                      /* key, value, key, value ...: lengths in front */
};

static void keep_bytes(struct buf *b, const char *p, size_t n)
{
	buf_append(b, (const char *)&n, sizeof n);
	buf_append(b, p, n);
}

static const char *take_bytes(const char **p, size_t *n)
{
	memcpy(n, *p, sizeof *n);
	const char *s = *p + sizeof *n;
	*p = s + *n;
	return s;
}

/* The row's user as the target writes him; false: the row is somebody else's. */
static bool copied_user(const struct copied *c, const struct annotkey *k, const char *key, size_t keylen, struct buf *out)
{
	bool token = annotkey_user_is(k, key, keylen, ANNOTROW_OWNER), shared = annotkey_user_is(k, key, keylen, "");
	char *owner = token ? mbname_userid(&c->from->entry.parts) : mem_dup(k->userid, annotkey_userlen(k, key, keylen));
	bool his = !shared && owner && c->userid && !strcmp(owner, c->userid);
	if (his) buf_puts(out, annotdb_user(c->to->st, &c->to->entry, c->userid));
	free(owner);
	return shared || his;
}

static int copy_row(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	struct copied *c = arg;
	struct share s;
	struct buf uid = BUF_INIT, user = BUF_INIT, k = BUF_INIT, v = BUF_INIT;
	if (!row_share(c->from, c->from_uid, key, keylen, val, vallen, &s)) return 0;
	if (copied_user(c, &s.key, key, keylen, &user)) {
		buf_printf(&uid, "%u", c->uid);
		annotkey_print(buf_cstr(&uid), s.key.entry, buf_cstr(&user), &k);
		annotdb_value(c->to->st, s.row.value, s.row.len, c->to->h.highestmodseq, &v);
		keep_bytes(c->rows, k.s, k.len);
		keep_bytes(c->rows, v.s, v.len);
	}
	buf_free(&uid);
	buf_free(&user);
	buf_free(&k);
	buf_free(&v);
	return 0;
}

static int store_rows(const struct copied *c)
{
	struct mailbox *to = c->to;
	uint64_t bytes = 0;
	const char *end = c->rows->s + c->rows->len;
	if (!open_rows_with(to, CYRUSDB_CREATE)) return ERR_IO;
	for (const char *p = c->rows->s; p < end;) {
		size_t kn, vn;
		struct share s;
		const char *k = take_bytes(&p, &kn), *v = take_bytes(&p, &vn);
		if (cyrusdb_store(to->annots, k, kn, v, vn, &to->annots_txn)) return ERR_IO;
		if (!row_share(to, c->uid, k, kn, v, vn, &s)) continue;
		to->h.synccrc_annot ^= s.crc;
		to->h.quota_annot_used += s.row.len;
		bytes += s.row.len;
	}
	const int64_t diff[QUOTA_RESOURCES] = { [QUOTA_ANNOTSTORAGE] = (int64_t)bytes };
	return quota_check(to->st, to->hdr.quotaroot, diff, NULL);
}

int mailbox_annots_message(struct mailbox *from, uint32_t from_uid, struct mailbox *to, uint32_t uid, const char *userid)
{
	char prefix[16];
	struct buf rows = BUF_INIT;
	struct copied c = { from, to, from_uid, uid, userid, &rows };
	size_t n = row_prefix(from_uid, prefix);
	int r = 0;
	if (open_rows(from) && cyrusdb_foreach(from->annots, prefix, n, NULL, copy_row, &c,
		from->annots_txn ? &from->annots_txn : NULL)) r = ERR_IO;
	if (!r && rows.len) r = store_rows(&c);
	buf_free(&rows);
	return r;
}

/* ----------------------------------------------------------------------------------------------- rows of mailboxes (spec 8.1) */

struct rows {
	struct cyrusdb *db;
	struct cyrusdb_txn **txn;
	struct buf from, to;           /* scopes */
	const char *old_owner, *new_owner;
};

/* The global database, when there is one and the mailbox has a scope. */
static bool open_global(struct store *st, const struct mbentry *e, struct buf *scope, struct cyrusdb **db)
{
	return annotdb_scope(st, e, scope) && !annotdb_open(st, 0, db);
}

static int any_row(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	(void)arg, (void)key, (void)keylen, (void)val, (void)vallen;
	return 1;
}

/* fn for each row of x->from, all in one transaction. No write lock where there is nothing. 0 or a cyrusdb_rc. */
static int change_global(struct cyrusdb *db, cyrusdb_work *fn, struct rows *x)
{
	int rc = cyrusdb_foreach(db, x->from.s, x->from.len, NULL, any_row, NULL, NULL);
	x->db = db;
	return rc == 1 ? cyrusdb_transact(db, fn, x) : rc;
}

static int drop_global(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	struct rows *x = arg;
	(void)val, (void)vallen;
	return cyrusdb_delete(x->db, key, keylen, x->txn, true);
}

static int drop_all(void *arg, struct cyrusdb *db, struct cyrusdb_txn **txn)
{
	struct rows *x = arg;
	x->txn = txn;
	return cyrusdb_foreach(db, x->from.s, x->from.len, NULL, drop_global, x, txn);
}

void mailbox_annots_drop(struct store *st, const struct mbentry *e)
{
	struct rows x = { 0 };
	struct cyrusdb *db;
	if (open_global(st, e, &x.from, &db)) {
		int rc = change_global(db, drop_all, &x);
		if (rc) log_msg(LOG_ERR, "DBERROR: mailbox %s: cannot remove its annotations: %s", e->name, cyrusdb_strerror(rc));
		cyrusdb_close(db);
	}
	buf_free(&x.from);
}

/* A key that cannot be read goes along as it is. */
static int copy_global(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	struct rows *x = arg;
	struct annotkey k;
	struct buf fresh = BUF_INIT, data = BUF_INIT;
	bool changes = x->old_owner && x->new_owner && !annotkey_parse(key, keylen, &k)
		&& annotkey_user_is(&k, key, keylen, x->old_owner);
	if (changes) {
		annotkey_print(buf_cstr(&x->to), k.entry, x->new_owner, &fresh);
	} else {
		buf_add(&fresh, &x->to);
		buf_append(&fresh, key + x->from.len, keylen - x->from.len);
	}
	buf_append(&data, val, vallen);
	int r = cyrusdb_store(x->db, fresh.s, fresh.len, data.s, data.len, x->txn);
	buf_free(&fresh);
	buf_free(&data);
	return r;
}

static int copy_all(void *arg, struct cyrusdb *db, struct cyrusdb_txn **txn)
{
	struct rows *x = arg;
	x->txn = txn;
	return cyrusdb_foreach(db, x->from.s, x->from.len, NULL, copy_global, x, txn);
}

bool mailbox_annots_move(struct store *st, const struct mbentry *from, const struct mbentry *to)
{
	struct buf a = BUF_INIT, b = BUF_INIT;
	st->layout->annot_scope(from, &a);
	st->layout->annot_scope(to, &b);
	bool differ = buf_cmp(&a, &b) != 0;
	buf_free(&a);
	buf_free(&b);
	return differ;
}

int mailbox_annots_copy(struct store *st, const struct mbentry *from, const struct mbentry *to)
{
	char *was = mbname_userid(&from->parts), *now = mbname_userid(&to->parts);
	struct rows x = { .old_owner = was, .new_owner = now };
	struct cyrusdb *db;
	int rc = 0;
	if (open_global(st, from, &x.from, &db)) {
		if (annotdb_scope(st, to, &x.to)) rc = change_global(db, copy_all, &x);
		cyrusdb_close(db);
	}
	free(was);
	free(now);
	buf_free(&x.from);
	buf_free(&x.to);
	return rc ? ERR_IO : 0;
}
