/* mboxop_create.c - CREATE. See mboxop.h. */
#include "store/mboxop.h"
#include "store/mboxop_priv.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/mboxlist.h"

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

int mboxop_may_create(struct mboxop *op, const struct mbname *n)
{
	struct store *st = op->st;
	struct mbentry parent;
	if (op->user->isadmin) {
		if (!n->localpart || !n->boxes.n) return 0;
		int r = parent_of(st, n, &parent);
		if (!r) mbentry_free(&parent);
		return r ? ERR_PERM : 0;                          /* a user's folders hang on his INBOX */
	}
	if (mbname_is_inbox(n)) return mboxop_owns(op, n) && conf_is_set(st->conf, OPT_AUTOCREATE_QUOTA)
		&& conf_bytes(st->conf, OPT_AUTOCREATE_QUOTA) > 0 ? 0 : ERR_PERM;
	int r = parent_of(st, n, &parent);
	if (r) return ERR_PERM;
	uint32_t rights = mboxop_rights(op, &parent);
	mbentry_free(&parent);
	return rights & ACL_CREATE ? 0 : ERR_PERM;
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

static int create_one(struct store *st, const struct mbname *n, const char *partition)
{
	char *name = mbname_internal(n, &st->ns), *acl = new_acl(st, n);
	struct mailbox_create c = { .name = name, .partition = partition, .acl = acl };
	int r = mailbox_create(st, &c);
	free(acl);
	free(name);
	return r;
}

/* 3.6 makes what is missing on the way; a user's INBOX is never made so. */
static int create_ancestors(struct store *st, const struct mbname *n)
{
	struct mbname up = { 0 };
	struct mbentry e;
	int r = 0;
	if (st->layout->level != LEVEL_36 || n->deleted) return 0;
	mbname_copy(&up, n);
	strarray_free(&up.boxes);
	for (size_t i = 0; i + 1 < n->boxes.n && !r; i++) {
		strarray_append(&up.boxes, n->boxes.v[i]);
		if (!mboxlist_lookup_parts(st, &up, &e)) {
			bool live = !(e.flags & (MBENTRY_DELETED | MBENTRY_INTERMEDIATE));
			mbentry_free(&e);
			if (live) continue;
		}
		r = create_one(st, &up, NULL);
		if (r == ERR_EXISTS) r = 0;
	}
	mbname_free(&up);
	return r;
}

int mboxop_create(struct mboxop *op, const struct mbname *n, const char *partition, char **uniqueid)
{
	struct store *st = op->st;
	struct mbentry e;
	char *name = mbname_internal(n, &st->ns);
	int r = mbname_check_create(n, name, op->ns);
	if (!r && !mboxlist_lookup(st, name, &e)) {
		bool visible = mboxop_rights(op, &e) & ACL_LOOKUP || mboxop_owns(op, n);
		mbentry_free(&e);
		r = visible ? ERR_EXISTS : ERR_PERM;
	}
	if (!r && partition && !op->user->isadmin) r = ERR_PERM;
	if (!r) r = mboxop_may_create(op, n);
	if (!r) r = create_ancestors(st, n);
	if (!r) r = create_one(st, n, partition);
	if (!r && uniqueid) {
		*uniqueid = NULL;
		if (!mboxlist_lookup(st, name, &e)) {
			if (e.uniqueid) *uniqueid = mem_strdup(e.uniqueid);
			mbentry_free(&e);
		}
	}
	free(name);
	return r;
}
