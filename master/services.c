/* services.c - see services.h: who may fork, and what failures lead to. Sockets are made in listen.c. */
#include "master/services.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/program.h"
#include "sys/clock.h"
#include "sys/sys.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BACKOFF_FIRST (NSEC_PER_SEC / 10)
#define BACKOFF_MAX (5 * NSEC_PER_SEC)
#define FORK_LOG_EVERY (10 * NSEC_PER_SEC)

unsigned service_room(const struct service *s)
{
	unsigned active = service_active(s);
	if (s->maxchild < 0) return UINT_MAX;
	return (unsigned)s->maxchild > active ? (unsigned)s->maxchild - active : 0;
}

/* The estimator of section 9.3: decays with a half-life of a second, converges to the true rate. */
bool service_limited(struct service *s, int64_t now)
{
	if (s->maxforkrate <= 0) return false;
	double dt = (double)(now - s->rate_checked) / (double)NSEC_PER_SEC;
	if (dt > 0) {
		double f = pow(0.5, dt);
		s->forkrate = f * s->forkrate + (1 - f) * (double)s->interval_forks / dt;
		s->interval_forks = 0;
		s->rate_checked = now;
	}
	if (s->forkrate < (double)s->maxforkrate) return false;
	if (s->not_before < now + FORK_RATE_PAUSE) s->not_before = now + FORK_RATE_PAUSE;
	return true;
}

bool service_may_fork(struct service *s, int64_t now)
{
	if (!s->enabled || s->failed || now < s->not_before || !service_room(s)) return false;
	return !service_limited(s, now);
}

void service_ready_failure(struct service *s, int64_t now)
{
	int64_t since = s->lastreadyfail > s->not_before ? s->lastreadyfail : s->not_before;
	if (now - since > READY_FAILS_FORGET) s->nreadyfails = 0;
	s->lastreadyfail = now;
	s->nreadyfails++;
	if (s->nreadyfails < READY_FAILS_MAX || s->failed) return;
	if (s->wait) {
		log_msg(LOG_ERR, "ERROR: too many failures for service %s, restarting it nevertheless", s->label);
	} else if (s->babysit || s->daemon) {
		log_msg(LOG_ERR, "ERROR: too many failures for service %s, disabling for 10 seconds", s->label);
		s->not_before = now + READY_FAILS_FORGET;
	} else {
		log_msg(LOG_ERR, "ERROR: too many failures for service %s, disabling until next SIGHUP", s->label);
		s->failed = true;
		service_close(s);
	}
}

void service_fork_failed(struct service *s, int64_t now, int err)
{
	s->backoff = s->backoff ? s->backoff * 2 : BACKOFF_FIRST;
	if (s->backoff > BACKOFF_MAX) s->backoff = BACKOFF_MAX;
	s->not_before = now + s->backoff;
	if (s->fork_logged && now - s->fork_logged < FORK_LOG_EVERY) return;
	s->fork_logged = now;
	log_msg(LOG_ERR, "can't fork process to run service %s: %s", s->label, strerror(err));
}

void service_close(struct service *s)
{
	if (s->sock < 0) return;
	shutdown(s->sock, SHUT_RDWR);      /* wakes the workers that wait in it */
	sys_close(s->sock);
	s->sock = -1;
}

void service_configure(struct service *s, const struct cyrusconf_entry *e)
{
	strarray_free(&s->argv);
	for (size_t i = 0; i < e->argv.n; i++) strarray_append(&s->argv, e->argv.v[i]);
	free(s->path);
	s->path = program_path(e->argv.v[0]);
	s->prefork = e->prefork;
	s->maxchild = e->maxchild;
	s->babysit = e->babysit;
	s->maxforkrate = e->maxforkrate;
	s->maxfds = e->maxfds;
	s->wait = e->wait;
	if (s->daemon) {
		s->prefork = s->maxchild = 1;
		s->babysit = true;
	} else if (s->dgram) {
		s->babysit = false;
		s->maxchild = 1;
		if (s->prefork > 1) s->prefork = 1;
	} else if (s->babysit && s->prefork <= 0) {
		s->prefork = 1;
	}
	if (s->babysit && s->maxforkrate <= 0) s->maxforkrate = 10;
	s->enabled = true;
	s->failed = false;
	s->nreadyfails = 0;
	s->not_before = 0;
	s->backoff = 0;
}

struct service *service_new(struct service_table *t, const struct cyrusconf_entry *e, const char *family)
{
	struct service *s = mem_zalloc(sizeof *s);
	s->name = mem_strdup(e->name);
	s->listen = e->listen ? mem_strdup(e->listen) : NULL;
	s->proto = mem_strdup(e->proto);
	s->family = family;
	s->label = mem_printf("%s/%s", e->name, family);
	s->sock = s->status[0] = s->status[1] = -1;
	s->rate_checked = clock_mono();
	s->lastreadyfail = s->rate_checked - READY_FAILS_FORGET;
	for (size_t i = 0; i < t->slots.n; i++) {
		const struct service *o = service_at(t, i);
		if (o->enabled && !strcmp(o->name, s->name) && o->instance >= s->instance) s->instance = o->instance + 1;
	}
	ptrarray_append(&t->slots, s);
	return s;
}

void service_free(struct service *s)
{
	service_close(s);
	for (int i = 0; i < 2; i++)
		if (s->status[i] >= 0) sys_close(s->status[i]);
	strarray_free(&s->argv);
	free(s->path);
	free(s->name);
	free(s->listen);
	free(s->proto);
	free(s->label);
	free(s);
}

void services_free(struct service_table *t)
{
	for (size_t i = 0; i < t->slots.n; i++) service_free(service_at(t, i));
	ptrarray_free(&t->slots);
}
