/* list.h - LIST and its kin in three steps: arguments -> struct list_request (list_parse.c), the names that the user may see ->
 * struct listing (list_collect.c), both -> lines (list_answer.c). RFC 3501 6.3.8 and 6.3.9, 5258, 5819, 6154, 8440, 9590;
 * spec/imap.md 6.2. */
#ifndef CAMB_IMAPD_LIST_H
#define CAMB_IMAPD_LIST_H
#include "base/hash.h"
#include "imapd/session.h"
#include "store/annots.h"
#include "store/mbentry.h"
#include "store/racl_index.h"
#include "store/specialuse.h"
#include "text/glob.h"

enum list_kind { LIST_LIST, LIST_LSUB, LIST_XLIST, LIST_RLIST, LIST_RLSUB };

enum { LIST_PATTERNS = 1024, LIST_ENTRIES = 64 };         /* most patterns, and annotations, in one command */

struct list_request {
	const char *verb;                 /* of the untagged lines */
	bool lsub, xlist, extended;
	bool sel_subscribed, sel_specialuse, recursive;
	bool ret_subscribed, ret_children, ret_specialuse, ret_myrights, ret_status, ret_metadata;
	unsigned status;                  /* for status_read() */
	const char *annots[LIST_ENTRIES]; /* as asked: "/shared/comment" */
	size_t nannots;
	const char *patterns[LIST_PATTERNS];      /* behind the reference; none: only the separator was asked for */
	size_t npatterns;
	struct glob *globs[LIST_PATTERNS];
};

/* false: it was no LIST, and that was answered. *q ends with s->cmd. */
bool list_parse(struct session *s, enum list_kind kind, struct list_request *q);

/* Order of the answer, where the release lists by category. */
enum list_category { CAT_INBOX, CAT_OWN, CAT_ALT, CAT_OTHER, CAT_SHARED, CAT_DELETED };
enum list_live { LIVE_UNKNOWN, LIVE_YES, LIVE_NO };

struct list_entry {
	char *ext;                        /* in s->cmd */
	size_t suffix;                    /* bytes of "@domain" at the end of ext: no level of the hierarchy lies in it */
	uint32_t order;                   /* in the database */
	enum list_category category;
	enum list_live live;              /* a subscription: whether there is such a mailbox that the user may see is found out when
	                                     needed */
	bool inbox;
	struct mbname parts;              /* of subscriptions */
	struct mbentry *mb;               /* when the answer needs it, or the live mailbox of a subscription; owned */
};

struct listing {
	struct session *s;
	const struct list_request *q;
	struct list_entry *v;
	size_t n, alloc;
	struct hash *entries;             /* ext -> struct list_entry in v */
	struct hash *parents;             /* names that have something of this listing below them */
	struct hash *subscribed;          /* external names; when they are to be told */
	struct annots *uses;          /* NULL: special uses are not asked for, or there are none */
	struct annots *annots;            /* for METADATA */
	struct racl_index index;          /* while the mailboxes of others are collected, where there is one */
	char *last_acl;                   /* one's own mailboxes mostly have the same one, and then the same rights */
	bool last_seen;
	uint64_t rows;                    /* of the mailbox list that were looked at */
};

int list_collect(struct listing *l);
void list_free(struct listing *l);
bool list_live(struct listing *l, struct list_entry *e);
/* Is there a mailbox below the entry that the user may see? Reads no more of the list than it takes to know. */
bool list_has_children(struct listing *l, const struct list_entry *e);
bool list_sees(struct session *s, const struct mbentry *e);          /* may the user know of it? */
/* The length of the shortest level below which no pattern matches anything; GLOB_ALIVE: there is none. */
size_t list_dead_below(const struct list_request *q, const char *ext);
/* The text that all matches begin with, as typed. In s->cmd. */
char *list_literal(struct session *s, const struct list_request *q);

int list_answer(struct listing *l, unsigned *calls);
void list_put_metadata(struct listing *l, const struct mbentry *e, const char *ext, uint32_t rights);
#endif
