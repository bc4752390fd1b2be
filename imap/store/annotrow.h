/* annotrow.h - a record of annotations.db or of a mailbox's cyrus.annotations (spec/databases.md 8). */
#ifndef CAMB_ANNOTROW_H
#define CAMB_ANNOTROW_H
#include "base/buf.h"

#define ANNOTROW_OWNER "[.OwNeR.]"      /* 3.6: stands for the owner of the mailbox */

struct annotkey {                    /* borrowed from the key */
	const char *scope;               /* "", a mailbox's name (2.5) or unique id (3.6), or a UID */
	const char *entry, *userid;
	bool short_end;                  /* the last NUL is missing, as in some old files */
};
/* ERR_BADFORMAT. userid is NUL-terminated only without short_end */
int annotkey_parse(const char *p, size_t len, struct annotkey *k);
size_t annotkey_userlen(const struct annotkey *k, const char *p, size_t len);
bool annotkey_user_is(const struct annotkey *k, const char *p, size_t len, const char *userid);
void annotkey_print(const char *scope, const char *entry, const char *userid, struct buf *out);

enum annotrow_form {
	ANNOTROW_64,                     /* a length of 8 bytes, the second half zero: what everybody writes */
	ANNOTROW_32,                     /* of a 32-bit machine: 4 bytes */
};
struct annotrow {
	enum annotrow_form form;
	const char *value;               /* borrowed; may hold NULs and any byte */
	size_t len;
	bool has_tail;                   /* 3.6: the next two are there */
	uint64_t modseq;
	uint8_t flags;                   /* bit 0: deleted, and len is 0 */
};
enum { ANNOTROW_DELETED = 1 };
int annotrow_parse(const char *p, size_t len, struct annotrow *r);      /* ERR_BADFORMAT */
/* it can be read, and is no tombstone; the value may be empty */
bool annotrow_live(const char *p, size_t len, struct annotrow *r);
void annotrow_print(const struct annotrow *r, struct buf *out);
#endif
