/* filter.h - what comes between DATA and the final dot, made into the message that is stored (spec/services.md 1.4,
 * mailbox.md 7.1): dots unstuffed, line ends CRLF, header lines checked, Return-Path dropped, missing headers added.
 *
 * A pure automaton: bytes in as they arrive, bytes out to a buffer that the caller empties when he likes. Memory does not grow
 * with the length of a line. */
#ifndef CAMB_LMTP_FILTER_H
#define CAMB_LMTP_FILTER_H
#include "base/buf.h"

enum filter_header { FILTER_MESSAGE_ID, FILTER_RESENT_MESSAGE_ID, FILTER_DATE, FILTER_INTERNALDATE, FILTER_KEPT,
	FILTER_PASS = FILTER_KEPT, FILTER_DROP };

struct filter_options {
	bool reject8bit, munge8bit;        /* options of those names, for header values */
	bool strict_msgid;                 /* 3.6: a Message-ID of white space only is as bad as an empty one */
	uint64_t max;                      /* longest message; 0: no limit. What comes after is counted, not passed on */
	const char *new_msgid, *new_date;  /* values for missing headers; must live as long as the filter */
};

struct filter {
	struct filter_options o;
	struct buf out;                    /* take what is there after each filter_feed() and reset it */
	uint64_t size;                     /* bytes passed to out, had there been no limit */
	bool in_header, ended;             /* before the empty line; the final dot was seen */
	bool nul, has_8bit, bad_header;
	struct buf kept[FILTER_KEPT];      /* raw values, folds included, of the first header of each name */
	bool have[FILTER_KEPT];
	/* private */
	int wire, state, kind;
	bool first, any;                   /* still in the first line; a header was seen */
	struct buf name;
};

void filter_init(struct filter *f, const struct filter_options *o);
void filter_free(struct filter *f);
/* Eats up to n bytes, stopping behind the final dot. Returns how many were eaten; f->ended tells. */
size_t filter_feed(struct filter *f, const char *p, size_t n);
/* After the end: 0, ERR_NUL, ERR_BADHEADER, ERR_8BIT or ERR_TOOBIG. */
int filter_verdict(const struct filter *f);
/* A kept header's value, unfolded and trimmed; NULL when absent or empty. Caller frees. */
char *filter_value(const struct filter *f, enum filter_header h);
#endif
