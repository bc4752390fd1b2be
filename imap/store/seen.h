/* seen.h - a user's seen state of mailboxes that do not keep it in the index: USER.seen, by unique id (spec/databases.md 6). */
#ifndef CAMB_SEEN_H
#define CAMB_SEEN_H
#include "store/seqset.h"
#include "store/store.h"

#include <time.h>

struct seen {
	time_t lastread, lastchange;
	uint32_t lastuid;                 /* highest UID that is not \Recent for this user */
	struct seqset uids;
};
void seen_free(struct seen *s);
/* ERR_BADFORMAT: another version; ERR_SYNTAX: the set is none, the rest is filled */
int seen_parse(struct seen *s, const char *p, size_t len);
void seen_print(struct seen *s, struct buf *out);               /* the value of a row */
/* An absent row reads as nothing seen. An invalid set is logged and read as empty. */
int seen_read(struct store *st, const char *userid, const char *uniqueid, struct seen *out);

/* Read-modify-write in one transaction: change() gets the row and returns true to store it; after a deadlock it is asked again,
 * with the row as it is then. */
int seen_update(struct store *st, const char *userid, const char *uniqueid, bool (*change)(void *arg, struct seen *s), void *arg);
int seen_delete(struct store *st, const char *userid, const char *uniqueid);
#endif
