/* kv_acl.h - ACLs between their text form and the kvlist form inside records (spec/databases.md 3, 4.5). */
#ifndef CAMB_KV_ACL_H
#define CAMB_KV_ACL_H
#include "store/dlist.h"

void kv_acl_print(struct buf *b, const char *acl);            /* "%(id rights ...)" */
char *kv_acl_parse(const struct dlist *list);                 /* text form, "" when absent; caller frees */
#endif
