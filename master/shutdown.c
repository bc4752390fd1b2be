/* shutdown.c - leaving: TERM to everybody, no more forks, out when the last worker is gone (spec/master.md 15). Nobody is
 * killed: a worker that ignores TERM is named in the log and waited for. */
#include "base/log.h"
#include "master/master.h"
#include "master/signals.h"
#include "sys/clock.h"

#include <unistd.h>

static void signal_each(struct master *m)
{
	for (const struct child *c = m->children.all; c; c = c->next)
		if (c->kind != KIND_ZOMBIE && !c->waited) m->kernel->kill(c->pid, SIGTERM);
}

void shutdown_begin(struct master *m)
{
	if (m->shutting_down) return;
	m->shutting_down = true;
	m->shutdown_began = m->stragglers_logged = m->now;
	log_msg(LOG_INFO, "attempting clean shutdown on signal");
	notify_stopping(&m->notify, m->now);
	for (size_t i = 0; i < m->services.slots.n; i++) service_changed(service_at(&m->services, i));     /* no more clients */
	/* The whole group only when it is ours: whatever started us in the foreground may share it. */
	if (getpgrp() == getpid()) m->kernel->kill(-getpgrp(), SIGTERM);
	else signal_each(m);
}

static void log_stragglers(struct master *m)
{
	char who[512];
	if (m->now - m->stragglers_logged < STRAGGLERS_EVERY) return;
	m->stragglers_logged = m->now;
	for (const struct child *c = m->children.all; c; c = c->next) {
		if (c->kind == KIND_ZOMBIE) continue;
		child_describe(c, m->now, who, sizeof who);
		log_msg(LOG_NOTICE, "still waiting for %s", who);
	}
}

/* The wait daemon started last among those that live. */
static struct child *last_wait_daemon(const struct master *m)
{
	if (!m->children.alive_waited) return NULL;
	for (size_t i = m->services.slots.n; i-- > 0;) {
		const struct service *s = service_at(&m->services, i);
		for (struct child *c = s->daemon && service_active(s) ? m->children.all : NULL; c; c = c->next)
			if (c->service == s && c->waited) return c;
	}
	return NULL;
}

static unsigned others_alive(const struct master *m)
{
	const struct child_table *t = &m->children;
	unsigned n = children_alive(t, KIND_SERVICE) + children_alive(t, KIND_DAEMON) - t->alive_waited;
	bool grace = m->now - m->shutdown_began < EVENTS_GRACE;
	return n + (grace ? children_alive(t, KIND_EVENT) : 0);
}

void shutdown_phase(struct master *m)
{
	if (!m->shutting_down) return;
	log_stragglers(m);
	if (others_alive(m)) return;
	struct child *c = last_wait_daemon(m);
	if (!c) {
		log_msg(LOG_NOTICE, "All children have exited, closing down");
		m->done = true;
	} else if (!c->hup_sent) {
		c->hup_sent = m->now;              /* told to go; the next one is told when this one is gone */
		m->kernel->kill(c->pid, SIGTERM);
	}
}
