/* cmd_quota.c - GETQUOTA, GETQUOTAROOT, SETQUOTA (RFC 2087, spec/imap.md 6.6). */
#include "base/err.h"
#include "base/log.h"
#include "imapd/commands.h"
#include "imapd/mboxarg.h"
#include "imapd/respond.h"
#include "store/audit.h"
#include "store/mailbox.h"
#include "store/mboxlist.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A root's name as this client sees it. */
static void put_root(struct session *s, const char *root)
{
	struct mbname n;
	char *ext = NULL;
	if (!mbname_from_internal(&n, root, &s->st->ns)) {
		ext = session_external(s, &n);
		mbname_free(&n);
	}
	put_astring(s, ext ? ext : root);
}

static void put_quota(struct session *s, const char *root, const struct quota *q)
{
	const char *sep = "";
	put(s, "* QUOTA ");
	put_root(s, root);
	put(s, " (");
	for (int i = 0; i < QUOTA_RESOURCES; i++) {
		if (q->limit[i] < 0) continue;
		putfmt(s, "%s%s %llu %lld", sep, quota_resources[i].name, (unsigned long long)(q->used[i] / quota_resources[i].unit),
			(long long)q->limit[i]);
		sep = " ";
	}
	put(s, ")\r\n");
}

void cmd_getquota(struct session *s)
{
	struct mboxarg m = { 0 };
	struct quota q;
	char *name;
	if (!args_astring(&s->args, &name)) {
		respond_missing(s);
		return;
	}
	if (!args_end(&s->args)) {
		respond_extra(s);
		return;
	}
	int r = 0;
	if (!s->user.isadmin) r = s->level == LEVEL_25 ? ERR_NOQUOTAROOT : ERR_PERM;
	if (!r && mboxarg_translate(s, name, &m)) r = ERR_NOQUOTAROOT;
	if (!r) r = quota_read(s->st, m.name, &q);
	if (!r) {
		put_quota(s, m.name, &q);
		quota_free(&q);
	}
	mboxarg_free(&m);
	respond_done(s, r);
}

/* The root in cyrus.header is the mailbox's. In s->cmd; NULL when none. */
static int quotaroot_of(struct session *s, const char *name, char **root)
{
	struct mailbox *mb;
	*root = NULL;
	int r = mailbox_open(s->st, name, &mb);
	if (r) return r;
	r = mailbox_lock(mb, LOCK_SHARED);
	if (!r) {
		if (mb->hdr.quotaroot) *root = arena_strdup(s->cmd, mb->hdr.quotaroot);
		mailbox_unlock(mb);
	}
	mailbox_close(&mb);
	return r;
}

void cmd_getquotaroot(struct session *s)
{
	struct mboxarg m = { 0 };
	struct quota q;
	char *name, *root = NULL;
	if (!args_astring(&s->args, &name)) {
		respond_missing(s);
		return;
	}
	if (!args_end(&s->args)) {
		respond_extra(s);
		return;
	}
	int r = mboxarg_find(s, name, &m);
	if (!r && !s->user.isadmin && !(m.rights & ACL_READ)) r = m.rights & ACL_LOOKUP ? ERR_PERM : ERR_NOMAILBOX;
	if (!r) r = quotaroot_of(s, m.name, &root);
	if (!r) {
		put(s, "* QUOTAROOT ");
		put_astring(s, name);
		if (root) {
			put(s, " ");
			put_root(s, root);
		}
		put(s, "\r\n");
		if (root && !quota_read(s->st, root, &q)) {
			put_quota(s, root, &q);
			quota_free(&q);
		}
	}
	mboxarg_free(&m);
	respond_done(s, r);
}

/* ------------------------------------------------------------------------------------------------ SETQUOTA */

/* "(STORAGE 100 MESSAGE 50)"; a negative limit is none. */
static bool parse_limits(struct session *s, int64_t limit[QUOTA_RESOURCES])
{
	struct args *a = &s->args;
	for (int i = 0; i < QUOTA_RESOURCES; i++) limit[i] = QUOTA_UNLIMITED;
	if (!args_char(a, '(')) goto bad;
	if (args_char(a, ')')) return args_end(a) ? true : (respond_extra(s), false);
	do {
		char *word;
		uint64_t v;
		int i = 0;
		if (!args_word(a, &word) || !args_space(a)) goto bad;
		bool minus = args_char(a, '-');
		if (!args_number(a, &v) || v > INT64_MAX / 1024) goto bad;
		while (i < QUOTA_RESOURCES && strcasecmp(quota_resources[i].name, word)) i++;
		if (i == QUOTA_RESOURCES) {
			respond_err(s, ERR_QUOTARESOURCE);
			return false;
		}
		limit[i] = minus ? QUOTA_UNLIMITED : (int64_t)v;
	} while (args_space(a));
	if (!args_char(a, ')')) goto bad;
	if (args_end(a)) return true;
	respond_extra(s);
	return false;
bad:
	respond_bad(s, "Invalid quota list in Setquota");
	return false;
}

struct spread {
	struct session *s;
	const char *root;
};

/* A new root takes over what lies below it and was counted at a root above (or none). */
static int adopt(void *arg, const struct mbentry *e)
{
	struct spread *p = arg;
	struct mailbox *mb;
	if (e->parts.deleted) return 0;
	int r = mailbox_open(p->s->st, e->name, &mb);
	if (r) return 0;
	r = mailbox_lock(mb, LOCK_EXCLUSIVE);
	if (!r) {
		const char *now = mb->hdr.quotaroot;
		if (!now || strlen(now) < strlen(p->root)) r = mailbox_set_quotaroot(mb, p->root);
		int r2 = mailbox_unlock(mb);
		if (!r) r = r2;
	}
	mailbox_close(&mb);
	return r;
}

static int set_quota(struct session *s, const struct mboxarg *m, const int64_t limit[QUOTA_RESOURCES])
{
	struct namelock *lock;
	struct quota q;
	struct mbentry e;
	int r = namelock_take(s->st, "$QUOTACHANGE", LOCK_EXCLUSIVE, LOCK_DEFAULT, &lock);
	if (r) return r;
	r = quota_read(s->st, m->name, &q);
	bool fresh = r == ERR_NOQUOTAROOT;
	if (fresh) {
		r = mboxlist_lookup(s->st, m->name, &e);
		bool below = mboxlist_has_children(s->st, &m->parts);
		if (!r) mbentry_free(&e);
		else if (below) r = 0;
	}
	if (!r) {
		memcpy(q.limit, limit, sizeof q.limit);
		if (s->level == LEVEL_36) q.modseq++;
		r = quota_write(s->st, m->name, &q);
		if (!r) audit_quota(s->st, fresh ? "newquota" : "setquota", m->name, &q);
		quota_free(&q);
	}
	if (!r && fresh) {
		struct spread p = { s, m->name };
		r = mboxlist_each(s->st, &m->parts, MBOXLIST_LIVE, adopt, &p);
	}
	namelock_release(s->st, &lock);
	return r;
}

void cmd_setquota(struct session *s)
{
	struct mboxarg m = { 0 };
	int64_t limit[QUOTA_RESOURCES];
	char *name;
	if (!args_astring(&s->args, &name) || !args_space(&s->args)) {
		respond_missing(s);
		return;
	}
	if (!parse_limits(s, limit)) return;
	int r = s->user.isadmin ? 0 : ERR_PERM;
	if (!r) r = mboxarg_translate(s, *name == '+' ? name + 1 : name, &m) ? ERR_NOMAILBOX : 0;
	if (!r) r = set_quota(s, &m, limit);
	mboxarg_free(&m);
	respond_done(s, r);
}
