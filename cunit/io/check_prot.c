/* check_prot.c - runs the unit tests of lib/io. */
#include "cunit/io/suites.h"

int main(void)
{
	TCase *const cases[] = {
		case_input(), case_output(), case_literal(), case_deflate(), case_tls(), case_sasl(), NULL
	};
	return suite_run("prot", cases);
}
