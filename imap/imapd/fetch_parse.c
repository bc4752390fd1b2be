/* fetch_parse.c - the arguments of FETCH; see fetch.h. Pure: bytes in, a request or the text of a refusal out. */
#include "imapd/fetch.h"
#include "base/num.h"

#include <string.h>
#include <strings.h>

struct parser {
	struct args *a;
	const char *name;
	struct fetch_request *q;
};

static const char *missing(struct parser *p)
{
	return arena_printf(p->a->arena, "Missing required argument to %s", p->name);
}

static const char *unclosed(struct parser *p)
{
	return arena_printf(p->a->arena, "Missing close parenthesis in %s", p->name);
}

static void upper(char *s)
{
	for (; *s; s++)
		if (*s >= 'a' && *s <= 'z') *s &= ~32;
}

static void append(struct fetch_sections *list, struct fetch_section *sec)
{
	*list->last = sec;
	list->last = &sec->next;
}

/* ------------------------------------------------------------------------------------------------ header fields */

static bool field_name_ok(const char *s)
{
	for (const char *p = s; *p; p++)
		if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f || *p == ':') return false;
	return *s;
}

static void label_field(struct buf *b, const char *s)
{
	if (!strpbrk(s, "(){%*\"\\]")) {
		buf_puts(b, s);
		return;
	}
	buf_putc(b, '"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\') buf_putc(b, '\\');
		buf_putc(b, *s);
	}
	buf_putc(b, '"');
}

static void free_names(void *names) { headernames_free(names); }

/* "(From To)" behind its space, as astrings; `]` ends none of them. what: for the message. */
static const char *field_list(struct parser *p, const char *what, struct fetch_section *sec, struct buf *label)
{
	struct args *a = p->a;
	size_t alloc = 0;
	const char *refused = arena_printf(a->arena, "Invalid field-name in %s %s", p->name, what);
	if (!args_char(a, '(')) return arena_printf(a->arena, "Missing required open parenthesis in %s", p->name);
	buf_putc(label, '(');
	do {
		char *name;
		if (!args_astring(a, &name) || !field_name_ok(name)) return refused;
		if (sec->nfields == alloc) {
			char **more = arena_alloc(a->arena, (alloc = alloc ? 2 * alloc : 8) * sizeof *more);
			if (sec->nfields) memcpy(more, sec->fields, sec->nfields * sizeof *more);
			sec->fields = more;
		}
		if (sec->nfields) buf_putc(label, ' ');
		label_field(label, name);
		sec->fields[sec->nfields++] = name;
	} while (args_space(a));
	if (!args_char(a, ')')) return unclosed(p);
	buf_putc(label, ')');
	sec->names = headernames_new((const char *const *)sec->fields, sec->nfields);
	arena_on_free(a->arena, free_names, sec->names);
	return NULL;
}

/* ------------------------------------------------------------------------------------------------ BODY[section]<partial> */

static const char bad_section[] = "Invalid body section", bad_partial[] = "Invalid body partial";

static bool digit(int c) { return c >= '0' && c <= '9'; }

/* "1.2." or "1.2": the numbers; *dot: a dot is what came last. */
static bool part_path(struct args *a, struct fetch_section *sec, bool *dot)
{
	size_t alloc = 0;
	*dot = true;
	while (*dot && digit(args_peek(a))) {
		uint64_t v;
		if (!args_number(a, &v) || v > UINT32_MAX) return false;
		if (sec->npath == alloc) {
			uint32_t *more = arena_alloc(a->arena, (alloc = alloc ? 2 * alloc : 8) * sizeof *more);
			if (sec->npath) memcpy(more, sec->path, sec->npath * sizeof *more);
			sec->path = more;
		}
		sec->path[sec->npath++] = (uint32_t)v;
		*dot = args_char(a, '.');
	}
	return true;
}

/* What may follow the numbers. */
static const char *part_text(struct parser *p, struct fetch_section *sec, struct buf *label)
{
	char *word;
	if (!args_word(p->a, &word)) return bad_section;
	upper(word);
	bool fields = !strcmp(word, "HEADER.FIELDS");
	sec->not = !strcmp(word, "HEADER.FIELDS.NOT");
	if (fields || sec->not || !strcmp(word, "HEADER")) sec->what = SECTION_HEADER;
	else if (!strcmp(word, "TEXT")) sec->what = SECTION_TEXT;
	else if (!strcmp(word, "MIME") && sec->npath) sec->what = SECTION_MIME;
	else return bad_section;
	buf_puts(label, word);
	if (!fields && !sec->not) return NULL;
	if (!args_space(p->a)) return bad_section;
	buf_putc(label, ' ');
	return field_list(p, arena_printf(p->a->arena, "BODY[%s", word), sec, label);
}

static const char *partial(struct args *a, struct fetch_section *sec)
{
	if (!args_char(a, '<')) return NULL;
	if (!args_number(a, &sec->start) || !args_char(a, '.') || !args_number(a, &sec->count) || !sec->count || !args_char(a, '>'))
		return bad_partial;
	sec->partial = true;
	return NULL;
}

static bool item_ends(const struct args *a)
{
	int c = args_peek(a);
	return c < 0 || c == ' ' || c == ')';
}

static const char *section_into(struct parser *p, struct fetch_section *sec, struct buf *label)
{
	struct args *a = p->a;
	const char *from = a->p, *e;
	bool dot;
	if (!part_path(a, sec, &dot)) return bad_section;
	buf_append(label, from, (size_t)(a->p - from));
	sec->what = SECTION_PART;
	sec->whole = !sec->npath && args_peek(a) == ']';
	if (args_peek(a) != ']') {
		if (!dot) return bad_section;
		if ((e = part_text(p, sec, label))) return e;
	}
	if (!args_char(a, ']')) return bad_section;
	buf_putc(label, ']');
	if ((e = partial(a, sec))) return e;
	if (sec->partial) buf_printf(label, "<%llu>", (unsigned long long)sec->start);
	return item_ends(a) ? NULL : "Junk after body section";
}

static const char *section(struct parser *p)
{
	struct fetch_section *sec = arena_zalloc(p->a->arena, sizeof *sec);
	struct buf label = BUF_INIT;
	buf_puts(&label, "BODY[");
	const char *e = section_into(p, sec, &label);
	sec->label = arena_dup(p->a->arena, label.s, label.len);
	buf_free(&label);
	if (!e) append(sec->fields ? &p->q->fields : &p->q->sections, sec);
	return e;
}

static const char *header_lines(struct parser *p, const char *word, bool not)
{
	struct fetch_section *sec = arena_zalloc(p->a->arena, sizeof *sec);
	struct buf label = BUF_INIT;
	if (!args_space(p->a)) return missing(p);
	sec->label = "RFC822.HEADER";
	sec->what = SECTION_HEADER;
	sec->not = not;
	const char *e = field_list(p, word, sec, &label);
	buf_free(&label);
	if (!e) append(&p->q->lines, sec);
	return e;
}

/* ------------------------------------------------------------------------------------------------ items and modifiers */

static const struct { const char *word; unsigned items; } items[] = {
	{ "ALL", FETCH_ALL }, { "FAST", FETCH_FAST }, { "FULL", FETCH_FULL },
	{ "BODY", FETCH_BODY }, { "BODYSTRUCTURE", FETCH_BODYSTRUCTURE }, { "ENVELOPE", FETCH_ENVELOPE }, { "FLAGS", FETCH_FLAGS },
	{ "INTERNALDATE", FETCH_INTERNALDATE }, { "MODSEQ", FETCH_MODSEQ }, { "UID", FETCH_UID }, { "RFC822.SIZE", FETCH_SIZE },
	{ "RFC822", FETCH_RFC822 | FETCH_SEEN }, { "RFC822.PEEK", FETCH_RFC822 },
	{ "RFC822.TEXT", FETCH_TEXT | FETCH_SEEN }, { "RFC822.TEXT.PEEK", FETCH_TEXT }, { "RFC822.HEADER", FETCH_HEADER },
};

static const char *item(struct parser *p)
{
	char *word;
	if (!args_word(p->a, &word)) return missing(p);
	upper(word);
	if (args_peek(p->a) == '[') {
		bool peek = !strcmp(word, "BODY.PEEK");
		if (peek || !strcmp(word, "BODY")) {
			args_char(p->a, '[');
			if (!peek) p->q->items |= FETCH_SEEN;
			return section(p);
		}
	} else {
		if (!strcmp(word, "RFC822.HEADER.LINES")) return header_lines(p, word, false);
		if (!strcmp(word, "RFC822.HEADER.LINES.NOT")) return header_lines(p, word, true);
		for (size_t i = 0; i < sizeof items / sizeof *items; i++)
			if (!strcmp(items[i].word, word)) {
				p->q->items |= items[i].items;
				return NULL;
			}
	}
	return arena_printf(p->a->arena, "Invalid %s attribute %s", p->name, word);
}

static const char *modifier(struct parser *p)
{
	char *word;
	if (!args_word(p->a, &word)) return missing(p);
	upper(word);
	if (strcmp(word, "CHANGEDSINCE")) return arena_printf(p->a->arena, "Invalid %s modifier %s", p->name, word);
	if (!args_space(p->a) || !args_number(p->a, &p->q->changedsince))
		return arena_printf(p->a->arena, "Missing required argument to %s %s", p->name, word);
	p->q->limited = true;
	p->q->items |= FETCH_MODSEQ;
	return NULL;
}

static const char *modifiers(struct parser *p)
{
	const char *e;
	if (!args_space(p->a)) return NULL;
	if (!args_char(p->a, '(')) return arena_printf(p->a->arena, "Missing required open parenthesis in %s modifiers", p->name);
	do {
		if ((e = modifier(p))) return e;
	} while (args_space(p->a));
	return args_char(p->a, ')') ? NULL : unclosed(p);
}

const char *fetch_parse(struct args *a, const char *name, struct fetch_request *q)
{
	struct parser p = { a, name, q };
	const char *e;
	*q = (struct fetch_request){ 0 };
	q->lines.last = &q->lines.first;
	q->fields.last = &q->fields.first;
	q->sections.last = &q->sections.first;
	bool list = args_char(a, '(');
	do {
		if ((e = item(&p))) return e;
	} while (list && args_space(a));
	if (list && !args_char(a, ')')) return unclosed(&p);
	if ((e = modifiers(&p))) return e;
	return args_end(a) ? NULL : arena_printf(a->arena, "Unexpected extra arguments to %s", name);
}
