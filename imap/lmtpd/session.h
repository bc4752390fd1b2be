/* session.h - one LMTP connection: who is there and the transaction at hand (RFC 2033, spec/services.md 1). */
#ifndef CAMB_LMTP_SESSION_H
#define CAMB_LMTP_SESSION_H
#include "auth/user.h"
#include "io/prot.h"
#include "lmtpd/address.h"
#include "lmtpd/recipient.h"
#include "proto/saslserver.h"
#include "proto/tlsserver.h"

struct session {
	struct delivery_env env;             /* what recipients and deliveries need */
	struct prot *p;
	struct saslserver sasl;
	struct tlsserver engine;             /* its context is the process's; NULL until needed */
	const char *service;                 /* cyrus.conf's name for us */
	char *client, *id;                   /* "host [ip]", session id */
	unsigned *sequence;                  /* of session ids in this process */
	char *lhlo;                          /* what the client called itself; NULL before LHLO */
	char *login;                         /* after AUTH: the user; else NULL */
	bool preauth;                        /* a UNIX socket, or -a */
	bool tls, over;

	/* the transaction */
	bool have_sender;
	struct lmtp_address sender;
	uint64_t size;                       /* SIZE= of MAIL, 0 when absent */
	struct recipient *rcpt;
	size_t nrcpt, rcpt_alloc;
};

void session_run(struct session *s);                 /* banner to the end */
void session_reset(struct session *s);               /* ends the transaction */
void session_new_id(struct session *s);
void session_data(struct session *s);                /* behind "DATA": the message and its replies */
/* The administrator shut the service: says so and ends, unless the command is harmless. */
bool session_shut(struct session *s, bool harmless);
void reply(struct session *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));      /* one line */
#endif
