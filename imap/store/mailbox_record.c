/* mailbox_record.c - reading and changing index records, and the counters that follow them (spec/mailbox.md 9.1, 9.2). */
#include "store/mailbox.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "sys/clock.h"
#include "sys/sys.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ------------------------------------------------------------------------------------------------ reading */

int mailbox_record(struct mailbox *mb, uint32_t recno, struct index_record *r)
{
	if (!recno || recno > mb->h.num_records) return ERR_BADFORMAT;
	if (recno <= mb->pending_at_size && mb->pending_at[recno - 1]) {
		*r = mb->pending[mb->pending_at[recno - 1] - 1];
		return 0;
	}
	size_t off = mb->h.start_offset + (size_t)(recno - 1) * mb->h.record_size;
	if (off + mb->h.record_size > mb->index_map.len) return ERR_BADFORMAT;
	int e = index_record_decode(mb->index_map.base + off, mb->h.minor_version, r);
	r->recno = recno;
	if (e) log_msg(LOG_ERR, "IOERROR: mailbox %s: record %u (maybe uid %u) at offset %zu of cyrus.index: checksum wrong",
		mb->entry.name, recno, r->uid, off);
	return e;
}

int mailbox_find(struct mailbox *mb, uint32_t uid, struct index_record *r)
{
	uint32_t lo = 1, hi = mb->h.num_records;
	while (lo <= hi && hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		int e = mailbox_record(mb, mid, r);
		if (e == ERR_BADFORMAT) return e;
		if (r->uid == uid) return e;
		if (r->uid < uid) lo = mid + 1;
		else hi = mid - 1;
	}
	return ERR_NOTFOUND;
}

/* ------------------------------------------------------------------------------------------------ pending changes */

static struct index_record *pend(struct mailbox *mb, const struct index_record *r)
{
	if (r->recno > mb->pending_at_size) {
		uint32_t size = mb->pending_at_size * 2;
		if (size < r->recno + 16) size = r->recno + 16;
		mb->pending_at = mem_array(mb->pending_at, size, sizeof *mb->pending_at);
		memset(mb->pending_at + mb->pending_at_size, 0, (size - mb->pending_at_size) * sizeof *mb->pending_at);
		mb->pending_at_size = size;
	}
	uint32_t *at = &mb->pending_at[r->recno - 1];
	if (!*at) {
		MEM_GROW(mb->pending, mb->pending_alloc, mb->npending + 1);
		*at = (uint32_t)++mb->npending;
	}
	struct index_record *p = &mb->pending[*at - 1];
	*p = *r;
	return p;
}

static void note_quota(struct mailbox *mb)
{
	if (mb->quota_noted) return;
	mb->quota_noted = true;
	bool gone = mb->h.options & MBOXOPT_DELETED;
	mb->quota_before[QUOTA_STORAGE] = gone ? 0 : mb->h.quota_mailbox_used;
	mb->quota_before[QUOTA_MESSAGE] = gone ? 0 : mb->h.exists;
	mb->quota_before[QUOTA_ANNOTSTORAGE] = gone ? 0 : mb->h.quota_annot_used;
	mb->quota_before[QUOTA_NUMFOLDERS] = gone ? 0 : 1;
}

void mailbox_touch_index(struct mailbox *mb)
{
	note_quota(mb);
	mb->index_dirty = true;
}

uint64_t mailbox_next_modseq(struct mailbox *mb)
{
	mailbox_touch_index(mb);
	mb->modseq_bumped = true;
	return ++mb->h.highestmodseq;
}

/* ------------------------------------------------------------------------------------------------ counters */

static void count32(uint32_t *v, bool has, int sign)
{
	if (!has) return;
	if (sign > 0) ++*v;
	else if (*v) --*v;
}

static void count64(uint64_t *v, uint64_t n, int sign)
{
	if (sign > 0) *v += n;
	else *v = *v > n ? *v - n : 0;
}

/* A record's share goes in (sign 1) or out (-1). */
static void count_record(struct mailbox *mb, const struct index_record *r, int sign)
{
	struct index_header *h = &mb->h;
	uint32_t f = r->system_flags;
	if (!r->uid) return;
	if (f & FLAG_EXPUNGED) {
		if (!(f & FLAG_UNLINKED)) count64(&h->quota_expunged_used, r->size, sign);
		return;
	}
	count32(&h->exists, true, sign);
	count32(&h->deleted, f & FLAG_DELETED, sign);
	count32(&h->answered, f & FLAG_ANSWERED, sign);
	count32(&h->flagged, f & FLAG_FLAGGED, sign);
	count32(&h->unseen, !(f & FLAG_SEEN), sign);
	count64(&h->quota_mailbox_used, r->size, sign);
	if (f & FLAG_DELETED) count64(&h->quota_deleted_used, r->size, sign);
	h->synccrc_basic ^= synccrc_basic(mb, r);
	h->synccrc_annot ^= synccrc_virtual(mb, r);
}

/* ------------------------------------------------------------------------------------------------ changing */

static int64_t midnight(int64_t t)
{
	struct tm tm;
	time_t v = (time_t)t;
	localtime_r(&v, &tm);
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	tm.tm_isdst = -1;
	return (int64_t)mktime(&tm);
}

int mailbox_append_record(struct mailbox *mb, struct index_record *r, const void *cache, size_t cachelen)
{
	static const uint8_t none[20];
	if (mb->index_lock != LOCK_EXCLUSIVE) return ERR_INTERNAL;
	if (r->uid <= mb->h.last_uid || !r->size || !memcmp(r->guid, none, sizeof none)) return ERR_INTERNAL;
	note_quota(mb);
	int64_t now = (int64_t)clock_now();
	if (!r->internaldate) r->internaldate = now;
	if (!r->gmtime) r->gmtime = r->internaldate;
	if (!r->sentdate) r->sentdate = midnight(r->internaldate);
	r->modseq = mailbox_next_modseq(mb);
	r->last_updated = now;
	if (!r->createdmodseq || r->createdmodseq > r->modseq) r->createdmodseq = r->modseq;
	if (!r->savedate) r->savedate = r->last_updated;
	if (cache) {
		int e = mailbox_cache_append(mb, cache, cachelen, &r->cache_offset);
		if (e) return e;
	}
	r->recno = mb->h.num_records + 1;
	if (r->system_flags & FLAG_EXPUNGED && (!mb->h.first_expunged || r->last_updated < (int64_t)mb->h.first_expunged))
		mb->h.first_expunged = (uint32_t)r->last_updated;
	count_record(mb, r, 1);
	mb->h.num_records++;
	mb->h.last_uid = r->uid;
	if (mb->h.minor_version < 12) mb->h.exists = mb->h.num_records;
	pend(mb, r);
	mb->appended = true;
	return 0;
}

/* What expunging means under this site's expunge_mode (spec 11.1). */
static void apply_expunge_mode(struct mailbox *mb, struct index_record *r)
{
	const char *mode = conf_word(mb->st->conf, OPT_EXPUNGE_MODE);
	bool immediate = mb->h.minor_version < 12 || !strcmp(mode, "immediate");
	if (immediate || strcmp(mode, "delayed")) r->system_flags |= FLAG_UNLINKED;
	if (r->system_flags & FLAG_UNLINKED)
		mb->h.options |= MBOXOPT_NEEDS_UNLINK | (immediate ? (uint32_t)MBOXOPT_NEEDS_REPACK : 0u);
}

int mailbox_rewrite(struct mailbox *mb, struct index_record *r, bool silent)
{
	struct index_record old;
	if (mb->index_lock != LOCK_EXCLUSIVE) return ERR_INTERNAL;
	int e = mailbox_record(mb, r->recno, &old);
	if (e && e != ERR_CRC) return e;
	if (!e && (old.uid != r->uid || memcmp(old.guid, r->guid, sizeof r->guid))) return ERR_INTERNAL;
	bool expunging = r->system_flags & FLAG_EXPUNGED && !(old.system_flags & FLAG_EXPUNGED);
	if (old.system_flags & FLAG_EXPUNGED) r->system_flags |= FLAG_EXPUNGED;
	mailbox_touch_index(mb);
	if (expunging) apply_expunge_mode(mb, r);
	else if (r->system_flags & FLAG_UNLINKED) mb->h.options |= MBOXOPT_NEEDS_UNLINK;
	if (!silent) {
		r->modseq = mailbox_next_modseq(mb);
		r->last_updated = (int64_t)clock_now();
	}
	count_record(mb, &old, -1);
	count_record(mb, r, 1);
	if (expunging) {
		if (!mb->h.first_expunged || r->last_updated < (int64_t)mb->h.first_expunged)
			mb->h.first_expunged = (uint32_t)r->last_updated;
		mailbox_annots_expunged(mb, r);
	}
	pend(mb, r);
	return 0;
}

void mailbox_repair_record(struct mailbox *mb, const struct index_record *r)
{
	mailbox_touch_index(mb);
	pend(mb, r);
}

/* ------------------------------------------------------------------------------------------------ user flags */

enum { ORDINARY_FLAGS = 100 };

/* 3.x: a flag the administrator names may use the numbers kept from ordinary ones (spec 3.4). */
static bool reserved_flag(const struct mailbox *mb, const char *name)
{
	const char *flags = conf_str(mb->st->conf, OPT_MAILBOX_INITIAL_FLAGS);
	struct strarray names = STRARRAY_INIT;
	if (!flags || mb->st->layout->level != LEVEL_36) return false;
	strarray_split(&names, flags, " \t");
	bool found = strarray_findcase(&names, name) >= 0;
	strarray_free(&names);
	return found;
}

int mailbox_user_flag(struct mailbox *mb, const char *name, bool create, bool trusted, int *num)
{
	int n = mboxheader_flag(&mb->hdr, name);
	if (n < 0) {
		if (!create) return ERR_NOTFOUND;
		if (!mboxheader_flag_ok(name)) return ERR_BADFLAG;
		if (mb->index_lock != LOCK_EXCLUSIVE) return ERR_INTERNAL;
		for (n = 0; n < USER_FLAGS && mb->hdr.flagname[n]; n++) ;
		if (n >= (trusted || reserved_flag(mb, name) ? USER_FLAGS : ORDINARY_FLAGS)) return ERR_USERFLAGS;
		mb->hdr.flagname[n] = mem_strdup(name);
		mb->header_dirty = true;
		mailbox_touch_index(mb);
	}
	*num = n;
	return 0;
}
