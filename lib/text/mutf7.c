/* mutf7.c - modified UTF-7 to and from UTF-8. One reader of `&...-` serves the check and the conversion. See mutf7.h. */
#include "text/mutf7.h"

#include <stdint.h>
#include <string.h>

#include "base/err.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

static int value(int c)
{
	const char *p = c ? strchr(alphabet, c) : NULL;

	return p ? (int)(p - alphabet) : -1;
}

/* One sequence behind its `&`, up to and including `-`. Calls back for each 16-bit unit. Returns the bytes used, or 0. */
typedef bool (*unit_fn)(void *arg, unsigned unit);

static size_t sequence(const char *s, size_t n, unit_fn fn, void *arg)
{
	unsigned bits = 0, have = 0;
	size_t i;

	for (i = 0; i < n && s[i] != '-'; i++) {
		int v = value((unsigned char)s[i]);
		if (v < 0)
			return 0;
		bits = (bits << 6 | (unsigned)v) & 0xffffff;
		have += 6;
		if (have >= 16) {
			have -= 16;
			if (!fn(arg, bits >> have & 0xffff))
				return 0;
		}
	}
	/* Padding: fewer than six bits, all zero; six or more would be half a unit. */
	if (i >= n || have >= 6 || (bits & ((1u << have) - 1)))
		return 0;
	return i + 1;
}

struct reader {
	bool bmp_only;               /* 2.5 */
	bool pairs;                  /* surrogates must pair */
	unsigned high;
	struct buf *out;             /* NULL: only check */
};

static void put(struct buf *out, uint32_t c)
{
	if (c < 0x800) {
		buf_putc(out, (int)(0xc0 | c >> 6));
	} else {
		if (c < 0x10000) {
			buf_putc(out, (int)(0xe0 | c >> 12));
		} else {
			buf_putc(out, (int)(0xf0 | c >> 18));
			buf_putc(out, (int)(0x80 | (c >> 12 & 0x3f)));
		}
		buf_putc(out, (int)(0x80 | (c >> 6 & 0x3f)));
	}
	buf_putc(out, (int)(0x80 | (c & 0x3f)));
}

static bool unit(void *arg, unsigned u)
{
	struct reader *r = arg;
	bool surrogate = u >= 0xd800 && u < 0xe000;

	if (u < 0x80 || (surrogate && r->bmp_only))
		return false;
	if (!r->pairs)
		return true;
	if (r->high) {
		uint32_t c = 0x10000 + ((r->high & 0x3ff) << 10 | (u & 0x3ff));
		if (u < 0xdc00 || u > 0xdfff)
			return false;
		r->high = 0;
		put(r->out, c);
		return true;
	}
	if (!surrogate)
		put(r->out, u);
	else if (u < 0xdc00)
		r->high = u;
	else
		return false;
	return true;
}

static bool read_name(struct reader *r, const char *s, size_t n)
{
	bool adjacent = false;           /* a sequence ended just here */

	for (size_t i = 0; i < n; ) {
		size_t used;
		if (s[i] != '&' || (n - i > 1 && s[i + 1] == '-')) {
			if (r->out)
				buf_putc(r->out, s[i]);
			i += s[i] == '&' ? 2 : 1;
			adjacent = false;
			continue;
		}
		if (adjacent || !(used = sequence(s + i + 1, n - i - 1, unit, r)) || r->high)
			return false;
		i += 1 + used;
		adjacent = true;
	}
	return true;
}

bool mutf7_valid(enum dialect d, const char *s, size_t n)
{
	struct reader r = { .bmp_only = d == DIALECT_25 };

	return read_name(&r, s, n);
}

int mutf7_to_utf8(const char *s, size_t n, struct buf *out)
{
	struct reader r = { .pairs = true, .out = out };

	return read_name(&r, s, n) ? 0 : ERR_BADNAME;
}

/* One character; strict UTF-8. Returns its length or 0. */
static size_t utf8_char(const unsigned char *p, size_t n, uint32_t *c)
{
	size_t len = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;

	if (len == 0 || len > n)
		return 0;
	*c = len == 1 ? p[0] : p[0] & (0xffu >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*c = *c << 6 | (p[i] & 0x3f);
	}
	if ((len == 3 && *c < 0x800) || (len == 4 && *c < 0x10000) || *c > 0x10ffff || (*c >= 0xd800 && *c < 0xe000))
		return 0;
	return len;
}

struct writer {
	unsigned bits, have;
	struct buf *out;
};

static void write_unit(struct writer *w, unsigned u)
{
	w->bits = (w->bits << 16 | u) & 0x3fffff;
	w->have += 16;
	while (w->have >= 6) {
		w->have -= 6;
		buf_putc(w->out, alphabet[w->bits >> w->have & 0x3f]);
	}
}

static void write_end(struct writer *w)
{
	if (w->have)
		buf_putc(w->out, alphabet[w->bits << (6 - w->have) & 0x3f]);
	w->have = w->bits = 0;
	buf_putc(w->out, '-');
}

int mutf7_from_utf8(const char *s, size_t n, struct buf *out)
{
	struct writer w = { .out = out };
	bool inside = false;
	uint32_t c = 0;

	for (size_t i = 0; i < n; ) {
		size_t k = utf8_char((const unsigned char *)s + i, n - i, &c);
		if (!k)
			return ERR_BADNAME;
		i += k;
		if (c < 0x80) {
			if (inside)
				write_end(&w);
			inside = false;
			buf_putc(out, (int)c);
			if (c == '&')
				buf_putc(out, '-');
			continue;
		}
		if (!inside)
			buf_putc(out, '&');
		inside = true;
		if (c >= 0x10000) {
			write_unit(&w, 0xd800 | (c - 0x10000) >> 10);
			c = 0xdc00 | (c & 0x3ff);
		}
		write_unit(&w, c);
	}
	if (inside)
		write_end(&w);
	return 0;
}
