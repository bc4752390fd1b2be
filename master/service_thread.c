/* service_thread.c - main() of a threaded service: accepts, and hands the client over without ever becoming busy
 * (spec/master.md 18). No accept lock, no idle time, no use count, no signal handlers: those are the program's. */
#include "base/log.h"
#include "conf/program.h"
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

static int run(struct service_context *ctx)
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
		r = service_main_fd(fd, ctx);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct service_context ctx;
	struct service_options opt;
	program_log_early(argc > 0 ? argv[0] : "service", -1, 0);
	if (argc < 1) return EX_USAGE;
	int r = service_options(&opt, "CD", &argc, argv);
	if (!r) r = service_start(&ctx, &opt, argc, argv);
	if (r) return r;
	if (opt.debug) service_debug_command(&ctx, argv[0]);
	if (service_init(argc, argv, &ctx)) return 1;
	service_abort(run(&ctx));
}
