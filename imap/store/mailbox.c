/* mailbox.c - opening, locking, closing. See mailbox.h; the lock levels are those of spec/mailbox.md 2. */
#include "store/mailbox.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/mboxlist.h"
#include "store/paths.h"
#include "store/reconstruct_priv.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/sys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { HEADER_FILE_MAX = 1 << 22 };

static struct mailbox *find_open(struct store *st, const char *name)
{
	struct mailbox *mb = st->mailboxes;
	/* one that was deleted while open, or moved, is no longer what the name means */
	while (mb && (mb->h.options & MBOXOPT_DELETED || strcmp(mb->entry.name, name))) mb = mb->next;
	return mb;
}

static void unlist(struct mailbox *mb)
{
	struct mailbox **at = &mb->st->mailboxes;
	while (*at && *at != mb) at = &(*at)->next;
	if (*at) *at = mb->next;
}

static void destroy(struct mailbox *mb)
{
	unlist(mb);
	mailbox_annots_abort(mb);
	if (mb->annots) cyrusdb_close(mb->annots);
	mailbox_cache_close(mb);
	map_free(&mb->index_map);
	if (mb->index_fd >= 0) sys_close(mb->index_fd);
	namelock_release(mb->st, &mb->userlock);
	namelock_release(mb->st, &mb->namelock);
	mboxheader_free(&mb->hdr);
	mbentry_free(&mb->entry);
	free(mb->pending);
	free(mb->pending_at);
	free(mb);
}

static int check_entry(const struct mbentry *e)
{
	if (e->flags & MBENTRY_MOVING) return ERR_MOVED;
	if (e->flags & MBENTRY_REMOTE) return ERR_MOVED;
	return e->partition ? 0 : ERR_NOMAILBOX;
}

static int open_index(struct mailbox *mb)
{
	struct buf path = BUF_INIT;
	int r = path_mailbox(mb->st, &mb->entry, META_INDEX, "cyrus.index", &path);
	if (!r) {
		mb->index_fd = sys_open(buf_cstr(&path), O_RDWR, 0);
		if (mb->index_fd < 0) {
			log_msg(LOG_ERR, "IOERROR: mailbox %s: cannot open %s: %m", mb->entry.name, buf_cstr(&path));
			r = ERR_IO;
		}
	}
	buf_free(&path);
	return r;
}

static int open_mode(struct store *st, const char *name, enum lock_mode mode, int timeout_ms, struct mailbox **out)
{
	struct mailbox *mb = find_open(st, name);
	struct mbentry e;
	*out = NULL;
	if (mb) {
		if (mode == LOCK_EXCLUSIVE) return ERR_LOCKED;
		mb->refs++;
		*out = mb;
		return 0;
	}
	/* The entry is looked at before the lock, because the id names the lock, and again under it: it may have moved. */
	for (int tries = 0; tries < 8; tries++) {
		struct buf lock = BUF_INIT;
		struct namelock *held = NULL;
		int r = mboxlist_lookup(st, name, &e);
		if (r) return r;
		if ((r = check_entry(&e))) {
			mbentry_free(&e);
			return r;
		}
		st->layout->lock_name(&e, &lock);
		r = namelock_take(st, buf_cstr(&lock), mode, timeout_ms, &held);
		if (!r) {
			struct mbentry now;
			r = mboxlist_lookup(st, name, &now);
			bool same = !r && !strcmp(now.partition ? now.partition : "", e.partition)
				&& !strcmp(now.uniqueid ? now.uniqueid : "", e.uniqueid ? e.uniqueid : "") && now.flags == e.flags;
			if (!r) mbentry_free(&e), e = now;
			if (!r && !same) {
				namelock_release(st, &held);
				mbentry_free(&e);
				buf_free(&lock);
				continue;
			}
		}
		buf_free(&lock);
		if (r) {
			namelock_release(st, &held);
			mbentry_free(&e);
			return r;
		}
		mb = mem_zalloc(sizeof *mb);
		*mb = (struct mailbox){ .next = st->mailboxes, .st = st, .refs = 1, .entry = e, .namelock = held, .index_fd = -1,
			.cache_fd = -1, .index_map = MAP_INIT, .cache_map = MAP_INIT };
		st->mailboxes = mb;
		if ((r = open_index(mb))) destroy(mb);
		else *out = mb;
		return r;
	}
	return ERR_AGAIN;
}

int mailbox_open(struct store *st, const char *name, struct mailbox **out)
{
	return open_mode(st, name, LOCK_SHARED, LOCK_DEFAULT, out);
}

int mailbox_open_exclusive(struct store *st, const char *name, int timeout_ms, struct mailbox **out)
{
	return open_mode(st, name, LOCK_EXCLUSIVE, timeout_ms, out);
}

/* ------------------------------------------------------------------------------------------------ cyrus.header */

int mailbox_read_header_file(struct mailbox *mb)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	struct stat st;
	struct mboxheader fresh;
	int r = path_mailbox(mb->st, &mb->entry, META_HEADER, "cyrus.header", &path);
	if (r) goto done;
	if (stat(buf_cstr(&path), &st) < 0) {
		log_msg(LOG_ERR, "IOERROR: mailbox %s: no header file %s: %m", mb->entry.name, buf_cstr(&path));
		r = ERR_BADFORMAT;
		goto done;
	}
	uint64_t mtime = (uint64_t)st.st_mtim.tv_sec * 1000000000u + (uint64_t)st.st_mtim.tv_nsec;
	if (mb->hdr_ino == st.st_ino && mb->hdr_mtime_ns == mtime) goto done;
	if (file_read(buf_cstr(&path), HEADER_FILE_MAX, &text) < 0) {
		log_msg(LOG_ERR, "IOERROR: mailbox %s: cannot read %s: %m", mb->entry.name, buf_cstr(&path));
		r = ERR_IO;
		goto done;
	}
	r = mboxheader_parse(&fresh, text.s, text.len);
	if (r) {
		log_msg(LOG_ERR, "IOERROR: mailbox %s: %s is not a mailbox header", mb->entry.name, buf_cstr(&path));
		goto done;
	}
	mboxheader_free(&mb->hdr);
	mb->hdr = fresh;
	mb->hdr_ino = st.st_ino;
	mb->hdr_mtime_ns = mtime;
	mb->hdr_crc = (uint32_t)crc32(0, (const Bytef *)text.s, (uInt)text.len);
done:
	buf_free(&path);
	buf_free(&text);
	return r;
}

/* Somebody renamed it by id while we have it open: from here on it goes by the new name. */
static void follow_name(struct mailbox *mb)
{
	struct mbentry now;
	if (!mb->hdr.name || !mb->entry.uniqueid || !strcmp(mb->hdr.name, mb->entry.name)
		|| mboxlist_lookup(mb->st, mb->hdr.name, &now)) return;
	if (now.uniqueid && !strcmp(now.uniqueid, mb->entry.uniqueid) && now.partition
		&& !strcmp(now.partition, mb->entry.partition)) {
		mbentry_free(&mb->entry);
		mb->entry = now;
	} else {
		mbentry_free(&now);
	}
}

/* ------------------------------------------------------------------------------------------------ the index lock */

static int read_index_header(struct mailbox *mb)
{
	char block[INDEX_HEADER_MAX];
	struct stat st;
	ssize_t n = sys_pread_full(mb->index_fd, block, sizeof block, 0);
	if (n < 0 || fstat(mb->index_fd, &st) < 0) {
		log_msg(LOG_ERR, "IOERROR: mailbox %s: cannot read cyrus.index: %m", mb->entry.name);
		return ERR_IO;
	}
	int r = index_header_decode(block, (size_t)n, &mb->h);
	if (r) {
		log_msg(LOG_ERR, "IOERROR: mailbox %s: cyrus.index: %s at offset 0", mb->entry.name,
			r == ERR_CRC ? "header checksum wrong" : "unknown version or sizes");
		return ERR_BADFORMAT;
	}
	uint64_t need = mb->h.start_offset + (uint64_t)mb->h.num_records * mb->h.record_size;
	if ((uint64_t)st.st_size < need) {
		log_msg(LOG_ERR, "IOERROR: mailbox %s: cyrus.index ends at offset %lld, %u records need %llu", mb->entry.name,
			(long long)st.st_size, mb->h.num_records, (unsigned long long)need);
		return ERR_BADFORMAT;
	}
	if (map_refresh(&mb->index_map, mb->index_fd, (size_t)need) < 0) {
		log_msg(LOG_ERR, "IOERROR: mailbox %s: cannot map cyrus.index: %m", mb->entry.name);
		return ERR_IO;
	}
	if (mb->h.header_file_crc && mb->hdr_crc && mb->h.header_file_crc != mb->hdr_crc)
		log_msg(LOG_WARNING, "Header CRC mismatch for mailbox %s: %08X %08X", mb->entry.name, mb->h.header_file_crc, mb->hdr_crc);
	return mb->h.options & MBOXOPT_DELETED ? ERR_NOMAILBOX : 0;
}

static void release_index(struct mailbox *mb)
{
	lock_fd(mb->index_fd, LOCK_UNLOCK, 0, "cyrus.index");
	mb->index_lock = LOCK_UNLOCK;
	mb->lock_depth = 0;
	namelock_release(mb->st, &mb->userlock);
}

/* A process died while it rewrote records: what it wrote stands, and the counters are made to fit. Its quota commit came
 * first. */
static int heal(struct mailbox *mb, enum lock_mode mode)
{
	const struct reconstruct quiet = { .st = mb->st };
	int r = 0;
	if (mode != LOCK_EXCLUSIVE) {
		lock_fd(mb->index_fd, LOCK_UNLOCK, 0, mb->entry.name);       /* two readers upgrading would wait for each other */
		if (lock_fd(mb->index_fd, LOCK_EXCLUSIVE, LOCK_DEFAULT, mb->entry.name) < 0) return ERR_LOCKED;
		mb->index_lock = LOCK_EXCLUSIVE;
		r = read_index_header(mb);
	}
	if (!r && mb->h.leaked_cache_records & INDEX_COMMITTING) {
		log_msg(LOG_NOTICE, "mailbox %s: a commit was cut short, counting anew", mb->entry.name);
		int e = reconstruct_recount(&quiet, mb);
		mb->quota_noted = false;
		mb->index_dirty = true;
		if (!e) r = mailbox_commit(mb);
		else mailbox_abort(mb);
	}
	if (mode != LOCK_EXCLUSIVE) {
		if (lock_fd(mb->index_fd, mode, LOCK_DEFAULT, mb->entry.name) < 0) return ERR_LOCKED;
		mb->index_lock = mode;
		if (!r) r = read_index_header(mb);
	}
	return r;
}

int mailbox_lock(struct mailbox *mb, enum lock_mode mode)
{
	if (mb->index_lock != LOCK_UNLOCK) {
		if (mode == LOCK_EXCLUSIVE && mb->index_lock != LOCK_EXCLUSIVE) return ERR_LOCKED;
		mb->lock_depth++;
		return 0;
	}
	char *owner = mbname_userid(&mb->entry.parts);
	int r = owner ? namelock_user(mb->st, owner, mode, &mb->userlock) : 0;
	free(owner);
	if (r) return r;
	if (lock_fd(mb->index_fd, mode, LOCK_DEFAULT, mb->entry.name) < 0) {
		namelock_release(mb->st, &mb->userlock);
		return errno == EWOULDBLOCK ? ERR_LOCKED : ERR_IO;
	}
	mb->index_lock = mode;
	mb->lock_depth = 1;
	mb->modseq_bumped = false;
	mb->quota_noted = false;
	mb->cache_checked = mb->cache_checked && mb->cache_ok;
	r = mailbox_read_header_file(mb);
	if (!r) follow_name(mb);
	if (!r) r = read_index_header(mb);
	if (!r && mb->h.leaked_cache_records & INDEX_COMMITTING) r = heal(mb, mode);
	if (r) release_index(mb);
	return r;
}

int mailbox_unlock(struct mailbox *mb)
{
	if (mb->index_lock == LOCK_UNLOCK) return 0;
	if (--mb->lock_depth) return 0;
	int r = mailbox_commit(mb);
	bool tell = mb->changed && !r;
	mb->changed = mb->appended = false;
	release_index(mb);
	if (tell && mb->st->notify) mb->st->notify(mb->st->notify_arg, mb->entry.name);
	return r;
}

/* ------------------------------------------------------------------------------------------------ closing */

/* Somebody left work: do it if nobody else has the mailbox open, else leave it to the last one. */
static void clean_up(struct mailbox *mb)
{
	struct store *st = mb->st;
	struct buf lock = BUF_INIT;
	struct namelock *held = NULL;
	st->layout->lock_name(&mb->entry, &lock);
	namelock_release(st, &mb->namelock);
	int r = namelock_take(st, buf_cstr(&lock), LOCK_EXCLUSIVE, LOCK_NOWAIT, &held);
	buf_free(&lock);
	if (r) return;
	mb->namelock = held;
	sys_close(mb->index_fd);                  /* it may have been replaced meanwhile */
	mb->index_fd = -1;
	mailbox_cache_close(mb);
	map_free(&mb->index_map);
	if (open_index(mb)) return;
	r = mailbox_lock(mb, LOCK_EXCLUSIVE);
	if (r == ERR_NOMAILBOX && mb->h.options & MBOXOPT_DELETED) {
		mailbox_remove_files(st, &mb->entry);
		return;
	}
	if (r) return;
	if (mb->h.options & MBOXOPT_NEEDS_REPACK) r = mailbox_repack(mb);
	else if (mb->h.options & MBOXOPT_NEEDS_UNLINK) r = mailbox_unlink_files(mb);
	if (r) log_msg(LOG_ERR, "IOERROR: mailbox %s: cleaning up failed: %s", mb->entry.name, err_text(r));
	if (mb->index_lock != LOCK_UNLOCK) mailbox_unlock(mb);
}

void mailbox_close(struct mailbox **mbp)
{
	struct mailbox *mb = *mbp;
	if (!mb) return;
	*mbp = NULL;
	if (--mb->refs) return;
	if (mb->index_lock != LOCK_UNLOCK) {
		mb->lock_depth = 1;
		mailbox_unlock(mb);
	}
	if (mb->h.options & (MBOXOPT_DELETED | MBOXOPT_NEEDS_REPACK | MBOXOPT_NEEDS_UNLINK)) clean_up(mb);
	destroy(mb);
}

/* ------------------------------------------------------------------------------------------------ facts */

uint32_t mailbox_cache_version(const struct mailbox *mb) { return mb->h.minor_version <= 13 ? 3 : 11; }

bool index_internal_seen(const struct index_header *h, const struct mbentry *e, const char *userid, const struct namespace *ns)
{
	if (h->minor_version < 12) return false;
	if (h->options & MBOXOPT_SHAREDSEEN || !userid) return true;
	return mbname_owned_by(&e->parts, userid, ns);
}

bool mailbox_internal_seen(const struct mailbox *mb, const char *userid)
{
	return index_internal_seen(&mb->h, &mb->entry, userid, &mb->st->ns);
}
