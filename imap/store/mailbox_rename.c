/* mailbox_rename.c - renaming, moving between partitions, changing ACL and quota root (spec/mailbox.md 13.3 to 13.5). */
#include "store/mailbox.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/audit.h"
#include "store/mboxlist.h"
#include "store/paths.h"
#include "sys/clock.h"

#include <stdlib.h>
#include <string.h>

static int64_t negative(uint64_t v) { return -(int64_t)v; }

static void usage(const struct mailbox *mb, int64_t out[QUOTA_RESOURCES])
{
	out[QUOTA_STORAGE] = (int64_t)mb->h.quota_mailbox_used;
	out[QUOTA_MESSAGE] = mb->h.exists;
	out[QUOTA_ANNOTSTORAGE] = (int64_t)mb->h.quota_annot_used;
	out[QUOTA_NUMFOLDERS] = 1;
}

static bool same_root(const char *a, const char *b) { return !strcmp(a ? a : "", b ? b : ""); }

int mailbox_set_quotaroot(struct mailbox *mb, const char *root)
{
	int64_t u[QUOTA_RESOURCES];
	if (same_root(mb->hdr.quotaroot, root)) return 0;
	usage(mb, u);
	if (root) quota_use(mb->st, root, mb->entry.name, u);
	if (mb->hdr.quotaroot) {
		for (int i = 0; i < QUOTA_RESOURCES; i++) u[i] = negative((uint64_t)u[i]);
		quota_use(mb->st, mb->hdr.quotaroot, mb->entry.name, u);
	}
	free(mb->hdr.quotaroot);
	mb->hdr.quotaroot = root ? mem_strdup(root) : NULL;
	mb->header_dirty = true;
	mb->index_dirty = true;                        /* header_file_crc */
	return 0;
}

/* ------------------------------------------------------------------------------------------------ renaming */

static void target_entry(struct store *st, const struct mailbox *mb, const struct mailbox_rename *m, struct mbentry *e)
{
	bool renamed = strcmp(m->to, mb->entry.name);
	struct mbentry old;
	mbentry_copy(e, &mb->entry);
	free(e->name);
	e->name = mem_strdup(m->to);
	mbname_free(&e->parts);
	mbname_from_internal(&e->parts, m->to, &st->ns);
	if (m->acl) mbentry_set_acl(e, m->acl);
	if (m->partition) {
		free(e->partition);
		e->partition = mem_strdup(m->partition);
	}
	e->flags &= ~(unsigned)MBENTRY_DELETED;
	if (st->layout->level != LEVEL_25 || !renamed) return;
	uint32_t now = (uint32_t)clock_now();                       /* 2.5 gives a renamed mailbox the time as uidvalidity */
	if (now > e->uidvalidity) e->uidvalidity = now;
	if (mboxlist_lookup_any(st, m->to, &old)) return;
	if (old.uidvalidity >= e->uidvalidity) e->uidvalidity = old.uidvalidity + 1;
	mbentry_free(&old);
}

/* Usage that the list has just moved from root to root. */
static void move_usage(struct mailbox *mb, const struct mbentry *to, const char *old_root, const char *root)
{
	int64_t u[QUOTA_RESOURCES];
	if (same_root(old_root, root)) return;
	usage(mb, u);
	if (root) quota_use(mb->st, root, to->name, u);
	for (int i = 0; i < QUOTA_RESOURCES; i++) u[i] = -u[i];
	if (old_root) quota_use(mb->st, old_root, mb->entry.name, u);
}

/* Two partitions may share a directory: then there is nothing to copy to. */
bool mailbox_places_overlap(struct store *st, const struct mbentry *a, const struct mbentry *b)
{
	bool same = false;
	for (int kind = META_DATA; kind < META_KINDS && !same; kind++) {
		struct buf x = BUF_INIT, y = BUF_INIT;
		same = !path_mailbox(st, a, (enum meta_kind)kind, NULL, &x) && !path_mailbox(st, b, (enum meta_kind)kind, NULL, &y)
			&& !buf_cmp(&x, &y);
		buf_free(&x);
		buf_free(&y);
	}
	return same;
}

/* `mb` is the old mailbox, exclusively locked. From the list's transaction on it is dead: its index says so to those who have it
 * open, and whoever closes it last removes it. */
static int rename_by_copy(struct mailbox *mb, const struct mbentry *to, const char *root)
{
	struct store *st = mb->st;
	bool renamed = strcmp(mb->entry.name, to->name), rows = mailbox_annots_move(st, &mb->entry, to);
	if (rows) mailbox_annots_drop(st, to);
	mailbox_clear_leftovers(st, to, mb->entry.uniqueid);
	int r = mailbox_copy_files(mb, to, root, renamed);
	if (!r && rows) r = mailbox_annots_copy(st, &mb->entry, to);
	if (!r) r = renamed ? mboxlist_move(st, &mb->entry, to) : mboxlist_put(st, to);
	if (r) {
		mailbox_remove_files(st, to);
		if (rows) mailbox_annots_drop(st, to);
		return r;
	}
	move_usage(mb, to, mb->hdr.quotaroot, root);
	mb->h.options |= MBOXOPT_DELETED;
	mb->index_dirty = true;
	mb->quota_noted = false;
	if (mailbox_commit(mb)) mb->h.options |= MBOXOPT_DELETED;      /* logged there; the list has the say */
	if (rows) mailbox_annots_drop(st, &mb->entry);
	return 0;
}

static void replace(char **s, const char *with)
{
	char *fresh = with ? mem_strdup(with) : NULL;
	free(*s);
	*s = fresh;
}

static int rename_by_id(struct mailbox *mb, const struct mbentry *to, const char *root)
{
	int r = mboxlist_move(mb->st, &mb->entry, to);
	if (r) return r;
	move_usage(mb, to, mb->hdr.quotaroot, root);
	replace(&mb->hdr.quotaroot, root);
	replace(&mb->hdr.name, to->name);
	replace(&mb->hdr.acl, to->acl);
	mb->header_dirty = true;
	mailbox_next_modseq(mb);
	mb->quota_noted = false;
	mailbox_commit(mb);                             /* logged there */
	mbentry_free(&mb->entry);
	mbentry_copy(&mb->entry, to);
	return 0;
}

static int take_target_lock(struct store *st, const struct mbentry *e, struct namelock **lock)
{
	struct buf name = BUF_INIT;
	st->layout->lock_name(e, &name);
	int r = namelock_take(st, buf_cstr(&name), LOCK_EXCLUSIVE, LOCK_NOWAIT, lock);
	buf_free(&name);
	return r;
}

static int rename_open(struct mailbox *mb, const struct mailbox_rename *m, const struct mbentry *e, bool by_id)
{
	struct store *st = mb->st;
	int64_t u[QUOTA_RESOURCES];
	int r = mailbox_lock(mb, LOCK_EXCLUSIVE);
	if (r) return r;
	char *root = quota_find_root(st, &e->parts);
	usage(mb, u);
	if (!same_root(root, mb->hdr.quotaroot)) r = quota_check(st, root, u, NULL);
	if (!r && !m->only_check) r = by_id ? rename_by_id(mb, e, root) : rename_by_copy(mb, e, root);
	mailbox_unlock(mb);
	free(root);
	return r;
}

int mailbox_rename(struct store *st, const struct mailbox_rename *m)
{
	struct mailbox *mb;
	struct mbentry e = { 0 }, was = { 0 }, old;
	struct namelock *lock = NULL, *user = NULL;
	bool move = !strcmp(m->from, m->to);
	if (!move && !mboxlist_lookup(st, m->to, &old)) {
		mbentry_free(&old);
		return ERR_EXISTS;
	}
	int r = mailbox_open(st, m->from, &mb);
	if (r) return r;
	mbentry_copy(&was, &mb->entry);
	target_entry(st, mb, m, &e);
	bool by_name = st->layout->level == LEVEL_25 || e.flags & MBENTRY_LEGACYDIRS, by_id = !by_name && !m->partition;
	char *owner = mbname_userid(&e.parts);
	if (!path_root(st, e.partition, META_DATA)) r = ERR_PARTITION;
	else if (!by_id && mailbox_places_overlap(st, &was, &e)) r = ERR_EXISTS;
	if (!r) r = namelock_user(st, owner, LOCK_EXCLUSIVE, &user);
	if (!r && by_name && !move) r = take_target_lock(st, &e, &lock);
	if (!r) r = rename_open(mb, m, &e, by_id);
	mailbox_close(&mb);
	namelock_release(st, &lock);
	namelock_release(st, &user);
	if (!r && !m->only_check) {
		log_msg(LOG_NOTICE, "Rename: %s -> %s", m->from, m->to);
		audit_rename(st, &was, &e);
	}
	mbentry_free(&was);
	mbentry_free(&e);
	free(owner);
	return r;
}

/* ------------------------------------------------------------------------------------------------ INBOX */

static int expunge_all(struct mailbox *mb)
{
	struct index_record rec;
	int r = 0;
	for (uint32_t n = 1; !r && n <= mb->h.num_records; n++) {
		if (mailbox_record(mb, n, &rec) || !rec.uid || rec.system_flags & FLAG_EXPUNGED) continue;
		rec.system_flags |= FLAG_EXPUNGED | FLAG_DELETED;
		r = mailbox_rewrite(mb, &rec, false);
	}
	return r;
}

/* Under the exclusive index lock of the INBOX: copy, list, expunge. */
static int empty_open(struct mailbox *mb, const struct mbentry *e)
{
	struct store *st = mb->st;
	int64_t u[QUOTA_RESOURCES];
	uint64_t own = 0, annots = mb->h.quota_annot_used;
	char *root = quota_find_root(st, &e->parts);
	mailbox_annots_own(mb, &own);                   /* those stay with the INBOX */
	mb->h.quota_annot_used = annots > own ? annots - own : 0;
	int r = mb->h.exists || st->layout->level == LEVEL_25 ? 0 : ERR_NOMATCH;
	usage(mb, u);
	if (!r && !same_root(root, mb->hdr.quotaroot)) r = quota_check(st, root, u, NULL);
	if (!r) {
		mailbox_clear_leftovers(st, e, NULL);
		mailbox_annots_drop(st, e);
		mb->h.leaked_cache_records |= INDEX_FILLED;     /* for the copy */
		r = mailbox_copy_files(mb, e, root, false);
		mb->h.leaked_cache_records &= ~INDEX_FILLED;
		if (!r) r = mboxlist_put(st, e);
		if (r) mailbox_remove_files(st, e);
	}
	mb->h.quota_annot_used = annots;
	if (!r) {
		if (root) quota_use(st, root, e->name, u);
		audit_create(st, e);
		r = expunge_all(mb);
	}
	free(root);
	return r;
}

int mailbox_empty_into(struct store *st, const char *from, const char *to)
{
	struct mailbox *mb;
	struct mbentry e = { 0 };
	struct namelock *lock = NULL, *user = NULL;
	struct mbentry old;
	if (!mboxlist_lookup(st, to, &old)) {
		mbentry_free(&old);
		return mailbox_empty_resume(st, from, to);
	}
	int r = mailbox_open(st, from, &mb);
	if (r) return r;
	struct mailbox_create c = { .name = to, .acl = mb->entry.acl };
	r = mailbox_plan(st, &c, &e);
	char *owner = r ? NULL : mbname_userid(&e.parts);
	if (!r) r = namelock_user(st, owner, LOCK_EXCLUSIVE, &user);
	if (!r) r = take_target_lock(st, &e, &lock);
	if (!r && !(r = mailbox_lock(mb, LOCK_EXCLUSIVE))) {
		r = empty_open(mb, &e);
		int r2 = mailbox_unlock(mb);
		if (!r) r = r2;
	}
	mailbox_close(&mb);
	namelock_release(st, &lock);
	namelock_release(st, &user);
	if (!r) mailbox_clear_marks(st, to, INDEX_FILLED);            /* logged there; the mark alone does no harm */
	mbentry_free(&e);
	free(owner);
	return r;
}

/* ------------------------------------------------------------------------------------------------ ACL */

int mailbox_set_acl(struct store *st, const char *name, const char *acl)
{
	struct mailbox *mb;
	struct mbentry e;
	int r = mailbox_open(st, name, &mb);
	if (r) return r;
	r = mailbox_lock(mb, LOCK_EXCLUSIVE);
	if (!r) {
		char *before = mem_strdup(mb->entry.acl);
		mbentry_copy(&e, &mb->entry);
		mbentry_set_acl(&e, acl);
		if (st->layout->level == LEVEL_36) e.foldermodseq = mailbox_next_modseq(mb);
		r = mboxlist_put(st, &e);
		if (!r) {
			free(mb->hdr.acl);
			mb->hdr.acl = mem_strdup(acl);
			mb->header_dirty = true;
			mailbox_touch_index(mb);
			mbentry_set_acl(&mb->entry, acl);
		} else {
			mailbox_abort(mb);
		}
		int r2 = mailbox_unlock(mb);
		if (!r) r = r2;
		if (!r) audit_acl(st, &e, before);
		free(before);
		mbentry_free(&e);
	}
	mailbox_close(&mb);
	return r;
}
