/* mailbox_resume.c - the rest of a mailbox_empty_into() that died between its two commits. The new mailbox says in its index that
 * it was filled from an INBOX which may not be empty yet (INDEX_FILLED), and its records have the UIDs they had there. No two
 * indexes are locked at a time. */
#include "store/mailbox.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct twins {
	struct index_record *v;               /* live ones of the INBOX, ascending */
	bool *there;                          /* in the new mailbox as well */
	size_t n, alloc;
};

static int read_inbox(struct mailbox *mb, struct twins *t)
{
	struct index_record r;
	int err = mailbox_lock(mb, LOCK_SHARED);
	if (err) return err;
	for (uint32_t n = 1; n <= mb->h.num_records; n++) {
		if (mailbox_record(mb, n, &r) || !r.uid || r.system_flags & FLAG_EXPUNGED) continue;
		MEM_GROW(t->v, t->alloc, t->n + 1);
		t->v[t->n++] = r;
	}
	mailbox_unlock(mb);
	t->there = mem_zalloc(t->n + 1);
	return 0;
}

/* What of it is in the new mailbox; what was changed in the INBOX since, is changed there too. ERR_EXISTS: it is no such
 * mailbox. */
static int match(struct mailbox *mb, struct twins *t)
{
	struct index_record r;
	int err = mailbox_lock(mb, LOCK_EXCLUSIVE);
	if (err) return err;
	if (!(mb->h.leaked_cache_records & INDEX_FILLED)) err = ERR_EXISTS;
	for (size_t i = 0; i < t->n && !err; i++) {
		if (mailbox_find(mb, t->v[i].uid, &r) || r.system_flags & FLAG_EXPUNGED || memcmp(r.guid, t->v[i].guid, sizeof r.guid))
			continue;
		t->there[i] = true;
		if (t->v[i].modseq <= r.modseq) continue;
		r.system_flags = (r.system_flags & ~(uint32_t)FLAG_SYSTEM) | (t->v[i].system_flags & FLAG_SYSTEM);
		err = mailbox_rewrite(mb, &r, false);
	}
	if (err) mailbox_abort(mb);
	int err2 = mailbox_unlock(mb);
	return err ? err : err2;
}

static int take_out(struct mailbox *mb, const struct twins *t)
{
	struct index_record r;
	int err = mailbox_lock(mb, LOCK_EXCLUSIVE);
	if (err) return err;
	for (size_t i = 0; i < t->n && !err; i++) {
		if (!t->there[i] || mailbox_find(mb, t->v[i].uid, &r) || r.system_flags & FLAG_EXPUNGED) continue;
		r.system_flags |= FLAG_EXPUNGED | FLAG_DELETED;
		err = mailbox_rewrite(mb, &r, false);
	}
	if (err) mailbox_abort(mb);
	int err2 = mailbox_unlock(mb);
	return err ? err : err2;
}

int mailbox_clear_marks(struct store *st, const char *name, uint32_t marks)
{
	struct mailbox *mb;
	int r = mailbox_open(st, name, &mb);
	if (r) return r;
	r = mailbox_lock(mb, LOCK_EXCLUSIVE);
	if (!r) {
		mb->h.leaked_cache_records &= ~marks;
		mailbox_touch_index(mb);
		r = mailbox_unlock(mb);
	}
	mailbox_close(&mb);
	return r;
}

int mailbox_empty_resume(struct store *st, const char *from, const char *to)
{
	struct mailbox *inbox = NULL, *mb = NULL;
	struct twins t = { 0 };
	int r = mailbox_open(st, from, &inbox);
	if (!r) r = mailbox_open(st, to, &mb);
	if (!r) r = read_inbox(inbox, &t);
	if (!r) r = match(mb, &t);
	if (!r) r = take_out(inbox, &t);
	mailbox_close(&mb);
	mailbox_close(&inbox);
	free(t.v);
	free(t.there);
	if (!r) r = mailbox_clear_marks(st, to, INDEX_FILLED);
	if (!r) log_msg(LOG_NOTICE, "Rename: %s -> %s, which was cut short, is complete", from, to);
	return r;
}
