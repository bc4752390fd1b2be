/* search_parse.h - the arguments of SEARCH -> a tree of keys (RFC 3501 6.4.4, RFC 5032, RFC 7162 3.1.5; spec/imap.md 7.3). Pure:
 * bytes in, a tree out. */
#ifndef CAMB_SEARCH_PARSE_H
#define CAMB_SEARCH_PARSE_H
#include "imapd/args.h"
#include "store/search.h"

/* What names and numbers mean in the mailbox at hand. */
struct search_context {
	const char *name;                    /* of the command, for messages */
	enum dialect dialect;                /* which character sets there are */
	unsigned canon;                      /* CANON_ flags */
	const char *const *flagname;         /* USER_FLAGS entries, NULL where free */
	uint32_t last_msgno, last_uid;       /* what `*` is */
};

/* *root and NULL, or the text of the refusal, a BAD; *charset: it was about the character set. Memory is the arena's. */
const char *search_parse(struct args *a, const struct search_context *c, struct searchkey **root, bool *charset);
#endif
