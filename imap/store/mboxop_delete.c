/* mboxop_delete.c - DELETE, delayed or immediate. See mboxop.h. */
#include "store/mboxop.h"
#include "store/mboxop_priv.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/ptrarray.h"
#include "store/layout.h"
#include "store/mboxlist.h"
#include "store/specialuse.h"
#include "store/userdata.h"
#include "sys/clock.h"

#include <stdlib.h>
#include <string.h>

static bool delayed(const struct store *st)
{
	return !strcmp(conf_word(st->conf, OPT_DELETE_MODE), "delayed") && *st->ns.deletedprefix;
}

static int delete_one(struct store *st, const struct mbname *n, time_t when)
{
	char *name = mbname_internal(n, &st->ns), *to = NULL;
	int r;
	if (n->deleted || !delayed(st)) {
		r = mailbox_delete(st, name);
	} else {
		struct mbname gone;
		struct mbentry e;
		mbname_copy(&gone, n);
		gone.deleted = true;
		gone.is_deleted_at = when;
		for (;;) {                                          /* two deletions of one name in one second */
			to = mbname_internal(&gone, &st->ns);
			if (mboxlist_lookup_any(st, to, &e)) break;
			mbentry_free(&e);
			free(to);
			gone.is_deleted_at++;
		}
		mbname_free(&gone);
		r = mailbox_rename(st, &(struct mailbox_rename){ .from = name, .to = to });
		if (!r) log_msg(LOG_NOTICE, "Deleted mailbox %s", name);
	}
	free(name);
	free(to);
	return r;
}

static int remember(void *arg, const struct mbentry *e)
{
	struct mbname *n = mem_alloc(sizeof *n);
	mbname_copy(n, &e->parts);
	ptrarray_append(arg, n);
	return 0;
}

/* The whole account: what is in no mailbox, then the folders, and the INBOX last of all: while it is there, the command can be
 * given again. */
static int delete_user(struct mboxop *op, const struct mbname *n, const struct mbentry *inbox)
{
	struct store *st = op->st;
	struct ptrarray all = PTRARRAY_INIT;
	time_t now = clock_now();
	int r = mboxlist_each(st, n, MBOXLIST_LIVE, remember, &all), failed = 0;
	if (!r) userdata_remove(st, inbox);                     /* logged there */
	for (size_t i = all.n; i-- > 0 && !r;) {
		int e = delete_one(st, all.v[i], now);
		if (e && i) {
			failed = e;
			if (op->told) op->told(op->arg, all.v[i], NULL, e);
		} else if (e) {
			r = e;
		}
	}
	if (!r) userdata_drop_roots(st, n);
	for (size_t i = 0; i < all.n; i++) {
		mbname_free(all.v[i]);
		free(all.v[i]);
	}
	ptrarray_free(&all);
	return r ? r : failed;
}

static int check_delete(struct mboxop *op, const struct mbname *n, const struct mbentry *e)
{
	struct store *st = op->st;
	uint32_t rights = mboxop_rights(op, e);
	if (e->flags & (MBENTRY_DELETED | MBENTRY_INTERMEDIATE) || !(rights & (ACL_LOOKUP | ACL_DELETEMBOX))) return ERR_NOMAILBOX;
	if (!(rights & ACL_DELETEMBOX)) return ERR_PERM;
	if (st->layout->level == LEVEL_25 || mbname_is_inbox(n) || n->deleted) return 0;
	if (!op->user->isadmin && specialuse_listed(st, e, OPT_SPECIALUSE_PROTECT)) return ERR_SPECIALUSE;
	return mboxlist_has_children(st, n) ? ERR_HASCHILDREN : 0;
}

int mboxop_delete(struct mboxop *op, const struct mbname *n)
{
	struct store *st = op->st;
	struct mbentry e;
	if (mbname_is_inbox(n) && !op->user->isadmin) return mboxop_owns(op, n) ? ERR_NOTSUPPORTED : ERR_PERM;
	if (mboxlist_lookup_parts(st, n, &e)) return ERR_NOMAILBOX;
	int r = check_delete(op, n, &e);
	if (!r && mbname_is_inbox(n) && !n->deleted) {
		r = delete_user(op, n, &e);
	} else if (!r) {
		if (mbname_is_inbox(n)) userdata_remove(st, &e);        /* by id: of an account that is a deleted one */
		r = delete_one(st, n, clock_now());
	}
	mbentry_free(&e);
	return r;
}
