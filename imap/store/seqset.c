/* seqset.c - see seqset.h. */
#include "store/seqset.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"

#include <stdlib.h>
#include <string.h>

void seqset_free(struct seqset *s)
{
	free(s->v);
	*s = (struct seqset)SEQSET_INIT;
}

void seqset_add(struct seqset *s, uint32_t low, uint32_t high)
{
	if (low > high) {
		uint32_t t = low;
		low = high;
		high = t;
	}
	if (s->n && s->sorted) {
		struct seqrange *last = &s->v[s->n - 1];
		if (low >= last->low && (low <= last->high || low == last->high + 1)) {      /* the usual case: the next number */
			if (high > last->high) last->high = high;
			return;
		}
		if (low <= last->high) s->sorted = false;
	}
	MEM_GROW(s->v, s->alloc, s->n + 1);
	s->v[s->n++] = (struct seqrange){ low, high };
}

static bool number(const char **p, const char *end, uint32_t *n)
{
	if (*p < end && **p == '*') {
		++*p;
		*n = SEQSET_STAR;
		return true;
	}
	return num_u32(p, end, n);
}

int seqset_parse(struct seqset *s, const char *p, size_t len)
{
	const char *end = p + len;
	*s = (struct seqset)SEQSET_INIT;
	for (;;) {
		uint32_t a, b;
		if (!number(&p, end, &a)) break;
		b = a;
		if (p < end && *p == ':') {
			p++;
			if (!number(&p, end, &b)) break;
		}
		seqset_add(s, a, b);
		if (p == end) return 0;
		if (*p++ != ',') break;
	}
	seqset_free(s);
	return ERR_SYNTAX;
}

static int by_low(const void *a, const void *b)
{
	const struct seqrange *x = a, *y = b;
	return x->low < y->low ? -1 : x->low > y->low;
}

void seqset_sort(struct seqset *s)
{
	if (s->sorted) return;
	qsort(s->v, s->n, sizeof *s->v, by_low);
	size_t n = 0;
	for (size_t i = 0; i < s->n; i++) {
		struct seqrange r = s->v[i];
		if (n && (r.low <= s->v[n - 1].high || r.low == s->v[n - 1].high + 1)) {
			if (r.high > s->v[n - 1].high) s->v[n - 1].high = r.high;
		} else {
			s->v[n++] = r;
		}
	}
	s->n = n;
	s->sorted = true;
}

void seqset_resolve(struct seqset *s, uint32_t star)
{
	for (size_t i = 0; i < s->n; i++) {
		struct seqrange *r = &s->v[i];
		if (r->high != SEQSET_STAR) continue;
		r->high = star;
		if (r->low == SEQSET_STAR) r->low = star;
		if (r->low > r->high) {
			uint32_t t = r->low;
			r->low = r->high;
			r->high = t;
		}
		s->sorted = false;
	}
	seqset_sort(s);
}

/* Index of the range that holds n or would follow it. */
static size_t position(struct seqset *s, uint32_t n)
{
	seqset_sort(s);                          /* first: it may merge, and then there are fewer */
	size_t lo = 0, hi = s->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (s->v[mid].high < n) lo = mid + 1;
		else hi = mid;
	}
	return lo;
}

bool seqset_has(struct seqset *s, uint32_t n)
{
	size_t i = position(s, n);
	return i < s->n && s->v[i].low <= n;
}

void seqset_remove(struct seqset *s, uint32_t n)
{
	size_t i = position(s, n);
	if (i >= s->n || s->v[i].low > n) return;
	struct seqrange r = s->v[i];
	if (r.low == r.high) {
		memmove(s->v + i, s->v + i + 1, (s->n - i - 1) * sizeof *s->v);
		s->n--;
	} else if (n == r.low) {
		s->v[i].low++;
	} else if (n == r.high) {
		s->v[i].high--;
	} else {
		MEM_GROW(s->v, s->alloc, s->n + 1);
		memmove(s->v + i + 1, s->v + i, (s->n - i) * sizeof *s->v);
		s->n++;
		s->v[i].high = n - 1;
		s->v[i + 1].low = n + 1;
	}
}

uint32_t seqset_first(struct seqset *s)
{
	seqset_sort(s);
	return s->n ? s->v[0].low : 0;
}

uint32_t seqset_last(struct seqset *s)
{
	seqset_sort(s);
	return s->n ? s->v[s->n - 1].high : 0;
}

uint64_t seqset_count(struct seqset *s)
{
	uint64_t n = 0;
	seqset_sort(s);
	for (size_t i = 0; i < s->n; i++) n += (uint64_t)s->v[i].high - s->v[i].low + 1;
	return n;
}

void seqset_print(struct seqset *s, struct buf *out)
{
	seqset_sort(s);
	for (size_t i = 0; i < s->n; i++) {
		if (i) buf_putc(out, ',');
		buf_printf(out, "%u", s->v[i].low);
		if (s->v[i].high != s->v[i].low) buf_printf(out, ":%u", s->v[i].high);
	}
}
