/* echo.c - a service for master: sends back what it is sent, until "quit".
 *
 *	cc -o echo echo.c $(pkg-config --cflags --libs cambyses-service)
 *
 * cyrus.conf, SERVICES:   echo cmd="/path/of/echo -C /etc/imapd.conf" listen="7007" prefork=1
 * imapd.conf, if wanted:  echo_greeting: good day */
#include <cambyses/service.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

static char *greeting;

static int init(int argc, char **argv, struct service_context *ctx)
{
	signal(SIGPIPE, SIG_IGN);                      /* a client who hangs up must not end us */
	greeting = service_option(ctx, "greeting");    /* echo_greeting or greeting; NULL if there is none */
	if (argc > 1) syslog(LOG_ERR, "unknown argument %s", argv[1]);
	return argc > 1;
}

static int serve(struct service_context *ctx)
{
	char text[4096];
	ssize_t n;
	dprintf(1, "* %s: %s (process %ld, client %u)\r\n", ctx->name, greeting ? greeting : "hello", (long)getpid(), ctx->uses);
	while (signals_wait(0, 600 * 1000) > 0 && (n = read(0, text, sizeof text)) > 0) {
		if (n >= 4 && !memcmp(text, "quit", 4)) break;
		if (write(1, text, (size_t)n) != n) break;
	}
	syslog(LOG_INFO, "client %u has left", ctx->uses);
	return 0;
}

static void clean_up(int code)
{
	syslog(LOG_DEBUG, "leaving with %d", code);
}

const struct service_program service_program = { .init = init, .main = serve, .abort = clean_up };
