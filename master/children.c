/* children.c - see children.h. */
#include "master/children.h"
#include "base/mem.h"
#include "sys/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct child **chain_of(struct child_table *t, pid_t pid) { return &t->chains[(size_t)(uint32_t)pid % CHILD_CHAINS]; }

struct child *child_find(const struct child_table *t, pid_t pid)
{
	struct child *c = t->chains[(size_t)(uint32_t)pid % CHILD_CHAINS];
	while (c && c->pid != pid) c = c->chain;
	return c;
}

struct child *child_add(struct child_table *t, pid_t pid, enum child_kind kind, struct service *s, const char *name,
	const char *path, int64_t now)
{
	struct child *c = mem_zalloc(sizeof *c), **chain = chain_of(t, pid);
	c->pid = pid;
	c->kind = kind;
	c->state = kind == KIND_ZOMBIE ? CHILD_DEAD : CHILD_READY;
	c->service = s;
	c->name = mem_strdup(name);
	c->path = mem_strdup(path);
	c->born = now;
	if (kind == KIND_ZOMBIE) c->died = now;
	c->chain = *chain;
	*chain = c;
	c->next = t->all;
	if (t->all) t->all->prev = c;
	t->all = c;
	if (s) {
		s->count[c->state]++;
		service_changed(s);
	}
	t->alive[kind]++;
	c->waited = kind == KIND_DAEMON && s && s->wait;
	t->alive_waited += c->waited;
	return c;
}

void child_move(struct child *c, enum child_state to)
{
	if (c->service) {
		c->service->count[c->state]--;
		c->service->count[to]++;
		service_changed(c->service);
	}
	c->state = to;
}

void child_rehome(struct child *c, struct service *s)
{
	if (c->service) {
		c->service->count[c->state]--;
		service_changed(c->service);
	}
	c->service = s;
	s->count[c->state]++;
	service_changed(s);
}

void child_bury(struct child_table *t, struct child *c, int64_t now)
{
	child_move(c, CHILD_DEAD);
	c->died = now;
	t->alive[c->kind]--;
	t->alive[c->kind = KIND_ZOMBIE]++;
	t->alive_waited -= c->waited;
	c->waited = false;
}

void child_drop(struct child_table *t, struct child *c)
{
	struct child **p = chain_of(t, c->pid);
	while (*p != c) p = &(*p)->chain;
	*p = c->chain;
	if (c->prev) c->prev->next = c->next;
	else t->all = c->next;
	if (c->next) c->next->prev = c->prev;
	if (c->service) c->service->count[c->state]--;
	t->alive[c->kind]--;
	t->alive_waited -= c->waited;
	t->strangers -= c->stranger;
	free(c->name);
	free(c->path);
	free(c);
}

void children_forget_service(struct child_table *t, const struct service *s)
{
	for (struct child *c = t->all; c; c = c->next) {
		if (c->service != s) continue;
		c->service->count[c->state]--;
		c->service = NULL;
	}
}

unsigned children_alive(const struct child_table *t, enum child_kind kind) { return t->alive[kind]; }

void children_free(struct child_table *t)
{
	while (t->all) child_drop(t, t->all);
}

bool children_check(const struct child_table *t, const struct service_table *services, const struct service **wrong)
{
	unsigned (*seen)[CHILD_STATES] = mem_zalloc((services->slots.n + 1) * sizeof *seen);
	bool ok = true;
	for (const struct child *c = t->all; c; c = c->next) {
		long i = c->service ? ptrarray_find(&services->slots, c->service) : -1;
		if (i >= 0) seen[i][c->state]++;
	}
	for (size_t i = 0; i < services->slots.n && ok; i++) {
		ok = memcmp(seen[i], service_at(services, i)->count, sizeof seen[i]) == 0;
		if (!ok && wrong) *wrong = service_at(services, i);
	}
	free(seen);
	return ok;
}

void child_describe(const struct child *c, int64_t now, char *line, size_t n)
{
	static const char *const kinds[] = { "START", "SERVICE", "DAEMON", "EVENT", "ZOMBIE" };
	int64_t ms = (now - c->born) / 1000000;
	snprintf(line, n, "process type:%s name:%s path:%s age:%lld.%03llds pid:%ld", kinds[c->kind], c->name, c->path,
		(long long)(ms / 1000), (long long)(ms % 1000), (long)c->pid);
}
