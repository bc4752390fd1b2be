/* mboxdump.h - the mailbox list as text and back (spec/tools.md 3, row ctl_mboxlist): 2.5's lines, 3.6's JSON, older lines. */
#ifndef CAMB_MBOXDUMP_H
#define CAMB_MBOXDUMP_H
#include "store/layout.h"

void mboxdump_line(const struct mbentry *e, struct buf *out);      /* "NAME TAB TYPE PARTITION ACL LF" */
/* One member: "NAME": {...}, no comma, no line end; with e's history, if it has one. level: of the list that it is from; other
 * than LEVEL_36 it is told, so that a dump can be read back into a list of that layout. */
void mboxdump_json(const struct mbentry *e, enum conf_level level, const struct namespace *ns, struct buf *out);

/* Reads a whole dump of either dialect and calls put() for each entry, in its order. Bad entries are told on stderr, counted in
 * *bad and passed over. 0, or what put() returned. */
typedef int mboxdump_put(void *arg, const struct mbentry *e);
int mboxdump_read(const struct namespace *ns, const char *p, size_t len, mboxdump_put *put, void *arg, unsigned *bad);
bool mboxdump_is_json(const char *p, size_t len);
enum conf_level mboxdump_level(const char *p, size_t len);      /* of the list that a dump came from */
#endif
