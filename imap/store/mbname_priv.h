/* mbname_priv.h - shared by mbname.c, mbname_ext.c and mbname_check.c only. */
#ifndef CAMB_MBNAME_PRIV_H
#define CAMB_MBNAME_PRIV_H
#include "store/mbname.h"

void mbname_set_domain(struct mbname *n, const char *p, size_t len, const struct namespace *ns);
void mbname_classify(struct mbname *n, const struct namespace *ns, bool may_be_deleted);
bool mbname_is_hextime(const char *s, time_t *when);
void mbname_swap_byte(char *s, char from, char to);
#endif
