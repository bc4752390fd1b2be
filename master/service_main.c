/* service_main.c - main() of every service: what comes before the first client and after the last (spec/master.md 17.2, 18). */
#include "base/log.h"
#include "conf/procfile.h"
#include "conf/program.h"
#include "master/service_priv.h"

#include <stdlib.h>
#include <sysexits.h>

static void __attribute__((noreturn)) leave(int code)
{
	if (service_program.abort) service_program.abort(code);
	exit(code);
}

int main(int argc, char **argv)
{
	const struct service_program *p = &service_program;
	struct service_context ctx;
	struct service_options opt;
	program_log_early(argc > 0 ? argv[0] : "service", -1, 0);
	if (argc < 1) return EX_USAGE;
	if (!p->main == !p->main_fd) {
		log_msg(LOG_ERR, "service_program must have either main or main_fd");
		return EX_SOFTWARE;
	}
	if (p->main) signals_add_hup(true);    /* a reload must not kill, and be charged to, a worker that is starting */
	size_t title = service_title_size(argc, argv);
	int r = service_options(&opt, p->main ? "CUTDX" : "CD", &argc, argv);
	opt.need_partitions = p->need_partitions;
	if (!r) r = service_start(&ctx, &opt, argc, argv);
	if (r) return r;
	service_title_free(argc, argv);
	proc_title(ctx.conf, argv[0], title);
	if (opt.debug) service_debug_command(&ctx, argv[0]);
	if (p->init && p->init(argc, argv, &ctx)) return 1;
	log_msg(LOG_DEBUG, "executed");
	leave(p->main_fd ? service_threads(&ctx) : service_clients(&ctx, &opt));
}
