/* ptrarray.c - see ptrarray.h. */
#include "base/ptrarray.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

void ptrarray_free(struct ptrarray *a)
{
	free(a->v);
	*a = (struct ptrarray)PTRARRAY_INIT;
}

void ptrarray_append(struct ptrarray *a, void *p)
{
	MEM_GROW(a->v, a->alloc, a->n + 1);
	a->v[a->n++] = p;
}

void ptrarray_remove(struct ptrarray *a, size_t i)
{
	memmove(a->v + i, a->v + i + 1, (a->n - i - 1) * sizeof *a->v);
	a->n--;
}

long ptrarray_find(const struct ptrarray *a, const void *p)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->v[i] == p) return (long)i;
	return -1;
}
