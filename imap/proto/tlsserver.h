/* tlsserver.h - OpenSSL as a server, by the tls_* options (spec/services.md 13, config.md). */
#ifndef CAMB_TLSSERVER_H
#define CAMB_TLSSERVER_H
#include "conf/conf.h"
#include "io/prot.h"

/* One session's view: the process's context, and whether making it has failed, which is then not tried and logged again and
 * again. */
struct tlsserver {
	SSL_CTX *ctx;
	bool bad;
};

/* Are a certificate and key configured? The files may still be bad. */
bool tlsserver_enabled(const struct conf *c);
/* tlsserver_enabled(), and not forbidden by allowstarttls. That option is of releases after 3.6, where it is off unless written;
 * at the levels we follow STARTTLS needs no leave, so only an allowstarttls that is written in the file counts. */
bool tlsserver_starttls_allowed(const struct conf *c);
/* Is STARTTLS to be announced? tlsserver_starttls_allowed(), and every file named by an option is good. */
bool tlsserver_starttls_offered(struct tlsserver *t, const struct conf *c);
/* A new context, the caller's (tlsserver_free()); c must outlive it. NULL (logged, with the name of the file or option) when
 * anything that is configured cannot be had: certificate, key, tls_client_ca_file, _ca_dir, tls_crl_file, tls_server_dhparam,
 * tls_eccurve, tls_ciphers; or when client certificates are required and no CA is named. Never a context that asks for less than
 * what is configured. */
SSL_CTX *tlsserver_ctx(const struct conf *c);
void tlsserver_free(SSL_CTX *ctx);           /* NULL is allowed */
/* t->ctx, made at the first call. NULL when it cannot be. */
SSL_CTX *tlsserver_ready(struct tlsserver *t, const struct conf *c);
/* Handshake on the stream. 0 with the strength in bits and, when the client showed a certificate, which then is valid, the common
 * name of its subject in *authid (caller frees; NULL: none, or none that can be a name). -1 (logged). Logs "starttls: ..." on
 * success. */
int tlsserver_start(struct prot *p, SSL_CTX *ctx, const char *client, unsigned *ssf, char **authid);
#endif
