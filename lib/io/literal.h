/* literal.h - the three kinds of IMAP literal: {n}, {n+} (RFC 7888) and ~{n} (RFC 3516), on a prot stream. */
#ifndef CAMB_LITERAL_H
#define CAMB_LITERAL_H
#include "io/prot.h"

struct literal {
	uint64_t size;
	bool nosync;             /* {n+}: the bytes come without being asked for */
	bool binary;             /* ~{n} */
};

/* Reads the rest of an announcement after its '{' (and '~', told by `binary`) up to CRLF or LF. false: not a literal; the
 * offending byte was put back. Nothing has been answered yet: call literal_go_ahead() or refuse. */
bool literal_parse(struct prot *p, bool binary, struct literal *out);
void literal_go_ahead(struct prot *p, const struct literal *l);     /* "+ go ahead" for the synchronising kind */
/* Appends the bytes; false when the stream ended first. The caller has checked the size. */
bool literal_read(struct prot *p, const struct literal *l, struct buf *out);
bool literal_discard(struct prot *p, const struct literal *l);
#endif
