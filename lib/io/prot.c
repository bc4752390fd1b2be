/* prot.c - see prot.h. Bytes travel   transport (descriptor or SSL) -> SASL -> inflate -> in.
 * and                                 out -> deflate -> SASL -> transport. */
#include "io/prot.h"
#include "base/mem.h"
#include "sys/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { CHUNK = 16384 };

struct prot {
	int in_fd, out_fd;
	char in[CHUNK];
	size_t pos, end;                     /* what is unread in `in` */
	struct buf decoded;                  /* decoded input that does not fit `in` yet, from `decoded_pos` */
	size_t decoded_pos;
	struct buf out;
	SSL *ssl;
	sasl_conn_t *sasl;
	unsigned sasl_max;
	z_stream *inflate, *deflate;
	struct buf packed;                   /* compressed input that zlib still reads from */
	const char *error;
	bool eof, timed_out;
	int timeout;                         /* seconds, 0 none */
	uint64_t bytes_in, bytes_out;
	int (*wait)(void *, int, int);
	void *wait_arg;
	void (*tap)(void *, char, const void *, size_t);
	void *tap_arg;
};

static void nonblocking(int fd)
{
	int fl = fcntl(fd, F_GETFL);
	if (fl >= 0) fcntl(fd, F_SETFL, fl | O_NONBLOCK);
}

struct prot *prot_new(int in, int out)
{
	struct prot *p = mem_zalloc(sizeof *p);
	p->in_fd = in;
	p->out_fd = out;
	nonblocking(in);
	nonblocking(out);
	return p;
}

void prot_free(struct prot *p)
{
	if (!p) return;
	if (p->ssl) {
		/* nothing is sent; but the session stays good (RFC 5246 7.2.1), unless an alert ended it */
		SSL_set_quiet_shutdown(p->ssl, 1);
		SSL_shutdown(p->ssl);
		SSL_free(p->ssl);
	}
	if (p->inflate) inflateEnd(p->inflate);
	if (p->deflate) deflateEnd(p->deflate);
	free(p->inflate);
	free(p->deflate);
	buf_free(&p->out);
	buf_free(&p->decoded);
	buf_free(&p->packed);
	free(p);
}

void prot_fail(struct prot *p, const char *why)
{
	if (!p->error) p->error = why;
}

/* ------------------------------------------------------------------------------------------------ waiting */

static int wait_fd(struct prot *p, int fd, short events, int timeout_ms)
{
	int64_t deadline = timeout_ms < 0 ? 0 : clock_mono() + (int64_t)timeout_ms * 1000000;
	for (;;) {
		int r;
		if (events == POLLIN && p->wait) {
			r = p->wait(p->wait_arg, fd, timeout_ms);
		} else {
			struct pollfd f = { .fd = fd, .events = events };
			r = poll(&f, 1, timeout_ms);
		}
		if (r >= 0 || errno != EINTR) return r;
		if (timeout_ms < 0) continue;
		int64_t left = deadline - clock_mono();
		if (left <= 0) return 0;
		timeout_ms = (int)(left / 1000000) + 1;
	}
}

/* Waits as long as the stream allows; false (and the error set) when nothing came. */
static bool wait_or_fail(struct prot *p, int fd, short events)
{
	int seconds = p->timeout < INT_MAX / 1000 ? p->timeout : INT_MAX / 1000;       /* 24 days; poll() knows no more */
	int r = wait_fd(p, fd, events, seconds ? seconds * 1000 : -1);
	if (r > 0) return true;
	if (r == 0) p->timed_out = true;
	prot_fail(p, r == 0 ? "idle for too long" : strerror(errno));
	return false;
}

/* ------------------------------------------------------------------------------------------------ transport */

static ssize_t ssl_result(struct prot *p, int r)
{
	switch (SSL_get_error(p->ssl, r)) {
	case SSL_ERROR_WANT_READ: return wait_or_fail(p, p->in_fd, POLLIN) ? -2 : -1;
	case SSL_ERROR_WANT_WRITE: return wait_or_fail(p, p->out_fd, POLLOUT) ? -2 : -1;
	case SSL_ERROR_ZERO_RETURN: return 0;
	case SSL_ERROR_SYSCALL: ERR_clear_error(); return 0;
	default: ERR_clear_error(); prot_fail(p, "TLS error"); return -1;
	}
}

/* One read of the transport, waiting for it. >0 bytes, 0 end, -1 failed. */
static ssize_t transport_read(struct prot *p, void *dst, size_t n)
{
	for (;;) {
		ssize_t r;
		if (p->ssl) {
			int k = SSL_read(p->ssl, dst, (int)n);
			if (k > 0) return k;
			r = ssl_result(p, k);
		} else {
			r = read(p->in_fd, dst, n);
			if (r < 0 && (errno == EINTR)) r = -2;
			else if (r < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) r = wait_or_fail(p, p->in_fd, POLLIN) ? -2 : -1;
			else if (r < 0) prot_fail(p, strerror(errno));
		}
		if (r != -2) return r;
	}
}

static int transport_write(struct prot *p, const char *s, size_t n)
{
	while (n) {
		ssize_t r;
		if (p->ssl) {
			int k = SSL_write(p->ssl, s, n > CHUNK ? CHUNK : (int)n);
			r = k > 0 ? k : ssl_result(p, k);
			if (r == 0) r = -1, prot_fail(p, "connection closed");
		} else {
			r = write(p->out_fd, s, n);
			if (r < 0 && errno == EINTR) r = -2;
			else if (r < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) r = wait_or_fail(p, p->out_fd, POLLOUT) ? -2 : -1;
			else if (r < 0) prot_fail(p, strerror(errno));
		}
		if (r == -2) continue;
		if (r < 0) return -1;
		s += r;
		n -= (size_t)r;
	}
	return 0;
}

/* ------------------------------------------------------------------------------------------------ output */

static int sasl_write(struct prot *p, const char *s, size_t n)
{
	if (!p->sasl) return transport_write(p, s, n);
	while (n) {
		unsigned k = n > p->sasl_max ? p->sasl_max : (unsigned)n, len;
		const char *enc;
		if (sasl_encode(p->sasl, s, k, &enc, &len) != SASL_OK) {
			prot_fail(p, "SASL encoding failed");
			return -1;
		}
		if (transport_write(p, enc, len) < 0) return -1;
		s += k;
		n -= k;
	}
	return 0;
}

static int deflate_write(struct prot *p, const char *s, size_t n)
{
	if (!p->deflate) return sasl_write(p, s, n);
	char out[CHUNK];
	p->deflate->next_in = (Bytef *)(uintptr_t)s;
	p->deflate->avail_in = (uInt)n;
	do {
		p->deflate->next_out = (Bytef *)out;
		p->deflate->avail_out = sizeof out;
		int r = deflate(p->deflate, Z_SYNC_FLUSH);
		if (r != Z_OK && r != Z_BUF_ERROR) {
			prot_fail(p, "compression failed");
			return -1;
		}
		if (sasl_write(p, out, sizeof out - p->deflate->avail_out) < 0) return -1;
	} while (!p->deflate->avail_out);
	return 0;
}

int prot_flush(struct prot *p)
{
	int r = 0;
	if (p->out.len && !p->error) r = deflate_write(p, p->out.s, p->out.len);
	buf_reset(&p->out);
	return p->error ? -1 : r;
}

void prot_write(struct prot *p, const void *s, size_t n)
{
	if (p->error || !n) return;
	p->bytes_out += n;
	if (p->tap) p->tap(p->tap_arg, '>', s, n);
	if (p->out.len + n >= 4 * CHUNK) prot_flush(p);
	if (n < 4 * CHUNK) buf_append(&p->out, s, n);
	else if (!p->error) deflate_write(p, s, n);           /* large blocks are not copied */
}

void prot_putc(struct prot *p, int c)
{
	char b = (char)c;
	prot_write(p, &b, 1);
}

void prot_puts(struct prot *p, const char *s) { prot_write(p, s, strlen(s)); }
void prot_putbuf(struct prot *p, const struct buf *b) { prot_write(p, b->s, b->len); }

void prot_printf(struct prot *p, const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	va_list ap;
	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	prot_putbuf(p, &b);
	buf_free(&b);
}

/* ------------------------------------------------------------------------------------------------ input */

/* zlib keeps a pointer to its input: give it memory that stays. */
static void feed_inflate(struct prot *p, const char *s, size_t n)
{
	buf_set(&p->packed, s, n);
	p->inflate->next_in = (Bytef *)p->packed.s;
	p->inflate->avail_in = (uInt)n;
}

/* Inflates into `decoded`, at most a few chunks at a time: what a bomb expands to is read by the caller as it goes. */
static bool inflate_some(struct prot *p)
{
	size_t before = p->decoded.len;
	for (int i = 0; i < 4 && (p->inflate->avail_in || !i); i++) {
		buf_reserve(&p->decoded, CHUNK);
		p->inflate->next_out = (Bytef *)p->decoded.s + p->decoded.len;
		p->inflate->avail_out = CHUNK;
		int r = inflate(p->inflate, Z_SYNC_FLUSH);
		p->decoded.len += CHUNK - p->inflate->avail_out;
		if (r == Z_STREAM_END) {              /* the peer has said all; what he sends after that is nothing */
			if (p->decoded.len == before) p->eof = true, prot_fail(p, "end of file reached");
			break;
		}
		if (r != Z_OK && r != Z_BUF_ERROR) {
			prot_fail(p, "decompression failed");
			return false;
		}
	}
	return p->decoded.len > before;
}

/* Decoded bytes wait in p->decoded; fetches more from the transport when there are none. */
static bool fill_decoded(struct prot *p)
{
	buf_reset(&p->decoded);
	p->decoded_pos = 0;
	if (p->inflate && (p->inflate->avail_in || p->inflate->avail_out == 0) && inflate_some(p)) return true;
	while (!p->error) {
		char raw[CHUNK];
		ssize_t n = transport_read(p, raw, sizeof raw);
		if (n <= 0) {
			if (!n) p->eof = true, prot_fail(p, "end of file reached");
			return false;
		}
		const char *plain = raw;
		unsigned len = (unsigned)n;
		if (p->sasl && sasl_decode(p->sasl, raw, (unsigned)n, &plain, &len) != SASL_OK) {
			prot_fail(p, "SASL decoding failed");
			return false;
		}
		if (!len) continue;
		if (!p->inflate) {
			buf_append(&p->decoded, plain, len);
			return true;
		}
		feed_inflate(p, plain, len);
		if (inflate_some(p)) return true;
	}
	return false;
}

static bool fill(struct prot *p)
{
	if (p->pos < p->end) return true;
	p->pos = p->end = 0;
	if (p->out.len) prot_flush(p);
	if (p->error) return false;
	if (!p->sasl && !p->inflate && p->decoded_pos >= p->decoded.len) {
		ssize_t n = transport_read(p, p->in, sizeof p->in);
		if (n <= 0) {
			if (!n) p->eof = true, prot_fail(p, "end of file reached");
			return false;
		}
		p->end = (size_t)n;
	} else {
		if (p->decoded_pos >= p->decoded.len && !fill_decoded(p)) return false;
		size_t n = p->decoded.len - p->decoded_pos;
		if (n > sizeof p->in) n = sizeof p->in;
		memcpy(p->in, p->decoded.s + p->decoded_pos, n);
		p->decoded_pos += n;
		p->end = n;
	}
	p->bytes_in += p->end;
	if (p->tap) p->tap(p->tap_arg, '<', p->in, p->end);
	return true;
}

int prot_getc(struct prot *p)
{
	if (p->pos >= p->end && !fill(p)) return PROT_EOF;
	return (unsigned char)p->in[p->pos++];
}

void prot_ungetc(struct prot *p, int c)
{
	if (c == PROT_EOF) return;
	if (p->pos) p->in[--p->pos] = (char)c;
}

size_t prot_peek(struct prot *p, const char **data)
{
	if (!fill(p)) return 0;
	*data = p->in + p->pos;
	return p->end - p->pos;
}

void prot_skip(struct prot *p, size_t n) { p->pos += n; }

size_t prot_read(struct prot *p, void *dst, size_t n)
{
	size_t done = 0;
	while (done < n && fill(p)) {
		size_t k = p->end - p->pos < n - done ? p->end - p->pos : n - done;
		memcpy((char *)dst + done, p->in + p->pos, k);
		p->pos += k;
		done += k;
	}
	return done;
}

bool prot_getline(struct prot *p, struct buf *b, size_t max)
{
	size_t start = b->len;
	const char *s;
	size_t n;
	while (b->len - start < max && (n = prot_peek(p, &s))) {
		if (n > max - (b->len - start)) n = max - (b->len - start);
		const char *nl = memchr(s, '\n', n);
		if (nl) n = (size_t)(nl - s) + 1;
		buf_append(b, s, n);
		prot_skip(p, n);
		if (nl) return true;
	}
	return b->len - start >= max && !p->error;
}

bool prot_input_waiting(struct prot *p, int timeout_ms)
{
	if (p->pos < p->end || p->decoded_pos < p->decoded.len) return true;
	if (p->inflate && p->inflate->avail_in) return true;
	prot_flush(p);
	if (p->error) return true;                    /* the next read says so at once */
	if (p->ssl && SSL_pending(p->ssl)) return true;
	return wait_fd(p, p->in_fd, POLLIN, timeout_ms) != 0;
}

void prot_discard_input(struct prot *p)
{
	p->pos = p->end = 0;
	p->decoded_pos = 0;
	buf_reset(&p->decoded);
}

/* ------------------------------------------------------------------------------------------------ state */

const char *prot_error(const struct prot *p) { return p->error; }
bool prot_eof(const struct prot *p) { return p->eof; }
bool prot_timed_out(const struct prot *p) { return p->timed_out; }
void prot_set_timeout(struct prot *p, int seconds) { p->timeout = seconds; }
uint64_t prot_bytes_in(const struct prot *p) { return p->bytes_in; }
uint64_t prot_bytes_out(const struct prot *p) { return p->bytes_out; }
int prot_fd(const struct prot *p) { return p->in_fd; }
SSL *prot_ssl(const struct prot *p) { return p->ssl; }

void prot_set_wait(struct prot *p, int (*wait)(void *, int, int), void *arg)
{
	p->wait = wait;
	p->wait_arg = arg;
}

void prot_set_tap(struct prot *p, void (*tap)(void *, char, const void *, size_t), void *arg)
{
	p->tap = tap;
	p->tap_arg = arg;
}

/* ------------------------------------------------------------------------------------------------ layers */

int prot_starttls(struct prot *p, SSL *ssl, bool server, int timeout)
{
	int saved = p->timeout, r;
	if (prot_flush(p) < 0) {
		SSL_free(ssl);
		return -1;
	}
	prot_discard_input(p);
	p->ssl = ssl;
	SSL_set_rfd(ssl, p->in_fd);
	SSL_set_wfd(ssl, p->out_fd);
	SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
#ifdef SSL_OP_IGNORE_UNEXPECTED_EOF
	/* Clients close without close_notify; the protocols mark the end of what counts themselves. */
	SSL_set_options(ssl, SSL_OP_IGNORE_UNEXPECTED_EOF);
#endif
	p->timeout = timeout;
	do {
		int k = server ? SSL_accept(ssl) : SSL_connect(ssl);
		r = k == 1 ? 1 : (int)ssl_result(p, k);
		if (r == 0) prot_fail(p, "connection closed");
	} while (r == -2);
	p->timeout = saved;
	return r == 1 && !p->error ? 0 : -1;
}

void prot_set_sasl(struct prot *p, sasl_conn_t *conn)
{
	const void *v = NULL;
	prot_flush(p);
	p->sasl = conn;
	p->sasl_max = CHUNK;
	if (conn && sasl_getprop(conn, SASL_MAXOUTBUF, &v) == SASL_OK && v && *(const unsigned *)v && *(const unsigned *)v < CHUNK)
		p->sasl_max = *(const unsigned *)v;
}

int prot_set_deflate(struct prot *p)
{
	prot_flush(p);
	p->inflate = mem_zalloc(sizeof *p->inflate);
	p->deflate = mem_zalloc(sizeof *p->deflate);
	bool ok = inflateInit2(p->inflate, -MAX_WBITS) == Z_OK;
	ok = deflateInit2(p->deflate, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK && ok;
	if (!ok) {
		prot_fail(p, "cannot start compression");
		return -1;
	}
	/* bytes that came in one packet with the command are already compressed */
	size_t n = p->end - p->pos;
	if (n) {
		feed_inflate(p, p->in + p->pos, n);
		p->pos = p->end = 0;
	}
	return 0;
}
