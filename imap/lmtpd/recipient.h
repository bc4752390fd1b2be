/* recipient.h - from an address to a mailbox, and the checks made at RCPT time (spec/services.md 1.3, names.md 7). */
#ifndef CAMB_LMTP_RECIPIENT_H
#define CAMB_LMTP_RECIPIENT_H
#include "auth/user.h"
#include "lmtpd/address.h"
#include "store/mbentry.h"
#include "store/store.h"

/* What all deliveries of a connection share. */
struct delivery_env {
	struct conf *conf;
	struct store *st;
	enum conf_level level;               /* whose wording and limits */
	const char *service;                 /* asked about in user_deny.db */
	const char *session_id;
	struct cyrusdb *duplicates;          /* NULL: not suppressed */
	struct user poster;                  /* the AUTH= identity, "anonymous" without one */
};

struct recipient {
	char *userid;                        /* NULL: a shared mailbox */
	char *mailbox;                       /* internal name: the INBOX, or the shared mailbox */
	char *folder;                        /* internal name of the user's mailbox that "+detail" asks for; NULL */
	char *partition;                     /* of `mailbox` */
	bool ignorequota;
	int status;                          /* after delivery: 0 or enum err */
};

/* 0 and *out; or ERR_NOMAILBOX (unknown user), ERR_PERM (visible, but no right to post), ERR_QUOTA, ERR_DISABLED (user_deny.db),
 * ERR_MOVED, ERR_BADFORMAT, ERR_IO ... size: what MAIL announced. */
int recipient_check(struct delivery_env *env, const struct lmtp_address *a, bool ignorequota, uint64_t size,
	struct recipient *out);
void recipient_free(struct recipient *r);

/* Would the message go over a limit there? strict (option): with its size counted; else only when it is over already. */
int recipient_quota(struct delivery_env *env, const struct mbentry *e, uint64_t size);
/* The mailbox below the INBOX whose name is like `name` but for case and white space, or the nearest parent that exists. NULL:
 * only the INBOX itself is left. Caller frees. */
char *recipient_fuzzy(struct delivery_env *env, const char *name);
/* Where the owner's scripts lie (spec/databases.md 18); appends. false: a shared mailbox. */
bool recipient_sieve_dir(struct delivery_env *env, const struct mbentry *inbox, struct buf *out);
bool recipient_may_post(struct delivery_env *env, const struct mbentry *e);
#endif
