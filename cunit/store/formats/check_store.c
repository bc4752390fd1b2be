/* check_store.c - runs the unit tests of the formats of the store. */
#include "cunit/store/formats/suites.h"

int main(void)
{
	TCase *const cases[] = {
		case_files(), case_names(), case_values(), case_layouts(), NULL
	};
	return suite_run("store", cases);
}
