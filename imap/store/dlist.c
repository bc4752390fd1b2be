/* dlist.c - see dlist.h. */
#include "store/dlist.h"
#include "base/num.h"

#include <string.h>

struct reader {
	struct arena *a;
	const char *p, *end;
	int depth;
};

static struct dlist *value(struct reader *r);

static void skip_spaces(struct reader *r)
{
	while (r->p < r->end && *r->p == ' ') r->p++;
}

static struct dlist *node(struct reader *r, enum dlist_kind kind)
{
	struct dlist *d = arena_zalloc(r->a, sizeof *d);
	d->kind = kind;
	return d;
}

static struct dlist *string_node(struct reader *r, const char *s, size_t len)
{
	struct dlist *d = node(r, DLIST_STRING);
	d->s = arena_dup(r->a, s, len);
	d->len = len;
	return d;
}

static struct dlist *quoted(struct reader *r)
{
	const char *start = ++r->p;
	size_t n = 0;
	while (r->p < r->end && *r->p != '"') {
		if (*r->p == '\\' && ++r->p >= r->end) return NULL;
		r->p++;
		n++;
	}
	if (r->p >= r->end) return NULL;
	char *out = arena_alloc(r->a, n + 1), *o = out;
	for (const char *s = start; s < r->p; s++) {
		if (*s == '\\') s++;
		*o++ = *s;
	}
	*o = 0;
	r->p++;
	struct dlist *d = node(r, DLIST_STRING);
	d->s = out;
	d->len = n;
	return d;
}

static struct dlist *literal(struct reader *r)
{
	uint64_t n;
	r->p++;
	if (!num_u64(&r->p, r->end, &n)) return NULL;
	if (r->p < r->end && *r->p == '+') r->p++;
	if (r->end - r->p < 3 || memcmp(r->p, "}\r\n", 3)) return NULL;
	r->p += 3;
	if (n > (uint64_t)(r->end - r->p)) return NULL;
	struct dlist *d = string_node(r, r->p, (size_t)n);
	r->p += n;
	return d;
}

static bool atom_end(char c) { return c == ' ' || c == '(' || c == ')' || c == '"' || c == '\r' || c == '\n'; }

static struct dlist *atom(struct reader *r)
{
	const char *s = r->p;
	while (r->p < r->end && !atom_end(*r->p)) r->p++;
	if (r->p == s) return NULL;
	if (r->p - s == 3 && !memcmp(s, "NIL", 3)) return node(r, DLIST_NIL);
	return string_node(r, s, (size_t)(r->p - s));
}

static struct dlist *string_any(struct reader *r)
{
	if (r->p >= r->end) return NULL;
	if (*r->p == '"') return quoted(r);
	if (*r->p == '{') return literal(r);
	return atom(r);
}

static struct dlist *list(struct reader *r, enum dlist_kind kind)
{
	struct dlist *d = node(r, kind);
	if (++r->depth > DLIST_DEPTH) return NULL;
	r->p += kind == DLIST_KVLIST ? 2 : 1;
	for (;;) {
		skip_spaces(r);
		if (r->p >= r->end) return NULL;
		if (*r->p == ')') break;
		const char *key = NULL;
		if (kind == DLIST_KVLIST) {
			struct dlist *k = string_any(r);
			if (!k) return NULL;
			key = k->kind == DLIST_NIL ? "NIL" : k->s;
			skip_spaces(r);
		}
		struct dlist *item = value(r);
		if (!item) return NULL;
		item->key = key;
		if (d->tail) d->tail->next = item;
		else d->head = item;
		d->tail = item;
	}
	r->p++;
	r->depth--;
	return d;
}

static struct dlist *value(struct reader *r)
{
	if (r->p >= r->end) return NULL;
	if (*r->p == '(') return list(r, DLIST_LIST);
	if (*r->p == '%' && r->end - r->p > 1 && r->p[1] == '(') return list(r, DLIST_KVLIST);
	return string_any(r);
}

struct dlist *dlist_parse(struct arena *a, const char **p, const char *end)
{
	struct reader r = { a, *p, end, 0 };
	skip_spaces(&r);
	struct dlist *d = value(&r);
	if (d) *p = r.p;
	return d;
}

const struct dlist *dlist_get(const struct dlist *kv, const char *key)
{
	if (!kv || kv->kind != DLIST_KVLIST) return NULL;
	for (const struct dlist *d = kv->head; d; d = d->next)
		if (*d->key == *key && !strcmp(d->key, key)) return d;
	return NULL;
}

const char *dlist_str(const struct dlist *kv, const char *key)
{
	const struct dlist *d = dlist_get(kv, key);
	return d && d->kind == DLIST_STRING ? d->s : NULL;
}

bool dlist_value_u64(const struct dlist *d, uint64_t *v)
{
	return d && d->kind == DLIST_STRING && strlen(d->s) == d->len && num_str_u64(d->s, v);
}

bool dlist_u64(const struct dlist *kv, const char *key, uint64_t *v) { return dlist_value_u64(dlist_get(kv, key), v); }

bool dlist_u32(const struct dlist *kv, const char *key, uint32_t *v)
{
	uint64_t n;
	if (!dlist_u64(kv, key, &n) || n > UINT32_MAX) return false;
	*v = (uint32_t)n;
	return true;
}

static bool is_atom(const char *s, size_t len)
{
	if (!len || len > 1023 || (len == 3 && !memcmp(s, "NIL", 3))) return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c >= 0x7f || c < 0x1f || strchr(" {()\"%*\\", c)) return false;
	}
	return true;
}

bool dlist_needs_literal(const char *s, size_t len)
{
	if (len > 1023) return true;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c >= 0x80 || !c || strchr("\r\n\"%\\", c)) return true;
	}
	return false;
}

void dlist_put_string(struct buf *b, const char *s, size_t len)
{
	if (is_atom(s, len)) {
		buf_append(b, s, len);
	} else if (!dlist_needs_literal(s, len)) {
		buf_putc(b, '"');
		buf_append(b, s, len);
		buf_putc(b, '"');
	} else {
		buf_printf(b, "{%zu}\r\n", len);
		buf_append(b, s, len);
	}
}

void dlist_put_str(struct buf *b, const char *s)
{
	if (s) dlist_put_string(b, s, strlen(s));
	else buf_puts(b, "NIL");
}

/* Trees come from dlist_parse(): DLIST_DEPTH bounds the recursion. */
void dlist_print(const struct dlist *d, struct buf *b)
{
	switch (d->kind) {
	case DLIST_NIL:
		buf_puts(b, "NIL");
		break;
	case DLIST_STRING:
		dlist_put_string(b, d->s, d->len);
		break;
	case DLIST_LIST:
	case DLIST_KVLIST:
		buf_puts(b, d->kind == DLIST_KVLIST ? "%(" : "(");
		for (const struct dlist *i = d->head; i; i = i->next) {
			if (i != d->head) buf_putc(b, ' ');
			if (d->kind == DLIST_KVLIST) dlist_put_str(b, i->key), buf_putc(b, ' ');
			dlist_print(i, b);
		}
		buf_putc(b, ')');
	}
}
