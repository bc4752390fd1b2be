/* search_text.c - the search keys that compare text: cached items first, the message only when it must be. Bodies are
 * decoded from every transfer encoding and charset that is known. See search.h. */
#include "store/search_priv.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/num.h"
#include "text/rfc2047.h"

static bool map(struct search_eval *e)
{
	if (!e->asked) {
		e->asked = true;
		e->mapped = e->m->map && e->m->map(e->m->arg, &e->msg, &e->len);
	}
	return e->mapped;
}

static struct mime_part *parsed(struct search_eval *e)
{
	struct mime_options o = MIME_OPTIONS_INIT(DIALECT_36);

	if (!map(e) || e->len == 0)
		return NULL;
	if (!e->mime) {
		o.digests = false;
		e->arena = arena_new();
		e->mime = mime_parse(e->arena, &o, e->msg, e->len);
	}
	return e->mime->top;
}

void search_eval_end(struct search_eval *e)
{
	arena_free(e->arena);
}

/* The text of an nstring item; false for NIL or damage. */
static bool from_nstring(struct text item, struct text *t)
{
	const char *p = item.s + 1, *end = item.s + item.n;
	uint32_t n;

	if (item.n >= 2 && item.s[0] == '"' && end[-1] == '"') {
		*t = (struct text){ p, item.n - 2 };
		return true;
	}
	if (item.n < 5 || item.s[0] != '{' || !num_u32(&p, end, &n) || end - p < 3 || memcmp(p, "}\r\n", 3) != 0)
		return false;
	p += 3;
	*t = (struct text){ p, n };
	return n == (size_t)(end - p);
}

static enum cache_item item_of(enum search_op op)
{
	switch (op) {
	case SEARCH_FROM: return CACHE_FROM;
	case SEARCH_TO: return CACHE_TO;
	case SEARCH_CC: return CACHE_CC;
	case SEARCH_BCC: return CACHE_BCC;
	default: return CACHE_SUBJECT;
	}
}

static bool in_item(const struct searchkey *k, const struct cacherec *rec)
{
	enum cache_item i = item_of(k->op);
	struct text t = rec->item[i];

	if (i == CACHE_SUBJECT ? !from_nstring(t, &t) : t.n == 0)
		return false;
	return searchtext_in_utf8(&k->text, t.s, t.n);
}

/* Without a cache record: make one, in the present form. */
static bool in_built_item(struct search_eval *e, const struct searchkey *k)
{
	struct cacherec_options o = cacherec_defaults(CACHE_NUMBER_36);
	struct buf b = BUF_INIT;
	struct message_info info;
	struct cacherec rec;
	bool r;

	r = map(e) && cacherec_build(&o, e->msg, e->len, 0, &b, &info) == 0 && cacherec_parse(b.s, b.len, &rec) == 0
		&& in_item(k, &rec);
	buf_free(&b);
	return r;
}

/* ---- headers */
static bool in_decoded(const struct searchkey *k, const char *s, size_t n)
{
	struct buf b = BUF_INIT;
	bool r;

	rfc2047_decode(DIALECT_36, true, s, n, &b);
	r = searchtext_in_utf8(&k->text, b.s ? b.s : "", b.len);
	buf_free(&b);
	return r;
}

static bool in_fields(const struct searchkey *k, const char *hdr, size_t len)
{
	size_t pos = 0, line = 0, n = strlen(k->header);
	struct mime_field f;

	while (mime_field_next(hdr, len, &pos, &line, &f))
		if (f.namelen == n && strncasecmp(f.name, k->header, n) == 0 && in_decoded(k, f.value, f.valuelen))
			return true;
	return false;
}

static bool in_header(struct search_eval *e, const struct searchkey *k)
{
	const struct mime_part *top;

	if (e->m->cache && cacheheader_has(e->m->cache_number, k->header, strlen(k->header)))
		return in_fields(k, e->m->cache->item[CACHE_HEADERS].s, e->m->cache->item[CACHE_HEADERS].n);
	top = parsed(e);
	return top && in_fields(k, e->msg + top->hoff, top->hsize);
}

/* ---- bodies */
static bool in_leaf(struct search_eval *e, const struct searchkey *k, const struct mime_part *p)
{
	struct buf b = BUF_INIT;
	struct charset cs;
	bool r;

	if (p->coff > e->len || p->csize > e->len - p->coff)
		return false;
	if (mime_is_zero(p))                         /* it is shown as text, so it is searched as text */
		charset_find(&cs, DIALECT_36, "utf-8", 5);
	else if (!p->charset.s || !charset_find(&cs, DIALECT_36, p->charset.s, p->charset.n))
		return false;
	if (p->transfer == TRANSFER_NONE || p->transfer == TRANSFER_UNKNOWN)
		return searchtext_in(&k->text, &cs, e->msg + p->coff, p->csize);
	transfer_decode(p->transfer, e->msg + p->coff, p->csize, &b);
	r = searchtext_in(&k->text, &cs, b.s ? b.s : "", b.len);
	buf_free(&b);
	return r;
}

/* Headers of parts and of messages inside belong to the body; only TEXT looks into the message's own. */
static bool in_body(struct search_eval *e, const struct searchkey *k)
{
	for (struct mime_part *p = parsed(e); p; p = mime_next(p)) {
		if ((p->parent || k->op == SEARCH_TEXT) && in_decoded(k, e->msg + p->hoff, p->hsize))
			return true;
		if ((p->kind == MIME_LEAF || mime_is_zero(p)) && in_leaf(e, k, p))
			return true;
	}
	return false;
}

bool search_eval_text(struct search_eval *e, const struct searchkey *k)
{
	switch (k->op) {
	case SEARCH_HEADER:
		return in_header(e, k);
	case SEARCH_BODY: case SEARCH_TEXT:
		return in_body(e, k);
	default:
		return e->m->cache ? in_item(k, e->m->cache) : in_built_item(e, k);
	}
}
