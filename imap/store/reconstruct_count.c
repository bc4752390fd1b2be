/* reconstruct_count.c - the counters and checksums of the index header, counted anew (spec/mailbox.md 16.2 step 9), and
 * annotations of messages that are no more (step 8). */
#include "store/reconstruct_priv.h"
#include "base/err.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct annots {
	const struct reconstruct *rc;
	struct mailbox *mb;
	const uint32_t *uids;             /* of all records, ascending */
	const bool *live;
	size_t n;
	uint32_t crc;
	uint64_t used;
	uint32_t *stale;
	size_t nstale, stale_alloc;
};

static const uint32_t *find(const struct annots *a, uint32_t uid)
{
	size_t lo = 0, hi = a->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (a->uids[mid] == uid) return &a->uids[mid];
		if (a->uids[mid] < uid) lo = mid + 1;
		else hi = mid;
	}
	return NULL;
}

static int count_row(void *arg, uint32_t uid, size_t size, uint32_t crc)
{
	struct annots *a = arg;
	const uint32_t *at = uid ? find(a, uid) : NULL;
	if (at && a->live[at - a->uids]) {
		a->crc ^= crc;
		a->used += size;
	} else if (!at && uid && (!a->nstale || a->stale[a->nstale - 1] != uid)) {
		MEM_GROW(a->stale, a->stale_alloc, a->nstale + 1);
		a->stale[a->nstale++] = uid;
	}
	return 0;
}

static int drop_stale(struct annots *a)
{
	int e = 0;
	for (size_t i = 0; i < a->nstale && !e; i++) {
		reconstruct_say(a->rc, "removing stale annotations for %u", a->stale[i]);
		if (reconstruct_fixing(a->rc)) e = mailbox_annots_unlinked(a->mb, a->stale[i]);
	}
	return e;
}

static void count(struct index_header *h, const struct mailbox *mb, const struct index_record *r)
{
	if (r->system_flags & FLAG_EXPUNGED) {
		if (!(r->system_flags & FLAG_UNLINKED)) h->quota_expunged_used += r->size;
		return;
	}
	h->exists++;
	h->deleted += (r->system_flags & FLAG_DELETED) != 0;
	h->answered += (r->system_flags & FLAG_ANSWERED) != 0;
	h->flagged += (r->system_flags & FLAG_FLAGGED) != 0;
	h->unseen += !(r->system_flags & FLAG_SEEN);
	h->quota_mailbox_used += r->size;
	if (r->system_flags & FLAG_DELETED) h->quota_deleted_used += r->size;
	h->synccrc_basic ^= synccrc_basic(mb, r);
	h->synccrc_annot ^= synccrc_virtual(mb, r);
}

/* Which header fields follow from the records, and since which version they are stored. quiet: not in the list of findings. */
static const struct { const char *name, *sep; size_t at; bool wide; uint32_t from; } fields[] = {
#define F(member) offsetof(struct index_header, member)
	{ "quota_mailbox_used", "", F(quota_mailbox_used), true, 6 }, { "quota_annot_used", "", F(quota_annot_used), true, 13 },
	{ "answered", ":", F(answered), false, 6 }, { "flagged", ":", F(flagged), false, 6 },
	{ "deleted", ":", F(deleted), false, 6 },
	{ "exists", ":", F(exists), false, 12 }, { "unseen", ":", F(unseen), false, 14 },
	{ "quota_deleted_used", ":", F(quota_deleted_used), true, 18 },
	{ "quota_expunged_used", ":", F(quota_expunged_used), true, 18 },
	{ "sync_crc", ":", F(synccrc_basic), false, 12 }, { "sync_crc_annot", ":", F(synccrc_annot), false, 13 },
#undef F
};

static void settle(const struct reconstruct *rc, struct mailbox *mb, const struct index_header *now)
{
	char *h = (char *)&mb->h;
	const char *n = (const char *)now;
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		size_t at = fields[i].at;
		uint64_t was, is;
		if (mb->h.minor_version < fields[i].from) continue;
		if (fields[i].wide) was = *(uint64_t *)(void *)(h + at), is = *(const uint64_t *)(const void *)(n + at);
		else was = *(uint32_t *)(void *)(h + at), is = *(const uint32_t *)(const void *)(n + at);
		if (was == is) continue;
		reconstruct_say(rc, "%s%s updating %s%s %llu => %llu", mb->entry.name, fields[i].sep, fields[i].name,
			*fields[i].sep ? "" : ":", (unsigned long long)was, (unsigned long long)is);
		if (!reconstruct_fixing(rc)) continue;
		mailbox_touch_index(mb);               /* before the change: it notes what the quota knows */
		if (fields[i].wide) *(uint64_t *)(void *)(h + at) = is;
		else *(uint32_t *)(void *)(h + at) = (uint32_t)is;
	}
}

int reconstruct_recount(const struct reconstruct *rc, struct mailbox *mb)
{
	struct index_header now = { 0 };
	struct index_record r;
	uint32_t *uids = mem_array(NULL, (size_t)mb->h.num_records + 1, sizeof *uids);
	bool *live = mem_array(NULL, (size_t)mb->h.num_records + 1, sizeof *live);
	struct annots a = { .rc = rc, .mb = mb, .uids = uids, .live = live };
	int e = 0;
	for (uint32_t n = 1; n <= mb->h.num_records && !e; n++) {
		e = mailbox_record(mb, n, &r);
		if (e == ERR_CRC && !reconstruct_fixing(rc)) e = 0, r.uid = 0;       /* told already */
		if (e || !r.uid) continue;
		uids[a.n] = r.uid;
		live[a.n++] = !(r.system_flags & FLAG_EXPUNGED);
		count(&now, mb, &r);
	}
	if (!e && mailbox_annots_each(mb, count_row, &a)) e = ERR_IO;
	if (!e) e = drop_stale(&a);
	uint64_t own = 0;
	if (!e) e = mailbox_annots_own(mb, &own);
	if (!e) {
		now.quota_annot_used = a.used + own;
		now.synccrc_annot ^= a.crc;
		/* each release starts from its own number and goes on from the other's */
		if (now.synccrc_annot != mb->h.synccrc_annot) {
			uint32_t start = mb->st->layout->synccrc_annot_start;
			if ((now.synccrc_annot ^ 12345678) == mb->h.synccrc_annot) now.synccrc_annot = mb->h.synccrc_annot;
			else now.synccrc_annot ^= start;
		}
		settle(rc, mb, &now);
	}
	free(uids);
	free(live);
	free(a.stale);
	return e;
}
