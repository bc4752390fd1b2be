/* glob.c - mailbox patterns as a set of states advanced byte by byte. See glob.h. */
#include "text/glob.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

struct glob {
	char *p;                     /* runs of wildcards are folded: at most one `*` or one `%` in a row */
	size_t n;
	char sep;
	bool inbox;                  /* the first five characters are compared without case */
	unsigned char *now;          /* now[i]: i characters of the pattern are behind us */
	size_t lo, hi;               /* only in this range is now[i] looked at, and not 0 anywhere else: lo > hi when no state is
	                                left */
};

/* Two neighbouring wildcards are as good as the stronger one. */
static char *folded(const char *s)
{
	char *p = mem_strdup(s);
	size_t k = 0;

	for (; *s; s++) {
		bool wild = *s == '*' || *s == '%';
		if (wild && k && (p[k - 1] == '*' || p[k - 1] == '%')) {
			if (*s == '*')
				p[k - 1] = '*';
			continue;
		}
		p[k++] = *s;
	}
	p[k] = '\0';
	return p;
}

struct glob *glob_new(const char *pattern, char sep, unsigned flags)
{
	struct glob *g = mem_zalloc(sizeof *g);

	g->p = folded(pattern);
	g->n = strlen(g->p);
	g->sep = sep;
	g->inbox = (flags & GLOB_INBOX) && strncasecmp(g->p, "inbox", 5) == 0 &&
		(g->n == 5 || g->p[5] == sep || g->p[5] == '*' || g->p[5] == '%');
	g->now = mem_zalloc(g->n + 1);
	g->lo = 1;
	return g;
}

void glob_free(struct glob *g)
{
	if (!g)
		return;
	free(g->p);
	free(g->now);
	free(g);
}

/* A wildcard may match nothing: its successor is reached with it. */
static void enter(struct glob *g, size_t i)
{
	bool wild = i < g->n && (g->p[i] == '*' || g->p[i] == '%');
	g->now[i] = 1;
	if (wild)
		g->now[i + 1] = 1;
	if (i < g->lo)
		g->lo = i;
	if (i + wild > g->hi)
		g->hi = i + wild;
}

/* Nothing is behind us. Each byte of a name moves the range by two at most, so a pattern longer than the names costs nothing
 * more. */
static void start(struct glob *g)
{
	if (g->lo <= g->hi)
		memset(g->now + g->lo, 0, g->hi - g->lo + 1);
	g->lo = g->hi = 0;
	enter(g, 0);
}

static bool same(const struct glob *g, size_t i, char c)
{
	if (g->inbox && i < 5)
		return (g->p[i] | 0x20) == (c | 0x20);
	return g->p[i] == c;
}

/* One more byte of the name; false when no state is left. From the end, so that a state is not advanced twice. */
static bool step(struct glob *g, char c)
{
	size_t lo = g->lo, hi = g->hi;

	g->lo = g->n + 1;
	g->hi = 0;
	for (size_t i = hi + 1; i-- > lo; ) {
		bool on = g->now[i];
		g->now[i] = 0;
		if (!on || i == g->n)
			continue;
		if (g->p[i] == '*' || (g->p[i] == '%' && c != g->sep))
			enter(g, i);
		else if (g->p[i] != '%' && same(g, i, c))
			enter(g, i + 1);
	}
	return g->lo <= g->hi;
}

static bool matched(const struct glob *g) { return g->lo <= g->hi && g->hi == g->n && g->now[g->n]; }

size_t glob_match_all(struct glob *g, const char *name, size_t *lens, size_t max)
{
	size_t n = 0, i;

	start(g);
	for (i = 0; name[i]; i++) {
		if (i > 0 && name[i] == g->sep && matched(g)) {
			if (n < max)
				lens[n] = i;
			n++;
		}
		if (!step(g, name[i]))
			return n;
	}
	if (matched(g)) {
		if (n < max)
			lens[n] = i;
		n++;
	}
	return n;
}

long glob_match_prefix(struct glob *g, const char *name, size_t minlen)
{
	long best = -1;
	size_t i;

	start(g);
	for (i = 0; name[i]; i++) {
		if (i > 0 && name[i] == g->sep && matched(g) && i >= minlen)
			best = (long)i;
		if (!step(g, name[i]))
			return best;
	}
	return matched(g) && i >= minlen ? (long)i : best;
}

bool glob_match(struct glob *g, const char *name)
{
	start(g);
	for (; *name; name++)
		if (!step(g, *name))
			return false;
	return matched(g);
}

bool glob_may_match_below(struct glob *g, const char *name)
{
	start(g);
	for (; *name; name++)
		if (!step(g, *name))
			return false;
	return matched(g) || step(g, g->sep);
}

size_t glob_dead_below(struct glob *g, const char *name)
{
	size_t i;

	start(g);
	for (i = 0; name[i]; i++) {
		bool alive = step(g, name[i]);
		if (alive)
			continue;
		if (i > 0 && name[i] == g->sep)
			return i;
		return i + strcspn(name + i, (char[2]){ g->sep, '\0' });
	}
	return step(g, g->sep) ? GLOB_ALIVE : i;
}

size_t glob_literal_prefix(const struct glob *g)
{
	return g->inbox ? 0 : strcspn(g->p, "*%");
}
