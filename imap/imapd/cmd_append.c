/* cmd_append.c - APPEND: one message, streamed from the client into a stage file (RFC 3501 6.3.11, spec/imap.md 7.4). */
#include "base/err.h"
#include "imapd/commands.h"
#include "imapd/mboxarg.h"
#include "imapd/respond.h"
#include "imapd/selected.h"
#include "store/append.h"
#include "store/mboxlist.h"
#include "store/msgcheck.h"
#include "text/date.h"

#include <string.h>
#include <strings.h>
#include <stdlib.h>

struct request {
	char *mailbox;
	struct strarray flags;
	time_t date;
};

static const char *const known_flags[] = { "\\Seen", "\\Answered", "\\Flagged", "\\Draft", "\\Deleted", NULL };

static bool flag_ok(const char *name)
{
	if (*name != '\\') return mboxheader_flag_ok(name);
	for (const char *const *k = known_flags; *k; k++)
		if (!strcasecmp(*k, name)) return true;
	return false;
}

/* mailbox [(flags)] ["date"] - up to the literal. NULL, or what to say with BAD. */
static const char *parse(struct session *s, struct request *q)
{
	static const char missing[] = "Missing required argument to Append command";
	struct args *a = &s->args;
	if (!args_astring(a, &q->mailbox)) return "Missing required argument to Append";
	if (!args_space(a)) return missing;
	if (args_char(a, '(')) {
		while (!args_char(a, ')')) {
			char *flag;
			if (q->flags.n && !args_space(a)) return "Invalid flag in Append command";
			if (!args_flag(a, &flag) || !flag_ok(flag)) return "Invalid flag in Append command";
			strarray_append(&q->flags, flag);
		}
		if (!args_space(a)) return missing;
	}
	if (args_peek(a) == '"') {
		char *date;
		if (!args_string(a, &date) || date_parse_imap(date, strlen(date), &q->date)) return "Invalid date-time in Append command";
		if (!args_space(a)) return missing;
	}
	return args_end(a) && s->literal->size != UINT64_MAX && !s->literal->binary ? NULL : missing;      /* ~{n} is BINARY's */
}

/* The bytes of a refused message that are on their way all the same. */
static void drain(struct session *s)
{
	struct buf rest = BUF_INIT;
	struct literal l = *s->literal;
	while (l.size != UINT64_MAX && l.nosync) {
		if (!literal_discard(s->p, &l) || !command_more(s, &rest, &l)) break;
		buf_reset(&rest);
	}
	buf_free(&rest);
}

/* From the stream through the checks into the stage. The whole upload is read, whatever is wrong with it. */
static int receive(struct session *s, struct stage *stage)
{
	struct msgcheck check;
	struct buf clean = BUF_INIT;
	int r = 0;
	struct msgcheck_options o = { .reject8bit = conf_bool(s->conf, OPT_REJECT8BIT),
		.munge8bit = conf_bool(s->conf, OPT_MUNGE8BIT) };
	msgcheck_init(&check, &o);
	literal_go_ahead(s->p, s->literal);
	for (uint64_t left = s->literal->size; left;) {
		const char *p;
		size_t n = prot_peek(s->p, &p);
		if (!n) {
			s->over = true;
			buf_free(&clean);
			return ERR_EOF;
		}
		if (n > left) n = (size_t)left;
		buf_set(&clean, p, n);
		msgcheck_feed(&check, clean.s, n);
		if (!r) r = stage_write(stage, clean.s, clean.len);
		prot_skip(s->p, n);
		left -= n;
	}
	buf_free(&clean);
	int verdict = msgcheck_end(&check);
	return verdict ? verdict : r ? r : stage_finish(stage);
}

/* [TRYCREATE] only where he could create it. */
static void no_mailbox(struct session *s, const struct mboxarg *m, int err)
{
	bool may = err == ERR_NOMAILBOX && !m->found && m->name && mbname_owned_by(&m->parts, s->user.userid, &s->st->ns);
	if (may) respond_no(s, "[TRYCREATE] %s", err_text(err));
	else respond_err(s, err);
}

static int64_t size_limit(const struct session *s)
{
	int64_t n = conf_bytes(s->conf, OPT_MAXMESSAGESIZE);
	return n > 0 && n < UINT32_MAX ? n : UINT32_MAX;
}

static int store(struct session *s, const struct mboxarg *m, struct stage *stage, const struct request *q, uint32_t *uid,
	uint32_t *validity)
{
	struct append a;
	size_t len;
	stage_data(stage, &len);
	int r = append_begin(s->st, m->name, s->user.userid, m->rights, s->check_quota ? (int64_t)len : -1, 1, &a);
	if (r) return r;
	r = append_message(&a, stage, q->date, &q->flags, uid);
	*validity = a.mb->h.uidvalidity;
	if (!r) return append_commit(&a);
	append_abort(&a);
	return r;
}

/* Anything after the message but the end of the line would be a second one: MULTIAPPEND is not offered. */
static bool end_of_line(struct session *s)
{
	struct buf rest = BUF_INIT;
	struct literal l;
	bool ok = command_more(s, &rest, &l) && !rest.len && l.size == UINT64_MAX;
	while (!s->over && l.size != UINT64_MAX && l.nosync && literal_discard(s->p, &l) && command_more(s, &rest, &l))
		buf_reset(&rest);
	buf_free(&rest);
	return ok;
}

static void append(struct session *s, struct request *q)
{
	struct mboxarg m = { 0 };
	struct stage *stage = NULL;
	uint32_t uid = 0, validity = 0;
	int r = mboxarg_find(s, q->mailbox, &m);
	if (!r && !(m.rights & ACL_INSERT)) r = ERR_PERM;
	if (r) {
		drain(s);
		no_mailbox(s, &m, r);
		mboxarg_free(&m);
		return;
	}
	if (s->literal->size > (uint64_t)size_limit(s)) {
		drain(s);
		respond_no(s, "[TOOBIG] %s", err_text(ERR_TOOBIG));
		mboxarg_free(&m);
		return;
	}
	if (!s->literal->size) {
		literal_go_ahead(s->p, s->literal);
		r = ERR_EMPTYMESSAGE;
	} else {
		r = stage_new(s->st, m.entry.partition, q->date, 0, &stage);
		if (r) drain(s);
		else r = receive(s, stage);
	}
	bool clean = s->over || (r && !stage && s->literal->size) || end_of_line(s);
	if (!clean && !r) r = ERR_SYNTAX;
	if (!r) r = store(s, &m, stage, q, &uid, &validity);
	stage_free(stage);
	if (s->over) {
		mboxarg_free(&m);
		return;
	}
	if (s->sel) selected_update(s, true);
	if (r == ERR_SYNTAX) respond_bad(s, "Unexpected extra arguments to Append");
	else if (r) respond_err(s, r);
	else if (m.rights & ACL_READ) respond_ok(s, "[APPENDUID %u %u] Completed", validity, uid);
	else respond_ok(s, "Completed");
	mboxarg_free(&m);
}

void cmd_append(struct session *s)
{
	struct request q = { .flags = STRARRAY_INIT };
	const char *bad = parse(s, &q);
	if (s->readonly) {
		drain(s);
		respond_readonly(s);
	} else if (bad) {
		drain(s);
		respond_bad(s, "%s", bad);
	} else {
		append(s, &q);
	}
	strarray_free(&q.flags);
}
