/* mailbox_rename.c - renaming, moving between partitions, changing ACL and quota root (spec/mailbox.md 13.3 to 13.5). */
#include "store/mailbox.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/audit.h"
#include "store/mboxlist.h"
#include "store/paths.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/sys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* ------------------------------------------------------------------------------------------------ copying a mailbox directory */

static int copy_file(struct store *st, const struct mbentry *from, const struct mbentry *to, enum meta_kind kind, const char *file,
	bool link, bool optional)
{
	struct buf a = BUF_INIT, b = BUF_INIT;
	int r = path_mailbox(st, from, kind, file, &a);
	if (!r) r = path_mailbox(st, to, kind, file, &b);
	if (!r) {
		sys_unlink(buf_cstr(&b));
		if (!(link && sys_link(buf_cstr(&a), buf_cstr(&b)) == 0) && file_copy(buf_cstr(&a), buf_cstr(&b), 0666) < 0
		    && !(optional && errno == ENOENT)) {
			log_msg(LOG_ERR, "IOERROR: cannot copy %s to %s: %m", buf_cstr(&a), buf_cstr(&b));
			r = err_from_errno(errno);
		}
	}
	buf_free(&a);
	buf_free(&b);
	return r;
}

static int copy_mailbox(struct mailbox *mb, const struct mbentry *to)
{
	static const struct { enum meta_kind kind; const char *name; bool link, optional; } files[] = {
		{ META_HEADER, "cyrus.header", false, false }, { META_INDEX, "cyrus.index", false, false },
		{ META_CACHE, "cyrus.cache", false, true }, { META_SQUAT, "cyrus.squat", true, true },
		{ META_ANNOTATIONS, "cyrus.annotations", false, true },
	};
	struct store *st = mb->st;
	struct buf path = BUF_INIT;
	struct index_record rec;
	int r = 0;
	for (int kind = META_DATA; kind < META_KINDS && !r; kind++) {
		buf_reset(&path);
		r = path_mailbox(st, to, (enum meta_kind)kind, NULL, &path);
		if (!r && file_mkdirs(buf_cstr(&path), 0755) < 0) r = err_from_errno(errno);
	}
	buf_free(&path);
	for (uint32_t n = 1; n <= mb->h.num_records && !r; n++) {
		char file[16];
		r = mailbox_record(mb, n, &rec);
		if (r || !rec.uid || rec.system_flags & FLAG_UNLINKED) continue;
		snprintf(file, sizeof file, "%u.", rec.uid);
		r = copy_file(st, &mb->entry, to, META_DATA, file, true, false);
	}
	for (size_t i = 0; i < sizeof files / sizeof *files && !r; i++)
		r = copy_file(st, &mb->entry, to, files[i].kind, files[i].name, files[i].link, files[i].optional);
	return r;
}

/* ------------------------------------------------------------------------------------------------ annotations follow the name */

struct move_rows {
	struct cyrusdb *db;
	const char *from_scope;
	const struct buf *to;
	struct cyrusdb_txn *txn;
	bool keep;
};

static int move_row(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	struct move_rows *m = arg;
	struct buf fresh = BUF_INIT;
	size_t scope = strlen(m->from_scope);
	buf_add(&fresh, m->to);
	buf_append(&fresh, key + scope, keylen - scope);
	char *old = mem_dup(key, keylen), *data = mem_dup(val, vallen);
	int r = cyrusdb_store(m->db, fresh.s, fresh.len, data, vallen, &m->txn);
	if (!r && !m->keep) r = cyrusdb_delete(m->db, old, keylen, &m->txn, true);
	free(old);
	free(data);
	buf_free(&fresh);
	return r;
}

static int move_annotations(struct store *st, const struct mbentry *from, const struct mbentry *to)
{
	struct buf path = BUF_INIT, a = BUF_INIT, b = BUF_INIT;
	struct cyrusdb *db = NULL;
	int r = 0;
	st->layout->annot_scope(from, &a);
	st->layout->annot_scope(to, &b);
	path_conf(st, OPT_ANNOTATION_DB_PATH, "annotations.db", &path);
	if (buf_cmp(&a, &b) && a.len && !access(buf_cstr(&path), F_OK)
	    && !cyrusdb_open(st->dbs, conf_word(st->conf, OPT_ANNOTATION_DB), buf_cstr(&path), 0, &db)) {
		char *scope = mem_strdup(buf_cstr(&a));
		struct move_rows m = { db, scope, &b, NULL, false };
		buf_putc(&a, 0);
		int rc = cyrusdb_foreach(db, a.s, a.len, NULL, move_row, &m, &m.txn);
		if (!rc && m.txn) rc = cyrusdb_commit(db, m.txn);
		else if (m.txn) cyrusdb_abort(db, m.txn);
		r = rc ? ERR_IO : 0;
		free(scope);
		cyrusdb_close(db);
	}
	buf_free(&path);
	buf_free(&a);
	buf_free(&b);
	return r;
}

/* ------------------------------------------------------------------------------------------------ renaming */

static void target_entry(struct store *st, const struct mailbox *mb, const char *to, const char *partition, struct mbentry *e)
{
	mbentry_copy(e, &mb->entry);
	free(e->name);
	e->name = mem_strdup(to);
	mbname_free(&e->parts);
	mbname_from_internal(&e->parts, to, &st->ns);
	if (partition) {
		free(e->partition);
		e->partition = mem_strdup(partition);
	}
	e->flags &= ~(unsigned)MBENTRY_DELETED;
	if (st->layout->level == LEVEL_25) {                        /* 2.5 gives a renamed mailbox the time as uidvalidity */
		struct mbentry old;
		uint32_t now = (uint32_t)clock_now();
		if (strcmp(to, mb->entry.name) && now > e->uidvalidity) e->uidvalidity = now;
		if (!mboxlist_lookup_any(st, to, &old)) {
			if (strcmp(to, mb->entry.name) && old.uidvalidity >= e->uidvalidity) e->uidvalidity = old.uidvalidity + 1;
			mbentry_free(&old);
		}
	}
}

/* The copy under the new name gets its own place in quota and list. `mb` is the old mailbox, exclusively locked. */
static int rename_by_copy(struct mailbox *mb, const struct mbentry *to, const char *root)
{
	struct store *st = mb->st;
	struct mbentry from;
	struct mailbox *fresh = NULL;
	int r = copy_mailbox(mb, to);
	mbentry_copy(&from, &mb->entry);
	if (!r && strcmp(from.name, to->name)) r = move_annotations(st, &from, to);
	if (!r) r = strcmp(from.name, to->name) ? mboxlist_move(st, &from, to) : mboxlist_put(st, to);
	if (r) {
		mailbox_remove_files(st, to);
		mbentry_free(&from);
		return r;
	}
	/* the copy still claims the old root: count it there no more, then here */
	char *old_root = mb->hdr.quotaroot ? mem_strdup(mb->hdr.quotaroot) : NULL;
	int64_t u[QUOTA_RESOURCES];
	usage(mb, u);
	if (strcmp(from.name, to->name)) r = mailbox_open(st, to->name, &fresh);
	if (!r && fresh) {
		r = mailbox_lock(fresh, LOCK_EXCLUSIVE);
		if (!r) {
			if (!same_root(old_root, root)) {
				if (root) quota_use(st, root, to->name, u);
				free(fresh->hdr.quotaroot);
				fresh->hdr.quotaroot = root ? mem_strdup(root) : NULL;
			}
			free(fresh->hdr.name);
			fresh->hdr.name = mem_strdup(to->name);
			fresh->header_dirty = true;
			fresh->h.uidvalidity = to->uidvalidity;
			mailbox_next_modseq(fresh);
			fresh->quota_noted = false;                 /* its usage is accounted for by hand */
			r = mailbox_unlock(fresh);
		}
	}
	if (!r && !same_root(old_root, root) && old_root && fresh) {
		for (int i = 0; i < QUOTA_RESOURCES; i++) u[i] = -u[i];
		quota_use(st, old_root, from.name, u);
	}
	mailbox_close(&fresh);
	free(old_root);
	/* the old files go without touching any quota; sessions that have them open see DELETED */
	mb->h.options |= MBOXOPT_DELETED;
	mb->index_dirty = true;
	mb->quota_noted = false;
	mailbox_commit(mb);
	mbentry_free(&from);
	return r;
}

static int rename_by_id(struct mailbox *mb, const struct mbentry *to, const char *root)
{
	struct store *st = mb->st;
	int r = mboxlist_move(st, &mb->entry, to);
	if (r) return r;
	int64_t u[QUOTA_RESOURCES];
	usage(mb, u);
	if (!same_root(mb->hdr.quotaroot, root)) {
		if (root) quota_use(st, root, to->name, u);
		for (int i = 0; i < QUOTA_RESOURCES; i++) u[i] = -u[i];
		if (mb->hdr.quotaroot) quota_use(st, mb->hdr.quotaroot, mb->entry.name, u);
		free(mb->hdr.quotaroot);
		mb->hdr.quotaroot = root ? mem_strdup(root) : NULL;
	}
	free(mb->hdr.name);
	mb->hdr.name = mem_strdup(to->name);
	mb->header_dirty = true;
	mailbox_next_modseq(mb);
	mb->quota_noted = false;
	return mailbox_commit(mb);
}

int mailbox_rename(struct store *st, const char *from, const char *to, const char *partition)
{
	struct mailbox *mb;
	struct mbentry e = { 0 }, was = { 0 }, old;
	struct namelock *lock = NULL, *user = NULL;
	char *root = NULL, *owner = NULL;
	bool move = !strcmp(from, to);
	if (!move && !mboxlist_lookup(st, to, &old)) {
		mbentry_free(&old);
		return ERR_EXISTS;
	}
	int r = mailbox_open(st, from, &mb);
	if (r) return r;
	mbentry_copy(&was, &mb->entry);
	target_entry(st, mb, to, partition, &e);
	if (!path_root(st, e.partition, META_DATA)) r = ERR_PARTITION;
	bool by_id = st->layout->level == LEVEL_36 && !(e.flags & MBENTRY_LEGACYDIRS);
	owner = mbname_userid(&e.parts);
	if (!r) r = namelock_user(st, owner, LOCK_EXCLUSIVE, &user);
	if (!r && !by_id && !move) {
		struct buf name = BUF_INIT;
		st->layout->lock_name(&e, &name);
		r = namelock_take(st, buf_cstr(&name), LOCK_EXCLUSIVE, LOCK_NOWAIT, &lock);
		buf_free(&name);
	}
	if (!r) r = mailbox_lock(mb, LOCK_EXCLUSIVE);
	if (!r) {
		int64_t u[QUOTA_RESOURCES];
		root = quota_find_root(st, &e.parts);
		usage(mb, u);
		if (!same_root(root, mb->hdr.quotaroot)) r = quota_check(st, root, u, NULL);
		if (!r && by_id && !partition) {
			r = rename_by_id(mb, &e, root);
		} else if (!r) {
			namelock_release(st, &lock);            /* the copy is opened under it */
			r = rename_by_copy(mb, &e, root);
			if (!r && move) mailbox_remove_files(st, &was);
			if (move && !r) mb->h.options &= ~(uint32_t)MBOXOPT_DELETED;
		}
		mailbox_unlock(mb);
	}
	mailbox_close(&mb);
	namelock_release(st, &lock);
	namelock_release(st, &user);
	if (!r) {
		log_msg(LOG_NOTICE, "Rename: %s -> %s", from, to);
		audit_rename(st, &was, &e);
	}
	mbentry_free(&was);
	mbentry_free(&e);
	free(root);
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
