/* cacherec_text.c - ENVELOPE, BODY and BODYSTRUCTURE as IMAP text, and the address items (spec/mailbox.md 6.3 to 6.7).
 * See cacherec_priv.h. */
#include "store/cacherec_priv.h"

#include <string.h>

#include "text/rfc2047.h"

#define LITERAL_FROM 1024

static bool needs_literal(struct text t)
{
	if (t.n >= LITERAL_FROM)
		return true;
	for (size_t i = 0; i < t.n; i++) {
		unsigned char c = (unsigned char)t.s[i];
		if (c == 0 || c >= 0x80 || c == '\r' || c == '\n' || c == '"' || c == '%' || c == '\\')
			return true;
	}
	return false;
}

void cache_put_nstring(struct buf *out, struct text t)
{
	if (!t.s) {
		buf_append(out, "NIL", 3);
	} else if (needs_literal(t)) {
		buf_printf(out, "{%zu}\r\n", t.n);
		buf_append(out, t.s, t.n);
	} else {
		buf_putc(out, '"');
		buf_append(out, t.s, t.n);
		buf_putc(out, '"');
	}
}

static void sp_nstring(struct buf *out, struct text t)
{
	buf_putc(out, ' ');
	cache_put_nstring(out, t);
}

/* ---- ENVELOPE */
static void put_list(struct buf *out, const struct addresslist *l)
{
	buf_putc(out, ' ');
	if (!l->first) {
		buf_append(out, "NIL", 3);
		return;
	}
	buf_putc(out, '(');
	for (const struct address *a = l->first; a; a = a->next) {
		buf_putc(out, '(');
		cache_put_nstring(out, a->name);
		sp_nstring(out, a->route);
		sp_nstring(out, a->mailbox);
		sp_nstring(out, a->domain);
		buf_putc(out, ')');
	}
	buf_putc(out, ')');
}

void cache_put_envelope(struct buf *out, const struct mime_envelope *e)
{
	buf_putc(out, '(');
	cache_put_nstring(out, e->date);
	sp_nstring(out, e->subject);
	put_list(out, &e->from);
	put_list(out, e->sender.first ? &e->sender : &e->from);
	put_list(out, e->reply_to.first ? &e->reply_to : &e->from);
	put_list(out, &e->to);
	put_list(out, &e->cc);
	put_list(out, &e->bcc);
	sp_nstring(out, e->in_reply_to);
	sp_nstring(out, e->message_id);
	buf_putc(out, ')');
}

/* ---- BODY, BODYSTRUCTURE */
static void put_params(struct buf *out, const struct mime_param *p)
{
	if (!p) {
		buf_append(out, "NIL", 3);
		return;
	}
	for (char before = '('; p; p = p->next, before = ' ') {
		buf_putc(out, before);
		cache_put_nstring(out, p->name);
		sp_nstring(out, p->value);
	}
	buf_putc(out, ')');
}

static void put_languages(struct buf *out, const struct mime_param *p)
{
	if (!p) {
		buf_append(out, "NIL", 3);
		return;
	}
	for (char before = '('; p; p = p->next, before = ' ') {
		buf_putc(out, before);
		cache_put_nstring(out, p->name);
	}
	buf_putc(out, ')');
}

/* SP DISPOSITION SP LANGUAGE SP LOCATION */
static void put_extension(struct buf *out, const struct mime_part *p)
{
	buf_putc(out, ' ');
	if (p->disposition.s) {
		buf_putc(out, '(');
		cache_put_nstring(out, p->disposition);
		buf_putc(out, ' ');
		put_params(out, p->disposition_params);
		buf_putc(out, ')');
	} else {
		buf_append(out, "NIL", 3);
	}
	buf_putc(out, ' ');
	put_languages(out, p->languages);
	sp_nstring(out, p->location);
}

static bool text_is(struct text t, const char *s)
{
	return t.n == strlen(s) && memcmp(t.s, s, t.n) == 0;
}

/* What stands in front of the children; a leaf is complete after it but for put_end(). */
static void put_start(struct buf *out, const struct mime_part *p, bool extended)
{
	static const char zero[] = "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"us-ascii\") NIL NIL \"7BIT\" 0 0";

	if (mime_is_zero(p)) {
		buf_puts(out, zero);
		buf_puts(out, extended ? " NIL NIL NIL NIL)" : ")");
		return;
	}
	buf_putc(out, '(');
	if (p->kind == MIME_MULTIPART)
		return;
	cache_put_nstring(out, p->type);
	sp_nstring(out, p->subtype);
	buf_putc(out, ' ');
	put_params(out, p->params);
	sp_nstring(out, p->id);
	sp_nstring(out, p->description);
	sp_nstring(out, p->encoding.s ? p->encoding : (struct text){ "7BIT", 4 });
	buf_printf(out, " %zu", p->csize);
	if (p->kind != MIME_RFC822)
		return;
	buf_putc(out, ' ');
	cache_put_envelope(out, p->first->envelope);
	buf_putc(out, ' ');
}

static void put_end(struct buf *out, const struct mime_part *p, bool extended)
{
	if (mime_is_zero(p))
		return;
	if (p->kind == MIME_MULTIPART) {
		sp_nstring(out, p->subtype);
		if (extended) {
			buf_putc(out, ' ');
			put_params(out, p->params);
		}
	} else {
		if (p->kind == MIME_RFC822 || text_is(p->type, "TEXT"))
			buf_printf(out, " %zu", p->lines);
		if (extended)
			sp_nstring(out, p->md5);
	}
	if (extended)
		put_extension(out, p);
	buf_putc(out, ')');
}

void cache_put_body(struct buf *out, struct mime_part *top, bool extended)
{
	struct mime_part *p = top;

	for (;;) {
		put_start(out, p, extended);
		if (p->first) {
			p = p->first;
			continue;
		}
		put_end(out, p, extended);
		while (p != top && !p->next) {
			p = p->parent;
			put_end(out, p, extended);
		}
		if (p == top)
			return;
		p = p->next;
	}
}

/* ---- FROM, TO, CC, BCC */
static void put_lower(struct buf *out, struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		buf_putc(out, t.s[i] >= 'A' && t.s[i] <= 'Z' ? t.s[i] + 32 : t.s[i]);
}

static bool needs_quotes(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i], l = c | 0x20;
		if ((l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == ' ' || (c >= '\t' && c <= '\r'))
			continue;
		if (c == 0 || c >= 0x80 || !strchr("!#$%&'*+-/=?^_`{|}~", c))
			return true;
	}
	return false;
}

static void put_name(struct buf *out, const struct cacherec_options *o, struct text name)
{
	struct buf b = BUF_INIT;

	rfc2047_decode(o->mime.dialect, o->rfc2047_utf8, name.s, name.n, &b);
	if (o->mime.dialect == DIALECT_25 || !needs_quotes(b.s, b.len)) {
		buf_add(out, &b);
	} else {
		buf_putc(out, '"');
		for (size_t i = 0; i < b.len; i++) {
			if (b.s[i] == '"' || b.s[i] == '\\')
				buf_putc(out, '\\');
			buf_putc(out, b.s[i]);
		}
		buf_putc(out, '"');
	}
	buf_free(&b);
}

static void put_group_name(struct buf *out, const struct cacherec_options *o, struct text name)
{
	rfc2047_decode(o->mime.dialect, o->rfc2047_utf8, name.s, name.n, out);
	buf_putc(out, ':');
}

void cache_put_addresses(struct buf *out, const struct cacherec_options *o, const struct addresslist *l)
{
	bool comma = false;              /* before the next element, unless it ends a group */

	for (const struct address *a = l->first; a; a = a->next) {
		if (!a->domain.s && !a->mailbox.s) {
			buf_putc(out, ';');
			comma = true;
			continue;
		}
		if (comma)
			buf_putc(out, ',');
		comma = a->domain.s != NULL;
		if (!a->domain.s) {
			put_group_name(out, o, a->mailbox);
			continue;
		}
		if (a->name.s) {
			put_name(out, o, a->name);
			buf_putc(out, ' ');
		}
		buf_putc(out, '<');
		put_lower(out, a->route);
		if (a->route.s)
			buf_putc(out, ':');
		put_lower(out, a->mailbox);
		buf_putc(out, '@');
		put_lower(out, a->domain);
		buf_putc(out, '>');
	}
}
