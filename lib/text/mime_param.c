/* mime_param.c - putting the pieces of RFC 2231 parameters together (spec/mailbox.md 7.4). A sorted index of the names
 * keeps a header of thousands of pieces from taking quadratic time. */
#include "text/mime_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define PIECES_MAX 100

struct entry {
	const struct text *name;
	size_t i;                        /* position in the list */
	bool gone;
	size_t skip;                     /* of the first entry of a name: how many of that name are used up */
};

static int text_cmp(const struct text *a, const struct text *b)
{
	size_t n = a->n < b->n ? a->n : b->n;
	int r = n ? memcmp(a->s, b->s, n) : 0;

	return r ? r : (a->n > b->n) - (a->n < b->n);
}

static int entry_cmp(const void *x, const void *y)
{
	const struct entry *a = x, *b = y;
	int r = text_cmp(a->name, b->name);

	return r ? r : (a->i > b->i) - (a->i < b->i);
}

/* The first entry of that name which is not used up, or NULL. */
static struct entry *find(struct entry *e, size_t n, const struct text *name)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (text_cmp(e[mid].name, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == n || text_cmp(e[lo].name, name) != 0)
		return NULL;
	for (struct entry *first = &e[lo]; ; first->skip++) {
		struct entry *c = first + first->skip;
		if (c >= e + n || text_cmp(c->name, name) != 0)
			return NULL;
		if (!c->gone)
			return c;
	}
}

/* `base*N` or `base*N*`, whichever stands first. */
static struct entry *piece(struct entry *e, size_t n, struct text base, int number, struct buf *tmp, bool *extended)
{
	struct entry *a, *b;
	struct text name;

	buf_set(tmp, base.s, base.n);
	buf_printf(tmp, "*%d", number);
	name = (struct text){ tmp->s, tmp->len };
	a = find(e, n, &name);
	buf_putc(tmp, '*');
	name = (struct text){ tmp->s, tmp->len };
	b = find(e, n, &name);
	*extended = b && (!a || b->i < a->i);
	return *extended ? b : a;
}

static void percent_encode(struct buf *out, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c > 32 && c < 127 && !strchr("*'%()<>@,;:\\\"/[]?=", c))
			buf_putc(out, c);
		else
			buf_printf(out, "%%%02X", c);
	}
}

static void join_one(struct arena *a, struct paramlist *l, struct entry *e, size_t i, struct text base, bool extended)
{
	struct buf v = BUF_INIT, tmp = BUF_INIT, was = BUF_INIT;
	struct mime_param *m = l->v[i];

	buf_append(&v, m->value.s, m->value.n);
	for (int k = 1; k < PIECES_MAX; k++) {
		bool ext;
		struct entry *q = piece(e, l->n, base, k, &tmp, &ext);
		const struct text *t;
		if (!q)
			break;
		t = &l->v[q->i]->value;
		if (ext && !extended) {
			buf_set(&was, v.s, v.len);
			buf_reset(&v);
			buf_puts(&v, "''");
			percent_encode(&v, was.s, was.len);
			extended = true;
		}
		if (extended && !ext)
			percent_encode(&v, t->s, t->n);
		else
			buf_append(&v, t->s, t->n);
		q->gone = true;
	}
	buf_set(&tmp, base.s, base.n);
	if (extended)
		buf_putc(&tmp, '*');
	/* Index entries point at names: the parameter that is left gets a new struct. */
	m = arena_zalloc(a, sizeof *m);
	m->name = (struct text){ arena_dup(a, tmp.s ? tmp.s : "", tmp.len), tmp.len };
	m->value = (struct text){ arena_dup(a, v.s ? v.s : "", v.len), v.len };
	l->v[i] = m;
	buf_free(&v);
	buf_free(&tmp);
	buf_free(&was);
}

/* `a*0` or `a*0*`? Then the length of `a`. */
static bool is_start(const struct text *name, struct text *base, bool *extended)
{
	const char *star = memchr(name->s, '*', name->n);
	size_t k = star ? (size_t)(star - name->s) : name->n;

	*base = (struct text){ name->s, k };
	*extended = name->n - k == 3 && star[1] == '0' && star[2] == '*';
	return *extended || (name->n - k == 2 && star[1] == '0');
}

static void join_all(struct arena *a, struct paramlist *l)
{
	struct entry *e = mem_array(NULL, l->n, sizeof *e), **by_place = mem_array(NULL, l->n, sizeof *by_place);
	size_t k = 0;

	for (size_t i = 0; i < l->n; i++)
		e[i] = (struct entry){ &l->v[i]->name, i, false, 0 };
	qsort(e, l->n, sizeof *e, entry_cmp);
	for (size_t i = 0; i < l->n; i++)
		by_place[e[i].i] = &e[i];
	for (size_t i = 0; i < l->n; i++) {
		struct text base;
		bool extended;
		if (!by_place[i]->gone && is_start(&l->v[i]->name, &base, &extended))
			join_one(a, l, e, i, base, extended);
	}
	for (size_t i = 0; i < l->n; i++)
		if (!by_place[i]->gone)
			l->v[k++] = l->v[i];
	l->n = k;
	free(e);
	free(by_place);
}

struct mime_param *mime_param_join(struct arena *a, struct paramlist *l)
{
	struct mime_param *first;
	bool any = false;

	for (size_t i = 0; i < l->n && !any; i++) {
		struct text base;
		bool extended;
		any = is_start(&l->v[i]->name, &base, &extended);
	}
	if (any)
		join_all(a, l);
	for (size_t i = 0; i + 1 < l->n; i++)
		l->v[i]->next = l->v[i + 1];
	first = l->n ? l->v[0] : NULL;
	if (first)
		l->v[l->n - 1]->next = NULL;
	free(l->v);
	return first;
}
