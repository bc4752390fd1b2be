/* cmd_search.c - SEARCH and UID SEARCH over the view of the selected mailbox. The keys are parsed by search_parse.c and evaluated
 * by store/search.c; here messages are brought to them: index fields at once, the cache record when some key reads text, the file
 * last. */
#include "base/log.h"
#include "imapd/commands.h"
#include "imapd/respond.h"
#include "imapd/search_parse.h"
#include "imapd/selected.h"
#include "sys/clock.h"

#include <string.h>

struct search {
	struct session *s;
	struct searchkey *root;
	time_t now;
	bool reads_text;
	struct msgfile file;                 /* of the message at hand */
	bool has_file;
	const struct index_record *rec;
};

/* The depth of the tree is bounded by searchkey_add(). */
static bool reads_text(const struct searchkey *k)
{
	if (k->op >= SEARCH_SUBJECT) return true;
	for (k = k->first; k; k = k->next)
		if (reads_text(k)) return true;
	return false;
}

/* Does the answer carry MODSEQ? 2.5 does not count what is under a NOT. */
static bool asks_modseq(const struct searchkey *k, bool under_not)
{
	if (k->op == SEARCH_MODSEQ) return true;
	if (k->op == SEARCH_NOT && !under_not) return false;
	for (k = k->first; k; k = k->next)
		if (asks_modseq(k, under_not)) return true;
	return false;
}

/* 3.6 says it even when nothing was found. A client that asks for it uses CONDSTORE (RFC 7162 3.1). */
static void put_modseq(struct session *s, const struct searchkey *root, uint32_t found, uint64_t highest)
{
	bool level36 = s->level == LEVEL_36;
	if (searchkey_has_modseq(root)) s->condstore = true;
	if ((found || level36) && asks_modseq(root, level36))
		putfmt(s, " (MODSEQ %llu)", (unsigned long long)(highest ? highest : 1));
}

static bool map_message(void *arg, const char **p, size_t *n)
{
	struct search *q = arg;
	if (!q->has_file) q->has_file = !msgfile_open(q->s->sel->mb, q->rec, &q->file);
	if (!q->has_file) return false;
	*p = q->file.base;
	*n = q->file.len;
	return true;
}

static bool matches(struct search *q, uint32_t seqno, const struct message *m)
{
	struct cacherec cache;
	const char *p;
	size_t n;
	const struct index_record *r = &m->rec;
	struct search_message sm = {
		.msgno = seqno, .uid = r->uid, .system_flags = r->system_flags, .user_flags = r->user_flags,
		.seen = m->seen, .recent = m->recent, .internaldate = (time_t)r->internaldate, .sentdate = (time_t)r->sentdate,
		.size = r->size, .modseq = r->modseq,
		.cache_number = r->cache_version, .map = map_message, .arg = q,
	};
	if (q->reads_text && !mailbox_cache(q->s->sel->mb, r, &p, &n) && !cacherec_parse(p, n, &cache)) sm.cache = &cache;
	q->rec = r;
	q->has_file = false;
	bool yes = searchkey_match(q->root, &sm, q->now);
	if (q->has_file) msgfile_close(&q->file);
	return yes;
}

static void run(struct session *s, struct searchkey *root)
{
	int64_t start = clock_mono();
	struct search q = { .s = s, .root = root, .now = clock_now(), .reads_text = reads_text(root) };
	uint64_t modseq = 0;
	uint32_t found = 0;
	put(s, "* SEARCH");
	for (uint32_t i = 0; i < s->sel->n; i++) {
		const struct message *m = &s->sel->msgs[i];
		if (m->gone || !matches(&q, i + 1, m)) continue;
		found++;
		if (m->rec.modseq > modseq) modseq = m->rec.modseq;
		putfmt(s, " %u", s->uid ? m->rec.uid : i + 1);
	}
	put_modseq(s, root, found, modseq);
	put(s, "\r\n");
	selected_update(s, s->uid);
	respond_ok(s, "Completed (%u msgs in %.3f secs)", found, (double)(clock_mono() - start) / NSEC_PER_SEC);
}

static unsigned canon_flags(const struct conf *c)
{
	unsigned flags = conf_bool(c, OPT_SEARCH_SKIPDIACRIT) ? CANON_SKIPDIACRIT : 0;
	const char *space = conf_word(c, OPT_SEARCH_WHITESPACE);
	if (!strcmp(space, "merge")) flags |= CANON_MERGESPACE;
	if (!strcmp(space, "skip")) flags |= CANON_SKIPSPACE;
	return flags;
}

void cmd_search(struct session *s)
{
	const struct selected *sel = s->sel;
	struct searchkey *root;
	bool charset;
	struct search_context c = {
		.name = s->name, .dialect = s->level == LEVEL_36 ? DIALECT_36 : DIALECT_25, .canon = canon_flags(s->conf),
		.flagname = (const char *const *)sel->mb->hdr.flagname, .last_msgno = sel->n,
		.last_uid = sel->n ? sel->msgs[sel->n - 1].rec.uid : sel->last_uid,
	};
	if (args_end(&s->args)) {
		respond_missing(s);
		return;
	}
	const char *bad = search_parse(&s->args, &c, &root, &charset);
	if (!bad) run(s, root);
	else if (charset && s->level != LEVEL_36) respond_no(s, "%s", bad);
	else respond_bad(s, "%s", bad);
}
