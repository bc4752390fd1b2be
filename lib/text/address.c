/* address.c - one pass over an address field; never backs up, never fails. See address.h. */
#include "text/address.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"

#define END (-1)

struct scan {
	struct arena *a;
	enum dialect d;
	const unsigned char *s;
	size_t n, i;
	struct addresslist *l;
	bool group;
	struct buf tmp;
};

void addresslist_init(struct addresslist *l)
{
	l->first = NULL;
	l->tail = &l->first;
	l->n = 0;
}

static bool is_space(int c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_alnum(int c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* The character at i + k without moving. */
static int peek(const struct scan *s, size_t k)
{
	return k < s->n - s->i ? s->s[s->i + k] : END;
}

static int get(struct scan *s)
{
	if (s->i < s->n)
		return s->s[s->i++];
	return END;
}

/* Behind the `(`: to behind its `)`. Appends the comment's text to `text` unless that is NULL. */
static void comment(struct scan *s, struct buf *text)
{
	size_t depth = 1;

	while (s->i < s->n) {
		int c = s->s[s->i++];
		if (c == '(')
			depth++;
		else if (c == ')')
			depth--;
		else if (c == '\\' && s->i < s->n)
			c = s->s[s->i++];
		if (depth == 0)
			return;
		if (text)
			buf_putc(text, c);
	}
}

static void skip_space(struct scan *s)
{
	while (s->i < s->n) {
		if (s->s[s->i] == '(') {
			s->i++;
			comment(s, NULL);
		} else if (is_space(s->s[s->i])) {
			s->i++;
		} else {
			return;
		}
	}
}

static struct text kept(struct scan *s)
{
	struct text t = { arena_dup(s->a, s->tmp.s ? s->tmp.s : "", s->tmp.len), s->tmp.len };
	return t;
}

static struct text or_absent(struct text t)
{
	if (t.n == 0)
		t.s = NULL;
	return t;
}

static void add(struct scan *s, struct text name, struct text route, struct text mailbox, struct text domain)
{
	struct address *a = arena_zalloc(s->a, sizeof *a);

	a->name = or_absent(name);
	a->route = or_absent(route);
	a->mailbox = mailbox;
	a->domain = domain;
	if (domain.s && domain.n == 0)
		a->domain = (struct text){ ADDRESS_UNSPECIFIED, sizeof ADDRESS_UNSPECIFIED - 1 };
	*s->l->tail = a;
	s->l->tail = &a->next;
	s->l->n++;
}

static const struct text NONE = { NULL, 0 }, EMPTY = { "", 0 };

static bool fold_follows(const struct scan *s)      /* i is behind a CR */
{
	return peek(s, 0) == '\n' && (peek(s, 1) == ' ' || peek(s, 1) == '\t');
}

/* Behind the opening quote; false: never closed, which ends the whole parse. */
static bool quoted(struct scan *s)
{
	int c;

	while ((c = get(s)) != END) {
		if (s->d == DIALECT_36 && c == '\\' && peek(s, 0) == '\r' && peek(s, 1) == '\n')
			c = get(s);
		if (c == '\r' && peek(s, 0) == '\n') {
			if (!fold_follows(s))
				return false;
			s->i++;
			continue;
		}
		if (s->d == DIALECT_25 && (c == '\r' || c == '\n'))
			return false;
		if (s->d == DIALECT_36 && (c < 32 || c == 127)) {
			if (c == '\r' || c == '\n')
				c = ' ';
			else if (c != '\t')
				continue;
		}
		if (c == '"')
			return true;
		if (c == '\\' && (c = get(s)) == END)
			return false;
		buf_putc(&s->tmp, c);
	}
	return false;
}

/* Reads words into tmp up to one of `stops`, which is consumed and returned, or END. */
static int phrase(struct scan *s, const char *stops)
{
	int c;

	buf_reset(&s->tmp);
	skip_space(s);
	while ((c = get(s)) != END) {
		if (c == '"') {
			if (quoted(s))
				continue;
			buf_reset(&s->tmp);
			s->i = s->n;
			return END;
		}
		if (is_space(c) || c == '(') {
			s->i--;
			skip_space(s);
			buf_putc(&s->tmp, ' ');
		} else if (c && strchr(stops, c)) {
			break;
		} else {
			buf_putc(&s->tmp, c);
		}
	}
	if (s->tmp.len && s->tmp.s[s->tmp.len - 1] == ' ')
		s->tmp.len--;
	return c;
}

static void put_dot(struct scan *s)
{
	if (s->tmp.len && s->tmp.s[s->tmp.len - 1] != '.')
		buf_putc(&s->tmp, '.');
}

/* Reads a domain into tmp and returns the character that ended it. *name: a comment behind it, if wanted. */
static int domain(struct scan *s, struct text *name)
{
	struct buf text = BUF_INIT;
	int c;

	skip_space(s);
	buf_reset(&s->tmp);
	for (;;) {
		c = get(s);
		if (c == '(') {
			buf_reset(&text);
			comment(s, name ? &text : NULL);
			if (name)
				*name = (struct text){ arena_dup(s->a, text.s ? text.s : "", text.len), text.len };
			continue;
		}
		if (c != END && is_space(c))
			continue;
		if (c == '.')
			put_dot(s);
		else if (is_alnum(c) || (c > 0 && strchr("-[]:", c)) || (c == '@' && s->d == DIALECT_36))
			buf_putc(&s->tmp, c);
		else
			break;
		if (name)
			*name = NONE;
	}
	if (s->tmp.len && s->tmp.s[s->tmp.len - 1] == '.')
		s->tmp.len--;
	buf_free(&text);
	return c;
}

/* i is behind the first `@`; gives the text and what ended it. */
static int source_route(struct scan *s, struct text *route)
{
	int c;

	s->i--;
	buf_reset(&s->tmp);
	for (;;) {
		c = get(s);
		if (c == END)
			break;
		if (c == '.') {
			put_dot(s);
		} else if (is_alnum(c) || (c && strchr("-[],@", c))) {
			buf_putc(&s->tmp, c);
		} else if (is_space(c) || c == '(') {
			s->i--;
			skip_space(s);
		} else {
			break;
		}
	}
	while (s->tmp.len && strchr(".,@", s->tmp.s[s->tmp.len - 1]))
		s->tmp.len--;
	*route = kept(s);
	return c;
}

static int to_bracket(struct scan *s, int c)
{
	while (c != END && c != '>')
		c = get(s);
	return c;
}

/* Behind `<`; returns what ended the address. */
static int bracketed(struct scan *s, struct text name)
{
	struct text route = NONE, mailbox;
	int c = phrase(s, "@>");

	if (c == '@' && s->tmp.len == 0) {
		c = source_route(s, &route);
		if (c != ':') {
			add(s, name, route, EMPTY, EMPTY);
			return to_bracket(s, c);
		}
		c = phrase(s, "@>");
	}
	mailbox = kept(s);
	if (c != '@') {
		add(s, name, route, mailbox, EMPTY);
		return c;
	}
	c = domain(s, NULL);
	add(s, name, route, mailbox, kept(s));
	return to_bracket(s, c);
}

static void group_end(struct scan *s)
{
	add(s, NONE, NONE, NONE, NONE);
	s->group = false;
}

static int one(struct scan *s)
{
	int c = phrase(s, s->group ? ",@<;" : ",@<:");
	struct text what = kept(s), name = NONE;

	switch (c) {
	case ':':
		add(s, NONE, NONE, what, NONE);
		s->group = true;
		return c;
	case '<':
		return bracketed(s, what);
	case '@':
		c = domain(s, &name);
		add(s, name, NONE, what, kept(s));
		break;
	default:
		if (what.n)
			add(s, NONE, NONE, what, EMPTY);
		break;
	}
	if (c == ';')
		group_end(s);
	return c;
}

void address_scan(struct arena *a, enum dialect d, const char *value, size_t n, struct addresslist *l)
{
	struct scan s = { .a = a, .d = d, .s = (const unsigned char *)value, .n = n, .l = l };

	while (one(&s) != END)
		;
	if (s.group)
		group_end(&s);
	buf_free(&s.tmp);
}
