/* lmtpd.c - the LMTP service: options, what lives as long as the process, one session after the other. */
#include "base/err.h"
#include "base/log.h"
#include "conf/procfile.h"
#include "lmtpd/session.h"
#include "master/service_signals.h"
#include "proto/identity.h"
#include "store/audit.h"
#include "store/duplicate.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* What the process keeps between clients. */
static struct process {
	struct conf *conf;
	struct store *st;
	struct cyrusdb *duplicates;
	SSL_CTX *tls;
	bool trust_tcp;
	unsigned sequence;
} process;

static int service_init(int argc, char **argv, struct service_context *ctx)
{
	int c;
	process.conf = ctx->conf;
	while ((c = getopt(argc, argv, "a")) != -1) {
		if (c != 'a') {
			log_msg(LOG_ERR, "unknown option -%c", optopt);
			return 1;
		}
		process.trust_tcp = true;
	}
	signal(SIGPIPE, SIG_IGN);
	if (saslserver_init(ctx->conf) || store_open(&process.st, ctx->conf, true)) return 1;
	if (conf_bool(ctx->conf, OPT_DUPLICATESUPPRESSION)) process.duplicates = duplicate_open(process.st);
	return 0;
}

static void service_abort(int code)
{
	(void)code;
	duplicate_close(process.duplicates);
	process.duplicates = NULL;
	store_close(process.st);
	process.st = NULL;
	if (process.conf) proc_cleanup(process.conf);
	tlsserver_free(process.tls);
	process.tls = NULL;
}

static int service_main(struct service_context *ctx)
{
	struct session s = {
		.env = { .conf = ctx->conf, .st = process.st, .level = conf_level(ctx->conf), .service = ctx->name,
			.duplicates = process.duplicates },
		.engine.ctx = process.tls, .service = ctx->name, .sequence = &process.sequence,
		.preauth = process.trust_tcp || ctx->family == AF_UNIX,
	};
	s.p = prot_new(0, 1);
	prot_set_timeout(s.p, 360);
	prot_set_wait(s.p, signals_prot_wait, NULL);
	s.client = identity_client(0);
	session_new_id(&s);
	if (!saslserver_new(&s.sasl, ctx->conf, "lmtp", ctx->name, 0, s.preauth ? 2 : 0)) {
		if (s.preauth) saslserver_tls(&s.sasl, 2, "postman");       /* makes EXTERNAL available */
		session_run(&s);
	}
	audit_traffic(process.st, prot_bytes_in(s.p), prot_bytes_out(s.p));
	process.tls = s.engine.ctx;
	process.st->session_id = "";
	prot_free(s.p);
	saslserver_free(&s.sasl);
	user_free(&s.env.poster);
	free(s.lhlo);
	free(s.login);
	free(s.client);
	free(s.id);
	proc_cleanup(ctx->conf);
	return 0;
}

const struct service_program service_program = {
	.init = service_init, .main = service_main, .abort = service_abort, .need_partitions = true,
};
