/* logins.h - how many sessions one client host and one user may have at a time: maxlogins_per_host, maxlogins_per_user. */
#ifndef CAMB_LOGINS_H
#define CAMB_LOGINS_H
#include "imapd/session.h"

/* May `userid` log in here now? Enters him in our proc file first, so that two who come at once see each other. false: answered
 * NO, and the entry is taken back. */
bool logins_allow(struct session *s, const char *userid);
#endif
