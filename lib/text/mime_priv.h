/* mime_priv.h - what the files of the MIME parser share; see mime.h. */
#ifndef CAMB_MIME_PRIV_H
#define CAMB_MIME_PRIV_H
#include "base/buf.h"
#include "text/mime.h"

/* ---- mime_bound.c: the stack of boundary strings */
struct bound {
	struct text s;
	struct bound *chain;             /* next in its bucket */
	uint64_t hash;
	size_t maxlen;                   /* of this and all outer ones */
	bool shadowed;                   /* an outer one is the same string: it decides */
	size_t level;
};
#define BOUND_BUCKETS 1024
struct boundstack {
	struct bound **v;
	size_t n, alloc;
	struct bound *bucket[BOUND_BUCKETS];
	uint64_t base;                   /* of the rolling hash */
	bool strict;
	struct arena *a;
};
void boundstack_init(struct boundstack *st, struct arena *a, bool strict);
void boundstack_free(struct boundstack *st);
void boundstack_push(struct boundstack *st, struct text s);
void boundstack_cut(struct boundstack *st, size_t n);      /* to n levels */
/* Is the line (with its line end) a delimiter? A closing one cuts the stack below its level. */
bool boundstack_test(struct boundstack *st, const char *line, size_t len);

/* ---- mime_value.c: structured header values */
struct text mime_rfc2047_value(struct arena *a, const char *s, size_t n);
bool mime_value_type(struct arena *a, enum dialect d, const char *s, size_t n, struct mime_part *p);
void mime_value_disposition(struct arena *a, enum dialect d, const char *s, size_t n, struct mime_part *p);
struct text mime_value_encoding(struct arena *a, const char *s, size_t n);       /* absent when not one token */
struct mime_param *mime_value_languages(struct arena *a, const char *s, size_t n);

/* ---- mime_param.c */
struct paramlist {
	struct mime_param **v;
	size_t n, alloc;
};
/* Joins the pieces of RFC 2231 and returns what is left as a chain. Frees the list's own memory. */
struct mime_param *mime_param_join(struct arena *a, struct paramlist *l);

/* ---- mime_header.c */
void mime_header_read(struct arena *a, const struct mime_options *o, const char *hdr, size_t len, struct mime_part *p,
	bool *too_many);
/* Sets transfer, charset and charset_index from what the header said. */
void mime_header_codes(enum dialect d, struct mime_part *p);
/* The boundary parameter; absent when there is none. */
struct text mime_header_boundary(struct arena *a, enum dialect d, const struct mime_part *p);
#endif
