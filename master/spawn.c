/* spawn.c - from fork to exec. A child gets fds 0 to 4, an empty signal mask, default dispositions and its environment;
 * everything else of master is close-on-exec (spec/master.md 6). */
#include "base/log.h"
#include "base/mem.h"
#include "conf/procfile.h"
#include "conf/program.h"
#include "master/master.h"
#include "master/signals.h"
#include "sys/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

struct plan {
	enum child_kind kind;
	struct service *service;           /* NULL: START, EVENT */
	const char *name, *path;
	const struct strarray *argv;
	int fd3, fd4;                      /* -1: what master has there */
	int maxfds;                        /* 0: leave alone */
	bool join;                         /* wait daemon: into the group, 0 makes a new one */
	pid_t group;
};

static void limit_fds(const char *name, int maxfds)
{
	struct rlimit rl;
	if (!maxfds || getrlimit(RLIMIT_NOFILE, &rl) < 0) return;
	rlim_t want = maxfds < 0 ? rl.rlim_max : (rlim_t)maxfds;
	if (rl.rlim_max != RLIM_INFINITY && want > rl.rlim_max) {
		log_msg(LOG_WARNING, "%s: maxfds=%d is above the hard limit, using %llu", name, maxfds, (unsigned long long)rl.rlim_max);
		want = rl.rlim_max;
	}
	rl.rlim_cur = want;
	if (setrlimit(RLIMIT_NOFILE, &rl) < 0) log_msg(LOG_ERR, "%s: cannot limit descriptors: %s", name, strerror(errno));
}

static void child_environment(const struct plan *p)
{
	char id[16];
	unsetenv("CYRUS_SERVICE");
	unsetenv("CYRUS_ID");
	unsetenv("CYRUS_ISDAEMON");
	if (!p->service) return;
	snprintf(id, sizeof id, "%u", p->service->instance);
	setenv("CYRUS_SERVICE", p->service->name, 1);
	setenv("CYRUS_ID", id, 1);
	if (p->service->daemon) setenv("CYRUS_ISDAEMON", "1", 1);
}

static void __attribute__((noreturn)) child_run(const struct plan *p)
{
	signals_child();
	if (p->join && setpgid(0, p->group) < 0) setpgid(0, 0);
	if ((p->fd3 >= 0 && dup2(p->fd3, 3) < 0) || (p->fd4 >= 0 && dup2(p->fd4, 4) < 0)) {
		log_msg(LOG_ERR, "can't duplicate descriptors for %s: %s", p->name, strerror(errno));
		_exit(EX_OSERR);
	}
	child_environment(p);
	limit_fds(p->name, p->maxfds);
	char **argv = mem_array(NULL, p->argv->n + 1, sizeof *argv);
	for (size_t i = 0; i < p->argv->n; i++) argv[i] = p->argv->v[i];
	argv[p->argv->n] = NULL;
	log_msg(LOG_DEBUG, "about to exec %s", p->path);
	execv(p->path, argv);
	log_msg(LOG_ERR, "couldn't exec %s: %s", p->path, strerror(errno));
	_exit(EX_OSERR);
}

static pid_t run(struct master *m, const struct plan *p)
{
	pid_t pid = m->kernel->fork();
	if (pid == 0) child_run(p);
	if (pid < 0) return -1;
	if (p->join) setpgid(pid, p->group ? p->group : pid);
	child_add(&m->children, pid, p->kind, p->service, p->name, p->path, m->now);
	if (m->conf && (p->kind == KIND_DAEMON || p->kind == KIND_EVENT)) procfile_write(m->conf, pid, p->name, "", "", "", "");
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
	struct plan p = { .kind = s->daemon ? KIND_DAEMON : KIND_SERVICE, .service = s, .name = s->name, .path = s->path,
		.argv = &s->argv, .fd3 = fd3, .fd4 = s->sock, .maxfds = s->maxfds, .join = s->daemon && s->wait };
	if (p.join && group_lives(m)) p.group = m->wait_group;
	pid_t pid = run(m, &p);
	if (pid < 0) return -1;
	if (p.join && !p.group) m->wait_group = pid;
	s->nforks++;
	s->interval_forks++;
	return pid;
}

pid_t spawn_service(struct master *m, struct service *s) { return run_service(m, s, s->status[1]); }
pid_t spawn_wait_daemon(struct master *m, struct service *s, int ready_fd) { return run_service(m, s, ready_fd); }

pid_t spawn_command(struct master *m, enum child_kind kind, const char *name, const struct strarray *argv)
{
	char *path = program_path(argv->v[0]);
	struct plan p = { .kind = kind, .name = name, .path = path, .argv = argv, .fd3 = -1, .fd4 = -1 };
	pid_t pid = run(m, &p);
	int e = errno;
	free(path);
	errno = e;
	return pid;
}
