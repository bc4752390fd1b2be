/* check_names.c - runs the unit tests of names, sets of numbers and what is kept by name. */
#include "cunit/store/names/suites.h"

int main(void)
{
	TCase *const cases[] = {
		case_mbname(), case_seqset(), case_userdata(), case_mbrecord(), NULL
	};
	return suite_run("names", cases);
}
