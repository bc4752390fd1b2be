/* specialuse.c - see specialuse.h. */
#include "store/specialuse.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "store/layout.h"
#include "store/mboxlist.h"
#include "store/paths.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

struct specialuse {
	struct store *st;
	struct cyrusdb *db;
	char *userid;
};

struct specialuse *specialuse_open(struct store *st, const char *userid)
{
	struct buf path = BUF_INIT;
	struct cyrusdb *db = NULL;
	struct specialuse *s = NULL;
	path_conf(st, OPT_ANNOTATION_DB_PATH, "annotations.db", &path);
	if (userid && access(buf_cstr(&path), F_OK) == 0
	    && !cyrusdb_open(st->dbs, conf_word(st->conf, OPT_ANNOTATION_DB), buf_cstr(&path), 0, &db)) {
		s = mem_alloc(sizeof *s);
		*s = (struct specialuse){ st, db, mem_strdup(userid) };
	}
	buf_free(&path);
	return s;
}

void specialuse_close(struct specialuse *s)
{
	if (!s) return;
	cyrusdb_close(s->db);
	free(s->userid);
	free(s);
}

static bool fetch(struct specialuse *s, const struct mbentry *e, const char *entry, const char *user, struct buf *out)
{
	struct buf key = BUF_INIT;
	const char *val;
	size_t len, n;
	s->st->layout->annot_scope(e, &key);
	buf_putc(&key, 0);
	buf_puts(&key, entry);
	buf_putc(&key, 0);
	buf_puts(&key, user);
	buf_putc(&key, 0);
	bool ok = !cyrusdb_fetch(s->db, key.s, key.len, &val, &len, NULL) && len >= 8 && (n = get_be32(val)) <= len - 8 && n > 0;
	if (ok) buf_append(out, val + 8, n);
	buf_free(&key);
	return ok;
}

bool specialuse_get(struct specialuse *s, const struct mbentry *e, struct buf *out)
{
	return specialuse_annotation(s, e, "/specialuse", false, out);
}

bool specialuse_annotation(struct specialuse *s, const struct mbentry *e, const char *entry, bool shared, struct buf *out)
{
	if (!s) return false;
	if (shared) return fetch(s, e, entry, "", out);
	bool own = s->st->layout->annot_owner_token && mbname_owned_by(&e->parts, s->userid, &s->st->ns);
	return (own && fetch(s, e, entry, "[.OwNeR.]", out)) || fetch(s, e, entry, s->userid, out);
}

/* ------------------------------------------------------------------------------------------------ changing */

static const struct { const char *name; bool only36; } uses[] = {
	{ "\\Archive", false }, { "\\Drafts", false }, { "\\Junk", false }, { "\\Sent", false }, { "\\Trash", false },
	{ "\\Important", true }, { "\\Snoozed", true },
};

/* `w` may lack its backslash. */
static bool same_use(const char *w, const char *use)
{
	return !strcasecmp(w, use) || (*w != '\\' && !strcasecmp(w, use + (*use == '\\')));
}

static void split(const char *s, struct strarray *out) { strarray_split(out, s ? s : "", " \t"); }

static bool put_use(struct store *st, const char *w, const struct strarray *extra, struct buf *out)
{
	const char *use = NULL;
	for (size_t i = 0; i < sizeof uses / sizeof *uses && !use; i++)
		if ((!uses[i].only36 || st->layout->level == LEVEL_36) && same_use(w, uses[i].name)) use = uses[i].name;
	for (size_t i = 0; i < extra->n && !use; i++)
		if (same_use(w, extra->v[i])) use = extra->v[i];
	if (use) buf_printf(out, "%s%s", out->len ? " " : "", use);
	return use != NULL;
}

int specialuse_parse(struct store *st, const char *words, struct buf *out)
{
	struct strarray given = STRARRAY_INIT, extra = STRARRAY_INIT;
	int r = 0;
	split(words, &given);
	split(conf_str(st->conf, OPT_SPECIALUSE_EXTRA), &extra);
	for (size_t i = 0; i < given.n && !r; i++)
		if (!put_use(st, given.v[i], &extra, out)) r = ERR_BADENTRY;
	strarray_free(&given);
	strarray_free(&extra);
	return r;
}

static bool any_common(const char *a, const char *b)
{
	struct strarray x = STRARRAY_INIT, y = STRARRAY_INIT;
	bool found = false;
	split(a, &x);
	split(b, &y);
	for (size_t i = 0; i < x.n && !found; i++)
		for (size_t k = 0; k < y.n && k < 64 && !found; k++) found = !strcasecmp(x.v[i], y.v[k]);
	strarray_free(&x);
	strarray_free(&y);
	return found;
}

struct unique { struct specialuse *s; const char *value; };

static int clashes(void *arg, const struct mbentry *e)
{
	struct unique *u = arg;
	struct buf have = BUF_INIT;
	bool yes = !mbname_is_inbox(&e->parts) && specialuse_get(u->s, e, &have) && any_common(buf_cstr(&have), u->value);
	buf_free(&have);
	return yes ? ERR_SPECIALUSE : 0;
}

int specialuse_unique(struct store *st, const char *userid, const char *value)
{
	struct mbname inbox;
	if (st->layout->level != LEVEL_36 || mbname_from_userid(&inbox, userid, &st->ns)) return 0;
	struct unique u = { specialuse_open(st, userid), value };
	int r = u.s ? mboxlist_each(st, &inbox, MBOXLIST_LIVE, clashes, &u) : 0;
	specialuse_close(u.s);
	mbname_free(&inbox);
	return r;
}

int specialuse_set(struct store *st, const char *userid, const struct mbentry *e, const char *value)
{
	struct buf path = BUF_INIT, key = BUF_INIT, val = BUF_INIT;
	struct cyrusdb *db;
	char word[8] = { 0 };
	bool own = st->layout->annot_owner_token && mbname_owned_by(&e->parts, userid, &st->ns);
	path_conf(st, OPT_ANNOTATION_DB_PATH, "annotations.db", &path);
	st->layout->annot_scope(e, &key);
	buf_append(&key, "\0/specialuse", 13);
	buf_puts(&key, own ? "[.OwNeR.]" : userid);
	buf_putc(&key, 0);
	put_be32(word, (uint32_t)strlen(value));
	buf_append(&val, word, 8);
	buf_append(&val, value, strlen(value) + 1);
	buf_append(&val, "text/plain", 11);
	buf_append(&val, "\0\0\0\0\0\0\0\0", 8);
	if (st->layout->annot_modseq) buf_append(&val, "\0\0\0\0\0\0\0\0\0", 9);
	int rc = cyrusdb_open(st->dbs, conf_word(st->conf, OPT_ANNOTATION_DB), buf_cstr(&path), CYRUSDB_CREATE, &db);
	if (!rc) {
		rc = *value ? cyrusdb_store(db, key.s, key.len, val.s, val.len, NULL) : cyrusdb_delete(db, key.s, key.len, NULL, true);
		cyrusdb_close(db);
	}
	if (rc) log_msg(LOG_ERR, "DBERROR: mailbox %s: cannot store its special use: %s", e->name, cyrusdb_strerror(rc));
	buf_free(&path);
	buf_free(&key);
	buf_free(&val);
	return rc ? ERR_IO : 0;
}

bool specialuse_listed(struct store *st, const struct mbentry *e, enum conf_opt list)
{
	struct buf have = BUF_INIT;
	const char *words = conf_str(st->conf, list);
	char *owner = words && *words ? mbname_userid(&e->parts) : NULL;
	struct specialuse *s = owner ? specialuse_open(st, owner) : NULL;
	bool yes = s && specialuse_get(s, e, &have) && any_common(buf_cstr(&have), words);
	specialuse_close(s);
	buf_free(&have);
	free(owner);
	return yes;
}
