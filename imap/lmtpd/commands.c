/* commands.c - LHLO to QUIT but for the message itself (RFC 2033, RFC 5321, spec/services.md 1). */
#include "lmtpd/commands.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/procfile.h"
#include "base/num.h"
#include "lmtpd/status.h"
#include "proto/tlsserver.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { RECIPIENTS_MAX = 10000 };       /* of one transaction: RFC 5321 asks for 100 */

static const char bad_parameters[] = "501 5.5.4 Syntax error in parameters";

static void put_err(struct session *s, int err)
{
	struct buf b = BUF_INIT;
	status_print(s->env.level, err, conf_bool(s->env.conf, OPT_LMTP_OVER_QUOTA_PERM_FAILURE), s->id, &b);
	prot_putbuf(s->p, &b);
	buf_free(&b);
}

/* ------------------------------------------------------------------------------------------------ LHLO */

static bool printable(const char *p)
{
	for (; *p; p++)
		if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f) return false;
	return true;
}

static bool tls_possible(struct session *s)
{
	return !s->preauth && !s->tls && !s->login && tlsserver_starttls_offered(&s->engine, s->env.conf);
}

static void cmd_lhlo(struct session *s, char *arg)
{
	const char *mechs = s->login ? NULL : saslserver_mechs(&s->sasl, "AUTH ", " ", "");
	if (!*arg || strlen(arg) > 255 || !printable(arg)) {
		reply(s, "%s", bad_parameters);
		return;
	}
	session_reset(s);
	free(s->lhlo);
	s->lhlo = mem_strdup(arg);
	long max = conf_int(s->env.conf, OPT_MAXMESSAGESIZE);
	reply(s, "250-%s", conf_servername(s->env.conf));
	reply(s, "250-8BITMIME");
	reply(s, "250-ENHANCEDSTATUSCODES");
	reply(s, "250-PIPELINING");
	if (max > 0) reply(s, "250-SIZE %ld", max);
	else reply(s, "250-SIZE");
	if (tls_possible(s)) reply(s, "250-STARTTLS");
	if (mechs) reply(s, "250-%s", mechs);
	if (s->env.level == LEVEL_25) {
		reply(s, "250 IGNOREQUOTA");
		return;
	}
	reply(s, "250-IGNOREQUOTA");
	reply(s, "250 Ok SESSIONID=<%s>", s->id);
}

/* ------------------------------------------------------------------------------------------------ AUTH, STARTTLS */

static void auth_failed(struct session *s, const char *mech, int r)
{
	const char *detail = sasl_errdetail(s->sasl.conn);
	switch (r) {
	case SASLSERVER_EOF: s->over = true; return;
	case SASLSERVER_CANCELLED: reply(s, "501 5.5.4 client canceled authentication"); return;
	case SASLSERVER_BADBASE64: reply(s, "501 5.5.4 Error reading client response: bad protocol / cancel"); return;
	case SASL_NOMECH: reply(s, "504 Unrecognized authentication type."); return;
	}
	if (s->env.level == LEVEL_25) log_msg(LOG_NOTICE, "badlogin: %s %s %s", s->client, mech, detail ? detail : "");
	else log_msg(LOG_NOTICE, "badlogin: %s %s [%s]", s->client, mech, detail ? detail : "");
	reply(s, "501 5.5.4 %s", sasl_errstring(r == SASL_NOUSER ? SASL_BADAUTH : r, NULL, NULL));
}

static void cmd_auth(struct session *s, char *arg)
{
	const char *userid, *last;
	char *initial = strchr(arg, ' ');
	if (initial) *initial++ = 0;
	if (!*arg || (initial && (!*initial || strchr(initial, ' ')))) {
		reply(s, "%s", bad_parameters);
		return;
	}
	if (s->login) {
		reply(s, "503 5.5.0 already authenticated");
		return;
	}
	if (s->have_sender) {
		reply(s, "503 5.5.0 AUTH not permitted now");
		return;
	}
	int r = saslserver_authenticate(&s->sasl, s->p, arg, initial, "334 ", &userid, &last);
	if (r != SASL_OK) {
		auth_failed(s, arg, r);
		return;
	}
	s->login = mem_strdup(userid);
	proc_register(s->env.conf, s->service, s->client, s->login, NULL, NULL);
	log_msg(LOG_NOTICE, "login: %s %s %s%s User logged in SESSIONID=<%s>", s->client, userid, arg, s->tls ? "+TLS" : "", s->id);
	reply(s, "235 Authenticated!");
	const void *v = NULL;
	if (sasl_getprop(s->sasl.conn, SASL_SSF, &v) == SASL_OK && v && *(const sasl_ssf_t *)v > 0) {
		prot_flush(s->p);
		prot_set_sasl(s->p, s->sasl.conn);
	}
}

/* Whoever showed a certificate that names him is authenticated (spec/services.md 13), unless he is barred. */
static void login_by_certificate(struct session *s, const char *authid)
{
	char *canon = NULL, *why = NULL;
	if (user_canon(s->env.conf, authid, NULL, &canon))
		log_msg(LOG_NOTICE, "badlogin: %s EXTERNAL bad userid authenticated", s->client);
	else if (user_denied(s->env.conf, s->service, canon, &why))
		log_msg(LOG_NOTICE, "badlogin: %s EXTERNAL (%s) %s", s->client, canon, why);
	else {
		s->login = mem_strdup(canon);
		proc_register(s->env.conf, s->service, s->client, s->login, NULL, NULL);
		log_msg(LOG_NOTICE, "login: %s %s EXTERNAL+TLS User logged in SESSIONID=<%s>", s->client, s->login, s->id);
	}
	free(why);
	free(canon);
}

static void cmd_starttls(struct session *s, char *arg)
{
	unsigned ssf;
	char *authid;
	if (*arg) reply(s, "%s", bad_parameters);
	else if (s->tls) reply(s, "454 4.3.3 Already successfully executed STARTTLS");
	else if (!tlsserver_starttls_allowed(s->env.conf)) reply(s, "500 5.5.2 Syntax error");
	else if (s->have_sender || s->login || s->preauth) reply(s, "503 5.5.0 STARTTLS not permitted now");
	else if (!tlsserver_ready(&s->engine, s->env.conf)) reply(s, "454 4.3.3 Error initializing TLS");
	else {
		reply(s, "220 Begin TLS negotiation now");
		if (prot_flush(s->p) || tlsserver_start(s->p, s->engine.ctx, s->client, &ssf, &authid)) {
			log_msg(LOG_NOTICE, "[lmtpd] STARTTLS failed: %s", s->client);
			reply(s, "454 4.3.3 STARTTLS failed");
			s->over = true;
			return;
		}
		s->tls = true;
		free(s->lhlo);                        /* what was said in the clear does not count */
		s->lhlo = NULL;
		saslserver_tls(&s->sasl, ssf, authid);
		if (authid) login_by_certificate(s, authid);
		free(authid);
	}
}

/* ------------------------------------------------------------------------------------------------ MAIL */

/* "FROM:" or "TO:" and perhaps blanks. NULL: it does not begin so. */
static const char *after_keyword(const char *arg, const char *word)
{
	size_t n = strlen(word);
	if (strncasecmp(arg, word, n)) return NULL;
	arg += n;
	while (*arg == ' ') arg++;
	return arg;
}

/* AUTH=: who the message is from, for rights. Believed only of those who may speak for others; else it is nobody (RFC 4954 5). */
static bool take_auth(struct session *s, const char *v)
{
	struct buf b = BUF_INIT;
	char *canon = NULL;
	bool ok = lmtp_address_xtext(v, strlen(v), &b);
	bool trusted = s->preauth || (s->login && (user_in_list(s->env.conf, OPT_ADMINS, s->login)
		|| user_in_list(s->env.conf, OPT_PROXYSERVERS, s->login)));
	if (ok && b.len && !buf_eq(&b, "<>")) {
		if (user_canon(s->env.conf, buf_cstr(&b), NULL, &canon)) ok = false;
		else if (trusted || (s->login && !strcmp(s->login, canon))) {
			user_free(&s->env.poster);
			user_init(&s->env.poster, s->env.conf, canon);
		}
	}
	free(canon);
	buf_free(&b);
	return ok;
}

/* NULL, or the reply that refuses the parameter. Caller frees. */
static char *mail_parameter(struct session *s, const char *word)
{
	const char *v;
	long max = conf_int(s->env.conf, OPT_MAXMESSAGESIZE);
	if ((v = after_keyword(word, "AUTH="))) return take_auth(s, v) ? NULL : mem_strdup(bad_parameters);
	if ((v = after_keyword(word, "BODY=")))
		return !strcasecmp(v, "7BIT") || !strcasecmp(v, "8BITMIME") ? NULL : mem_strdup("501 5.5.4 Unrecognized BODY type");
	if ((v = after_keyword(word, "SIZE="))) {
		if (!num_str_u64(v, &s->size)) return mem_strdup("501 5.5.2 SIZE requires a value");
		if (max > 0 && s->size > (uint64_t)max)
			return mem_printf("552 5.2.3 Message SIZE exceeds fixed maximum message size (%ld)", max);
		return NULL;
	}
	return mem_strdup("501 5.5.4 Unrecognized parameters");
}

static unsigned address_flags(struct session *s)
{
	return conf_bool(s->env.conf, OPT_LMTP_STRICT_RFC2821) ? 0 : ADDRESS_8BIT_TO_X;
}

static void cmd_mail(struct session *s, char *arg)
{
	const char *p = after_keyword(arg, "FROM:"), *end = arg + strlen(arg);
	char *bad = NULL, *save = NULL;
	if (!s->preauth && !s->login) {
		reply(s, "%s Authentication required", conf_bool(s->env.conf, OPT_SOFT_NOAUTH) ? "430" : "530");
		return;
	}
	if (conf_bool(s->env.conf, OPT_READONLY)) {              /* for now: the client keeps it and tries again */
		reply(s, "451 4.3.2 This connection is configured for read-only access");
		return;
	}
	if (s->have_sender) {
		reply(s, "503 5.5.1 Nested MAIL command");
		return;
	}
	if (!p || lmtp_address_parse(&p, end, ADDRESS_EMPTY | address_flags(s), &s->sender)) {
		reply(s, "%s", bad_parameters);
		return;
	}
	s->have_sender = true;
	if (*p && *p != ' ') bad = mem_strdup(bad_parameters);
	char *rest = mem_strdup(p);
	for (char *w = strtok_r(rest, " ", &save); w && !bad; w = strtok_r(NULL, " ", &save)) bad = mail_parameter(s, w);
	reply(s, "%s", bad ? bad : "250 2.1.0 ok");
	free(rest);
	free(bad);
}

/* ------------------------------------------------------------------------------------------------ RCPT, DATA */

/* The parameters behind the address. NULL, or the reply that refuses them. */
static const char *rcpt_parameters(const char *p, bool *ignorequota)
{
	char *rest = mem_strdup(p), *save = NULL;
	const char *bad = *p && *p != ' ' ? bad_parameters : NULL;
	for (char *w = strtok_r(rest, " ", &save); w && !bad; w = strtok_r(NULL, " ", &save)) {
		if (!strcasecmp(w, "IGNOREQUOTA")) *ignorequota = true;
		else bad = "501 5.5.4 Unrecognized parameters";
	}
	free(rest);
	return bad;
}

static void cmd_rcpt(struct session *s, char *arg)
{
	const char *p = after_keyword(arg, "TO:"), *end = arg + strlen(arg), *bad = bad_parameters;
	struct lmtp_address a = { 0 };
	struct recipient r;
	bool ignorequota = false;
	if (!s->have_sender) {
		reply(s, "503 5.5.1 Need MAIL command");
		return;
	}
	if (p && !lmtp_address_parse(&p, end, address_flags(s), &a)) bad = rcpt_parameters(p, &ignorequota);
	if (!bad && s->nrcpt >= RECIPIENTS_MAX) bad = "452 4.5.3 Too many recipients";
	if (bad) {
		lmtp_address_free(&a);
		reply(s, "%s", bad);
		return;
	}
	int err = recipient_check(&s->env, &a, ignorequota, s->size, &r);
	lmtp_address_free(&a);
	if (err) {
		put_err(s, err);
		return;
	}
	MEM_GROW(s->rcpt, s->rcpt_alloc, s->nrcpt + 1);
	s->rcpt[s->nrcpt++] = r;
	reply(s, "250 2.1.5 ok");
}

static void cmd_data(struct session *s, char *arg)
{
	if (*arg) reply(s, "%s", bad_parameters);
	else if (!s->nrcpt) reply(s, "503 5.5.1 No recipients");
	else {
		session_data(s);
		session_reset(s);
	}
}

/* ------------------------------------------------------------------------------------------------ the rest */

static void cmd_rset(struct session *s, char *arg)
{
	(void)arg;
	session_reset(s);
	session_new_id(s);
	reply(s, "250 2.0.0 %s SESSIONID=<%s>", s->env.level == LEVEL_25 ? "ok" : "Ok", s->id);
}

static void cmd_noop(struct session *s, char *arg)
{
	(void)arg;
	reply(s, "250 2.0.0 ok");
}

static void cmd_vrfy(struct session *s, char *arg)
{
	(void)arg;
	reply(s, "252 2.3.3 try RCPT to attempt delivery");
}

static void cmd_quit(struct session *s, char *arg)
{
	(void)arg;
	reply(s, "221 2.0.0 bye");
	s->over = true;
}

static const struct command {
	const char *name;
	void (*run)(struct session *s, char *arg);
	bool in_shutdown;                 /* still answered while the shutdown file exists */
} commands[] = {
	{ "AUTH", cmd_auth, false }, { "DATA", cmd_data, false }, { "LHLO", cmd_lhlo, true }, { "MAIL", cmd_mail, false },
	{ "NOOP", cmd_noop, true }, { "QUIT", cmd_quit, true }, { "RCPT", cmd_rcpt, false }, { "RSET", cmd_rset, false },
	{ "STARTTLS", cmd_starttls, false }, { "VRFY", cmd_vrfy, false },
};

void command_run(struct session *s, char *line)
{
	char *arg = line + strcspn(line, " ");
	if (*arg) *arg++ = 0;
	while (*arg == ' ') arg++;
	for (char *e = arg + strlen(arg); e > arg && e[-1] == ' '; ) *--e = 0;
	const struct command *c = NULL;
	for (size_t i = 0; i < sizeof commands / sizeof *commands && !c; i++)
		if (!strcasecmp(commands[i].name, line)) c = &commands[i];
	if (session_shut(s, c && c->in_shutdown)) return;
	if (c) c->run(s, arg);
	else reply(s, "500 5.5.2 Syntax error");
}
