/* mboxop_rename.c - RENAME: one mailbox, a tree, an INBOX, a user, or a move to another partition. See mboxop.h. */
#include "store/mboxop.h"
#include "store/mboxop_priv.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/layout.h"
#include "store/mboxlist.h"
#include "store/paths.h"
#include "store/specialuse.h"
#include "store/userdata.h"

#include <stdlib.h>
#include <string.h>

static bool same_name(const struct mbname *a, const struct mbname *b, const struct namespace *ns)
{
	char *x = mbname_internal(a, ns), *y = mbname_internal(b, ns);
	bool r = !strcmp(x, y);
	free(x);
	free(y);
	return r;
}

/* The name of something below `from`, below `to`. */
static void rebase(const struct mbname *n, const struct mbname *from, const struct mbname *to, struct mbname *out)
{
	mbname_copy(out, to);
	for (size_t i = from->boxes.n; i < n->boxes.n; i++) strarray_append(&out->boxes, n->boxes.v[i]);
}

/* ------------------------------------------------------------------------------------------------ trees and users */

/* One mailbox of a tree, from where to where, and what became of it. */
struct step {
	struct mbname from, to;
	int err;
};

struct tree {
	struct mboxop *op;
	const struct mbname *from, *to;
	const char *partition;
	char *olduser, *newuser;         /* a user is renamed; else NULL */
	struct step *steps;              /* [0] is the top */
	size_t n, alloc;
};

static int remember(void *arg, const struct mbentry *e)
{
	struct tree *t = arg;
	MEM_GROW(t->steps, t->alloc, t->n + 1);
	struct step *s = &t->steps[t->n++];
	*s = (struct step){ 0 };
	mbname_copy(&s->from, &e->parts);
	rebase(&s->from, t->from, t->to, &s->to);
	return 0;
}

/* The old owner's entry becomes the new one's, at the end of the list. NULL: he has none. Caller frees. */
static char *change_owner(struct store *st, const char *acl, const char *from, const char *to)
{
	struct acl_who old = { from, NULL, NULL };
	struct buf own = BUF_INIT;
	/* the identifier's own rights: those of an ACL in which nobody else stands */
	for (const char *p = acl; *p;) {
		const char *tab = strchr(p, '\t'), *end = tab ? strchr(tab + 1, '\t') : NULL;
		if (!end) break;
		if ((size_t)(tab - p) == strlen(from) && !strncmp(p, from, strlen(from))) buf_append(&own, p, (size_t)(end + 1 - p));
		p = end + 1;
	}
	uint32_t rights = own.len ? acl_evaluate(buf_cstr(&own), &old, &st->macros) : 0;
	buf_free(&own);
	if (!rights) return NULL;
	char *without = acl_change(acl, from, ACL_SET, 0, &st->macros), *with = acl_change(without, to, ACL_SET, rights, &st->macros);
	free(without);
	return with;
}

static int rename_one(struct tree *t, const struct step *s, bool only_check)
{
	struct store *st = t->op->st;
	char *a = mbname_internal(&s->from, &st->ns), *b = mbname_internal(&s->to, &st->ns), *acl = NULL;
	struct mbentry e;
	int r = mbname_check_create(&s->to, b, t->op->ns);
	if (!r && t->olduser && !(r = mboxlist_lookup(st, a, &e))) {
		acl = change_owner(st, e.acl, t->olduser, t->newuser);
		mbentry_free(&e);
	}
	struct mailbox_rename m = { .from = a, .to = b, .partition = t->partition, .acl = acl, .only_check = only_check };
	if (!r) r = mailbox_rename(st, &m);
	free(acl);
	free(a);
	free(b);
	return r;
}

/* Children first and the top last: while it is there, an interrupted command can be given again and finds what is left to do. */
static int rename_steps(struct tree *t)
{
	bool moved = same_name(t->from, t->to, &t->op->st->ns);
	for (size_t i = t->n; i-- > 0;) {
		struct step *s = &t->steps[i];
		s->err = rename_one(t, s, false);
		if (i && moved && s->err == ERR_EXISTS) s->err = 0;          /* it is on that partition */
	}
	return t->steps[0].err;
}

/* The answers are in the order of the list, whatever the order of the work. 2.5 says nothing about the top of an ordinary
 * tree. */
static void tell(const struct tree *t)
{
	bool top = t->op->st->layout->level == LEVEL_36 || t->olduser || t->partition;
	for (size_t i = top ? 0 : 1; i < t->n && t->op->told; i++)
		t->op->told(t->op->arg, &t->steps[i].from, &t->steps[i].to, t->steps[i].err);
}

/* What came out of the same account, or was deleted with the same tree, goes its own way. */
static int collect(struct tree *t)
{
	struct mbentry e;
	if (!t->from->deleted) return mboxlist_each(t->op->st, t->from, MBOXLIST_LIVE, remember, t);
	int r = mboxlist_lookup_parts(t->op->st, t->from, &e);
	if (r) return r;
	remember(t, &e);
	mbentry_free(&e);
	return 0;
}

static int prepare_user(struct tree *t)
{
	struct mbentry inbox;
	int r = mboxlist_lookup_parts(t->op->st, t->from, &inbox);
	if (r) return r;
	r = userdata_copy_roots(t->op->st, t->from, t->to);
	if (!r) r = userdata_move(t->op->st, &inbox, t->to);
	mbentry_free(&inbox);
	return r;
}

static int rename_tree(struct mboxop *op, const struct mbname *from, const struct mbname *to, const char *partition)
{
	struct store *st = op->st;
	struct tree t = { .op = op, .from = from, .to = to, .partition = partition };
	if (mbname_is_inbox(from) && mbname_is_inbox(to) && !from->deleted && !same_name(from, to, &st->ns)) {
		t.olduser = mbname_userid(from);
		t.newuser = mbname_userid(to);
	}
	int r = collect(&t);
	if (!r && !t.n) r = ERR_NOMAILBOX;
	if (!r) r = rename_one(&t, &t.steps[0], true);
	if (!r) r = mboxop_make_ancestors(st, to);
	if (!r && t.olduser) r = prepare_user(&t);
	if (!r) {
		r = rename_steps(&t);
		if (!r && t.olduser) userdata_drop_roots(st, from);
		tell(&t);
	}
	for (size_t i = 0; i < t.n; i++) {
		mbname_free(&t.steps[i].from);
		mbname_free(&t.steps[i].to);
	}
	free(t.steps);
	free(t.olduser);
	free(t.newuser);
	return r;
}

/* ------------------------------------------------------------------------------------------------ policy */

static int check_source(struct mboxop *op, const struct mbname *from)
{
	struct mbentry e;
	int r = mboxlist_lookup_parts(op->st, from, &e);
	if (r) return ERR_NOMAILBOX;
	uint32_t rights = mboxop_rights(op, &e);
	bool absent = e.flags & (MBENTRY_DELETED | MBENTRY_INTERMEDIATE);
	mbentry_free(&e);
	if (absent || !(rights & (ACL_LOOKUP | ACL_DELETEMBOX))) return ERR_NOMAILBOX;
	return op->user->isadmin || rights & ACL_DELETEMBOX ? 0 : ERR_PERM;
}

static bool same_parent(const struct mbname *a, const struct mbname *b)
{
	if (a->boxes.n != b->boxes.n || strcmp(a->localpart ? a->localpart : "", b->localpart ? b->localpart : "")
	    || strcmp(a->domain ? a->domain : "", b->domain ? b->domain : "")) return false;
	for (size_t i = 0; i + 1 < a->boxes.n; i++)
		if (strcmp(a->boxes.v[i], b->boxes.v[i])) return false;
	return true;
}

/* 3.6: what has a protected use stays where it is; its last component may change. */
static int check_use(struct mboxop *op, const struct mbname *from, const struct mbname *to)
{
	struct mbentry e;
	if (op->st->layout->level != LEVEL_36 || op->user->isadmin || same_parent(from, to)) return 0;
	if (mboxlist_lookup_parts(op->st, from, &e)) return ERR_NOMAILBOX;
	bool protected = specialuse_listed(op->st, &e, OPT_SPECIALUSE_PROTECT);
	mbentry_free(&e);
	return protected ? ERR_SPECIALUSE : 0;
}

/* A user by another name, an account back from among the deleted ones, and (3.6) a shared tree that becomes an account. */
static bool may_become_inbox(struct mboxop *op, const struct mbname *from)
{
	if (!op->user->isadmin) return false;
	if (from->deleted) return true;
	if (mbname_is_inbox(from)) return conf_bool(op->st->conf, OPT_ALLOWUSERMOVES);
	return op->st->layout->level == LEVEL_36 && !from->localpart;
}

static int check_target(struct mboxop *op, const struct mbname *to)
{
	struct mbentry e;
	char *name = mbname_internal(to, &op->st->ns);
	int r = mboxlist_lookup(op->st, name, &e);
	if (!r) mbentry_free(&e);
	r = r ? mbname_check_create(to, name, op->ns) : ERR_EXISTS;
	free(name);
	return r;
}

static int rename_inbox(struct mboxop *op, const struct mbname *from, const struct mbname *to)
{
	char *a = mbname_internal(from, &op->st->ns), *b = mbname_internal(to, &op->st->ns);
	int r = mboxop_make_ancestors(op->st, to);
	if (!r) r = mailbox_empty_into(op->st, a, b);
	free(a);
	free(b);
	return r;
}

int mboxop_rename(struct mboxop *op, const struct mbname *from, const struct mbname *to, const char *partition)
{
	struct store *st = op->st;
	bool same = same_name(from, to, &st->ns);
	if (partition && !op->user->isadmin) return ERR_PERM;
	int r = check_source(op, from);
	if (r) return r;
	if (same && !partition) return st->layout->level == LEVEL_36 && !op->user->isadmin ? ERR_PERM : ERR_EXISTS;
	if (partition && !same && st->layout->level == LEVEL_36) return ERR_NOTSUPPORTED;
	if (partition && !path_root(st, partition, META_DATA)) return ERR_NOSERVER;
	if (same) return rename_tree(op, from, to, partition);
	bool empties = mbname_is_inbox(from) && !from->deleted && !mbname_is_inbox(to) && mboxop_owns(op, from);
	r = check_target(op, to);
	/* the rest of one that was cut short? */
	if (r == ERR_EXISTS && empties) return mboxop_may_create(op, to) ? r : rename_inbox(op, from, to);
	if (r) return r;
	if (mbname_is_inbox(to)) return may_become_inbox(op, from) ? rename_tree(op, from, to, partition) : ERR_NOTSUPPORTED;
	if ((r = mboxop_may_create(op, to))) return r;
	if ((r = check_use(op, from, to))) return r;
	if (mbname_is_inbox(from) && !from->deleted) return empties ? rename_inbox(op, from, to) : ERR_NOTSUPPORTED;
	return rename_tree(op, from, to, partition);
}
