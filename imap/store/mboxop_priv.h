/* mboxop_priv.h - shared by the mboxop_*.c files only. */
#ifndef CAMB_MBOXOP_PRIV_H
#define CAMB_MBOXOP_PRIV_H
#include "store/mboxop.h"

uint32_t mboxop_rights(struct mboxop *op, const struct mbentry *e);
int mboxop_may_create(struct mboxop *op, const struct mbname *n);
bool mboxop_owns(struct mboxop *op, const struct mbname *n);
int mboxop_user_files(struct store *st, const char *from, const char *to);      /* moves (to NULL: removes) sub, seen ... */
#endif
