/* literal.c - see literal.h. */
#include "io/literal.h"

bool literal_parse(struct prot *p, bool binary, struct literal *out)
{
	*out = (struct literal){ .binary = binary };
	int c, digits = 0;
	for (; (c = prot_getc(p)) >= '0' && c <= '9'; digits++)
		if (__builtin_mul_overflow(out->size, 10u, &out->size)
			|| __builtin_add_overflow(out->size, (uint64_t)(c - '0'), &out->size)) {
			prot_ungetc(p, c);
			return false;
		}
	if (c == '+') {
		out->nosync = true;
		c = prot_getc(p);
	}
	if (!digits || c != '}') {
		prot_ungetc(p, c);
		return false;
	}
	c = prot_getc(p);
	if (c == '\r') c = prot_getc(p);
	if (c == '\n') return true;
	prot_ungetc(p, c);
	return false;
}

void literal_go_ahead(struct prot *p, const struct literal *l)
{
	if (l->nosync) return;
	prot_puts(p, "+ go ahead\r\n");
	prot_flush(p);
}

bool literal_read(struct prot *p, const struct literal *l, struct buf *out)
{
	for (uint64_t left = l->size; left;) {
		const char *s;
		size_t n = prot_peek(p, &s);
		if (!n) return false;
		if (n > left) n = (size_t)left;
		buf_append(out, s, n);
		prot_skip(p, n);
		left -= n;
	}
	return true;
}

bool literal_discard(struct prot *p, const struct literal *l)
{
	for (uint64_t left = l->size; left;) {
		const char *s;
		size_t n = prot_peek(p, &s);
		if (!n) return false;
		if (n > left) n = (size_t)left;
		prot_skip(p, n);
		left -= n;
	}
	return true;
}
