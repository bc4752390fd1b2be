/* mbentry.h - a record of mailboxes.db, whatever layout it is stored in (spec/databases.md 4). */
#ifndef CAMB_MBENTRY_H
#define CAMB_MBENTRY_H
#include "store/mbname.h"

enum mbentry_flag {
	MBENTRY_DELETED = 1 << 0,          /* a tombstone: treat as absent */
	MBENTRY_MOVING = 1 << 1, MBENTRY_REMOTE = 1 << 2, MBENTRY_RESERVED = 1 << 3,
	MBENTRY_INTERMEDIATE = 1 << 4,     /* only a place in the hierarchy */
	MBENTRY_LEGACYDIRS = 1 << 5,       /* directory by name (3.6); every entry of the 2.5 layout has it in memory */
	MBENTRY_KEEPTIME = 1 << 6,         /* in memory only: mtime is written as it stands (restoring a dump) */
};

struct mbentry {
	char *name;                        /* internal form */
	struct mbname parts;
	char *uniqueid, *partition, *server;   /* NULL when absent */
	char *acl;                         /* "identifier TAB rights TAB ..."; never NULL */
	char type;                         /* 'e' mail; other letters of spec 4.2 and 4.4 */
	unsigned flags;                    /* enum mbentry_flag */
	uint32_t uidvalidity;
	uint64_t createdmodseq, foldermodseq;
	time_t mtime;                      /* of the last write of the record */
};

void mbentry_free(struct mbentry *e);
void mbentry_copy(struct mbentry *to, const struct mbentry *from);
void mbentry_set_acl(struct mbentry *e, const char *acl);
#endif
