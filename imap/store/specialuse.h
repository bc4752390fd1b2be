/* specialuse.h - the special uses of a mailbox, kept as the private annotation /specialuse of a user (RFC 6154, spec/databases.md
 * 8). */
#ifndef CAMB_SPECIALUSE_H
#define CAMB_SPECIALUSE_H
#include "store/annots.h"
#include "store/mbentry.h"
#include "store/store.h"

/* The user's (annots_open()) value for that mailbox, "\\Sent" or several words. False: there is none. */
bool specialuse_get(struct annots *a, const struct mbentry *e, struct buf *out);

/* Words a client gave, "Sent \\Junk", in the spelling of the RFC. ERR_BADENTRY: one of them is no special use (option
 * specialuse_extra adds some). */
int specialuse_parse(struct store *st, const char *words, struct buf *out);
/* ERR_SPECIALUSE: one of the words is the use of another mailbox of that user's, the INBOX aside (level 3.6; 2.5 does not
 * look). */
int specialuse_unique(struct store *st, const char *userid, const char *value);
/* Does the owner's value of that mailbox have a word of the option's list? */
bool specialuse_listed(struct store *st, const struct mbentry *e, enum conf_opt list);
#endif
