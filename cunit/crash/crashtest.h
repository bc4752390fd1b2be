/* crashtest.h - a process that works on a store and dies at one of its system calls. */
#ifndef CUNIT_CRASH_CRASHTEST_H
#define CUNIT_CRASH_CRASHTEST_H
#include "cunit/store/storetest.h"
#include "sys/fault.h"

#include <sys/wait.h>

/* Opens the store in a child, which then runs fn() with that fault. 0: it ran to its end; 98: fn failed; 99: it died at the
 * call. */
static inline int crashtest_child(struct storetest *t, const struct fault *fault, int (*fn)(const void *), const void *arg)
{
	int status;
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid) {
		struct fault f = *fault;
		storetest_open(t);
		fault_install(&f);
		int r = fn(arg);
		fault_install(NULL);
		if (r && getenv("STORETEST_LOG")) fprintf(stderr, "%s\n", err_text(r));
		_exit(r ? 98 : 0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status), "the child ended by signal");
	return WEXITSTATUS(status);
}

static inline const char *crashtest_kind(enum fault_kind kind) { return kind == FAULT_DIE ? "death" : "torn write"; }
#endif
