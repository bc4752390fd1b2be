/* service_thread.c - a threaded service: accepts, and hands the client over without ever becoming busy
 * (spec/master.md 18). No accept lock, no idle time, no use count, no signal handlers: those are the program's. */
#include "base/log.h"
#include "master/service_priv.h"
#include "sys/sys.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>

static int next_client(void)
{
	int fd;
	do fd = accept4(SERVICE_LISTEN_FD, NULL, NULL, SOCK_CLOEXEC); while (fd < 0 && service_accept_retry(errno));
	if (fd < 0) log_msg(LOG_ERR, "accept failed: %s", strerror(errno));
	return fd;
}

int service_threads(struct service_context *ctx)
{
	for (int r = 0; r >= 0;) {
		int fd = next_client();
		if (fd < 0) return EX_OSERR;
		if (!service_allowed(ctx, fd)) {
			shutdown(fd, SHUT_RDWR);
			sys_close(fd);
			continue;
		}
		service_tcp_options(ctx, fd);
		service_tell(ctx, SERVICE_CONNECTION_MULTI);
		ctx->uses++;
		r = service_program.main_fd(fd, ctx);
	}
	return 0;
}
