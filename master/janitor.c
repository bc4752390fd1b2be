/* janitor.c - walks the child table a slice at a time: forgets the dead, names those that ignore a reload. */
#include "base/log.h"
#include "master/master.h"
#include "sys/clock.h"

#define HUP_PATIENCE (30 * NSEC_PER_SEC)

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

void janitor_phase(struct master *m)
{
	struct child_table *t = &m->children;
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
