/* arena.c - see arena.h. Small requests come from chunks; large ones get a block of their own. */
#include "base/arena.h"
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 4096, ALIGN = 16 };

struct chunk {
	struct chunk *next;
	size_t used, size;
	_Alignas(16) char data[];
};

struct cleanup {
	struct cleanup *next;
	void (*fn)(void *);
	void *arg;
};

struct arena {
	struct chunk *chunks;            /* the first one is the one being filled */
	struct cleanup *cleanups;
};

struct arena *arena_new(void) { return mem_zalloc(sizeof(struct arena)); }

void arena_reset(struct arena *a)
{
	while (a->cleanups) {            /* a clean-up may register another */
		struct cleanup *c = a->cleanups;
		a->cleanups = c->next;
		c->fn(c->arg);
	}
	while (a->chunks) {
		struct chunk *c = a->chunks;
		a->chunks = c->next;
		free(c);
	}
}

void arena_free(struct arena *a)
{
	if (!a) return;
	arena_reset(a);
	free(a);
}

void *arena_alloc(struct arena *a, size_t n)
{
	n = (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	struct chunk *c = a->chunks;
	if (!c || c->size - c->used < n) {
		size_t size = n > CHUNK / 4 ? n : CHUNK;
		struct chunk *fresh = mem_alloc(sizeof *fresh + size);
		fresh->used = 0;
		fresh->size = size;
		if (c && size == n && n > CHUNK / 4) {      /* a large block goes behind the chunk being filled */
			fresh->next = c->next;
			c->next = fresh;
		} else {
			fresh->next = c;
			a->chunks = fresh;
		}
		c = fresh;
	}
	void *p = c->data + c->used;
	c->used += n;
	return p;
}

void *arena_zalloc(struct arena *a, size_t n) { return memset(arena_alloc(a, n), 0, n); }

char *arena_dup(struct arena *a, const void *p, size_t n)
{
	char *s = arena_alloc(a, n + 1);
	if (n) memcpy(s, p, n);
	s[n] = 0;
	return s;
}

char *arena_strdup(struct arena *a, const char *s) { return arena_dup(a, s, strlen(s)); }

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	char *s = arena_alloc(a, (size_t)(n < 0 ? 0 : n) + 1);
	s[0] = 0;
	if (n > 0) vsnprintf(s, (size_t)n + 1, fmt, again);
	va_end(again);
	va_end(ap);
	return s;
}

void arena_on_free(struct arena *a, void (*fn)(void *), void *arg)
{
	struct cleanup *c = arena_alloc(a, sizeof *c);
	c->fn = fn;
	c->arg = arg;
	c->next = a->cleanups;
	a->cleanups = c;
}
