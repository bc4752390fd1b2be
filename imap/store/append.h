/* append.h - a message in: staged, parsed once, linked, recorded (spec/mailbox.md 1.5, 10.1 to 10.3).
 *
 *   stage_new -> stage_write ... -> stage_finish        the bytes are on disk, on one partition
 *   append_begin -> append_message / append_copy ... -> append_commit       for each target mailbox
 *
 * After append_commit() returned 0 the messages are on disk, records and all. Until then nothing of them can be seen. */
#ifndef CAMB_APPEND_H
#define CAMB_APPEND_H
#include "base/strarray.h"
#include "store/cacherec.h"
#include "store/mailbox.h"
#include "store/seqset.h"

struct stage;
/* The file lies on the given partition and carries internaldate (0: the time of stage_finish()) as its time. seq: the caller's
 * running number. */
int stage_new(struct store *st, const char *partition, time_t internaldate, unsigned seq, struct stage **out);
int stage_write(struct stage *s, const void *p, size_t n);       /* 0, ERR_NOSPACE, ERR_IO; sticks */
int stage_finish(struct stage *s);                               /* makes it durable; ERR_EMPTYMESSAGE */
void stage_free(struct stage *s);                                /* unlinks every copy; NULL is allowed */
const char *stage_data(const struct stage *s, size_t *len);      /* the whole message, after stage_finish() */
time_t stage_date(const struct stage *s);

struct append {
	struct mailbox *mb;
	const char *userid;              /* whose \Seen; NULL: nobody's */
	uint32_t rights;                 /* which flags he may set: see acl.h */
	uint32_t first_uid, count;
	struct seqset seen;              /* UIDs to mark in the user's seen database at commit */
	bool linked;                     /* files were made: their directory must be synced */
};

/* Opens and locks the mailbox and checks the quota for `bytes` in `messages` (negative bytes: no check). On error nothing is
 * held. */
int append_begin(struct store *st, const char *name, const char *userid, uint32_t rights, int64_t bytes, int64_t messages,
	struct append *a);
/* flags: "\\Seen", "\\Flagged", keywords; those the rights do not allow are left out. internaldate 0: the stage's. */
int append_message(struct append *a, struct stage *s, time_t internaldate, const struct strarray *flags, uint32_t *uid);
/* A copy of a record of another (or the same) mailbox, held open by the caller. seen: the acting user's \Seen of it. */
int append_copy(struct append *a, struct mailbox *from, const struct index_record *rec, bool seen, uint32_t *uid);
/* Both end the append and close the mailbox. */
int append_commit(struct append *a);
void append_abort(struct append *a);
#endif
