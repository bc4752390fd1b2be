/* janitor.c - walks the child table a slice at a time: forgets the dead, names those that ignore a reload; and looks now and
 * then whether clients wait for workers that do not come. */
#include "base/log.h"
#include "master/master.h"
#include "sys/clock.h"

#define HUP_PATIENCE (30 * NSEC_PER_SEC)
#define QUEUES_EVERY (10 * NSEC_PER_SEC)
#define QUEUE_PATIENCE (10 * NSEC_PER_SEC)
#define QUEUE_LOG_EVERY (60 * NSEC_PER_SEC)

static void look_at(struct master *m, struct child *c)
{
	if (c->state == CHILD_DEAD) {
		if (m->now - c->died >= CHILD_DEAD_KEPT) child_drop(&m->children, c);
	} else if (c->hup_sent && !c->hup_logged && !m->shutting_down && m->now - c->hup_sent >= HUP_PATIENCE) {
		char who[512];
		c->hup_logged = true;
		child_describe(c, m->now, who, sizeof who);
		log_msg(LOG_NOTICE, "%s did not act on SIGHUP for 30 seconds", who);
	}
}

/* The complaint of users is "refused"; this is what an administrator finds in the log before that. */
static void look_at_queue(struct master *m, struct service *s)
{
	int n = m->kernel->queue(s->sock);
	if (!s->waiting_since) s->waiting_since = m->now;
	if (n == 0 || m->now - s->waiting_since < QUEUE_PATIENCE) return;
	if (s->waiting_logged && m->now - s->waiting_logged < QUEUE_LOG_EVERY) return;
	s->waiting_logged = m->now;
	if (n < 0) n = 1;                  /* at least */
	if (service_ready(s))
		log_msg(LOG_WARNING, "service %s: %d clients wait, and %u ready workers do not take them", s->label, n, service_ready(s));
	else if (!service_room(s))
		log_msg(LOG_WARNING, "service %s: %d clients wait, and all %d workers that maxchild allows are busy", s->label, n,
			s->maxchild);
	else
		log_msg(LOG_WARNING, "service %s: %d clients wait, and no worker can be started", s->label, n);
}

/* One question for all listening sockets, whether anybody waits; only those are looked at. */
static void queues_phase(struct master *m)
{
	struct fdset waiting = FDSET_INIT;
	struct timeval zero = { 0, 0 };
	if (m->now - m->queues_looked_at < QUEUES_EVERY || m->shutting_down) return;
	m->queues_looked_at = m->now;
	for (size_t i = 0; i < m->services.slots.n; i++) {
		const struct service *s = service_at(&m->services, i);
		if (s->sock >= 0 && !s->dgram) fdset_add(&waiting, s->sock);
	}
	if (m->kernel->select(waiting.n, fdset_raw(&waiting), &zero) < 0) fdset_clear(&waiting);
	for (size_t i = 0; i < m->services.slots.n; i++) {
		struct service *s = service_at(&m->services, i);
		if (fdset_has(&waiting, s->sock)) look_at_queue(m, s);
		else s->waiting_since = 0;
	}
	fdset_free(&waiting);
}

void janitor_phase(struct master *m)
{
	queues_phase(m);
	struct child_table *t = &m->children;
	if (!children_alive(t, KIND_ZOMBIE) && m->now - m->hup_sent > 2 * HUP_PATIENCE) {
		m->janitor_mark = m->now;      /* nobody to forget, nobody to mention */
		return;
	}
	double share = (double)(m->now - m->janitor_mark) / (double)NSEC_PER_SEC * m->opt.janitor * CHILD_CHAINS;
	size_t chains = share >= CHILD_CHAINS ? CHILD_CHAINS : (size_t)share;
	if (!chains) return;               /* the mark stays, so that the shares of short passes add up */
	m->janitor_mark = m->now;
	for (; chains; chains--, t->cursor = (t->cursor + 1) % CHILD_CHAINS)
		for (struct child *c = t->chains[t->cursor], *next; c; c = next) {
			next = c->chain;
			look_at(m, c);
		}
}
