/* mutf7.h - modified UTF-7, the encoding of mailbox names (RFC 3501 5.1.3; spec/names.md 3). */
#ifndef CAMB_MUTF7_H
#define CAMB_MUTF7_H
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "text/dialect.h"

/* Are all `&...-` sequences in the name well formed? Refused: two sequences directly adjacent, an encoded unit below
 * 0x80, non-zero padding, a sequence cut short. DIALECT_25 also refuses surrogates; DIALECT_36 takes them in any order.
 * Bytes outside sequences are not looked at. */
bool mutf7_valid(enum dialect d, const char *s, size_t n);

/* ERR_BADNAME for what 3.6 refuses and for unpaired surrogates; `out` then has no use. */
int mutf7_to_utf8(const char *s, size_t n, struct buf *out);
/* ERR_BADNAME when the input is not UTF-8. */
int mutf7_from_utf8(const char *s, size_t n, struct buf *out);
#endif
