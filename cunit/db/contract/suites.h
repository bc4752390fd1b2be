/* suites.h - the cases of check_dbcontract. */
#ifndef CUNIT_DB_CONTRACT_SUITES_H
#define CUNIT_DB_CONTRACT_SUITES_H
#include "cunit/suite.h"

TCase *case_records(void);
TCase *case_iteration(void);
TCase *case_keys(void);
TCase *case_processes(void);
TCase *case_conversion(void);
#endif
