/* specialuse.c - see specialuse.h. */
#include "store/specialuse.h"
#include "base/err.h"
#include "store/layout.h"
#include "store/mboxlist.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool specialuse_get(struct annots *a, const struct mbentry *e, struct buf *out)
{
	return annots_get(a, e, "/specialuse", false, out);
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

struct unique { struct annots *annots; const char *value; };

static int clashes(void *arg, const struct mbentry *e)
{
	struct unique *u = arg;
	struct buf have = BUF_INIT;
	bool yes = !mbname_is_inbox(&e->parts) && specialuse_get(u->annots, e, &have) && any_common(buf_cstr(&have), u->value);
	buf_free(&have);
	return yes ? ERR_SPECIALUSE : 0;
}

int specialuse_unique(struct store *st, const char *userid, const char *value)
{
	struct mbname inbox;
	if (st->layout->level != LEVEL_36 || mbname_from_userid(&inbox, userid, &st->ns)) return 0;
	struct unique u = { annots_open(st, userid), value };
	int r = u.annots ? mboxlist_each(st, &inbox, MBOXLIST_LIVE, clashes, &u) : 0;
	annots_close(u.annots);
	mbname_free(&inbox);
	return r;
}

bool specialuse_listed(struct store *st, const struct mbentry *e, enum conf_opt list)
{
	struct buf have = BUF_INIT;
	const char *words = conf_str(st->conf, list);
	char *owner = words && *words ? mbname_userid(&e->parts) : NULL;
	struct annots *a = owner ? annots_open(st, owner) : NULL;
	bool yes = specialuse_get(a, e, &have) && any_common(buf_cstr(&have), words);
	annots_close(a);
	buf_free(&have);
	free(owner);
	return yes;
}
