/* service_signals.c - see service_signals.h. */
#include "master/service_signals.h"
#include "base/log.h"
#include "sys/clock.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static volatile sig_atomic_t seen[NSIG];           /* handlers have nowhere else to write */
static volatile sig_atomic_t sender[NSIG];
static void (*shutdown_fn)(int code);

static void record(int sig, siginfo_t *info, void *context)
{
	(void)context;
	sender[sig] = info && info->si_code == SI_USER ? (sig_atomic_t)info->si_pid : 0;
	seen[sig] = 1;
}

static void add(int sig, int flags)
{
	struct sigaction sa = { .sa_sigaction = record, .sa_flags = SA_SIGINFO | flags };
	sigemptyset(&sa.sa_mask);
	sigaction(sig, &sa, NULL);
}

void signals_add_hup(bool restart) { add(SIGHUP, restart ? SA_RESTART : 0); }

void signals_add_handlers(void)
{
	static const struct {
		int sig, flags;
	} rows[] = {
		{ SIGALRM, SA_RESETHAND }, { SIGQUIT, SA_RESETHAND }, { SIGINT, SA_RESETHAND }, { SIGTERM, SA_RESETHAND },
		{ SIGUSR2, 0 }, { SIGHUP, SA_RESTART },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) add(rows[i].sig, rows[i].flags);
}

void signals_on_shutdown(void (*fn)(int code)) { shutdown_fn = fn; }

static void leave(int sig)
{
	if (sender[sig] && sender[sig] != getppid())
		log_msg(LOG_NOTICE, "graceful shutdown initiated by unexpected process %ld", (long)sender[sig]);
	else
		log_msg(LOG_INFO, "graceful shutdown");
	seen[sig] = 0;
	if (shutdown_fn) shutdown_fn(EX_TEMPFAIL);
	exit(EX_TEMPFAIL);
}

int signals_poll(void)
{
	static const int stop[] = { SIGINT, SIGQUIT, SIGTERM };
	for (size_t i = 0; i < sizeof stop / sizeof *stop; i++)
		if (seen[stop[i]]) leave(stop[i]);
	for (int sig = 1; sig < NSIG; sig++)
		if (seen[sig] && sig != SIGUSR2) return sig;
	return 0;
}

void signals_clear(int sig) { seen[sig] = 0; }

bool signals_cancelled(void)
{
	bool was = seen[SIGUSR2];
	seen[SIGUSR2] = 0;
	return was;
}

static void block(sigset_t *before, bool hup)
{
	static const int held[] = { SIGCHLD, SIGALRM, SIGQUIT, SIGINT, SIGTERM, SIGUSR2 };
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof held / sizeof *held; i++) sigaddset(&set, held[i]);
	if (hup) sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, before);
}

static struct timespec *to_timespec(struct timespec *ts, const struct timeval *tv)
{
	if (!tv) return NULL;
	ts->tv_sec = tv->tv_sec;
	ts->tv_nsec = tv->tv_usec * 1000L;
	return ts;
}

int signals_select(int n, fd_set *r, fd_set *w, fd_set *e, struct timeval *timeout)
{
	sigset_t before;
	struct timespec ts;
	block(&before, false);
	signals_poll();
	int got = pselect(n, r, w, e, to_timespec(&ts, timeout), &before), err = errno;
	if (got < 0 && (err == EINTR || err == EAGAIN)) signals_poll();
	sigprocmask(SIG_SETMASK, &before, NULL);
	errno = err;
	return got;
}

static int wait_fd(int fd, const struct timespec *timeout, bool hup)
{
	sigset_t before;
	struct pollfd p = { .fd = fd, .events = POLLIN };      /* not select(): maxfds may be above FD_SETSIZE */
	int got = -1, err = EINTR;
	block(&before, hup);
	if (!signals_poll() || !hup) {
		got = ppoll(&p, 1, timeout, &before);
		err = errno;
		if (got < 0) signals_poll();
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	errno = err;
	return got;
}

int signals_wait_readable(int fd, struct timeval *timeout)
{
	struct timespec ts;
	return wait_fd(fd, to_timespec(&ts, timeout), true);
}

int signals_wait(int fd, int timeout_ms)
{
	int64_t deadline = clock_mono() + (int64_t)timeout_ms * 1000000, left;
	int r;
	do {
		left = deadline - clock_mono();
		if (left < 0) left = 0;
		struct timespec ts = { left / NSEC_PER_SEC, left % NSEC_PER_SEC };
		r = wait_fd(fd, timeout_ms < 0 ? NULL : &ts, false);
	} while (r < 0 && (errno == EINTR || errno == EAGAIN));
	return r;
}

int signals_prot_wait(void *unused, int fd, int timeout_ms)
{
	(void)unused;
	return signals_wait(fd, timeout_ms);
}
