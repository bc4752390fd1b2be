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

/* A name that a mailbox had before, from the record by id of a 3.6 list (spec 4.4, field H). */
struct mbformer {
	char *dbname, *partition;          /* partition NULL: not told */
	char type;
	unsigned flags;
	uint32_t uidvalidity;
	uint64_t createdmodseq, foldermodseq;
	time_t mtime;
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
	/* How the ACL stands in the record: 0 as usual (live entries have one, tombstones none), 1 a tombstone's is there all the
	 * same, as the upgrade of 3.6 leaves it, -1 a live entry's is missing. */
	signed char acl_field;
	/* Only from the record by id; newest first. has_history, when an entry is stored with MBENTRY_KEEPTIME: this is all of it. */
	bool has_history;
	struct mbformer *history;
	size_t nhistory;
};

void mbentry_free(struct mbentry *e);
void mbentry_copy(struct mbentry *to, const struct mbentry *from);
void mbentry_set_acl(struct mbentry *e, const char *acl);
struct mbformer *mbentry_add_former(struct mbentry *e);       /* an empty one behind the others, for the caller to fill */
#endif
