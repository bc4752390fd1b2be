/* command.c - reading one command: the whole of it, literals included, before anything is done with it. Only APPEND's messages
 * are left on the stream. All of a command's bytes count against one budget, so many literals are no way round the limits. */
#include "imapd/respond.h"
#include "base/num.h"
#include "io/literal.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Whatever is configured, a line and a command (without the messages of APPEND) are never longer. */
enum { LINE_LIMIT = 1 << 20, COMMAND_LIMIT = 4 << 20 };

static const char literal_too_big[] = "[TOOBIG] Literal too long", arguments_too_big[] = "[TOOBIG] Command arguments too long";

/* "{12}", "{12+}" or "~{12}" at the end of a line, where a token may begin. */
static bool announces(const struct buf *b, size_t start, size_t *at, struct literal *l)
{
	size_t n = b->len;
	if (n < start + 3 || b->s[n - 1] != '}') return false;
	size_t i = n - 1;
	*l = (struct literal){ 0 };
	if (b->s[i - 1] == '+') {
		l->nosync = true;
		i--;
	}
	size_t digits_end = i;
	while (i > start && b->s[i - 1] >= '0' && b->s[i - 1] <= '9') i--;
	if (i == digits_end || i == start || b->s[i - 1] != '{') return false;
	const char *p = b->s + i;
	if (!num_u64(&p, b->s + digits_end, &l->size)) return false;
	i--;
	if (i > start && b->s[i - 1] == '~') {
		l->binary = true;
		i--;
	}
	if (i > start && !strchr(" ([", b->s[i - 1])) return false;
	*at = i;
	return true;
}

/* A configured limit; 0 is none, but never more than what a session may cost. */
static size_t limit(int64_t configured, size_t most)
{
	return configured > 0 && (uint64_t)configured < most ? (size_t)configured : most;
}

static bool breaks_word(unsigned char c) { return c <= 0x20 || c >= 0x7f || strchr("(){%*\"", c); }

/* NULL, or which limit of maxword and maxquoted the line breaks. */
static const char *overlong(const struct session *s, const char *p, const char *end)
{
	size_t maxword = limit(conf_int(s->conf, OPT_MAXWORD), LINE_LIMIT),
		maxquoted = limit(conf_int(s->conf, OPT_MAXQUOTED), LINE_LIMIT);
	while (p < end) {
		const char *start = p;
		if (*p == '"') {
			size_t n = 0;
			for (p++; p < end && *p != '"'; p++, n++)
				if (*p == '\\' && p + 1 < end) p++;
			if (n > maxquoted) return "quoted value too long";
			p += p < end;
			continue;
		}
		while (p < end && !breaks_word((unsigned char)*p)) p++;
		if ((size_t)(p - start) > maxword) return "word too long";
		p += p == start;
	}
	return NULL;
}

static bool read_line(struct session *s, struct buf *b)
{
	size_t start = b->len;
	if (!prot_getline(s->p, b, LINE_LIMIT)) return false;
	const char *why = b->s[b->len - 1] == '\n' ? overlong(s, b->s + start, b->s + b->len - 1) : "word too long";
	if (why) {
		respond_bye(s, "Fatal error: %s", why);
		return false;
	}
	b->len--;
	if (b->len > start && b->s[b->len - 1] == '\r') b->len--;
	return true;
}

/* After a refused literal: the bytes of a non-synchronising one are already on their way. */
static bool refuse_literal(struct session *s, const struct literal *l)
{
	if (l->nosync && l->size > 64 * 1024 * 1024) {
		respond_bye(s, "Fatal error: literal too big");
		return false;
	}
	return !l->nosync || literal_discard(s->p, l);
}

/* Appends lines and the literals between them. args: where the arguments begin. stop_at: the number of the literal that is not
 * read but reported (0: none). Once a limit is broken (*too_big says how) the rest is read and forgotten, so that it is not taken
 * for commands. */
static bool read_rest(struct session *s, struct buf *b, size_t args, int stop_at, struct literal *stopped, const char **too_big)
{
	size_t maxliteral = limit(conf_bytes(s->conf, OPT_MAXLITERAL), COMMAND_LIMIT), from = args - 1;
	size_t most = args + limit(conf_bytes(s->conf, OPT_MAXARGSSIZE), COMMAND_LIMIT);
	for (int n = 1;; n++) {
		struct literal l;
		size_t at;
		if (!*too_big && b->len > most) *too_big = arguments_too_big;
		if (!announces(b, from, &at, &l)) return true;
		if (n == stop_at && !*too_big) {
			*stopped = l;
			buf_truncate(b, at);
			return true;
		}
		if (!*too_big && l.size > maxliteral) *too_big = literal_too_big;
		if (!*too_big && b->len + l.size > most) *too_big = arguments_too_big;
		if (*too_big) {
			if (!l.nosync) return true;
			if (!refuse_literal(s, &l)) return false;
			buf_truncate(b, args);
		} else {
			literal_go_ahead(s->p, &l);
			buf_puts(b, "\r\n");
			if (!literal_read(s->p, &l, b)) return false;
		}
		from = b->len;
		if (!read_line(s, b)) return false;
	}
}

static bool tag_ok(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];
		if (c <= 0x20 || c >= 0x7f || strchr("(){%*\"\\+", c)) return false;
	}
	return n > 0;
}

static char *capitalise(struct arena *a, const char *p, size_t n)
{
	char *name = arena_dup(a, p, n);
	for (size_t i = 0; i < n; i++) name[i] = (char)(i ? tolower((unsigned char)name[i]) : toupper((unsigned char)name[i]));
	return name;
}

static size_t word_length(const char *p, const char *end)
{
	const char *q = p;
	while (q < end && (unsigned char)*q > 0x20 && !strchr("(){%*\"\\", *q)) q++;
	return (size_t)(q - p);
}

/* Where the APPEND in the line has its mailbox: a literal as first argument is the name, the next one the message. */
static int append_stop(const struct buf *b, size_t args)
{
	return args < b->len && b->s[args] == '{' ? 2 : 1;
}

bool command_read(struct session *s)
{
	struct buf b = BUF_INIT;
	struct literal stopped = { .size = UINT64_MAX };
	bool ok;
	arena_reset(s->cmd);
	s->tag = "*";
	s->name = "";
	s->uid = false;
	s->has_args = false;
	s->refused = NULL;
	s->args = (struct args){ s->cmd, NULL, NULL };
	if (!read_line(s, &b)) {
		buf_free(&b);
		return false;
	}
	const char *text = buf_cstr(&b), *end = text + b.len, *sp = memchr(text, ' ', b.len);
	size_t taglen = sp ? (size_t)(sp - text) : b.len;
	if (!sp || !tag_ok(text, taglen)) {
		buf_free(&b);
		s->name = NULL;                              /* the dispatcher says "Invalid tag" */
		return true;
	}
	size_t word = taglen + 1, wordlen = word_length(text + word, end), args = word + wordlen;
	bool append = wordlen == 6 && !strncasecmp(text + word, "APPEND", 6);
	ok = read_rest(s, &b, args, append ? append_stop(&b, args + 1) : 0, &stopped, &s->refused);
	if (ok) {
		text = arena_dup(s->cmd, b.s, b.len);
		s->tag = arena_dup(s->cmd, text, taglen);
		s->name = capitalise(s->cmd, text + word, wordlen);
		s->has_args = args < b.len && text[args] == ' ';
		s->args.p = text + args + s->has_args;
		s->args.end = text + b.len;
		if (append) {
			struct literal *l = arena_alloc(s->cmd, sizeof *l);
			*l = stopped;
			s->literal = l;
		}
	}
	buf_free(&b);
	return ok;
}

bool command_more(struct session *s, struct buf *line, struct literal *l)
{
	size_t at;
	*l = (struct literal){ 0 };
	size_t from = line->len;
	if (!read_line(s, line)) return false;
	if (announces(line, from, &at, l)) buf_truncate(line, at);
	else l->size = UINT64_MAX;
	return true;
}
