/* delivery.h - one message to its recipients: staged once, linked into every mailbox, repeats dropped (spec/services.md 1.3,
 * 1.4). */
#ifndef CAMB_LMTP_DELIVERY_H
#define CAMB_LMTP_DELIVERY_H
#include "lmtpd/filter.h"
#include "lmtpd/recipient.h"
#include "store/append.h"

struct delivery {
	struct delivery_env *env;
	struct filter filter;
	const char *head;                    /* the headers put in front; the caller's */
	const char *partition;               /* where the message is staged: the first recipient's */
	struct stage *stage;                 /* NULL until the headers are read */
	time_t now, date;                    /* when it came; internal date */
	unsigned seq;
	int error;                           /* of the stage: ERR_NOSPACE, ERR_IO; sticks */
};

/* head and the strings in o stay the caller's until delivery_free(). */
void delivery_init(struct delivery *d, struct delivery_env *env, const struct filter_options *o, const char *head,
	const char *partition, time_t now, unsigned seq);
/* As filter_feed(): returns how many bytes were taken, d->filter.ended tells about the end. */
size_t delivery_feed(struct delivery *d, const char *p, size_t n);
/* The verdict on the message: 0, what filter_verdict() says, or d->error. After 0 delivery_to() may be called. */
int delivery_finish(struct delivery *d);
/* Into the recipient's mailbox. 0 (also for a dropped repeat): it is on disk. Every lock is released again. */
int delivery_to(struct delivery *d, const struct recipient *r);
void delivery_free(struct delivery *d);
#endif
