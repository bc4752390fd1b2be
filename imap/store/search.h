/* search.h - SEARCH keys as a tree, and whether a message satisfies one (RFC 3501 6.4.4, RFC 7162 3.1.5, RFC 5032).
 *
 * The parser builds the tree with the functions below; flag names are resolved to bits, dates to days and numbers to ranges
 * by then. The evaluator asks for the message's bytes only when a key cannot be answered from the index and cache records. */
#ifndef CAMB_SEARCH_H
#define CAMB_SEARCH_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "store/cacherec.h"
#include "text/charset.h"

enum search_op {
	SEARCH_ALL, SEARCH_NONE,                 /* NONE: a keyword that the mailbox does not have */
	SEARCH_AND, SEARCH_OR, SEARCH_NOT,       /* over the children */
	SEARCH_MSGNO, SEARCH_UID,                /* ranges */
	SEARCH_FLAG,                             /* bits of system_flags (number): all must be set */
	SEARCH_KEYWORD,                          /* number of the user flag */
	SEARCH_SEEN, SEARCH_RECENT,
	SEARCH_BEFORE, SEARCH_ON, SEARCH_SINCE,              /* day: local day of internaldate */
	SEARCH_SENTBEFORE, SEARCH_SENTON, SEARCH_SENTSINCE,  /* day: local day of sentdate */
	SEARCH_LARGER, SEARCH_SMALLER,           /* number: bytes */
	SEARCH_OLDER, SEARCH_YOUNGER,            /* number: seconds before now */
	SEARCH_MODSEQ,                           /* number: at least */
	SEARCH_SUBJECT, SEARCH_FROM, SEARCH_TO, SEARCH_CC, SEARCH_BCC,       /* text */
	SEARCH_HEADER,                           /* header, text; an empty text asks whether the header is there */
	SEARCH_BODY, SEARCH_TEXT
};

struct search_range {
	uint32_t lo, hi;                 /* inclusive, lo <= hi */
};

struct searchkey {
	enum search_op op;
	struct searchkey *first, *last, *next;
	unsigned depth;                  /* of the tree below, this one included */
	struct search_range *ranges;     /* sorted and disjoint after searchkey_new_ranges() */
	size_t nranges;
	uint64_t number;
	int64_t day;
	const char *header;
	struct searchtext text;
};

#define SEARCH_DEPTH_MAX 500

/* All memory is the arena's (query texts are freed with it). */
struct searchkey *searchkey_new(struct arena *a, enum search_op op);
struct searchkey *searchkey_new_number(struct arena *a, enum search_op op, uint64_t n);
struct searchkey *searchkey_new_day(struct arena *a, enum search_op op, int64_t day);
/* Copies and sorts the ranges; each may have its ends in either order. */
struct searchkey *searchkey_new_ranges(struct arena *a, enum search_op op, const struct search_range *r, size_t n);
/* canon: CANON_ flags. header: NULL but for SEARCH_HEADER; copied. */
struct searchkey *searchkey_new_text(struct arena *a, enum search_op op, const char *header, const struct charset *cs,
	const char *text, size_t n, unsigned canon);
/* Makes `child` the last child. ERR_LIMIT when the tree gets deeper than SEARCH_DEPTH_MAX; the parser reports bad syntax. */
int searchkey_add(struct searchkey *parent, struct searchkey *child);

/* Does it (or a key below) look at the modseq? The answer then carries MODSEQ. */
bool searchkey_has_modseq(const struct searchkey *k);

/* One message, as the session sees it. */
struct search_message {
	uint32_t msgno, uid, system_flags;
	const uint32_t *user_flags;      /* 128 bits in four words, bit 0 of word 0 first */
	bool seen, recent;               /* of this user and session */
	time_t internaldate, sentdate;
	uint64_t size, modseq;
	unsigned cache_number;
	const struct cacherec *cache;    /* NULL: none; then the message is read */
	/* Maps the message file; false when it cannot be read (the message then matches no key that needs it). Called at most
	 * once for each evaluation of a key; the bytes are the callee's and must stay until searchkey_match() returns. */
	bool (*map)(void *arg, const char **p, size_t *n);
	void *arg;
};

bool searchkey_match(const struct searchkey *k, const struct search_message *m, time_t now);
#endif
