/* charset.h - character sets by name, and text in them as UTF-8 (spec/mailbox.md 6.8, 7.7).
 *
 * Names are compared without ASCII case. What a name means depends on the dialect: 2.5 knows 31 sets and a list of
 * aliases, 3.6 has other aliases and asks the converter library (ICU) for the rest. */
#ifndef CAMB_CHARSET_H
#define CAMB_CHARSET_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "text/dialect.h"

enum charset_kind {
	CHARSET_ASCII,
	CHARSET_UTF8,
	CHARSET_SINGLE,          /* one byte, one character */
	CHARSET_MULTI,           /* anything with state or more bytes */
	CHARSET_KR25             /* iso-2022-kr as 2.5 reads it: it never gets as far as Hangul */
};

#define CHARSET_NAME_MAX 60
#define CHARSET_INDEX_UNKNOWN 0xffffu

struct charset {
	enum charset_kind kind;
	unsigned index;                     /* in the list of cache numbers 0-3; CHARSET_INDEX_UNKNOWN: not in it */
	char icu[CHARSET_NAME_MAX + 1];     /* name of the converter */
};

/* Fills *cs and returns true when the name is known in that dialect. `name` need not end in a NUL. */
bool charset_find(struct charset *cs, enum dialect d, const char *name, size_t len);
/* The canonical name of an entry of the 2.5 list; NULL when there is no such index. */
const char *charset_index_name(unsigned index);

/* Appends `n` bytes of text as UTF-8. A bad sequence becomes U+FFFD. An incomplete one at the very end becomes U+FFFD
 * when `complete` is set and nothing otherwise. DIALECT_25 drops bad UTF-8 instead and drops NULs outside UTF-8. */
void charset_to_utf8(const struct charset *cs, enum dialect d, const void *p, size_t n, bool complete, struct buf *out);

/* As 2.5 does it, character code by character code: -1 stands for a byte that could not be decoded (U+FFFD). */
#define CHARSET_BAD_CODE (-1)
void charset_codes_to_utf8(const struct charset *cs, const int16_t *codes, size_t n, struct buf *out);

void charset_put_utf8(struct buf *out, uint32_t codepoint);   /* surrogates and beyond U+10FFFF: U+FFFD */

/* The form in which text is compared by SEARCH: simple case folding and width folding, one character for one, then as
 * flags say. */
enum {
	CANON_SKIPDIACRIT = 1,       /* search_skipdiacrit: combining marks are dropped */
	CANON_MERGESPACE = 2,        /* search_whitespace: merge: each run of white space is one space */
	CANON_SKIPSPACE = 4          /* search_whitespace: skip: white space is dropped */
};
void charset_canon(const char *utf8, size_t n, unsigned flags, struct buf *out);

/* A query, made canonical once and looked for in many texts. */
struct searchtext {
	struct buf canon;
	unsigned flags;
};
/* `text` is in charset `cs`. Always ends with searchtext_free(). */
void searchtext_init(struct searchtext *q, const struct charset *cs, const char *text, size_t n, unsigned flags);
void searchtext_free(struct searchtext *q);
bool searchtext_in_utf8(const struct searchtext *q, const char *utf8, size_t n);      /* an empty query is in every text */
bool searchtext_in(const struct searchtext *q, const struct charset *cs, const char *text, size_t n);
#endif
