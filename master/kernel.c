/* kernel.c - see kernel.h: the real thing. */
#include "master/kernel.h"

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

static pid_t real_reap(int *status) { return waitpid(-1, status, WNOHANG); }

const struct kernel kernel_real = { real_pselect, real_select, read, real_available, fork, real_reap, kill };
