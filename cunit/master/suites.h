/* suites.h - the cases of check_master. */
#ifndef CUNIT_MASTER_SUITES_H
#define CUNIT_MASTER_SUITES_H
#include "cunit/suite.h"

TCase *case_cyrusconf(void);
TCase *case_fdset(void);
TCase *case_loop(void);
TCase *case_notify(void);
TCase *case_scenarios(void);
TCase *case_staffing(void);
#endif
