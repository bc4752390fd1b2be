/* strarray.c - see strarray.h. */
#include "base/strarray.h"
#include "base/buf.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void strarray_free(struct strarray *a)
{
	for (size_t i = 0; i < a->n; i++) free(a->v[i]);
	free(a->v);
	*a = (struct strarray)STRARRAY_INIT;
}

void strarray_take(struct strarray *a, char *s)
{
	MEM_GROW(a->v, a->alloc, a->n + 1);
	a->v[a->n++] = s;
}

void strarray_append(struct strarray *a, const char *s) { strarray_take(a, mem_strdup(s)); }

void strarray_remove(struct strarray *a, size_t i)
{
	free(a->v[i]);
	memmove(a->v + i, a->v + i + 1, (a->n - i - 1) * sizeof *a->v);
	a->n--;
}

long strarray_find(const struct strarray *a, const char *s)
{
	for (size_t i = 0; i < a->n; i++)
		if (!strcmp(a->v[i], s)) return (long)i;
	return -1;
}

long strarray_findcase(const struct strarray *a, const char *s)
{
	for (size_t i = 0; i < a->n; i++)
		if (!strcasecmp(a->v[i], s)) return (long)i;
	return -1;
}

static int compare(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

void strarray_sort(struct strarray *a)
{
	if (a->n > 1) qsort(a->v, a->n, sizeof *a->v, compare);
}

void strarray_split(struct strarray *a, const char *s, const char *seps)
{
	for (s += strspn(s, seps); *s; s += strspn(s, seps)) {
		size_t n = strcspn(s, seps);
		strarray_take(a, mem_dup(s, n));
		s += n;
	}
}

char *strarray_join(const struct strarray *a, const char *sep)
{
	struct buf b = BUF_INIT;
	for (size_t i = 0; i < a->n; i++) {
		if (i) buf_puts(&b, sep);
		buf_puts(&b, a->v[i]);
	}
	return buf_take(&b);
}
