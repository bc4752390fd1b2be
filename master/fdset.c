/* fdset.c - see fdset.h. */
#include "master/fdset.h"
#include "base/mem.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define WORD_BITS ((int)(sizeof(unsigned long) * CHAR_BIT))
#define WORDS_MIN (sizeof(fd_set) / sizeof(unsigned long))

static unsigned long bit_of(int fd) { return 1UL << fd % WORD_BITS; }

static void make_room(struct fdset *s, size_t words)
{
	if (words <= s->words) return;
	if (words < WORDS_MIN) words = WORDS_MIN;
	s->bits = mem_array(s->bits, words, sizeof *s->bits);
	memset(s->bits + s->words, 0, (words - s->words) * sizeof *s->bits);
	s->words = words;
}

void fdset_free(struct fdset *s)
{
	free(s->bits);
	*s = (struct fdset)FDSET_INIT;
}

void fdset_add(struct fdset *s, int fd)
{
	make_room(s, (size_t)(fd / WORD_BITS) + 1);
	s->bits[fd / WORD_BITS] |= bit_of(fd);
	if (fd >= s->n) s->n = fd + 1;
}

void fdset_remove(struct fdset *s, int fd)
{
	if (fd < 0 || fd >= s->n) return;
	s->bits[fd / WORD_BITS] &= ~bit_of(fd);
	while (s->n && !fdset_has(s, s->n - 1)) s->n--;
}

bool fdset_has(const struct fdset *s, int fd)
{
	return fd >= 0 && fd < s->n && (s->bits[fd / WORD_BITS] & bit_of(fd));
}

void fdset_clear(struct fdset *s)
{
	if (s->words) memset(s->bits, 0, s->words * sizeof *s->bits);
	s->n = 0;
}

void fdset_copy(struct fdset *to, const struct fdset *from)
{
	make_room(to, from->words);
	if (from->words) memcpy(to->bits, from->bits, from->words * sizeof *to->bits);
	to->n = from->n;
}

int fdset_next(const struct fdset *s, int fd)
{
	while (fd < s->n) {
		unsigned long rest = s->bits[fd / WORD_BITS] >> fd % WORD_BITS;
		if (rest) return fd + __builtin_ctzl(rest);
		fd = (fd / WORD_BITS + 1) * WORD_BITS;
	}
	return -1;
}

fd_set *fdset_raw(struct fdset *s) { return (fd_set *)s->bits; }
