/* check_master.c - runs the unit tests of master. */
#include "cunit/master/suites.h"

int main(void)
{
	TCase *const cases[] = {
		case_cyrusconf(), case_fdset(), case_loop(), case_staffing(), case_notify(), case_scenarios(), NULL
	};
	return suite_run("master", cases);
}
