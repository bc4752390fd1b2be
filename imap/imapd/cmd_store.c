/* cmd_store.c - STORE and UID STORE, with UNCHANGEDSINCE (RFC 3501 6.4.6, RFC 7162 3.1.3, spec/imap.md 4). */
#include "base/err.h"
#include "imapd/commands.h"
#include "imapd/respond.h"
#include "imapd/selected.h"

#include <string.h>
#include <strings.h>

enum how { REPLACE, ADD, REMOVE };

struct request {
	enum how how;
	bool silent, limited;
	uint64_t unchangedsince;
	uint32_t system;                   /* FLAG_* without FLAG_SEEN */
	bool seen;
	struct strarray keywords;
	/* filled while storing */
	uint32_t keyword_bits[USER_FLAGS / 32];
	struct seqset modified, seen_uids, unseen_uids;
	bool by_uid;
};

static const struct { const char *name; uint32_t flag; } system_flags[] = {
	{ "\\Seen", FLAG_SEEN }, { "\\Answered", FLAG_ANSWERED }, { "\\Flagged", FLAG_FLAGGED }, { "\\Draft", FLAG_DRAFT },
	{ "\\Deleted", FLAG_DELETED },
};

static bool parse_flag(struct session *s, struct request *q)
{
	char *name;
	if (!args_flag(&s->args, &name)) {
		respond_missing(s);
		return false;
	}
	if (*name == '\\') {
		for (size_t i = 0; i < sizeof system_flags / sizeof *system_flags; i++)
			if (!strcasecmp(system_flags[i].name, name)) {
				if (system_flags[i].flag == FLAG_SEEN) q->seen = true;
				else q->system |= system_flags[i].flag;
				return true;
			}
		respond_bad(s, "Invalid system flag in %s command", s->name);
		return false;
	}
	if (!mboxheader_flag_ok(name)) {
		respond_bad(s, "Invalid flag name %s in %s command", name, s->name);
		return false;
	}
	strarray_append(&q->keywords, name);
	return true;
}

static bool parse_flags(struct session *s, struct request *q)
{
	struct args *a = &s->args;
	if (!args_space(a)) {
		respond_missing(s);
		return false;
	}
	if (args_char(a, '(')) {
		if (!args_char(a, ')')) {
			do {
				if (!parse_flag(s, q)) return false;
			} while (args_space(a));
			if (!args_char(a, ')')) {
				respond_bad(s, "Missing close parenthesis in %s", s->name);
				return false;
			}
		}
	} else {
		do {
			if (!parse_flag(s, q)) return false;
		} while (args_space(a));
	}
	if (args_end(a)) return true;
	respond_extra(s);
	return false;
}

/* "(UNCHANGEDSINCE n) " */
static bool parse_modifiers(struct session *s, struct request *q)
{
	struct args *a = &s->args;
	char *word;
	if (!args_char(a, '(')) return true;
	if (!args_atom(a, &word)) {
		respond_missing(s);
		return false;
	}
	if (strcasecmp(word, "UNCHANGEDSINCE")) {
		respond_bad(s, "Invalid %s modifier %s", s->name, word);
		return false;
	}
	if (!args_space(a) || !args_number(a, &q->unchangedsince)) {
		respond_missing(s);
		return false;
	}
	if (!args_char(a, ')') || !args_space(a)) {
		respond_bad(s, "Missing close parenthesis in %s", s->name);
		return false;
	}
	q->limited = true;
	return true;
}

static bool parse_item(struct session *s, struct request *q)
{
	char *word;
	if (args_char(&s->args, '+')) q->how = ADD;
	else if (args_char(&s->args, '-')) q->how = REMOVE;
	else q->how = REPLACE;
	if (!args_word(&s->args, &word)) {
		respond_missing(s);
		return false;
	}
	q->silent = !strcasecmp(word, "FLAGS.SILENT");
	if (q->silent || !strcasecmp(word, "FLAGS")) return true;
	respond_bad(s, "Invalid %s attribute", s->name);
	return false;
}

/* ------------------------------------------------------------------------------------------------ doing */

static uint32_t change(uint32_t old, uint32_t named, uint32_t allowed, enum how how)
{
	uint32_t wanted = how == REPLACE ? named : how == ADD ? old | named : old & ~named;
	return (old & ~allowed) | (wanted & allowed);
}

static void want_seen(struct session *s, const struct message *m, struct request *q, bool *is_seen)
{
	bool now = q->how == REPLACE ? q->seen : q->how == ADD ? m->seen || q->seen : m->seen && !q->seen;
	*is_seen = s->sel->rights & ACL_SEEN ? now : m->seen;
}

static int store_one(struct session *s, uint32_t seqno, struct message *m, void *arg)
{
	struct request *q = arg;
	struct selected *sel = s->sel;
	struct index_record r;
	if (m->gone || mailbox_find(sel->mb, m->rec.uid, &r) || r.system_flags & FLAG_EXPUNGED) return 0;
	if (q->limited && r.modseq > q->unchangedsince) {
		seqset_add(&q->modified, q->by_uid ? r.uid : seqno, q->by_uid ? r.uid : seqno);
		return 0;
	}
	uint32_t allowed = 0, old = r.system_flags, words[USER_FLAGS / 32];
	bool is_seen;
	if (sel->rights & ACL_WRITE) allowed |= FLAG_ANSWERED | FLAG_FLAGGED | FLAG_DRAFT;
	if (sel->rights & ACL_DELETEMSG) allowed |= FLAG_DELETED;
	memcpy(words, r.user_flags, sizeof words);
	r.system_flags = change(old, q->system, allowed, q->how);
	for (int w = 0; w < USER_FLAGS / 32 && sel->rights & ACL_WRITE; w++)
		r.user_flags[w] = change(words[w], q->keyword_bits[w], UINT32_MAX, q->how);
	want_seen(s, m, q, &is_seen);
	if (sel->internal_seen) r.system_flags = is_seen ? r.system_flags | FLAG_SEEN : r.system_flags & ~(uint32_t)FLAG_SEEN;
	bool seen_changed = is_seen != m->seen;
	if (seen_changed && !sel->internal_seen) seqset_add(is_seen ? &q->seen_uids : &q->unseen_uids, r.uid, r.uid);
	if (r.system_flags != old || memcmp(words, r.user_flags, sizeof words) || seen_changed) {
		int e = mailbox_rewrite(sel->mb, &r, false);
		if (e) return e;
		m->rec = r;
		m->seen = is_seen;
	}
	m->tell_flags = !q->silent || s->condstore || (s->level == LEVEL_36);
	return 0;
}

static int resolve_keywords(struct session *s, struct request *q)
{
	for (size_t i = 0; i < q->keywords.n; i++) {
		int n, r = mailbox_user_flag(s->sel->mb, q->keywords.v[i], q->how != REMOVE && s->sel->rights & ACL_WRITE, false, &n);
		if (r == ERR_NOTFOUND) continue;
		if (r) return r;
		q->keyword_bits[n / 32] |= 1u << (n % 32);
	}
	return 0;
}

static int store_all(struct session *s, struct request *q, struct seqset *set)
{
	struct selected *sel = s->sel;
	int r = mailbox_lock(sel->mb, LOCK_EXCLUSIVE);
	if (r) return r;
	r = resolve_keywords(s, q);
	if (!r) r = selected_each(s, set, s->uid, store_one, q, NULL);
	if (r) mailbox_abort(sel->mb);
	int r2 = mailbox_unlock(sel->mb);
	if (!r) r = r2;
	if (!r) r = selected_store_seen(s, &q->seen_uids, true);
	if (!r) r = selected_store_seen(s, &q->unseen_uids, false);
	return r;
}

static void enable_condstore(struct session *s)
{
	if (s->condstore) return;
	s->condstore = true;
	respond(s, "OK [HIGHESTMODSEQ %llu] %s", (unsigned long long)s->sel->highestmodseq,
		s->level == LEVEL_36 ? "CONDSTORE enabled by UNCHANGEDSINCE" : "");
}

static void finish(struct session *s, struct request *q, int r)
{
	struct buf b = BUF_INIT;
	selected_update(s, s->uid);
	if (r) {
		respond_err(s, r);
	} else if (q->modified.n) {
		seqset_print(&q->modified, &b);
		respond_ok(s, "[MODIFIED %s] Completed", buf_cstr(&b));
	} else {
		respond_ok(s, "Completed");
	}
	buf_free(&b);
}

void cmd_store(struct session *s)
{
	struct request q = { .modified = SEQSET_INIT, .seen_uids = SEQSET_INIT, .unseen_uids = SEQSET_INIT, .by_uid = s->uid };
	struct seqset set = SEQSET_INIT;
	bool ok = selected_parse_set(s, &set);
	if (ok && !args_space(&s->args)) {
		respond_missing(s);
		ok = false;
	}
	if (ok && parse_modifiers(s, &q) && parse_item(s, &q) && parse_flags(s, &q)) {
		if (s->sel->examine || !(s->sel->rights & (ACL_WRITE | ACL_SEEN | ACL_DELETEMSG))) {
			respond_err(s, ERR_PERM);
		} else {
			if (q.limited) enable_condstore(s);
			finish(s, &q, store_all(s, &q, &set));
		}
	}
	seqset_free(&set);
	seqset_free(&q.modified);
	seqset_free(&q.seen_uids);
	seqset_free(&q.unseen_uids);
	strarray_free(&q.keywords);
}
