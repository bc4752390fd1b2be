/* quotascan.c - see quotascan.h. Others keep working meanwhile: each root carries a SCAN mark that says up to which mailbox, in
 * strcmp order, its new count has got, and quota_use() adds later changes of those mailboxes to the new count too. */
#include "store/quotascan.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/mailbox.h"
#include "store/mboxlist.h"

#include <stdlib.h>
#include <string.h>

struct root {
	char *name;
	uint64_t used[QUOTA_RESOURCES];   /* without fixing: counted here */
	bool any, unsure;
};

struct scan {
	struct quotascan *s;
	struct hash *by_name;
	struct root **roots;
	size_t n, alloc;
	struct strarray mailboxes;
};

static struct root *find(struct scan *x, const char *name) { return name ? hash_gets(x->by_name, name) : NULL; }

static int add_root(void *arg, const char *name, const struct quota *q)
{
	struct scan *x = arg;
	struct root *r = mem_zalloc(sizeof *r);
	(void)q;
	r->name = mem_strdup(name);
	MEM_GROW(x->roots, x->alloc, x->n + 1);
	x->roots[x->n++] = r;
	hash_puts(x->by_name, name, r);
	return 0;
}

static int add_mailbox(void *arg, const struct mbentry *e)
{
	struct scan *x = arg;
	if (!(e->flags & (MBENTRY_REMOTE | MBENTRY_MOVING)) && e->partition) strarray_append(&x->mailboxes, e->name);
	return 0;
}

/* ------------------------------------------------------------------------------------------------ the SCAN mark */

static bool begin(void *arg, struct quota *q)
{
	(void)arg;
	quota_free(q);
	q->scan_mbox = mem_strdup("");             /* before every name */
	memset(q->scan, 0, sizeof q->scan);
	return true;
}

struct share { const char *name; uint64_t used[QUOTA_RESOURCES]; };

static bool add_share(void *arg, struct quota *q)
{
	const struct share *m = arg;
	if (!q->scan_mbox) return false;           /* somebody else's scan has ended ours */
	free(q->scan_mbox);
	q->scan_mbox = mem_strdup(m->name);
	for (int i = 0; i < QUOTA_RESOURCES; i++) q->scan[i] += (int64_t)m->used[i];
	return true;
}

struct end { bool keep; bool valid; uint64_t was[QUOTA_RESOURCES], now[QUOTA_RESOURCES]; };

static bool finish(void *arg, struct quota *q)
{
	struct end *e = arg;
	e->valid = false;
	if (!q->scan_mbox) return false;
	e->valid = !e->keep;
	for (int i = 0; i < QUOTA_RESOURCES; i++) {
		e->was[i] = q->used[i];
		e->now[i] = q->scan[i] > 0 ? (uint64_t)q->scan[i] : 0;
		if (e->valid) q->used[i] = e->now[i];
		q->scan[i] = 0;
	}
	quota_free(q);
	return true;
}

/* ------------------------------------------------------------------------------------------------ one mailbox */

static void usage_of(const struct mailbox *mb, struct share *m)
{
	*m = (struct share){ .name = mb->entry.name };
	m->used[QUOTA_STORAGE] = mb->h.quota_mailbox_used;
	m->used[QUOTA_MESSAGE] = mb->h.exists;
	m->used[QUOTA_ANNOTSTORAGE] = mb->h.quota_annot_used;
	m->used[QUOTA_NUMFOLDERS] = 1;
}

static int count(struct scan *x, struct mailbox *mb, const char *right)
{
	struct root *r = find(x, right);
	struct share m;
	if (!r) return 0;
	usage_of(mb, &m);
	r->any = true;
	if (x->s->fix) return quota_change(x->s->st, right, add_share, &m);
	for (int i = 0; i < QUOTA_RESOURCES; i++) r->used[i] += m.used[i];
	return 0;
}

static bool same(const char *a, const char *b) { return !strcmp(a ? a : "", b ? b : ""); }

static int look_at(struct scan *x, struct mailbox *mb, const char *right)
{
	struct quotascan *s = x->s;
	int r = mailbox_lock(mb, LOCK_SHARED);
	if (r) return r;
	bool wrong = !same(mb->hdr.quotaroot, right) && (find(x, right) || find(x, mb->hdr.quotaroot));
	if (wrong && s->wrong_root) s->wrong_root(s->arg, mb->entry.name, mb->hdr.quotaroot, right);
	if (wrong && s->fix) {
		mailbox_unlock(mb);
		if ((r = mailbox_lock(mb, LOCK_EXCLUSIVE))) return r;
		r = mailbox_set_quotaroot(mb, right);
		if (!r) r = mailbox_commit(mb);
	}
	if (!r) r = count(x, mb, right);
	int e = mailbox_unlock(mb);
	return r ? r : e;
}

/* The roots that a mailbox we could not read may belong to keep their numbers. */
static void unsure(struct scan *x, const char *right)
{
	struct root *r = find(x, right);
	if (r) r->unsure = r->any = true;
}

static int visit(struct scan *x, const char *name)
{
	struct store *st = x->s->st;
	struct mailbox *mb;
	struct mbname n;
	if (mbname_from_internal(&n, name, &st->ns)) return 0;
	char *right = quota_find_root(st, &n);
	int r = mailbox_open(st, name, &mb);
	if (r == ERR_NOMAILBOX || r == ERR_MOVED) r = 0;        /* gone meanwhile */
	else if (!r) r = look_at(x, mb, right), mailbox_close(&mb);
	if (r) {
		unsure(x, right);
		log_msg(LOG_ERR, "IOERROR: mailbox %s: quota usage not counted: %s", name, err_text(r));
	}
	free(right);
	mbname_free(&n);
	return r;
}

/* ------------------------------------------------------------------------------------------------ the roots */

static void tell_usage(struct quotascan *s, const char *root, const uint64_t was[], const uint64_t now[])
{
	for (int i = 0; i < QUOTA_RESOURCES; i++)
		if (was[i] != now[i] && s->wrong_usage) s->wrong_usage(s->arg, root, (enum quota_resource)i, was[i], now[i]);
}

static int settle(struct scan *x, struct root *r)
{
	struct quotascan *s = x->s;
	struct end e = { .keep = r->unsure };
	if (!r->any) {
		if (s->removed) s->removed(s->arg, r->name);
		return s->fix ? quota_delete(s->st, r->name) : 0;
	}
	if (s->fix) {
		int err = quota_change(s->st, r->name, finish, &e);
		if (err) return err == ERR_NOQUOTAROOT ? 0 : err;
	} else {
		struct quota q;
		int err = quota_read(s->st, r->name, &q);
		if (err) return err == ERR_NOQUOTAROOT ? 0 : err;
		memcpy(e.was, q.used, sizeof e.was);
		memcpy(e.now, r->used, sizeof e.now);
		e.valid = !r->unsure;
		quota_free(&q);
	}
	if (e.valid) tell_usage(s, r->name, e.was, e.now);
	return 0;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* Could a mailbox of that name concern a root beginning with the prefix? */
static bool concerned(const char *name, const char *prefix)
{
	size_t n = strlen(prefix);
	return !strncmp(name, prefix, n);
}

int quotascan_run(struct quotascan *s, const char *prefix)
{
	struct scan x = { .s = s, .by_name = hash_new(), .mailboxes = STRARRAY_INIT };
	struct namelock *lock = NULL;
	int worst = namelock_take(s->st, "$QUOTACHANGE", LOCK_EXCLUSIVE, LOCK_DEFAULT, &lock);
	if (worst) goto done;
	worst = quota_each(s->st, prefix, add_root, &x);
	if (!worst) worst = mboxlist_each(s->st, NULL, MBOXLIST_LIVE, add_mailbox, &x);
	if (worst) goto done;
	if (x.mailboxes.n) qsort(x.mailboxes.v, x.mailboxes.n, sizeof *x.mailboxes.v, by_name);
	for (size_t i = 0; i < x.n && s->fix && !worst; i++) worst = quota_change(s->st, x.roots[i]->name, begin, NULL);
	if (worst) goto done;
	for (size_t i = 0; i < x.mailboxes.n; i++) {
		if (!concerned(x.mailboxes.v[i], prefix)) continue;
		int r = visit(&x, x.mailboxes.v[i]);
		if (r) worst = r;
	}
	for (size_t i = 0; i < x.n; i++) {
		int r = settle(&x, x.roots[i]);
		if (r) worst = r;
	}
done:
	namelock_release(s->st, &lock);
	for (size_t i = 0; i < x.n; i++) {
		free(x.roots[i]->name);
		free(x.roots[i]);
	}
	free(x.roots);
	hash_free(x.by_name, NULL);
	strarray_free(&x.mailboxes);
	return worst;
}
