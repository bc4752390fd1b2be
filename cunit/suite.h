/* suite.h - a program of unit tests: cases in, exit status out. */
#ifndef CUNIT_SUITE_H
#define CUNIT_SUITE_H
#include <check.h>

#define COUNT(a) (sizeof (a) / sizeof *(a))

/* Runs the cases, up to NULL; what main() returns. $CK_VERBOSITY, $CK_RUN_CASE and the like are Check's. */
int suite_run(const char *name, TCase *const *cases);
#endif
