/* suites.h - the cases of check_spool_walk. */
#ifndef CUNIT_STORE_WALK_SUITES_H
#define CUNIT_STORE_WALK_SUITES_H
#include "cunit/suite.h"

TCase *case_trees(void);
TCase *case_size(void);
TCase *case_limits(void);
TCase *case_changes(void);
TCase *case_kernel(void);
TCase *case_mounts(void);
TCase *case_spool(void);
#endif
