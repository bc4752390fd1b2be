/* selected.c - see selected.h. */
#include "imapd/selected.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "imapd/respond.h"
#include "store/seen.h"
#include "sys/clock.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *selected_name(const struct selected *sel) { return sel->mb->entry.name; }

uint32_t selected_find(const struct selected *sel, uint32_t uid)
{
	uint32_t lo = 0, hi = sel->n;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (sel->msgs[mid].rec.uid < uid) lo = mid + 1;
		else hi = mid;
	}
	return lo < sel->n && sel->msgs[lo].rec.uid == uid ? lo + 1 : 0;
}

uint32_t selected_count_recent(const struct selected *sel)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < sel->n; i++) n += sel->msgs[i].recent;
	return n;
}

/* ------------------------------------------------------------------------------------------------ reading the index */

/* What the user's seen database says; empty where the index keeps it. */
static int load_seen(struct session *s, struct selected *sel, struct seen *seen)
{
	*seen = (struct seen){ .uids = SEQSET_INIT };
	sel->internal_seen = mailbox_internal_seen(sel->mb, s->user.userid);
	if (sel->internal_seen) return 0;
	bool shared = sel->mb->h.minor_version < 12 && sel->mb->h.options & MBOXOPT_SHAREDSEEN;
	return seen_read(s->st, shared ? "anyone" : s->user.userid, sel->mb->entry.uniqueid, seen);
}

static bool differs(const struct index_record *a, const struct index_record *b)
{
	return a->system_flags != b->system_flags || memcmp(a->user_flags, b->user_flags, sizeof a->user_flags)
		|| a->modseq != b->modseq;
}

static void add_message(struct selected *sel, const struct index_record *r, struct seen *seen)
{
	MEM_GROW(sel->msgs, sel->alloc, sel->n + 1);
	struct message *m = &sel->msgs[sel->n++];
	*m = (struct message){ .rec = *r, .recent = r->uid > sel->recentuid };
	m->seen = sel->internal_seen ? r->system_flags & FLAG_SEEN : seqset_has(&seen->uids, r->uid);
}

static void update_message(struct selected *sel, struct message *m, const struct index_record *r, struct seen *seen)
{
	bool was_seen = m->seen;
	m->seen = sel->internal_seen ? r->system_flags & FLAG_SEEN : seqset_has(&seen->uids, r->uid);
	if (r->system_flags & FLAG_EXPUNGED) m->gone = true;
	else if (differs(&m->rec, r) || was_seen != m->seen) m->tell_flags = true;
	m->rec = *r;
}

/* Merges the records into the view: both are in ascending order of UID. A record that cannot be read is as if it were not
 * there. */
static void merge(struct selected *sel, struct seen *seen)
{
	struct mailbox *mb = sel->mb;
	uint32_t i = 0, known = sel->n;
	for (uint32_t recno = 1; recno <= mb->h.num_records; recno++) {
		struct index_record r;
		if (mailbox_record(mb, recno, &r) || !r.uid) continue;
		while (i < known && sel->msgs[i].rec.uid < r.uid) sel->msgs[i++].gone = true;      /* repacked away */
		if (i < known && sel->msgs[i].rec.uid == r.uid) update_message(sel, &sel->msgs[i++], &r, seen);
		else if (!(r.system_flags & FLAG_EXPUNGED) && r.uid > sel->last_uid) add_message(sel, &r, seen);
	}
	while (i < known) sel->msgs[i++].gone = true;
	sel->last_uid = mb->h.last_uid;
	sel->highestmodseq = mb->h.highestmodseq;
	sel->generation = mb->h.generation_no;
}

struct recent_mark { uint32_t uid; };

static bool mark_recent(void *arg, struct seen *s)
{
	struct recent_mark *m = arg;
	if (s->lastuid >= m->uid) return false;
	s->lastuid = m->uid;
	s->lastchange = clock_now();
	return true;
}

/* Raises the number of the last message reported as recent, so that no other session gets these too. */
static int take_recent(struct session *s, struct selected *sel)
{
	struct mailbox *mb = sel->mb;
	if (sel->internal_seen) {
		if (mb->h.recentuid >= mb->h.last_uid) return 0;
		mb->h.recentuid = mb->h.last_uid;
		mb->h.recenttime = (uint32_t)clock_now();
		mailbox_touch_index(mb);
		return 0;
	}
	struct recent_mark m = { mb->h.last_uid };
	return seen_update(s->st, s->user.userid, mb->entry.uniqueid, mark_recent, &m);
}

/* His own row is his to write; the index header belongs to whoever may set \Seen. */
static bool may_take_recent(const struct selected *sel)
{
	return !sel->examine && (sel->rights & ACL_SEEN || !sel->internal_seen);
}

static int refresh(struct session *s, struct selected *sel, bool first)
{
	struct seen seen;
	int r = mailbox_lock(sel->mb, sel->examine ? LOCK_SHARED : LOCK_EXCLUSIVE);
	if (r) {
		if (r == ERR_NOMAILBOX || r == ERR_BADFORMAT) sel->vanished = true;
		return r;
	}
	struct mailbox *mb = sel->mb;
	if (!first && mb->h.uidvalidity != sel->uidvalidity) {
		sel->vanished = true;
		mailbox_unlock(mb);
		return ERR_NOMAILBOX;
	}
	r = load_seen(s, sel, &seen);
	if (first) {
		sel->uidvalidity = mb->h.uidvalidity;
		sel->recentuid = sel->internal_seen ? mb->h.recentuid : seen.lastuid;
	}
	if (!r) {
		merge(sel, &seen);
		if (may_take_recent(sel)) r = take_recent(s, sel);
	}
	seen_free(&seen);
	int r2 = mailbox_unlock(mb);
	return r ? r : r2;
}

/* Has anything happened since the last look? One small read without any lock: what it misses now it sees at the next command. */
static bool unchanged(struct selected *sel)
{
	char block[INDEX_HEADER_MAX];
	struct index_header h;
	ssize_t n = pread(sel->mb->index_fd, block, sizeof block, 0);
	if (n <= 0 || index_header_decode(block, (size_t)n, &h)) return false;
	return h.highestmodseq == sel->highestmodseq && h.generation_no == sel->generation && h.last_uid == sel->last_uid
		&& h.uidvalidity == sel->uidvalidity && !(h.options & MBOXOPT_DELETED);
}

int selected_refresh(struct session *s)
{
	if (unchanged(s->sel)) return 0;
	return refresh(s, s->sel, false);
}

int selected_open(struct session *s, const char *name, bool examine, struct selected **out)
{
	struct selected *sel = mem_zalloc(sizeof *sel);
	*out = NULL;
	int r = mailbox_open(s->st, name, &sel->mb);
	if (!r) {
		sel->rights = acl_evaluate(sel->mb->entry.acl, &s->user.who, &s->st->macros);
		sel->examine = examine || s->readonly;
		sel->readonly = sel->examine || !(sel->rights & (ACL_SEEN | ACL_WRITE | ACL_DELETEMSG | ACL_INSERT | ACL_EXPUNGE));
		r = refresh(s, sel, true);
	}
	if (r) selected_close(&sel);
	*out = sel;
	return r;
}

void selected_close(struct selected **selp)
{
	struct selected *sel = *selp;
	*selp = NULL;
	if (!sel) return;
	mailbox_close(&sel->mb);
	free(sel->msgs);
	free(sel->flags_told);
	free(sel);
}

/* ------------------------------------------------------------------------------------------------ telling the client */

static const struct { uint32_t flag; const char *name; uint32_t right; } shown[] = {
	{ FLAG_ANSWERED, "\\Answered", ACL_WRITE }, { FLAG_FLAGGED, "\\Flagged", ACL_WRITE }, { FLAG_DRAFT, "\\Draft", ACL_WRITE },
	{ FLAG_DELETED, "\\Deleted", ACL_DELETEMSG },
};

static void put_flag(struct session *s, const char **sep, const char *name)
{
	put(s, *sep);
	put(s, name);
	*sep = " ";
}

void message_put_flags(struct session *s, const struct message *m)
{
	const struct mboxheader *h = &s->sel->mb->hdr;
	const char *sep = "";
	put(s, "FLAGS (");
	if (m->recent) put_flag(s, &sep, "\\Recent");
	for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
		if (m->rec.system_flags & shown[i].flag) put_flag(s, &sep, shown[i].name);
	if (m->seen) put_flag(s, &sep, "\\Seen");
	for (int w = 0; w < USER_FLAGS / 32; w++)
		for (uint32_t bits = m->rec.user_flags[w]; bits; bits &= bits - 1) {
			const char *name = h->flagname[w * 32 + __builtin_ctz(bits)];
			if (name) put_flag(s, &sep, name);
		}
	put(s, ")");
}

void message_put_update(struct session *s, uint32_t seqno, const struct message *m)
{
	putfmt(s, "* %u FETCH (", seqno);
	message_put_flags(s, m);
	if (s->uid) putfmt(s, " UID %u", m->rec.uid);
	if (s->condstore) putfmt(s, " MODSEQ (%llu)", (unsigned long long)m->rec.modseq);
	put(s, ")\r\n");
}

static char *flag_list(const struct mboxheader *h)
{
	struct buf b = BUF_INIT;
	for (int i = 0; i < USER_FLAGS; i++)
		if (h->flagname[i]) buf_printf(&b, " %s", h->flagname[i]);
	return buf_take(&b);
}

static void put_permanent(struct session *s)
{
	const struct selected *sel = s->sel;
	const char *sep = "";
	put(s, "* OK [PERMANENTFLAGS (");
	if (!sel->examine) {
		for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
			if (sel->rights & shown[i].right) put_flag(s, &sep, shown[i].name);
		if (sel->rights & ACL_SEEN) put_flag(s, &sep, "\\Seen");
		if (sel->rights & ACL_WRITE) {
			bool room = false;
			for (int i = 0; i < USER_FLAGS; i++) {
				if (sel->mb->hdr.flagname[i]) put_flag(s, &sep, sel->mb->hdr.flagname[i]);
				else if (i < 100) room = true;
			}
			if (room) put_flag(s, &sep, "\\*");
		}
	}
	put(s, ")] Ok\r\n");
}

void selected_put_flags(struct session *s, bool permanent_too)
{
	struct selected *sel = s->sel;
	free(sel->flags_told);
	sel->flags_told = flag_list(&sel->mb->hdr);
	putfmt(s, "* FLAGS (\\Answered \\Flagged \\Draft \\Deleted \\Seen%s)\r\n", sel->flags_told);
	if (permanent_too) put_permanent(s);
}

/* One line a message, from the end of the view to its start would also do; Cyrus counts downwards as it goes up. */
static void report_expunged(struct session *s)
{
	struct selected *sel = s->sel;
	uint32_t kept = 0;
	for (uint32_t i = 0; i < sel->n; i++) {
		if (sel->msgs[i].gone) {
			if (i - (i - kept) < sel->told_exists) respond(s, "%u EXPUNGE", kept + 1);
			if (sel->told_exists) sel->told_exists--;
			continue;
		}
		if (kept != i) sel->msgs[kept] = sel->msgs[i];
		kept++;
	}
	sel->n = kept;
}

static void report_sizes(struct session *s)
{
	struct selected *sel = s->sel;
	uint32_t recent = selected_count_recent(sel);
	if (sel->n != sel->told_exists) {
		respond(s, "%u EXISTS", sel->n);
		respond(s, "%u RECENT", recent);
	}
	sel->told_exists = sel->n;
	sel->told_recent = recent;
}

void selected_report(struct session *s, bool may_expunge)
{
	struct selected *sel = s->sel;
	if (may_expunge) report_expunged(s);
	report_sizes(s);
	char *now = flag_list(&sel->mb->hdr);
	if (!sel->flags_told || strcmp(now, sel->flags_told)) selected_put_flags(s, true);
	free(now);
	for (uint32_t i = 0; i < sel->n; i++) {
		struct message *m = &sel->msgs[i];
		if (m->tell_flags && !m->gone) message_put_update(s, i + 1, m);
		m->tell_flags = false;
	}
}

void selected_update(struct session *s, bool may_expunge)
{
	int r = s->sel ? selected_refresh(s) : 0;
	if (!s->sel) return;
	if (r && s->sel->vanished) {
		if (conf_bool(s->conf, OPT_DISCONNECT_ON_VANISHED_MAILBOX)) {
			respond_bye(s, "Selected mailbox was deleted, have to disconnect");
			return;
		}
		for (uint32_t i = 0; i < s->sel->n; i++) s->sel->msgs[i].gone = true;      /* it behaves as empty */
	}
	selected_report(s, may_expunge);
}

/* ------------------------------------------------------------------------------------------------ sets */

bool selected_parse_set(struct session *s, struct seqset *out)
{
	char *text;
	*out = (struct seqset)SEQSET_INIT;
	if (!args_seqset(&s->args, &text) || seqset_parse(out, text, strlen(text))) {
		respond_bad(s, "Invalid sequence in %s", s->name);
		return false;
	}
	const struct selected *sel = s->sel;
	seqset_resolve(out, s->uid ? (sel->n ? sel->msgs[sel->n - 1].rec.uid : sel->last_uid) : sel->n);
	return true;
}

int selected_each(struct session *s, struct seqset *set, bool by_uid, selected_fn *fn, void *arg, uint32_t *matched)
{
	struct selected *sel = s->sel;
	uint32_t count = 0;
	int r = 0;
	seqset_sort(set);
	size_t k = 0;
	for (uint32_t i = 0; i < sel->n && k < set->n && !r; i++) {
		uint32_t v = by_uid ? sel->msgs[i].rec.uid : i + 1;
		while (k < set->n && set->v[k].high < v) k++;
		if (k == set->n || v < set->v[k].low) continue;
		count++;
		r = fn(s, i + 1, &sel->msgs[i], arg);
	}
	if (matched) *matched = count;
	return r;
}

struct seen_change {
	struct seqset *uids;
	bool seen;
	uint32_t lastuid;
};

static bool change_seen(void *arg, struct seen *s)
{
	struct seen_change *c = arg;
	for (size_t i = 0; i < c->uids->n; i++) {
		if (c->seen) seqset_add(&s->uids, c->uids->v[i].low, c->uids->v[i].high);
		else
			for (uint32_t u = c->uids->v[i].low; u <= c->uids->v[i].high; u++) seqset_remove(&s->uids, u);
	}
	s->lastread = s->lastchange = clock_now();
	if (c->lastuid > s->lastuid) s->lastuid = c->lastuid;
	return true;
}

int selected_store_seen(struct session *s, struct seqset *uids, bool seen)
{
	struct seen_change c = { uids, seen, may_take_recent(s->sel) ? s->sel->last_uid : 0 };
	if (!uids->n) return 0;
	return seen_update(s->st, s->user.userid, s->sel->mb->entry.uniqueid, change_seen, &c);
}
