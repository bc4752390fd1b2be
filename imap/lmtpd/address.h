/* address.h - an envelope address as MAIL and RCPT carry it: "<@route:local@domain>" (RFC 5321 4.1.2, spec/services.md 1.3). */
#ifndef CAMB_LMTP_ADDRESS_H
#define CAMB_LMTP_ADDRESS_H
#include "base/buf.h"

enum { ADDRESS_MAX = 1000 };         /* bytes between the angle brackets */

struct lmtp_address {
	char *text;                      /* as written, without the source route: "a\"b\"@example.com"; "" for "<>" */
	char *local, *domain;            /* quotes and backslashes removed; domain NULL when there is none */
};

enum { ADDRESS_EMPTY = 1, ADDRESS_8BIT_TO_X = 2 };      /* "<>" is allowed; bytes above 127 become 'X' instead of an error */

/* Reads from *p, which must be at '<', and moves *p behind the '>'. 0 or ERR_SYNTAX (*p and *out are left alone). */
int lmtp_address_parse(const char **p, const char *end, unsigned flags, struct lmtp_address *out);
void lmtp_address_free(struct lmtp_address *a);

/* "user+folder" in two; a local part without '+' has no folder (NULL). Caller frees both. */
void lmtp_address_split(const char *local, char **user, char **folder);
/* RFC 3461 xtext: "+41" is 'A'. Appends; false when malformed. */
bool lmtp_address_xtext(const char *s, size_t n, struct buf *out);
#endif
