/* annot_fetch.c - what there is to an annotation query, in the reference's order: with patterns the rows of the database first,
 * as they stand there; then entry by entry, the last one asked for (or standing in the table) first. See annot.h. */
#include "imapd/annot.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "imapd/list.h"
#include "imapd/mboxarg.h"
#include "store/mboxlist.h"
#include "text/glob.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------------ the query */

static void add_pattern(struct annot_query *q, char *text)
{
	struct annot_pattern *p = mem_alloc(sizeof *p);
	*p = (struct annot_pattern){ text, glob_new(text, '/', 0) };
	ptrarray_append(&q->patterns, p);
}

void annot_query_add(struct annot_query *q, const char *name)
{
	if (strpbrk(name, "*%")) add_pattern(q, mem_strdup(name));
	else if (strarray_find(&q->names, name) < 0) strarray_append(&q->names, name);
}

void annot_query_below(struct annot_query *q, const char *name, bool all)
{
	add_pattern(q, mem_printf("%s/%c", name, all ? '*' : '%'));
}

void annot_query_free(struct annot_query *q)
{
	for (size_t i = 0; i < q->patterns.n; i++) {
		struct annot_pattern *p = q->patterns.v[i];
		free((char *)(uintptr_t)p->text);
		glob_free(p->glob);
		free(p);
	}
	ptrarray_free(&q->patterns);
	strarray_free(&q->names);
}

static bool matches_pattern(const struct annot_query *q, const char *entry)
{
	for (size_t i = 0; i < q->patterns.n; i++)
		if (glob_match(((struct annot_pattern *)q->patterns.v[i])->glob, entry)) return true;
	return false;
}

/* ------------------------------------------------------------------------------------------------ one place */

struct fetching {
	struct annot_query *q;
	struct annots *annots;
	struct annot_source src;
	struct hash *told;                    /* "s/comment", "p/comment" */
	bool lookup_only;
};

static char *mark(const char *entry, bool shared) { return mem_printf("%c%s", shared ? 's' : 'p', entry); }

static void tell(struct fetching *f, const char *entry, bool shared, const char *value, size_t len)
{
	struct annot_query *q = f->q;
	char *key = mark(entry, shared);
	hash_puts(f->told, key, f);
	free(key);
	if (!value || len <= q->maxsize) q->tell(q->arg, entry, shared, value, len);
	else if (len > q->longest) q->longest = len;
}

static bool was_told(struct fetching *f, const char *entry, bool shared)
{
	char *key = mark(entry, shared);
	bool yes = hash_gets(f->told, key) != NULL;
	free(key);
	return yes;
}

static int row(void *arg, const char *entry, bool shared, const char *value, size_t len)
{
	struct fetching *f = arg;
	if (!(shared ? f->q->shared : f->q->priv) || (strarray_find(&f->q->names, entry) < 0 && !matches_pattern(f->q, entry)))
		return 0;
	tell(f, entry, shared, value, len);
	return 0;
}

static void stored(struct fetching *f, const char *entry, bool shared)
{
	struct buf b = BUF_INIT;
	if (!f->q->patterns.n && annots_get(f->annots, f->src.e, entry, shared, &b)) tell(f, entry, shared, buf_cstr(&b), b.len);
	buf_free(&b);
}

static void computed(struct fetching *f, const struct annot_entry *e)
{
	struct buf b = BUF_INIT;
	bool has = e->compute(&f->src, e, &b);
	tell(f, e->name, !e->only_private, has ? buf_cstr(&b) : NULL, b.len);
	buf_free(&b);
}

static void one(struct fetching *f, const char *name, const struct annot_entry *e)
{
	bool shared = f->q->shared && !(e && e->only_private), priv = f->q->priv && !(e && e->only_shared);
	if (f->lookup_only && !(e && e->lookup_is_enough)) return;
	if (e && e->compute) {
		if (e->only_private ? priv : shared) computed(f, e);
		return;
	}
	if (shared) stored(f, name, true);
	if (priv) stored(f, name, false);
	if (priv && !was_told(f, name, false)) tell(f, name, false, NULL, 0);
	if (shared && !was_told(f, name, true)) tell(f, name, true, NULL, 0);
}

int annot_fetch(struct annot_query *q, struct annots *annots, const struct mbentry *e, uint32_t rights)
{
	struct session *s = q->s;
	struct fetching f = { .q = q, .annots = annots, .src = { .s = s, .e = e } };
	size_t n;
	int r = 0;
	bool all = !e || s->user.isadmin || (rights & (ACL_LOOKUP | ACL_READ)) == (ACL_LOOKUP | ACL_READ);
	if (!all && !(rights & ACL_LOOKUP)) return 0;
	f.lookup_only = !all;
	f.told = hash_new();
	if (q->patterns.n && all) r = annots_each(annots, e, row, &f);
	const struct annot_entry *v = annot_defined(s, !e, &n);
	for (size_t i = n; i-- > 0 && !r && q->patterns.n;)
		if (matches_pattern(q, v[i].name)) one(&f, v[i].name, &v[i]);
	v = annot_entries(!e, &n);
	for (size_t i = n; i-- > 0 && !r && q->patterns.n;)
		if ((!v[i].only36 || s->level == LEVEL_36) && matches_pattern(q, v[i].name)) one(&f, v[i].name, &v[i]);
	for (size_t i = q->names.n; i-- > 0 && !r;) {
		const struct annot_entry *x = annot_entry(s, !e, q->names.v[i]);
		if (!x || !matches_pattern(q, x->name)) one(&f, q->names.v[i], x);
	}
	annot_source_close(&f.src);
	hash_free(f.told, NULL);
	return r;
}

/* ------------------------------------------------------------------------------------------------ which mailboxes */

enum place { OWN, OTHERS, SHARED, DELETED, PLACES };

struct walk {
	struct session *s;
	struct glob *glob;
	annot_mailbox_cb *cb;
	void *arg;
	enum place place;                     /* this time */
	const char *domain;                   /* an administrator of one domain; else NULL */
	struct ptrarray found;                /* of struct mbentry: cb may write */
};

/* One's own mailboxes come first; in the alternative namespace, and in 3.6's list, users' stand before shared ones; else all in
 * the order of the list. */
static enum place place_of(const struct session *s, const struct mbentry *e)
{
	if (s->level == LEVEL_36 && e->parts.deleted && e->parts.localpart) return DELETED;
	if (!s->user.isadmin && mbname_owned_by(&e->parts, s->user.userid, &s->st->ns)) return OWN;
	return (s->level == LEVEL_36 || (s->ns.alt && !s->user.isadmin)) && e->parts.localpart ? OTHERS : SHARED;
}

static int collect(void *arg, const struct mbentry *e)
{
	struct walk *w = arg;
	if (place_of(w->s, e) != w->place || e->flags & MBENTRY_RESERVED || !list_sees(w->s, e)) return 0;
	if (w->domain && strcmp(e->parts.domain ? e->parts.domain : "", w->domain)) return 0;
	char *ext = mbname_external(&e->parts, w->s->user.userid, &w->s->ns);
	if (ext && glob_match(w->glob, ext)) {
		struct mbentry *copy = mem_alloc(sizeof *copy);
		mbentry_copy(copy, e);
		ptrarray_append(&w->found, copy);
	}
	free(ext);
	return 0;
}

static int by_pattern(struct walk *w)
{
	struct mbname me = { 0 };
	int r = 0;
	if (w->s->user.isadmin && w->s->ns.virtdomains && !mbname_from_userid(&me, w->s->user.userid, &w->s->st->ns))
		w->domain = me.domain;
	for (w->place = OWN; w->place < PLACES && !r; w->place++) r = mboxlist_each(w->s->st, NULL, MBOXLIST_LIVE, collect, w);
	mbname_free(&me);
	w->domain = NULL;
	for (size_t i = 0; i < w->found.n; i++) {
		struct mbentry *e = w->found.v[i];
		char *ext = mbname_external(&e->parts, w->s->user.userid, &w->s->ns);
		if (!r && ext) r = w->cb(w->arg, e, ext, session_rights(w->s, e));
		free(ext);
		mbentry_free(e);
		free(e);
	}
	ptrarray_free(&w->found);
	return r;
}

int annot_mailboxes(struct session *s, const char *name, annot_mailbox_cb *cb, void *arg)
{
	struct mboxarg m = { 0 };
	struct walk w = { .s = s, .cb = cb, .arg = arg };
	if (!*name) return cb(arg, NULL, "", 0);
	if (strpbrk(name, "*%")) {
		w.glob = glob_new(name, s->ns.sep, GLOB_INBOX);
		int r = by_pattern(&w);
		glob_free(w.glob);
		return r;
	}
	int r = mboxarg_find(s, name, &m);
	if (!r || m.found) {                           /* that there is one, he may know */
		char *ext = session_external(s, &m.parts);
		r = ext ? cb(arg, &m.entry, ext, m.rights) : ERR_NOMAILBOX;
	}
	mboxarg_free(&m);
	return r == ERR_BADNAME ? ERR_NOMAILBOX : r;
}
