/* tlssession.h - a record of tls_sessions.db: until when a TLS session may be resumed, and the session (spec/databases.md 10).
 * Keys are session ids, any bytes. Nothing is lost with the file. */
#ifndef CAMB_TLSSESSION_H
#define CAMB_TLSSESSION_H
#include "base/buf.h"

struct tlssession {
	int64_t expires;                 /* seconds since 1970 */
	const char *der;                 /* as OpenSSL's i2d_SSL_SESSION() makes it; borrowed from what was parsed */
	size_t len;
};
/* ERR_BADFORMAT: to be deleted by whoever finds it */
int tlssession_parse(const char *p, size_t len, struct tlssession *t);
void tlssession_print(const struct tlssession *t, struct buf *out);
#endif
