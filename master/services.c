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
	/* What was forked in this very moment counts as it will a moment later: a burst is no way around the limit. */
	if (s->forkrate + M_LN2 * (double)s->interval_forks < (double)s->maxforkrate) return false;
	service_pause(s, now + FORK_RATE_PAUSE);
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
	s->nfailures++;
	service_changed(s);
	if (s->nreadyfails < READY_FAILS_MAX || s->failed) return;
	if (s->wait) {
		log_msg(LOG_ERR, "ERROR: too many failures for service %s, restarting it nevertheless", s->label);
	} else if (s->babysit || s->daemon) {
		log_msg(LOG_ERR, "ERROR: too many failures for service %s, disabling for 10 seconds", s->label);
		service_pause(s, now + READY_FAILS_FORGET);
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
	service_pause(s, now + s->backoff);
	if (s->fork_logged && now - s->fork_logged < FORK_LOG_EVERY) return;
	s->fork_logged = now;
	log_msg(LOG_ERR, "can't fork process to run service %s: %s", s->label, strerror(err));
}

void service_changed(struct service *s)
{
	if (s->queued) return;
	s->queued = true;
	ptrarray_append(&s->table->changed, s);
}

void service_pause(struct service *s, int64_t until)
{
	if (s->not_before < until) s->not_before = until;
	if (s->not_before < s->table->paused_until) s->table->paused_until = s->not_before;
	if (!s->paused) ptrarray_append(&s->table->paused, s);
	s->paused = true;
	service_changed(s);
}

void services_wake(struct service_table *t, int64_t now)
{
	size_t kept = 0;
	if (now < t->paused_until) return;
	t->paused_until = INT64_MAX;
	for (size_t i = 0; i < t->paused.n; i++) {
		struct service *s = t->paused.v[i];
		s->paused = s->not_before > now;
		if (!s->paused) {
			service_changed(s);
			continue;
		}
		if (s->not_before < t->paused_until) t->paused_until = s->not_before;
		t->paused.v[kept++] = s;
	}
	t->paused.n = kept;
}

void service_own(struct service *s, int fd)
{
	struct service_table *t = s->table;
	size_t had = t->owners;
	if ((size_t)fd >= had) {
		MEM_GROW(t->owner, t->owners, (size_t)fd + 1);
		memset(t->owner + had, 0, (t->owners - had) * sizeof(*t->owner));
	}
	t->owner[fd] = s;
}

void service_disown(struct service *s, int fd)
{
	if (fd < 0) return;
	fdset_remove(&s->table->want, fd);
	fdset_remove(&s->table->urgent, fd);
	s->table->owner[fd] = NULL;
}

struct service *services_owner(const struct service_table *t, int fd)
{
	return fd >= 0 && (size_t)fd < t->owners ? t->owner[fd] : NULL;
}

struct service *services_named(const struct service_table *t, const char *name) { return hash_gets(t->names, name); }

void service_close(struct service *s)
{
	if (s->sock < 0) return;
	service_disown(s, s->sock);
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
	service_changed(s);
}

struct service *service_new(struct service_table *t, const struct cyrusconf_entry *e, const char *family)
{
	struct service *s = mem_zalloc(sizeof *s);
	s->table = t;
	s->name = mem_strdup(e->name);
	s->listen = e->listen ? mem_strdup(e->listen) : NULL;
	s->proto = mem_strdup(e->proto);
	s->family = family;
	s->label = mem_printf("%s/%s", e->name, family);
	s->sock = s->status[0] = s->status[1] = -1;
	s->rate_checked = clock_mono();
	s->lastreadyfail = s->rate_checked - READY_FAILS_FORGET;
	s->namesake = services_named(t, s->name);
	for (const struct service *o = s->namesake; o; o = o->namesake)
		if (o->enabled && o->instance >= s->instance) s->instance = o->instance + 1;
	hash_puts(t->names, s->name, s);
	ptrarray_append(&t->slots, s);
	return s;
}

static void service_free(struct service *s)
{
	service_close(s);
	service_disown(s, s->status[0]);
	for (int i = 0; i < 2; i++)
		if (s->status[i] >= 0) sys_close(s->status[i]);
	strarray_free(&s->argv);
	for (size_t i = 0; s->env && s->env[i]; i++) free(s->env[i]);
	free(s->env);
	free(s->path);
	free(s->name);
	free(s->listen);
	free(s->proto);
	free(s->label);
	free(s);
}

static void forget(struct ptrarray *a, const struct service *s)
{
	long i = ptrarray_find(a, s);
	if (i >= 0) ptrarray_remove(a, (size_t)i);
}

static void forget_namesake(struct service_table *t, struct service *s)
{
	struct service *first = services_named(t, s->name);
	if (first != s) {
		while (first->namesake != s) first = first->namesake;
		first->namesake = s->namesake;
	} else if (s->namesake) {
		hash_puts(t->names, s->name, s->namesake);
	} else {
		hash_remove(t->names, s->name, strlen(s->name));
	}
}

void services_drop(struct service_table *t, struct service *s)
{
	forget(&t->slots, s);
	forget(&t->changed, s);
	forget(&t->paused, s);
	forget_namesake(t, s);
	service_free(s);
}

void services_init(struct service_table *t)
{
	memset(t, 0, sizeof *t);
	t->names = hash_new();
	t->paused_until = INT64_MAX;
}

void services_free(struct service_table *t)
{
	for (size_t i = 0; i < t->slots.n; i++) service_free(service_at(t, i));
	ptrarray_free(&t->slots);
	ptrarray_free(&t->changed);
	ptrarray_free(&t->paused);
	hash_free(t->names, NULL);
	fdset_free(&t->want);
	fdset_free(&t->urgent);
	free(t->owner);
}
