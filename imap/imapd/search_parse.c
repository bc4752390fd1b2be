/* search_parse.c - see search_parse.h. Parentheses, NOT and OR nest on a stack of our own: what a client sends never deepens the
 * process's. */
#include "imapd/search_parse.h"
#include "base/err.h"
#include "store/index_format.h"
#include "store/mboxheader.h"
#include "store/seqset.h"
#include "text/date.h"

#include <string.h>
#include <strings.h>

/* A key that waits for its children. */
struct frame {
	struct searchkey *key;
	enum { FRAME_ALL, FRAME_LIST, FRAME_OR, FRAME_NOT } kind;      /* the whole line; "(...)"; two; one */
	bool half;                         /* OR: the first is there */
};

struct parser {
	struct args *a;
	const struct search_context *c;
	struct charset charset;
	const char *word;                  /* the last key's name, in lower case */
	struct frame stack[SEARCH_DEPTH_MAX];
	size_t depth;
};

static const char bad_criteria[] = "Invalid Search criteria";

static const char *complain(struct parser *p, const char *what)
{
	return arena_printf(p->a->arena, "Invalid %s in %s command", what, p->c->name);
}

static const char *missing(struct parser *p)
{
	return arena_printf(p->a->arena, "Missing required argument to %s %s", p->c->name, p->word);
}

/* ------------------------------------------------------------------------------------------------ keys */

struct word;
typedef const char *key_fn(struct parser *p, const struct word *w, struct searchkey **k);

struct word {
	const char *name;
	key_fn *parse;
	enum search_op op;
	uint32_t flag;
	bool not;
};

static const char *key_plain(struct parser *p, const struct word *w, struct searchkey **k)
{
	*k = searchkey_new_number(p->a->arena, w->op, w->flag);
	return NULL;
}

static const char *key_new(struct parser *p, const struct word *w, struct searchkey **k)
{
	struct searchkey *unseen = searchkey_new(p->a->arena, SEARCH_NOT);
	(void)w;
	*k = searchkey_new(p->a->arena, SEARCH_AND);
	searchkey_add(unseen, searchkey_new(p->a->arena, SEARCH_SEEN));
	searchkey_add(*k, searchkey_new(p->a->arena, SEARCH_RECENT));
	searchkey_add(*k, unseen);
	return NULL;
}

static const char *key_keyword(struct parser *p, const struct word *w, struct searchkey **k)
{
	char *flag;
	if (!args_space(p->a) || !args_flag(p->a, &flag)) return missing(p);
	if (*flag == '\\' || !mboxheader_flag_ok(flag)) return complain(p, arena_printf(p->a->arena, "flag name %s", flag));
	*k = searchkey_new(p->a->arena, SEARCH_NONE);
	for (unsigned i = 0; i < USER_FLAGS; i++)
		if (p->c->flagname[i] && !strcasecmp(p->c->flagname[i], flag)) *k = searchkey_new_number(p->a->arena, w->op, i);
	return NULL;
}

static const char *key_number(struct parser *p, const struct word *w, struct searchkey **k)
{
	uint64_t v;
	if (!args_space(p->a)) return missing(p);
	if (!args_number(p->a, &v)) return complain(p, w->flag ? "interval" : "number");
	*k = searchkey_new_number(p->a->arena, w->op, v);
	return NULL;
}

static const char *key_date(struct parser *p, const struct word *w, struct searchkey **k)
{
	char *text;
	int64_t day;
	if (!args_space(p->a)) return missing(p);
	if (!args_astring(p->a, &text) || date_parse_search(text, strlen(text), &day)) return complain(p, "date");
	*k = searchkey_new_day(p->a->arena, w->op, day);
	return NULL;
}

/* NULs are text in some character sets. */
static bool text(struct args *a, char **s, size_t *n)
{
	int c = args_peek(a);
	if (c == '"' || c == '{') return args_string_n(a, s, n);
	if (!args_atom(a, s)) return false;
	*n = strlen(*s);
	return true;
}

static const char *key_text(struct parser *p, const struct word *w, struct searchkey **k)
{
	char *s, *header = NULL;
	size_t n;
	if (w->op == SEARCH_HEADER && (!args_space(p->a) || !args_astring(p->a, &header))) return missing(p);
	if (!args_space(p->a) || !text(p->a, &s, &n)) return missing(p);
	*k = searchkey_new_text(p->a->arena, w->op, header, &p->charset, s, n, p->c->canon);
	return NULL;
}

/* [entry-name SP ("priv" / "shared" / "all") SP] number; all flags share one modseq. */
static const char *key_modseq(struct parser *p, const struct word *w, struct searchkey **k)
{
	char *entry, *type;
	uint64_t v;
	if (!args_space(p->a)) return missing(p);
	if (args_peek(p->a) == '"') {
		if (!args_string(p->a, &entry) || !args_space(p->a) || !args_word(p->a, &type) || !args_space(p->a)) return missing(p);
		if (strcasecmp(type, "priv") && strcasecmp(type, "shared") && strcasecmp(type, "all")) return bad_criteria;
	}
	if (!args_number(p->a, &v)) return complain(p, "number");
	*k = searchkey_new_number(p->a->arena, w->op, v);
	return NULL;
}

static const char *set(struct parser *p, enum search_op op, uint32_t star, struct searchkey **k)
{
	struct seqset s = SEQSET_INIT;
	char *t;
	const char *e = bad_criteria;
	if (args_seqset(p->a, &t) && !seqset_parse(&s, t, strlen(t))) {
		seqset_resolve(&s, star);
		struct search_range *r = arena_alloc(p->a->arena, s.n * sizeof *r);
		for (size_t i = 0; i < s.n; i++) r[i] = (struct search_range){ s.v[i].low, s.v[i].high };
		*k = searchkey_new_ranges(p->a->arena, op, r, s.n);
		e = NULL;
	}
	seqset_free(&s);
	return e;
}

static const char *key_uid(struct parser *p, const struct word *w, struct searchkey **k)
{
	if (!args_space(p->a)) return missing(p);
	return set(p, w->op, p->c->last_uid, k);
}

static const struct word words[] = {
	{ "ALL", key_plain, SEARCH_ALL, 0, false },
	{ "ANSWERED", key_plain, SEARCH_FLAG, FLAG_ANSWERED, false },
	{ "BCC", key_text, SEARCH_BCC, 0, false },
	{ "BEFORE", key_date, SEARCH_BEFORE, 0, false },
	{ "BODY", key_text, SEARCH_BODY, 0, false },
	{ "CC", key_text, SEARCH_CC, 0, false },
	{ "DELETED", key_plain, SEARCH_FLAG, FLAG_DELETED, false },
	{ "DRAFT", key_plain, SEARCH_FLAG, FLAG_DRAFT, false },
	{ "FLAGGED", key_plain, SEARCH_FLAG, FLAG_FLAGGED, false },
	{ "FROM", key_text, SEARCH_FROM, 0, false },
	{ "HEADER", key_text, SEARCH_HEADER, 0, false },
	{ "KEYWORD", key_keyword, SEARCH_KEYWORD, 0, false },
	{ "LARGER", key_number, SEARCH_LARGER, 0, false },
	{ "MODSEQ", key_modseq, SEARCH_MODSEQ, 0, false },
	{ "NEW", key_new, SEARCH_AND, 0, false },
	{ "OLD", key_plain, SEARCH_RECENT, 0, true },
	{ "OLDER", key_number, SEARCH_OLDER, 1, false },
	{ "ON", key_date, SEARCH_ON, 0, false },
	{ "RECENT", key_plain, SEARCH_RECENT, 0, false },
	{ "SEEN", key_plain, SEARCH_SEEN, 0, false },
	{ "SENTBEFORE", key_date, SEARCH_SENTBEFORE, 0, false },
	{ "SENTON", key_date, SEARCH_SENTON, 0, false },
	{ "SENTSINCE", key_date, SEARCH_SENTSINCE, 0, false },
	{ "SINCE", key_date, SEARCH_SINCE, 0, false },
	{ "SMALLER", key_number, SEARCH_SMALLER, 0, false },
	{ "SUBJECT", key_text, SEARCH_SUBJECT, 0, false },
	{ "TEXT", key_text, SEARCH_TEXT, 0, false },
	{ "TO", key_text, SEARCH_TO, 0, false },
	{ "UID", key_uid, SEARCH_UID, 0, false },
	{ "UNANSWERED", key_plain, SEARCH_FLAG, FLAG_ANSWERED, true },
	{ "UNDELETED", key_plain, SEARCH_FLAG, FLAG_DELETED, true },
	{ "UNDRAFT", key_plain, SEARCH_FLAG, FLAG_DRAFT, true },
	{ "UNFLAGGED", key_plain, SEARCH_FLAG, FLAG_FLAGGED, true },
	{ "UNKEYWORD", key_keyword, SEARCH_KEYWORD, 0, true },
	{ "UNSEEN", key_plain, SEARCH_SEEN, 0, true },
	{ "YOUNGER", key_number, SEARCH_YOUNGER, 1, false },
};

static const char *simple_key(struct parser *p, struct searchkey **k)
{
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strcasecmp(words[i].name, p->word)) continue;
		const char *e = words[i].parse(p, &words[i], k);
		if (e || !words[i].not) return e;
		struct searchkey *not = searchkey_new(p->a->arena, SEARCH_NOT);
		searchkey_add(not, *k);
		*k = not;
		return NULL;
	}
	return bad_criteria;
}

/* ------------------------------------------------------------------------------------------------ nesting */

static bool push(struct parser *p, int kind, enum search_op op)
{
	if (p->depth == SEARCH_DEPTH_MAX) return false;
	p->stack[p->depth++] = (struct frame){ .key = searchkey_new(p->a->arena, op), .kind = kind };
	return true;
}

/* One key, or the beginning of one that nests: then *k stays NULL. */
static const char *next_key(struct parser *p, struct searchkey **k)
{
	char *word;
	int c = args_peek(p->a);
	if (args_char(p->a, '(')) return push(p, FRAME_LIST, SEARCH_AND) ? NULL : bad_criteria;
	if (c == '*' || (c >= '0' && c <= '9')) return set(p, SEARCH_MSGNO, p->c->last_msgno, k);
	if (!args_word(p->a, &word)) return bad_criteria;
	for (char *s = word; *s; s++)
		if (*s >= 'A' && *s <= 'Z') *s |= 32;
	p->word = word;
	bool not = !strcmp(word, "not");
	if (!not && strcmp(word, "or")) return simple_key(p, k);
	if (!args_space(p->a)) return missing(p);
	return push(p, not ? FRAME_NOT : FRAME_OR, not ? SEARCH_NOT : SEARCH_OR) ? NULL : bad_criteria;
}

/* Hands a complete key to those that wait for it. *more: another key must follow. */
static const char *attach(struct parser *p, struct searchkey *k, bool *more)
{
	for (*more = true;;) {
		struct frame *f = &p->stack[p->depth - 1];
		if (searchkey_add(f->key, k)) return bad_criteria;
		switch (f->kind) {
		case FRAME_OR:
			if (!f->half) {
				f->half = true;
				return args_space(p->a) ? NULL : missing(p);
			}
			break;
		case FRAME_NOT:
			break;
		case FRAME_LIST:
			if (args_space(p->a)) return NULL;
			if (!args_char(p->a, ')')) return arena_printf(p->a->arena, "Missing required close paren in %s command", p->c->name);
			break;
		case FRAME_ALL:
			if (args_space(p->a)) return NULL;
			*more = false;
			return args_end(p->a) ? NULL : arena_printf(p->a->arena, "Unexpected extra arguments to %s", p->c->name);
		}
		k = f->key;
		p->depth--;
	}
}

/* "CHARSET name " and "RETURN (...) " may come first. The latter is refused, as by a server that knows none of its options. */
static const char *prefix(struct parser *p, bool *charset)
{
	struct args *a = p->a;
	const char *start = a->p;
	char *word, *name;
	if (!args_word(a, &word) || !args_space(a)) word = NULL;
	if (word && !strcasecmp(word, "RETURN") && args_char(a, '(')) {
		if (!args_word(a, &name)) return bad_criteria;
		for (char *s = name; *s; s++)
			if (*s >= 'A' && *s <= 'Z') *s |= 32;
		return arena_printf(a->arena, "Invalid %s return option %s", p->c->name, name);
	}
	if (!word || strcasecmp(word, "CHARSET")) {
		a->p = start;
		return NULL;
	}
	p->word = "charset";
	if (!args_astring(a, &name)) return missing(p);
	*charset = true;
	if (!charset_find(&p->charset, p->c->dialect, name, strlen(name))) return err_text(ERR_BADCHARSET);
	*charset = false;
	return args_space(a) ? NULL : missing(p);
}

const char *search_parse(struct args *a, const struct search_context *c, struct searchkey **root, bool *charset)
{
	struct parser *p = arena_zalloc(a->arena, sizeof *p);
	const char *e;
	bool more = true;
	p->a = a;
	p->c = c;
	p->word = "";
	*charset = false;
	charset_find(&p->charset, c->dialect, "us-ascii", 8);
	if ((e = prefix(p, charset))) return e;
	push(p, FRAME_ALL, SEARCH_AND);
	*root = p->stack[0].key;
	while (more) {
		struct searchkey *k = NULL;
		if ((e = next_key(p, &k)) || (k && (e = attach(p, k, &more)))) return e;
	}
	return NULL;
}
