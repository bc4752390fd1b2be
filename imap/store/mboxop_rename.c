/* mboxop_rename.c - RENAME: one mailbox, a tree, an INBOX, a user, or a move to another partition. See mboxop.h. */
#include "store/mboxop.h"
#include "store/mboxop_priv.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/ptrarray.h"
#include "store/append.h"
#include "store/audit.h"
#include "store/mboxlist.h"

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

static int rename_one(struct mboxop *op, const struct mbname *from, const struct mbname *to, const char *partition)
{
	char *a = mbname_internal(from, &op->st->ns), *b = mbname_internal(to, &op->st->ns);
	int r = mbname_check_create(to, b, op->ns);
	if (!r) r = mailbox_rename(op->st, a, b, partition);
	free(a);
	free(b);
	return r;
}

/* ------------------------------------------------------------------------------------------------ INBOX */

/* Its messages move to a new mailbox; the INBOX stays, empty. */
static int rename_inbox(struct mboxop *op, const struct mbname *from, const struct mbname *to)
{
	struct store *st = op->st;
	struct mailbox *mb = NULL;
	struct append a;
	struct index_record rec;
	char *src = mbname_internal(from, &st->ns), *dst = mbname_internal(to, &st->ns);
	int r = mailbox_open(st, src, &mb);
	if (!r) r = mailbox_lock(mb, LOCK_SHARED);
	bool empty = !r && !mb->h.exists;
	if (mb && !r) mailbox_unlock(mb);
	if (!r && empty && st->layout->level == LEVEL_36) r = ERR_NOMATCH;
	if (!r) r = mboxop_create(op, to, NULL, NULL);
	if (!r) {
		r = append_begin(st, dst, op->user->userid, ACL_FULL, -1, 0, &a);
		for (uint32_t n = 1; !r && n <= mb->h.num_records; n++) {
			if (mailbox_record(mb, n, &rec) || !rec.uid || rec.system_flags & FLAG_EXPUNGED) continue;
			r = append_copy(&a, mb, &rec, rec.system_flags & FLAG_SEEN, NULL);
		}
		if (!r) r = append_commit(&a);
		else append_abort(&a);
	}
	if (!r) r = mailbox_lock(mb, LOCK_EXCLUSIVE);
	if (!r) {
		for (uint32_t n = 1; !r && n <= mb->h.num_records; n++) {
			if (mailbox_record(mb, n, &rec) || !rec.uid || rec.system_flags & FLAG_EXPUNGED) continue;
			rec.system_flags |= FLAG_EXPUNGED | FLAG_DELETED;
			r = mailbox_rewrite(mb, &rec, false);
		}
		int r2 = mailbox_unlock(mb);
		if (!r) r = r2;
	}
	mailbox_close(&mb);
	free(src);
	free(dst);
	return r;
}

/* ------------------------------------------------------------------------------------------------ trees and users */

static int remember(void *arg, const struct mbentry *e)
{
	struct mbname *n = mem_alloc(sizeof *n);
	mbname_copy(n, &e->parts);
	ptrarray_append(arg, n);
	return 0;
}

/* The old owner's entry becomes the new one's. */
static int change_owner(struct mboxop *op, const struct mbname *n, const char *from, const char *to)
{
	struct mbentry e;
	int r = mboxlist_lookup_parts(op->st, n, &e);
	if (r) return r;
	struct acl_who old = { from, NULL, NULL };
	struct buf own = BUF_INIT;
	/* the identifier's own rights: those of an ACL in which nobody else stands */
	for (const char *p = e.acl; *p;) {
		const char *tab = strchr(p, '\t'), *end = tab ? strchr(tab + 1, '\t') : NULL;
		if (!end) break;
		if ((size_t)(tab - p) == strlen(from) && !strncmp(p, from, strlen(from))) buf_append(&own, p, (size_t)(end + 1 - p));
		p = end + 1;
	}
	uint32_t rights = own.len ? acl_evaluate(buf_cstr(&own), &old, &op->st->macros) : 0;
	if (rights) {
		char *without = acl_change(e.acl, from, ACL_SET, 0, &op->st->macros);
		char *with = acl_change(without, to, ACL_SET, rights, &op->st->macros);
		r = mailbox_set_acl(op->st, e.name, with);
		free(without);
		free(with);
	}
	buf_free(&own);
	mbentry_free(&e);
	return r;
}

/* The new user gets the old one's limits before anything is counted there. */
static int copy_quota_root(struct store *st, const struct mbname *from, const struct mbname *to)
{
	struct quota q;
	char *a = mbname_internal(from, &st->ns), *b = mbname_internal(to, &st->ns);
	int r = quota_read(st, a, &q);
	if (!r) {
		memset(q.used, 0, sizeof q.used);
		r = quota_write(st, b, &q);
		if (!r) audit_quota(st, "newquota", b, &q);
		quota_free(&q);
	} else if (r == ERR_NOQUOTAROOT) {
		r = 0;
	}
	free(a);
	free(b);
	return r;
}

static int rename_tree(struct mboxop *op, const struct mbname *from, const struct mbname *to, const char *partition)
{
	struct store *st = op->st;
	struct ptrarray all = PTRARRAY_INIT;
	bool user = mbname_is_inbox(from) && mbname_is_inbox(to) && !same_name(from, to, &st->ns);
	char *olduser = user ? mbname_userid(from) : NULL, *newuser = user ? mbname_userid(to) : NULL;
	int r = user ? copy_quota_root(st, from, to) : 0, first = 0;
	if (user && !r && st->layout->level == LEVEL_25) r = mboxop_user_files(st, olduser, newuser);
	if (!r) r = mboxlist_each(st, from, MBOXLIST_LIVE, remember, &all);
	for (size_t i = 0; i < all.n && !r; i++) {
		struct mbname target;
		rebase(all.v[i], from, to, &target);
		int e = rename_one(op, all.v[i], &target, partition);
		if (!e && user) e = change_owner(op, &target, olduser, newuser);
		if (i || user || partition) {
			if (op->told) op->told(op->arg, all.v[i], &target, e);
		}
		if (!i) first = e;
		mbname_free(&target);
		if (first) break;
	}
	if (user && !r && !first) {
		char *root = mbname_internal(from, &st->ns);
		quota_delete(st, root);
		free(root);
	}
	for (size_t i = 0; i < all.n; i++) {
		mbname_free(all.v[i]);
		free(all.v[i]);
	}
	ptrarray_free(&all);
	free(olduser);
	free(newuser);
	return r ? r : first;
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

int mboxop_rename(struct mboxop *op, const struct mbname *from, const struct mbname *to, const char *partition)
{
	struct store *st = op->st;
	struct mbentry e;
	bool same = same_name(from, to, &st->ns);
	if (partition && !op->user->isadmin) return ERR_PERM;
	int r = check_source(op, from);
	if (r) return r;
	if (same) return partition ? rename_tree(op, from, to, partition) : ERR_EXISTS;
	if (partition && st->layout->level == LEVEL_36) return ERR_NOTSUPPORTED;
	if (!mboxlist_lookup_parts(st, to, &e)) {
		bool live = !(e.flags & (MBENTRY_DELETED | MBENTRY_INTERMEDIATE));
		mbentry_free(&e);
		if (live) return ERR_EXISTS;
	}
	char *name = mbname_internal(to, &st->ns);
	r = mbname_check_create(to, name, op->ns);
	free(name);
	if (r) return r;
	if (mbname_is_inbox(to)) {
		bool may = op->user->isadmin && mbname_is_inbox(from) && conf_bool(st->conf, OPT_ALLOWUSERMOVES);
		bool undelete = op->user->isadmin && from->deleted;
		return may || undelete ? rename_tree(op, from, to, partition) : ERR_NOTSUPPORTED;
	}
	if ((r = mboxop_may_create(op, to))) return r;
	if (mbname_is_inbox(from)) return mboxop_owns(op, from) ? rename_inbox(op, from, to) : ERR_NOTSUPPORTED;
	return rename_tree(op, from, to, partition);
}
