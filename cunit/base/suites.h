/* suites.h - the cases of check_base. */
#ifndef CUNIT_BASE_SUITES_H
#define CUNIT_BASE_SUITES_H
#include "cunit/suite.h"

TCase *case_buf(void);
TCase *case_arrays(void);
TCase *case_num(void);
TCase *case_log(void);
#endif
