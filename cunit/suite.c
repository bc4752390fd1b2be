/* suite.c - see suite.h. */
#include "cunit/suite.h"

int suite_run(const char *name, TCase *const *cases)
{
	Suite *s = suite_create(name);
	while (*cases) suite_add_tcase(s, *cases++);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
