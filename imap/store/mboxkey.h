/* mboxkey.h - a record of USER.mboxkey: the secret that signs URLAUTH links into one mailbox, whose internal name is the key
 * (spec/databases.md 13). */
#ifndef CAMB_MBOXKEY_H
#define CAMB_MBOXKEY_H
#include "base/buf.h"

enum { MBOXKEY_VERSION = 1, MBOXKEY_SIZE = 16 };
struct mboxkey { uint8_t secret[MBOXKEY_SIZE]; };
/* ERR_NOTFOUND: another version; ERR_BADFORMAT: another length */
int mboxkey_parse(const char *p, size_t len, struct mboxkey *k);
void mboxkey_print(const struct mboxkey *k, struct buf *out);
#endif
