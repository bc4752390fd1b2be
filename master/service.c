/* service.c - one client after another until told, idle or used up to stop. The order of the steps is what master and its
 * clients see (spec/master.md 17.3). */
#include "base/log.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "master/service_priv.h"
#include "sys/sys.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

struct harness {
	struct service_context *ctx;
	unsigned max_uses;
	struct program_file program;
	int lock;                      /* -1: runs without */
	unsigned idle;                 /* seconds, drawn once; 0: never */
	int leave;                     /* -1: go on; else the code to leave with */
};

static void open_lock(struct harness *h)
{
	char *path = mem_printf("%s/socket/%s-%u.lock", conf_dir(h->ctx->conf), h->ctx->name, h->ctx->id);
	h->lock = sys_open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
	if (h->lock < 0) log_msg(LOG_ERR, "cannot open lock file %s, running without it: %s", path, strerror(errno));
	free(path);
}

/* Only the holder waits for clients. false: h->leave says how to go. */
static bool take_lock(struct harness *h)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	while (h->lock >= 0 && sys_fcntl_lock(h->lock, F_SETLKW, &fl) < 0) {
		int err = errno;
		if (err == EINTR && !signals_poll()) continue;
		h->leave = err == EINTR ? 0 : EX_OSERR;
		if (h->leave) log_msg(LOG_ERR, "cannot take the accept lock: %s", strerror(err));
		return false;
	}
	return true;
}

static void drop_lock(struct harness *h)
{
	struct flock fl = { .l_type = F_UNLCK, .l_whence = SEEK_SET };
	if (h->lock >= 0 && sys_fcntl_lock(h->lock, F_SETLKW, &fl) < 0)
		log_msg(LOG_ERR, "cannot drop the accept lock: %s", strerror(errno));
}

static bool program_replaced(struct harness *h)
{
	enum program_change change = program_file_check(&h->program);
	if (change == PROGRAM_SAME) return false;
	if (change == PROGRAM_CHANGED) log_msg(LOG_INFO, "process file has changed");
	else log_msg(LOG_ERR, "program file %s is gone", h->program.path);
	h->leave = change == PROGRAM_CHANGED ? 0 : EX_SOFTWARE;
	return true;
}

/* One try to get the client that fd 4 announces: its descriptor, or -1 to try again unless h->leave is set. */
static int accept_one(struct harness *h)
{
	char peek;
	int fd = h->ctx->stream ? accept4(SERVICE_LISTEN_FD, NULL, NULL, SOCK_CLOEXEC) : SERVICE_LISTEN_FD;
	if (!h->ctx->stream && recv(SERVICE_LISTEN_FD, &peek, 1, MSG_PEEK | MSG_DONTWAIT) < 0) fd = -1;
	if (fd >= 0 || service_accept_retry(errno)) return fd;
	int err = errno, sig = signals_poll();
	h->leave = err == EINVAL && sig == SIGHUP ? 0 : EX_OSERR;      /* master shut the socket down, or will not */
	if (h->leave) log_msg(LOG_ERR, "accept failed: %s", strerror(err));
	return -1;
}

static int wait_for_client(struct harness *h)
{
	int fd = -1;
	while (fd < 0 && h->leave < 0) {
		if (program_replaced(h)) return -1;
		int r = signals_wait_readable(SERVICE_LISTEN_FD, NULL);
		if (r > 0) fd = accept_one(h);
		else if (signals_poll()) h->leave = 0;
		else if (r < 0 && errno != EINTR && errno != EAGAIN) h->leave = EX_OSERR;
	}
	return fd;
}

/* The next client's descriptor, or -1 with h->leave. */
static int next_client(struct harness *h)
{
	signals_add_handlers();                /* each time: the session may have used its own */
	if (h->ctx->uses && h->idle) alarm(h->idle);
	if (!take_lock(h)) return -1;
	signals_add_hup(false);
	int fd = wait_for_client(h);
	signals_add_hup(true);
	drop_lock(h);
	if (fd >= 0) alarm(0);
	return fd;
}

static bool refused(struct harness *h, int fd)
{
	if (!h->ctx->stream || service_allowed(h->ctx, fd)) return false;
	shutdown(fd, SHUT_RDWR);
	sys_close(fd);
	return true;
}

static void let_go(void)
{
	int null = sys_open("/dev/null", O_RDWR, 0);
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0) log_msg(LOG_ERR, "cannot let go of the client: %s", strerror(errno));
	if (null >= 0) sys_close(null);
}

static void serve(struct harness *h, int fd)
{
	if (h->ctx->stream) service_tcp_options(h->ctx, fd);
	service_tell(h->ctx, SERVICE_UNAVAILABLE);
	log_msg(LOG_DEBUG, "accepted connection");
	if (dup2(fd, 0) < 0 || dup2(fd, 1) < 0) {
		log_msg(LOG_ERR, "cannot duplicate the client's descriptor: %s", strerror(errno));
		h->leave = EX_OSERR;
		return;
	}
	if (fd > 2 && fd != SERVICE_LISTEN_FD) sys_close(fd);
	service_tell(h->ctx, SERVICE_CONNECTION);
	h->ctx->uses++;
	signals_cancelled();                   /* what came for the last client, or for nobody */
	service_program.main(h->ctx);
	let_go();
	if (signals_poll() || h->ctx->uses >= h->max_uses) h->leave = 0;
	else service_tell(h->ctx, SERVICE_AVAILABLE);
}

static unsigned draw_idle(int seconds)
{
	return seconds ? (unsigned)seconds + (unsigned)((unsigned long)random() % (unsigned long)seconds) : 0;
}

static int run(struct harness *h)
{
	while (h->leave < 0) {
		int fd = next_client(h);
		if (fd >= 0 && !refused(h, fd)) serve(h, fd);
	}
	if (h->leave == EX_SOFTWARE) log_msg(LOG_ERR, "no client and no reason, leaving");
	return h->leave;
}

int service_clients(struct service_context *ctx, const struct service_options *o)
{
	struct harness h = { .ctx = ctx, .max_uses = (unsigned)o->max_uses, .lock = -1, .leave = -1 };
	signals_on_shutdown(service_program.abort);
	if (o->once) {
		signals_add_handlers();
		ctx->uses = 1;
		return service_program.main(ctx);
	}
	srandom((unsigned)getpid() ^ (unsigned)time(NULL));
	h.idle = draw_idle(o->idle);
	program_file_note(&h.program, ctx->argv[0]);
	open_lock(&h);
	int code = run(&h);
	free(h.program.path);
	return code;
}
