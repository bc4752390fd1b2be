/* mailbox_commit.c - making changes durable, in the order of spec/mailbox.md 9.3: cache, quota, annotations, cyrus.header,
 * records, index header. Nothing refers to a byte that is not yet on disk. */
#include "store/mailbox.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/audit.h"
#include "store/paths.h"
#include "store/statuscache.h"
#include "store/synclog.h"
#include "sys/newfile.h"
#include "sys/sys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static int commit_quota(struct mailbox *mb)
{
	bool gone = mb->h.options & MBOXOPT_DELETED;
	uint64_t now[QUOTA_RESOURCES] = { gone ? 0 : mb->h.quota_mailbox_used, gone ? 0 : mb->h.exists,
		gone ? 0 : mb->h.quota_annot_used, !gone };
	int64_t diff[QUOTA_RESOURCES];
	bool any = false;
	if (!mb->quota_noted) return 0;
	mb->quota_noted = false;
	for (int i = 0; i < QUOTA_RESOURCES; i++) {
		diff[i] = (int64_t)(now[i] - mb->quota_before[i]);
		any |= diff[i] != 0;
	}
	if (any && mb->hdr.quotaroot) quota_use(mb->st, mb->hdr.quotaroot, mb->entry.name, diff);      /* a failure is logged there */
	return 0;
}

static int commit_header_file(struct mailbox *mb)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	if (!mb->header_dirty) return 0;
	int r = path_mailbox(mb->st, &mb->entry, META_HEADER, "cyrus.header", &path);
	if (!r) {
		mboxheader_print(&mb->hdr, &text);
		if (newfile_write(buf_cstr(&path), 0666, text.s, text.len) < 0) {
			log_msg(LOG_ERR, "IOERROR: mailbox %s: cannot write %s: %m", mb->entry.name, buf_cstr(&path));
			r = err_from_errno(errno);
		}
	}
	if (!r) {
		mb->header_dirty = false;
		mb->hdr_crc = (uint32_t)crc32(0, (const Bytef *)text.s, (uInt)text.len);
		mb->hdr_ino = 0;                        /* read it back at the next lock */
		if (mb->h.minor_version >= 12) mb->h.header_file_crc = mb->hdr_crc;
	}
	buf_free(&path);
	buf_free(&text);
	return r;
}

static int by_recno(const void *a, const void *b)
{
	uint32_t x = ((const struct index_record *)a)->recno, y = ((const struct index_record *)b)->recno;
	return x < y ? -1 : x > y;
}

/* Ascending; neighbours travel in one write. */
static int commit_records(struct mailbox *mb)
{
	struct buf run = BUF_INIT;
	uint32_t size = mb->h.record_size;
	int r = 0;
	if (mb->npending > 1) qsort(mb->pending, mb->npending, sizeof *mb->pending, by_recno);
	for (size_t i = 0; i < mb->npending && !r;) {
		uint32_t first = mb->pending[i].recno;
		buf_reset(&run);
		for (uint32_t want = first; i < mb->npending && mb->pending[i].recno == want && run.len < 65536; i++, want++) {
			buf_reserve(&run, INDEX_RECORD_MAX);
			index_record_encode(&mb->pending[i], mb->h.minor_version, run.s + run.len);
			run.len += size;
		}
		off_t off = (off_t)mb->h.start_offset + (off_t)(first - 1) * size;
		if (sys_pwrite_all(mb->index_fd, run.s, run.len, off) < 0) {
			log_msg(LOG_ERR, "IOERROR: mailbox %s: cannot write cyrus.index at offset %lld: %m", mb->entry.name, (long long)off);
			r = err_from_errno(errno);
		}
	}
	buf_free(&run);
	return r;
}

/* Before records that readers can see are overwritten: highestmodseq already covers them, and a mark says that the counters do
 * not. */
static int announce_rewrites(struct mailbox *mb)
{
	char block[INDEX_HEADER_MAX];
	struct index_header old;
	uint32_t first = UINT32_MAX;
	for (size_t i = 0; i < mb->npending; i++)
		if (mb->pending[i].recno < first) first = mb->pending[i].recno;
	mb->h.leaked_cache_records &= ~INDEX_COMMITTING;
	ssize_t n = sys_pread_full(mb->index_fd, block, sizeof block, 0);
	if (n < 0 || index_header_decode(block, (size_t)n, &old)) return ERR_IO;
	if (first > old.num_records) return 0;
	old.leaked_cache_records |= INDEX_COMMITTING;
	old.highestmodseq = mb->h.highestmodseq;
	index_header_encode(&old, block);
	if (sys_pwrite_all(mb->index_fd, block, old.start_offset, 0) == 0) return 0;
	log_msg(LOG_ERR, "IOERROR: mailbox %s: cannot write the header of cyrus.index: %m", mb->entry.name);
	return err_from_errno(errno);
}

int mailbox_announce(struct mailbox *mb)
{
	char block[INDEX_HEADER_MAX];
	struct index_header old;
	ssize_t n = sys_pread_full(mb->index_fd, block, sizeof block, 0);
	if (n < 0 || index_header_decode(block, (size_t)n, &old)) return ERR_IO;
	old.leaked_cache_records |= INDEX_COMMITTING;
	index_header_encode(&old, block);
	if (sys_pwrite_all(mb->index_fd, block, old.start_offset, 0) == 0 && sys_fsync(mb->index_fd) == 0) return 0;
	log_msg(LOG_ERR, "IOERROR: mailbox %s: cannot write the header of cyrus.index: %m", mb->entry.name);
	return err_from_errno(errno);
}

static int commit_index_header(struct mailbox *mb)
{
	char block[INDEX_HEADER_MAX];
	index_header_encode(&mb->h, block);
	if (sys_pwrite_all(mb->index_fd, block, mb->h.start_offset, 0) == 0 && sys_fsync(mb->index_fd) == 0) return 0;
	log_msg(LOG_ERR, "IOERROR: mailbox %s: cannot write the header of cyrus.index: %m", mb->entry.name);
	return err_from_errno(errno);
}

static void forget_pending(struct mailbox *mb)
{
	if (!mb->npending) return;
	for (size_t i = 0; i < mb->npending; i++) mb->pending_at[mb->pending[i].recno - 1] = 0;
	mb->npending = 0;
}

/* What others need to hear: replication and the status cache. */
static void after_commit(struct mailbox *mb)
{
	statuscache_invalidate(mb->st, mb->entry.name);
	if (mb->appended && mb->st->layout->level == LEVEL_36) synclog(mb->st, "APPEND", mb->entry.name, NULL);
	else synclog(mb->st, "MAILBOX", mb->entry.name, NULL);
	mb->changed = true;
}

int mailbox_commit(struct mailbox *mb)
{
	if (!mb->index_dirty && !mb->header_dirty && !mb->npending && !mb->cache_dirty) return 0;
	struct strarray audit = STRARRAY_INIT;
	int r = mailbox_cache_sync(mb);
	if (!r) r = commit_quota(mb);
	if (!r) r = mailbox_annots_commit(mb);
	if (!r) r = commit_header_file(mb);
	if (!r && (mb->index_dirty || mb->npending)) {
		audit_collect(mb, &audit);
		r = announce_rewrites(mb);
		if (!r) r = commit_records(mb);
		if (!r) r = commit_index_header(mb);
	}
	if (r) {
		strarray_free(&audit);
		mailbox_abort(mb);
		return r;
	}
	audit_tell(&audit);
	forget_pending(mb);
	mb->index_dirty = mb->modseq_bumped = false;
	/* the records are in the file now: read them from there from now on */
	size_t need = mb->h.start_offset + (size_t)mb->h.num_records * mb->h.record_size;
	if (map_refresh(&mb->index_map, mb->index_fd, need) < 0) return ERR_IO;
	after_commit(mb);
	return 0;
}

void mailbox_abort(struct mailbox *mb)
{
	forget_pending(mb);
	mailbox_annots_abort(mb);
	mb->index_dirty = mb->header_dirty = mb->cache_dirty = mb->modseq_bumped = mb->quota_noted = mb->appended = false;
	mb->hdr_ino = 0;
	if (mb->index_lock == LOCK_UNLOCK) return;
	char block[INDEX_HEADER_MAX];
	ssize_t n = sys_pread_full(mb->index_fd, block, sizeof block, 0);
	if (n > 0) index_header_decode(block, (size_t)n, &mb->h);
	mailbox_read_header_file(mb);
}
