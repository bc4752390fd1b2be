/* suites.h - the cases of check_prot. */
#ifndef CUNIT_IO_SUITES_H
#define CUNIT_IO_SUITES_H
#include "cunit/suite.h"

TCase *case_input(void);
TCase *case_output(void);
TCase *case_literal(void);
TCase *case_deflate(void);
TCase *case_tls(void);
TCase *case_sasl(void);
#endif
