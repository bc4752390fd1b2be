/* loop.c - one pass of master. Every phase runs on every pass and is bounded; only the wait blocks (spec/master.md 22.7).
 *
 *   P0 signals in - P1 clock - P2 flags - P3 reap - P4 events - P5, P6 staff and want, of the services that changed -
 *   P7 deadline - P8 wait - P9 messages - P10 clients - P11 janitor, metrics */
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
	services_init(&m->services);
	m->now = m->janitor_mark = m->started = m->woke = m->minute = m->queues_looked_at = clock_mono();
	m->metrics_due = m->now;
	m->watch = -1;
#ifdef __SANITIZE_ADDRESS__
	m->check = true;
#endif
}

void master_free(struct master *m)
{
	watch_close(m);
	children_free(&m->children);
	services_free(&m->services);
	events_free(&m->events);
	fdset_free(&m->ready);
	ptrarray_free(&m->talkers);
	ptrarray_free(&m->callers);
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
	if (m->shutting_down || !events_due(&m->events, m->now, wall)) return;
	for (size_t i = 0; i < m->events.n; i++) {
		struct event *e = &m->events.v[i];
		if (ran == EVENT_MAX) {
			m->work_left = true;           /* those behind are still due next pass */
			return;
		}
		if (!event_due(e, m->now, wall)) continue;
		event_ran(e, m->now, wall);
		ran++;
		if (spawn_command(m, KIND_EVENT, e->name, &e->argv) < 0 && kernel_short_of(errno))
			log_msg(LOG_ERR, "can't fork process to run event %s: %s", e->name, strerror(errno));
	}
	events_plan(&m->events, wall);
}

static bool fork_one(struct master *m, struct service *s, unsigned most)
{
	if (m->forked >= most) {
		m->work_left = true;
		return false;
	}
	if (!service_may_fork(s, m->now)) return false;
	m->forked++;
	if (spawn_service(m, s) > 0) {
		s->backoff = 0;
		return true;
	}
	if (kernel_short_of(errno)) {
		service_fork_failed(s, m->now, errno);
	} else {
		log_msg(LOG_ERR, "service %s: couldn't exec %s: %s", s->label, s->path, strerror(errno));
		service_ready_failure(s, m->now);
	}
	return false;
}

static unsigned idle_wanted(const struct service *s)
{
	return s->prefork > 0 ? (unsigned)s->prefork : 0;
}

static void staff_one(struct master *m, struct service *s)
{
	if (m->shutting_down) return;
	if (s->babysit && !s->daemon && s->nforks && !service_active(s) && service_may_fork(s, m->now))
		log_msg(LOG_ERR, "lost all children for service: %s", s->label);
	while (service_ready(s) < idle_wanted(s))
		if (!fork_one(m, s, SPAWN_MAX - SPAWN_CLIENTS)) {
			if (m->work_left) service_changed(s);      /* the rest next pass, behind those who wait */
			return;
		}
}

/* Would a readable listening socket lead to a fork now? Only then is it watched, or we would spin. */
static bool serves_clients(struct master *m, struct service *s)
{
	return !m->shutting_down && s->sock >= 0 && !service_ready(s) && service_may_fork(s, m->now);
}

static void put(struct fdset *set, int fd, bool in)
{
	if (in) fdset_add(set, fd);
	else fdset_remove(set, fd);
}

/* Nothing that its workers report can make us act: it may have no more of them, or has idle ones to spare. */
static bool at_ease(const struct service *s)
{
	return !service_room(s) || (service_ready(s) >= READY_PLENTY && service_ready(s) >= idle_wanted(s));
}

static void watch_one(struct master *m, struct service *s)
{
	struct service_table *t = &m->services;
	if (s->status[0] >= 0) {
		fdset_add(&t->want, s->status[0]);
		put(&t->urgent, s->status[0], !at_ease(s));
	}
	if (s->sock < 0) return;
	bool serve = serves_clients(m, s);
	put(&t->want, s->sock, serve);
	put(&t->urgent, s->sock, serve);
}

/* P5 and P6 for each service of which something changed since the last pass. */
static void staff_phase(struct master *m)
{
	struct service_table *t = &m->services;
	services_wake(t, m->now);
	struct ptrarray changed = t->changed;
	t->changed = (struct ptrarray)PTRARRAY_INIT;
	for (size_t i = 0; i < changed.n; i++) {
		struct service *s = changed.v[i];
		s->queued = false;
		if (!s->enabled && !service_active(s)) {
			children_forget_service(&m->children, s);
			services_drop(t, s);
			continue;
		}
		staff_one(m, s);
		watch_one(m, s);
	}
	ptrarray_free(&changed);
}

static int64_t chores_due(const struct master *m)
{
	int64_t log = repeat_due(&m->repeat), manager = notify_due(&m->notify);
	return log < manager ? log : manager;
}

static int64_t next_deadline(const struct master *m)
{
	if (m->work_left || m->services.changed.n) return m->now;
	int64_t first = m->now + WAKE_EVERY;
	if (m->rest_until > m->now) first = m->rest_until;
	if (chores_due(m) < first) first = chores_due(m);
	if (m->shutting_down) {
		int64_t grace = m->shutdown_began + EVENTS_GRACE;
		return grace > m->now && grace < first ? grace : first;
	}
	int64_t event = events_deadline(&m->events, m->now, clock_real_ns());
	if (event < first) first = event;
	if (m->conf && m->metrics_due < first) first = m->metrics_due;
	if (m->services.paused_until < first) first = m->services.paused_until;
	return first;
}

/* Sorts what is readable into services with messages and services with clients. */
static void sort_ready(struct master *m)
{
	m->talkers.n = m->callers.n = 0;
	for (int fd = fdset_next(&m->ready, 0); fd >= 0; fd = fdset_next(&m->ready, fd + 1)) {
		struct service *s = services_owner(&m->services, fd);
		if (s) ptrarray_append(fd == s->sock ? &m->callers : &m->talkers, s);
	}
}

/* One child for each client that waits, as far as is known how many do: each would wait for the one before it otherwise. */
static void serve_waiting(struct master *m, struct service *s)
{
	int waiting = s->dgram ? 1 : m->kernel->queue(s->sock);
	if (!serves_clients(m, s)) return;
	do {
		if (!fork_one(m, s, SPAWN_MAX)) return;
	} while (--waiting > 0);
}

static void clients_phase(struct master *m)
{
	size_t n = m->callers.n;
	for (size_t i = 0; i < n; i++) serve_waiting(m, m->callers.v[(m->services.turn + i) % n]);
	m->services.turn++;
}

/* How long clients and messages had to wait, at most, because master was busy. */
static void measure_pass(struct master *m)
{
	int64_t now = clock_mono(), took = now - m->woke;
	if (now - m->minute >= 60 * NSEC_PER_SEC) {
		m->minute = now;
		m->minute_longest[1] = m->minute_longest[0];
		m->minute_longest[0] = 0;
	}
	if (took > m->minute_longest[0]) m->minute_longest[0] = took;
	if (took > m->longest_pass) m->longest_pass = took;
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
	measure_pass(m);
	if (master_wait(m, next_deadline(m)) < 0) {
		log_msg(LOG_CRIT, "cannot wait for descriptors: %s", strerror(errno));
		fdset_clear(&m->ready);
		shutdown_begin(m);
	}
	m->now = m->woke = clock_mono();
	sort_ready(m);
	if (m->talkers.n) m->rest_until = m->now + STATUS_REST;
	status_phase(m);
	clients_phase(m);
	watch_phase(m);
	janitor_phase(m);
	metrics_phase(m);
	manager_phase(m);
	if (repeat_due(&m->repeat) <= m->now) repeat_flush(&m->repeat, m->now);
	check_counts(m);
}
