/* list_answer.c - the lines of a LIST: which of the collected names and of the levels above them, with what attributes. See
 * list.h. */
#include "base/err.h"
#include "base/mem.h"
#include "imapd/list.h"
#include "imapd/mboxarg.h"
#include "imapd/respond.h"
#include "imapd/status.h"

#include <stdlib.h>
#include <string.h>

struct line {
	const char *name;
	struct list_entry *e;             /* NULL: only a level above some */
	bool children;                    /* of subscriptions: looked up beforehand */
};

struct answer {
	struct listing *l;
	struct line *v;
	size_t n, alloc;
	struct hash *levels;              /* names of levels that have their line */
	struct hash *childinfo;           /* names below which a subscription lies that has no line of its own */
};

enum { LEVELS = 512 };

/* ------------------------------------------------------------------------------------------------ which names */

static size_t insert(size_t *lens, size_t n, size_t len)
{
	size_t i = n;
	while (i && lens[i - 1] > len) i--;
	if ((i && lens[i - 1] == len) || n == LEVELS) return n;
	memmove(lens + i + 1, lens + i, (n - i) * sizeof *lens);
	lens[i] = len;
	return n + 1;
}

/* The lengths of the name and of the levels above it that are to be told: all that match a pattern ending in %, else the longest
 * one. */
static size_t told(const struct list_request *q, const char *name, size_t *lens)
{
	size_t n = 0, all[LEVELS];
	for (size_t i = 0; i < q->npatterns; i++) {
		size_t plen = strlen(q->patterns[i]);
		if (q->recursive || (plen && q->patterns[i][plen - 1] == '%')) {
			size_t k = glob_match_all(q->globs[i], name, all, LEVELS);
			for (size_t j = 0; j < k && j < LEVELS; j++) n = insert(lens, n, all[j]);
		} else {
			long len = glob_match_prefix(q->globs[i], name, 0);
			if (len >= 0) n = insert(lens, n, (size_t)len);
		}
	}
	return n;
}

static const char *special_use(struct answer *a, struct list_entry *e)
{
	struct listing *l = a->l;
	struct buf use = BUF_INIT;
	char *copy = NULL;
	if (!e || !l->uses || !list_live(l, e) || !e->mb) return NULL;
	if (specialuse_get(l->uses, e->mb, &use)) copy = arena_dup(l->s->cmd, use.s, use.len);
	buf_free(&use);
	return copy;
}

/* Does the entry meet what was asked for? */
static bool selected(struct answer *a, struct list_entry *e)
{
	struct listing *l = a->l;
	const struct list_request *q = l->q;
	if (q->lsub && !conf_bool(l->s->conf, OPT_ALLOWALLSUBSCRIBE) && !list_live(l, e)) return false;
	return !q->sel_specialuse || special_use(a, e);
}

static void add_line(struct answer *a, const char *name, struct list_entry *e)
{
	MEM_GROW(a->v, a->alloc, a->n + 1);
	a->v[a->n++] = (struct line){ name, e, false };
}

static char *level_name(struct answer *a, const struct list_entry *e, size_t len)
{
	return arena_printf(a->l->s->cmd, "%.*s%s", (int)len, e->ext, e->ext + strlen(e->ext) - e->suffix);
}

/* A level above some mailbox that the pattern matches and that is no mailbox of this listing itself. */
static void add_level(struct answer *a, const struct list_entry *e, size_t len)
{
	struct session *s = a->l->s;
	const struct list_request *q = a->l->q;
	if (len > strlen(e->ext) - e->suffix || q->sel_specialuse) return;
	const char *name = level_name(a, e, len);
	struct list_entry *own = hash_gets(a->l->entries, name);
	if (q->recursive) hash_puts(a->childinfo, name, a);
	if (own && selected(a, own)) return;
	if (s->level == LEVEL_25 && s->ns.alt && !strcmp(name, s->ns.sharedprefix)) return;
	if (!hash_puts(a->levels, name, a)) add_line(a, name, NULL);
}

static void visit(struct answer *a, struct list_entry *e)
{
	const struct list_request *q = a->l->q;
	size_t lens[LEVELS], n = told(q, e->ext, lens), whole = strlen(e->ext);
	bool itself = n && lens[n - 1] == whole;
	if (itself) n--;
	bool levels = !q->sel_subscribed || (q->recursive && !itself);
	for (size_t i = 0; i < n && levels; i++) add_level(a, e, lens[i]);
	if (itself && selected(a, e)) add_line(a, e->ext, e);
}

/* ------------------------------------------------------------------------------------------------ a line */

static void attribute(struct buf *b, const char *word)
{
	if (b->len) buf_putc(b, ' ');
	buf_puts(b, word);
}

/* A level: is there a mailbox of that name, though not of this listing? 2.5 says so even where the user may not look it up. */
static bool level_exists(struct answer *a, const char *name, struct mboxarg *m)
{
	struct session *s = a->l->s;
	const struct list_request *q = a->l->q;
	if (q->lsub) return false;
	if (s->level == LEVEL_36 && !q->recursive) return false;
	int r = mboxarg_find(s, name, m);
	if (!r) return true;
	return s->level == LEVEL_25 && m->found && !(m->entry.parts.deleted || m->entry.type != 'e');
}

static void put_existence(struct answer *a, const struct line *x, bool exists, bool unreadable, struct buf *b)
{
	const struct session *s = a->l->s;
	const struct list_request *q = a->l->q;
	bool told_25 = s->level == LEVEL_25 && q->xlist;
	if (!exists && (q->extended || told_25)) {
		if (s->level == LEVEL_25 && q->ret_status) attribute(b, "\\Noselect");
		attribute(b, "\\NonExistent");
	} else if ((!exists && !x->e) || unreadable) {
		attribute(b, "\\Noselect");
	}
}

/* 2.5 does not look for the children of what is selected by subscription, unless asked to. */
static bool by_subscription_only(const struct session *s, const struct list_request *q)
{
	return q->lsub || (q->sel_subscribed && s->level == LEVEL_25 && !q->ret_children);
}

static void put_children(struct answer *a, const struct line *x, struct buf *b)
{
	struct listing *l = a->l;
	const struct list_request *q = l->q;
	bool few = by_subscription_only(l->s, q), children;
	if (few && q->recursive) return;
	/* \\Noinferiors says it */
	if (x->e && x->e->inbox && l->s->ns.alt && l->s->level == LEVEL_25 && (q->extended || q->xlist)) return;
	if (!x->e) children = true;
	else if (q->sel_subscribed && !few) children = x->children;
	else children = hash_gets(l->parents, x->name) != NULL;
	if (children) attribute(b, "\\HasChildren");
	else if (!few) attribute(b, "\\HasNoChildren");
}

static void put_line(struct answer *a, const struct line *x)
{
	struct session *s = a->l->s;
	const struct list_request *q = a->l->q;
	struct buf b = BUF_INIT;
	struct mboxarg m = { 0 };
	struct status st;
	const char *use = special_use(a, x->e);
	bool exists = x->e ? list_live(a->l, x->e) : level_exists(a, x->name, &m);
	struct mbentry *mb = x->e ? x->e->mb : exists && m.rights & ACL_LOOKUP ? &m.entry : NULL;
	uint32_t rights = mb ? session_rights(s, mb) : 0;
	bool status = mb && q->ret_status, readable = (rights & ACL_READ) != 0;
	bool have = status && readable && !status_read(s, mb, q->status, &st);
	if (x->e && x->e->inbox && s->ns.alt && s->level == LEVEL_25) attribute(&b, "\\Noinferiors");
	put_existence(a, x, exists, status && !readable, &b);
	if (x->e && q->extended && (q->sel_subscribed || hash_gets(a->l->subscribed, x->name))) attribute(&b, "\\Subscribed");
	put_children(a, x, &b);
	if (q->xlist && x->e && x->e->inbox) attribute(&b, "\\Inbox");
	if (use) attribute(&b, use);
	putfmt(s, "* %s (%s) \"%c\" ", q->verb, buf_cstr(&b), s->ns.sep);
	put_astring(s, x->name);
	put(s, hash_gets(a->childinfo, x->name) ? " (CHILDINFO (\"SUBSCRIBED\"))\r\n" : "\r\n");
	if (have) status_put(s, x->name, q->status, &st);
	if (mb && q->ret_myrights) {
		buf_reset(&b);
		acl_rights_print(&b, rights, &s->st->macros);
		put(s, "* MYRIGHTS ");
		put_astring(s, x->name);
		putfmt(s, " %s\r\n", buf_cstr(&b));
	}
	if (mb && q->ret_metadata) list_put_metadata(a->l, mb, x->name, rights);
	mboxarg_free(&m);
	buf_free(&b);
}

/* ------------------------------------------------------------------------------------------------ all lines */

static int compare_names(const void *x, const void *y, void *arg)
{
	const char *a = ((const struct line *)x)->name, *b = ((const struct line *)y)->name;
	char sep = *(const char *)arg;
	while (*a && *a == *b) a++, b++;
	if (*a == *b) return 0;
	if (!*a || !*b) return *a ? 1 : -1;
	if (*a == sep || *b == sep) return *a == sep ? -1 : 1;
	return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
}

/* What lines about subscriptions need of the mailbox list, in one look at it: none is taken while lines are written. */
static void look_up(struct answer *a)
{
	const struct list_request *q = a->l->q;
	bool children = q->sel_subscribed && !by_subscription_only(a->l->s, q);
	for (size_t i = 0; i < a->n; i++) {
		if (!a->v[i].e) continue;
		list_live(a->l, a->v[i].e);
		if (children) a->v[i].children = list_has_children(a->l, a->v[i].e);
	}
}

static void select_lines(struct answer *a)
{
	struct listing *l = a->l;
	struct cyrusdb *list = l->s->st->mboxlist;
	bool subs = l->q->lsub || l->q->sel_subscribed, held = subs && !cyrusdb_hold(list);
	for (size_t i = 0; i < l->n; i++) visit(a, &l->v[i]);
	if (subs) look_up(a);
	if (held) cyrusdb_release(list);
}

int list_answer(struct listing *l, unsigned *calls)
{
	struct answer a = { .l = l, .levels = hash_new(), .childinfo = hash_new() };
	select_lines(&a);
	if (l->q->recursive && l->s->level == LEVEL_36 && a.n > 1) qsort_r(a.v, a.n, sizeof *a.v, compare_names, &l->s->ns.sep);
	for (size_t i = 0; i < a.n; i++) put_line(&a, &a.v[i]);
	*calls = (unsigned)a.n;
	free(a.v);
	hash_free(a.levels, NULL);
	hash_free(a.childinfo, NULL);
	return 0;
}
