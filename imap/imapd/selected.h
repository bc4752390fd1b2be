/* selected.h - the session's view of the selected mailbox: an array of its unexpunged messages as the client was last told of
 * them.
 *
 * Memory: one struct message (some 200 bytes) a message. The mailbox's name lock is held shared while selected, so files and
 * cache offsets in the view stay valid; the index lock is only taken to refresh and to change. */
#ifndef CAMB_SELECTED_H
#define CAMB_SELECTED_H
#include "imapd/session.h"
#include "store/mailbox.h"
#include "store/seqset.h"

struct message {
	struct index_record rec;          /* as of the last refresh */
	bool recent, seen;                /* \Recent in this session; \Seen for this user, wherever it is kept */
	bool gone;                        /* expunged by somebody; the client has not been told yet */
	bool tell_flags;                  /* flags changed since the client was last told */
};

struct selected {
	struct mailbox *mb;
	uint32_t rights;
	bool readonly;                    /* EXAMINE, or no right that changes anything */
	bool examine;
	bool internal_seen;
	struct message *msgs;             /* sequence number - 1 */
	uint32_t n, alloc;
	uint32_t told_exists, told_recent;
	uint32_t uidvalidity, generation, last_uid;
	uint64_t highestmodseq;
	uint32_t recentuid;               /* highest UID that was reported as recent before this session */
	char *flags_told;                 /* the FLAGS list last sent */
	bool vanished;                    /* the mailbox was deleted under us */
};

/* Opens and reads. rights: what the user has there. 0 or an error code (nothing is selected then). */
int selected_open(struct session *s, const char *name, bool examine, struct selected **out);
void selected_close(struct selected **sel);
const char *selected_name(const struct selected *sel);     /* internal */

/* Looks whether others changed the mailbox and takes it into the view. Locks the index for the moment it takes. */
int selected_refresh(struct session *s);
/* Tells the client: EXPUNGE (when may_expunge), EXISTS, RECENT, FLAGS, changed FETCH FLAGS. Call before the tagged answer. */
void selected_report(struct session *s, bool may_expunge);
/* Both, at the end of a command: the usual thing. */
void selected_update(struct session *s, bool may_expunge);
void selected_put_flags(struct session *s, bool permanent_too);      /* "* FLAGS (...)", and "* OK [PERMANENTFLAGS ...] Ok" */

uint32_t selected_find(const struct selected *sel, uint32_t uid);    /* sequence number, 0 when absent */
uint32_t selected_count_recent(const struct selected *sel);
/* A parsed and resolved set against the view: calls fn for each message in it, ascending. by_uid: the numbers are UIDs. */
typedef int selected_fn(struct session *s, uint32_t seqno, struct message *m, void *arg);
int selected_each(struct session *s, struct seqset *set, bool by_uid, selected_fn *fn, void *arg, uint32_t *matched);
/* Reads a sequence set from the arguments, resolved. false: answered BAD. A set of only numbers beyond the end is fine: it
 * matches nothing. */
bool selected_parse_set(struct session *s, struct seqset *out);

/* "(FLAGS (...) ..." pieces */
void message_put_flags(struct session *s, const struct message *m);      /* "FLAGS (\Recent ...)" */
/* An untagged FETCH of the flags, with UID and MODSEQ as the session wants them. */
void message_put_update(struct session *s, uint32_t seqno, const struct message *m);

/* Marks or unmarks \Seen of these UIDs for this user, where his state lives outside the index. */
int selected_store_seen(struct session *s, struct seqset *uids, bool seen);
#endif
