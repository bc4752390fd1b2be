/* status.h - what STATUS tells of a mailbox, for the command and for LIST ... RETURN (STATUS ...) (RFC 3501 6.3.10, RFC 5819). */
#ifndef CAMB_IMAPD_STATUS_H
#define CAMB_IMAPD_STATUS_H
#include "imapd/session.h"

enum { STATUS_ITEMS = 9 };
struct status {
	uint64_t v[STATUS_ITEMS];
	char *uniqueid;                  /* in s->cmd */
};

/* "(ITEM ...)" into *wanted. false: answered with a BAD. */
bool status_parse(struct session *s, unsigned *wanted);
/* From the header of its index, or, where that does not count what is wanted, by opening the mailbox; no lock is held when it
 * returns. */
int status_read(struct session *s, const struct mbentry *e, unsigned wanted, struct status *out);
void status_put(struct session *s, const char *ext, unsigned wanted, const struct status *st);       /* the untagged line */
#endif
