/* transfer.h - removing content transfer encodings, exactly as the cache's SHA-1 and sizes need it (spec/mailbox.md 6.9).
 * Decoders accept anything and never fail; they append to `out`. */
#ifndef CAMB_TRANSFER_H
#define CAMB_TRANSFER_H
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum transfer {                  /* the numbers of the SECTION item (6.8) */
	TRANSFER_NONE = 0, TRANSFER_QP = 1, TRANSFER_BASE64 = 2, TRANSFER_BASE64URL = 3, TRANSFER_UNKNOWN = 255
};

/* TRANSFER_NONE copies; TRANSFER_UNKNOWN appends nothing. */
void transfer_decode(enum transfer t, const char *p, size_t n, struct buf *out);
void transfer_base64(const char *p, size_t n, struct buf *out);
void transfer_qp(const char *p, size_t n, struct buf *out);
void transfer_qp_header(const char *p, size_t n, struct buf *out);   /* RFC 2047 "Q": `_` is a space */

/* The same for encoded words as 2.5 reads them. `codes` has room for n; the count is returned. Q gives -1 where it found
 * `=` without a hex digit; B skips `=` instead of starting over. */
size_t transfer_q25(const char *p, size_t n, int16_t *codes);
size_t transfer_b25(const char *p, size_t n, int16_t *codes);
#endif
