/* wait.c - the one place where master sleeps. An interrupted wait is retried here and now, and however often it is
 * interrupted the caller learns which descriptors are readable (spec/master.md 22.7). */
#include "base/log.h"
#include "master/master.h"
#include "sys/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define FALLBACKS_WORTH_A_LINE 5
#define FALLBACK_LOG_EVERY (60 * NSEC_PER_SEC)

static struct timespec until(int64_t deadline)
{
	int64_t left = deadline - clock_mono();
	if (left > WAKE_EVERY) left = WAKE_EVERY;
	if (left < 0) left = 0;
	return (struct timespec){ .tv_sec = left / NSEC_PER_SEC, .tv_nsec = left % NSEC_PER_SEC };
}

/* EBADF: somebody closed a descriptor behind our back. Whoever owns it is given up until the next reload. */
static bool drop_bad(struct master *m)
{
	bool found = false;
	for (size_t i = 0; i < m->services.slots.n; i++) {
		struct service *s = service_at(&m->services, i);
		const int fds[2] = { s->sock, s->status[0] };
		for (int j = 0; j < 2; j++) {
			if (fds[j] < 0 || !FD_ISSET(fds[j], &m->want) || fcntl(fds[j], F_GETFD) >= 0) continue;
			log_msg(LOG_CRIT, "service %s: descriptor %d is gone, disabling until next SIGHUP", s->label, fds[j]);
			FD_CLR(fds[j], &m->want);
			s->failed = found = true;
			if (j == 0) s->sock = -1;
			else s->status[0] = -1;
		}
	}
	return found;
}

static void note_fallback(struct master *m)
{
	m->fallbacks++;
	m->fallbacks_total++;
	if (m->fallbacks <= FALLBACKS_WORTH_A_LINE) return;
	int64_t now = clock_mono();
	if (m->fallback_logged && now - m->fallback_logged < FALLBACK_LOG_EVERY) return;
	m->fallback_logged = now;
	log_msg(LOG_WARNING, "the wait for clients was interrupted again and again: %llu times so far",
		(unsigned long long)m->fallbacks_total);
}

int master_wait(struct master *m, int64_t deadline)
{
	for (int try = 0; try <= RETRY_MAX; try++) {
		struct timespec timeout = until(try == 0 ? deadline : 0);
		m->ready = m->want;
		int r = m->kernel->pselect(m->maxfd + 1, &m->ready, &timeout, &m->waitmask);
		if (r >= 0) {
			m->nready = r;
			m->fallbacks = 0;
			return 0;
		}
		if (errno == EBADF ? !drop_bad(m) : errno != EINTR && errno != EAGAIN) return -1;
	}
	/* Our signals are blocked here, so none of them can keep us from learning what is readable. */
	struct timeval zero = { 0, 0 };
	note_fallback(m);
	m->ready = m->want;
	m->nready = m->kernel->select(m->maxfd + 1, &m->ready, &zero);
	if (m->nready < 0) {
		m->nready = 0;
		FD_ZERO(&m->ready);
	}
	return 0;
}
