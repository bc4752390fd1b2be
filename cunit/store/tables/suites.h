/* suites.h - the cases of check_tables. */
#ifndef CUNIT_STORE_TABLES_SUITES_H
#define CUNIT_STORE_TABLES_SUITES_H
#include "cunit/suite.h"

TCase *case_records(void);
TCase *case_points(void);
TCase *case_layouts(void);
TCase *case_recorded(void);
#endif
