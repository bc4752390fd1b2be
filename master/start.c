/* start.c - what happens once, before the loop: START commands one after another, then the daemons that others wait for
 * (spec/master.md 3, 12). Both waits let TERM in. */
#include "base/log.h"
#include "master/master.h"
#include "master/signals.h"
#include "sys/clock.h"
#include "sys/sys.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>

#define WAIT_LOG_EVERY (10 * NSEC_PER_SEC)

/* Sleeps until fd (or nothing, -1) is readable, a signal came or a second passed. Is fd readable? */
static bool doze(struct master *m, int fd)
{
	struct timespec second = { 1, 0 };
	fdset_clear(&m->ready);
	if (fd >= 0) fdset_add(&m->ready, fd);
	int r = m->kernel->pselect(m->ready.n, fdset_raw(&m->ready), &second, &m->waitmask);
	m->now = clock_mono();
	return r > 0 && fdset_has(&m->ready, fd);
}

static int start_one(struct master *m, const struct cyrusconf_entry *e)
{
	m->now = clock_mono();
	pid_t pid = spawn_command(m, KIND_START, e->name, &e->argv);
	if (pid < 0) {
		if (!kernel_short_of(errno)) return 1;
		log_msg(LOG_ERR, "can't fork process to run start command %s: %s", e->name, strerror(errno));
		return EX_OSERR;
	}
	struct child *c = child_find(&m->children, pid);
	int status = 0;
	bool told = false;
	for (pid_t r = 0; r != pid;) {
		signals_window(&m->waitmask);
		r = m->kernel->reap(&status);
		if (r < 0 && errno == ECHILD) break;
		if (r != 0) continue;
		if (signal_flags.term && !told) {
			m->kernel->kill(pid, SIGTERM);
			told = true;
		}
		doze(m, -1);
	}
	char who[512];
	child_describe(c, m->now, who, sizeof who);
	child_bury(&m->children, c, m->now);
	if (WIFEXITED(status) && !WEXITSTATUS(status)) {
		log_msg(LOG_DEBUG, "%s exited normally", who);
		return 0;
	}
	if (WIFSIGNALED(status))
		log_msg(LOG_ERR, "%s signaled to death by signal %d (%s)", who, WTERMSIG(status), strsignal(WTERMSIG(status)));
	else log_msg(LOG_ERR, "%s exited, status %d", who, WEXITSTATUS(status));
	return 1;
}

int start_commands(struct master *m, const struct cyrusconf *c)
{
	for (size_t i = 0; i < c->n && !signal_flags.term; i++) {
		if (c->entries[i].section != SECTION_START) continue;
		int r = start_one(m, &c->entries[i]);
		if (r && !signal_flags.term) log_msg(LOG_CRIT, "can't start: %s failed", c->entries[i].name);
		if (r && !signal_flags.term) return r;
	}
	return 0;
}

/* 0: it said "ok\r\n"; 1: it did not, or TERM came first. */
static int await_ok(struct master *m, const struct service *s, int fd)
{
	char said[4];
	size_t n = 0;
	int64_t logged = m->now;
	while (n < sizeof said && !signal_flags.term) {
		signals_window(&m->waitmask);
		if (doze(m, fd)) {
			ssize_t r = m->kernel->read(fd, said + n, sizeof said - n);
			if (r == 0 || (r < 0 && errno != EINTR)) return 1;
			if (r > 0) n += (size_t)r;
		}
		if (m->now - logged < WAIT_LOG_EVERY) continue;
		logged = m->now;
		log_msg(LOG_NOTICE, "still waiting for daemon %s to be ready", s->name);
	}
	return n == sizeof said && !memcmp(said, "ok\r\n", 4) ? 0 : 1;
}

static int start_wait_daemon(struct master *m, struct service *s)
{
	int fd[2];
	if (pipe2(fd, O_CLOEXEC) < 0) {
		log_msg(LOG_ERR, "cannot make a pipe for daemon %s: %s", s->name, strerror(errno));
		return 1;
	}
	m->now = clock_mono();
	pid_t pid = spawn_wait_daemon(m, s, fd[1]);
	sys_close(fd[1]);
	int r = pid < 0 ? 1 : await_ok(m, s, fd[0]);
	sys_close(fd[0]);
	if (r && !signal_flags.term) log_msg(LOG_CRIT, "daemon %s did not report ready", s->name);
	return r;
}

int start_wait_daemons(struct master *m)
{
	for (size_t i = 0; i < m->services.slots.n && !signal_flags.term; i++) {
		struct service *s = service_at(&m->services, i);
		if (!s->daemon || !s->wait || !s->enabled || !start_wait_daemon(m, s)) continue;
		if (signal_flags.term) return 0;           /* the loop shuts down in good order */
		for (const struct child *c = m->children.all; c; c = c->next)
			if (c->kind == KIND_DAEMON) m->kernel->kill(c->pid, SIGTERM);
		return EX_CONFIG;
	}
	return 0;
}
