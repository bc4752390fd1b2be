/* indexedstate.h - a record of cyrus.indexed.db: which messages of a mailbox are in that part of a Xapian search index
 * (spec/databases.md 16). */
#ifndef CAMB_INDEXEDSTATE_H
#define CAMB_INDEXEDSTATE_H
#include "store/seqset.h"

struct indexedkey {
	unsigned version;                /* of the database: 1 by name, 2 by unique id */
	char *tier;                      /* NULL: of the whole directory */
	char *mailbox;                   /* internal name (1) or unique id (2) */
	uint32_t uidvalidity;            /* 1 only */
};
void indexedkey_free(struct indexedkey *k);
int indexedkey_parse(const char *p, size_t len, struct indexedkey *k);       /* ERR_BADFORMAT; k is then empty */
void indexedkey_print(const struct indexedkey *k, struct buf *out);

/* ERR_NOTFOUND: another version; ERR_BADFORMAT; uids is then empty */
int indexedstate_parse(const char *p, size_t len, struct seqset *uids);
void indexedstate_print(struct seqset *uids, struct buf *out);
#endif
