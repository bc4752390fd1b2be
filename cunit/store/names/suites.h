/* suites.h - the cases of check_names. */
#ifndef CUNIT_STORE_NAMES_SUITES_H
#define CUNIT_STORE_NAMES_SUITES_H
#include "cunit/suite.h"

TCase *case_mbname(void);
TCase *case_seqset(void);
TCase *case_userdata(void);
TCase *case_mbrecord(void);
#endif
