/* syncline.h - a line of the replication log (spec/databases.md 17): a word and up to two arguments. */
#ifndef CAMB_SYNCLINE_H
#define CAMB_SYNCLINE_H
#include "base/buf.h"

struct syncline {
	char *word, *arg[2];             /* NULL: absent */
};
void syncline_free(struct syncline *l);
/* Without the line end. ERR_SYNTAX: an open quote, a number of arguments that the word does not have; ERR_NOTFOUND: an unknown
 * word. l is then empty. Lower-case words of 2.3 and earlier are taken too. */
int syncline_parse(const char *p, size_t len, struct syncline *l);
/* With the line end. ERR_SYNTAX: an argument has CR or LF and cannot be expressed; nothing is appended then. */
int syncline_print(const char *word, const char *a, const char *b, struct buf *out);
#endif
