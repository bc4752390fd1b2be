/* toolbox.c - see toolbox.h. */
#include "tools/toolbox.h"
#include "base/err.h"
#include "base/mem.h"
#include "conf/program.h"
#include "text/glob.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

int toolbox_open(struct toolbox *t, const char *alt, const char *ident, bool create)
{
	*t = (struct toolbox){ 0 };
	int rc = program_init(&t->conf, alt, ident, PROGRAM_NEED_DATA);
	if (rc) return rc;
	int r = store_open(&t->st, t->conf, create);
	if (!r) return 0;
	fprintf(stderr, "fatal error: can't open the mailbox list: %s\n", err_text(r));
	toolbox_close(t);
	return EX_TEMPFAIL;
}

void toolbox_close(struct toolbox *t)
{
	store_close(t->st);
	if (t->conf) conf_free(t->conf);
	*t = (struct toolbox){ 0 };
}

int toolbox_usage_status(const struct toolbox *t)
{
	return t->conf && conf_level(t->conf) == LEVEL_36 ? EX_USAGE : EX_TEMPFAIL;
}

char *toolbox_external(struct toolbox *t, const struct mbentry *e)
{
	char *s = mbname_external(&e->parts, NULL, &t->st->ns);
	return s ? s : mem_strdup(e->name);
}

int toolbox_lookup(struct toolbox *t, const char *arg, struct mbentry *out)
{
	struct mbname n;
	*out = (struct mbentry){ 0 };
	int r = mbname_from_external(&n, arg, NULL, &t->st->ns);
	if (r) return ERR_BADNAME;
	char *name = mbname_internal(&n, &t->st->ns);
	r = mboxlist_lookup(t->st, name, out);
	free(name);
	mbname_free(&n);
	return r;
}

/* ------------------------------------------------------------------------------------------------ patterns */

struct found { struct mbentry e; int rank; size_t at; };

struct search {
	struct toolbox *t;
	struct glob **globs;
	char **patterns;
	int n;
	unsigned flags;
	struct found *v;
	size_t count, alloc;
};

/* "user/joe/x@dom" is below "user/joe@dom". */
static bool below(const char *name, const char *parent, char sep)
{
	const char *at = strrchr(parent, '@'), *name_at = at ? strrchr(name, '@') : NULL;
	size_t n = at ? (size_t)(at - parent) : strlen(parent);
	if (at && (!name_at || strcmp(at, name_at))) return false;
	return !strncmp(name, parent, n) && name[n] == sep;
}

static bool wanted(const struct search *s, const char *name)
{
	if (!s->n) return true;
	for (int i = 0; i < s->n; i++) {
		if (glob_match(s->globs[i], name) || !strcmp(s->patterns[i], name)) return true;
		if (!(s->flags & TOOLBOX_CHILDREN)) continue;
		if (below(name, s->patterns[i], s->t->st->ns.sep) || glob_match_prefix(s->globs[i], name, 1) > 0) return true;
	}
	return false;
}

static int rank_of(const struct search *s, const struct mbentry *e)
{
	if (s->t->st->layout->level != LEVEL_36) return 0;
	return !e->parts.localpart ? 1 : e->parts.deleted ? 2 : 0;
}

static int collect(void *arg, const struct mbentry *e)
{
	struct search *s = arg;
	char *name = toolbox_external(s->t, e);
	if (wanted(s, name)) {
		MEM_GROW(s->v, s->alloc, s->count + 1);
		struct found *f = &s->v[s->count];
		mbentry_copy(&f->e, e);
		f->rank = rank_of(s, e);
		f->at = s->count++;
	}
	free(name);
	return 0;
}

static int by_rank(const void *a, const void *b)
{
	const struct found *x = a, *y = b;
	if (x->rank != y->rank) return x->rank - y->rank;
	return x->at < y->at ? -1 : x->at > y->at;
}

static void compile(struct search *s)
{
	s->globs = mem_array(NULL, (size_t)s->n + 1, sizeof *s->globs);
	for (int i = 0; i < s->n; i++) s->globs[i] = glob_new(s->patterns[i], s->t->st->ns.sep, 0);
}

static void dispose(struct search *s)
{
	for (int i = 0; i < s->n; i++) glob_free(s->globs[i]);
	free(s->globs);
}

bool toolbox_wanted(struct toolbox *t, char **patterns, int n, unsigned flags, const struct mbentry *e)
{
	struct search s = { .t = t, .patterns = patterns, .n = n, .flags = flags };
	char *name = toolbox_external(t, e);
	compile(&s);
	bool yes = wanted(&s, name);
	dispose(&s);
	free(name);
	return yes;
}

int toolbox_each(struct toolbox *t, char **patterns, int n, unsigned flags, mboxlist_cb *cb, void *arg)
{
	struct search s = { .t = t, .patterns = patterns, .n = n, .flags = flags };
	compile(&s);
	int r = mboxlist_each(t->st, NULL, MBOXLIST_LIVE, collect, &s);
	if (s.count) qsort(s.v, s.count, sizeof *s.v, by_rank);
	for (size_t i = 0; i < s.count; i++) {
		if (!r) r = cb(arg, &s.v[i].e);
		mbentry_free(&s.v[i].e);
	}
	dispose(&s);
	free(s.v);
	return r;
}
