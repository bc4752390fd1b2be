/* address.c - see address.h. A pure function of its input: tests and the fuzzer call it directly. */
#include "lmtpd/address.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"

#include <stdlib.h>
#include <string.h>

static bool domain_byte(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
}

static bool atom_byte(unsigned char c) { return c > ' ' && c < 0x7f && !strchr("<>()[]\\,;:\"@", c); }

/* [1.2.3.4] or [IPv6:...]: what may stand there is not checked further. */
static const char *literal(const char *p, const char *end)
{
	for (p++; p < end && *p != ']'; p++)
		if (!domain_byte((unsigned char)*p) && *p != ':') return NULL;
	return p < end ? p + 1 : NULL;
}

static const char *domain(const char *p, const char *end)
{
	const char *start = p;
	if (p < end && *p == '[') return literal(p, end);
	while (p < end && domain_byte((unsigned char)*p)) p++;
	return p > start ? p : NULL;
}

/* "@a,@b:": dropped. NULL when it begins like a route and is none. */
static const char *skip_route(const char *p, const char *end)
{
	if (p == end || *p != '@') return p;
	for (;;) {
		if (p == end || *p != '@') return NULL;
		p = domain(p + 1, end);
		if (!p || p == end) return NULL;
		if (*p == ':') return p + 1;
		if (*p++ != ',') return NULL;
	}
}

/* One byte of the local part, munged where that was asked for. false: refused. */
static bool put_byte(struct buf *out, unsigned char c, unsigned flags)
{
	if (c >= 0x80 && !(flags & ADDRESS_8BIT_TO_X)) return false;
	buf_putc(out, c >= 0x80 ? 'X' : c);
	return true;
}

static const char *quoted(const char *p, const char *end, unsigned flags, struct buf *out)
{
	for (p++; p < end && *p != '"'; p++) {
		if (*p == '\\' && ++p == end) return NULL;
		unsigned char c = (unsigned char)*p;
		if (c < ' ' || c == 0x7f || !put_byte(out, c, flags)) return NULL;
	}
	return p < end ? p + 1 : NULL;
}

static const char *dot_atom(const char *p, const char *end, unsigned flags, struct buf *out)
{
	const char *start = p;
	for (; p < end && (atom_byte((unsigned char)*p) || (unsigned char)*p >= 0x80); p++)
		if (!put_byte(out, (unsigned char)*p, flags)) return NULL;
	return p > start ? p : NULL;
}

static const char *local_part(const char *p, const char *end, unsigned flags, struct buf *out)
{
	return p < end && *p == '"' ? quoted(p, end, flags, out) : dot_atom(p, end, flags, out);
}

static const char *parse(const char *p, const char *end, unsigned flags, struct buf *local, struct buf *dom, const char **text)
{
	p = skip_route(p, end);
	*text = p;
	if (!p) return NULL;
	p = local_part(p, end, flags, local);
	if (p && p < end && *p == '@') {
		const char *start = p + 1;
		p = domain(start, end);
		if (p) buf_set(dom, start, (size_t)(p - start));
	}
	return p;
}

int lmtp_address_parse(const char **pp, const char *end, unsigned flags, struct lmtp_address *out)
{
	struct buf local = BUF_INIT, dom = BUF_INIT;
	const char *p = *pp, *text;
	if (p == end || *p++ != '<') return ERR_SYNTAX;
	if (flags & ADDRESS_EMPTY && p < end && *p == '>') {
		*out = (struct lmtp_address){ .text = mem_strdup(""), .local = mem_strdup("") };
		*pp = p + 1;
		return 0;
	}
	if (end - p > ADDRESS_MAX) end = p + ADDRESS_MAX + 1;
	p = parse(p, end, flags, &local, &dom, &text);
	int r = p && p < end && *p == '>' ? 0 : ERR_SYNTAX;
	if (!r) {
		*out = (struct lmtp_address){ .text = mem_dup(text, (size_t)(p - text)), .domain = dom.len ? buf_take(&dom) : NULL };
		out->local = buf_take(&local);
		*pp = p + 1;
		if (flags & ADDRESS_8BIT_TO_X)
			for (char *c = out->text; *c; c++)
				if ((unsigned char)*c >= 0x80) *c = 'X';
	}
	buf_free(&local);
	buf_free(&dom);
	return r;
}

void lmtp_address_free(struct lmtp_address *a)
{
	free(a->text);
	free(a->local);
	free(a->domain);
	*a = (struct lmtp_address){ 0 };
}

void lmtp_address_split(const char *local, char **user, char **folder)
{
	const char *plus = strchr(local, '+');
	*user = plus ? mem_dup(local, (size_t)(plus - local)) : mem_strdup(local);
	*folder = plus ? mem_strdup(plus + 1) : NULL;
}

bool lmtp_address_xtext(const char *s, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c == '+') {
			if (n - i < 3 || num_hex(s[i + 1]) < 0 || num_hex(s[i + 2]) < 0) return false;
			c = (unsigned char)(num_hex(s[i + 1]) << 4 | num_hex(s[i + 2]));
			i += 2;
			if (c < ' ' || c == 0x7f) return false;
		} else if (c <= ' ' || c >= 0x7f || c == '=') {
			return false;
		}
		buf_putc(out, c);
	}
	return true;
}
