/* mailbox_create.c - making and unmaking mailboxes on disk (spec/mailbox.md 13.1, 13.2). */
#include "store/mailbox.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/annots.h"
#include "store/audit.h"
#include "store/mboxlist.h"
#include "store/paths.h"
#include "store/spool_walk.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/newfile.h"
#include "sys/sys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

int mailbox_make_dirs(struct store *st, const struct mbentry *e)
{
	static const enum meta_kind kinds[] = { META_INDEX, META_CACHE, META_HEADER, META_ANNOTATIONS, META_SQUAT, META_DATA };
	struct buf path = BUF_INIT;
	int r = 0;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds && !r; i++) {
		buf_reset(&path);
		r = path_mailbox(st, e, kinds[i], NULL, &path);
		if (!r && file_mkdirs_sync(buf_cstr(&path), 0755) < 0) {
			log_msg(LOG_ERR, "IOERROR: mailbox %s: cannot make directory %s: %m", e->name, buf_cstr(&path));
			r = err_from_errno(errno);
		}
	}
	buf_free(&path);
	return r;
}

/* mailbox_initial_flags: 2.5 makes them with the mailbox; 3.x only lets them be made later beyond the limit for ordinary ones. */
static void initial_flags(const struct store *st, const struct strarray *names, struct mboxheader *h)
{
	int n = 0;
	if (st->layout->level != LEVEL_25) return;
	for (size_t i = 0; i < names->n && n < USER_FLAGS; i++)
		if (mboxheader_flag_ok(names->v[i]) && mboxheader_flag(h, names->v[i]) < 0) h->flagname[n++] = names->v[i];
}

static int write_header(struct store *st, const struct mbentry *e, const char *quotaroot, bool list_form, uint32_t *crc)
{
	struct mboxheader h = { .list_form = list_form, .quotaroot = (char *)(uintptr_t)quotaroot, .uniqueid = e->uniqueid,
		.acl = e->acl, .name = e->name };
	char type[8];
	struct buf path = BUF_INIT, text = BUF_INIT;
	snprintf(type, sizeof type, "%c%s", e->type, list_form && e->flags & MBENTRY_LEGACYDIRS ? "l" : "");
	h.type = type;
	const char *flags = conf_str(st->conf, OPT_MAILBOX_INITIAL_FLAGS);
	struct strarray names = STRARRAY_INIT;
	strarray_split(&names, flags ? flags : "", " \t");
	initial_flags(st, &names, &h);
	mboxheader_print(&h, &text);
	*crc = (uint32_t)crc32(0, (const Bytef *)text.s, (uInt)text.len);
	int r = path_mailbox(st, e, META_HEADER, "cyrus.header", &path);
	if (!r && newfile_write(buf_cstr(&path), 0666, text.s, text.len) < 0) {
		log_msg(LOG_ERR, "IOERROR: mailbox %s: cannot write %s: %m", e->name, buf_cstr(&path));
		r = err_from_errno(errno);
	}
	strarray_free(&names);
	buf_free(&path);
	buf_free(&text);
	return r;
}

static int write_file(struct store *st, const struct mbentry *e, enum meta_kind kind, const char *name, const void *p, size_t n)
{
	struct buf path = BUF_INIT;
	int r = path_mailbox(st, e, kind, name, &path);
	int fd = r ? -1 : sys_open(buf_cstr(&path), O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, 0666);
	if (!r && (fd < 0 || sys_write_all(fd, p, n) < 0 || sys_fsync(fd) < 0 || file_sync_parent(buf_cstr(&path)) < 0)) {
		log_msg(LOG_ERR, "IOERROR: mailbox %s: cannot write %s: %m", e->name, buf_cstr(&path));
		r = err_from_errno(errno);
	}
	if (fd >= 0) sys_close(fd);
	buf_free(&path);
	return r;
}

/* Fills the entry of a mailbox to be: same place as the owner's INBOX (spec 1.3). */
int mailbox_plan(struct store *st, const struct mailbox_create *c, struct mbentry *e)
{
	struct mbentry old;
	*e = (struct mbentry){ .name = mem_strdup(c->name), .type = c->type ? c->type : 'e' };
	int r = mbname_from_internal(&e->parts, c->name, &st->ns);
	if (r) return r;
	e->acl = mem_strdup(c->acl ? c->acl : "");
	e->uniqueid = c->uniqueid ? mem_strdup(c->uniqueid) : st->layout->new_uniqueid();
	e->partition = partition_choose(st, &e->parts, c->partition);
	if (!e->partition) return ERR_PARTITION;
	time_t now = clock_now();
	e->uidvalidity = c->uidvalidity ? c->uidvalidity : (uint32_t)now + (st->layout->level == LEVEL_36);
	if (!mboxlist_lookup_any(st, c->name, &old)) {
		if (!c->uidvalidity && old.uidvalidity >= e->uidvalidity) e->uidvalidity = old.uidvalidity + 1;
		mbentry_free(&old);
	}
	if (st->layout->level == LEVEL_36) e->createdmodseq = e->foldermodseq = 1;
	bool legacy = st->layout->level == LEVEL_25 || conf_bool(st->conf, OPT_MAILBOX_LEGACY_DIRS);
	char *owner = mbname_userid(&e->parts);
	struct mbname inbox;
	if (owner && !mbname_from_userid(&inbox, owner, &st->ns)) {
		if (!mboxlist_lookup_parts(st, &inbox, &old)) {
			if (!(old.flags & MBENTRY_DELETED)) legacy = old.flags & MBENTRY_LEGACYDIRS;
			mbentry_free(&old);
		}
		mbname_free(&inbox);
	}
	free(owner);
	if (legacy) e->flags |= MBENTRY_LEGACYDIRS;
	return 0;
}

static int write_files(struct store *st, const struct mailbox_create *c, const struct mbentry *e, const char *root)
{
	const struct layout *l = st->layout;
	uint32_t minor = c->minor_version ? c->minor_version : l->index_version;
	struct index_header h = {
		.minor_version = minor, .start_offset = index_header_size(minor), .record_size = index_record_size(minor),
		.uidvalidity = e->uidvalidity, .highestmodseq = 1, .createdmodseq = 1, .changes_epoch = (uint32_t)clock_now(),
		.synccrc_annot = minor >= 14 ? 12345678 : 0,
		.quota_annot_used = c->specialuse ? strlen(c->specialuse) : 0,
		.leaked_cache_records = c->marks,
		.options = c->options | (uint32_t)conf_int(st->conf, OPT_MAILBOX_DEFAULT_OPTIONS) | MBOXOPT_POP3_NEW_UIDL,
	};
	char block[INDEX_HEADER_MAX], word[4] = { 0 };
	int r = write_header(st, e, root, l->list_header, &h.header_file_crc);
	index_header_encode(&h, block);
	if (!r && minor <= 13) r = write_file(st, e, META_CACHE, "cyrus.cache", word, 4);
	if (!r) r = write_file(st, e, META_INDEX, "cyrus.index", block, h.start_offset);
	return r;
}

static int check_folders(struct store *st, const char *root)
{
	const int64_t one[QUOTA_RESOURCES] = { [QUOTA_NUMFOLDERS] = 1 };
	return quota_check(st, root, one, NULL);
}

int mailbox_create(struct store *st, const struct mailbox_create *c)
{
	struct mbentry e;
	struct namelock *user = NULL, *name = NULL;
	struct buf lock = BUF_INIT;
	char *root = NULL, *owner = NULL;
	int r = mailbox_plan(st, c, &e);
	if (r) goto done;
	owner = mbname_userid(&e.parts);
	if ((r = namelock_user(st, owner, LOCK_EXCLUSIVE, &user))) goto done;
	struct mbentry old;
	if (!mboxlist_lookup(st, c->name, &old)) {
		mbentry_free(&old);
		r = ERR_EXISTS;
		goto done;
	}
	st->layout->lock_name(&e, &lock);
	if ((r = namelock_take(st, buf_cstr(&lock), LOCK_EXCLUSIVE, LOCK_DEFAULT, &name))) goto done;
	root = quota_find_root(st, &e.parts);
	if ((r = check_folders(st, root))) goto done;
	mailbox_clear_leftovers(st, &e, NULL);
	mailbox_annots_drop(st, &e);                    /* 2.5: of a namesake whose deletion or renaming was cut short */
	r = mailbox_make_dirs(st, &e);
	if (!r) r = write_files(st, c, &e, root);
	if (!r && c->specialuse) r = annots_put(st, c->specialuse_userid, &e, "/specialuse", c->specialuse);
	if (!r) r = mboxlist_put(st, &e);
	if (r) {
		mailbox_remove_files(st, &e);
	} else {
		int64_t diff[QUOTA_RESOURCES] = { [QUOTA_NUMFOLDERS] = 1,
			[QUOTA_ANNOTSTORAGE] = c->specialuse ? (int64_t)strlen(c->specialuse) : 0 };
		if (root) quota_use(st, root, e.name, diff);
		audit_create(st, &e);
	}
done:
	namelock_release(st, &name);
	namelock_release(st, &user);
	buf_free(&lock);
	free(root);
	free(owner);
	mbentry_free(&e);
	return r;
}

/* ------------------------------------------------------------------------------------------------ removal */

/* Up from DIR, removing empty directories, never past `stop` levels. By id: the id directory and its two hash levels. By name: as
 * far up as nothing else lives there; rmdir refuses what is not empty. */
static void prune(const char *dir, int levels)
{
	char *path = mem_strdup(dir);
	while (levels-- > 0) {
		char *slash = strrchr(path, '/');
		if (sys_rmdir(path) < 0) {
			if (errno != ENOENT && errno != ENOTEMPTY && errno != EEXIST)
				log_msg(LOG_NOTICE, "Remove of supposedly empty directory %s failed: %m", path);
			if (errno != ENOENT) break;
		}
		if (!slash || slash == path) break;
		*slash = 0;
	}
	free(path);
}

static int levels_of(const struct mbentry *e, const struct store *st)
{
	if (!(e->flags & MBENTRY_LEGACYDIRS) && st->layout->level == LEVEL_36) return 3;
	int n = (int)e->parts.boxes.n + (e->parts.deleted ? 2 : 0);
	return e->parts.localpart ? n + 1 : n;          /* "user", hash and domain directories stay */
}

static int remove_entry(void *arg, const struct dirwalk_entry *w)
{
	(void)arg;
	if (w->kind == DIRWALK_DIR) return 0;
	if (sys_unlinkat(w->dirfd, w->name, 0) < 0 && errno != ENOENT) log_msg(LOG_ERR, "IOERROR: cannot unlink %s: %m", w->path);
	return 0;
}

int mailbox_remove_files(struct store *st, const struct mbentry *e)
{
	struct buf path = BUF_INIT;
	int r = 0;
	for (int kind = META_DATA; kind < META_KINDS; kind++) {
		buf_reset(&path);
		if (path_mailbox(st, e, (enum meta_kind)kind, NULL, &path)) continue;
		struct dirwalk w = { .entry = remove_entry };
		int e2 = spool_walk_mailbox(st, e, (enum meta_kind)kind, &w);
		if (e2 && e2 != ERR_NOTFOUND) r = ERR_IO;
		prune(buf_cstr(&path), levels_of(e, st));
	}
	buf_free(&path);
	return r;
}

uint32_t mailbox_marks(struct store *st, const struct mbentry *e)
{
	struct index_header h;
	return !mailbox_index_header(st, e, &h) ? h.leaked_cache_records & (INDEX_COMMITTING | INDEX_FILLED | INDEX_UNFINISHED) : 0;
}

/* What is on disk where `e` would lie, though no list names it: the rest of a mailbox that was deleted (its index says so) or
 * renamed away (its header has the id of the tombstone), or an unfinished copy of mailbox `copied` (its id). Anything else there
 * is not ours to touch: it may be a mailbox whose entry was lost. */
bool mailbox_is_leftover(struct store *st, const struct mbentry *e, const char *copied)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	struct mboxheader h;
	struct index_header x;
	struct mbentry old;
	bool yes = false;
	if (!path_mailbox(st, e, META_HEADER, "cyrus.header", &path) && !file_read(buf_cstr(&path), 1 << 22, &text)
	    && !mboxheader_parse(&h, text.s, text.len)) {
		if (h.uniqueid && copied) yes = !strcmp(h.uniqueid, copied);
		if (h.uniqueid && !yes && !mboxlist_lookup_any(st, e->name, &old)) {
			yes = old.flags & MBENTRY_DELETED && old.uniqueid && !strcmp(h.uniqueid, old.uniqueid);
			mbentry_free(&old);
		}
		mboxheader_free(&h);
	}
	if (!yes) yes = !mailbox_index_header(st, e, &x) && x.options & MBOXOPT_DELETED;
	buf_free(&path);
	buf_free(&text);
	return yes;
}

void mailbox_clear_leftovers(struct store *st, const struct mbentry *e, const char *copied)
{
	if (mailbox_is_leftover(st, e, copied)) mailbox_remove_files(st, e);
}

/* The entry is still there although the index says DELETED, or there is no index: what is left goes. */
static int delete_ruin(struct store *st, const char *name)
{
	struct mbentry e;
	int r = mboxlist_lookup(st, name, &e);
	if (r) return r;
	r = mboxlist_bury(st, &e);
	if (!r) {
		mailbox_annots_drop(st, &e);
		mailbox_remove_files(st, &e);
		audit_delete(st, &e);
	}
	mbentry_free(&e);
	return r;
}

/* The list comes first: from there on it is deleted, whatever becomes of the rest. The usage is taken off the root next (a death
 * in between is quota drift), with the mark that tells those who have it open. */
static int delete_open(struct mailbox *mb)
{
	struct store *st = mb->st;
	int r = mboxlist_bury(st, &mb->entry);
	if (r) return r;
	mailbox_touch_index(mb);
	mb->h.options |= MBOXOPT_DELETED;
	mailbox_commit(mb);                                /* logged there; the list has the say */
	mb->h.options |= MBOXOPT_DELETED;
	mailbox_annots_drop(st, &mb->entry);
	return 0;
}

int mailbox_delete(struct store *st, const char *name)
{
	struct mailbox *mb;
	int r = mailbox_open(st, name, &mb);
	if (r == ERR_IO || r == ERR_BADFORMAT) return delete_ruin(st, name);
	if (r) return r;
	r = mailbox_lock(mb, LOCK_EXCLUSIVE);
	if (!r) {
		r = delete_open(mb);
		mailbox_unlock(mb);
	} else if (r == ERR_BADFORMAT || (r == ERR_NOMAILBOX && mb->h.options & MBOXOPT_DELETED)) {
		r = delete_ruin(st, name);
		mailbox_close(&mb);
		return r;
	}
	if (!r) {
		log_msg(LOG_NOTICE, "Deleted mailbox %s", name);
		audit_delete(st, &mb->entry);
	}
	mailbox_close(&mb);
	return r;
}
