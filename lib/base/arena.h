/* arena.h - memory and clean-ups that end together: one arena for the process, the session, the command.
 *
 * What a command opens is registered with arena_on_free() and closed when its arena goes, whatever path the command
 * took. Clean-ups run newest first, before any of the arena's memory is given back. */
#ifndef CAMB_ARENA_H
#define CAMB_ARENA_H
#include <stddef.h>

struct arena;
struct arena *arena_new(void);
void arena_free(struct arena *a);        /* NULL is allowed */
void arena_reset(struct arena *a);       /* runs the clean-ups, frees the contents, keeps the arena */
void *arena_alloc(struct arena *a, size_t n);       /* 16-byte aligned, not zeroed; never NULL */
void *arena_zalloc(struct arena *a, size_t n);
char *arena_dup(struct arena *a, const void *p, size_t n);    /* plus a NUL */
char *arena_strdup(struct arena *a, const char *s);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void arena_on_free(struct arena *a, void (*fn)(void *), void *arg);
#endif
