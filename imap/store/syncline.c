/* syncline.c - see syncline.h. */
#include "store/syncline.h"
#include "base/err.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct { const char *word; int args; } words[] = {
	{ "USER", 1 }, { "UNUSER", 1 }, { "META", 1 }, { "MAILBOX", 1 }, { "UNMAILBOX", 1 }, { "QUOTA", 1 }, { "ANNOTATION", 1 },
	{ "SEEN", 2 }, { "SUB", 2 }, { "APPEND", 1 }, { "DOUBLEMAILBOX", 2 }, { "RENAME", 2 },
};

void syncline_free(struct syncline *l)
{
	free(l->word);
	free(l->arg[0]);
	free(l->arg[1]);
	*l = (struct syncline){ 0 };
}

static int args_of(const char *word)
{
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (!strcasecmp(words[i].word, word)) return words[i].args;
	return -1;
}

/* One word or quoted string; NULL: it is not one. *p moves behind it. */
static char *take(const char **p, const char *end)
{
	struct buf b = BUF_INIT;
	const char *s = *p;
	bool quoted = s < end && *s == '"', closed = false;
	for (s += quoted; s < end && !closed; s++) {
		if (quoted && *s == '"') {
			closed = true;
			continue;
		}
		if (!quoted && *s == ' ') break;
		if (quoted && *s == '\\' && s + 1 < end) s++;
		if (!*s || *s == '\r' || *s == '\n') break;
		buf_putc(&b, *s);
	}
	bool ok = quoted ? closed : b.len > 0;
	*p = s;
	if (ok && (s == end || *s == ' ')) return buf_take(&b);
	buf_free(&b);
	return NULL;
}

int syncline_parse(const char *p, size_t len, struct syncline *l)
{
	const char *end = p + len;
	*l = (struct syncline){ 0 };
	l->word = take(&p, end);
	int want = l->word ? args_of(l->word) : 0, n = 0, r = want > 0 ? 0 : l->word ? ERR_NOTFOUND : ERR_SYNTAX;
	while (!r && p < end) {
		if (++p == end) break;                        /* a blank at the end */
		if (n == want || !(l->arg[n] = take(&p, end))) r = ERR_SYNTAX;
		else n++;
	}
	if (!r && n < want) r = ERR_SYNTAX;
	if (r) syncline_free(l);
	return r;
}

static void put_argument(struct buf *b, const char *s)
{
	buf_putc(b, ' ');
	if (*s && !strpbrk(s, " \t()\\\"{}")) {
		buf_puts(b, s);
		return;
	}
	buf_putc(b, '"');
	for (; *s; s++) {
		if (strchr("\\\"{}", *s)) buf_putc(b, '\\');
		buf_putc(b, *s);
	}
	buf_putc(b, '"');
}

int syncline_print(const char *word, const char *a, const char *b, struct buf *out)
{
	if ((a && strpbrk(a, "\r\n")) || (b && strpbrk(b, "\r\n"))) return ERR_SYNTAX;
	buf_puts(out, word);
	if (a) put_argument(out, a);
	if (b) put_argument(out, b);
	buf_putc(out, '\n');
	return 0;
}
