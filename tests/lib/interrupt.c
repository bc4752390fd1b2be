/* interrupt.c - for LD_PRELOAD, into master: the deterministic stall of 2016 (recipe R1). While the file $INTERRUPT_SWITCH is
 * there, of each K+1 calls of pselect() K are interrupted by SIGCHLD, however many descriptors are ready; K is the number in the
 * file, and a negative one means every call. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/select.h>
#include <unistd.h>

static long switched_on(void)
{
	char text[32];
	const char *path = getenv("INTERRUPT_SWITCH");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0) return 0;
	ssize_t n = read(fd, text, sizeof text - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return atol(text);
}

int pselect(int n, fd_set *r, fd_set *w, fd_set *e, const struct timespec *timeout, const sigset_t *mask)
{
	static int (*real)(int, fd_set *, fd_set *, fd_set *, const struct timespec *, const sigset_t *);
	static long calls;
	long k = switched_on();
	if (!real) *(void **)&real = dlsym(RTLD_NEXT, "pselect");
	if (!k || (k > 0 && calls++ % (k + 1) == k)) return real(n, r, w, e, timeout, mask);
	sigset_t before;
	raise(SIGCHLD);                        /* blocked: pending until the wait's mask lets it in */
	sigprocmask(SIG_SETMASK, mask, &before);
	sigprocmask(SIG_SETMASK, &before, NULL);
	errno = EINTR;
	return -1;
}
