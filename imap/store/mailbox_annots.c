/* mailbox_annots.c - what expunging and unlinking do to a message's annotations (spec/mailbox.md 8): their sizes and checksums
 * leave the index header at once, the rows go when the file goes. Reading and setting annotations is METADATA's and ANNOTATE's
 * business. */
#include "store/mailbox.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
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

/* key = uid NUL entry NUL userid NUL, value = length (4, network order), 4 zero bytes, data ... False: the row does not count. */
static bool row_share(struct mailbox *mb, uint32_t uid, const char *key, size_t keylen, const char *val, size_t vallen,
	size_t *size, uint32_t *crc)
{
	const char *end = key + keylen, *entry = memchr(key, 0, keylen);
	if (!entry || ++entry >= end || vallen < 8) return false;
	const char *user = memchr(entry, 0, (size_t)(end - entry));
	if (!user || ++user > end) return false;
	size_t n = get_be32(val), userlen = strnlen(user, (size_t)(end - user));
	if (n > vallen - 8 || (vallen >= n + 37 && val[n + 36] & 1)) return false;        /* damaged, or a tombstone */
	struct buf text = BUF_INIT;
	char *owner = userlen == 9 && !memcmp(user, "[.OwNeR.]", 9) ? mbname_userid(&mb->entry.parts) : NULL;
	buf_printf(&text, "%u %s ", uid, entry);
	if (owner) buf_puts(&text, owner);
	else buf_append(&text, user, userlen);
	buf_putc(&text, ' ');
	buf_append(&text, val + 8, n);
	*crc = (uint32_t)crc32(0, (const Bytef *)text.s, (uInt)text.len);
	*size = n;
	buf_free(&text);
	free(owner);
	return true;
}

static int take_out(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	struct expunged *x = arg;
	size_t n;
	uint32_t crc;
	if (!row_share(x->mb, x->uid, key, keylen, val, vallen, &n, &crc)) return 0;
	x->mb->h.synccrc_annot ^= crc;
	x->mb->h.quota_annot_used = x->mb->h.quota_annot_used > n ? x->mb->h.quota_annot_used - n : 0;
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
	uint32_t uid, crc;
	size_t n;
	if (!num_u32(&p, key + keylen, &uid) || p == key + keylen || *p) return 0;
	return row_share(x->mb, uid, key, keylen, val, vallen, &n, &crc) ? x->fn(x->arg, uid, n, crc) : 0;
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

struct own { struct mailbox *mb; uint64_t *used; };

static int own_row(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	struct own *x = arg;
	size_t n;
	uint32_t crc;
	if (row_share(x->mb, 0, key, keylen, val, vallen, &n, &crc)) *x->used += n;
	return 0;
}

int mailbox_annots_own(struct mailbox *mb, uint64_t *used)
{
	struct buf path = BUF_INIT, scope = BUF_INIT;
	struct own x = { mb, used };
	struct cyrusdb *db;
	int r = 0;
	*used = 0;
	path_conf(mb->st, OPT_ANNOTATION_DB_PATH, "annotations.db", &path);
	mb->st->layout->annot_scope(&mb->entry, &scope);
	buf_putc(&scope, 0);
	if (scope.len > 1 && !access(buf_cstr(&path), F_OK)) {
		r = cyrusdb_open(mb->st->dbs, conf_word(mb->st->conf, OPT_ANNOTATION_DB), buf_cstr(&path), 0, &db);
		if (!r) {
			r = cyrusdb_foreach(db, scope.s, scope.len, NULL, own_row, &x, NULL);
			cyrusdb_close(db);
		}
	}
	buf_free(&path);
	buf_free(&scope);
	return r ? ERR_IO : 0;
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

#define OWNER_TOKEN "[.OwNeR.]"

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
static bool copied_user(const struct copied *c, const char *user, size_t len, struct buf *out)
{
	char *owner = len == 9 && !memcmp(user, OWNER_TOKEN, 9) ? mbname_userid(&c->from->entry.parts) : mem_dup(user, len);
	bool shared = owner && !*owner, his = owner && c->userid && !strcmp(owner, c->userid);
	const struct mailbox *to = c->to;
	bool owns = his && to->st->layout->annot_owner_token && mbname_owned_by(&to->entry.parts, c->userid, &to->st->ns);
	if (his) buf_puts(out, owns ? OWNER_TOKEN : c->userid);
	free(owner);
	return shared || his;
}

static int copy_row(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	struct copied *c = arg;
	size_t size;
	uint32_t crc;
	struct buf k = BUF_INIT, v = BUF_INIT;
	if (!row_share(c->from, c->from_uid, key, keylen, val, vallen, &size, &crc)) return 0;
	const char *entry = (const char *)memchr(key, 0, keylen) + 1,
		*user = (const char *)memchr(entry, 0, (size_t)(key + keylen - entry)) + 1;
	buf_printf(&k, "%u", c->uid);
	buf_append(&k, entry - 1, (size_t)(user - entry) + 1);
	if (copied_user(c, user, strnlen(user, (size_t)(key + keylen - user)), &k)) {
		buf_putc(&k, 0);
		buf_append(&v, val, size + 8);
		buf_append(&v, "\0text/plain\0\0\0\0\0\0\0\0", 20);
		if (c->to->st->layout->annot_modseq) {
			char tail[9] = { 0 };
			put_be64(tail, c->to->h.highestmodseq);
			buf_append(&v, tail, sizeof tail);
		}
		keep_bytes(c->rows, k.s, k.len);
		keep_bytes(c->rows, v.s, v.len);
	}
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
		size_t kn, vn, size;
		uint32_t crc;
		const char *k = take_bytes(&p, &kn), *v = take_bytes(&p, &vn);
		if (cyrusdb_store(to->annots, k, kn, v, vn, &to->annots_txn)) return ERR_IO;
		if (!row_share(to, c->uid, k, kn, v, vn, &size, &crc)) continue;
		to->h.synccrc_annot ^= crc;
		to->h.quota_annot_used += size;
		bytes += size;
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
	struct cyrusdb_txn *txn;
	const struct buf *to;          /* scope to copy to */
	size_t from_len;
	const char *old_owner, *new_owner;
};

/* The global database, when there is one and the mailbox has a scope. scope: with its NUL. */
static bool open_global(struct store *st, const struct mbentry *e, struct buf *scope, struct cyrusdb **db)
{
	struct buf path = BUF_INIT;
	path_conf(st, OPT_ANNOTATION_DB_PATH, "annotations.db", &path);
	st->layout->annot_scope(e, scope);
	buf_putc(scope, 0);
	bool ok = scope->len > 1 && access(buf_cstr(&path), F_OK) == 0
		&& !cyrusdb_open(st->dbs, conf_word(st->conf, OPT_ANNOTATION_DB), buf_cstr(&path), 0, db);
	buf_free(&path);
	return ok;
}

static int drop_global(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	struct rows *x = arg;
	(void)val, (void)vallen;
	return cyrusdb_delete(x->db, key, keylen, &x->txn, true);
}

static int any_row(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	(void)arg, (void)key, (void)keylen, (void)val, (void)vallen;
	return 1;
}

static int finish_rows(struct rows *x, int rc)
{
	if (!rc && x->txn) rc = cyrusdb_commit(x->db, x->txn);
	else if (x->txn) cyrusdb_abort(x->db, x->txn);
	x->txn = NULL;
	return rc ? ERR_IO : 0;
}

void mailbox_annots_drop(struct store *st, const struct mbentry *e)
{
	struct buf scope = BUF_INIT;
	struct rows x = { 0 };
	if (open_global(st, e, &scope, &x.db)) {
		/* no write lock where there is nothing */
		int r = cyrusdb_foreach(x.db, scope.s, scope.len, NULL, any_row, NULL, NULL);
		if (r == 1) r = finish_rows(&x, cyrusdb_foreach(x.db, scope.s, scope.len, NULL, drop_global, &x, &x.txn));
		if (r) log_msg(LOG_ERR, "DBERROR: mailbox %s: cannot remove its annotations", e->name);
		cyrusdb_close(x.db);
	}
	buf_free(&scope);
}

static int copy_global(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	struct rows *x = arg;
	struct buf fresh = BUF_INIT, data = BUF_INIT;
	const char *entry = key + x->from_len, *end = key + keylen, *nul = memchr(entry, 0, keylen - x->from_len);
	buf_add(&fresh, x->to);
	if (x->old_owner && x->new_owner && nul && (size_t)(end - nul) == strlen(x->old_owner) + 2
		&& !strcmp(nul + 1, x->old_owner)) {
		buf_append(&fresh, entry, (size_t)(nul + 1 - entry));
		buf_append(&fresh, x->new_owner, strlen(x->new_owner) + 1);
	} else {
		buf_append(&fresh, entry, (size_t)(end - entry));
	}
	buf_append(&data, val, vallen);
	int r = cyrusdb_store(x->db, fresh.s, fresh.len, data.s, data.len, &x->txn);
	buf_free(&fresh);
	buf_free(&data);
	return r;
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
	struct buf a = BUF_INIT, b = BUF_INIT;
	char *was = mbname_userid(&from->parts), *now = mbname_userid(&to->parts);
	struct rows x = { .to = &b, .old_owner = was, .new_owner = now };
	int r = 0;
	if (open_global(st, from, &a, &x.db)) {
		st->layout->annot_scope(to, &b);
		buf_putc(&b, 0);
		x.from_len = a.len;
		if (cyrusdb_foreach(x.db, a.s, a.len, NULL, any_row, NULL, NULL) == 1)
			r = finish_rows(&x, cyrusdb_foreach(x.db, a.s, a.len, NULL, copy_global, &x, &x.txn));
		cyrusdb_close(x.db);
	}
	free(was);
	free(now);
	buf_free(&a);
	buf_free(&b);
	return r;
}
