/* check_spool_walk.c - a walk never leaves the spool: sys/dirwalk.h first, what the store makes of it at the end. */
#include "cunit/store/walk/suites.h"

int main(void)
{
	TCase *const cases[] = {
		case_trees(), case_size(), case_limits(), case_changes(), case_kernel(), case_mounts(), case_spool(), NULL
	};
	return suite_run("spool_walk", cases);
}
