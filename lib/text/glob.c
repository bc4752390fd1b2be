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
	g->now = mem_alloc(g->n + 1);
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
	g->now[i] = 1;
	if (i < g->n && (g->p[i] == '*' || g->p[i] == '%'))
		g->now[i + 1] = 1;
}

static void start(struct glob *g)
{
	memset(g->now, 0, g->n + 1);
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
	bool any = false;

	for (size_t i = g->n + 1; i-- > 0; ) {
		bool on = g->now[i];
		g->now[i] = 0;
		if (!on || i == g->n)
			continue;
		if (g->p[i] == '*' || (g->p[i] == '%' && c != g->sep))
			enter(g, i);
		else if (g->p[i] != '%' && same(g, i, c))
			enter(g, i + 1);
		else
			continue;
		any = true;
	}
	return any;
}

size_t glob_match_all(struct glob *g, const char *name, size_t *lens, size_t max)
{
	size_t n = 0, i;

	start(g);
	for (i = 0; name[i]; i++) {
		if (i > 0 && name[i] == g->sep && g->now[g->n]) {
			if (n < max)
				lens[n] = i;
			n++;
		}
		if (!step(g, name[i]))
			return n;
	}
	if (g->now[g->n]) {
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
		if (i > 0 && name[i] == g->sep && g->now[g->n] && i >= minlen)
			best = (long)i;
		if (!step(g, name[i]))
			return best;
	}
	return g->now[g->n] && i >= minlen ? (long)i : best;
}

bool glob_match(struct glob *g, const char *name)
{
	start(g);
	for (; *name; name++)
		if (!step(g, *name))
			return false;
	return g->now[g->n];
}

bool glob_may_match_below(struct glob *g, const char *name)
{
	start(g);
	for (; *name; name++)
		if (!step(g, *name))
			return false;
	return g->now[g->n] || step(g, g->sep);
}

size_t glob_literal_prefix(const struct glob *g)
{
	return g->inbox ? 0 : strcspn(g->p, "*%");
}
