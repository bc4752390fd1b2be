/* delivery.c - see delivery.h. */
#include "lmtpd/delivery.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/audit.h"
#include "store/duplicate.h"
#include "store/mboxlist.h"
#include "text/date.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A header longer than this is staged before its end, so memory stays bounded; an internal date given in it then comes too
 * late. */
enum { HEADER_BUFFERED = 256 * 1024 };

void delivery_init(struct delivery *d, struct delivery_env *env, const struct filter_options *o, const char *head,
	const char *partition, time_t now, unsigned seq)
{
	*d = (struct delivery){ .env = env, .head = head, .partition = partition, .now = now, .date = now, .seq = seq };
	filter_init(&d->filter, o);
}

void delivery_free(struct delivery *d)
{
	stage_free(d->stage);
	filter_free(&d->filter);
	*d = (struct delivery){ 0 };
}

/* X-DeliveredInternalDate, where it parses, is the internal date; else now. */
static void find_date(struct delivery *d)
{
	struct maildate m;
	char *v = filter_value(&d->filter, FILTER_INTERNALDATE);
	if (v) date_parse_rfc5322(d->env->level == LEVEL_25 ? DIALECT_25 : DIALECT_36, v, strlen(v), &m);
	if (v && m.has_time && m.time > 0 && m.time <= UINT32_MAX) d->date = (time_t)m.time;
	free(v);
}

static void write_out(struct delivery *d)
{
	struct buf *out = &d->filter.out;
	if (!d->error && !d->stage) {
		find_date(d);
		d->error = stage_new(d->env->st, d->partition, d->date, d->seq, &d->stage);
		if (!d->error) d->error = stage_write(d->stage, d->head, strlen(d->head));
	}
	if (!d->error && out->len) d->error = stage_write(d->stage, out->s, out->len);
	buf_reset(out);
}

size_t delivery_feed(struct delivery *d, const char *p, size_t n)
{
	n = filter_feed(&d->filter, p, n);
	if (d->filter.bad_header || d->filter.nul) buf_reset(&d->filter.out);       /* will be refused: only the end is looked for */
	else if (!d->filter.in_header || d->filter.out.len > HEADER_BUFFERED) write_out(d);
	return n;
}

int delivery_finish(struct delivery *d)
{
	int r = filter_verdict(&d->filter);
	if (r) return r;
	write_out(d);
	if (!d->error) d->error = stage_finish(d->stage);
	return d->error;
}

/* ------------------------------------------------------------------------------------------------ one mailbox */

struct message { char *id, *date; };

static bool is_repeat(struct delivery *d, struct mailbox *mb, const struct message *m)
{
	const char *unique = mb->entry.uniqueid ? mb->entry.uniqueid : mb->hdr.uniqueid;
	if (!m->id || mb->h.options & MBOXOPT_DUPDELIVER) return false;
	if (!duplicate_check(d->env->duplicates, &(struct duplicate_key){ m->id, unique, m->date }, NULL)) return false;
	log_msg(LOG_INFO, "dupelim: eliminated duplicate message to %s id %s date %s (delivery)", unique, m->id,
		m->date ? m->date : "");
	if (audit_on(d->env->st)) {
		log_msg(LOG_NOTICE, "auditlog: duplicate sessionid=<%s> action=<delivery> message-id=%s user=<%s> date=<%s>",
			d->env->session_id, m->id, unique, m->date ? m->date : "");
	}
	return true;
}

/* The mark is made after the commit: a crash in between gives a second copy, never none. */
static int into(struct delivery *d, const char *name, bool checkquota, const struct message *m)
{
	struct append a;
	size_t len;
	uint32_t uid;
	stage_data(d->stage, &len);
	int r = append_begin(d->env->st, name, NULL, 0,
		checkquota && conf_bool(d->env->conf, OPT_LMTP_STRICT_QUOTA) ? (int64_t)len : -1, 1, &a);
	if (r) return r;
	if (is_repeat(d, a.mb, m)) {
		append_abort(&a);
		return 0;
	}
	char *unique = mem_strdup(a.mb->entry.uniqueid ? a.mb->entry.uniqueid : a.mb->hdr.uniqueid);
	r = append_message(&a, d->stage, d->date, NULL, &uid);
	if (r) append_abort(&a);
	else r = append_commit(&a);
	if (!r) {
		if (m->id) duplicate_mark(d->env->duplicates, &(struct duplicate_key){ m->id, unique, m->date }, d->now, uid);
		log_msg(LOG_INFO, "Delivered: %s to mailbox: %s", m->id ? m->id : "", name);
	}
	free(unique);
	return r;
}

/* The folder that "+detail" names: it must exist and let the poster in. Any failure leaves the mail to the INBOX. */
static int into_folder(struct delivery *d, const struct recipient *r, const char *name, const struct message *m)
{
	struct mbentry e;
	int err = mboxlist_lookup(d->env->st, name, &e);
	if (err) return err;
	if (!recipient_may_post(d->env, &e)) err = ERR_PERM;
	if (!err && !r->ignorequota) err = recipient_quota(d->env, &e, d->filter.size);
	mbentry_free(&e);
	return err ? err : into(d, name, !r->ignorequota, m);
}

static int into_detail(struct delivery *d, const struct recipient *r, const struct message *m)
{
	int err = into_folder(d, r, r->folder, m);
	if (err && conf_bool(d->env->conf, OPT_LMTP_FUZZY_MAILBOX_MATCH)) {
		char *near = recipient_fuzzy(d->env, r->folder);
		if (near) err = into_folder(d, r, near, m);
		free(near);
	}
	return err;
}

/* The quota once more: the mailbox may have filled up since RCPT. */
static int still_room(struct delivery *d, const struct recipient *r)
{
	struct mbentry e;
	if (r->ignorequota) return 0;
	int err = mboxlist_lookup(d->env->st, r->mailbox, &e);
	if (err) return err;
	err = recipient_quota(d->env, &e, d->filter.size);
	mbentry_free(&e);
	return err;
}

/* Scripts are not run by this release: say so instead of filing mail silently in the wrong place. */
static void note_script(struct delivery *d, const struct recipient *r)
{
	struct mbentry e;
	struct buf path = BUF_INIT;
	if (!r->userid || conf_bool(d->env->conf, OPT_SIEVEUSEHOMEDIR) || mboxlist_lookup(d->env->st, r->mailbox, &e)) return;
	if (recipient_sieve_dir(d->env, &e, &path)) {
		buf_puts(&path, "/defaultbc");
		if (access(buf_cstr(&path), F_OK) == 0)
			log_msg(LOG_NOTICE, "sieve script of %s not run (not supported yet), message kept", r->userid);
	}
	buf_free(&path);
	mbentry_free(&e);
}

int delivery_to(struct delivery *d, const struct recipient *r)
{
	struct message m = { filter_value(&d->filter, FILTER_RESENT_MESSAGE_ID), filter_value(&d->filter, FILTER_DATE) };
	if (!m.id) m.id = filter_value(&d->filter, FILTER_MESSAGE_ID);
	note_script(d, r);
	int err = r->folder ? into_detail(d, r, &m) : ERR_NOTFOUND;
	if (err) {
		err = still_room(d, r);
		if (!err) err = into(d, r->mailbox, !r->ignorequota, &m);
	}
	free(m.id);
	free(m.date);
	return err;
}
