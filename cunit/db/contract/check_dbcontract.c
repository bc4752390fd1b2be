/* check_dbcontract.c - the contract of cyrusdb.h (spec/cyrusdb.md 1, its test points in 15), one suite for every engine in each
 * of its orders. Who adds an engine adds rows to the table. */
#include "cunit/db/contract/suites.h"

int main(void)
{
	TCase *const cases[] = {
		case_records(), case_iteration(), case_keys(), case_processes(), case_conversion(), NULL
	};
	return suite_run("dbcontract", cases);
}
