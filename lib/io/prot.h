/* prot.h - a buffered byte stream to a client or a peer, both ways, with the layers the protocols stack on it:
 * TLS (OpenSSL), then a SASL security layer, then DEFLATE.
 *
 * Guarantees: a read that would block first sends what was written; every wait ends at the timeout; bytes received before
 * TLS began are never seen after it (STARTTLS injection); input is bounded by what the caller asks for. The descriptors are made
 * non-blocking. Errors stick: after one, reads give what was received before and then PROT_EOF, and writes are dropped until
 * prot_free(). Never call with a lock held: any write may wait for the network. */
#ifndef CAMB_PROT_H
#define CAMB_PROT_H
#include "base/buf.h"

#include <openssl/ssl.h>
#include <sasl/sasl.h>
#include <stdbool.h>
#include <stdint.h>

enum { PROT_EOF = -1 };

struct prot;

/* in and out may be the same descriptor; they stay the caller's to close. */
struct prot *prot_new(int in, int out);
void prot_free(struct prot *p);               /* flushes nothing; frees SSL and zlib state */

/* reading */
int prot_getc(struct prot *p);                /* 0..255 or PROT_EOF */
void prot_ungetc(struct prot *p, int c);      /* at least one byte after each getc; PROT_EOF is ignored */
size_t prot_read(struct prot *p, void *dst, size_t n);    /* all n unless the stream ends */
/* What is buffered, waiting for at least one byte: *data stays valid until the next read. 0 at the end. */
size_t prot_peek(struct prot *p, const char **data);
void prot_skip(struct prot *p, size_t n);     /* n <= what prot_peek() returned */
/* A line up to and including LF appended to b; stops after max bytes. false when the stream ended before any LF: what came is in
 * b. */
bool prot_getline(struct prot *p, struct buf *b, size_t max);
bool prot_input_waiting(struct prot *p, int timeout_ms);  /* buffered or readable within the time; sends output first */
void prot_discard_input(struct prot *p);      /* what is buffered, at every layer above the transport */

/* writing */
void prot_putc(struct prot *p, int c);
void prot_write(struct prot *p, const void *s, size_t n);
void prot_puts(struct prot *p, const char *s);
void prot_putbuf(struct prot *p, const struct buf *b);
void prot_printf(struct prot *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int prot_flush(struct prot *p);               /* 0, or -1: see prot_error() */

/* state */
const char *prot_error(const struct prot *p); /* NULL while all is well; "end of file reached", "idle for too long", ... */
bool prot_eof(const struct prot *p);          /* the peer closed */
bool prot_timed_out(const struct prot *p);
void prot_fail(struct prot *p, const char *why);          /* why must be a constant */
void prot_set_timeout(struct prot *p, int seconds);       /* for each wait; 0: for ever */
uint64_t prot_bytes_in(const struct prot *p), prot_bytes_out(const struct prot *p);
int prot_fd(const struct prot *p);

/* While waiting for input: called instead of poll() so that a service notices signals. Returns >0 ready, 0 timeout,
 * <0 with errno. NULL: poll(). */
void prot_set_wait(struct prot *p, int (*wait)(void *arg, int fd, int timeout_ms), void *arg);
/* Every byte read and written above the layers (telemetry). dir '<' from the client, '>' to it. NULL: off. */
void prot_set_tap(struct prot *p, void (*tap)(void *arg, char dir, const void *s, size_t n), void *arg);

/* layers */
/* Takes ssl (fresh, server or client method chosen by the caller), runs the handshake within `timeout` seconds. Input buffered
 * before is dropped. 0, or -1 with prot_error(). */
int prot_starttls(struct prot *p, SSL *ssl, bool server, int timeout);
SSL *prot_ssl(const struct prot *p);          /* NULL without TLS */
void prot_set_sasl(struct prot *p, sasl_conn_t *conn);    /* from now on sasl_encode and sasl_decode; conn stays the caller's */
int prot_set_deflate(struct prot *p);         /* both ways from now on (RFC 4978); 0 or -1 */
#endif
