/* prottest.c - see prottest.h. */
#include "cunit/io/prottest.h"
#include "io/prot.h"
#include "sys/clock.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

int ours, theirs;
struct prot *p;

void prottest_setup(void)
{
	int fds[2];
	signal(SIGPIPE, SIG_IGN);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	ours = fds[0];
	theirs = fds[1];
	p = prot_new(ours, ours);
}

void prottest_teardown(void)
{
	prot_free(p);
	clock_fake(NULL, NULL);
	if (theirs >= 0) close(theirs);
	close(ours);
}

void send_them(const char *s, size_t n) { ck_assert_int_eq(write(theirs, s, n), (ssize_t)n); }
void hang_up(void)
{
	close(theirs);
	theirs = -1;
}

size_t arrived(char *buf, size_t n)
{
	ssize_t r = recv(theirs, buf, n - 1, MSG_DONTWAIT);
	buf[r > 0 ? r : 0] = 0;
	return r > 0 ? (size_t)r : 0;
}

static int feed(void *arg, int fd, int timeout_ms)
{
	struct script *left = arg;
	(void)fd, (void)timeout_ms;
	size_t k = left->n < left->step ? left->n : left->step;
	left->waits++;
	if (!k) shutdown(theirs, SHUT_WR);
	else if (write(theirs, left->s, k) != (ssize_t)k) return -1;
	left->s += k;
	left->n -= k;
	return 1;
}

struct script sc;

void play(const char *s, size_t n, size_t step)
{
	sc = (struct script){ s, n, step, 0 };
	prot_set_wait(p, feed, &sc);
}

int waits_left, wait_errno;
int time_out(void *arg, int fd, int timeout_ms)
{
	(void)fd;
	*(int *)arg = timeout_ms;
	if (waits_left-- > 0) {
		errno = wait_errno;
		return -1;
	}
	return 0;
}
