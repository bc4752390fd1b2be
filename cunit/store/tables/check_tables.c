/* check_tables.c - runs the unit tests of every table the server keeps. */
#include "cunit/store/tables/suites.h"

int main(void)
{
	TCase *const cases[] = {
		case_records(), case_points(), case_layouts(), case_recorded(), NULL
	};
	return suite_run("tables", cases);
}
