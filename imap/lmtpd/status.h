/* status.h - what became of a recipient or a message, in the words of LMTP (spec/services.md 1.2). */
#ifndef CAMB_LMTP_STATUS_H
#define CAMB_LMTP_STATUS_H
#include "base/buf.h"
#include "conf/conf.h"

/* Appends the whole reply, CRLF included. err 0: delivered. permanent_quota: the option. */
void status_print(enum conf_level level, int err, bool permanent_quota, const char *session_id, struct buf *out);
#endif
