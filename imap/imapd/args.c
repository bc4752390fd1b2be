/* args.c - see args.h. */
#include "imapd/args.h"
#include "base/num.h"

#include <string.h>
#include <strings.h>

bool args_end(const struct args *a) { return a->p >= a->end; }
int args_peek(const struct args *a) { return a->p < a->end ? (unsigned char)*a->p : -1; }

bool args_char(struct args *a, char c)
{
	if (a->p >= a->end || *a->p != c) return false;
	a->p++;
	return true;
}

bool args_space(struct args *a) { return args_char(a, ' '); }

static bool atom_char(unsigned char c) { return c > 0x20 && c < 0x7f && !strchr("(){%*\"\\", c); }

static bool take(struct args *a, const char *from, char **out)
{
	if (a->p == from) return false;
	*out = arena_dup(a->arena, from, (size_t)(a->p - from));
	return true;
}

bool args_atom(struct args *a, char **out)
{
	const char *s = a->p;
	while (a->p < a->end && atom_char((unsigned char)*a->p)) a->p++;
	return take(a, s, out);
}

bool args_word(struct args *a, char **out)
{
	const char *s = a->p;
	while (a->p < a->end) {
		char c = *a->p;
		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' || c == '-' || c == '_'))
			break;
		a->p++;
	}
	return take(a, s, out);
}

static bool quoted(struct args *a, char **out, size_t *len)
{
	const char *s = a->p + 1, *q = s;
	while (q < a->end && *q != '"') {
		if (*q == '\\') q++;
		if (q < a->end && (*q == '\r' || *q == '\n')) return false;
		q++;
	}
	if (q >= a->end) return false;
	char *o = *out = arena_alloc(a->arena, (size_t)(q - s) + 1);
	for (; s < q; s++) {
		if (*s == '\\') s++;
		*o++ = *s;
	}
	*o = 0;
	*len = (size_t)(o - *out);
	a->p = q + 1;
	return true;
}

static bool literal(struct args *a, char **out, size_t *len)
{
	const char *q = a->p + (*a->p == '~') + 1;
	uint64_t n;
	if (!num_u64(&q, a->end, &n)) return false;
	if (q < a->end && *q == '+') q++;
	if (q >= a->end || *q++ != '}') return false;
	if (q < a->end && *q == '\r') q++;
	if (q >= a->end || *q++ != '\n' || n > (uint64_t)(a->end - q)) return false;
	*out = arena_dup(a->arena, q, (size_t)n);
	*len = (size_t)n;
	a->p = q + n;
	return true;
}

bool args_string_n(struct args *a, char **out, size_t *len)
{
	int c = args_peek(a);
	if (c == '"') return quoted(a, out, len);
	return c == '{' && literal(a, out, len);
}

bool args_string(struct args *a, char **out)
{
	size_t len;
	const char *start = a->p;
	if (args_string_n(a, out, &len) && !memchr(*out, 0, len)) return true;
	a->p = start;
	return false;
}

bool args_astring(struct args *a, char **out)
{
	int c = args_peek(a);
	return c == '"' || c == '{' ? args_string(a, out) : args_atom(a, out);
}

bool args_nstring(struct args *a, char **out)
{
	int c = args_peek(a);
	if (c == '"' || c == '{') return args_string(a, out);
	char *atom;
	const char *start = a->p;
	if (args_atom(a, &atom) && !strcasecmp(atom, "NIL")) {
		*out = NULL;
		return true;
	}
	a->p = start;
	return false;
}

bool args_list_mailbox(struct args *a, char **out)
{
	int c = args_peek(a);
	if (c == '"' || c == '{') return args_string(a, out);
	const char *s = a->p;
	while (a->p < a->end && (atom_char((unsigned char)*a->p) || *a->p == '%' || *a->p == '*')) a->p++;
	return take(a, s, out);
}

bool args_number(struct args *a, uint64_t *v) { return num_u64(&a->p, a->end, v); }

bool args_seqset(struct args *a, char **out)
{
	const char *s = a->p;
	while (a->p < a->end && *a->p && strchr("0123456789,:*$", *a->p)) a->p++;
	return take(a, s, out);
}

bool args_flag(struct args *a, char **out)
{
	const char *s = a->p;
	args_char(a, '\\');
	while (a->p < a->end && atom_char((unsigned char)*a->p)) a->p++;
	if (a->p - s < 1 || (*s == '\\' && a->p - s < 2)) {
		a->p = s;
		return false;
	}
	return take(a, s, out);
}
