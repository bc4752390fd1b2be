/* mboxop_priv.h - shared by the mboxop_*.c files only. */
#ifndef CAMB_MBOXOP_PRIV_H
#define CAMB_MBOXOP_PRIV_H
#include "store/mboxop.h"

uint32_t mboxop_rights(struct mboxop *op, const struct mbentry *e);
int mboxop_may_create(struct mboxop *op, const struct mbname *n);
bool mboxop_owns(struct mboxop *op, const struct mbname *n);
int mboxop_make_ancestors(struct store *st, const struct mbname *n);            /* 3.6: what is missing above n */
#endif
