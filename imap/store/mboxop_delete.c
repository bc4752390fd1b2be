/* mboxop_delete.c - DELETE, delayed or immediate. See mboxop.h. */
#include "store/mboxop.h"
#include "store/mboxop_priv.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/ptrarray.h"
#include "store/mboxlist.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/sys.h"

#include <errno.h>
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
		r = mailbox_rename(st, name, to, NULL);
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

static const char *const suffixes[] = { "sub", "seen", "mboxkey", "conversations", "counters", NULL };

int mboxop_user_files(struct store *st, const char *from, const char *to)
{
	struct buf a = BUF_INIT, b = BUF_INIT;
	int r = 0;
	for (const char *const *s = suffixes; *s; s++) {
		buf_reset(&a);
		buf_reset(&b);
		st->layout->user_file(st, from, *s, &a);
		if (to) st->layout->user_file(st, to, *s, &b);
		if (to && !buf_cmp(&a, &b)) continue;               /* by id: nothing moves */
		if (to) file_mkparents(buf_cstr(&b), 0755);
		int e = to ? sys_rename(buf_cstr(&a), buf_cstr(&b)) : sys_unlink(buf_cstr(&a));
		if (e < 0 && errno != ENOENT) {
			log_msg(LOG_ERR, "IOERROR: cannot %s %s: %m", to ? "rename" : "unlink", buf_cstr(&a));
			r = ERR_IO;
		}
	}
	buf_free(&a);
	buf_free(&b);
	return r;
}

static int drop_root(void *arg, const char *root, const struct quota *q)
{
	(void)q;
	quota_delete(arg, root);
	return 0;
}

/* The whole account: folders first, then the INBOX and what belongs to the user. */
static int delete_user(struct mboxop *op, const struct mbname *n)
{
	struct store *st = op->st;
	struct ptrarray all = PTRARRAY_INIT;
	time_t now = clock_now();
	char *userid = mbname_userid(n), *name = mbname_internal(n, &st->ns);
	int r = mboxlist_each(st, n, MBOXLIST_LIVE, remember, &all), failed = 0;
	if (!r && !delayed(st)) mboxop_user_files(st, userid, NULL);
	for (size_t i = all.n; i-- > 0 && !r;) {
		int e = delete_one(st, all.v[i], now);
		if (e && i) {
			failed = e;
			if (op->told) op->told(op->arg, all.v[i], NULL, e);
		} else if (e) {
			r = e;
		}
	}
	if (!r && delayed(st) && st->layout->level == LEVEL_25) mboxop_user_files(st, userid, NULL);
	if (!r) quota_each(st, name, drop_root, st);
	for (size_t i = 0; i < all.n; i++) {
		mbname_free(all.v[i]);
		free(all.v[i]);
	}
	ptrarray_free(&all);
	free(userid);
	free(name);
	return r ? r : failed;
}

int mboxop_delete(struct mboxop *op, const struct mbname *n)
{
	struct store *st = op->st;
	struct mbentry e;
	if (mbname_is_inbox(n) && !op->user->isadmin) return mboxop_owns(op, n) ? ERR_NOTSUPPORTED : ERR_PERM;
	int r = mboxlist_lookup_parts(st, n, &e);
	if (r) return ERR_NOMAILBOX;
	uint32_t rights = mboxop_rights(op, &e);
	bool absent = e.flags & (MBENTRY_DELETED | MBENTRY_INTERMEDIATE);
	mbentry_free(&e);
	if (absent || !(rights & (ACL_LOOKUP | ACL_DELETEMBOX))) return ERR_NOMAILBOX;
	if (!(rights & ACL_DELETEMBOX)) return ERR_PERM;
	if (mbname_is_inbox(n)) return delete_user(op, n);
	if (st->layout->level == LEVEL_36 && !n->deleted && mboxlist_has_children(st, n)) return ERR_HASCHILDREN;
	return delete_one(st, n, clock_now());
}
