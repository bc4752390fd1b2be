/* buf.c - see buf.h. */
#include "base/buf.h"
#include "base/mem.h"
#include "base/num.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_free(struct buf *b)
{
	free(b->s);
	*b = (struct buf)BUF_INIT;
}

void buf_reset(struct buf *b) { b->len = 0; }

void buf_reserve(struct buf *b, size_t extra)
{
	size_t need = b->len + extra + 1;
	if (need < extra) need = SIZE_MAX;      /* overflow: let the allocator refuse it */
	if (need <= b->alloc) return;
	size_t n = b->alloc < 64 ? 64 : b->alloc * 2;
	if (n < need) n = need;
	b->s = mem_realloc(b->s, n);
	b->alloc = n;
}

void buf_append(struct buf *b, const void *p, size_t n)
{
	if (!n) return;
	buf_reserve(b, n);
	memcpy(b->s + b->len, p, n);
	b->len += n;
}

void buf_puts(struct buf *b, const char *s) { buf_append(b, s, strlen(s)); }

void buf_putc(struct buf *b, int c)
{
	if (b->len + 1 >= b->alloc) buf_reserve(b, 1);
	b->s[b->len++] = (char)c;
}

void buf_add(struct buf *b, const struct buf *other) { buf_append(b, other->s, other->len); }

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	buf_reserve(b, 64);
	int n = vsnprintf(b->s + b->len, b->alloc - b->len, fmt, ap);
	if (n > 0) {
		if ((size_t)n >= b->alloc - b->len) {
			buf_reserve(b, (size_t)n);
			vsnprintf(b->s + b->len, b->alloc - b->len, fmt, again);
		}
		b->len += (size_t)n;
	}
	va_end(again);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

void buf_be32(struct buf *b, uint32_t v)
{
	buf_reserve(b, 4);
	put_be32(b->s + b->len, v);
	b->len += 4;
}

void buf_be64(struct buf *b, uint64_t v)
{
	buf_reserve(b, 8);
	put_be64(b->s + b->len, v);
	b->len += 8;
}

void buf_truncate(struct buf *b, size_t len)
{
	if (len < b->len) b->len = len;
}

void buf_remove(struct buf *b, size_t off, size_t n)
{
	if (off >= b->len) return;
	if (n > b->len - off) n = b->len - off;
	memmove(b->s + off, b->s + off + n, b->len - off - n);
	b->len -= n;
}

const char *buf_cstr(struct buf *b)
{
	buf_reserve(b, 0);
	b->s[b->len] = 0;
	return b->s;
}

char *buf_take(struct buf *b)
{
	buf_cstr(b);
	char *s = b->s;
	*b = (struct buf)BUF_INIT;
	return s;
}

void buf_set(struct buf *b, const void *p, size_t n)
{
	buf_reset(b);
	buf_append(b, p, n);
}

void buf_setcstr(struct buf *b, const char *s) { buf_set(b, s, strlen(s)); }

int buf_cmp(const struct buf *a, const struct buf *b)
{
	size_t n = a->len < b->len ? a->len : b->len;
	int r = n ? memcmp(a->s, b->s, n) : 0;
	if (r) return r;
	return a->len < b->len ? -1 : a->len > b->len;
}

bool buf_eq(const struct buf *b, const char *s)
{
	size_t n = strlen(s);
	return b->len == n && (!n || !memcmp(b->s, s, n));
}
