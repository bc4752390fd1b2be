/* cacherec.h - one record of cyrus.cache: ten items about one message (spec/mailbox.md 6). */
#ifndef CAMB_CACHEREC_H
#define CAMB_CACHEREC_H
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/buf.h"
#include "text/mime.h"

enum cache_item {
	CACHE_ENVELOPE, CACHE_BODYSTRUCTURE, CACHE_BODY, CACHE_SECTION, CACHE_HEADERS,
	CACHE_FROM, CACHE_TO, CACHE_CC, CACHE_BCC, CACHE_SUBJECT,
	CACHE_ITEMS
};

#define CACHE_NUMBER_25 3
#define CACHE_NUMBER_36 11
#define CACHE_NUMBER_MAX 14

struct cacherec {
	struct text item[CACHE_ITEMS];   /* borrowed from the bytes it was parsed from */
	size_t len;                      /* of the whole record, a multiple of 4 */
};

/* Finds the ten items at the start of p. ERR_BADFORMAT when one runs past n or an item's length makes no sense. */
int cacherec_parse(const char *p, size_t n, struct cacherec *rec);
uint32_t cacherec_crc(const char *p, size_t n);      /* CRC-32 of `len` bytes, as cache_crc wants it */

/* The fields of an index record that depend on the message alone. */
struct message_info {
	uint32_t header_size, content_lines, cache_crc, gmtime, sentdate;
	uint64_t size;
	uint8_t guid[20];
	bool too_many_lines;             /* more header lines than maxheaderlines: the caller logs it */
};

struct cacherec_options {
	struct mime_options mime;        /* mime.dialect decides the number that is written */
	bool rfc2047_utf8;               /* option of that name */
};
/* What a record of cache number 3 or 11 is built with when no option is set. */
struct cacherec_options cacherec_defaults(unsigned number);

/* Parses a message and appends its record. The number written is 3 in DIALECT_25, 11 in DIALECT_36; content_lines is 0 in
 * DIALECT_36, as 3.x leaves it. ERR_EMPTYMESSAGE, or ERR_TOOBIG for more than 4 GiB - 1; nothing is appended then. */
int cacherec_build(const struct cacherec_options *o, const char *msg, size_t len, time_t internaldate,
	struct buf *out, struct message_info *info);

/* The number from which on records hold the header of that name (spec/mailbox.md 6.6); -1: none does. */
int cacheheader_since(const char *name, size_t len);
/* May HEADERS of a record with this number answer for that header? False: read the message. */
bool cacheheader_has(unsigned number, const char *name, size_t len);

/* ---- raw header blocks: HEADER.FIELDS and HEADER.FIELDS.NOT */
struct headernames;
struct headernames *headernames_new(const char *const *names, size_t n);    /* ASCII case does not count */
void headernames_free(struct headernames *h);
/* Appends the fields whose names are in the set (not: are not), as they stand, each with its line end; an unfinished last
 * line gets CRLF. The empty line is not copied: the caller ends the block. */
void header_select(const char *hdr, size_t len, const struct headernames *names, bool not, struct buf *out);
/* The unfolded value of the first field of that name; s NULL when there is none. Appended to out. */
bool header_value(const char *hdr, size_t len, const char *name, struct buf *out);
#endif
