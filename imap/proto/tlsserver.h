/* tlsserver.h - OpenSSL as a server, by the tls_* options (spec/services.md 13, config.md). */
#ifndef CAMB_TLSSERVER_H
#define CAMB_TLSSERVER_H
#include "conf/conf.h"
#include "io/prot.h"

/* Are a certificate and key configured? Then STARTTLS is offered. */
bool tlsserver_enabled(const struct conf *c);
/* The process's context, made once by the caller and kept. NULL (logged) when certificate, key or options are no good. */
SSL_CTX *tlsserver_ctx(const struct conf *c);
/* Handshake on the stream. 0 with the strength in bits; -1 (logged). Logs "starttls: ..." on success. */
int tlsserver_start(struct prot *p, SSL_CTX *ctx, const char *client, unsigned *ssf);
#endif
