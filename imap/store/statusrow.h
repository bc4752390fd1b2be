/* statusrow.h - the records of statuscache.db, of both releases (spec/databases.md 11). */
#ifndef CAMB_STATUSROW_H
#define CAMB_STATUSROW_H
#include "base/buf.h"

enum statusrow_kind {
	STATUSROW_25,                    /* 2.5: all of one mailbox for one user */
	STATUSROW_MAILBOX,               /* 3.6, "I": what is the same for everybody */
	STATUSROW_USER,                  /* 3.6, "S": what is the user's */
};
enum { STATUSROW_VERSION_25 = 4, STATUSROW_VERSION_36 = 8, STATUSROW_ALL = 63 };

struct statusrow {
	enum statusrow_kind kind;
	uint32_t items;                  /* 2.5: which fields count */
	uint32_t messages, recent, uidnext, uidvalidity, unseen;
	uint32_t options;                /* 3.6: of the mailbox */
	uint64_t size, createdmodseq, highestmodseq;
};
/* ERR_NOTFOUND: a record of another version, to be ignored; ERR_BADFORMAT: none at all. */
int statusrow_parse(const char *p, size_t len, struct statusrow *r);
void statusrow_print(const struct statusrow *r, struct buf *out);

/* A key is "NAME%%USER", or "NAME%" for STATUSROW_MAILBOX. A name may hold '%' only in stores of odd making: the last "%%"
 * divides. */
void statusrow_key(const char *name, const char *userid, struct buf *out);      /* userid NULL: "NAME%" */
/* Lengths of both parts; *user points into key, NULL: none. ERR_BADFORMAT. */
int statusrow_key_parse(const char *key, size_t len, size_t *namelen, const char **user, size_t *userlen);
#endif
