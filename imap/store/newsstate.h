/* newsstate.h - a record of fetchnews.db: the number of the last article that was fetched from a newsgroup (spec/databases.md
 * 16). */
#ifndef CAMB_NEWSSTATE_H
#define CAMB_NEWSSTATE_H
#include "base/buf.h"

int newsstate_parse(const char *p, size_t len, uint64_t *last);      /* with the NUL at its end or without; ERR_BADFORMAT */
void newsstate_print(uint64_t last, struct buf *out);                /* with it */
#endif
