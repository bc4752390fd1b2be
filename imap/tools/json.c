/* json.c - see json.h. */
#include "tools/json.h"
#include "base/num.h"

#include <string.h>

struct reader {
	struct arena *a;
	const char *p, *end;
	int depth;
};

static struct json *value(struct reader *r);

static void skip(struct reader *r)
{
	while (r->p < r->end && strchr(" \t\r\n", *r->p) && *r->p) r->p++;
}

static bool take(struct reader *r, char c)
{
	skip(r);
	if (r->p >= r->end || *r->p != c) return false;
	r->p++;
	return true;
}

static char *put_utf8(char *o, uint32_t u)
{
	if (u < 0x80) *o++ = (char)u;
	else if (u < 0x800) *o++ = (char)(0xc0 | u >> 6), *o++ = (char)(0x80 | (u & 0x3f));
	else if (u < 0x10000) *o++ = (char)(0xe0 | u >> 12), *o++ = (char)(0x80 | (u >> 6 & 0x3f)), *o++ = (char)(0x80 | (u & 0x3f));
	else {
		*o++ = (char)(0xf0 | u >> 18);
		*o++ = (char)(0x80 | (u >> 12 & 0x3f));
		*o++ = (char)(0x80 | (u >> 6 & 0x3f));
		*o++ = (char)(0x80 | (u & 0x3f));
	}
	return o;
}

static bool hex4(struct reader *r, uint32_t *u)
{
	*u = 0;
	if (r->end - r->p < 4) return false;
	for (int i = 0; i < 4; i++) {
		int d = num_hex((unsigned char)*r->p++);
		if (d < 0) return false;
		*u = *u << 4 | (uint32_t)d;
	}
	return true;
}

/* Behind a backslash. U+0000 cannot be held and is refused. */
static char *escape(struct reader *r, char *o)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	uint32_t u, low;
	if (r->p >= r->end) return NULL;
	char c = *r->p++;
	const char *at = c ? strchr(from, c) : NULL;
	if (at) {
		*o = to[at - from];
		return o + 1;
	}
	if (c != 'u' || !hex4(r, &u) || !u) return NULL;
	if (u >= 0xd800 && u < 0xdc00) {
		if (r->end - r->p < 6 || r->p[0] != '\\' || r->p[1] != 'u') return NULL;
		r->p += 2;
		if (!hex4(r, &low) || low < 0xdc00 || low > 0xdfff) return NULL;
		u = 0x10000 + ((u - 0xd800) << 10) + (low - 0xdc00);
	}
	return put_utf8(o, u);
}

static const char *string(struct reader *r)
{
	if (!take(r, '"')) return NULL;
	const char *q = r->p;
	while (q < r->end && *q != '"') q += *q == '\\' && q + 1 < r->end ? 2 : 1;
	if (q >= r->end) return NULL;
	char *out = arena_alloc(r->a, (size_t)(q - r->p) + 1), *o = out;
	while (r->p < q) {
		if (!*r->p) return NULL;
		if (*r->p != '\\') *o++ = *r->p++;
		else if (r->p++, !(o = escape(r, o))) return NULL;
	}
	*o = 0;
	r->p = q + 1;
	return out;
}

static struct json *node(struct reader *r, enum json_kind kind)
{
	struct json *j = arena_zalloc(r->a, sizeof *j);
	j->kind = kind;
	return j;
}

static struct json *group(struct reader *r, enum json_kind kind, char close)
{
	struct json *j = node(r, kind);
	if (++r->depth > JSON_DEPTH) return NULL;
	r->p++;
	if (!take(r, close)) do {
		const char *key = NULL;
		if (kind == JSON_OBJECT && (!(key = string(r)) || !take(r, ':'))) return NULL;
		struct json *item = value(r);
		if (!item) return NULL;
		item->key = key;
		if (j->tail) j->tail->next = item;
		else j->head = item;
		j->tail = item;
		if (take(r, close)) break;
		if (!take(r, ',')) return NULL;
	} while (1);
	r->depth--;
	return j;
}

static struct json *word(struct reader *r)
{
	const char *s = r->p;
	while (r->p < r->end && *r->p && strchr("+-.0123456789abcdefghijklmnopqrstuvwxyzE", *r->p)) r->p++;
	if (r->p == s) return NULL;
	const char *text = arena_dup(r->a, s, (size_t)(r->p - s));
	bool truth = !strcmp(text, "true") || !strcmp(text, "false"), number = *text == '-' || (*text >= '0' && *text <= '9');
	if (!truth && !number && strcmp(text, "null")) return NULL;
	struct json *j = node(r, truth ? JSON_BOOL : number ? JSON_NUMBER : JSON_NULL);
	j->s = text;
	return j;
}

static struct json *value(struct reader *r)
{
	skip(r);
	if (r->p >= r->end) return NULL;
	if (*r->p == '{') return group(r, JSON_OBJECT, '}');
	if (*r->p == '[') return group(r, JSON_ARRAY, ']');
	if (*r->p != '"') return word(r);
	struct json *j = node(r, JSON_STRING);
	return (j->s = string(r)) ? j : NULL;
}

struct json *json_parse(struct arena *a, const char *p, size_t len, unsigned *line)
{
	struct reader r = { a, p, p + len, 0 };
	struct json *j = value(&r);
	skip(&r);
	if (r.p < r.end) j = NULL;
	*line = 1;
	for (const char *q = p; q < r.p; q++) *line += *q == '\n';
	return j;
}

const struct json *json_get(const struct json *object, const char *key)
{
	const struct json *j = object && object->kind == JSON_OBJECT ? object->head : NULL;
	while (j && strcmp(j->key, key)) j = j->next;
	return j;
}

const char *json_str(const struct json *object, const char *key)
{
	const struct json *j = json_get(object, key);
	return j && (j->kind == JSON_STRING || j->kind == JSON_NUMBER) ? j->s : NULL;
}

void json_quote(struct buf *b, const char *s)
{
	buf_putc(b, '"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		if (c == '"' || c == '\\') buf_putc(b, '\\'), buf_putc(b, c);
		else if (c < 0x20) buf_printf(b, "\\u%04X", c);
		else buf_putc(b, c);
	}
	buf_putc(b, '"');
}
