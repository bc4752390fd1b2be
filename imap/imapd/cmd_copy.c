/* cmd_copy.c - COPY and UID COPY (RFC 3501 6.4.7, RFC 4315). All or nothing. */
#include "base/err.h"
#include "imapd/commands.h"
#include "imapd/mboxarg.h"
#include "imapd/respond.h"
#include "imapd/selected.h"
#include "store/append.h"

struct copying {
	struct append a;
	struct seqset from;
	uint64_t bytes;
};

static int measure(struct session *s, uint32_t seqno, struct message *m, void *arg)
{
	struct copying *c = arg;
	(void)s, (void)seqno;
	if (!m->gone) c->bytes += m->rec.size;
	return 0;
}

static int copy_one(struct session *s, uint32_t seqno, struct message *m, void *arg)
{
	struct copying *c = arg;
	(void)seqno;
	if (m->gone) return 0;
	int r = append_copy(&c->a, s->sel->mb, &m->rec, m->seen, NULL);
	if (!r) seqset_add(&c->from, m->rec.uid, m->rec.uid);
	return r;
}

static int copy(struct session *s, struct seqset *set, const struct mboxarg *m, struct copying *c, uint32_t count,
	uint32_t *validity)
{
	int r = append_begin(s->st, m->name, s->user.userid, m->rights, s->check_quota ? (int64_t)c->bytes : -1, count, &c->a);
	if (r) return r;
	r = selected_each(s, set, s->uid, copy_one, c, NULL);
	*validity = c->a.mb->h.uidvalidity;
	if (!r) return append_commit(&c->a);
	append_abort(&c->a);
	return r;
}

static void answer(struct session *s, const struct mboxarg *m, struct copying *c, uint32_t validity)
{
	struct buf b = BUF_INIT;
	struct seqset to = SEQSET_INIT;
	if (m->rights & ACL_READ && c->a.count) {
		buf_printf(&b, "%u ", validity);
		seqset_print(&c->from, &b);
		buf_putc(&b, ' ');
		seqset_add(&to, c->a.first_uid, c->a.first_uid + c->a.count - 1);
		seqset_print(&to, &b);
		respond_ok(s, "[COPYUID %s] Completed", buf_cstr(&b));
	} else {
		respond_ok(s, "Completed");
	}
	seqset_free(&to);
	buf_free(&b);
}

void cmd_copy(struct session *s)
{
	struct seqset set = SEQSET_INIT;
	struct mboxarg m = { 0 };
	struct copying c = { .from = SEQSET_INIT };
	uint32_t count = 0, validity = 0;
	char *name;
	if (!selected_parse_set(s, &set)) return;
	if (!args_space(&s->args) || !args_astring(&s->args, &name)) {
		respond_missing(s);
		seqset_free(&set);
		return;
	}
	if (!args_end(&s->args)) {
		respond_extra(s);
		seqset_free(&set);
		return;
	}
	int r = mboxarg_find(s, name, &m);
	if (!r && !(m.rights & ACL_INSERT)) r = ERR_PERM;
	if (!r) selected_each(s, &set, s->uid, measure, &c, &count);
	if (!r && !count) r = s->uid ? 0 : ERR_NOMATCH;
	else if (!r) r = copy(s, &set, &m, &c, count, &validity);
	selected_update(s, s->uid);
	bool may = r == ERR_NOMAILBOX && !m.found && m.name && mbname_owned_by(&m.parts, s->user.userid, &s->st->ns);
	if (may) respond_no(s, "[TRYCREATE] %s", err_text(r));
	else if (r) respond_no(s, "%s", err_text(r));
	else answer(s, &m, &c, validity);
	seqset_free(&set);
	seqset_free(&c.from);
	mboxarg_free(&m);
}
