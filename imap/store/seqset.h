/* seqset.h - sets of numbers as IMAP writes them: "1:5,8,10:*" (RFC 3501 sequence-set). Ranges are kept sorted and merged, so a
 * set with millions of ranges costs n log n once and log n for each question. */
#ifndef CAMB_SEQSET_H
#define CAMB_SEQSET_H
#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

enum { SEQSET_STAR = 0xffffffffu };       /* '*' until seqset_resolve() */
struct seqrange { uint32_t low, high; };
struct seqset {
	struct seqrange *v;
	size_t n, alloc;
	bool sorted;
};
#define SEQSET_INIT { NULL, 0, 0, true }

void seqset_free(struct seqset *s);
/* Numbers of 1 to 10 digits, '*', ranges either way round. ERR_SYNTAX otherwise (and for an empty string). 0 is accepted as a
 * number. */
int seqset_parse(struct seqset *s, const char *p, size_t len);
void seqset_resolve(struct seqset *s, uint32_t star);       /* '*' becomes star (RFC 3501: also the higher end of x:*) */
void seqset_add(struct seqset *s, uint32_t low, uint32_t high);
void seqset_remove(struct seqset *s, uint32_t n);
void seqset_sort(struct seqset *s);                          /* sorts and merges; the questions below do it when needed */
bool seqset_has(struct seqset *s, uint32_t n);
uint32_t seqset_first(struct seqset *s), seqset_last(struct seqset *s);      /* 0 when empty */
uint64_t seqset_count(struct seqset *s);
void seqset_print(struct seqset *s, struct buf *out);
#endif
