/* mime_bound.c - the boundary strings in force. A line is compared with all of them in time proportional to the line
 * alone: the hashes of its beginnings are looked up, so deep nesting cannot make every line expensive. */
#include "text/mime_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

#define PRIME ((UINT64_C(1) << 61) - 1)

static uint64_t mulmod(uint64_t a, uint64_t b)
{
	__extension__ typedef unsigned __int128 wide;
	wide m = (wide)a * b;
	uint64_t r = (uint64_t)(m & PRIME) + (uint64_t)(m >> 61);

	return r >= PRIME ? r - PRIME : r;
}

static uint64_t roll(const struct boundstack *st, uint64_t h, unsigned char c)
{
	h = mulmod(h, st->base) + c + 1;
	return h >= PRIME ? h - PRIME : h;
}

void boundstack_init(struct boundstack *st, struct arena *a, bool strict)
{
	memset(st, 0, sizeof *st);
	st->base = hash_bytes("boundary", 8) % (PRIME - 1000) + 500;       /* keyed: nobody can choose collisions */
	st->strict = strict;
	st->a = a;
}

void boundstack_free(struct boundstack *st)
{
	free(st->v);
}

static struct bound *lookup(const struct boundstack *st, uint64_t hash, const char *s, size_t n)
{
	for (struct bound *b = st->bucket[hash % BOUND_BUCKETS]; b; b = b->chain)
		if (b->hash == hash && b->s.n == n && memcmp(b->s.s, s, n) == 0)
			return b;
	return NULL;
}

void boundstack_push(struct boundstack *st, struct text s)
{
	struct bound *b = arena_zalloc(st->a, sizeof *b);

	for (size_t i = 0; i < s.n; i++)
		b->hash = roll(st, b->hash, (unsigned char)s.s[i]);
	b->s = s;
	b->level = st->n;
	b->maxlen = st->n && st->v[st->n - 1]->maxlen > s.n ? st->v[st->n - 1]->maxlen : s.n;
	b->shadowed = lookup(st, b->hash, s.s, s.n) != NULL;
	if (!b->shadowed) {
		struct bound **head = &st->bucket[b->hash % BOUND_BUCKETS];
		b->chain = *head;
		*head = b;
	}
	MEM_GROW(st->v, st->alloc, st->n + 1);
	st->v[st->n++] = b;
}

void boundstack_cut(struct boundstack *st, size_t n)
{
	while (st->n > n) {
		struct bound *b = st->v[--st->n];
		if (!b->shadowed)                    /* newest first, so it heads its bucket */
			st->bucket[b->hash % BOUND_BUCKETS] = b->chain;
	}
}

static bool is_space(int c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

enum { NO, OPENS, CLOSES };

static int kind_of(const struct boundstack *st, const char *rest, size_t len)
{
	if (len >= 2 && rest[0] == '-' && rest[1] == '-')
		return CLOSES;
	if (!st->strict && len > 1 && !is_space((unsigned char)rest[0]))
		return NO;                           /* only a prefix */
	return OPENS;
}

bool boundstack_test(struct boundstack *st, const char *line, size_t len)
{
	struct bound *best = NULL;
	int best_kind = NO;
	uint64_t h = 0;
	size_t max;

	if (st->n == 0 || len < 2 || line[0] != '-' || line[1] != '-')
		return false;
	line += 2;
	len -= 2;
	max = st->v[st->n - 1]->maxlen;
	for (size_t i = 0; ; i++) {
		struct bound *b = lookup(st, h, line, i);
		int k = b ? kind_of(st, line + i, len - i) : NO;
		if (k != NO && (!best || b->level < best->level)) {
			best = b;
			best_kind = k;
		}
		if (i >= len || i >= max)
			break;
		h = roll(st, h, (unsigned char)line[i]);
	}
	if (!best)
		return false;
	if (best_kind == CLOSES)
		boundstack_cut(st, best->level);
	return true;
}
