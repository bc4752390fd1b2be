/* mboxop_create.c - CREATE. See mboxop.h. */
#include "store/mboxop.h"
#include "store/mboxop_priv.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/autocreate.h"
#include "store/mboxlist.h"
#include "store/paths.h"
#include "store/specialuse.h"

#include <stdlib.h>
#include <string.h>

uint32_t mboxop_rights(struct mboxop *op, const struct mbentry *e)
{
	uint32_t r = acl_evaluate(e->acl, &op->user->who, &op->st->macros);
	if (mboxop_owns(op, &e->parts) && !e->parts.deleted) {
		const char *implicit = conf_str(op->st->conf, OPT_IMPLICIT_OWNER_RIGHTS);
		r |= acl_rights_parse(implicit ? implicit : "", &op->st->macros, NULL);
	}
	return op->user->isadmin ? r | ACL_LOOKUP | ACL_ADMIN : r;
}

bool mboxop_owns(struct mboxop *op, const struct mbname *n) { return mbname_owned_by(n, op->user->userid, &op->st->ns); }

/* The nearest mailbox above; ERR_NOMAILBOX when there is none. */
static int parent_of(struct store *st, const struct mbname *n, struct mbentry *out)
{
	struct mbname up;
	int r = ERR_NOMAILBOX;
	mbname_copy(&up, n);
	while (r && up.boxes.n) {
		strarray_remove(&up.boxes, up.boxes.n - 1);
		if (!up.boxes.n && !up.localpart) break;
		if (mboxlist_lookup_parts(st, &up, out)) continue;
		if (out->flags & (MBENTRY_DELETED | MBENTRY_INTERMEDIATE)) mbentry_free(out);
		else r = 0;
	}
	mbname_free(&up);
	return r;
}

/* The owner's first CREATE INBOX counts as autocreation. */
static bool may_make_inbox(struct mboxop *op, const struct mbname *n)
{
	return mboxop_owns(op, n) && autocreate_quota(op->st) >= 0;
}

static int may_create_below(struct mboxop *op, const struct mbentry *parent)
{
	if (op->st->layout->level == LEVEL_36 && specialuse_listed(op->st, parent, OPT_SPECIALUSE_NOCHILDREN)) return ERR_PERM;
	return op->user->isadmin || mboxop_rights(op, parent) & ACL_CREATE ? 0 : ERR_PERM;
}

int mboxop_may_create(struct mboxop *op, const struct mbname *n)
{
	struct store *st = op->st;
	struct mbentry parent;
	if (op->user->isadmin) {
		if (!n->localpart || !n->boxes.n || n->deleted) return 0;
	} else if (mbname_is_inbox(n)) {
		return may_make_inbox(op, n) ? 0 : ERR_PERM;
	}
	if (parent_of(st, n, &parent)) return ERR_PERM;           /* a user's folders hang on his INBOX */
	int r = may_create_below(op, &parent);
	mbentry_free(&parent);
	return r;
}

/* The ACL of a new mailbox: the parent's; an owner's everything; else option defaultacl. Caller frees. */
static char *new_acl(struct store *st, const struct mbname *n)
{
	struct mbentry parent;
	if (mbname_is_inbox(n)) {
		char *owner = mbname_userid(n), *acl = mem_printf("%s\tlrswipkxtecdan\t", owner);
		free(owner);
		return acl;
	}
	if (!parent_of(st, n, &parent)) {
		char *acl = mem_strdup(parent.acl);
		mbentry_free(&parent);
		return acl;
	}
	const char *dflt = conf_str(st->conf, OPT_DEFAULTACL);
	struct strarray words = STRARRAY_INIT;
	struct buf b = BUF_INIT;
	strarray_split(&words, dflt ? dflt : "anyone lrs", " \t");
	for (size_t i = 0; i + 1 < words.n; i += 2) {
		uint32_t r = acl_rights_parse(words.v[i + 1], &st->macros, NULL);
		buf_printf(&b, "%s\t", words.v[i]);
		acl_rights_print(&b, r, &st->macros);
		buf_putc(&b, '\t');
	}
	strarray_free(&words);
	return buf_take(&b);
}

static int create_one(struct store *st, const struct mbname *n, struct mailbox_create c)
{
	char *name = mbname_internal(n, &st->ns), *acl = new_acl(st, n);
	c.name = name;
	c.acl = acl;
	int r = mailbox_create(st, &c);
	free(acl);
	free(name);
	return r;
}

/* 3.6 makes what is missing on the way; a user's INBOX is never made so. */
int mboxop_make_ancestors(struct store *st, const struct mbname *n)
{
	struct mbname up = { 0 };
	struct mbentry e;
	int r = 0;
	if (st->layout->level != LEVEL_36 || n->deleted) return 0;
	mbname_copy(&up, n);
	strarray_free(&up.boxes);
	for (size_t i = 0; i + 1 < n->boxes.n && !r; i++) {
		strarray_append(&up.boxes, n->boxes.v[i]);
		/* its children are shown as those of the real one */
		if (!i && n->localpart && !strcmp(n->boxes.v[0], "INBOX")) continue;
		if (!mboxlist_lookup_parts(st, &up, &e)) {
			bool live = !(e.flags & (MBENTRY_DELETED | MBENTRY_INTERMEDIATE));
			mbentry_free(&e);
			if (live) continue;
		}
		r = create_one(st, &up, (struct mailbox_create){ 0 });
		if (r == ERR_EXISTS) r = 0;
	}
	mbname_free(&up);
	return r;
}

/* The special use wanted, spelt right, where it may stand: the creator's own mailbox; 3.6: directly below his INBOX (an
 * administrator anywhere in that place), and nowhere else. */
static int check_use(struct mboxop *op, const struct mbname *n, const char *words, struct buf *out)
{
	struct store *st = op->st;
	int r = specialuse_parse(st, words, out);
	if (r || !out->len) return r;
	if (st->layout->level == LEVEL_25) return mboxop_owns(op, n) || op->user->isadmin ? 0 : ERR_PERM;
	if (!n->localpart || n->boxes.n != 1) return ERR_USEPLACE;
	return specialuse_unique(st, op->user->userid, buf_cstr(out));
}

static int check_new(struct mboxop *op, const struct mbname *n, const char *name, bool partition)
{
	struct store *st = op->st;
	struct mbentry e;
	int r = mbname_check_create(n, name, op->ns);
	if (!r && !mboxlist_lookup(st, name, &e)) {
		bool visible = mboxop_rights(op, &e) & ACL_LOOKUP || mboxop_owns(op, n);
		mbentry_free(&e);
		r = visible ? ERR_EXISTS : ERR_PERM;
	}
	if (!r && partition && !op->user->isadmin) r = ERR_PERM;
	return r ? r : mboxop_may_create(op, n);
}

int mboxop_create(struct mboxop *op, const struct mbname *n, const struct mboxop_new *how, char **uniqueid)
{
	struct store *st = op->st;
	struct buf use = BUF_INIT;
	struct mbentry e;
	char *name = mbname_internal(n, &st->ns);
	int r = check_new(op, n, name, how && how->partition);
	if (uniqueid) *uniqueid = NULL;
	if (!r && how && how->use) r = check_use(op, n, how->use, &use);
	if (!r && how && how->partition && !path_root(st, how->partition, META_DATA)) r = ERR_PARTITION;
	if (!r) r = mboxop_make_ancestors(st, n);
	if (!r && mbname_is_inbox(n) && mboxop_owns(op, n)) r = autocreate_limits(st, n);
	struct mailbox_create c = { .partition = how ? how->partition : NULL, .type = how ? how->type : 0,
		.marks = how ? how->marks : 0, .specialuse = use.len ? buf_cstr(&use) : NULL, .specialuse_userid = op->user->userid };
	if (!r) r = create_one(st, n, c);
	if (!r && uniqueid && !mboxlist_lookup(st, name, &e)) {
		if (e.uniqueid) *uniqueid = mem_strdup(e.uniqueid);
		mbentry_free(&e);
	}
	buf_free(&use);
	free(name);
	return r;
}
