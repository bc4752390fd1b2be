/* check_base.c - runs the unit tests of lib/base. */
#include "cunit/base/suites.h"

int main(void)
{
	TCase *const cases[] = {
		case_buf(), case_arrays(), case_num(), case_log(), NULL
	};
	return suite_run("base", cases);
}
