/* layout_36.c - the store as 3.6 keeps it: N and I records, directories and user files by unique id unless a mailbox carries the
 * legacy flag. spec/databases.md 2.2, 4.4, 5, 8; spec/mailbox.md 1.3, 2.2. */
#include "store/layout.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/mbrecord.h"
#include "store/dlist.h"
#include "store/mboxlist.h"
#include "store/paths.h"
#include "store/racl.h"
#include "sys/clock.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RACL_MARKER "AS\x1e"

static void key_36(const struct namespace *ns, const struct mbname *n, struct buf *out)
{
	buf_putc(out, 'N');
	mbname_dbname(n, ns, out);
}

/* ------------------------------------------------------------------------------------------------ decoding */

static int decode_36(const struct namespace *ns, const char *key, size_t keylen, const char *val, size_t vallen,
	struct mbentry *out)
{
	*out = (struct mbentry){ 0 };
	if (keylen < 2 || *key != 'N') return ERR_NOTFOUND;
	int r = mbrecord_36_parse(val, vallen, ns, out);
	if (!r && out->name) r = ERR_BADFORMAT;              /* a record by id under the key of one by name */
	if (!r) r = mbname_from_dbname(&out->parts, key + 1, keylen - 1, ns) ? ERR_BADFORMAT : 0;
	if (!r) out->name = mbname_internal(&out->parts, ns);
	if (r) mbentry_free(out);
	return r;
}

static int lookup_id_36(struct store *st, const char *uniqueid, struct mbentry *out)
{
	const char *val;
	size_t len;
	*out = (struct mbentry){ 0 };
	char *key = mem_printf("I%s", uniqueid);
	int rc = cyrusdb_fetch(st->mboxlist, key, strlen(key), &val, &len, NULL);
	free(key);
	if (rc == CYRUSDB_NOTFOUND) return ERR_NOTFOUND;
	if (rc) return ERR_IO;
	int r = mbrecord_36_parse(val, len, &st->ns, out);
	if (!r && !out->name) r = ERR_BADFORMAT;
	if (!r) {
		free(out->uniqueid);
		out->uniqueid = mem_strdup(uniqueid);
	}
	if (r) mbentry_free(out);
	return r;
}

/* ------------------------------------------------------------------------------------------------ writing */

static time_t time_of(const struct mbentry *e) { return e->flags & MBENTRY_KEEPTIME ? e->mtime : clock_now(); }

static int put_by_name(struct store *st, const struct mbentry *e, struct cyrusdb_txn **txn)
{
	struct buf key = BUF_INIT, val = BUF_INIT;
	key_36(&st->ns, &e->parts, &key);
	mbrecord_36_name_print(e, time_of(e), &val);
	int r = cyrusdb_store(st->mboxlist, key.s, key.len, val.s, val.len, txn);
	buf_free(&key);
	buf_free(&val);
	return r;
}

/* The text between the parentheses of H in the id's present record, "" when there is none. Caller frees. */
static char *history_of(struct store *st, const char *key, struct cyrusdb_txn **txn)
{
	const char *val;
	size_t len;
	if (cyrusdb_fetch(st->mboxlist, key, strlen(key), &val, &len, txn)) return mem_strdup("");
	/* H is always the last field and its list is copied as it stands */
	const char *h = memmem(val, len, " H (", 4), *end = val + len;
	for (const char *next = h; next; next = memmem(next + 1, (size_t)(end - next - 1), " H (", 4)) {
		struct arena *a = arena_new();
		const char *p = next + 3;
		struct dlist *d = dlist_parse(a, &p, end);
		bool whole = d && end - p == 1 && *p == ')';
		arena_free(a);
		if (whole) return mem_dup(next + 4, (size_t)(end - next - 6));
	}
	return mem_strdup("");
}

/* former: an entry to push on the history, or NULL. */
static int put_by_id(struct store *st, const struct mbentry *e, const struct mbentry *former, struct cyrusdb_txn **txn)
{
	char *key = mem_printf("I%s", e->uniqueid), *history = history_of(st, key, txn);
	struct buf val = BUF_INIT, name = BUF_INIT;
	if (!*txn && txn) {                         /* NOTFOUND of a fetch rolls nothing back here, but be sure */
		free(key);
		free(history);
		return CYRUSDB_INTERNAL;
	}
	mbrecord_36_id_print(e, time_of(e), &st->ns, &val);          /* up to the parenthesis of H */
	if (former) {
		struct mbformer f = { .partition = NULL, .type = former->type, .flags = former->flags | MBENTRY_DELETED,
			.uidvalidity = former->uidvalidity, .createdmodseq = former->createdmodseq, .foldermodseq = former->foldermodseq,
			.mtime = clock_now() };
		mbname_dbname(&former->parts, &st->ns, &name);
		f.dbname = buf_take(&name);
		mbrecord_36_former_print(&f, &val);
		free(f.dbname);
		if (*history) buf_putc(&val, ' ');
	}
	if (e->has_history && e->flags & MBENTRY_KEEPTIME) mbrecord_36_history_print(e, &val);
	else buf_puts(&val, history);
	buf_puts(&val, "))");
	int r = cyrusdb_store(st->mboxlist, key, strlen(key), val.s, val.len, txn);
	buf_free(&val);
	buf_free(&name);
	free(history);
	free(key);
	return r;
}

/* ------------------------------------------------------------------------------------------------ reverse ACL rows */

struct racl_change {
	struct store *st;
	struct cyrusdb_txn **txn;
	int rc;
};

static void racl_add(void *arg, const char *key, size_t len)
{
	struct racl_change *c = arg;
	if (!c->rc) c->rc = cyrusdb_store(c->st->mboxlist, key, len, "", 0, c->txn);
}

static void racl_drop(void *arg, const char *key, size_t len)
{
	struct racl_change *c = arg;
	if (!c->rc) c->rc = cyrusdb_delete(c->st->mboxlist, key, len, c->txn, true);
}

/* Rows follow the entry inside its transaction, where the marker says that rows are kept. old or fresh may be NULL. */
static int racl_update(struct store *st, const struct mbentry *old, const struct mbentry *fresh, struct cyrusdb_txn **txn)
{
	const char *val;
	size_t len;
	if (cyrusdb_fetch(st->mboxlist, RACL_MARKER, 3, &val, &len, txn)) return 0;
	struct racl_change c = { st, txn, 0 };
	if (old) racl_rows(st, old, false, racl_drop, &c);
	if (fresh) racl_rows(st, fresh, false, racl_add, &c);
	return c.rc;
}

static bool fetch_old(struct store *st, const struct mbname *n, struct mbentry *old, struct cyrusdb_txn **txn)
{
	struct buf key = BUF_INIT;
	const char *val;
	size_t len;
	key_36(&st->ns, n, &key);
	bool ok = !cyrusdb_fetch(st->mboxlist, key.s, key.len, &val, &len, txn)
		&& !decode_36(&st->ns, key.s, key.len, val, len, old);
	buf_free(&key);
	return ok;
}

static bool id_is_elsewhere(struct store *st, const struct mbentry *e, struct cyrusdb_txn **txn)
{
	char *key = mem_printf("I%s", e->uniqueid);
	struct buf own = BUF_INIT;
	const char *val;
	size_t len;
	bool elsewhere = false;
	if (!cyrusdb_fetch(st->mboxlist, key, strlen(key), &val, &len, txn)) {
		struct arena *a = arena_new();
		const char *p = val, *name;
		struct dlist *d = dlist_parse(a, &p, val + len);
		mbname_dbname(&e->parts, &st->ns, &own);
		name = d ? dlist_str(d, "N") : NULL;
		elsewhere = name && strcmp(name, buf_cstr(&own));
		arena_free(a);
	}
	free(key);
	buf_free(&own);
	return elsewhere;
}

static int put_36(struct store *st, const struct mbentry *e, struct cyrusdb_txn **txn)
{
	struct mbentry old;
	bool had = fetch_old(st, &e->parts, &old, txn), live = !(e->flags & MBENTRY_DELETED);
	int r = racl_update(st, had && !(old.flags & MBENTRY_DELETED) ? &old : NULL, live ? e : NULL, txn);
	if (had) mbentry_free(&old);
	if (!r) r = put_by_name(st, e, txn);
	/* a tombstone shares its id with the mailbox that was renamed from there: the record by id is that one's */
	if (!r && !live && id_is_elsewhere(st, e, txn)) return 0;
	return r ? r : put_by_id(st, e, NULL, txn);
}

static int bury_36(struct store *st, const struct mbentry *e, struct cyrusdb_txn **txn)
{
	struct mbentry grave;
	int r = racl_update(st, e, NULL, txn);
	if (r) return r;
	if (e->parts.deleted) {
		struct buf key = BUF_INIT;
		key_36(&st->ns, &e->parts, &key);
		r = cyrusdb_delete(st->mboxlist, key.s, key.len, txn, true);
		buf_reset(&key);
		buf_printf(&key, "I%s", e->uniqueid ? e->uniqueid : "");
		if (!r && e->uniqueid) r = cyrusdb_delete(st->mboxlist, key.s, key.len, txn, true);
		buf_free(&key);
		return r;
	}
	mbentry_copy(&grave, e);
	grave.flags |= MBENTRY_DELETED;
	r = put_by_name(st, &grave, txn);
	if (!r && grave.uniqueid) r = put_by_id(st, &grave, NULL, txn);
	mbentry_free(&grave);
	return r;
}

static int move_36(struct store *st, const struct mbentry *from, const struct mbentry *to, struct cyrusdb_txn **txn)
{
	struct mbentry grave;
	int r = racl_update(st, from, to, txn);
	if (!r) r = put_by_name(st, to, txn);
	if (!r) r = put_by_id(st, to, from, txn);
	if (r) return r;
	mbentry_copy(&grave, from);
	grave.flags |= MBENTRY_DELETED;
	r = put_by_name(st, &grave, txn);
	mbentry_free(&grave);
	return r;
}

/* ------------------------------------------------------------------------------------------------ files and locks */

static void mailbox_dir_36(struct store *st, const struct mbentry *e, const char *root, struct buf *out)
{
	if (e->flags & MBENTRY_LEGACYDIRS || !e->uniqueid || strlen(e->uniqueid) < 2) path_by_name(st, root, e->name, out);
	else path_by_id(root, e->uniqueid, out);
}

static void lock_name_36(const struct mbentry *e, struct buf *out)
{
	buf_puts(out, e->flags & MBENTRY_LEGACYDIRS || !e->uniqueid ? e->name : e->uniqueid);
}

/* Legacy files carry the real local part; after an upgrade from 2.5 a dotted user's may still have the caret (spec 2.2). */
static void user_file_legacy(struct store *st, const struct mbname *u, const char *suffix, struct buf *out)
{
	size_t start = out->len;
	path_user_by_name(st, u->domain, u->localpart, suffix, out);
	if (!strchr(u->localpart, '.') || access(buf_cstr(out) + start, F_OK) == 0) return;
	struct buf caret = BUF_INIT;
	char *part = mem_strdup(u->localpart);
	for (char *p = part; *p; p++)
		if (*p == '.') *p = '^';
	path_user_by_name(st, u->domain, part, suffix, &caret);
	free(part);
	if (access(buf_cstr(&caret), F_OK) == 0) {
		buf_truncate(out, start);
		buf_add(out, &caret);
	}
	buf_free(&caret);
}

static void user_file_36(struct store *st, const char *userid, const char *suffix, struct buf *out)
{
	struct mbname u;
	struct mbentry inbox;
	if (!userid || mbname_from_userid(&u, userid, &st->ns)) {
		path_user_by_name(st, NULL, NULL, suffix, out);
		return;
	}
	char *name = mbname_internal(&u, &st->ns);
	int r = mboxlist_lookup_any(st, name, &inbox);
	if (!r && !(inbox.flags & MBENTRY_LEGACYDIRS) && inbox.uniqueid && strlen(inbox.uniqueid) >= 2) {
		size_t start = out->len;
		buf_printf(out, "%s/user", conf_dir(st->conf));
		char *root = mem_strdup(buf_cstr(out) + start);
		buf_truncate(out, start);
		path_by_id(root, inbox.uniqueid, out);
		free(root);
		buf_printf(out, "/%s.db", suffix);
	} else {
		user_file_legacy(st, &u, suffix, out);
	}
	if (!r) mbentry_free(&inbox);
	free(name);
	mbname_free(&u);
}

/* ------------------------------------------------------------------------------------------------ other tables */

static void sub_key_36(struct store *st, const char *userid, const struct mbname *n, struct buf *out)
{
	buf_putc(out, 'N');
	if (!n->deleted && mbname_owned_by(n, userid, &st->ns)) {
		buf_puts(out, "INBOX");
		for (size_t i = 0; i < n->boxes.n; i++) buf_printf(out, "\x1f%s", n->boxes.v[i]);
	} else {
		mbname_dbname(n, &st->ns, out);
	}
}

static int sub_decode_36(struct store *st, const char *userid, const char *key, size_t keylen, struct mbname *out)
{
	if (keylen < 2 || *key != 'N') return ERR_NOTFOUND;
	key++;
	keylen--;
	if (keylen >= 5 && !memcmp(key, "INBOX", 5) && (keylen == 5 || key[5] == '\x1f')) {
		struct mbname own;
		if (mbname_from_userid(out, userid, &st->ns)) return ERR_NOTFOUND;
		if (keylen == 5) return 0;
		if (mbname_from_dbname(&own, key + 6, keylen - 6, &st->ns)) {
			mbname_free(out);
			return ERR_NOTFOUND;
		}
		/* take the components as they are, whatever the parser made of a leading "user" */
		if (own.localpart) {
			strarray_append(&out->boxes, "user");
			strarray_append(&out->boxes, own.localpart);
		}
		for (size_t i = 0; i < own.boxes.n; i++) strarray_append(&out->boxes, own.boxes.v[i]);
		mbname_free(&own);
		return 0;
	}
	return mbname_from_dbname(out, key, keylen, &st->ns) ? ERR_NOTFOUND : 0;
}

static void annot_scope_36(const struct mbentry *e, struct buf *out) { buf_puts(out, e->uniqueid ? e->uniqueid : ""); }

/* 24 random characters of [0-9a-z], as Debian's build makes them. */
static char *new_uniqueid_36(void)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	char id[25];
	for (int i = 0; i < 24;) {
		uint8_t b;
		RAND_bytes(&b, 1);
		if (b < 252) id[i++] = digits[b % 36];          /* 252 = 7 * 36: no bias */
	}
	id[24] = 0;
	return mem_strdup(id);
}

const struct layout layout_36 = {
	.level = LEVEL_36, .index_version = 17, .cache_version = 11, .list_header = true, .synccrc_annot_start = 12345678,
	.scan_prefix = "N", .key_sep = '\x1f', .domain_sep = '\x1d', .racl_marker = RACL_MARKER,
	.key = key_36, .decode = decode_36, .put = put_36, .bury = bury_36, .move = move_36, .lookup_id = lookup_id_36,
	.user_file = user_file_36, .mailbox_dir = mailbox_dir_36, .lock_name = lock_name_36, .user_lock = true,
	.sub_key = sub_key_36, .sub_decode = sub_decode_36, .sub_version_key = "\x1fVER\x1f", .sub_version = "2",
	.annot_scope = annot_scope_36, .annot_owner_token = true, .annot_modseq = true, .new_uniqueid = new_uniqueid_36,
};
