/* tlscache.h - TLS sessions that every process of the server can take up again, kept in tls_sessions.db (spec/databases.md 10;
 * records: store/tlssession.h). Whatever is wrong with that file costs clients the short handshake, never the connection. */
#ifndef CAMB_TLSCACHE_H
#define CAMB_TLSCACHE_H
#include "conf/conf.h"

#include <openssl/ssl.h>

/* Sessions made in ctx are kept, and looked up when a client names one; what was kept goes when it is over or turns out to be
 * bad. Tickets, which clients keep, have nothing to do with it. c must outlive ctx, whose app data is taken. */
void tlscache_attach(SSL_CTX *ctx, const struct conf *c);
void tlscache_detach(SSL_CTX *ctx);             /* before SSL_CTX_free(); harmless where none is attached */
#endif
