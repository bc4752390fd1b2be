/* charset_names.h - the tables of charset.c: the list of cache numbers 0-3 and both alias tables (spec/mailbox.md 6.8). */
#ifndef CAMB_CHARSET_NAMES_H
#define CAMB_CHARSET_NAMES_H
#include "text/charset.h"

struct charset_row {
	const char *name;
	enum charset_kind kind;
	const char *icu;         /* NULL: same as name */
};
struct charset_alias {
	const char *alias, *name;
};

extern const struct charset_row charset_rows[];          /* in the order of the 2.5 list */
extern const unsigned charset_row_count;
extern const struct charset_alias charset_aliases25[];   /* both end with { NULL, NULL } */
extern const struct charset_alias charset_aliases36[];
extern const uint16_t charset_iso_8859_16[96];           /* from 0xA0 on: the converter library has no such set */
#endif
