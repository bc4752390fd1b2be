/* transfer.c - base64 and quoted-printable decoders that take every input; see transfer.h. */
#include "text/transfer.h"

#include <string.h>

#include "base/num.h"

#define QP_LINE_MAX 998          /* longer lines are decoded in pieces of one byte more */

static int b64_value(int c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

struct b64 {
	unsigned n, acc;             /* characters of the present quantum, the last one's value */
};

/* The byte that is complete now, or -1. */
static int b64_feed(struct b64 *b, int v)
{
	int r = -1;

	if (b->n)
		r = (int)((b->acc << 2 * b->n | (unsigned)v >> (6 - 2 * b->n)) & 0xff);
	b->acc = (unsigned)v;
	b->n = (b->n + 1) % 4;
	return r;
}

void transfer_base64(const char *p, size_t n, struct buf *out)
{
	struct b64 b = { 0, 0 };

	for (size_t i = 0; i < n; i++) {
		int v = b64_value((unsigned char)p[i]), r;
		if (p[i] == '=')
			b.n = 0;
		if (v >= 0 && (r = b64_feed(&b, v)) >= 0)
			buf_putc(out, r);
	}
}

size_t transfer_b25(const char *p, size_t n, int16_t *codes)
{
	struct b64 b = { 0, 0 };
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		int v = b64_value((unsigned char)p[i]), r;
		if (v >= 0 && (r = b64_feed(&b, v)) >= 0)
			codes[k++] = (int16_t)r;
	}
	return k;
}

static bool is_hex2(const char *p, size_t left)
{
	return left >= 2 && num_hex((unsigned char)p[0]) >= 0 && num_hex((unsigned char)p[1]) >= 0;
}

static void qp_line(const char *l, size_t n, bool newline, bool header, struct buf *out)
{
	while (n > 0 && (l[n - 1] == ' ' || l[n - 1] == '\t'))
		n--;
	for (size_t i = 0; i < n; i++) {
		if (l[i] == '=') {
			if (i + 1 >= n)
				return;                  /* soft break */
			if (is_hex2(l + i + 1, n - i - 1)) {
				buf_putc(out, num_hex((unsigned char)l[i + 1]) << 4 | num_hex((unsigned char)l[i + 2]));
				i += 2;
				continue;
			}
		}
		buf_putc(out, l[i] == '_' && header ? ' ' : (unsigned char)l[i]);
	}
	if (newline)
		buf_append(out, "\r\n", 2);
}

static void qp(const char *p, size_t n, bool header, struct buf *out)
{
	char line[QP_LINE_MAX + 1];
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\r')
			continue;
		if (p[i] == '\n') {
			qp_line(line, k, true, header, out);
			k = 0;
			continue;
		}
		line[k++] = p[i];
		if (k > QP_LINE_MAX) {
			qp_line(line, k, false, header, out);
			k = 0;
		}
	}
	qp_line(line, k, false, header, out);
}

void transfer_qp(const char *p, size_t n, struct buf *out)
{
	qp(p, n, false, out);
}

void transfer_qp_header(const char *p, size_t n, struct buf *out)
{
	qp(p, n, true, out);
}

size_t transfer_q25(const char *p, size_t n, int16_t *codes)
{
	size_t k = 0, i = 0;

	while (i < n) {
		int c = (unsigned char)p[i++], a, b;
		if (c != '=') {
			codes[k++] = (int16_t)(c == '_' ? ' ' : c);
			continue;
		}
		if (n - i < 2)
			break;                       /* swallowed without a trace */
		a = num_hex((unsigned char)p[i]);
		b = num_hex((unsigned char)p[i + 1]);
		i += 2;
		if (b >= 0)
			codes[k++] = (int16_t)(a < 0 ? -1 : a << 4 | b);
	}
	return k;
}

void transfer_decode(enum transfer t, const char *p, size_t n, struct buf *out)
{
	switch (t) {
	case TRANSFER_NONE: buf_append(out, p, n); break;
	case TRANSFER_QP: transfer_qp(p, n, out); break;
	case TRANSFER_BASE64: transfer_base64(p, n, out); break;
	case TRANSFER_BASE64URL: case TRANSFER_UNKNOWN: break;
	}
}
