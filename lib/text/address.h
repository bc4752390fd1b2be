/* address.h - the address lists of From, To and their like (spec/mailbox.md 7.6). */
#ifndef CAMB_ADDRESS_H
#define CAMB_ADDRESS_H
#include <stddef.h>

#include "base/arena.h"
#include "text/dialect.h"

struct text {                        /* bytes that may hold NULs; s NULL: absent */
	const char *s;
	size_t n;
};

/* Group start: domain absent, mailbox present (its name). Group end: both absent. */
struct address {
	struct address *next;
	struct text name, route, mailbox, domain;
};
struct addresslist {
	struct address *first, **tail;   /* tail: set by addresslist_init() */
	size_t n;
};

#define ADDRESS_UNSPECIFIED "unspecified-domain"

void addresslist_init(struct addresslist *l);
/* Appends what is found in the raw value (folds included, without the CRLF that ends the field). Memory is the arena's. */
void address_scan(struct arena *a, enum dialect d, const char *value, size_t n, struct addresslist *l);
#endif
