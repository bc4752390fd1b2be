/* fetch.h - FETCH in its three steps: arguments -> struct fetch_request (fetch_parse.c), request and message -> the bytes of body
 * items (fetch_body.c), both into a response (cmd_fetch.c). RFC 3501 6.4.5, RFC 7162 3.1.4, spec/imap.md 7.2. */
#ifndef CAMB_FETCH_H
#define CAMB_FETCH_H
#include "imapd/args.h"
#include "store/cacherec.h"
#include "store/mailbox.h"
#include "store/section.h"

enum fetch_item {
	FETCH_UID = 1u << 0, FETCH_FLAGS = 1u << 1, FETCH_INTERNALDATE = 1u << 2, FETCH_MODSEQ = 1u << 3, FETCH_SIZE = 1u << 4,
	FETCH_ENVELOPE = 1u << 5, FETCH_BODYSTRUCTURE = 1u << 6, FETCH_BODY = 1u << 7,
	FETCH_HEADER = 1u << 8, FETCH_TEXT = 1u << 9, FETCH_RFC822 = 1u << 10,       /* the RFC822.* items */
	FETCH_SEEN = 1u << 11,                                                       /* not shown: some item sets \Seen */
	FETCH_FAST = FETCH_FLAGS | FETCH_INTERNALDATE | FETCH_SIZE,
	FETCH_ALL = FETCH_FAST | FETCH_ENVELOPE,
	FETCH_FULL = FETCH_ALL | FETCH_BODY,
};

/* One BODY[...] item, or the RFC822.HEADER of a RFC822.HEADER.LINES. */
struct fetch_section {
	struct fetch_section *next;
	const char *label;                   /* as it is answered: "BODY[1.MIME]" */
	bool whole;                          /* BODY[]: the file as it is */
	enum section_what what;
	uint32_t *path;
	size_t npath;
	char **fields;                       /* HEADER.FIELDS; NULL otherwise */
	size_t nfields;
	bool not;
	struct headernames *names;           /* of fields; freed with the arena */
	bool partial;
	uint64_t start, count;               /* count >= 1 */
};

struct fetch_sections { struct fetch_section *first, **last; };
struct fetch_request {
	unsigned items;                      /* FETCH_ bits */
	struct fetch_sections lines;         /* RFC822.HEADER.LINES; the lists are answered in this order */
	struct fetch_sections fields;        /* HEADER.FIELDS */
	struct fetch_sections sections;
	bool limited;                        /* CHANGEDSINCE was given */
	uint64_t changedsince;
};

/* Reads what follows the sequence set and its space, to the end. `name` is the command's, for messages. NULL, or the text of the
 * BAD. All memory is the arena's of `a`; strings may not be used after it. */
const char *fetch_parse(struct args *a, const char *name, struct fetch_request *q);

/* One message while its response is written: file and cache record are opened when the request asks for them and not before. */
struct fetch_message {
	struct mailbox *mb;
	const struct index_record *rec;
	struct msgfile file;
	bool tried, has_file, has_cache;     /* tried: to open the file */
	unsigned number;                     /* of the cache record's format */
	struct cacherec cache;
	struct buf built;                    /* the record, when it was made from the file */
	struct buf text;                     /* selected header fields */
};
/* Opens what the request needs. What cannot be had is logged and answered as NIL. Always ends with fetch_message_close(). */
void fetch_message_open(struct fetch_message *f, struct mailbox *mb, const struct index_record *rec,
	const struct fetch_request *q);
void fetch_message_close(struct fetch_message *f);

/* The bytes of a section, its partial taken; they point into the file or f->text and stay until the next call. false: NIL. */
bool fetch_section_bytes(struct fetch_message *f, const struct fetch_section *sec, const char **p, size_t *n);
#endif
