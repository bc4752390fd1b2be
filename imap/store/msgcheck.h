/* msgcheck.h - the checks an uploaded message must pass, and the one change made to it (spec/mailbox.md 7.1).
 *
 * A filter: bytes go in piece by piece as they arrive, come out for the staging file, and the verdict is asked for at the
 * end. The whole upload is consumed whatever is found, so that the stream stays in step. */
#ifndef CAMB_MSGCHECK_H
#define CAMB_MSGCHECK_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct msgcheck_options {
	bool binary;                 /* a literal8: NUL and bare LF are allowed in the body */
	bool reject8bit;             /* option of that name */
	bool munge8bit;              /* option of that name: bytes above 127 in the header become `X` */
};

struct msgcheck {
	struct msgcheck_options o;
	uint64_t seen;               /* bytes so far */
	int err;                     /* the first fault by rank, not by place; see msgcheck_end() */
	bool nul, bare_newline, bad_header, has_8bit;
	/* private */
	unsigned char last;          /* the byte before */
	uint8_t line;                /* enum line_state of msgcheck.c */
	bool checking;               /* header lines are still looked at */
	bool in_header;              /* no empty line (CRs alone before LF) yet */
	bool line_empty;             /* nothing but CRs in this line */
	uint8_t from;                /* bytes of "From " matched at the start of this line */
};

void msgcheck_init(struct msgcheck *m, const struct msgcheck_options *o);
/* Looks at n bytes and changes them in place where munge8bit asks for it. */
void msgcheck_feed(struct msgcheck *m, char *p, size_t n);
/* 0, or ERR_EMPTYMESSAGE, ERR_NUL, ERR_BARENEWLINE, ERR_8BIT, ERR_BADHEADER: the first in this order that was found. */
int msgcheck_end(struct msgcheck *m);
#endif
