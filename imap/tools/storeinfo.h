/* storeinfo.h - cyr_info store: in which formats and versions a store is, file by file, and which releases of Cyrus can open
 * that. Changes nothing. */
#ifndef CAMB_STOREINFO_H
#define CAMB_STOREINFO_H
#include "conf/conf.h"

int storeinfo(struct conf *c);           /* an exit code: 75 when something could not be read */
#endif
