/* man.h - the manual page imapd.conf(5), written from the option table. */
#ifndef CAMB_CONF_MAN_H
#define CAMB_CONF_MAN_H
#include "base/buf.h"

void conf_man(struct buf *out);
#endif
