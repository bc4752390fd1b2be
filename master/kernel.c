/* kernel.c - see kernel.h: the real thing. Children are started by posix_spawn(), which shares master's memory until the
 * exec: its cost does not grow with what master holds. */
#include "master/kernel.h"
#include "master/signals.h"

#include <errno.h>
#include <spawn.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int real_pselect(int n, fd_set *readable, const struct timespec *timeout, const sigset_t *mask)
{
	return pselect(n, readable, NULL, NULL, timeout, mask);
}

static int real_select(int n, fd_set *readable, struct timeval *timeout)
{
	return select(n, readable, NULL, NULL, timeout);
}

static int real_available(int fd)
{
	int n;
	return ioctl(fd, FIONREAD, &n) < 0 ? -1 : n;
}

static int attributes(posix_spawnattr_t *a, const struct launch *l)
{
	short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
	sigset_t none, handled;
	sigemptyset(&none);
	signals_handled(&handled);
	int e = posix_spawnattr_setsigmask(a, &none);
	if (!e) e = posix_spawnattr_setsigdefault(a, &handled);
	if (!e && l->join) {
		flags |= POSIX_SPAWN_SETPGROUP;
		e = posix_spawnattr_setpgroup(a, l->group);
	}
	return e ? e : posix_spawnattr_setflags(a, flags);
}

static int descriptors(posix_spawn_file_actions_t *f, const struct launch *l)
{
	int e = l->fd3 >= 0 ? posix_spawn_file_actions_adddup2(f, l->fd3, 3) : 0;
	return !e && l->fd4 >= 0 ? posix_spawn_file_actions_adddup2(f, l->fd4, 4) : e;
}

/* The limit is set around the call, for posix_spawn() knows none: nobody else runs in this process. */
static int spawn_limited(pid_t *pid, const struct launch *l, const posix_spawn_file_actions_t *f, const posix_spawnattr_t *a)
{
	struct rlimit ours;
	bool limited = l->files && getrlimit(RLIMIT_NOFILE, &ours) == 0 && ours.rlim_cur != l->files->rlim_cur
		&& setrlimit(RLIMIT_NOFILE, l->files) == 0;
	int e = posix_spawn(pid, l->path, f, a, l->argv, l->env);
	if (limited) setrlimit(RLIMIT_NOFILE, &ours);
	return e;
}

static pid_t real_spawn(const struct launch *l)
{
	posix_spawnattr_t a;
	posix_spawn_file_actions_t f;
	pid_t pid = -1;
	if ((errno = posix_spawnattr_init(&a))) return -1;
	if ((errno = posix_spawn_file_actions_init(&f))) {
		posix_spawnattr_destroy(&a);
		return -1;
	}
	int e = attributes(&a, l);
	if (!e) e = descriptors(&f, l);
	if (!e) e = spawn_limited(&pid, l, &f, &a);
	posix_spawn_file_actions_destroy(&f);
	posix_spawnattr_destroy(&a);
	errno = e;
	return e ? -1 : pid;
}

bool kernel_short_of(int err) { return err == EAGAIN || err == ENOMEM; }

static pid_t real_reap(int *status) { return waitpid(-1, status, WNOHANG); }

const struct kernel kernel_real = { real_pselect, real_select, read, real_available, queue_length, real_spawn, real_reap, kill };
