/* charset.c - character sets: finding them by name and turning text in them into UTF-8. See charset.h. */
#include "config.h"
#include "text/charset.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unicode/ucnv.h>
#include <unicode/utf16.h>

#include "base/mem.h"
#include "text/charset_names.h"

#define REPLACEMENT 0xFFFDu

static unsigned row_index(const char *name)
{
	for (unsigned i = 0; i < charset_row_count; i++)
		if (strcasecmp(charset_rows[i].name, name) == 0)
			return i;
	return CHARSET_INDEX_UNKNOWN;
}

static const char *alias_target(const struct charset_alias *a, const char *name)
{
	for (; a->alias; a++)
		if (strcasecmp(a->alias, name) == 0)
			return a->name;
	return name;
}

/* Only names in ICU's own alias table, and none with its option syntax (",version=1"): a message must not be able to make
 * the library look for files. */
static bool icu_knows(const char *name)
{
	UErrorCode e = U_ZERO_ERROR;

	for (const char *p = name; *p; p++)
		if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f || strchr(",;/\\=", *p))
			return false;
	return ucnv_countAliases(name, &e) > 0 && U_SUCCESS(e);
}

/* A name can be in the alias table without the library having its data: then it is unknown. */
static bool icu_kind(const char *icu, enum charset_kind *kind)
{
	UErrorCode e = U_ZERO_ERROR;
	UConverter *c = ucnv_open(icu, &e);
	enum charset_kind k = CHARSET_MULTI;

	if (U_FAILURE(e))
		return false;
	switch (ucnv_getType(c)) {
	case UCNV_SBCS: case UCNV_LATIN_1: k = CHARSET_SINGLE; break;
	case UCNV_US_ASCII: k = CHARSET_ASCII; break;
	case UCNV_UTF8: k = CHARSET_UTF8; break;
	default: break;
	}
	ucnv_close(c);
	*kind = k;
	return true;
}

static void set_row(struct charset *cs, unsigned i, enum dialect d)
{
	const struct charset_row *r = &charset_rows[i];

	cs->kind = r->kind;
	cs->index = i;
	if (d == DIALECT_25 && strcmp(r->name, "iso-2022-kr") == 0)
		cs->kind = CHARSET_KR25;
	strcpy(cs->icu, r->icu ? r->icu : r->name);
}

bool charset_find(struct charset *cs, enum dialect d, const char *name, size_t len)
{
	char buf[CHARSET_NAME_MAX + 1];
	const char *to;
	unsigned i;

	memset(cs, 0, sizeof *cs);
	cs->index = CHARSET_INDEX_UNKNOWN;
	if (len == 0 || len > CHARSET_NAME_MAX || memchr(name, '\0', len))
		return false;
	memcpy(buf, name, len);
	buf[len] = '\0';
	to = alias_target(d == DIALECT_25 ? charset_aliases25 : charset_aliases36, buf);
	i = row_index(to);
	if (i != CHARSET_INDEX_UNKNOWN && (d == DIALECT_25 || strcmp(charset_rows[i].name, "iso-8859-16") != 0)) {
		set_row(cs, i, d);
		return true;
	}
	if (d == DIALECT_25 || !icu_knows(to))
		return false;
	strcpy(cs->icu, to);
	return icu_kind(to, &cs->kind);
}

const char *charset_index_name(unsigned index)
{
	return index < charset_row_count ? charset_rows[index].name : NULL;
}

void charset_put_utf8(struct buf *out, uint32_t c)
{
	char b[4];
	size_t n;

	if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		c = REPLACEMENT;
	if (c < 0x80) {
		buf_putc(out, (int)c);
		return;
	}
	if (c < 0x800) {
		b[0] = (char)(0xc0 | c >> 6);
		n = 2;
	} else if (c < 0x10000) {
		b[0] = (char)(0xe0 | c >> 12);
		n = 3;
	} else {
		b[0] = (char)(0xf0 | c >> 18);
		n = 4;
	}
	for (size_t i = 1; i < n; i++)
		b[i] = (char)(0x80 | (c >> 6 * (n - 1 - i) & 0x3f));
	buf_append(out, b, n);
}

/* The windows sets have holes below 0xA0 which ICU maps to control characters and the originals' tables do not. */
static bool is_windows(const struct charset *cs)
{
	return strncasecmp(cs->icu, "windows-125", 11) == 0;
}

static uint32_t fix_hole(uint32_t c, bool windows)
{
	return windows && c >= 0x80 && c < 0xa0 ? REPLACEMENT : c;
}

static void put_units(struct buf *out, const UChar *u, size_t n, UChar *high, bool windows)
{
	for (size_t i = 0; i < n; i++) {
		UChar c = u[i];
		if (*high) {
			UChar h = *high;
			*high = 0;
			if (U16_IS_TRAIL(c)) {
				charset_put_utf8(out, (uint32_t)U16_GET_SUPPLEMENTARY(h, c));
				continue;
			}
			charset_put_utf8(out, REPLACEMENT);
		}
		if (U16_IS_LEAD(c))
			*high = c;
		else
			charset_put_utf8(out, fix_hole(c, windows));
	}
}

/* The library gives up on nothing once a converter is open: its default is to put U+FFFD for what is bad. */
static void by_icu(const struct charset *cs, const char *p, size_t n, bool complete, struct buf *out)
{
	UErrorCode e = U_ZERO_ERROR;
	UConverter *c = ucnv_open(cs->icu, &e);
	const char *src = p, *end = p + n;
	UChar tmp[512], high = 0;

	if (U_FAILURE(e)) {
		charset_put_utf8(out, REPLACEMENT);
		return;
	}
	do {
		UChar *dst = tmp;
		e = U_ZERO_ERROR;
		ucnv_toUnicode(c, &dst, tmp + sizeof tmp / sizeof tmp[0], &src, end, NULL, complete, &e);
		put_units(out, tmp, (size_t)(dst - tmp), &high, is_windows(cs));
	} while (e == U_BUFFER_OVERFLOW_ERROR);
	if (high)
		charset_put_utf8(out, REPLACEMENT);
	ucnv_close(c);
}

static void by_16(const unsigned char *p, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++)
		charset_put_utf8(out, p[i] < 0xa0 ? p[i] : charset_iso_8859_16[p[i] - 0xa0]);
}

static void by_ascii(const unsigned char *p, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++)
		charset_put_utf8(out, p[i] < 0x80 ? p[i] : REPLACEMENT);
}

/* 2.5's UTF-8 reader: lead bytes and stray continuation bytes never produce anything by themselves. */
struct utf8_25 {
	int left;
	uint32_t c;
};

static void utf8_25_feed(struct utf8_25 *u, int code, struct buf *out)
{
	uint32_t c = (uint32_t)code;

	if (code == CHARSET_BAD_CODE) {
		charset_put_utf8(out, REPLACEMENT);
	} else if ((c & 0xf8) == 0xf0) {
		u->left = 3;
		u->c = c & 7;
	} else if ((c & 0xf0) == 0xe0) {
		u->left = 2;
		u->c = c & 15;
	} else if ((c & 0xe0) == 0xc0) {
		u->left = 1;
		u->c = c & 31;
	} else if ((c & 0xc0) == 0x80) {
		if (u->left == 0)
			return;
		u->c = u->c << 6 | (c & 63);
		if (--u->left == 0)
			charset_put_utf8(out, u->c);
	} else {
		u->left = 0;
		charset_put_utf8(out, c & 0xff);
	}
}

/* After SO one byte is looked up in a table that has nothing for it; then the reader is back in ASCII. */
static void kr25_codes(const int16_t *v, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++) {
		if (v[i] == 0x1b && n - i >= 4 && v[i + 1] == '$' && v[i + 2] == ')' && v[i + 3] == 'C') {
			i += 3;
		} else if (v[i] == 0x0e) {
			i++;
			charset_put_utf8(out, REPLACEMENT);
		} else if (v[i] != 0) {
			charset_put_utf8(out, v[i] >= 0 && v[i] < 0x80 ? (uint32_t)v[i] : REPLACEMENT);
		}
	}
}

/* Runs of good bytes go through the converter together; NULs vanish. */
static void table_codes(const struct charset *cs, const int16_t *v, size_t n, struct buf *out)
{
	struct buf run = BUF_INIT;

	for (size_t i = 0; i <= n; i++) {
		if (i < n && v[i] > 0)
			buf_putc(&run, v[i]);
		if (i < n && (v[i] >= 0 || cs->kind == CHARSET_MULTI))
			continue;
		charset_to_utf8(cs, DIALECT_36, run.s, run.len, true, out);
		buf_reset(&run);
		if (i < n)
			charset_put_utf8(out, REPLACEMENT);
	}
	buf_free(&run);
}

void charset_codes_to_utf8(const struct charset *cs, const int16_t *v, size_t n, struct buf *out)
{
	struct utf8_25 u = { 0, 0 };

	if (cs->kind == CHARSET_KR25)
		kr25_codes(v, n, out);
	else if (cs->kind != CHARSET_UTF8)
		table_codes(cs, v, n, out);
	else
		for (size_t i = 0; i < n; i++)
			utf8_25_feed(&u, v[i], out);
}

void charset_to_utf8(const struct charset *cs, enum dialect d, const void *p, size_t n, bool complete, struct buf *out)
{
	if (n == 0)
		return;
	if (d == DIALECT_25) {
		int16_t *v = mem_array(NULL, n, sizeof *v);
		for (size_t i = 0; i < n; i++)
			v[i] = ((const unsigned char *)p)[i];
		charset_codes_to_utf8(cs, v, n, out);
		free(v);
		return;
	}
	if (cs->kind == CHARSET_ASCII)
		by_ascii(p, n, out);
	else if (strcmp(cs->icu, "iso-8859-16") == 0)
		by_16(p, n, out);
	else
		by_icu(cs, p, n, complete, out);
}
