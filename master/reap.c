/* reap.c - dead children. First the pids, then everything they had written, then their deaths: a worker that reported a
 * client and then crashed is never taken for one that crashed while idle (spec/master.md 8, 10). */
#include "base/log.h"
#include "conf/procfile.h"
#include "master/master.h"
#include "master/signals.h"
#include "sys/clock.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>

#define DRAIN_MAX 65536                        /* bytes: what a pipe holds */

struct death {
	pid_t pid;
	int status;
};

static bool failed(int status)
{
	if (WIFSIGNALED(status)) return true;
	return WIFEXITED(status) && WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != EX_TEMPFAIL;
}

static void log_death(const char *who, int status)
{
	if (WIFSIGNALED(status)) {
		int sig = WTERMSIG(status);
		log_msg(LOG_ERR, "%s signaled to death by signal %d (%s)%s", who, sig, strsignal(sig),
			WCOREDUMP(status) ? " (core dumped)" : "");
	} else if (WEXITSTATUS(status) == 0) {
		log_msg(LOG_DEBUG, "%s exited normally", who);
	} else if (WEXITSTATUS(status) == EX_TEMPFAIL) {
		log_msg(LOG_DEBUG, "%s was killed", who);
	} else {
		log_msg(LOG_ERR, "%s exited, status %d", who, WEXITSTATUS(status));
	}
}

/* What a death means for its service; the child is still in the state it died in. */
static void account(struct master *m, struct child *c, int status)
{
	struct service *s = c->service;
	bool our_hup = WIFSIGNALED(status) && WTERMSIG(status) == SIGHUP && c->hup_sent;
	if (!s) return;
	s->ndeaths++;
	switch (c->state) {
	case CHILD_READY:
		if (failed(status) && !our_hup && !m->shutting_down) service_ready_failure(s, m->now);
		break;
	case CHILD_BUSY:
		if (failed(status)) log_msg(LOG_DEBUG, "service %s pid %ld in state %d: terminated abnormally",
			s->label, (long)c->pid, c->state);
		break;
	case CHILD_DEAD: break;
	default:
		log_msg(LOG_WARNING, "service %s pid %ld in state %d: died in an unknown state", s->label, (long)c->pid, c->state);
		break;
	}
}

static void apply(struct master *m, const struct death *d)
{
	char who[512];
	struct child *c = child_find(&m->children, d->pid);
	if (!c || c->state == CHILD_DEAD) {
		snprintf(who, sizeof who, "unknown process pid:%ld", (long)d->pid);
		log_death(who, d->status);
		return;
	}
	child_describe(c, m->now, who, sizeof who);
	log_death(who, d->status);
	account(m, c, d->status);
	if (m->conf && (c->kind != KIND_SERVICE || failed(d->status))) procfile_remove(m->conf, d->pid);
	child_bury(&m->children, c, m->now);
}

static struct service *service_of(const struct master *m, const struct death *d)
{
	struct child *c = child_find(&m->children, d->pid);
	return c && c->service && c->service->status[0] >= 0 ? c->service : NULL;
}

/* Each pipe once, by what is in it now: a worker's writes end before its death can be reaped. */
static void drain_concerned(struct master *m, const struct death *deaths, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct service *s = service_of(m, &deaths[i]);
		if (s) s->drain = true;
	}
	for (size_t i = 0; i < n; i++) {
		struct service *s = service_of(m, &deaths[i]);
		if (!s || !s->drain) continue;
		s->drain = false;
		int there = m->kernel->available(s->status[0]);
		if (there > 0) status_drain(m, s, (size_t)there < DRAIN_MAX ? (size_t)there : DRAIN_MAX);
	}
}

void reap_phase(struct master *m)
{
	struct death deaths[REAP_MAX];
	size_t n = 0;
	if (!signal_flags.chld) return;
	signal_flags.chld = 0;
	while (n < REAP_MAX) {
		pid_t pid = m->kernel->reap(&deaths[n].status);
		if (pid <= 0) break;
		deaths[n++].pid = pid;
	}
	if (n == REAP_MAX) {
		signal_flags.chld = SIGCHLD;       /* there may be more: next pass */
		m->work_left = true;
	}
	drain_concerned(m, deaths, n);
	for (size_t i = 0; i < n; i++) apply(m, &deaths[i]);
}
