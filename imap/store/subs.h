/* subs.h - a user's subscriptions (spec/databases.md 5). A name need not be a mailbox that exists. */
#ifndef CAMB_SUBS_H
#define CAMB_SUBS_H
#include "store/store.h"

int subs_set(struct store *st, const char *userid, const struct mbname *n, bool subscribed);
bool subs_has(struct store *st, const char *userid, const struct mbname *n);
/* Every subscription, in the order of the file. */
int subs_each(struct store *st, const char *userid, int (*cb)(void *arg, const struct mbname *n), void *arg);
#endif
