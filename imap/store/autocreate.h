/* autocreate.h - options autocreate_*: an account comes into being at its first login, at CREATE INBOX, or with its first mail
 * (spec/config.md, Autocreate). The INBOX first, with a mark in its index that there is more to come, then what hangs on it;
 * after an interruption behind the INBOX the next call makes the rest. */
#ifndef CAMB_AUTOCREATE_H
#define CAMB_AUTOCREATE_H
#include "store/mbname.h"
#include "store/store.h"

long autocreate_quota(const struct store *st);                                  /* KiB; 0 no limit; -1 nobody is made */
int autocreate_limits(struct store *st, const struct mbname *inbox);            /* the quota root, where there is none */
/* The whole account, unless it exists, the feature is off, or the user is not one of autocreate_users. Errors are logged; 0 too
 * when there was nothing to do. */
int autocreate_user(struct store *st, const char *userid);
#endif
