/* specialuse.h - the special uses of a mailbox, kept as the private annotation /specialuse of a user (RFC 6154, spec/databases.md 8). */
#ifndef CAMB_SPECIALUSE_H
#define CAMB_SPECIALUSE_H
#include "store/mbentry.h"
#include "store/store.h"

struct specialuse;                   /* an open look at the annotations database; NULL: there is none */
struct specialuse *specialuse_open(struct store *st, const char *userid);
void specialuse_close(struct specialuse *s);
/* The user's value for that mailbox, "\\Sent" or several words. false when there is none. */
bool specialuse_get(struct specialuse *s, const struct mbentry *e, struct buf *out);
/* Any annotation of a mailbox that is kept in the database, by its name without "/shared" or "/private"; false when there is none. */
bool specialuse_annotation(struct specialuse *s, const struct mbentry *e, const char *entry, bool shared, struct buf *out);
#endif
