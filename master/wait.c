/* wait.c - the one place where master sleeps. An interrupted wait is retried here and now, and however often it is
 * interrupted the caller learns which descriptors are readable (spec/master.md 22.7). */
#include "base/log.h"
#include "master/master.h"
#include "sys/clock.h"

#include <errno.h>
#include <fcntl.h>

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
			if (!fdset_has(&m->services.want, fds[j]) || fcntl(fds[j], F_GETFD) >= 0) continue;
			log_msg(LOG_CRIT, "service %s: descriptor %d is gone, disabling until next SIGHUP", s->label, fds[j]);
			service_disown(s, fds[j]);
			service_changed(s);
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

static fd_set *fresh_set(struct master *m)
{
	fdset_copy(&m->ready, m->rest_until > m->now ? &m->services.urgent : &m->services.want);
	return fdset_raw(&m->ready);
}

int master_wait(struct master *m, int64_t deadline)
{
	for (int try = 0; try <= RETRY_MAX; try++) {
		struct timespec timeout = until(try == 0 ? deadline : 0);
		fd_set *set = fresh_set(m);
		if (m->kernel->pselect(m->ready.n, set, &timeout, &m->waitmask) >= 0) {
			m->fallbacks = 0;
			return 0;
		}
		m->interrupts++;
		if (errno == EBADF ? !drop_bad(m) : errno != EINTR && errno != EAGAIN) return -1;
	}
	/* Our signals are blocked here, so none of them can keep us from learning what is readable. */
	struct timeval zero = { 0, 0 };
	note_fallback(m);
	fd_set *set = fresh_set(m);
	if (m->kernel->select(m->ready.n, set, &zero) < 0) fdset_clear(&m->ready);
	return 0;
}
