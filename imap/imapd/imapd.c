/* imapd.c - the IMAP service: options, what lives as long as the process, one session after the other. */
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/procfile.h"
#include "imapd/session.h"
#include "master/service_signals.h"
#include "proto/identity.h"
#include "proto/tlsserver.h"
#include "store/audit.h"
#include "store/store.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the process keeps between clients. */
static struct process {
	struct conf *conf;
	struct store *st;
	SSL_CTX *tls;
	bool tls_at_once, no_check, no_quota;
	unsigned extssf, sessions;
} process;

static int service_init(int argc, char **argv, struct service_context *ctx)
{
	int c;
	process.conf = ctx->conf;
	while ((c = getopt(argc, argv, "Np:sq")) != -1) {
		switch (c) {
		case 'N': process.no_check = true; break;
		case 'p': process.extssf = (unsigned)strtoul(optarg, NULL, 10); break;
		case 's': process.tls_at_once = true; break;
		case 'q': process.no_quota = true; break;
		default: log_msg(LOG_ERR, "unknown option -%c", optopt); return 1;
		}
	}
	signal(SIGPIPE, SIG_IGN);
	if (saslserver_init(ctx->conf) || store_open(&process.st, ctx->conf, true)) return 1;
	if (process.tls_at_once && !tlsserver_enabled(ctx->conf)) {
		log_msg(LOG_ERR, "imaps: required OpenSSL options not present");
		return 1;
	}
	return 0;
}

static void service_abort(int code)
{
	(void)code;
	store_close(process.st);
	process.st = NULL;
	if (process.conf) proc_cleanup(process.conf);
	tlsserver_free(process.tls);
	process.tls = NULL;
}

static bool tls_first(struct session *s)
{
	unsigned ssf;
	char *authid;
	if (!process.tls_at_once) return true;
	if (!tlsserver_ready(&s->engine, s->conf) || tlsserver_start(s->p, s->engine.ctx, s->client, &ssf, &authid)) {
		log_msg(LOG_NOTICE, "imaps TLS negotiation failed: %s", s->client);
		return false;
	}
	s->tls = true;
	saslserver_tls(&s->sasl, ssf, authid);
	free(authid);
	return true;
}

static int service_main(struct service_context *ctx)
{
	struct session s = {
		.conf = ctx->conf, .st = process.st, .level = conf_level(ctx->conf), .service = ctx->name, .extssf = process.extssf,
		.no_plain_check = process.no_check, .check_quota = !process.no_quota,
		.readonly = conf_bool(ctx->conf, OPT_READONLY), .engine.ctx = process.tls,
	};
	s.p = prot_new(0, 1);
	prot_set_timeout(s.p, (int)conf_seconds(ctx->conf, OPT_TIMEOUT));
	prot_set_wait(s.p, signals_prot_wait, NULL);
	s.client = identity_client(0);
	s.id = identity_session(ctx->conf, ++process.sessions);
	process.st->session_id = s.id;
	s.arena = arena_new();
	s.cmd = arena_new();
	if (!saslserver_new(&s.sasl, ctx->conf, "imap", ctx->name, 0, process.extssf) && tls_first(&s)) session_run(&s);
	audit_traffic(process.st, prot_bytes_in(s.p), prot_bytes_out(s.p));
	process.tls = s.engine.ctx;
	process.st->session_id = "";
	prot_free(s.p);
	saslserver_free(&s.sasl);
	user_free(&s.user);
	namespace_free(&s.ns);
	arena_free(s.cmd);
	arena_free(s.arena);
	free(s.client);
	free(s.id);
	proc_cleanup(ctx->conf);
	return 0;
}

const struct service_program service_program = {
	.init = service_init, .main = service_main, .abort = service_abort, .need_partitions = true,
};
