/* section.h - the SECTION item of a cache record: where in the message file each part lies (spec/mailbox.md 6.8).
 * Reads the layouts of all cache numbers; every length is checked, a damaged item gives ERR_BADFORMAT. */
#ifndef CAMB_SECTION_H
#define CAMB_SECTION_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text/address.h"
#include "text/transfer.h"

enum section_what {
	SECTION_PART,            /* BODY[1.2]; with an empty path the whole message is the caller's business */
	SECTION_MIME,            /* BODY[1.2.MIME]: the part's own header */
	SECTION_HEADER,          /* BODY[HEADER], BODY[1.2.HEADER]: only of messages */
	SECTION_TEXT             /* BODY[TEXT], BODY[1.2.TEXT] */
};

struct section_part {
	uint32_t hoff, hsize, coff, csize;
	enum transfer transfer;          /* TRANSFER_NONE and so on; an unknown code reads TRANSFER_UNKNOWN */
	bool has_charset;                /* false: not text */
	unsigned charset_index;          /* numbers 0-3: of charset_index_name(), CHARSET_INDEX_UNKNOWN otherwise */
	struct text charset;             /* its name; s NULL: none, or an unknown one (numbers 0-3) */
	bool has_guid, has_size, has_lines;
	uint8_t guid[20];
	uint32_t decoded_size, lines;
};

struct section_ref {
	uint32_t off, len;               /* the bytes asked for: caller cuts them to the file */
	struct section_part part;        /* the part they belong to */
};

/* ERR_NOTFOUND when the message has no such section (IMAP answers NIL). */
int section_find(unsigned number, const char *item, size_t len, const uint32_t *path, size_t npath,
	enum section_what what, struct section_ref *ref);

/* All parts with content, depth first: the leaves for SEARCH BODY and TEXT. Message headers inside are reported as
 * headers. fn returns non-zero to stop; that is returned. */
enum section_visit { SECTION_VISIT_LEAF, SECTION_VISIT_HEADER };
int section_each(unsigned number, const char *item, size_t len,
	int (*fn)(void *arg, enum section_visit v, const struct section_part *p), void *arg);
#endif
