/* cmd_status.c - STATUS. The order of the answer is fixed, whatever was asked (spec/imap.md 4). */
#include "base/err.h"
#include "imapd/commands.h"
#include "imapd/mboxarg.h"
#include "imapd/respond.h"
#include "imapd/selected.h"
#include "imapd/status.h"
#include "store/mailbox.h"
#include "store/seen.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { MESSAGES, RECENT, UIDNEXT, UIDVALIDITY, MAILBOXID, UNSEEN, SIZE, HIGHESTMODSEQ, CREATEDMODSEQ, ITEMS = STATUS_ITEMS };
static const struct { const char *name; bool only_36; } items[ITEMS] = {
	[MESSAGES] = { "MESSAGES", false }, [RECENT] = { "RECENT", false }, [UIDNEXT] = { "UIDNEXT", false },
	[UIDVALIDITY] = { "UIDVALIDITY", false }, [MAILBOXID] = { "MAILBOXID", true }, [UNSEEN] = { "UNSEEN", false },
	[SIZE] = { "SIZE", true }, [HIGHESTMODSEQ] = { "HIGHESTMODSEQ", false },
	[CREATEDMODSEQ] = { "CREATEDMODSEQ", true },
};

bool status_parse(struct session *s, unsigned *wanted)
{
	*wanted = 0;
	if (!args_char(&s->args, '(') || args_char(&s->args, ')')) {
		respond_bad(s, "Bad status string");
		return false;
	}
	do {
		char *word;
		int i = 0;
		if (!args_atom(&s->args, &word)) {
			respond_missing(s);
			return false;
		}
		while (i < ITEMS && (strcasecmp(items[i].name, word) || (items[i].only_36 && s->level == LEVEL_25))) i++;
		if (i == ITEMS) {
			for (char *p = word; *p; p++) *p = (char)tolower((unsigned char)*p);
			respond_bad(s, "Invalid Status attributes %s", word);
			return false;
		}
		*wanted |= 1u << i;
	} while (args_space(&s->args));
	if (!args_char(&s->args, ')')) {
		respond_bad(s, "Missing close parenthesis in Status");
		return false;
	}
	return true;
}

static bool parse_items(struct session *s, unsigned *wanted)
{
	if (!args_space(&s->args) || args_peek(&s->args) != '(') {
		respond_missing(s);
		return false;
	}
	if (!status_parse(s, wanted)) return false;
	if (!args_end(&s->args)) {
		respond_extra(s);
		return false;
	}
	return true;
}

/* RECENT and UNSEEN. The records are in the order of their UIDs, so that the recent ones are at the end: where the header counts
 * the unseen messages for this user (version 14 and later), no other record is read. */
static int count(struct session *s, struct mailbox *mb, uint64_t v[ITEMS])
{
	struct seen seen = { .uids = SEQSET_INIT };
	bool internal = mailbox_internal_seen(mb, s->user.userid), counted = internal && mb->h.minor_version >= 14;
	int r = internal ? 0 : seen_read(s->st, s->user.userid, mb->entry.uniqueid, &seen);
	uint32_t recentuid = internal ? mb->h.recentuid : seen.lastuid;
	v[RECENT] = 0;
	v[UNSEEN] = counted ? mb->h.unseen : 0;
	for (uint32_t n = mb->h.num_records; n > 0 && !r; n--) {
		struct index_record rec;
		if (mailbox_record(mb, n, &rec) || !rec.uid) continue;
		if (counted && rec.uid <= recentuid) break;
		if (rec.system_flags & FLAG_EXPUNGED) continue;
		v[RECENT] += rec.uid > recentuid;
		if (!counted) v[UNSEEN] += !(internal ? rec.system_flags & FLAG_SEEN : seqset_has(&seen.uids, rec.uid));
	}
	seen_free(&seen);
	return r;
}

static void from_header(struct session *s, const struct index_header *h, const char *uniqueid, struct status *out)
{
	uint64_t *v = out->v;
	v[MESSAGES] = h->exists;
	v[UIDNEXT] = (uint64_t)h->last_uid + 1;
	v[UIDVALIDITY] = h->uidvalidity;
	v[SIZE] = h->quota_mailbox_used;
	v[HIGHESTMODSEQ] = h->highestmodseq;
	v[CREATEDMODSEQ] = h->createdmodseq;
	out->uniqueid = arena_strdup(s->cmd, uniqueid ? uniqueid : "");
}

/* Without a lock. false: records have to be counted, or somebody is at work there. */
static bool glance(struct session *s, const struct mbentry *e, unsigned wanted, struct status *out)
{
	struct index_header h;
	if (mailbox_peek(s->st, e, &h)) return false;
	if (wanted & (1u << RECENT | 1u << UNSEEN)) {
		if (!index_internal_seen(&h, e, s->user.userid, &s->st->ns)) return false;
		if (wanted & 1u << RECENT && h.recentuid < h.last_uid) return false;
		if (wanted & 1u << UNSEEN && h.minor_version < 14) return false;
		out->v[UNSEEN] = h.unseen;
	}
	from_header(s, &h, e->uniqueid, out);
	return true;
}

int status_read(struct session *s, const struct mbentry *e, unsigned wanted, struct status *out)
{
	struct mailbox *mb;
	*out = (struct status){ .uniqueid = NULL };
	if (glance(s, e, wanted, out)) return 0;
	int r = mailbox_open(s->st, e->name, &mb);
	if (r) return r;
	r = mailbox_lock(mb, LOCK_SHARED);
	if (!r) {
		from_header(s, &mb->h, mb->entry.uniqueid, out);
		if (wanted & (1u << RECENT | 1u << UNSEEN)) r = count(s, mb, out->v);
		mailbox_unlock(mb);
	}
	mailbox_close(&mb);
	return r;
}

void status_put(struct session *s, const char *ext, unsigned wanted, const struct status *st)
{
	const char *sep = "";
	put(s, "* STATUS ");
	put_astring(s, ext);
	put(s, " (");
	for (int i = 0; i < ITEMS; i++) {
		if (!(wanted & 1u << i)) continue;
		if (i == MAILBOXID) putfmt(s, "%sMAILBOXID (%s)", sep, st->uniqueid);
		else putfmt(s, "%s%s %llu", sep, items[i].name, (unsigned long long)st->v[i]);
		sep = " ";
	}
	put(s, ")\r\n");
}

void cmd_status(struct session *s)
{
	struct mboxarg m = { 0 };
	struct status st;
	unsigned wanted = 0;
	char *name;
	if (!args_astring(&s->args, &name)) {
		respond_missing(s);
		return;
	}
	if (!parse_items(s, &wanted)) return;
	int r = mboxarg_find(s, name, &m);
	if (!r && !(m.rights & ACL_READ)) r = ERR_PERM;
	if (!r) r = status_read(s, &m.entry, wanted, &st);
	mboxarg_free(&m);
	if (r) {
		respond_err(s, r);
		return;
	}
	status_put(s, name, wanted, &st);
	if (s->sel) selected_update(s, true);
	respond_ok(s, "Completed");
}
