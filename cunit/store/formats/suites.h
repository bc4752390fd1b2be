/* suites.h - the cases of check_store. */
#ifndef CUNIT_STORE_FORMATS_SUITES_H
#define CUNIT_STORE_FORMATS_SUITES_H
#include "cunit/suite.h"

TCase *case_files(void);
TCase *case_names(void);
TCase *case_values(void);
TCase *case_layouts(void);
#endif
