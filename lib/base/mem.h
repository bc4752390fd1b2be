/* mem.h - allocation that either succeeds or ends the process.
 *
 * Every size that comes from outside is bounded by a limit before it gets here (see doc/decisions/0001-allocation.md),
 * so running out of memory is the machine's fault, not the input's: the process logs it and leaves with EX_TEMPFAIL (75). */
#ifndef CAMB_MEM_H
#define CAMB_MEM_H
#include <stddef.h>

void *mem_alloc(size_t n);                       /* never NULL; n may be 0 */
void *mem_zalloc(size_t n);                      /* zeroed */
void *mem_realloc(void *p, size_t n);
void *mem_array(void *p, size_t count, size_t size);   /* realloc of count * size, overflow checked */
char *mem_dup(const void *p, size_t n);          /* copy of n bytes plus a NUL */
char *mem_strdup(const char *s);
char *mem_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Room for `need` elements in a growing array: doubles, so appending is linear. */
#define MEM_GROW(ptr, alloc, need) do { if ((need) > (alloc)) { \
	size_t n_ = (alloc) ? (alloc) * 2 : 8; if (n_ < (need)) n_ = (need); \
	(ptr) = mem_array((ptr), n_, sizeof *(ptr)); (alloc) = n_; } } while (0)
#endif
