/* dbbatch.c - see dbbatch.h. */
#include "tools/dbbatch.h"
#include "base/err.h"
#include "store/dlist.h"

#include <string.h>

enum { LITERAL_MAX = 1 << 28 };

static const struct { const char *word; int min, max; } commands[] = {
	[DBBATCH_BEGIN] = { "BEGIN", 0, 0 }, [DBBATCH_COMMIT] = { "COMMIT", 0, 0 }, [DBBATCH_ABORT] = { "ABORT", 0, 0 },
	[DBBATCH_SHOW] = { "SHOW", 0, 1 }, [DBBATCH_GET] = { "GET", 1, 1 }, [DBBATCH_SET] = { "SET", 1, 2 },
	[DBBATCH_DELETE] = { "DELETE", 1, 1 },
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static bool ends_line(int c) { return c == '\n' || c == '\r' || c == EOF; }

static int quoted(FILE *in, struct buf *out)
{
	for (int c; (c = getc(in)) != '"'; buf_putc(out, c)) {
		if (c == '\\') c = getc(in);
		if (ends_line(c)) return ERR_SYNTAX;
	}
	return 0;
}

static int literal(FILE *in, struct buf *out)
{
	size_t n = 0;
	int c = getc(in);
	if (c < '0' || c > '9') return ERR_SYNTAX;
	for (; c >= '0' && c <= '9' && n < LITERAL_MAX; c = getc(in)) n = n * 10 + (size_t)(c - '0');
	if (c == '+') c = getc(in);
	if (c != '}' || n > LITERAL_MAX) return ERR_SYNTAX;
	if ((c = getc(in)) == '\r') c = getc(in);
	if (c != '\n') return ERR_SYNTAX;
	while (n--) {
		if ((c = getc(in)) == EOF) return ERR_SYNTAX;
		buf_putc(out, c);
	}
	return 0;
}

/* One word behind any blanks. ERR_NOTFOUND: the line ends here; its end is still to be read. */
static int word(FILE *in, struct buf *out)
{
	int c;
	do c = getc(in); while (c == ' ' || c == '\t');
	buf_reset(out);
	if (ends_line(c)) {
		ungetc(c, in);
		return ERR_NOTFOUND;
	}
	if (c == '"') return quoted(in, out);
	if (c == '{') return literal(in, out);
	for (; !ends_line(c) && c != ' ' && c != '\t'; c = getc(in)) {
		if (c == '(' || c == ')' || c == '"') return ERR_SYNTAX;
		buf_putc(out, c);
	}
	ungetc(c, in);
	return 0;
}

static int line_end(FILE *in)
{
	int c;
	do c = getc(in); while (c == ' ' || c == '\t' || c == '\r');
	return c == '\n' ? 0 : ERR_SYNTAX;
}

static int command(FILE *in, struct buf *name, struct dbbatch *b)
{
	int i = 0, n = 0, r = 0;
	struct buf *args[] = { &b->key, &b->value };
	while (i < COMMANDS && !buf_eq(name, commands[i].word)) i++;
	if (i == COMMANDS) return ERR_NOMAILBOX;                  /* that is what 3.6 says */
	b->what = (enum dbbatch_what)i;
	buf_reset(&b->key);
	buf_reset(&b->value);
	while (n < commands[i].max && !(r = word(in, args[n]))) n++;
	if (r && r != ERR_NOTFOUND) return r;
	if (n < commands[i].min) return ERR_SYNTAX;
	return line_end(in);
}

static const char *words_of(int r)
{
	return r == ERR_SYNTAX ? "Syntax error in parameters" : r == ERR_NOTFOUND ? "Item does not exist" : err_text(r);
}

int dbbatch_run(FILE *in, int (*fn)(void *, const struct dbbatch *), void *arg)
{
	struct buf name = BUF_INIT;
	struct dbbatch b = { .key = BUF_INIT, .value = BUF_INIT };
	int r = 0;
	for (unsigned line = 1; !r && !feof(in); line++) {
		r = word(in, &name);
		if (r == ERR_NOTFOUND) {                          /* an empty line, or the end */
			r = line_end(in) && !feof(in) ? ERR_SYNTAX : 0;
			if (!r) continue;
		}
		if (!r) r = command(in, &name, &b);
		if (!r) r = fn(arg, &b);
		if (r) fprintf(stderr, "FAILED: line %u at cmd %s with error %s\n", line, buf_cstr(&name), words_of(r));
	}
	buf_free(&name);
	buf_free(&b.key);
	buf_free(&b.value);
	return r;
}

void dbbatch_words(const char *key, size_t keylen, const char *val, size_t vallen, struct buf *out)
{
	dlist_put_string(out, key, keylen);
	buf_putc(out, ' ');
	dlist_put_string(out, val, vallen);
	buf_putc(out, '\n');
}
