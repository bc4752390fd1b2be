/* strarray.h - a growing array of C strings that it owns. */
#ifndef CAMB_STRARRAY_H
#define CAMB_STRARRAY_H
#include <stdbool.h>
#include <stddef.h>

struct strarray {
	char **v;                /* v[0] .. v[n-1]; never NULL entries */
	size_t n, alloc;
};
#define STRARRAY_INIT { NULL, 0, 0 }

void strarray_free(struct strarray *a);                 /* frees the strings; the array may be used again */
void strarray_append(struct strarray *a, const char *s);
void strarray_take(struct strarray *a, char *s);        /* takes ownership of s */
void strarray_remove(struct strarray *a, size_t i);
long strarray_find(const struct strarray *a, const char *s);       /* index or -1 */
long strarray_findcase(const struct strarray *a, const char *s);   /* ASCII case-insensitive */
void strarray_sort(struct strarray *a);
void strarray_split(struct strarray *a, const char *s, const char *seps);   /* appends the non-empty words */
char *strarray_join(const struct strarray *a, const char *sep);    /* caller frees */
#endif
