/* charset_canon.c - the form in which SEARCH compares text, and looking for one text in another. See charset.h. */
#include "config.h"
#include "text/charset.h"

#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utf16.h>

#include "base/mem.h"

/* Normalizes in fixed steps so that an absurd length cannot overflow ICU's 32-bit counts. */
#define CANON_CHUNK (1u << 20)

static UChar *normalized(const UNormalizer2 *how, const UChar *u, int32_t n, int32_t *outn)
{
	UErrorCode e = U_ZERO_ERROR;
	int32_t room = n + n / 2 + 64;
	UChar *o = mem_array(NULL, (size_t)room, sizeof *o);

	*outn = unorm2_normalize(how, u, n, o, room, &e);
	if (e == U_BUFFER_OVERFLOW_ERROR) {
		e = U_ZERO_ERROR;
		room = *outn + 1;
		o = mem_array(o, (size_t)room, sizeof *o);
		*outn = unorm2_normalize(how, u, n, o, room, &e);
	}
	if (U_FAILURE(e))
		*outn = 0;
	return o;
}

/* One character for one, as the originals' tables have it: wide and narrow forms, then simple case folding, and the dotless
 * i counts as i. What would become several characters (sharp s, ligatures) stays. */
static UChar32 folded(const UNormalizer2 *wide, UChar32 c)
{
	UErrorCode e = U_ZERO_ERROR;
	UChar u[8];
	int32_t n, i = 0;

	if (c < 0x80)
		return c >= 'A' && c <= 'Z' ? c + 32 : c;
	if (c == 0x131)
		return 'i';
	n = unorm2_getRawDecomposition(wide, c, u, 8, &e);
	if (n > 0 && U_SUCCESS(e)) {
		UChar32 d;
		U16_NEXT(u, i, n, d);
		if (i == n)
			c = d;
	}
	return u_foldCase(c, U_FOLD_CASE_DEFAULT);
}

static void put_canon(struct buf *out, const UNormalizer2 *wide, UChar32 c, unsigned flags, bool *space)
{
	if (flags & (CANON_MERGESPACE | CANON_SKIPSPACE) && u_isUWhiteSpace(c)) {
		if (flags & CANON_MERGESPACE && !*space)
			buf_putc(out, ' ');
		*space = true;
		return;
	}
	if (flags & CANON_SKIPDIACRIT && (U_GET_GC_MASK(c) & U_GC_M_MASK))
		return;
	*space = false;
	charset_put_utf8(out, (uint32_t)folded(wide, c));
}

static void canon_chunk(const char *s, size_t n, unsigned flags, bool *space, struct buf *out)
{
	UErrorCode e = U_ZERO_ERROR;
	const UNormalizer2 *join = unorm2_getNFCInstance(&e);
	const UNormalizer2 *split = unorm2_getNFDInstance(&e), *wide = unorm2_getNFKDInstance(&e);
	UChar *u, *f, *d;
	int32_t un = 0, fn, dn;

	if (U_FAILURE(e))
		return;
	u = mem_array(NULL, n + 1, sizeof *u);
	u_strFromUTF8WithSub(u, (int32_t)n + 1, &un, s, (int32_t)n, 0xFFFD, NULL, &e);
	if (U_FAILURE(e))
		un = 0;
	f = normalized(join, u, un, &fn);
	d = flags & CANON_SKIPDIACRIT ? normalized(split, f, fn, &dn) : f;
	if (d == f)
		dn = fn;
	for (int32_t i = 0; i < dn; ) {
		UChar32 c;
		U16_NEXT(d, i, dn, c);
		put_canon(out, wide, c, flags, space);
	}
	free(u);
	if (d != f)
		free(d);
	free(f);
}

void charset_canon(const char *s, size_t n, unsigned flags, struct buf *out)
{
	bool space = false;

	while (n > 0) {
		size_t k = n < CANON_CHUNK ? n : CANON_CHUNK;
		while (k < n && k > CANON_CHUNK - 64 && ((unsigned char)s[k] & 0x80))     /* cut in front of an ASCII byte */
			k--;
		canon_chunk(s, k, flags, &space, out);
		s += k;
		n -= k;
	}
}

void searchtext_init(struct searchtext *q, const struct charset *cs, const char *text, size_t n, unsigned flags)
{
	struct buf u = BUF_INIT;

	q->canon = (struct buf)BUF_INIT;
	q->flags = flags;
	charset_to_utf8(cs, DIALECT_36, text, n, true, &u);
	charset_canon(u.s, u.len, flags, &q->canon);
	buf_free(&u);
}

void searchtext_free(struct searchtext *q)
{
	buf_free(&q->canon);
}

bool searchtext_in_utf8(const struct searchtext *q, const char *utf8, size_t n)
{
	struct buf c = BUF_INIT;
	bool found;

	if (q->canon.len == 0)
		return true;
	charset_canon(utf8, n, q->flags, &c);
	found = c.len >= q->canon.len && memmem(c.s, c.len, q->canon.s, q->canon.len) != NULL;
	buf_free(&c);
	return found;
}

bool searchtext_in(const struct searchtext *q, const struct charset *cs, const char *text, size_t n)
{
	struct buf u = BUF_INIT;
	bool found;

	charset_to_utf8(cs, DIALECT_36, text, n, true, &u);
	found = searchtext_in_utf8(q, u.s, u.len);
	buf_free(&u);
	return found;
}
