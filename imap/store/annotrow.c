/* annotrow.c - see annotrow.h. */
#include "store/annotrow.h"
#include "base/err.h"
#include "base/num.h"

#include <string.h>

#define CONTENT_TYPE "text/plain"
enum { ZEROES = 8, TAIL = 9 };

int annotkey_parse(const char *p, size_t len, struct annotkey *k)
{
	const char *end = p + len, *nul;
	*k = (struct annotkey){ .scope = p };
	if (!(nul = memchr(p, 0, len))) return ERR_BADFORMAT;
	k->entry = nul + 1;
	if (!(nul = memchr(k->entry, 0, (size_t)(end - k->entry)))) return ERR_BADFORMAT;
	k->userid = nul + 1;
	nul = memchr(k->userid, 0, (size_t)(end - k->userid));
	k->short_end = !nul;
	return *k->entry != '/' || (nul && nul + 1 != end) ? ERR_BADFORMAT : 0;
}

size_t annotkey_userlen(const struct annotkey *k, const char *p, size_t len)
{
	return (size_t)(p + len - k->userid) - !k->short_end;
}

bool annotkey_user_is(const struct annotkey *k, const char *p, size_t len, const char *userid)
{
	size_t n = strlen(userid);
	return annotkey_userlen(k, p, len) == n && !memcmp(k->userid, userid, n);
}

void annotkey_print(const char *scope, const char *entry, const char *userid, struct buf *out)
{
	buf_append(out, scope, strlen(scope) + 1);
	buf_append(out, entry, strlen(entry) + 1);
	buf_append(out, userid, strlen(userid) + 1);
}

/* What follows the length: value, NUL, content type, and maybe more. */
static bool fits(const char *p, size_t len, size_t head, struct annotrow *r)
{
	size_t n = len >= 4 ? get_be32(p) : 0;
	if (len < head || n > len - head) return false;
	const char *end = p + len, *s = p + head + n;
	r->value = p + head;
	r->len = n;
	if (s == end) return true;                                /* nothing but the value: good enough */
	if (*s++) return false;
	const char *nul = s < end ? memchr(s, 0, (size_t)(end - s)) : NULL;
	if (!nul) return s == end;
	s = nul + 1;
	if (end - s < ZEROES) return true;
	s += ZEROES;
	r->has_tail = end - s >= TAIL;
	if (r->has_tail) {
		r->modseq = get_be64(s);
		r->flags = (uint8_t)s[8];
	}
	return true;
}

int annotrow_parse(const char *p, size_t len, struct annotrow *r)
{
	*r = (struct annotrow){ .form = ANNOTROW_64 };
	if (len >= 8 && !get_be32(p + 4)) return fits(p, len, 8, r) ? 0 : ERR_BADFORMAT;      /* no text begins with four NULs */
	*r = (struct annotrow){ .form = ANNOTROW_32 };
	return fits(p, len, 4, r) ? 0 : ERR_BADFORMAT;
}

bool annotrow_live(const char *p, size_t len, struct annotrow *r)
{
	return !annotrow_parse(p, len, r) && !(r->flags & ANNOTROW_DELETED);
}

void annotrow_print(const struct annotrow *r, struct buf *out)
{
	buf_be32(out, (uint32_t)r->len);
	if (r->form == ANNOTROW_64) buf_be32(out, 0);
	buf_append(out, r->value, r->len);
	buf_putc(out, 0);
	buf_append(out, CONTENT_TYPE, sizeof CONTENT_TYPE);
	for (int i = 0; i < ZEROES; i++) buf_putc(out, 0);
	if (!r->has_tail) return;
	buf_be64(out, r->modseq);
	buf_putc(out, r->flags);
}
