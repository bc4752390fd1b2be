/* mime.h - one parse of a message into a tree of parts (spec/mailbox.md 7.2 to 7.5). Everything in the cache comes from it.
 *
 * Takes any bytes and never fails. Time and memory are proportional to the length; nothing recurses. All memory of the
 * tree is the arena's; texts may also point into the message, which must live as long as the tree. */
#ifndef CAMB_MIME_H
#define CAMB_MIME_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "text/address.h"
#include "text/dialect.h"
#include "text/transfer.h"

struct mime_options {
	enum dialect dialect;
	unsigned boundary_limit;         /* option boundary_limit: depth of multiparts; 0: none */
	unsigned maxheaderlines;         /* option maxheaderlines: 0: none */
	bool rfc2046_strict;             /* a line that only begins with a boundary is one */
	bool digests;                    /* compute guid and decoded_size (cache numbers 5 and up) */
};
#define MIME_OPTIONS_INIT(d) { (d), 1000, 1000, false, (d) == DIALECT_36 }

struct mime_param {
	struct mime_param *next;
	struct text name, value;         /* name in upper case */
};

enum mime_kind { MIME_LEAF, MIME_MULTIPART, MIME_RFC822 };

/* Headers of a message: the top one, or one inside a message/rfc822. */
struct mime_envelope {
	struct text date, subject, in_reply_to, message_id, references;     /* unfolded, s NULL: absent */
	struct addresslist from, sender, reply_to, to, cc, bcc;
};

struct mime_part {
	struct mime_part *parent, *next, *first, *last;   /* MIME_RFC822: `first` is the message inside */
	size_t nparts;
	enum mime_kind kind;
	struct text type, subtype;       /* upper case; never absent, but may be empty */
	struct mime_param *params;
	struct text encoding, disposition;
	struct mime_param *disposition_params;
	struct mime_param *languages;    /* `name` only */
	struct text id, description, md5, location;
	struct mime_envelope *envelope;  /* NULL unless this is a message */

	size_t hoff, hsize, coff, csize; /* spec/mailbox.md 6.8 */
	size_t hlines, lines;
	size_t bsize, blines;            /* the boundary line that ended this part, if it is its parent's to count */
	enum transfer transfer;
	struct text charset;             /* of the charset parameter if it is known; s NULL: none (see mime_charset_state) */
	unsigned charset_index;          /* as cache numbers 0-3 want it */
	uint8_t guid[20];                /* SHA-1 of the decoded content; zero: unknown encoding, or a multipart with parts */
	size_t decoded_size;
};

struct mime_message {
	struct mime_part *top;
	bool too_many_lines;             /* header lines beyond maxheaderlines were not looked at */
};

struct mime_message *mime_parse(struct arena *a, const struct mime_options *o, const char *msg, size_t len);

/* Walks the tree without recursion: the part after `p` in depth-first order, or NULL. */
struct mime_part *mime_next(struct mime_part *p);

/* A multipart without any part: shown as empty text. */
bool mime_is_zero(const struct mime_part *p);

/* The fields of a header block, one call each. *pos starts at 0; false at the end. Lines before the first field that begin
 * with white space make a field without a name. */
struct mime_field {
	const char *raw, *name, *value;  /* value: behind the colon, up to the end of raw */
	size_t rawlen, namelen, valuelen;    /* rawlen includes the line end, if any; namelen 0: no colon in its first line */
	size_t line;                     /* number of its first line, from 1 */
};
bool mime_field_next(const char *hdr, size_t len, size_t *pos, size_t *line, struct mime_field *f);
#endif
