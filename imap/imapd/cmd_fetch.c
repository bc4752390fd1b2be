/* cmd_fetch.c - FETCH and UID FETCH: items in the order of spec/imap.md 7.2, whatever order they were asked for in. No lock is
 * held while anything is sent: \Seen is set for all messages at once, before the first of them is. */
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "imapd/commands.h"
#include "imapd/fetch.h"
#include "imapd/respond.h"
#include "imapd/selected.h"
#include "sys/clock.h"
#include "text/date.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------------ \Seen */

struct marking {
	const struct fetch_request *q;
	struct { struct message *m; struct index_record rec; } *v;      /* written; the view is told when the commit succeeded */
	size_t n, alloc;
	struct seqset uids;
};

static bool is_wanted(const struct message *m, const struct fetch_request *q)
{
	return !m->gone && (!q->limited || m->rec.modseq > q->changedsince);
}

static int find_unseen(struct session *s, uint32_t seqno, struct message *m, void *arg)
{
	(void)s, (void)seqno;
	return !m->seen && is_wanted(m, arg) ? ERR_AGAIN : 0;
}

static int mark_one(struct session *s, uint32_t seqno, struct message *m, void *arg)
{
	struct marking *k = arg;
	struct selected *sel = s->sel;
	struct index_record r;
	(void)seqno;
	if (m->seen || !is_wanted(m, k->q) || mailbox_find(sel->mb, m->rec.uid, &r) || r.system_flags & FLAG_EXPUNGED) return 0;
	if (!sel->internal_seen || !(r.system_flags & FLAG_SEEN)) {
		if (sel->internal_seen) r.system_flags |= FLAG_SEEN;
		else seqset_add(&k->uids, r.uid, r.uid);
		int e = mailbox_rewrite(sel->mb, &r, false);
		if (e) return e;
	}
	MEM_GROW(k->v, k->alloc, k->n + 1);
	k->v[k->n].m = m;
	k->v[k->n++].rec = r;
	return 0;
}

static int mark_all(struct session *s, struct seqset *set, struct marking *k)
{
	struct mailbox *mb = s->sel->mb;
	int r = mailbox_lock(mb, LOCK_EXCLUSIVE);
	if (r) return r;
	r = selected_each(s, set, s->uid, mark_one, k, NULL);
	if (r) mailbox_abort(mb);
	int r2 = mailbox_unlock(mb);
	if (!r) r = r2;
	return r ? r : selected_store_seen(s, &k->uids, true);
}

/* A failure is logged and the messages are sent all the same: reading matters more than the mark. */
static void set_seen(struct session *s, struct seqset *set, struct fetch_request *q)
{
	struct marking k = { .q = q, .uids = SEQSET_INIT };
	if (s->sel->examine || !(s->sel->rights & ACL_SEEN)) return;
	if (!selected_each(s, set, s->uid, find_unseen, q, NULL)) return;
	int r = mark_all(s, set, &k);
	if (r) log_msg(LOG_ERR, "mailbox %s: cannot set \\Seen: %s", selected_name(s->sel), err_text(r));
	for (size_t i = 0; i < k.n && !r; i++) {
		k.v[i].m->rec = k.v[i].rec;
		k.v[i].m->seen = k.v[i].m->tell_flags = true;
	}
	free(k.v);
	seqset_free(&k.uids);
}

/* ------------------------------------------------------------------------------------------------ one message */

struct output {
	struct session *s;
	struct fetch_request *q;
	const char *sep;                   /* what comes before the next item */
	uint32_t sent;
};

static void next_item(struct output *o, const char *name)
{
	put(o->s, o->sep);
	put(o->s, name);
	o->sep = " ";
}

static void put_cached(struct output *o, struct fetch_message *f, const char *name, enum cache_item item)
{
	next_item(o, name);
	if (f->has_cache && f->cache.item[item].n) putn(o->s, f->cache.item[item].s, f->cache.item[item].n);
	else put(o->s, "NIL");
}

static void put_section(struct output *o, struct fetch_message *f, const struct fetch_section *sec)
{
	const char *p;
	size_t n;
	next_item(o, sec->label);
	put(o->s, " ");
	if (!fetch_section_bytes(f, sec, &p, &n)) {
		put(o->s, "NIL");
	} else if (!n) {
		put(o->s, "\"\"");
	} else {
		putfmt(o->s, "{%zu}\r\n", n);
		putn(o->s, p, n);
	}
}

static void put_sections(struct output *o, struct fetch_message *f, const struct fetch_section *sec)
{
	for (; sec; sec = sec->next) put_section(o, f, sec);
}

/* Items that the index record answers. Flags that changed since the client was last told go out with whatever it asked for. */
static void put_record(struct output *o, struct message *m)
{
	unsigned items = o->q->items;
	struct session *s = o->s;
	char date[DATE_IMAP_SIZE];
	bool told = m->tell_flags;
	if (items & FETCH_FLAGS || told) {
		next_item(o, "");
		message_put_flags(s, m);
		m->tell_flags = false;
	}
	if (items & FETCH_UID) {
		next_item(o, "UID ");
		putfmt(s, "%u", m->rec.uid);
	}
	if (items & FETCH_INTERNALDATE) {
		next_item(o, "INTERNALDATE ");
		date_print_imap((time_t)m->rec.internaldate, date);
		putfmt(s, "\"%s\"", date);
	}
	if (items & FETCH_MODSEQ || (told && s->condstore)) {
		next_item(o, "MODSEQ ");
		putfmt(s, "(%llu)", (unsigned long long)m->rec.modseq);
	}
	if (items & FETCH_SIZE) {
		next_item(o, "RFC822.SIZE ");
		putfmt(s, "%llu", (unsigned long long)m->rec.size);
	}
}

static void put_message(struct output *o, struct fetch_message *f)
{
	static const struct fetch_section header = { .label = "RFC822.HEADER", .what = SECTION_HEADER };
	static const struct fetch_section text = { .label = "RFC822.TEXT", .what = SECTION_TEXT };
	static const struct fetch_section all = { .label = "RFC822", .whole = true };
	unsigned items = o->q->items;
	if (items & FETCH_ENVELOPE) put_cached(o, f, "ENVELOPE ", CACHE_ENVELOPE);
	if (items & FETCH_BODYSTRUCTURE) put_cached(o, f, "BODYSTRUCTURE ", CACHE_BODYSTRUCTURE);
	if (items & FETCH_BODY) put_cached(o, f, "BODY ", CACHE_BODY);
	if (items & FETCH_HEADER) put_section(o, f, &header);
	put_sections(o, f, o->q->lines.first);
	if (items & FETCH_TEXT) put_section(o, f, &text);
	if (items & FETCH_RFC822) put_section(o, f, &all);
	put_sections(o, f, o->q->fields.first);
	put_sections(o, f, o->q->sections.first);
}

static int fetch_one(struct session *s, uint32_t seqno, struct message *m, void *arg)
{
	struct output *o = arg;
	if (m->gone) {
		respond(s, "NO Message %u no longer exists", seqno);
		return 0;
	}
	o->sent++;
	if (!is_wanted(m, o->q)) return 0;
	struct fetch_message f;
	o->sep = "";
	putfmt(s, "* %u FETCH (", seqno);
	fetch_message_open(&f, s->sel->mb, &m->rec, o->q);
	put_record(o, m);
	put_message(o, &f);
	fetch_message_close(&f);
	put(s, ")\r\n");
	return prot_error(s->p) ? ERR_EOF : 0;
}

/* ------------------------------------------------------------------------------------------------ the command */

static void enable_condstore(struct session *s, const struct fetch_request *q)
{
	if (s->condstore || !(q->items & FETCH_MODSEQ)) return;
	s->condstore = true;
	respond(s, "OK [HIGHESTMODSEQ %llu] %s", (unsigned long long)s->sel->highestmodseq,
		s->level != LEVEL_36 ? " " : q->limited ? "CONDSTORE enabled by CHANGEDSINCE" : "CONDSTORE enabled by MODSEQ fetch");
}

static double seconds_since(int64_t start) { return (double)(clock_mono() - start) / NSEC_PER_SEC; }

static void run(struct session *s, struct seqset *set, struct fetch_request *q)
{
	int64_t start = clock_mono();
	struct output o = { .s = s, .q = q };
	if (s->uid) q->items |= FETCH_UID;
	enable_condstore(s, q);
	if (q->items & FETCH_SEEN) set_seen(s, set, q);
	selected_each(s, set, s->uid, fetch_one, &o, NULL);
	selected_update(s, s->uid);
	if (o.sent || s->uid) respond_ok(s, "Completed (%.3f sec)", seconds_since(start));
	else respond_no(s, "%s (%.3f sec)", err_text(ERR_NOMATCH), seconds_since(start));
}

void cmd_fetch(struct session *s)
{
	struct seqset set = SEQSET_INIT;
	struct fetch_request q;
	const char *bad;
	if (!selected_parse_set(s, &set)) {
		seqset_free(&set);
		return;
	}
	if (!args_space(&s->args)) respond_missing(s);
	else if ((bad = fetch_parse(&s->args, s->name, &q))) respond_bad(s, "%s", bad);
	else run(s, &set, &q);
	seqset_free(&set);
}
