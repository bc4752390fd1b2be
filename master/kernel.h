/* kernel.h - what the loop of master asks of the kernel, through one table, so that cunit/master can drive single passes
 * with scripted answers. Clocks come from sys/clock.h and the log from base/log.h, which have seams of their own. */
#ifndef CAMB_MASTER_KERNEL_H
#define CAMB_MASTER_KERNEL_H
#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/types.h>
#include <time.h>

/* A program to be started (spec/master.md 6). It gets fds 0 to 4 and nothing else, default dispositions and an empty
 * signal mask; whatever else is open must be close-on-exec. */
struct launch {
	const char *path;
	char *const *argv, *const *env;
	int fd3, fd4;                      /* -1: what is there now */
	const struct rlimit *files;        /* NULL: as it is */
	bool join;                         /* a process group: `group`, or a new one when that is 0 */
	pid_t group;
};

struct kernel {
	int (*pselect)(int n, fd_set *readable, const struct timespec *timeout, const sigset_t *mask);
	int (*select)(int n, fd_set *readable, struct timeval *timeout);
	ssize_t (*read)(int fd, void *p, size_t n);      /* not retried: the caller knows about EINTR */
	int (*available)(int fd);                        /* bytes in a pipe (FIONREAD); negative: unknown */
	int (*queue)(int fd);                            /* clients that wait in a listening socket; negative: unknown */
	/* The pid, or -1 and errno: of the start (EAGAIN, ENOMEM) or of the exec, in which case there is no child either. */
	pid_t (*spawn)(const struct launch *l);
	pid_t (*reap)(int *status);                      /* waitpid of any child, WNOHANG: 0 none yet, -1 and ECHILD no children */
	int (*kill)(pid_t pid, int sig);                 /* a negative pid is a process group */
};
extern const struct kernel kernel_real;

/* Did spawn() fail for want of processes or memory, which may be there in a moment? */
bool kernel_short_of(int err);
int queue_length(int fd);              /* queue.c: what kernel_real.queue is */
#endif
