/* namelock.h - locks on names: a mailbox, a user's namespace, $QUOTACHANGE (spec/mailbox.md 2). doc/LOCKS.md has the order.
 *
 * A process that holds a name and asks again in the same mode (or for shared while exclusive) gets it counted; asking for
 * exclusive while holding shared is ERR_LOCKED, never a silent upgrade. The lock files stay empty and are never removed. */
#ifndef CAMB_NAMELOCK_H
#define CAMB_NAMELOCK_H
#include "store/store.h"
#include "sys/lock.h"

struct namelock;
/* 0, ERR_LOCKED (not granted in time), ERR_IO. */
int namelock_take(struct store *st, const char *name, enum lock_mode mode, int timeout_ms, struct namelock **out);
void namelock_release(struct store *st, struct namelock **lock);       /* NULL and pointer to NULL are allowed */
enum lock_mode namelock_mode(const struct namelock *l);
/* The lock on a user's namespace; userid NULL: the shared one. Nothing, with *out = NULL, where the layout has none. */
int namelock_user(struct store *st, const char *userid, enum lock_mode mode, struct namelock **out);
#endif
