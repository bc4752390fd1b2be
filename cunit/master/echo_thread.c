/* echo_thread.c - the smallest threaded service: greets and hangs up; a client that sends "q" ends it. */
#include "master/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#ifdef HAVE_LIBWRAP
#include <tcpd.h>
#endif

static int service_init(int argc, char **argv, struct service_context *ctx)
{
	(void)argc, (void)argv, (void)ctx;
#ifdef HAVE_LIBWRAP
	if (getenv("ECHO_HOSTS_DENY")) hosts_allow_table = getenv("ECHO_HOSTS_ALLOW"), hosts_deny_table = getenv("ECHO_HOSTS_DENY");
#endif
	return 0;
}

static int service_main_fd(int fd, struct service_context *ctx)
{
	char c = 0;
	dprintf(fd, "* %s/%u pid %ld uses %u argc %d\n", ctx->name, ctx->id, (long)getpid(), ctx->uses, ctx->argc);
	int r = read(fd, &c, 1) == 1 && c == 'q' ? -1 : 0;
	close(fd);
	return r;
}

const struct service_program service_program = { .init = service_init, .main_fd = service_main_fd };
