/* buf.h - a growing byte string. May hold NULs; buf_cstr() always ends it with one that does not count. */
#ifndef CAMB_BUF_H
#define CAMB_BUF_H
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	char *s;                 /* NULL until something is appended; use buf_cstr() for a C string */
	size_t len, alloc;
};
#define BUF_INIT { NULL, 0, 0 }

void buf_free(struct buf *b);                     /* frees and zeroes: the buf may be used again */
void buf_reset(struct buf *b);                    /* length 0, memory kept */
void buf_reserve(struct buf *b, size_t extra);    /* room for `extra` more bytes at b->s + b->len */
void buf_append(struct buf *b, const void *p, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, int c);
void buf_add(struct buf *b, const struct buf *other);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
void buf_be32(struct buf *b, uint32_t v);         /* four bytes, network order */
void buf_be64(struct buf *b, uint64_t v);
void buf_truncate(struct buf *b, size_t len);     /* no effect when len >= b->len */
void buf_remove(struct buf *b, size_t off, size_t n);
const char *buf_cstr(struct buf *b);              /* valid until the next change */
char *buf_take(struct buf *b);                    /* NUL-terminated; the caller frees; b is empty again */
void buf_set(struct buf *b, const void *p, size_t n);
void buf_setcstr(struct buf *b, const char *s);
int buf_cmp(const struct buf *a, const struct buf *b);   /* memcmp order, shorter first */
bool buf_eq(const struct buf *b, const char *s);         /* equal to the C string */
#endif
