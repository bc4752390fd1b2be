/* cmd_select.c - SELECT, EXAMINE, UNSELECT, CLOSE, EXPUNGE. */
#include "base/err.h"
#include "base/log.h"
#include "imapd/commands.h"
#include "imapd/mboxarg.h"
#include "imapd/respond.h"
#include "imapd/selected.h"
#include "sys/clock.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static void upper(char *p)
{
	for (; *p; p++) *p = (char)toupper((unsigned char)*p);
}

/* "(CONDSTORE)": the only modifier we know. false: answered. */
static bool modifiers(struct session *s, bool *condstore)
{
	if (args_end(&s->args)) return true;
	if (!args_space(&s->args) || !args_char(&s->args, '(')) {
		respond_extra(s);
		return false;
	}
	do {
		char *word;
		if (!args_atom(&s->args, &word)) {
			respond_bad(s, "Invalid %s modifier", s->name);
			return false;
		}
		upper(word);
		if (strcmp(word, "CONDSTORE")) {
			respond_bad(s, "Invalid %s modifier %s", s->name, word);
			return false;
		}
		*condstore = true;
	} while (args_space(&s->args));
	if (!args_char(&s->args, ')')) {
		respond_bad(s, "Missing close parenthesis in %s", s->name);
		return false;
	}
	if (!args_end(&s->args)) {
		respond_extra(s);
		return false;
	}
	return true;
}

static void put_state(struct session *s)
{
	struct selected *sel = s->sel;
	const struct mailbox *mb = sel->mb;
	sel->told_exists = sel->n;
	sel->told_recent = selected_count_recent(sel);
	respond(s, "%u EXISTS", sel->n);
	respond(s, "%u RECENT", sel->told_recent);
	selected_put_flags(s, true);
	for (uint32_t i = 0; i < sel->n; i++)
		if (!sel->msgs[i].seen) {
			respond(s, "OK [UNSEEN %u] Ok", i + 1);
			break;
		}
	respond(s, "OK [UIDVALIDITY %u] Ok", sel->uidvalidity);
	respond(s, "OK [UIDNEXT %u] Ok", sel->last_uid + 1);
	respond(s, "OK [HIGHESTMODSEQ %llu] Ok", (unsigned long long)sel->highestmodseq);
	if (s->level == LEVEL_36 && mb->entry.uniqueid) respond(s, "OK [MAILBOXID (%s)] Ok", mb->entry.uniqueid);
	respond(s, "OK [URLMECH INTERNAL] Ok");
	respond(s, "OK [ANNOTATIONS 65536] Ok");
}

enum { QUOTA_WARN_PAUSE = 600 };        /* s */

/* Who can make room hears when it gets scarce, now and then: spec/imap.md 6.6. */
static void warn_quota(struct session *s)
{
	const struct selected *sel = s->sel;
	struct quota q;
	int64_t now = clock_mono();
	bool warned = false;
	if (s->quota_warned && now - s->quota_warned < QUOTA_WARN_PAUSE * NSEC_PER_SEC) return;
	long percent = conf_int(s->conf, OPT_QUOTAWARN);
	if (sel->examine || !(sel->rights & ACL_EXPUNGE) || !sel->mb->hdr.quotaroot || quota_read(s->st, sel->mb->hdr.quotaroot, &q))
		return;
	for (int i = 0; i < QUOTA_RESOURCES; i++) {
		if (q.limit[i] < 0 || !q.used[i]) continue;
		uint64_t limit = (uint64_t)q.limit[i] * quota_resources[i].unit;
		long at = limit ? (long)(q.used[i] * 100.0 / (double)limit) : 100;
		int64_t left = (int64_t)(limit - q.used[i]);
		long room = i == QUOTA_STORAGE ? conf_int(s->conf, OPT_QUOTAWARNKB) * 1024 : i == QUOTA_MESSAGE
			? conf_int(s->conf, OPT_QUOTAWARNMSG) : 0;
		bool over = q.used[i] > limit;
		if (!over && (at < percent || (room && left >= room))) continue;
		if (over) respond(s, "NO [ALERT] Mailbox is over %s quota", quota_resources[i].name);
		else respond(s, "NO [ALERT] Mailbox is at %ld%% of %s quota", at, quota_resources[i].name);
		warned = true;
	}
	if (warned) s->quota_warned = now;
	quota_free(&q);
}

static void select_mailbox(struct session *s, bool examine)
{
	struct mboxarg m = { 0 };
	char *name;
	bool condstore = false;
	if (!args_astring(&s->args, &name)) {
		respond_missing(s);
		return;
	}
	if (!modifiers(s, &condstore)) return;
	if (s->sel) {
		selected_close(&s->sel);
		respond(s, "OK [CLOSED] Ok");
	}
	int r = mboxarg_find(s, name, &m);
	if (!r && m.entry.type != 'e') r = ERR_MBTYPE;
	if (!r && !(m.rights & ACL_READ)) r = m.rights & ACL_LOOKUP ? ERR_PERM : ERR_NOMAILBOX;
	if (!r) r = selected_open(s, m.name, examine, &s->sel);
	mboxarg_free(&m);
	if (r) {
		respond_err(s, r);
		return;
	}
	if (condstore) s->condstore = true;
	warn_quota(s);
	put_state(s);
	log_msg(LOG_DEBUG, "open: user %s opened %s", s->user.userid, selected_name(s->sel));
	respond_ok(s, "[%s] Completed", s->sel->readonly ? "READ-ONLY" : "READ-WRITE");
}

void cmd_select(struct session *s) { select_mailbox(s, false); }
void cmd_examine(struct session *s) { select_mailbox(s, true); }

void cmd_unselect(struct session *s)
{
	selected_close(&s->sel);
	respond_ok(s, "Completed");
}

/* ------------------------------------------------------------------------------------------------ EXPUNGE */

/* Expunges what carries \Deleted (and is in the set, for UID EXPUNGE). */
static int expunge(struct session *s, struct seqset *uids, uint32_t *count)
{
	struct selected *sel = s->sel;
	struct mailbox *mb = sel->mb;
	*count = 0;
	int r = mailbox_lock(mb, LOCK_EXCLUSIVE);
	if (r) return r;
	for (uint32_t recno = 1; recno <= mb->h.num_records && !r; recno++) {
		struct index_record rec;
		if (mailbox_record(mb, recno, &rec) || !rec.uid) continue;
		if (rec.system_flags & FLAG_EXPUNGED || !(rec.system_flags & FLAG_DELETED)) continue;
		if (uids && !seqset_has(uids, rec.uid)) continue;
		rec.system_flags |= FLAG_EXPUNGED;
		r = mailbox_rewrite(mb, &rec, false);
		++*count;
	}
	if (r) mailbox_abort(mb);
	int r2 = mailbox_unlock(mb);
	if (!r) r = r2;
	if (!r && *count) log_msg(LOG_NOTICE, "Expunged %u messages from %s", *count, mb->entry.name);
	return r;
}

void cmd_expunge(struct session *s)
{
	struct seqset set = SEQSET_INIT;
	uint32_t count;
	if (s->uid) {
		if (!selected_parse_set(s, &set)) return;
		if (!args_end(&s->args)) {
			respond_extra(s);
			seqset_free(&set);
			return;
		}
	}
	if (s->sel->examine || !(s->sel->rights & ACL_EXPUNGE)) {
		respond_err(s, ERR_PERM);
		seqset_free(&set);
		return;
	}
	int r = expunge(s, s->uid ? &set : NULL, &count);
	seqset_free(&set);
	selected_update(s, true);
	if (r) respond_err(s, r);
	else if (count) respond_ok(s, "[HIGHESTMODSEQ %llu] Completed", (unsigned long long)s->sel->highestmodseq);
	else respond_ok(s, "Completed");
}

void cmd_close(struct session *s)
{
	uint32_t count;
	if (!s->sel->examine && s->sel->rights & ACL_EXPUNGE) expunge(s, NULL, &count);
	selected_close(&s->sel);
	respond_ok(s, "Completed");
}
