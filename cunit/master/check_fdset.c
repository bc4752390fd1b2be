/* check_fdset.c - sets of descriptors beyond FD_SETSIZE. */
#include "cunit/master/suites.h"
#include "master/fdset.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

START_TEST(test_members)
{
	struct fdset s = FDSET_INIT, copy = FDSET_INIT;
	static const int fds[] = { 0, 63, 64, 1023, 1024, 5000 };
	const size_t n = sizeof fds / sizeof *fds;
	ck_assert_int_eq(fdset_next(&s, 0), -1);
	ck_assert(!fdset_has(&s, 5) && !fdset_has(&s, -1));
	fdset_remove(&s, 77);
	fdset_remove(&s, -1);
	for (size_t i = n; i-- > 0;) fdset_add(&s, fds[i]);
	fdset_copy(&copy, &s);
	int fd = -1;
	for (size_t i = 0; i < n; i++) {
		fd = fdset_next(&copy, fd + 1);
		ck_assert_int_eq(fd, fds[i]);
		ck_assert(fdset_has(&s, fd) && !fdset_has(&s, fd + 1 == 64 || fd == 1023 ? 999 : fd + 1));
	}
	ck_assert_int_eq(fdset_next(&copy, fd + 1), -1);
	for (size_t i = n; i-- > 0;) {
		ck_assert_int_eq(s.n, fds[i] + 1);
		fdset_remove(&s, fds[i]);
	}
	ck_assert_int_eq(s.n, 0);
	fdset_copy(&copy, &s);
	ck_assert_int_eq(fdset_next(&copy, 0), -1);
	fdset_clear(&copy);
	fdset_free(&copy);
	fdset_free(&s);
}
END_TEST

/* The kernel reads and writes the row as long as it is. */
START_TEST(test_select_beyond_the_types_size)
{
	struct rlimit rl;
	struct fdset want = FDSET_INIT, ready = FDSET_INIT;
	int p[2];
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &rl), 0);
	if (rl.rlim_max <= FD_SETSIZE + 600) {
		printf("skipped: the hard limit of descriptors is %lu\n", (unsigned long)rl.rlim_max);
		return;
	}
	rl.rlim_cur = FD_SETSIZE + 600;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &rl), 0);
	ck_assert_int_eq(pipe(p), 0);
	int far = fcntl(p[0], F_DUPFD, FD_SETSIZE + 500);
	ck_assert_int_eq(far, FD_SETSIZE + 500);
	fdset_add(&want, far);
	fdset_add(&want, p[0]);
	for (int round = 0; round < 2; round++) {
		struct timeval zero = { 0, 0 };
		fdset_copy(&ready, &want);
		ck_assert_int_eq(select(ready.n, fdset_raw(&ready), NULL, NULL, &zero), 2 * round);
		ck_assert_int_eq(fdset_has(&ready, far), round);
		ck_assert_int_eq(write(p[1], "x", 1), 1);
	}
	close(far);
	close(p[0]);
	close(p[1]);
	fdset_free(&want);
	fdset_free(&ready);
}
END_TEST

TCase *case_fdset(void)
{
	TCase *c = tcase_create("fdset");
	tcase_add_test(c, test_members);
	tcase_add_test(c, test_select_beyond_the_types_size);
	return c;
}
