/* rfc2047.c - encoded words in header values; both releases' readings. See rfc2047.h. */
#include "text/rfc2047.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "text/charset.h"
#include "text/transfer.h"

struct word {
	const char *start, *end;         /* from `=?` to behind `?=` */
	const char *cs, *text;
	size_t cslen, textlen;
	char enc;                        /* 'b' or 'q' */
};

struct decoder {
	enum dialect d;
	bool utf8_ok;
	struct buf *out;
	struct buf pending;              /* 3.6: bytes of adjacent words of one charset and encoding */
	struct charset cs;
	char enc;                        /* of `pending`; 0: nothing pending */
};

static bool is_space(int c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static const char *find(const char *p, const char *end, int c)
{
	return p < end ? memchr(p, c, (size_t)(end - p)) : NULL;
}

/* Is there a word whose `=?` is at p? */
static bool word_at(struct decoder *s, const char *p, const char *end, struct word *w)
{
	const char *q, *e, *star;

	w->start = p;
	w->cs = p + 2;
	if (end - p < 3 || p[1] != '?' || !(q = find(p + 2, end, '?')))
		return false;
	if (s->d == DIALECT_36 && memchr(w->cs, '=', (size_t)(q - w->cs)))
		return false;
	if (end - q < 3 || !strchr("bBqQ", q[1]) || !q[1] || q[2] != '?')
		return false;
	w->enc = (char)(q[1] | 0x20);
	w->text = q + 3;
	e = find(w->text, end, '?');
	if (!e || end - e < 2 || e[1] != '=')
		return false;
	w->textlen = (size_t)(e - w->text);
	w->end = e + 2;
	star = memchr(w->cs, '*', (size_t)(q - w->cs));
	w->cslen = (size_t)((star ? star : q) - w->cs);
	return true;
}

static void plain(struct decoder *s, const char *p, const char *end)
{
	static const struct charset utf8 = { CHARSET_UTF8, 1, "utf-8" };
	struct buf t = BUF_INIT;

	for (; p < end; p++) {
		unsigned char c = (unsigned char)*p;
		if (c == '\n' || (c == '\r' && s->d == DIALECT_25))
			continue;
		if (c < 0x80 || (s->utf8_ok && s->d == DIALECT_36))
			buf_putc(&t, c);
		else
			charset_put_utf8(&t, 0xFFFD);
	}
	charset_to_utf8(&utf8, DIALECT_36, t.s, t.len, true, s->out);
	buf_free(&t);
}

static void flush(struct decoder *s)
{
	if (s->enc)
		charset_to_utf8(&s->cs, s->d, s->pending.s, s->pending.len, false, s->out);
	buf_reset(&s->pending);
	s->enc = 0;
}

static void decode25(struct decoder *s, const struct charset *cs, const struct word *w)
{
	int16_t *codes = mem_array(NULL, w->textlen + 1, sizeof *codes);
	size_t n = w->enc == 'q' ? transfer_q25(w->text, w->textlen, codes) : transfer_b25(w->text, w->textlen, codes);

	charset_codes_to_utf8(cs, codes, n, s->out);
	free(codes);
}

static void decode36(struct decoder *s, const struct charset *cs, const struct word *w)
{
	if (s->enc && (s->enc != w->enc || strcmp(s->cs.icu, cs->icu) != 0))
		flush(s);
	s->cs = *cs;
	s->enc = w->enc;
	if (w->enc == 'q')
		transfer_qp_header(w->text, w->textlen, &s->pending);
	else
		transfer_base64(w->text, w->textlen, &s->pending);
}

static void decode_word(struct decoder *s, const struct word *w)
{
	struct charset cs;

	if (!charset_find(&cs, s->d, w->cs, w->cslen)) {
		flush(s);
		charset_put_utf8(s->out, 0xFFFD);
	} else if (s->d == DIALECT_25) {
		decode25(s, &cs, w);
	} else {
		decode36(s, &cs, w);
	}
}

static bool all_space(const char *p, const char *end)
{
	while (p < end && is_space((unsigned char)*p))
		p++;
	return p >= end;
}

void rfc2047_decode(enum dialect d, bool utf8_ok, const char *s, size_t n, struct buf *out)
{
	struct decoder dec = { .d = d, .utf8_ok = utf8_ok, .out = out };
	const char *p = s, *rest = s, *end = s + n, *nul;
	size_t before = out->len;
	bool after_word = false;
	struct word w;

	while ((p = find(p, end, '='))) {
		if (!word_at(&dec, p, end, &w)) {
			p++;
			continue;
		}
		if (!after_word || !all_space(rest, p)) {
			flush(&dec);
			plain(&dec, rest, p);
		}
		decode_word(&dec, &w);
		after_word = true;
		p = rest = w.end;
	}
	flush(&dec);
	if (rest < end)
		plain(&dec, rest, end);
	if (out->len > before && (nul = memchr(out->s + before, '\0', out->len - before)))
		buf_truncate(out, (size_t)(nul - out->s));
	buf_free(&dec.pending);
}
