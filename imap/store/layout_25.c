/* layout_25.c - the store as 2.5 (and 2.4 to 3.4) keeps it: names as keys, directories and user files by name.
 * spec/databases.md 2.1, 4.1, 4.2, 5, 8; spec/mailbox.md 1.2, 2.2. */
#include "store/layout.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "store/kv_acl.h"
#include "store/paths.h"
#include "sys/clock.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

/* Letters of T in the order they are written. */
static const struct { char letter; unsigned flag; char type; } letters[] = {
	{ 'd', MBENTRY_DELETED, 0 }, { 'm', MBENTRY_MOVING, 0 }, { 'n', 0, 'n' }, { 'r', MBENTRY_REMOTE, 0 }, { 'z', MBENTRY_RESERVED, 0 },
	{ 'c', 0, 'c' }, { 'b', 0, 'b' }, { 'a', 0, 'a' }, { 'i', MBENTRY_INTERMEDIATE, 0 }, { 's', 0, 's' }, { 'p', 0, 'p' },
};
/* The decimal type word of 2.4's text form. */
static const struct { unsigned bit, flag; char type; } bits[] = {
	{ 1, MBENTRY_REMOTE, 0 }, { 2, MBENTRY_RESERVED, 0 }, { 4, 0, 'n' }, { 8, MBENTRY_MOVING, 0 }, { 16, MBENTRY_DELETED, 0 },
	{ 32, 0, 'c' }, { 64, 0, 'a' }, { 128, 0, 'b' }, { 256, MBENTRY_INTERMEDIATE, 0 }, { 512, 0, 's' }, { 1024, 0, 'p' },
};
#define COUNT(a) (sizeof (a) / sizeof *(a))

static char *dup_or_null(const char *s) { return s ? mem_strdup(s) : NULL; }

static void key_25(const struct namespace *ns, const struct mbname *n, struct buf *out)
{
	char *s = mbname_internal(n, ns);
	buf_puts(out, s);
	free(s);
}

/* ------------------------------------------------------------------------------------------------ decoding */

static int decode_kvlist(struct mbentry *e, const char *val, size_t len)
{
	struct arena *a = arena_new();
	const char *p = val;
	struct dlist *d = dlist_parse(a, &p, val + len);
	int r = d && d->kind == DLIST_KVLIST ? 0 : ERR_BADFORMAT;
	if (!r) {
		uint64_t v;
		e->uniqueid = dup_or_null(dlist_str(d, "I"));
		e->partition = dup_or_null(dlist_str(d, "P"));
		e->server = dup_or_null(dlist_str(d, "S"));
		e->acl = kv_acl_parse(dlist_get(d, "A"));
		const char *type = dlist_str(d, "T");
		for (; type && *type; type++)
			for (size_t i = 0; i < COUNT(letters); i++)
				if (letters[i].letter == *type) {
					e->flags |= letters[i].flag;
					if (letters[i].type) e->type = letters[i].type;
				}
		dlist_u32(d, "V", &e->uidvalidity);
		dlist_u64(d, "C", &e->createdmodseq);
		dlist_u64(d, "F", &e->foldermodseq);
		if (dlist_u64(d, "M", &v)) e->mtime = (time_t)v;
	}
	arena_free(a);
	return r;
}

/* "<type> <partition> <acl>", maybe after "(uniqueid X specialuse Y)" */
static int decode_text(struct mbentry *e, const char *val, size_t len)
{
	char *copy = mem_dup(val, len), *p = copy;
	uint32_t type;
	int r = ERR_BADFORMAT;
	if (*p == '(') {
		char *close = strchr(p, ')'), *save = NULL;
		if (!close) goto done;
		*close = 0;
		for (char *w = strtok_r(p + 1, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
			char *v = strtok_r(NULL, " ", &save);
			if (v && !strcmp(w, "uniqueid")) {
				free(e->uniqueid);
				e->uniqueid = mem_strdup(v);
			}
		}
		p = close + 1;
		while (*p == ' ') p++;
	}
	char *sp = strchr(p, ' ');
	if (!sp) goto done;
	*sp = 0;
	if (!num_str_u32(p, &type)) goto done;
	for (size_t i = 0; i < COUNT(bits); i++)
		if (type & bits[i].bit) {
			e->flags |= bits[i].flag;
			if (bits[i].type) e->type = bits[i].type;
		}
	char *part = sp + 1, *acl = strchr(part, ' ');
	if (acl) *acl++ = 0;
	char *bang = strchr(part, '!');
	if (bang) {
		*bang = 0;
		e->server = mem_strdup(part);
		part = bang + 1;
	}
	if (*part) e->partition = mem_strdup(part);
	e->acl = mem_strdup(acl ? acl : "");
	r = 0;
done:
	free(copy);
	return r;
}

static int decode_25(const struct namespace *ns, const char *key, size_t keylen, const char *val, size_t vallen, struct mbentry *out)
{
	*out = (struct mbentry){ .type = 'e', .flags = MBENTRY_LEGACYDIRS };
	if (!keylen || memchr(key, 0, keylen)) return ERR_BADFORMAT;
	if (keylen >= 5 && (!memcmp(key, "$RACL", 5) || !memcmp(key, "$RUNQ", 5))) return ERR_NOTFOUND;      /* 3.0 to 3.4 */
	out->name = mem_dup(key, keylen);
	int r = mbname_from_internal(&out->parts, out->name, ns);
	if (!r) r = vallen && (*val == '%') ? decode_kvlist(out, val, vallen) : decode_text(out, val, vallen);
	if (!r && !out->acl) out->acl = mem_strdup("");
	if (r) mbentry_free(out);
	return r ? ERR_BADFORMAT : 0;
}

/* ------------------------------------------------------------------------------------------------ writing */

static void encode(const struct mbentry *e, struct buf *b)
{
	char type[16];
	size_t n = 0;
	for (size_t i = 0; i < COUNT(letters); i++)
		if ((letters[i].flag && e->flags & letters[i].flag) || (letters[i].type && letters[i].type == e->type)) type[n++] = letters[i].letter;
	type[n] = 0;
	buf_puts(b, "%(");
	if (e->acl && !(e->flags & MBENTRY_DELETED)) {
		buf_puts(b, "A ");
		kv_acl_print(b, e->acl);
		buf_putc(b, ' ');
	}
	if (e->uniqueid) buf_puts(b, "I "), dlist_put_str(b, e->uniqueid), buf_putc(b, ' ');
	if (e->partition) buf_puts(b, "P "), dlist_put_str(b, e->partition), buf_putc(b, ' ');
	if (e->server) buf_puts(b, "S "), dlist_put_str(b, e->server), buf_putc(b, ' ');
	if (n) buf_printf(b, "T %s ", type);
	if (e->uidvalidity) buf_printf(b, "V %u ", e->uidvalidity);
	if (e->createdmodseq) buf_printf(b, "C %llu ", (unsigned long long)e->createdmodseq);
	if (e->foldermodseq) buf_printf(b, "F %llu ", (unsigned long long)e->foldermodseq);
	buf_printf(b, "M %lld)", (long long)(e->flags & MBENTRY_KEEPTIME ? e->mtime : clock_now()));
}

static int put_25(struct store *st, const struct mbentry *e, struct cyrusdb_txn **txn)
{
	struct buf key = BUF_INIT, val = BUF_INIT;
	key_25(&st->ns, &e->parts, &key);
	encode(e, &val);
	int r = cyrusdb_store(st->mboxlist, key.s, key.len, val.s, val.len, txn);
	buf_free(&key);
	buf_free(&val);
	return r;
}

/* A tombstone under the old name; a DELETED name leaves none (spec 4.2). */
static int bury_25(struct store *st, const struct mbentry *e, struct cyrusdb_txn **txn)
{
	struct mbentry grave;
	int r;
	if (e->parts.deleted) {
		struct buf key = BUF_INIT;
		key_25(&st->ns, &e->parts, &key);
		r = cyrusdb_delete(st->mboxlist, key.s, key.len, txn, true);
		buf_free(&key);
		return r;
	}
	mbentry_copy(&grave, e);
	grave.flags |= MBENTRY_DELETED;
	free(grave.partition);
	grave.partition = NULL;
	free(grave.server);
	grave.server = NULL;
	r = put_25(st, &grave, txn);
	mbentry_free(&grave);
	return r;
}

static int move_25(struct store *st, const struct mbentry *from, const struct mbentry *to, struct cyrusdb_txn **txn)
{
	int r = put_25(st, to, txn);
	return r ? r : bury_25(st, from, txn);
}

static int lookup_id_25(struct store *st, const char *uniqueid, struct mbentry *out)
{
	(void)st, (void)uniqueid, (void)out;
	return ERR_NOTFOUND;
}

/* ------------------------------------------------------------------------------------------------ files and locks */

static void user_file_25(struct store *st, const char *userid, const char *suffix, struct buf *out)
{
	struct mbname u;
	if (!userid || mbname_from_userid(&u, userid, &st->ns)) {
		path_user_by_name(st, NULL, NULL, suffix, out);
		return;
	}
	char *part = mem_strdup(u.localpart);
	for (char *p = part; *p; p++)
		if (*p == '.') *p = '^';
	path_user_by_name(st, u.domain, part, suffix, out);
	free(part);
	mbname_free(&u);
}

static void mailbox_dir_25(struct store *st, const struct mbentry *e, const char *root, struct buf *out)
{
	path_by_name(st, root, e->name, out);
}

static void lock_name_25(const struct mbentry *e, struct buf *out) { buf_puts(out, e->name); }

/* ------------------------------------------------------------------------------------------------ other tables */

static void sub_key_25(struct store *st, const char *userid, const struct mbname *n, struct buf *out)
{
	(void)userid;
	key_25(&st->ns, n, out);
}

static int sub_decode_25(struct store *st, const char *userid, const char *key, size_t keylen, struct mbname *out)
{
	(void)userid;
	char *name = mem_dup(key, keylen);
	int r = memchr(key, 0, keylen) ? ERR_BADNAME : mbname_from_internal(out, name, &st->ns);
	free(name);
	return r ? ERR_NOTFOUND : 0;
}

static void annot_scope_25(const struct mbentry *e, struct buf *out) { buf_puts(out, e->name); }

/* A random UUID (RFC 4122 version 4), lower case, as libuuid builds of 2.5 make them. */
static char *new_uniqueid_25(void)
{
	uint8_t u[16];
	char hex[33];
	RAND_bytes(u, sizeof u);
	u[6] = (uint8_t)((u[6] & 0x0f) | 0x40);
	u[8] = (uint8_t)((u[8] & 0x3f) | 0x80);
	num_tohex(u, sizeof u, hex);
	return mem_printf("%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

const struct layout layout_25 = {
	.level = LEVEL_25, .index_version = 13, .cache_version = 3, .list_header = false, .synccrc_annot_start = 0,
	.scan_prefix = "", .key_sep = '.', .domain_sep = '!',
	.key = key_25, .decode = decode_25, .put = put_25, .bury = bury_25, .move = move_25, .lookup_id = lookup_id_25,
	.user_file = user_file_25, .mailbox_dir = mailbox_dir_25, .lock_name = lock_name_25, .user_lock = false,
	.sub_key = sub_key_25, .sub_decode = sub_decode_25, .annot_scope = annot_scope_25, .new_uniqueid = new_uniqueid_25,
};
