/* prottest.h - a stream on one end of a socket pair, and a peer on the other that does as it is told. */
#ifndef CUNIT_IO_PROTTEST_H
#define CUNIT_IO_PROTTEST_H
#include "io/prot.h"

#include <check.h>

extern int ours, theirs;               /* the two ends */
extern struct prot *p;                 /* on ours */

void prottest_setup(void);             /* a checked fixture */
void prottest_teardown(void);

void send_them(const char *s, size_t n);
void hang_up(void);
size_t arrived(char *buf, size_t n);   /* what waits at the other end, without blocking; ends in NUL */

/* A peer that sends its script in pieces of `step` bytes, each when we have begun to wait for it, and then closes its half. */
struct script {
	const char *s;
	size_t n, step;
	int waits;
};
extern struct script sc;
void play(const char *s, size_t n, size_t step);

extern int waits_left, wait_errno;
int time_out(void *arg, int fd, int timeout_ms);
#endif
