/* mime_value.c - Content-Type and its like: tokens, comments, parameters, in both releases' readings (spec/mailbox.md 7.3,
 * 7.4). See mime_priv.h. */
#include "text/mime_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "text/rfc2047.h"

struct scan {
	const unsigned char *s;
	size_t n, p;
	bool end;                        /* nothing more of this value; p may be before the end of a longer text */
};

static bool is_space(int c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_tspecial(int c)
{
	return c && strchr("()<>@,;:\\\"/[]?=", c);
}

static int at(const struct scan *s, size_t k)
{
	return k < s->n - s->p ? s->s[s->p + k] : -1;
}

static bool is_wsp(int c)
{
	return c == ' ' || c == '\t';
}

/* p is at a LF: false when the value ends here. */
static bool over_lf(struct scan *s)
{
	s->p++;
	return is_wsp(at(s, 0));
}

/* p is behind a `(`. */
static bool comment(struct scan *s)
{
	for (size_t depth = 1; depth; ) {
		int c = at(s, 0);
		if (c < 0)
			return false;
		if (c == '\n') {
			if (!over_lf(s))
				return false;
			continue;
		}
		if (c == '\\' && s->p + 1 < s->n)
			s->p++;
		else if (c == '(')
			depth++;
		else if (c == ')')
			depth--;
		s->p++;
	}
	return true;
}

/* White space, folds and comments. False (and s->end) when the value ends. */
static bool skip(struct scan *s)
{
	while (s->p < s->n) {
		int c = s->s[s->p];
		bool go = true;
		if (c == '\n') {
			go = over_lf(s);
		} else if (c == '(') {
			s->p++;
			go = comment(s);
		} else if (is_space(c)) {
			s->p++;
		} else {
			return true;
		}
		if (!go)
			break;
	}
	s->end = true;
	return false;
}

/* Characters up to white space or one of `stops`. False when one of them cannot be in a token; p is then at it. */
static bool token(struct scan *s, const char *stops, struct text *t)
{
	size_t start = s->p;

	for (; s->p < s->n; s->p++) {
		int c = s->s[s->p];
		if (is_space(c) || (c && strchr(stops, c)))
			break;
		if (c < 32 || c > 127 || is_tspecial(c))
			return false;
	}
	t->s = (const char *)s->s + start;
	t->n = s->p - start;
	return true;
}

static struct text upper(struct arena *a, struct text t)
{
	char *u = arena_dup(a, t.s, t.n);

	for (size_t i = 0; i < t.n; i++)
		if (u[i] >= 'a' && u[i] <= 'z')
			u[i] = (char)(u[i] - 32);
	return (struct text){ u, t.n };
}

/* A fold inside a value: CR LF and white space. */
static bool is_fold(const struct scan *s)
{
	return at(s, 0) == '\r' && at(s, 1) == '\n' && is_wsp(at(s, 2));
}

/* p is behind the opening quote. False: broken off, which ends the whole list. */
static bool quoted(struct arena *a, struct scan *s, struct text *v)
{
	struct buf b = BUF_INIT;
	bool ok = false;

	for (; s->p < s->n; s->p++) {
		int c = s->s[s->p];
		if (c == '"') {
			s->p++;
			ok = true;
			break;
		}
		if (c == '\\') {
			if (++s->p >= s->n)
				break;
			c = s->s[s->p];
		}
		if (c == '\r') {
			if (!is_fold(s))
				break;
			s->p += 2;
			c = s->s[s->p];
		}
		buf_putc(&b, c);
	}
	*v = (struct text){ arena_dup(a, b.s ? b.s : "", b.len), b.len };
	buf_free(&b);
	return ok;
}

/* 3.6's unquoted value: up to `;`, `(` or the end of the field, blanks inside included. */
static bool lenient(struct scan *s, struct text *v)
{
	size_t start = s->p, last = s->p;

	while (s->p < s->n && s->s[s->p] != ';' && s->s[s->p] != '(') {
		int c = s->s[s->p];
		if (c == '\r') {
			if (!is_fold(s))
				break;
			s->p += 2;
			continue;
		}
		if (c < 32 && c != '\t')
			return false;
		if (!is_wsp(c))
			last = s->p;
		s->p++;
	}
	s->p = last + 1 < s->n ? last + 1 : s->n;
	v->s = (const char *)s->s + start;
	v->n = s->p - start;
	return true;
}

enum outcome { GOOD, MALFORMED, STOP };

static enum outcome one_param(struct arena *a, enum dialect d, struct scan *s, struct mime_param *m)
{
	int c;

	if (!skip(s))
		return STOP;
	if (!token(s, "=(", &m->name))
		return MALFORMED;
	if (!skip(s))
		return STOP;
	c = at(s, 0);
	s->p++;
	if (c != '=')
		return MALFORMED;
	if (!skip(s))
		return STOP;
	if (at(s, 0) == '"') {
		s->p++;
		if (!quoted(a, s, &m->value))
			return STOP;
	} else if (d == DIALECT_25 ? !token(s, ";(", &m->value) : !lenient(s, &m->value)) {
		return MALFORMED;
	}
	if (!skip(s))
		return GOOD;
	c = at(s, 0);
	s->p++;
	return c == ';' ? GOOD : MALFORMED;
}

static void to_next_param(struct scan *s)
{
	while (s->p < s->n && !strchr(";\r\n", s->s[s->p] ? s->s[s->p] : 'x'))
		s->p++;
	if (s->p < s->n && s->s[s->p] == ';')
		s->p++;
}

/* p is behind the first `;`. */
static struct mime_param *params(struct arena *a, enum dialect d, struct scan *s)
{
	struct paramlist l = { NULL, 0, 0 };

	while (!s->end) {
		struct mime_param m = { NULL, { NULL, 0 }, { NULL, 0 } };
		enum outcome o = one_param(a, d, s, &m);
		if (o == STOP || (o == MALFORMED && d == DIALECT_25))
			break;
		if (o == MALFORMED) {
			to_next_param(s);
			continue;
		}
		MEM_GROW(l.v, l.alloc, l.n + 1);
		l.v[l.n] = arena_zalloc(a, sizeof m);
		l.v[l.n]->name = upper(a, m.name);
		l.v[l.n++]->value = m.value;
	}
	return mime_param_join(a, &l);
}

bool mime_value_type(struct arena *a, enum dialect d, const char *v, size_t n, struct mime_part *p)
{
	struct scan s = { (const unsigned char *)v, n, 0, false };
	struct text type, sub;

	if (!skip(&s))
		return false;
	if (d == DIALECT_36 && at(&s, 0) == '=' && at(&s, 1) == '?') {
		struct text t = mime_rfc2047_value(a, v + s.p, n - s.p);
		s = (struct scan){ (const unsigned char *)t.s, t.n, 0, false };
	}
	if (!token(&s, "/(", &type) || !skip(&s) || at(&s, 0) != '/')
		return false;
	s.p++;
	if (!skip(&s) || !token(&s, ";(", &sub) || (skip(&s) && at(&s, 0) != ';'))
		return false;
	p->type = upper(a, type);
	p->subtype = upper(a, sub);
	s.p++;
	p->params = s.end ? NULL : params(a, d, &s);
	return true;
}

struct text mime_rfc2047_value(struct arena *a, const char *s, size_t n)
{
	struct buf b = BUF_INIT;
	struct text t;

	rfc2047_decode(DIALECT_36, false, s, n, &b);
	t = (struct text){ arena_dup(a, b.s ? b.s : "", b.len), b.len };
	buf_free(&b);
	return t;
}

void mime_value_disposition(struct arena *a, enum dialect d, const char *v, size_t n, struct mime_part *p)
{
	struct scan s = { (const unsigned char *)v, n, 0, false };
	struct text t;

	if (!skip(&s) || !token(&s, ";(", &t) || (skip(&s) && at(&s, 0) != ';'))
		return;
	p->disposition = upper(a, t);
	s.p++;
	p->disposition_params = s.end ? NULL : params(a, d, &s);
}

struct text mime_value_encoding(struct arena *a, const char *v, size_t n)
{
	struct scan s = { (const unsigned char *)v, n, 0, false };
	struct text t = { NULL, 0 };

	if (!skip(&s) || !token(&s, "(", &t) || skip(&s))
		return (struct text){ NULL, 0 };
	return upper(a, t);
}

static bool is_tag(struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		if (t.s[i] != '-' && ((t.s[i] | 0x20) < 'a' || (t.s[i] | 0x20) > 'z'))
			return false;
	return true;
}

static struct text tag(struct scan *s)
{
	struct text t = { (const char *)s->s + s->p, 0 };

	while (s->p < s->n && !is_space(s->s[s->p]) && s->s[s->p] != ',' && s->s[s->p] != '(')
		s->p++;
	t.n = (size_t)((const char *)s->s + s->p - t.s);
	return t;
}

struct mime_param *mime_value_languages(struct arena *a, const char *v, size_t n)
{
	struct scan s = { (const unsigned char *)v, n, 0, false };
	struct mime_param *first = NULL, **tail = &first;

	while (skip(&s)) {
		struct text t = tag(&s);
		bool more;
		if (!is_tag(t))
			break;
		more = skip(&s);
		if (more && at(&s, 0) != ',')
			break;
		s.p++;
		*tail = arena_zalloc(a, sizeof **tail);
		(*tail)->name = upper(a, t);
		tail = &(*tail)->next;
		if (!more)
			break;
	}
	return first;
}
