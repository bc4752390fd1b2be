/* kernel.h - what the loop of master asks of the kernel, through one table, so that cunit/master can drive single passes
 * with scripted answers. Clocks come from sys/clock.h and the log from base/log.h, which have seams of their own. */
#ifndef CAMB_MASTER_KERNEL_H
#define CAMB_MASTER_KERNEL_H
#include <signal.h>
#include <sys/select.h>
#include <sys/types.h>
#include <time.h>

struct kernel {
	int (*pselect)(int n, fd_set *readable, const struct timespec *timeout, const sigset_t *mask);
	int (*select)(int n, fd_set *readable, struct timeval *timeout);
	ssize_t (*read)(int fd, void *p, size_t n);      /* not retried: the caller knows about EINTR */
	int (*available)(int fd);                        /* bytes in a pipe (FIONREAD); negative: unknown */
	pid_t (*fork)(void);
	pid_t (*reap)(int *status);                      /* waitpid of any child, WNOHANG: 0 none yet, -1 and ECHILD no children */
	int (*kill)(pid_t pid, int sig);                 /* a negative pid is a process group */
};
extern const struct kernel kernel_real;
#endif
