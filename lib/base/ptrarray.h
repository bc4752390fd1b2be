/* ptrarray.h - a growing array of pointers that belong to somebody else. */
#ifndef CAMB_PTRARRAY_H
#define CAMB_PTRARRAY_H
#include <stddef.h>

struct ptrarray {
	void **v;
	size_t n, alloc;
};
#define PTRARRAY_INIT { NULL, 0, 0 }

void ptrarray_free(struct ptrarray *a);             /* the array, not what it points to */
void ptrarray_append(struct ptrarray *a, void *p);
void ptrarray_remove(struct ptrarray *a, size_t i); /* keeps the order */
long ptrarray_find(const struct ptrarray *a, const void *p);
#endif
