/* dbbatch.h - the language of `cyr_dbtool FILE ENGINE batch`, as 3.6's: a command on each line, in capitals, and its words as
 * IMAP writes strings: atoms, "quoted", or literals {n}, {n+}. Blanks (and, ours, TABs) divide them. */
#ifndef CAMB_DBBATCH_H
#define CAMB_DBBATCH_H
#include "base/buf.h"

#include <stdio.h>

enum dbbatch_what { DBBATCH_BEGIN, DBBATCH_COMMIT, DBBATCH_ABORT, DBBATCH_SHOW, DBBATCH_GET, DBBATCH_SET, DBBATCH_DELETE };
struct dbbatch {
	enum dbbatch_what what;
	struct buf key, value;
};
/* Calls fn for each command up to the end or the first that fails, by itself or by what fn returns; that one is told on stderr
 * and returned. */
int dbbatch_run(FILE *in, int (*fn)(void *arg, const struct dbbatch *b), void *arg);
/* a record as a line of that language */
void dbbatch_words(const char *key, size_t keylen, const char *val, size_t vallen, struct buf *out);
#endif
