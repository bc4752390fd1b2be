/* loop.c - one pass of master. Every phase runs on every pass and is bounded; only the wait blocks (spec/master.md 22.7).
 *
 *   P0 signals in - P1 clock - P2 flags - P3 reap - P4 events - P5 staff - P6 want - P7 deadline - P8 wait -
 *   P9 messages - P10 clients - P11 janitor, metrics */
#include "base/log.h"
#include "base/mem.h"
#include "master/master.h"
#include "master/signals.h"
#include "sys/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void master_init(struct master *m, const struct kernel *k)
{
	memset(m, 0, sizeof *m);
	m->kernel = k;
	m->opt.backlog = 32;
	m->opt.janitor = 1;
	sigemptyset(&m->waitmask);
	m->now = m->janitor_mark = clock_mono();
	m->metrics_due = m->now;
#ifdef __SANITIZE_ADDRESS__
	m->check = true;
#endif
}

void master_free(struct master *m)
{
	children_free(&m->children);
	services_free(&m->services);
	events_free(&m->events);
	free(m->cyrus_path);
	conf_free(m->conf);
	m->conf = NULL;
	m->cyrus_path = NULL;
}

static void flags_phase(struct master *m)
{
	int term = signal_flags.term, hup = signal_flags.hup;
	signal_flags.term = signal_flags.hup = 0;
	if (term && !m->shutting_down) shutdown_begin(m);
	if (hup && !m->shutting_down) master_reload(m);
}

static void events_phase(struct master *m)
{
	time_t wall = clock_now();
	int ran = 0;
	for (size_t i = 0; i < m->events.n && !m->shutting_down; i++) {
		struct event *e = &m->events.v[i];
		if (ran == EVENT_MAX) {
			m->work_left = true;           /* those behind are still due next pass */
			return;
		}
		if (!event_due(e, m->now, wall)) continue;
		event_ran(e, m->now, wall);
		ran++;
		if (spawn_command(m, KIND_EVENT, e->name, &e->argv) < 0)
			log_msg(LOG_ERR, "can't fork process to run event %s: %s", e->name, strerror(errno));
	}
}

static bool fork_one(struct master *m, struct service *s)
{
	if (m->forked == SPAWN_MAX) {
		m->work_left = true;
		return false;
	}
	if (!service_may_fork(s, m->now)) return false;
	m->forked++;
	if (spawn_service(m, s) > 0) {
		s->backoff = 0;
		return true;
	}
	service_fork_failed(s, m->now, errno);
	return false;
}

static unsigned idle_wanted(const struct service *s)
{
	return s->prefork > 0 ? (unsigned)s->prefork : 0;
}

static void staff_one(struct master *m, struct service *s)
{
	if (s->babysit && !s->daemon && s->nforks && !service_active(s) && service_may_fork(s, m->now))
		log_msg(LOG_ERR, "lost all children for service: %s", s->label);
	while (service_ready(s) < idle_wanted(s) && fork_one(m, s)) {}
}

static void drop_removed(struct master *m)
{
	struct service_table *t = &m->services;
	for (size_t i = t->slots.n; i-- > 0;) {
		struct service *s = service_at(t, i);
		if (s->enabled || service_active(s)) continue;
		children_forget_service(&m->children, s);
		ptrarray_remove(&t->slots, i);
		service_free(s);
	}
}

static void staff_phase(struct master *m)
{
	struct service_table *t = &m->services;
	drop_removed(m);
	size_t n = t->slots.n;
	if (n) t->turn = (t->turn + 1) % n;
	for (size_t i = 0; i < n && !m->shutting_down; i++) staff_one(m, service_at(t, (t->turn + i) % n));
}

static void want_fd(struct master *m, int fd)
{
	if (fd < 0 || fd >= FD_SETSIZE) return;
	FD_SET(fd, &m->want);
	if (fd > m->maxfd) m->maxfd = fd;
}

/* Would a readable listening socket lead to a fork now? Only then is it watched, or we would spin. */
static bool serves_clients(struct master *m, struct service *s)
{
	return !m->shutting_down && s->sock >= 0 && !service_ready(s) && service_may_fork(s, m->now);
}

static void want_phase(struct master *m)
{
	FD_ZERO(&m->want);
	m->maxfd = -1;
	if (m->forked == SPAWN_MAX) m->work_left = true;       /* clients have to wait for the next pass: make it soon */
	for (size_t i = 0; i < m->services.slots.n; i++) {
		struct service *s = service_at(&m->services, i);
		want_fd(m, s->status[0]);
		if (m->forked < SPAWN_MAX && serves_clients(m, s)) want_fd(m, s->sock);
	}
}

static int64_t next_deadline(const struct master *m)
{
	if (m->work_left) return m->now;
	int64_t first = m->now + WAKE_EVERY;
	if (m->shutting_down) return first < m->shutdown_began + EVENTS_GRACE || m->now >= m->shutdown_began + EVENTS_GRACE
		? first : m->shutdown_began + EVENTS_GRACE;
	int64_t event = events_deadline(&m->events, m->now, clock_real_ns());
	if (event < first) first = event;
	if (m->conf && m->metrics_due < first) first = m->metrics_due;
	for (size_t i = 0; i < m->services.slots.n; i++) {
		const struct service *s = service_at(&m->services, i);
		if (s->not_before > m->now && s->not_before < first && s->enabled && !s->failed) first = s->not_before;
	}
	return first;
}

static void clients_phase(struct master *m)
{
	for (size_t i = 0; i < m->services.slots.n; i++) {
		struct service *s = service_at(&m->services, (m->services.turn + i) % m->services.slots.n);
		if (m->nready > 0 && s->sock >= 0 && FD_ISSET(s->sock, &m->ready) && serves_clients(m, s)) fork_one(m, s);
	}
}

/* Test builds recount on every pass. */
static void check_counts(const struct master *m)
{
	const struct service *wrong = NULL;
	if (m->check && !children_check(&m->children, &m->services, &wrong))
		log_msg(LOG_CRIT, "INVARIANT: the counters of service %s differ from the child table", wrong ? wrong->label : "?");
}

void master_pass(struct master *m)
{
	m->passes++;
	m->work_left = false;
	m->forked = 0;
	signals_window(&m->waitmask);
	m->now = clock_mono();
	flags_phase(m);
	reap_phase(m);
	shutdown_phase(m);
	if (m->done) return;
	events_phase(m);
	staff_phase(m);
	want_phase(m);
	if (master_wait(m, next_deadline(m)) < 0) {
		log_msg(LOG_CRIT, "cannot wait for descriptors: %s", strerror(errno));
		m->nready = 0;
		shutdown_begin(m);
	}
	m->now = clock_mono();
	status_phase(m);
	clients_phase(m);
	janitor_phase(m);
	metrics_phase(m);
	check_counts(m);
}
