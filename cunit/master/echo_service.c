/* echo_service.c - the smallest service: greets with its name and pid, then answers a line at a time. "quit" ends the
 * session, "crash" the process, "env" shows what master gave us. For tests/master. */
#include "master/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int service_init(int argc, char **argv, struct service_context *ctx)
{
	(void)ctx;
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

static int service_main(struct service_context *ctx)
{
	char line[256];
	dprintf(1, "* %s/%u pid %ld uses %u argc %d\n", ctx->name, ctx->id, (long)getpid(), ctx->uses, ctx->argc);
	while (read_line(line, sizeof line) && strcmp(line, "quit") != 0) {
		if (!strcmp(line, "crash")) _exit(1);
		dprintf(1, "%s\n", line);
	}
	return 0;
}

const struct service_program service_program = { .init = service_init, .main = service_main };
