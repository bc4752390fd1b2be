/* mailbox_repack.c - removing the files of unlinked messages, and writing index and cache anew (spec/mailbox.md 11.3, 11.4). */
#include "store/mailbox.h"
#include "base/err.h"
#include "base/log.h"
#include "base/num.h"
#include "store/audit.h"
#include "store/cacherec.h"
#include "store/paths.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/newfile.h"
#include "sys/sys.h"

#include <errno.h>
#include <string.h>

static int unlink_message(struct mailbox *mb, const struct index_record *r)
{
	struct buf path = BUF_INIT;
	int e = mailbox_message_path(mb, r, &path);
	if (!e && sys_unlink(buf_cstr(&path)) == 0) {
		audit_unlink(mb, r);
	} else if (!e && errno != ENOENT) {
		log_msg(LOG_ERR, "IOERROR: mailbox %s: uid %u: cannot unlink %s: %m", mb->entry.name, r->uid, buf_cstr(&path));
		e = ERR_IO;
	}
	buf_free(&path);
	return e ? e : mailbox_annots_unlinked(mb, r->uid);
}

int mailbox_unlink_files(struct mailbox *mb)
{
	struct index_record r;
	for (uint32_t n = 1; n <= mb->h.num_records; n++) {
		int e = mailbox_record(mb, n, &r);
		if (e == ERR_CRC) continue;                    /* never act on a record that may be wrong */
		if (!e && r.uid && r.system_flags & FLAG_UNLINKED) e = unlink_message(mb, &r);
		if (e) return e;
	}
	mb->h.options &= ~(uint32_t)MBOXOPT_NEEDS_UNLINK;
	mailbox_touch_index(mb);
	return mailbox_commit(mb);
}

struct repack {
	struct mailbox *mb;
	struct index_header h;
	struct newfile index, cache;
	struct buf records, cached;
	uint64_t cache_size;
};

/* The record's cache bytes, or what parsing the message gives; no cache at all when neither can be read. */
static int copy_cache(struct repack *p, struct index_record *r)
{
	const char *s;
	size_t n;
	buf_reset(&p->cached);
	if (mailbox_cache(p->mb, r, &s, &n)) {
		struct msgfile f;
		struct message_info info;
		uint32_t number = mailbox_cache_version(p->mb);
		struct cacherec_options o = cacherec_defaults(number);
		int e = msgfile_open(p->mb, r, &f);
		if (!e) {
			e = cacherec_build(&o, f.base, f.len, (time_t)r->internaldate, &p->cached, &info);
			if (!e) {
				r->cache_crc = info.cache_crc;
				r->cache_version = number;
			}
			msgfile_close(&f);
		}
		if (e) {
			r->cache_offset = 0;
			r->cache_crc = 0;
			return 0;
		}
		s = p->cached.s;
		n = p->cached.len;
	}
	r->cache_offset = p->cache_size;
	if (sys_write_all(p->cache.fd, s, n) < 0) return err_from_errno(errno);
	p->cache_size += n;
	return 0;
}

static int copy_record(struct repack *p, struct index_record *r)
{
	if (r->system_flags & FLAG_UNLINKED) {
		int e = unlink_message(p->mb, r);
		if (r->modseq > p->h.deletedmodseq) {
			p->h.deletedmodseq = r->modseq;
			p->h.changes_epoch = (uint32_t)r->last_updated;
		}
		return e;
	}
	int e = copy_cache(p, r);
	if (e) return e;
	buf_reserve(&p->records, INDEX_RECORD_MAX);
	index_record_encode(r, p->h.minor_version, p->records.s + p->records.len);
	p->records.len += p->h.record_size;
	p->h.num_records++;
	if (p->records.len < 65536) return 0;
	e = sys_write_all(p->index.fd, p->records.s, p->records.len) < 0 ? err_from_errno(errno) : 0;
	buf_reset(&p->records);
	return e;
}

static int open_new(struct repack *p)
{
	struct buf path = BUF_INIT;
	char block[INDEX_HEADER_MAX] = { 0 };
	struct mailbox *mb = p->mb;
	int e = path_mailbox(mb->st, &mb->entry, META_INDEX, "cyrus.index", &path);
	if (!e && newfile_open(&p->index, buf_cstr(&path), 0666) < 0) e = err_from_errno(errno);
	buf_reset(&path);
	if (!e) e = path_mailbox(mb->st, &mb->entry, META_CACHE, "cyrus.cache", &path);
	if (!e && newfile_open(&p->cache, buf_cstr(&path), 0666) < 0) e = err_from_errno(errno);
	buf_free(&path);
	if (e) return e;
	put_be32(block, p->h.generation_no);
	p->cache_size = 4;
	if (sys_write_all(p->cache.fd, block, 4) < 0) return err_from_errno(errno);
	memset(block, 0, 4);
	return sys_write_all(p->index.fd, block, p->h.start_offset) < 0 ? err_from_errno(errno) : 0;
}

static int finish(struct repack *p)
{
	char block[INDEX_HEADER_MAX];
	if (p->records.len && sys_write_all(p->index.fd, p->records.s, p->records.len) < 0) return err_from_errno(errno);
	p->h.options &= ~(uint32_t)(MBOXOPT_NEEDS_REPACK | MBOXOPT_NEEDS_UNLINK);
	p->h.last_repack_time = (uint32_t)clock_now();
	p->h.leaked_cache_records = 0;
	index_header_encode(&p->h, block);
	if (sys_pwrite_all(p->index.fd, block, p->h.start_offset, 0) < 0) return err_from_errno(errno);
	/* the cache must be durable before an index that points into it is found under its name */
	if (sys_fsync(p->cache.fd) < 0 || newfile_commit(&p->index) < 0 || newfile_commit(&p->cache) < 0)
		return err_from_errno(errno);
	return 0;
}

int mailbox_repack(struct mailbox *mb)
{
	struct index_record r;
	struct repack p = { .mb = mb, .index = NEWFILE_INIT, .cache = NEWFILE_INIT };
	int e = mailbox_commit(mb);
	if (e) return e;
	p.h = mb->h;
	p.h.generation_no++;
	p.h.num_records = 0;
	e = open_new(&p);
	for (uint32_t n = 1; !e && n <= mb->h.num_records; n++) {
		e = mailbox_record(mb, n, &r);
		if (!e && r.uid) e = copy_record(&p, &r);
	}
	if (!e) e = mailbox_annots_commit(mb);
	if (!e) e = finish(&p);
	newfile_abort(&p.index);
	newfile_abort(&p.cache);
	buf_free(&p.records);
	buf_free(&p.cached);
	/* this descriptor is of the old file: the mailbox is closed after a repack, and nobody else has it open */
	if (!e) mb->h.options &= ~(uint32_t)(MBOXOPT_NEEDS_REPACK | MBOXOPT_NEEDS_UNLINK);
	mb->index_dirty = false;
	if (e) log_msg(LOG_ERR, "IOERROR: mailbox %s: repack failed: %s", mb->entry.name, err_text(e));
	return e;
}
