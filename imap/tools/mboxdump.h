/* mboxdump.h - the mailbox list as text and back (spec/tools.md 3, row ctl_mboxlist): 2.5's lines, 3.6's JSON, older lines. */
#ifndef CAMB_MBOXDUMP_H
#define CAMB_MBOXDUMP_H
#include "store/layout.h"

void mboxdump_line(const struct mbentry *e, struct buf *out);      /* "NAME TAB TYPE PARTITION ACL LF" */
void mboxdump_json(const struct mbentry *e, struct buf *out);      /* one member: "NAME": {...}, no comma, no line end */

/* Reads a whole dump of either dialect and calls put() for each entry, in its order. Bad entries are told on stderr, counted in
 * *bad and passed over. 0, or what put() returned. */
typedef int mboxdump_put(void *arg, const struct mbentry *e);
int mboxdump_read(const struct namespace *ns, const char *p, size_t len, mboxdump_put *put, void *arg, unsigned *bad);
bool mboxdump_is_json(const char *p, size_t len);
#endif
