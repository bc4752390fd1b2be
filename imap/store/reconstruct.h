/* reconstruct.h - makes a mailbox right again from what is left of it (spec/mailbox.md 16). */
#ifndef CAMB_RECONSTRUCT_H
#define CAMB_RECONSTRUCT_H
#include "store/mbentry.h"
#include "store/store.h"

enum reconstruct_flags {
	RECONSTRUCT_REPORT = 1 << 0,          /* -n: change nothing */
	RECONSTRUCT_NOSTAT = 1 << 1,          /* -s: believe that the files are there */
	RECONSTRUCT_PARSE = 1 << 2,           /* -G: parse every message */
	RECONSTRUCT_REUID = 1 << 3,           /* -R: a file that is not the recorded message becomes a new one */
	RECONSTRUCT_UNLINK = 1 << 4,          /* -U: ... is removed */
	RECONSTRUCT_IGNORE_ODD = 1 << 5,      /* -o: odd files are not mentioned */
	RECONSTRUCT_REMOVE_ODD = 1 << 6,      /* -O: odd files are removed */
};

struct reconstruct {
	struct store *st;
	unsigned flags;
	void (*say)(void *arg, const char *line);      /* a finding, worded as in spec/tools.md 3.3, without line end */
	void *arg;
};

/* Looks at the mailbox under the exclusive index lock, tells and corrects. What cannot be opened is rescued first, under the
 * exclusive name lock: an unreadable header costs the flag names, an unreadable index what its records said. Message files are
 * only ever removed where -U or -O asks for it. 0; ERR_NOMAILBOX; ERR_BADFORMAT: unreadable, and only a report was wanted; ERR_IO
 * ... */
int reconstruct_mailbox(const struct reconstruct *rc, const char *name);

/* Takes the directory of `name` on that partition into the mailbox list; acl, unique id and UIDVALIDITY from its files. fresh:
 * ignore what the files say (they are rebuilt). ERR_EXISTS, ERR_NOMAILBOX: no cyrus.header there, and not fresh. */
int reconstruct_adopt(struct store *st, const char *name, const char *partition, bool fresh);

/* -f: mailboxes that lie in the spool (a directory with a cyrus.header, spool_list.h) and in no list. Each that is told goes into
 * the list, unless only a report is wanted; making it right is left to reconstruct_mailbox(). Left out, and told by odd: what
 * would be a guess (two directories with one unique id, or an id that a listed mailbox has), names that cannot be given, and what
 * a deletion or move has left. That is removed with RECONSTRUCT_REMOVE_ODD, if the list says that the mailbox is gone, or if the
 * listed mailbox has every message of it. */
struct reconstruct_discover {
	const char *partition;                         /* only there; NULL: everywhere */
	bool fresh;                                    /* -x: header, index and cache are made anew */
	bool (*wanted)(void *arg, const struct mbentry *e);
	void (*found)(void *arg, const struct mbentry *e, int err);      /* err: it could not be put into the list */
	void (*odd)(void *arg, const char *path, const char *words, const char *detail);
	void *arg;
	uint64_t unread;                               /* out: places that could not be looked at */
};
int reconstruct_discover(const struct reconstruct *rc, struct reconstruct_discover *d);      /* 0 or ERR_IO */
#endif
