/* ptsentry.h - a record of ptclient/ptscache.db: the groups of a user, as ptloader found them; the image of a C structure of a
 * 64-bit machine (spec/databases.md 14). Disposable: what does not fit is asked for again. */
#ifndef CAMB_PTSENTRY_H
#define CAMB_PTSENTRY_H
#include "base/buf.h"
#include "base/strarray.h"

enum { PTSENTRY_ID = 512, PTSENTRY_GROUP = 516, PTSENTRY_HEAD = 532, PTSENTRY_FIXED = 1048 };

struct ptsentry {
	char *userid;
	uint32_t hash;                   /* of the user id */
	int64_t when;                    /* it was made */
	struct strarray groups;
	uint32_t *hashes;                /* of each group */
};
void ptsentry_free(struct ptsentry *e);
int ptsentry_parse(const char *p, size_t len, struct ptsentry *e);       /* ERR_BADFORMAT; e is then empty */
void ptsentry_print(const struct ptsentry *e, struct buf *out);          /* ids of 512 bytes and more are cut */
#endif
