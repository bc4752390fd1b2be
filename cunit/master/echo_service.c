/* echo_service.c - the smallest service: greets with its name and pid, then answers a line at a time. "quit" ends the
 * session, "crash" the process, "alarm" leaves SIGALRM as a careless library would, "cancelled" asks for SIGUSR2. A
 * datagram is sent back. For tests/master. */
#include "master/service.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef HAVE_LIBWRAP
#include <tcpd.h>
#endif

/* libwrap's files are where its packager wanted them; tests have their own. */
static void use_own_tables(void)
{
#ifdef HAVE_LIBWRAP
	if (getenv("ECHO_HOSTS_ALLOW")) hosts_allow_table = getenv("ECHO_HOSTS_ALLOW");
	if (getenv("ECHO_HOSTS_DENY")) hosts_deny_table = getenv("ECHO_HOSTS_DENY");
#endif
}

static int service_init(int argc, char **argv, struct service_context *ctx)
{
	(void)ctx;
	use_own_tables();
	if (argc > 1 && !strcmp(argv[1], "-w"))                /* -w: a start that takes its time */
		while (!signals_poll()) usleep(1000);
	return argc > 1 && !strcmp(argv[1], "-b");     /* -b: a broken configuration */
}

static bool read_line(char *line, size_t size)
{
	size_t n = 0;
	while (n + 1 < size) {
		if (signals_wait(0, 60000) <= 0 || read(0, line + n, 1) != 1) return false;
		if (line[n] == '\n') break;
		n++;
	}
	line[n] = '\0';
	return true;
}

static int datagram(void)
{
	char text[256];
	struct sockaddr_storage from;
	socklen_t len = sizeof from;
	ssize_t n = recvfrom(0, text, sizeof text, 0, (struct sockaddr *)&from, &len);
	return n < 0 || sendto(0, text, (size_t)n, 0, (struct sockaddr *)&from, len) != n;
}

static int service_main(struct service_context *ctx)
{
	char line[256];
	if (!ctx->stream) return datagram();
	dprintf(1, "* %s/%u pid %ld uses %u argc %d\n", ctx->name, ctx->id, (long)getpid(), ctx->uses, ctx->argc);
	while (read_line(line, sizeof line) && strcmp(line, "quit") != 0) {
		if (!strcmp(line, "crash")) _exit(1);
		if (!strcmp(line, "alarm")) signal(SIGALRM, SIG_DFL);
		dprintf(1, "%s\n", strcmp(line, "cancelled") != 0 ? line : signals_cancelled() ? "yes" : "no");
	}
	return 0;
}

const struct service_program service_program = { .init = service_init, .main = service_main };
