/* audit.h - option auditlog: a notice for each change to messages and mailboxes (spec/imap.md 13). Every function does nothing
 * while the option is off. Lines tell what has reached the disk: they are written after the commit, and not at all when it
 * fails. */
#ifndef CAMB_AUDIT_H
#define CAMB_AUDIT_H
#include "store/mailbox.h"

bool audit_on(const struct store *st);

/* What a session cost its client: bytes, above all layers. */
void audit_traffic(const struct store *st, uint64_t in, uint64_t out);

/* ---- messages. audit_collect() before the records are written, while the old ones can be seen: appends to lines. */
void audit_collect(struct mailbox *mb, struct strarray *lines);
void audit_tell(struct strarray *lines);          /* logs and frees them: the commit was good */
void audit_unlink(const struct mailbox *mb, const struct index_record *r);        /* the message's file has gone */

/* ---- mailboxes; uniqueid may be NULL */
void audit_create(const struct store *st, const struct mbentry *e);
void audit_delete(const struct store *st, const struct mbentry *e);
/* to: another name, or another partition under the same name */
void audit_rename(const struct store *st, const struct mbentry *from, const struct mbentry *to);
void audit_acl(const struct store *st, const struct mbentry *e, const char *before);       /* e has the new one */
/* what: newquota, setquota, rmquota. q NULL: no limits are told. */
void audit_quota(const struct store *st, const char *what, const char *root, const struct quota *q);
#endif
