/* userdeny.h - a record of user_deny.db: which services a user is kept out of, and what he is told (spec/databases.md 12). */
#ifndef CAMB_USERDENY_H
#define CAMB_USERDENY_H
#include "base/buf.h"

#define USERDENY_MESSAGE "Access to this service has been blocked"

struct userdeny {
	unsigned version;                /* 1, without a message, or 2 */
	char *patterns;                  /* comma-separated, against the service's name in cyrus.conf; never NULL */
	char *message;                   /* NULL: USERDENY_MESSAGE */
};
void userdeny_free(struct userdeny *d);
/* ERR_BADFORMAT: another version, no patterns, a NUL; d is then empty */
int userdeny_parse(const char *p, size_t len, struct userdeny *d);
void userdeny_print(const struct userdeny *d, struct buf *out);
/* The patterns from left to right, the first that matches decides: one with `!` in front says no. Linear in their length times
 * the service's. */
bool userdeny_applies(const struct userdeny *d, const char *service);
#endif
