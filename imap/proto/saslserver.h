/* saslserver.h - Cyrus SASL as a server: configuration from imapd.conf, canonical user ids, who may act for whom
 * (spec/services.md 0, imap.md 5). */
#ifndef CAMB_SASLSERVER_H
#define CAMB_SASLSERVER_H
#include "conf/conf.h"
#include "io/prot.h"

#include <sasl/sasl.h>

/* Once per process; conf must live as long. 0 or ERR_CONFIG (logged). */
int saslserver_init(struct conf *conf);

struct saslserver {
	struct conf *conf;
	const char *service;                  /* "imap", "lmtp" ...: also what user_deny.db is asked about */
	sasl_conn_t *conn;
	sasl_callback_t callbacks[4];
	char *denied;                         /* why user_deny.db refused, after a refusal */
};
/* For one connection. extssf: strength of a wrapping tunnel (-p). fd: for the local and remote addresses, -1 for none. */
int saslserver_new(struct saslserver *s, struct conf *conf, const char *service, const char *deny_service, int fd,
	unsigned extssf);
void saslserver_free(struct saslserver *s);
void saslserver_tls(struct saslserver *s, unsigned ssf, const char *authid);      /* after STARTTLS: strength and client name */

/* "AUTH=PLAIN AUTH=LOGIN" with the given pieces; NULL when nothing is offered. Valid until the next call on conn. */
const char *saslserver_mechs(struct saslserver *s, const char *prefix, const char *sep, const char *suffix);

/* Is the service barred to this user (user_deny.db, spec/databases.md 12)? *why (caller frees) is the message. */
bool user_denied(struct conf *conf, const char *service, const char *userid, char **why);

/* The whole exchange. challenge() sends one (base64) and reads the answer: 0, ERR_SYNTAX for bad base64, ERR_PERM for "*",
 * ERR_EOF. initial: base64 or NULL; "=" is the empty one. SASL_OK and *userid (owned by conn). Otherwise a SASL code, or one
 * of: */
enum { SASLSERVER_CANCELLED = -1000, SASLSERVER_BADBASE64 = -1001, SASLSERVER_EOF = -1002 };
int saslserver_authenticate(struct saslserver *s, struct prot *p, const char *mech, const char *initial,
	const char *challenge_prefix, const char **userid, const char **final_challenge);
#endif
