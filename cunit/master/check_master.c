/* check_master.c - runs the unit tests of master. */
#include "cunit/master/suites.h"

#include <stdlib.h>

int main(void)
{
	Suite *s = suite_create("master");
	suite_add_tcase(s, case_cyrusconf());
	suite_add_tcase(s, case_fdset());
	suite_add_tcase(s, case_loop());
	suite_add_tcase(s, case_notify());
	suite_add_tcase(s, case_scenarios());
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
