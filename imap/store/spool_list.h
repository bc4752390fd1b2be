/* spool_list.h - the mailbox list as the spool tells it: every directory with a cyrus.header is a mailbox, and the header, the
 * index and the place of the directory say which. For a site whose mailboxes.db is gone, and for ctl_mboxlist --rebuild.
 *
 * What the spool does not know is not in the list: reservations and remote mailboxes, tombstones, levels that are no mailbox,
 * when a record was last changed, and its foldermodseq (that of the newest message stands for it). */
#ifndef CAMB_SPOOL_LIST_H
#define CAMB_SPOOL_LIST_H
#include "store/mbentry.h"
#include "store/store.h"

enum spool_list_odd {
	SPOOL_LIST_HEADER,                 /* cyrus.header cannot be read: the mailbox is left out */
	SPOOL_LIST_NAME,                   /* its directory stands for no name: left out */
	SPOOL_LIST_OTHER,                  /* the header names another mailbox: the directory decides */
	SPOOL_LIST_TWICE,                  /* a second directory for this name, or with this unique id: left out */
	SPOOL_LIST_NO_ID,                  /* no unique id in the header: left out where the layout needs one, else without */
	SPOOL_LIST_NO_INDEX,               /* no UIDVALIDITY: the index cannot be read */
	SPOOL_LIST_ODDS
};
const char *spool_list_words(enum spool_list_odd what);

struct spool_list {
	int (*found)(void *arg, const struct mbentry *e);      /* non-zero ends the walk and is returned */
	/* Left out with SPOOL_LIST_TWICE; other: the directory that came first. May be NULL. */
	void (*second)(void *arg, const struct mbentry *e, const char *other);
	/* path: of the directory; detail: the other name or directory, or "". May be NULL. */
	void (*odd)(void *arg, enum spool_list_odd what, const char *path, const char *detail);
	void *arg;
	uint64_t mailboxes, odds[SPOOL_LIST_ODDS];             /* out */
	uint64_t unread;                                       /* out: places that could not be looked at; the log says which */
};
/* Walks every partition, in the order of spool_walk.h. 0, what found() returned, or ERR_IO when a partition cannot be read. */
int spool_list_run(struct store *st, struct spool_list *l);
/* The same, into st's own (empty) mailbox list, in one transaction. found is called too, and may be NULL. */
int spool_list_fill(struct store *st, struct spool_list *l);

/* The layout that the spool was written in, as far as it shows: LEVEL_36 for directories by unique id or headers in list form,
 * LEVEL_25 for others, LEVEL_AUTO when there is no mailbox. */
enum conf_level spool_list_level(struct store *st);

/* Option mboxlist_source is `spool`: makes the list at the returned path (caller frees), unless the one that is there is young
 * enough. One process at a time; the others wait. NULL: it cannot be made, logged. */
char *spool_list_current(struct conf *c);

/* The internal name that a directory by name stands for; root_len: of its partition's root. Caller frees. */
char *spool_dir_name(const struct store *st, const char *dir, size_t root_len);
#endif
