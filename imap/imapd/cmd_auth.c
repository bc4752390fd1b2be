/* cmd_auth.c - LOGIN, AUTHENTICATE, STARTTLS, LOGOUT: who the client is (spec/imap.md 5). */
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "imapd/commands.h"
#include "imapd/logins.h"
#include "imapd/respond.h"
#include "proto/tlsserver.h"
#include "store/autocreate.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static bool layered(const struct session *s) { return s->tls || s->extssf >= 2; }

static void log_bad(struct session *s, const char *mech, const char *user, const char *detail)
{
	if (s->level == LEVEL_25) log_msg(LOG_NOTICE, "badlogin: %s %s %s %s", s->client, mech, user, detail);
	else log_msg(LOG_NOTICE, "badlogin: %s %s (%s) [%s]", s->client, mech, user, detail);
}

/* From here on the client is `userid`. */
static int become(struct session *s, const char *userid)
{
	user_init(&s->user, s->conf, userid);
	int r = namespace_init(&s->ns, s->conf, s->user.isadmin);
	if (r) {
		user_free(&s->user);
		return r;
	}
	s->ns.level = s->st->ns.level;
	s->logged_in = true;
	/* logged there; without an INBOX he is in all the same */
	if (!s->user.isadmin && !s->readonly) autocreate_user(s->st, userid);
	session_note_account(s);
	return 0;
}

static void put_welcome(struct session *s, bool capabilities, const char *text)
{
	putfmt(s, "%s OK ", s->tag);
	if (capabilities) {
		put(s, "[");
		capability_put(s, true);
		put(s, "] ");
	}
	putfmt(s, "%s SESSIONID=<%s>\r\n", text, s->id);
}

static void pause_seconds(int64_t n)
{
	if (n > 0) sleep((unsigned)n);
}

/* ------------------------------------------------------------------------------------------------ LOGIN */

static void login_failed(struct session *s, const char *user, int r)
{
	const char *detail = sasl_errdetail(s->sasl.conn);
	log_bad(s, "plaintext", user, detail ? detail : "");
	pause_seconds(conf_seconds(s->conf, OPT_FAILEDLOGINPAUSE));
	if (r == SASL_NOUSER) r = SASL_BADAUTH;
	respond_no(s, "Login failed: %s", sasl_errstring(r, NULL, NULL));
}

static bool login_allowed(struct session *s)
{
	if (conf_bool(s->conf, OPT_TLS_REQUIRED) && !s->tls) return false;
	return layered(s) || conf_bool(s->conf, OPT_ALLOWPLAINTEXT);
}

static void anonymous_login(struct session *s)
{
	if (!conf_bool(s->conf, OPT_ALLOWANONYMOUSLOGIN)) {
		log_msg(LOG_NOTICE, "badlogin: %s anonymous login refused", s->client);
		respond_no(s, "Anonymous login is not permitted");
		return;
	}
	if (!logins_allow(s, "anonymous")) return;
	if (become(s, "anonymous")) {
		respond_no(s, "Invalid user");
		return;
	}
	log_msg(LOG_NOTICE, "login: %s anonymous password", s->client);
	put_welcome(s, true, "User logged in");
}

/* The proxy policy is the callback's; checkpass does not run it, so an authorisation check for the user himself does. */
static int check_password(struct session *s, const char *canon, const char *user, const char *password)
{
	char *why = NULL;
	int r = s->no_plain_check ? SASL_OK : sasl_checkpass(s->sasl.conn, user, (unsigned)strlen(user), password,
		(unsigned)strlen(password));
	if (r == SASL_OK && user_denied(s->conf, s->service, canon, &why)) {
		sasl_seterror(s->sasl.conn, 0, "user '%s' is denied access to service '%s'", canon, s->service);
		r = SASL_NOAUTHZ;
	}
	free(why);
	return r;
}

void cmd_login(struct session *s)
{
	char *name, *password, *canon = NULL;
	if (!args_astring(&s->args, &name) || !args_space(&s->args) || !args_astring(&s->args, &password)) {
		respond_missing(s);
		return;
	}
	if (!args_end(&s->args)) {
		respond_extra(s);
		return;
	}
	if (s->logged_in) {
		respond_bad(s, "Already logged in");
		return;
	}
	int r = user_canon(s->conf, name, NULL, &canon);
	if (r) {
		log_msg(LOG_NOTICE, s->level == LEVEL_25 ? "badlogin: %s plaintext %s invalid user"
			: "badlogin: %s plaintext (%s) invalid user", s->client, name);
		respond_no(s, "Invalid user");
		return;
	}
	if (!login_allowed(s)) {
		respond_no(s, "Login only available under a layer");
	} else if (!strcmp(canon, "anonymous")) {
		anonymous_login(s);
	} else if ((r = check_password(s, canon, name, password)) != SASL_OK) {
		login_failed(s, canon, r);
	} else if (!logins_allow(s, canon)) {
		;                                                    /* answered */
	} else if (become(s, canon)) {
		respond_no(s, "Invalid user");
	} else {
		log_msg(LOG_NOTICE, "login: %s %s plaintext%s User logged in SESSIONID=<%s>", s->client, canon, s->tls ? "+TLS" : "",
			s->id);
		if (!s->tls) pause_seconds(conf_seconds(s->conf, OPT_PLAINTEXTLOGINPAUSE));
		const char *alert = conf_str(s->conf, OPT_PLAINTEXTLOGINALERT);
		if (!layered(s) && alert && *alert) respond(s, "OK [ALERT] %s", alert);
		put_welcome(s, true, "User logged in");
	}
	free(canon);
}

/* ------------------------------------------------------------------------------------------------ AUTHENTICATE */

static void authenticate_failed(struct session *s, const char *mech, int r)
{
	const char *detail = sasl_errdetail(s->sasl.conn);
	const void *v = NULL;
	switch (r) {
	case SASLSERVER_EOF:
		s->over = true;
		return;
	case SASLSERVER_CANCELLED:
		respond_bad(s, "Client canceled authentication");
		return;
	case SASLSERVER_BADBASE64:
		detail = "bad protocol / cancel";
		r = SASL_BADPROT;
		break;
	}
	const char *user = sasl_getprop(s->sasl.conn, SASL_USERNAME, &v) == SASL_OK && v ? v : "notset";
	log_bad(s, mech, user, detail ? detail : "");
	if (r != SASL_NOMECH) pause_seconds(conf_seconds(s->conf, OPT_FAILEDLOGINPAUSE));
	if (r == SASL_NOUSER) r = SASL_BADAUTH;
	respond_no(s, "%s", r == SASL_BADPROT ? "bad protocol / cancel" : sasl_errstring(r, NULL, NULL));
}

static const char *protection(struct session *s, sasl_ssf_t *ssf)
{
	const void *v = NULL;
	*ssf = sasl_getprop(s->sasl.conn, SASL_SSF, &v) == SASL_OK && v ? *(const sasl_ssf_t *)v : 0;
	if (*ssf > 1) return "privacy protection";
	if (*ssf == 1) return "integrity protection";
	return s->tls ? "tls protection" : "no protection";
}

void cmd_authenticate(struct session *s)
{
	char *mech, *initial = NULL;
	const char *userid, *last;
	sasl_ssf_t ssf;
	if (!args_atom(&s->args, &mech)) {
		respond_missing(s);
		return;
	}
	if (args_space(&s->args) && !args_atom(&s->args, &initial)) {
		respond_missing(s);
		return;
	}
	if (!args_end(&s->args)) {
		respond_extra(s);
		return;
	}
	if (s->logged_in) {
		respond_bad(s, "Already authenticated");
		return;
	}
	if (conf_bool(s->conf, OPT_TLS_REQUIRED) && !s->tls) {
		respond_no(s, "Authenticate only available under a layer");
		return;
	}
	int r = saslserver_authenticate(&s->sasl, s->p, mech, initial, "+ ", &userid, &last);
	if (r != SASL_OK) {
		authenticate_failed(s, mech, r);
		return;
	}
	if (!logins_allow(s, userid)) return;
	if (become(s, userid)) {
		respond_no(s, "Invalid user");
		return;
	}
	const char *what = protection(s, &ssf);
	char *text = mem_printf("Success (%s)", what);
	log_msg(LOG_NOTICE, "login: %s %s %s%s User logged in SESSIONID=<%s>", s->client, userid, mech, s->tls ? "+TLS" : "", s->id);
	put_welcome(s, !ssf, text);
	free(text);
	if (ssf) {
		prot_set_sasl(s->p, s->sasl.conn);
		s->sasl_layer = true;
	}
}

/* ------------------------------------------------------------------------------------------------ STARTTLS, LOGOUT */

void cmd_starttls(struct session *s)
{
	unsigned ssf;
	char *authid;
	if (!tlsserver_starttls_allowed(s->conf)) respond_bad(s, "Unrecognized command");
	else if (s->tls) respond_no(s, "TLS already active");
	else if (s->logged_in) respond_bad(s, "Can't Starttls after authentication");
	else if (!tlsserver_ready(&s->engine, s->conf)) respond_no(s, "Error initializing TLS");
	else {
		respond_ok(s, "Begin TLS negotiation now");
		if (prot_flush(s->p) || tlsserver_start(s->p, s->engine.ctx, s->client, &ssf, &authid)) {
			log_msg(LOG_NOTICE, "STARTTLS negotiation failed: %s", s->client);
			s->over = true;
			return;
		}
		s->tls = true;
		saslserver_tls(&s->sasl, ssf, authid);
		free(authid);
	}
}

void cmd_logout(struct session *s)
{
	respond_bye(s, "LOGOUT received");
	respond_ok(s, "Completed");
}
