/* reconstruct_discover.c - mailboxes whose directories are there and whose entries are not (spec/mailbox.md 16.1, -f). */
#include "store/reconstruct_priv.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "store/mboxlist.h"
#include "store/paths.h"
#include "store/spool_list.h"
#include "sys/clock.h"

#include <stdlib.h>
#include <string.h>

struct candidate {
	struct mbentry e;
	char *dir;
	bool doubtful;                        /* another directory has this name or unique id */
};

struct discovery {
	const struct reconstruct *rc;
	struct reconstruct_discover *d;
	struct hash *ids;                     /* of listed mailboxes, to their names */
	struct strarray names;                /* owns those */
	struct candidate *v;
	size_t n, alloc;
	struct hash *dirs;                    /* to index + 1 */
};

static void odd(struct discovery *x, const char *path, const char *words, const char *detail)
{
	if (x->d->odd) x->d->odd(x->d->arg, path, words, detail);
}

static int note_listed(void *arg, const struct mbentry *e)
{
	struct discovery *x = arg;
	if (!e->uniqueid) return 0;
	strarray_append(&x->names, e->name);
	hash_puts(x->ids, e->uniqueid, x->names.v[x->names.n - 1]);
	return 0;
}

enum { LOCKABLE = 255 - 5 };              /* a directory by name has a lock file NAME.lock */

/* A name that a client could not have given, or that would be more than one line of anybody's output. */
static bool bad_name(const struct store *st, const struct mbentry *e)
{
	for (const char *p = e->name; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f) return true;
	for (size_t i = 0; i < e->parts.boxes.n && e->flags & MBENTRY_LEGACYDIRS; i++)
		if (strlen(e->parts.boxes.v[i]) > LOCKABLE) return true;
	return mbname_check_create(&e->parts, e->name, &st->ns) != 0;
}

/* What lies there is the rest of something that is gone, or the copy of something that is not. */
static void leftover(struct discovery *x, const struct mbentry *e, const char *owner, const char *dir)
{
	static const char *const words[2][2] = {
		{ "is what a deletion or renaming has left, left out", "is what a deletion or renaming has left, removed" },
		{ "is a copy of a listed mailbox, left out", "is a copy of a listed mailbox, removed" },
	};
	bool remove = reconstruct_fixing(x->rc) && x->rc->flags & RECONSTRUCT_REMOVE_ODD;
	int r = remove ? reconstruct_remove_leftover(x->rc->st, e) : 0;
	odd(x, dir, words[owner != NULL][remove && !r], owner ? owner : e->name);
	if (r) odd(x, dir, "cannot be removed", err_text(r));
}

static void add(struct discovery *x, const struct mbentry *e, const char *dir)
{
	MEM_GROW(x->v, x->alloc, x->n + 1);
	struct candidate *c = &x->v[x->n++];
	*c = (struct candidate){ .dir = mem_strdup(dir) };
	mbentry_copy(&c->e, e);
	hash_puts(x->dirs, c->dir, (void *)(uintptr_t)x->n);
}

/* Is that the directory of the mailbox of the list? */
static bool at_home(struct store *st, const struct mbentry *e, bool *listed)
{
	struct mbentry there;
	*listed = !mboxlist_lookup(st, e->name, &there);
	if (!*listed) return false;
	bool yes = !strcmp(there.partition ? there.partition : "", e->partition) && mailbox_places_overlap(st, e, &there);
	mbentry_free(&there);
	return yes;
}

static bool is_meant(struct discovery *x, const struct mbentry *e)
{
	if (x->d->partition && strcmp(x->d->partition, e->partition)) return false;
	return !x->d->wanted || x->d->wanted(x->d->arg, e);
}

static int look(void *arg, const struct mbentry *e)
{
	struct discovery *x = arg;
	struct store *st = x->rc->st;
	struct buf dir = BUF_INIT;
	bool listed;
	if (!is_meant(x, e) || at_home(st, e, &listed) || path_mailbox(st, e, META_HEADER, NULL, &dir)) return 0;
	const char *owner = e->uniqueid ? hash_gets(x->ids, e->uniqueid) : NULL;
	if (bad_name(st, e)) odd(x, buf_cstr(&dir), spool_list_words(SPOOL_LIST_NAME), "");
	else if (reconstruct_is_leftover(st, e, owner)) leftover(x, e, owner, buf_cstr(&dir));
	else if (owner) odd(x, buf_cstr(&dir), "has the unique id of another mailbox, left out", owner);
	else if (listed) odd(x, buf_cstr(&dir), spool_list_words(SPOOL_LIST_TWICE), e->name);
	else add(x, e, buf_cstr(&dir));
	buf_free(&dir);
	return 0;
}

/* The list may have one of the two; what it has not may be a leftover. */
static void second(void *arg, const struct mbentry *e, const char *other)
{
	struct discovery *x = arg;
	struct buf dir = BUF_INIT;
	bool listed;
	(void)other;
	if (!is_meant(x, e) || at_home(x->rc->st, e, &listed) || path_mailbox(x->rc->st, e, META_HEADER, NULL, &dir)) return;
	const char *owner = e->uniqueid ? hash_gets(x->ids, e->uniqueid) : NULL;
	if (reconstruct_is_leftover(x->rc->st, e, owner)) leftover(x, e, owner, buf_cstr(&dir));
	buf_free(&dir);
}

static void pass_odd(void *arg, enum spool_list_odd what, const char *path, const char *detail)
{
	struct discovery *x = arg;
	size_t at = what == SPOOL_LIST_TWICE ? (size_t)(uintptr_t)hash_gets(x->dirs, detail) : 0;
	if (at) x->v[at - 1].doubtful = true;
	odd(x, path, spool_list_words(what), detail);
}

static int adopt(struct discovery *x, struct candidate *c)
{
	struct store *st = x->rc->st;
	struct mbentry e;
	mbentry_copy(&e, &c->e);
	if (x->d->fresh) reconstruct_anew(st, &e);
	if (!e.uniqueid) e.uniqueid = st->layout->new_uniqueid();
	if (!e.uidvalidity) e.uidvalidity = (uint32_t)clock_now();
	int r = mboxlist_put(st, &e);
	if (!r && x->d->fresh) reconstruct_remove_meta(st, &e);      /* behind the list: by unique id nothing else has the name */
	mbentry_free(&e);
	return r;
}

static void settle(struct discovery *x, struct candidate *c)
{
	if (c->doubtful) {
		odd(x, c->dir, spool_list_words(SPOOL_LIST_TWICE), "");
		return;
	}
	int r = reconstruct_fixing(x->rc) ? adopt(x, c) : 0;
	if (x->d->found) x->d->found(x->d->arg, &c->e, r);
}

int reconstruct_discover(const struct reconstruct *rc, struct reconstruct_discover *d)
{
	struct discovery x = { .rc = rc, .d = d, .ids = hash_new(), .dirs = hash_new() };
	struct spool_list l = { .found = look, .second = second, .odd = pass_odd, .arg = &x };
	int r = mboxlist_each(rc->st, NULL, MBOXLIST_LIVE, note_listed, &x);
	if (!r) r = spool_list_run(rc->st, &l);
	d->unread = l.unread;
	for (size_t i = 0; i < x.n; i++) {
		if (!r) settle(&x, &x.v[i]);
		mbentry_free(&x.v[i].e);
		free(x.v[i].dir);
	}
	free(x.v);
	hash_free(x.ids, NULL);
	hash_free(x.dirs, NULL);
	strarray_free(&x.names);
	return r;
}
