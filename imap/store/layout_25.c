/* layout_25.c - the store as 2.5 (and 2.4 to 3.4) keeps it: names as keys, directories and user files by name.
 * spec/databases.md 2.1, 4.1, 4.2, 5, 8; spec/mailbox.md 1.2, 2.2. */
#include "store/layout.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "store/mbrecord.h"
#include "store/paths.h"
#include "sys/clock.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

static void key_25(const struct namespace *ns, const struct mbname *n, struct buf *out)
{
	char *s = mbname_internal(n, ns);
	buf_puts(out, s);
	free(s);
}

/* ------------------------------------------------------------------------------------------------ decoding */

static int decode_25(const struct namespace *ns, const char *key, size_t keylen, const char *val, size_t vallen,
	struct mbentry *out)
{
	*out = (struct mbentry){ .type = 'e', .flags = MBENTRY_LEGACYDIRS };
	if (!keylen || memchr(key, 0, keylen)) return ERR_BADFORMAT;
	if (keylen >= 5 && (!memcmp(key, "$RACL", 5) || !memcmp(key, "$RUNQ", 5))) return ERR_NOTFOUND;      /* 3.0 to 3.4 */
	out->name = mem_dup(key, keylen);
	int r = mbname_from_internal(&out->parts, out->name, ns);
	if (!r) r = mbrecord_25_parse(val, vallen, out);
	if (r) mbentry_free(out);
	return r ? ERR_BADFORMAT : 0;
}

/* ------------------------------------------------------------------------------------------------ writing */

static int put_25(struct store *st, const struct mbentry *e, struct cyrusdb_txn **txn)
{
	struct buf key = BUF_INIT, val = BUF_INIT;
	key_25(&st->ns, &e->parts, &key);
	mbrecord_25_print(e, e->flags & MBENTRY_KEEPTIME ? e->mtime : clock_now(), &val);
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
