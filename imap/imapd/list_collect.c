/* list_collect.c - which names a LIST is about, in order. An ordinary user's own mailboxes are a range of the list of their own;
 * of the others only the range that the pattern allows is read, or the reverse ACL rows where the list keeps them; and what lies
 * below a name under which nothing can match is stepped over. See list.h. */
#include "base/err.h"
#include "base/mem.h"
#include "imapd/list.h"
#include "imapd/mboxarg.h"
#include "store/layout.h"
#include "store/mboxlist.h"
#include "store/subs.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ------------------------------------------------------------------------------------------------ patterns */

size_t list_dead_below(const struct list_request *q, const char *ext)
{
	size_t dead = 0;
	for (size_t i = 0; i < q->npatterns && dead != GLOB_ALIVE; i++) {
		size_t d = glob_dead_below(q->globs[i], ext);
		if (d > dead) dead = d;
	}
	return dead;
}

char *list_literal(struct session *s, const struct list_request *q)
{
	const char *first = q->patterns[0];
	size_t n = strcspn(first, "*%");
	for (size_t i = 1; i < q->npatterns; i++) {
		size_t k = 0;
		while (k < n && q->patterns[i][k] == first[k]) k++;      /* a wildcard there differs from first's literal byte */
		n = k;
	}
	return arena_dup(s->cmd, first, n);
}

static bool may_match_at_or_below(const struct list_request *q, const char *ext)
{
	for (size_t i = 0; i < q->npatterns; i++)
		if (glob_may_match_below(q->globs[i], ext)) return true;
	return false;
}

/* ------------------------------------------------------------------------------------------------ entries */

static enum list_category category_of(const struct session *s, const struct mbname *n, const char *ext)
{
	if (!n->localpart) return CAT_SHARED;
	if (n->deleted) return CAT_DELETED;
	if (s->ns.isadmin || !mbname_owned_by(n, s->user.userid, &s->ns)) return CAT_OTHER;
	size_t alt = strlen(s->ns.altprefix);
	if (!n->boxes.n) return CAT_INBOX;
	if (s->ns.alt && !strncmp(ext, "INBOX", 5) && ext[5] == s->ns.sep) return CAT_INBOX;
	return s->ns.alt && alt && !strncmp(ext, s->ns.altprefix, alt) && ext[alt] == s->ns.sep ? CAT_ALT : CAT_OWN;
}

/* 2.5 lists in the order of its database: one's own tree, then the others; in the alternative namespace other users come before
 * shared ones. */
static enum list_category category_25(const struct session *s, enum list_category c)
{
	if (s->ns.isadmin) return CAT_OWN;
	if (s->ns.alt) return c == CAT_INBOX ? CAT_OWN : c;
	return c <= CAT_ALT ? CAT_OWN : CAT_OTHER;
}

static void note_parents(struct listing *l, const struct list_entry *e)
{
	char sep = l->s->ns.sep;
	size_t whole = strlen(e->ext);
	for (size_t n = whole - e->suffix; n-- > 1;) {
		if (e->ext[n] != sep) continue;
		char *level = e->suffix ? arena_printf(l->s->cmd, "%.*s%s", (int)n, e->ext, e->ext + whole - e->suffix) : e->ext;
		if (hash_put(l->parents, level, e->suffix ? n + e->suffix : n, l)) break;      /* and so are all above */
	}
}

static size_t domain_suffix(const struct mbname *n, const char *ext)
{
	size_t d = n->domain ? strlen(n->domain) + 1 : 0, len = strlen(ext);
	return d && len > d && ext[len - d] == '@' && !strcmp(ext + len - d + 1, n->domain) ? d : 0;
}

static struct list_entry *add(struct listing *l, const struct mbname *n)
{
	struct session *s = l->s;
	char *ext = session_external(s, n);
	if (!ext) return NULL;
	MEM_GROW(l->v, l->alloc, l->n + 1);
	struct list_entry *x = &l->v[l->n];
	*x = (struct list_entry){ .ext = ext, .order = (uint32_t)l->n, .suffix = domain_suffix(n, ext),
		.category = category_of(s, n, ext),
		.inbox = !s->ns.isadmin && mbname_is_inbox(n) && mbname_owned_by(n, s->user.userid, &s->ns) };
	if (s->level == LEVEL_25) x->category = category_25(s, x->category);
	l->n++;
	note_parents(l, x);
	return x;
}

/* ------------------------------------------------------------------------------------------------ mailboxes */

struct scan {
	struct listing *l;
	bool own;                         /* one's own tree is read; else it is left out */
	bool users, shared;               /* which of the others are wanted */
	bool done;                        /* nothing more of this range is */
	const char *userid;
};

bool list_sees(struct session *s, const struct mbentry *e)
{
	/* calendars and their like are not for mail clients */
	if ((e->parts.deleted || e->type != 'e') && !s->ns.isadmin) return false;
	return (session_rights(s, e) & ACL_LOOKUP) != 0;
}

/* As list_sees(), for a mailbox of the user himself. */
static bool sees_own(struct listing *l, const struct mbentry *e)
{
	if (e->type != 'e') return list_sees(l->s, e);
	if (!l->last_acl || strcmp(l->last_acl, e->acl)) {
		free(l->last_acl);
		l->last_acl = mem_strdup(e->acl);
		l->last_seen = list_sees(l->s, e);
	}
	return l->last_seen;
}

/* An ACL can only grant something to somebody whom it names. */
static bool worth_a_look(void *arg, const char *val, size_t len)
{
	const struct scan *c = arg;
	return memmem(val, len, "anyone", 6) || memmem(val, len, "group:", 6) || memmem(val, len, c->userid, strlen(c->userid));
}

/* How many components the name has below the level that is the first `len` bytes of ext. */
static size_t levels_below(const struct session *s, const char *ext, size_t len)
{
	size_t n = 0;
	for (const char *p = ext + len; *p; p++) n += *p == s->ns.sep;
	return n;
}

/* After e, with a name below a level under which nothing can match: what is to be stepped over, in parts. false: nothing. */
static bool past(struct scan *c, const struct list_entry *x, const struct mbname *n, struct mbname *out)
{
	const struct listing *l = c->l;
	const struct session *s = l->s;
	if (x->suffix || x->category == CAT_ALT || (s->ns.alt && n->boxes.n && !strcasecmp(n->boxes.v[0], "INBOX"))) return false;
	size_t dead = list_dead_below(l->q, x->ext), whole = strlen(x->ext);
	if (dead >= whole) return false;
	size_t drop = levels_below(s, x->ext, dead);
	if (n->deleted) {                     /* the time is the last component: only all of them can be left out */
		if (dead != strlen(s->ns.deletedprefix)) return false;
		strarray_append(&out->boxes, s->ns.deletedprefix);
		return true;
	}
	c->done = s->ns.alt && !n->localpart && drop >= n->boxes.n;         /* it was the prefix of all that is shared */
	if (c->done) return false;
	if (n->domain) out->domain = mem_strdup(n->domain);
	if (drop > n->boxes.n && n->localpart) strarray_append(&out->boxes, "user");
	else if (n->localpart) out->localpart = mem_strdup(n->localpart);
	for (size_t i = 0; i + drop < n->boxes.n; i++) strarray_append(&out->boxes, n->boxes.v[i]);
	return out->localpart || out->boxes.n;
}

static bool add_mailbox(struct scan *c, const struct mbentry *e, struct mbname *skip)
{
	struct listing *l = c->l;
	struct session *s = l->s;
	const struct list_request *q = l->q;
	if (!c->own && !s->ns.isadmin) {
		if (mbname_owned_by(&e->parts, s->user.userid, &s->ns)) return false;
		if (!(e->parts.localpart ? c->users : c->shared)) return false;
	}
	if (!(c->own ? sees_own(l, e) : list_sees(s, e))) return false;
	struct list_entry *x = add(l, &e->parts);
	if (!x) return false;
	x->live = LIVE_YES;
	if (q->ret_status || q->ret_myrights || q->ret_metadata || l->uses) {
		x->mb = mem_alloc(sizeof *x->mb);
		mbentry_copy(x->mb, e);
	}
	return past(c, x, &e->parts, skip);
}

static int one_mailbox(void *arg, const struct mbentry *e, struct mbname *past_it, bool *skip)
{
	struct scan *c = arg;
	*skip = add_mailbox(c, e, past_it);
	return c->done ? ERR_COUNT : 0;
}

static int walk(struct scan *c, const struct buf *prefix, bool one_domain, const struct buf *leave, size_t nleave)
{
	bool all = c->own || c->l->s->ns.isadmin;
	struct mboxlist_walk w = { .worth = all ? NULL : worth_a_look, .cb = one_mailbox, .arg = c, .leave = leave,
		.nleave = nleave };
	int r = mboxlist_walk(c->l->s->st, prefix, one_domain, &w);
	c->l->rows += w.rows;
	return r == ERR_COUNT ? 0 : r;
}

/* The typed text as the beginning of a key: the components of `base` and those of the text. false: no name begins so. */
static bool key_prefix(const struct session *s, const struct mbname *base, const char *text, struct buf *out)
{
	struct mbname n;
	bool ok = true, below = false;
	mbname_copy(&n, base);
	for (const char *p = text; *p && ok;) {
		size_t len = strcspn(p, (char[2]){ s->ns.sep, 0 });
		char *box = mem_dup(p, len);
		for (char *b = box; *b; b++)
			if (*b == '^') *b = '.';
		ok = len > 0;
		below = p[len] != 0;
		p += len + below;
		/* the key is the same, but let it say what it is */
		if (n.boxes.n == 1 && !n.localpart && !strcmp(n.boxes.v[0], "user")) {
			strarray_remove(&n.boxes, 0);
			n.localpart = box;
		} else {
			strarray_take(&n.boxes, box);
		}
	}
	if (ok) mboxlist_prefix(s->st, &n, below || !*text, out);
	mbname_free(&n);
	return ok;
}

static bool compatible(const char *literal, const char *root, size_t n)
{
	size_t k = strlen(literal);
	return !strncmp(literal, root, k < n ? k : n);
}

/* ---- one's own */

static int own_inbox(struct scan *c, const struct mbname *me)
{
	struct mbentry e;
	struct mbname skip = { 0 };
	c->l->rows++;
	int r = mboxlist_lookup_parts(c->l->s->st, me, &e);
	if (r) return r == ERR_NOMAILBOX ? 0 : r;
	if (!(e.flags & (MBENTRY_DELETED | MBENTRY_INTERMEDIATE | MBENTRY_RESERVED))) add_mailbox(c, &e, &skip);
	mbname_free(&skip);
	mbentry_free(&e);
	return 0;
}

/* Which part of one's own tree the literal text leaves: *text what is to follow in the key, *inbox whether INBOX itself is in
 * question. */
static bool own_range(struct session *s, const char *literal, const char **text, bool *inbox)
{
	size_t n = strlen(literal), alt = strlen(s->ns.altprefix);
	bool could_be_inbox = !strncasecmp(literal, "INBOX", n < 5 ? n : 5),
		below = could_be_inbox && n > 5 && literal[5] == s->ns.sep;
	*text = "";
	*inbox = could_be_inbox && n <= 5;
	if (!s->ns.alt) {
		if (below) *text = literal + 6;
		return *inbox || below;
	}
	if (alt && compatible(literal, s->ns.altprefix, alt)) return true;         /* names of all kinds follow it */
	/* where names in other cases are shown as they are */
	if (could_be_inbox && n >= 5 && s->level == LEVEL_25) return true;
	*text = could_be_inbox && n >= 5 ? arena_printf(s->cmd, "INBOX%s", literal + 5) : literal;
	return true;
}

static int collect_own(struct listing *l, const char *literal, const struct mbname *me)
{
	struct scan c = { .l = l, .own = true };
	struct buf prefix = BUF_INIT;
	const char *text;
	bool inbox;
	int r = 0;
	if (!own_range(l->s, literal, &text, &inbox)) return 0;
	if (inbox) r = own_inbox(&c, me);
	if (!r && key_prefix(l->s, me, text, &prefix)) r = walk(&c, &prefix, false, NULL, 0);
	buf_free(&prefix);
	return r;
}

/* ---- other users' and shared ones, by the reverse ACL rows */

enum { HOLD_MAX = 256 };

struct names {
	struct listing *l;
	struct strarray v;
	struct racl_query q;
	int r;
};

static void note_name(void *arg, const char *name, size_t len)
{
	struct names *n = arg;
	strarray_take(&n->v, mem_dup(name, len));
}

static void note_id(void *arg, const char *id)
{
	struct names *n = arg;
	if (!n->r) n->r = racl_index_each(&n->l->index, id, &n->q, &n->l->rows);
}

static void note_group(void *arg, const char *id)
{
	struct names *n = arg;
	const struct acl_who *who = &n->l->s->user.who;
	if (who->in_group && who->in_group(who->arg, id + 6)) note_id(arg, id);
}

static int list_order(const void *a, const void *b, void *index)
{
	return racl_index_compare(index, *(char *const *)a, *(char *const *)b);
}

/* The names below `skip`, as far as they follow in the sorted array. */
static size_t after(struct names *n, size_t i, struct mbname *skip)
{
	struct buf key = BUF_INIT;
	struct store *st = n->l->s->st;
	size_t letters = strlen(st->layout->scan_prefix);
	mboxlist_prefix(st, skip, true, &key);
	while (i < n->v.n && !strncmp(n->v.v[i], key.s + letters, key.len - letters)) i++;
	buf_free(&key);
	return i;
}

/* Users' mailboxes, or shared ones, that the index names for this user. */
static void note_all(struct names *n, bool users, const char *userid)
{
	n->q.users = users;
	note_id(n, "anyone");
	note_id(n, userid);
	if (!n->r) n->r = racl_index_groups(&n->l->index, users, note_group, n, &n->l->rows);
}

static int by_index(struct scan *c, const struct buf *prefix)
{
	struct listing *l = c->l;
	struct names n = { .l = l, .q = { false, true, prefix, note_name, &n } };
	if (c->users) note_all(&n, true, c->userid);
	if (c->shared) note_all(&n, false, c->userid);
	if (n.v.n > 1) qsort_r(n.v.v, n.v.n, sizeof *n.v.v, list_order, &l->index);
	struct cyrusdb *list = l->s->st->mboxlist;
	bool held = !cyrusdb_hold(list);
	for (size_t i = 0, looked = 1; i < n.v.n && !n.r && !c->done; looked++) {
		struct mbentry e;
		struct mbname skip = { 0 };
		bool leave = false;
		const char *name = n.v.v[i];
		l->rows++;
		if (!racl_index_lookup(&l->index, name, strlen(name), &e)) {
			if (!(e.flags & (MBENTRY_DELETED | MBENTRY_INTERMEDIATE | MBENTRY_RESERVED))) leave = add_mailbox(c, &e, &skip);
			mbentry_free(&e);
		}
		while (++i < n.v.n && !strcmp(n.v.v[i], name)) continue;         /* named by several of his identifiers, or twice */
		if (leave) i = after(&n, i, &skip);
		mbname_free(&skip);
		if (held && looked % HOLD_MAX == 0) {         /* others get a chance */
			cyrusdb_release(list);
			held = !cyrusdb_hold(list);
		}
	}
	if (held) cyrusdb_release(list);
	strarray_free(&n.v);
	return n.r;
}

/* ---- other users' and shared ones */

static void leave_out(struct session *s, const struct mbname *n, struct buf *out)
{
	mboxlist_prefix(s->st, n, true, out);
}

/* A top level of the user's domain. */
static void top(const struct mbname *me, const char *box, struct mbname *out)
{
	*out = (struct mbname){ .domain = me->domain ? mem_strdup(me->domain) : NULL };
	if (box) strarray_append(&out->boxes, box);
}

/* One walk: `base` and the text that follows it, without one's own mailboxes, deleted ones, and the users' where they are not
 * wanted. */
static int collect_range(struct scan *c, const struct mbname *base, const char *text, const struct mbname *me)
{
	struct session *s = c->l->s;
	struct buf prefix = BUF_INIT, leave[3] = { BUF_INIT, BUF_INIT, BUF_INIT };
	struct mbname deleted, users;
	size_t n = 0;
	int r = 0;
	c->done = false;
	top(me, s->ns.deletedprefix, &deleted);
	top(me, "user", &users);
	leave_out(s, me, &leave[n++]);
	if (*s->ns.deletedprefix) leave_out(s, &deleted, &leave[n++]);
	if (!c->users) leave_out(s, &users, &leave[n++]);
	if (key_prefix(s, base, text, &prefix)) r = c->l->index.db ? by_index(c, &prefix) : walk(c, &prefix, true, leave, n);
	mbname_free(&deleted);
	mbname_free(&users);
	buf_free(&prefix);
	for (size_t i = 0; i < 3; i++) buf_free(&leave[i]);
	return r;
}

/* ROOT SEP text: is the text, or nothing, to be looked for below the root? */
static bool below_root(const struct listing *l, const char *literal, const char *root, const char **text)
{
	size_t n = strlen(root), k = strlen(literal);
	*text = "";
	if (!compatible(literal, root, n) || (k > n && literal[n] != l->s->ns.sep)) return false;
	if (k > n) *text = literal + n + 1;
	return may_match_at_or_below(l->q, root);
}

static int collect_others(struct listing *l, const char *literal, const struct mbname *me)
{
	struct session *s = l->s;
	const char *text;
	bool users = !conf_bool(s->conf, OPT_DISABLE_USER_NAMESPACE), shared = !conf_bool(s->conf, OPT_DISABLE_SHARED_NAMESPACE);
	struct scan c = { .l = l, .users = users, .shared = shared, .userid = s->user.userid };
	struct mbname root, user;
	int r = 0;
	top(me, NULL, &root);
	top(me, "user", &user);
	racl_index_open(s->st, &l->index);
	if (s->ns.alt) {
		c.shared = false;
		if (users && below_root(l, literal, s->ns.userprefix, &text)) r = collect_range(&c, &user, text, me);
		c.shared = shared;
		c.users = false;
		if (!r && shared && below_root(l, literal, s->ns.sharedprefix, &text)) r = collect_range(&c, &root, text, me);
	} else {
		c.users = users && below_root(l, literal, "user", &text);
		c.shared = shared && strncasecmp(literal, "INBOX", 5);
		if (c.users || c.shared) r = collect_range(&c, &root, literal, me);
	}
	racl_index_close(&l->index);
	mbname_free(&root);
	mbname_free(&user);
	return r;
}

static int collect_all(struct listing *l, const char *literal)
{
	struct scan c = { .l = l };
	struct buf prefix = BUF_INIT;
	struct mbname root = { 0 };
	int r = 0;
	/* names of other domains begin the same on the wire and otherwise in the list */
	if (key_prefix(l->s, &root, l->s->ns.virtdomains ? "" : literal, &prefix)) r = walk(&c, &prefix, false, NULL, 0);
	buf_free(&prefix);
	return r;
}

static int collect_mailboxes(struct listing *l)
{
	struct session *s = l->s;
	char *literal = list_literal(s, l->q);
	struct mbname me;
	if (s->ns.isadmin) return collect_all(l, literal);
	if (mbname_from_userid(&me, s->user.userid, &s->ns)) return 0;
	int r = collect_own(l, literal, &me);
	if (!r) r = collect_others(l, literal, &me);
	mbname_free(&me);
	return r;
}

/* ------------------------------------------------------------------------------------------------ subscriptions */

static int add_subscription(void *arg, const struct mbname *n)
{
	struct list_entry *x = add(arg, n);
	if (x) mbname_copy(&x->parts, n);
	return 0;
}

static int note_subscription(void *arg, const struct mbname *n)
{
	struct listing *l = arg;
	char *ext = session_external(l->s, n);
	if (ext) hash_puts(l->subscribed, ext, l);
	return 0;
}

bool list_live(struct listing *l, struct list_entry *e)
{
	if (e->live != LIVE_UNKNOWN) return e->live == LIVE_YES;
	struct mbentry mb;
	e->live = LIVE_NO;
	if (mboxlist_lookup_parts(l->s->st, &e->parts, &mb)) return false;
	if (!(mb.flags & (MBENTRY_DELETED | MBENTRY_INTERMEDIATE | MBENTRY_RESERVED)) && list_sees(l->s, &mb)) {
		e->live = LIVE_YES;
		e->mb = mem_alloc(sizeof *e->mb);
		*e->mb = mb;
		return true;
	}
	mbentry_free(&mb);
	return false;
}

static int first_child(void *arg, const struct mbentry *e, struct mbname *past_it, bool *skip)
{
	struct scan *c = arg;
	(void)past_it, (void)skip;
	return list_sees(c->l->s, e) ? ERR_EXISTS : 0;
}

bool list_has_children(struct listing *l, const struct list_entry *e)
{
	struct session *s = l->s;
	struct scan c = { .l = l, .userid = s->user.userid };
	struct mbname n;
	struct buf prefix = BUF_INIT;
	bool own = s->ns.isadmin || mbname_owned_by(&e->parts, s->user.userid, &s->ns);
	struct mboxlist_walk w = { .worth = own ? NULL : worth_a_look, .cb = first_child, .arg = &c };
	if (e->inbox && s->ns.alt && s->level == LEVEL_25) return false;
	mbname_copy(&n, &e->parts);
	if (e->inbox && s->ns.alt) strarray_append(&n.boxes, "INBOX");         /* what the list has below INBOX is shown beside it */
	mboxlist_prefix(s->st, &n, true, &prefix);
	int r = mboxlist_walk(s->st, &prefix, false, &w);
	l->rows += w.rows;
	buf_free(&prefix);
	mbname_free(&n);
	return r == ERR_EXISTS;
}

/* ------------------------------------------------------------------------------------------------ all of it */

static int by_category(const void *a, const void *b)
{
	const struct list_entry *x = a, *y = b;
	if (x->category != y->category) return x->category < y->category ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

int list_collect(struct listing *l)
{
	struct session *s = l->s;
	const struct list_request *q = l->q;
	bool subs = q->lsub || q->sel_subscribed;
	l->entries = hash_new();
	l->parents = hash_new();
	l->subscribed = hash_new();
	bool uses = q->ret_specialuse || q->sel_specialuse || q->xlist || conf_bool(s->conf, OPT_SPECIALUSEALWAYS);
	if (uses) l->uses = annots_open(s->st, s->user.userid);
	if (q->ret_metadata) l->annots = annots_open(s->st, s->user.userid);
	int r = subs ? subs_each(s->st, s->user.userid, add_subscription, l) : collect_mailboxes(l);
	if (!r && q->ret_subscribed && !subs) r = subs_each(s->st, s->user.userid, note_subscription, l);
	if (l->n > 1) qsort(l->v, l->n, sizeof *l->v, by_category);
	for (size_t i = 0; i < l->n; i++) hash_puts(l->entries, l->v[i].ext, &l->v[i]);
	return r;
}

void list_free(struct listing *l)
{
	for (size_t i = 0; i < l->n; i++) {
		mbname_free(&l->v[i].parts);
		if (l->v[i].mb) mbentry_free(l->v[i].mb);
		free(l->v[i].mb);
	}
	free(l->v);
	free(l->last_acl);
	hash_free(l->entries, NULL);
	hash_free(l->parents, NULL);
	hash_free(l->subscribed, NULL);
	annots_close(l->uses);
	annots_close(l->annots);
}
