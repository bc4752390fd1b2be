/* rfc2047.h - encoded words of a header value as UTF-8 (spec/mailbox.md 7.7). */
#ifndef CAMB_RFC2047_H
#define CAMB_RFC2047_H
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "text/dialect.h"

/* Appends the decoded form of an unfolded value; it ends at the first NUL character. utf8_ok is option rfc2047_utf8
 * (3.x): bytes above 127 outside words are UTF-8 instead of U+FFFD each. */
void rfc2047_decode(enum dialect d, bool utf8_ok, const char *s, size_t n, struct buf *out);
#endif
