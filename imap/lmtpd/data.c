/* data.c - DATA: the headers put in front, the message read to its end, one reply for each recipient (RFC 2033 4.2,
 * spec/services.md 1.2, 1.4). Nothing is said to the client before every append is done, and no lock is held while talking. */
#include "base/err.h"
#include "base/mem.h"
#include "lmtpd/delivery.h"
#include "lmtpd/session.h"
#include "lmtpd/status.h"
#include "proto/identity.h"
#include "sys/clock.h"
#include "text/date.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ------------------------------------------------------------------------------------------------ the headers in front */

static void put_return_path(struct session *s, struct buf *b)
{
	const char *text = s->sender.text ? s->sender.text : "";
	bool complete = !*text || s->sender.domain;
	buf_printf(b, "Return-Path: <%s%s%s>\r\n", text, complete ? "" : "@", complete ? "" : conf_servername(s->env.conf));
}

static void put_received(struct session *s, const char *date, struct buf *b)
{
	const void *v = NULL;
	buf_printf(b, "Received: from %s (%s)\r\n\t ", s->lhlo ? s->lhlo : "unknown", s->client);
	if (s->login) {
		int bits = sasl_getprop(s->sasl.conn, SASL_SSF, &v) == SASL_OK && v ? (int)*(const sasl_ssf_t *)v : 0;
		buf_printf(b, "(authenticated user=%s bits=%d)\r\n\t ", s->login, bits);
	}
	buf_printf(b, "by %s (Cyrus %s) with LMTP%s%s", conf_servername(s->env.conf), identity_version(s->env.conf),
		s->tls ? "S" : "", s->login || s->preauth ? "A" : "");
	SSL *ssl = prot_ssl(s->p);
	if (ssl)
		buf_printf(b, "\r\n\t (version=%s cipher=%s bits=%d)", SSL_get_version(ssl), SSL_get_cipher_name(ssl),
			SSL_get_cipher_bits(ssl, NULL));
	buf_printf(b, ";\r\n\t %s\r\n", date);
}

static void put_head(struct session *s, const char *date, struct buf *b)
{
	put_return_path(s, b);
	put_received(s, date, b);
	if (s->env.level == LEVEL_36) buf_printf(b, "X-Cyrus-Session-Id: %s\r\n", s->id);
	buf_printf(b, "X-Sieve: CMU Sieve %s\r\n", s->env.level == LEVEL_25 ? "2.4" : "3.0");
}

/* ------------------------------------------------------------------------------------------------ replies */

/* One for each recipient, whatever it says: a client that waits for the others would hang (RFC 2033 4.2). */
static void to_all(struct session *s, const char *text)
{
	for (size_t i = 0; i < s->nrcpt; i++) reply(s, "%s", text);
}

static void refuse(struct session *s, const struct delivery *d, int err)
{
	struct buf b = BUF_INIT;
	if (err == ERR_TOOBIG) {
		buf_printf(&b, "552 5.2.3 Message size (%llu) exceeds fixed maximum message size (%llu)",
			(unsigned long long)d->filter.size, (unsigned long long)d->filter.o.max);
	} else if (d->error) {
		const char *what = d->stage ? "copy message to" : "create";
		buf_printf(&b, "451 %s cannot %s temporary file: %s", err == ERR_NOSPACE ? "4.3.1" : "4.3.2", what, err_text(err));
	} else {
		status_print(s->env.level, err, false, s->id, &b);
		buf_truncate(&b, b.len - 2);
	}
	to_all(s, buf_cstr(&b));
	buf_free(&b);
}

static void deliver_all(struct session *s, struct delivery *d)
{
	struct buf b = BUF_INIT;
	for (size_t i = 0; i < s->nrcpt; i++) s->rcpt[i].status = delivery_to(d, &s->rcpt[i]);
	for (size_t i = 0; i < s->nrcpt; i++)
		status_print(s->env.level, s->rcpt[i].status, conf_bool(s->env.conf, OPT_LMTP_OVER_QUOTA_PERM_FAILURE), s->id, &b);
	prot_putbuf(s->p, &b);
	buf_free(&b);
}

/* Everything up to the final dot. false: the stream ended before it, and nothing is delivered. */
static bool receive(struct session *s, struct delivery *d)
{
	const char *p;
	size_t n;
	while (!d->filter.ended && (n = prot_peek(s->p, &p))) prot_skip(s->p, delivery_feed(d, p, n));
	return d->filter.ended;
}

void session_data(struct session *s)
{
	struct buf head = BUF_INIT;
	struct delivery d;
	time_t now = clock_now();
	unsigned seq = (*s->sequence)++;
	char date[DATE_RFC5322_SIZE];
	long max = conf_int(s->env.conf, OPT_MAXMESSAGESIZE);
	date_print_rfc5322(now, date);
	put_head(s, date, &head);
	char *msgid = mem_printf("<cmu-lmtpd-%ld-%lld-%u@%s>", (long)getpid(), (long long)now, seq, conf_servername(s->env.conf));
	struct filter_options o = { .reject8bit = conf_bool(s->env.conf, OPT_REJECT8BIT),
		.munge8bit = conf_bool(s->env.conf, OPT_MUNGE8BIT),
		.strict_msgid = s->env.level == LEVEL_36, .max = max > 0 ? (uint64_t)max : 0, .new_msgid = msgid, .new_date = date };
	delivery_init(&d, &s->env, &o, buf_cstr(&head), s->rcpt[0].partition, now, seq);
	reply(s, "354 go ahead");
	if (receive(s, &d)) {
		int err = delivery_finish(&d);
		if (err) refuse(s, &d, err);
		else deliver_all(s, &d);
	} else {
		s->over = true;
	}
	delivery_free(&d);
	free(msgid);
	buf_free(&head);
}
