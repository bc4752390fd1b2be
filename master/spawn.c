/* spawn.c - how each kind of child is started: its descriptors, environment, limits and process group (spec/master.md 6). */
#include "base/log.h"
#include "base/mem.h"
#include "conf/procfile.h"
#include "conf/program.h"
#include "master/master.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

/* The variables that are ours to set; what somebody else set under these names never reaches a child. */
static const char *const our_variables[] = { "CYRUS_SERVICE", "CYRUS_ID", "CYRUS_ISDAEMON" };

static bool is_ours(const char *entry)
{
	for (size_t i = 0; i < sizeof our_variables / sizeof *our_variables; i++) {
		size_t n = strlen(our_variables[i]);
		if (!strncmp(entry, our_variables[i], n) && entry[n] == '=') return true;
	}
	return false;
}

static char **environment(const struct service *s)
{
	size_t n = 0;
	char **from = environ;
	for (; from && *from; from++) n++;
	char **env = mem_array(NULL, n + 4, sizeof *env);
	n = 0;
	for (from = environ; from && *from; from++)
		if (!is_ours(*from)) env[n++] = mem_strdup(*from);
	if (s) {
		env[n++] = mem_printf("CYRUS_SERVICE=%s", s->name);
		env[n++] = mem_printf("CYRUS_ID=%u", s->instance);
	}
	if (s && s->daemon) env[n++] = mem_strdup("CYRUS_ISDAEMON=1");
	env[n] = NULL;
	return env;
}

static void environment_free(char **env)
{
	for (size_t i = 0; env[i]; i++) free(env[i]);
	free(env);
}

/* What maxfds says, within the hard limit; 0 leaves the child what we were given. */
static struct rlimit file_limit(const struct master *m, int maxfds)
{
	struct rlimit rl = m->files_given;
	if (maxfds) rl.rlim_cur = maxfds < 0 || (rl.rlim_max != RLIM_INFINITY && (rlim_t)maxfds > rl.rlim_max) ? rl.rlim_max
		: (rlim_t)maxfds;
	return rl;
}

struct plan {
	enum child_kind kind;
	struct service *service;           /* NULL: START, EVENT */
	const char *name;
	const struct strarray *argv;
};

static pid_t run(struct master *m, const struct plan *p, struct launch *l)
{
	char **argv = mem_array(NULL, p->argv->n + 1, sizeof *argv);
	for (size_t i = 0; i < p->argv->n; i++) argv[i] = p->argv->v[i];
	argv[p->argv->n] = NULL;
	l->argv = argv;
	struct rlimit files = file_limit(m, p->service ? p->service->maxfds : 0);
	if (m->files_given.rlim_max) l->files = &files;
	log_msg(LOG_DEBUG, "about to exec %s", l->path);
	pid_t pid = m->kernel->spawn(l);
	int e = errno;
	free(argv);
	if (pid > 0) {
		child_add(&m->children, pid, p->kind, p->service, p->name, l->path, m->now);
		if (m->conf && (p->kind == KIND_DAEMON || p->kind == KIND_EVENT)) procfile_write(m->conf, pid, p->name, "", "", "", "");
	}
	errno = e;
	return pid;
}

/* Is anybody left in the wait daemons' group? An empty one cannot be joined. */
static bool group_lives(const struct master *m)
{
	for (const struct child *c = m->children.all; m->wait_group && c; c = c->next)
		if (c->kind == KIND_DAEMON && c->service && c->service->wait) return true;
	return false;
}

static pid_t run_service(struct master *m, struct service *s, int fd3)
{
	struct plan p = { s->daemon ? KIND_DAEMON : KIND_SERVICE, s, s->name, &s->argv };
	if (!s->env) s->env = environment(s);
	struct launch l = { .path = s->path, .env = s->env, .fd3 = fd3, .fd4 = s->sock, .join = s->daemon && s->wait };
	if (l.join && group_lives(m)) l.group = m->wait_group;
	pid_t pid = run(m, &p, &l);
	if (pid < 0 && l.group && (errno == EPERM || errno == ESRCH)) {        /* its last member left just now */
		l.group = 0;
		pid = run(m, &p, &l);
	}
	s->interval_forks++;               /* one that cannot be executed counts for the rate, or it would be tried without end */
	if (pid < 0) return -1;
	if (l.join && !l.group) m->wait_group = pid;
	s->nforks++;
	return pid;
}

pid_t spawn_service(struct master *m, struct service *s) { return run_service(m, s, s->status[1]); }
pid_t spawn_wait_daemon(struct master *m, struct service *s, int ready_fd) { return run_service(m, s, ready_fd); }

pid_t spawn_command(struct master *m, enum child_kind kind, const char *name, const struct strarray *argv)
{
	char *path = program_path(argv->v[0]), **env = environment(NULL);
	struct plan p = { kind, NULL, name, argv };
	struct launch l = { .path = path, .env = env, .fd3 = -1, .fd4 = -1 };
	pid_t pid = run(m, &p, &l);
	int e = errno;
	if (pid < 0 && !kernel_short_of(e)) log_msg(LOG_ERR, "couldn't exec %s: %s", path, strerror(e));
	environment_free(env);
	free(path);
	errno = e;
	return pid;
}
