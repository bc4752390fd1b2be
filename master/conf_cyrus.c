/* conf_cyrus.c - see conf_cyrus.h. The file is scanned once for each section, as administrators' files came to rely on:
 * order in the file does not matter, and what one section does not understand hides behind its braces. */
#include "master/conf_cyrus.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct scan {                          /* walks the file by physical lines */
	const char *p, *end;
	unsigned line;
	bool cut, nul;                 /* the line goes on in the next; holds a NUL */
	char text[CYRUSCONF_LINE_MAX + 1];
};

struct parse {
	struct cyrusconf *out;
	bool lenient, all;             /* all: go on after an error (cyrusconf_check) */
	unsigned *errors;
	cyrusconf_note_fn *note;
	void *arg;
	struct cyrusconf_error *err;
	struct hash *names;                /* of SERVICES and DAEMON */
};

struct arg {
	const char *key, *value;
};

static const char *const section_names[SECTION_COUNT] = { "START", "SERVICES", "EVENTS", "DAEMON" };

const char *cyrusconf_section_name(enum cyrusconf_section s) { return section_names[s]; }

static bool blank(int c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static bool alnum(int c)               /* ASCII, whatever the locale says */
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static char *skip_blanks(char *p)
{
	while (blank((unsigned char)*p)) p++;
	return p;
}

static void __attribute__((format(printf, 4, 5)))
note(const struct parse *ps, enum cyrusconf_note how, unsigned line, const char *fmt, ...)
{
	if (!ps->note) return;
	char text[256];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	ps->note(ps->arg, how, line, text);
}

static int __attribute__((format(printf, 3, 4))) fail(const struct parse *ps, unsigned line, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(ps->err->text, sizeof ps->err->text, fmt, ap);
	va_end(ap);
	ps->err->line = line;
	++*ps->errors;
	if (ps->all) note(ps, NOTE_ERROR, line, "%s", ps->err->text);
	return ERR_SYNTAX;
}

static void scan_start(struct scan *s, const void *bytes, size_t n)
{
	s->p = bytes;
	s->end = s->p + n;
	s->line = 0;
}

/* The next line without its comment in s->text; false at the end of the file. */
static bool scan_next(struct scan *s)
{
	if (s->p == s->end) return false;
	size_t n = (size_t)(s->end - s->p);
	if (n > CYRUSCONF_LINE_MAX) n = CYRUSCONF_LINE_MAX;
	const char *nl = memchr(s->p, '\n', n);
	if (nl) n = (size_t)(nl - s->p) + 1;
	memcpy(s->text, s->p, n);
	s->text[n] = '\0';
	s->p += n;
	s->cut = !nl && s->p != s->end;
	s->nul = memchr(s->text, '\0', n) != NULL;
	s->line++;
	char *hash = strchr(s->text, '#');         /* inside quotes too */
	if (hash) *hash = '\0';
	return true;
}

static long braces(const char *p)
{
	long depth = 0;
	for (; *p; p++) depth += (*p == '{') - (*p == '}');
	return depth;
}

static bool header_of(const char *p, enum cyrusconf_section want, bool strict)
{
	const char *name = section_names[want];
	size_t n = strlen(name);
	if (strncasecmp(p, name, n) != 0 || alnum((unsigned char)p[n])) return false;
	return !strict || *p == *name;
}

/* Leaves *s behind the header of the section; false when there is none. */
static bool scan_section(struct scan *s, enum cyrusconf_section want)
{
	long depth = 0;
	while (scan_next(s)) {
		const char *p = skip_blanks(s->text);
		bool header = depth == 0 && header_of(p, want, true);
		depth += braces(p);
		if (header && depth == 1) return true;
	}
	return false;
}

static bool warn_header(const struct parse *ps, unsigned line, const char *p, bool seen[])
{
	int i = 0;
	while (i < SECTION_COUNT && !header_of(p, i, false)) i++;
	if (i == SECTION_COUNT) return false;
	if (*p != *section_names[i])
		note(ps, NOTE_WARNING, line, "section %s is ignored: its name must begin with a capital", section_names[i]);
	else if (braces(p) != 1)
		note(ps, NOTE_WARNING, line, "section %s is ignored: one \"{\" must end its first line", section_names[i]);
	else if (seen[i])
		note(ps, NOTE_WARNING, line, "second section %s is ignored", section_names[i]);
	else
		seen[i] = true;
	return true;
}

static void check_outside(const struct parse *ps, unsigned line, const char *p)
{
	if (*p && *p != '{' && *p != '}')
		note(ps, NOTE_WARNING, line, "this is outside of the sections START, SERVICES, EVENTS and DAEMON and is ignored");
}

static void check_behind(const struct parse *ps, unsigned line, const char *p)
{
	const char *brace = strchr(p, '{');
	while (brace && blank((unsigned char)*++brace)) {}
	if (brace && *brace) note(ps, NOTE_WARNING, line, "what is behind the \"{\" is ignored");
}

static void check_line(const struct parse *ps, const struct scan *s)
{
	if (s->cut) note(ps, NOTE_WARNING, s->line, "a line of more than %d bytes is read as two", CYRUSCONF_LINE_MAX);
	if (s->nul) note(ps, NOTE_WARNING, s->line, "what is behind a NUL is ignored");
}

/* Section headers that the scan above passes over, which people think are read. A check also tells what else nobody reads. */
static void warn_ignored(const struct parse *ps, const void *bytes, size_t n)
{
	struct scan *s = mem_alloc(sizeof *s);
	bool seen[SECTION_COUNT] = { false };
	long depth = 0;
	unsigned opened = 0;
	bool lost = false;
	for (scan_start(s, bytes, n); scan_next(s);) {
		const char *p = skip_blanks(s->text);
		long change = braces(p);
		bool header = depth == 0 && warn_header(ps, s->line, p, seen);
		if (ps->all) check_line(ps, s);
		if (ps->all && header && change == 1) check_behind(ps, s->line, p);
		if (ps->all && !header && depth == 0 && !lost) check_outside(ps, s->line, p);
		if (ps->all && depth >= 0 && depth + change < 0 && !lost)
			note(ps, NOTE_WARNING, s->line, "\"}\" without \"{\": sections behind this line are not found");
		if (depth == 0) opened = s->line;
		lost = lost || depth + change < 0;
		depth += change;
	}
	if (depth > 0 && ps->all)
		note(ps, NOTE_WARNING, opened, "the \"{\" of this line is not closed: sections behind it are not found");
	free(s);
}

/* NAME key=value ...; cuts the line into pieces in place. */
static int split_entry(const struct parse *ps, const struct scan *s, char *p, const char **name, struct arg *args, size_t *nargs)
{
	unsigned line = s->line;
	*name = p;
	while (alnum((unsigned char)*p)) p++;
	if (*p && (!blank((unsigned char)*p) || p == *name)) return fail(ps, line, "bad character '%c' in name", *p);
	if (*p) *p++ = '\0';
	for (;;) {
		p = skip_blanks(p);
		if (!*p) return 0;
		if (*nargs == CYRUSCONF_ARGS_MAX) return fail(ps, line, "too many arguments");
		struct arg *a = &args[(*nargs)++];
		a->key = p;
		while (alnum((unsigned char)*p)) p++;
		if (*p != '=') {                   /* an empty key passes, and is unknown */
			if (!*p || *p == '\n' || *p == '\r')
				return fail(ps, line, "missing \"=\" behind \"%.*s\"", (int)(p - a->key), a->key);
			return fail(ps, line, "bad character '%c' in argument", *p);
		}
		*p++ = '\0';
		if (*p == '"') {
			a->value = ++p;
			p = strchr(p, '"');
			if (!p) return fail(ps, line, "missing \"");
			*p++ = '\0';
		} else {
			a->value = p;
			while (*p && !blank((unsigned char)*p)) p++;
			if (*p) *p++ = '\0';
		}
	}
}

static int to_int(const struct parse *ps, unsigned line, const struct arg *a, int otherwise)
{
	const char *v = a->value;
	bool minus = *v == '-';
	if (minus) v++;
	if (*v < '0' || *v > '9') {
		note(ps, NOTE_DEBUG, line, "%.64s=%.64s is no number", a->key, a->value);
		return otherwise;
	}
	long n = 0;
	for (; *v >= '0' && *v <= '9'; v++)
		if ((n = n * 10 + (*v - '0')) > CYRUSCONF_INT_MAX) n = CYRUSCONF_INT_MAX;
	if (minus) n = -n;
	if (*v || n == CYRUSCONF_INT_MAX || -n == CYRUSCONF_INT_MAX)
		note(ps, NOTE_DEBUG, line, "%.64s=%.64s is read as %ld", a->key, a->value, n);
	return (int)n;
}

static bool to_switch(const struct parse *ps, unsigned line, const struct arg *a, bool otherwise)
{
	const char *v = a->value;
	int c = tolower((unsigned char)*v), d = c ? tolower((unsigned char)v[1]) : 0;
	if (c == '0' || c == 'n' || c == 'f' || (c == 'o' && d == 'f')) return false;
	if (c == '1' || c == 'y' || c == 't' || (c == 'o' && d == 'n')) return true;
	note(ps, NOTE_DEBUG, line, "%.64s=%.64s is no switch", a->key, a->value);
	return otherwise;
}

static int to_at(const struct parse *ps, unsigned line, const struct arg *a)
{
	int v = *a->value >= '0' && *a->value <= '9' ? to_int(ps, line, a, -1) : -1;
	if (v >= 0 && v / 100 <= 23 && v % 100 <= 59) return v / 100 * 60 + v % 100;
	if (ps->all) fail(ps, line, "at=%.64s is no time of the day", a->value);       /* the entry would run at another time */
	else note(ps, NOTE_WARNING, line, "at=%.64s is no time of the day and is ignored", a->value);
	return -1;
}

#define IN(s) (1u << SECTION_##s)
enum key { KEY_CMD, KEY_LISTEN, KEY_PROTO, KEY_PREFORK, KEY_MAXCHILD, KEY_BABYSIT, KEY_MAXFORKRATE, KEY_MAXFDS, KEY_PERIOD,
	KEY_AT, KEY_CRON, KEY_WAIT, KEY_COUNT };
static const struct {
	const char *name;
	unsigned sections;
} keys[KEY_COUNT] = {
	[KEY_CMD] = { "cmd", IN(START) | IN(SERVICES) | IN(EVENTS) | IN(DAEMON) },
	[KEY_LISTEN] = { "listen", IN(SERVICES) },
	[KEY_PROTO] = { "proto", IN(SERVICES) },
	[KEY_PREFORK] = { "prefork", IN(SERVICES) },
	[KEY_MAXCHILD] = { "maxchild", IN(SERVICES) },
	[KEY_BABYSIT] = { "babysit", IN(SERVICES) },
	[KEY_MAXFORKRATE] = { "maxforkrate", IN(SERVICES) | IN(DAEMON) },
	[KEY_MAXFDS] = { "maxfds", IN(SERVICES) | IN(DAEMON) },
	[KEY_PERIOD] = { "period", IN(EVENTS) },
	[KEY_AT] = { "at", IN(EVENTS) },
	[KEY_CRON] = { "cron", IN(EVENTS) },
	[KEY_WAIT] = { "wait", IN(DAEMON) },
};

static void set_string(char **to, const char *value)
{
	free(*to);
	*to = mem_strdup(value);
}

static void apply(const struct parse *ps, struct cyrusconf_entry *e, enum key k, const struct arg *a)
{
	switch (k) {
	case KEY_CMD: strarray_split(&e->argv, a->value, " \t\r\n"); break;
	case KEY_LISTEN: set_string(&e->listen, a->value); break;
	case KEY_PROTO: set_string(&e->proto, a->value); break;
	case KEY_PREFORK: e->prefork = to_int(ps, e->line, a, 0); break;
	case KEY_MAXCHILD: e->maxchild = to_int(ps, e->line, a, -1); break;
	case KEY_BABYSIT: e->babysit = to_switch(ps, e->line, a, false); break;
	case KEY_MAXFORKRATE: e->maxforkrate = to_int(ps, e->line, a, 0); break;
	case KEY_MAXFDS: e->maxfds = to_int(ps, e->line, a, 0); break;
	case KEY_PERIOD: e->period = to_int(ps, e->line, a, 0); break;
	case KEY_AT: e->at = to_at(ps, e->line, a); break;
	case KEY_CRON: set_string(&e->cron, a->value); break;
	case KEY_WAIT: e->wait = to_switch(ps, e->line, a, false); break;
	case KEY_COUNT: break;
	}
}

static void read_args(const struct parse *ps, struct cyrusconf_entry *e, const struct arg *args, size_t n)
{
	bool seen[KEY_COUNT] = { false };
	for (size_t i = 0; i < n; i++) {
		int k = 0;
		while (k < KEY_COUNT && strcmp(args[i].key, keys[k].name) != 0) k++;
		if (k == KEY_COUNT)
			note(ps, NOTE_DEBUG, e->line, "unknown key %.64s is ignored", args[i].key);
		else if (!(keys[k].sections & 1u << e->section))
			note(ps, NOTE_DEBUG, e->line, "key %s means nothing in %s and is ignored", keys[k].name, section_names[e->section]);
		else if (seen[k])
			note(ps, NOTE_DEBUG, e->line, "key %s is here before: this one is ignored", keys[k].name);
		else {
			seen[k] = true;
			apply(ps, e, k, &args[i]);
		}
	}
}

static void entry_free(struct cyrusconf_entry *e)
{
	free(e->name);
	strarray_free(&e->argv);
	free(e->listen);
	free(e->proto);
	free(e->cron);
}

enum fault { FAULT_CMD, FAULT_LISTEN, FAULT_NAME, FAULT_COUNT };
static const char *const fault_text[] = { "no cmd", "no listen address", "name used before" };

static bool named(const struct cyrusconf_entry *e) { return e->section == SECTION_SERVICES || e->section == SECTION_DAEMON; }

static bool has_fault(const struct parse *ps, const struct cyrusconf_entry *e, enum fault f)
{
	switch (f) {
	case FAULT_CMD: return !e->argv.n;
	case FAULT_LISTEN: return e->section == SECTION_SERVICES && (!e->listen || !*e->listen);
	case FAULT_NAME: return named(e) && hash_gets(ps->names, e->name);
	case FAULT_COUNT: break;
	}
	return false;
}

/* 0 when it may be kept. Only a check looks for more than the first fault, and keeps what it can. */
static int judge(const struct parse *ps, const struct cyrusconf_entry *e)
{
	for (int i = 0; i < FAULT_COUNT; i++) {
		if (!has_fault(ps, e, i)) continue;
		if (!ps->lenient) fail(ps, e->line, "%s entry %.64s: %s", section_names[e->section], e->name, fault_text[i]);
		else note(ps, NOTE_WARNING, e->line, "%s entry %.64s is left out: %s", section_names[e->section], e->name, fault_text[i]);
		if (!ps->all) return ERR_SYNTAX;
	}
	return 0;
}

static int read_entry(const struct parse *ps, const struct scan *s, char *p, enum cyrusconf_section section)
{
	struct arg args[CYRUSCONF_ARGS_MAX];
	const char *name;
	size_t nargs = 0;
	int r = split_entry(ps, s, p, &name, args, &nargs);
	if (r) return r;
	struct cyrusconf_entry e = { .section = section, .line = s->line, .name = mem_strdup(name), .argv = STRARRAY_INIT,
		.proto = mem_strdup("tcp"), .maxchild = -1, .at = -1 };
	read_args(ps, &e, args, nargs);
	r = judge(ps, &e);
	if (r) {
		entry_free(&e);
		return ps->lenient ? 0 : r;
	}
	if (named(&e)) hash_puts(ps->names, e.name, ps->out);
	MEM_GROW(ps->out->entries, ps->out->alloc, ps->out->n + 1);
	ps->out->entries[ps->out->n++] = e;
	return 0;
}

static int read_section(const struct parse *ps, struct scan *s, enum cyrusconf_section section)
{
	while (scan_next(s)) {
		char *p = skip_blanks(s->text);
		if (*p == '}') return 0;
		int r = *p ? read_entry(ps, s, p, section) : 0;
		if (r && !ps->all) return r;
	}
	return 0;
}

static int read_file(struct parse *ps, const void *bytes, size_t n)
{
	struct scan *s = mem_alloc(sizeof *s);
	int r = 0;
	ps->names = hash_new();
	*ps->out = (struct cyrusconf)CYRUSCONF_INIT;
	for (int i = 0; i < SECTION_COUNT && !r; i++) {
		scan_start(s, n ? bytes : "", n);
		if (scan_section(s, i)) r = read_section(ps, s, i);
	}
	if (!r) warn_ignored(ps, n ? bytes : "", n);
	free(s);
	hash_free(ps->names, NULL);
	return r;
}

int cyrusconf_parse(struct cyrusconf *out, const void *bytes, size_t n, bool lenient, cyrusconf_note_fn *fn, void *arg,
	struct cyrusconf_error *err)
{
	struct cyrusconf_error ignored;
	unsigned errors = 0;
	struct parse ps = { .out = out, .lenient = lenient, .note = fn, .arg = arg, .err = err ? err : &ignored, .errors = &errors };
	int r = read_file(&ps, bytes, n);
	if (r) cyrusconf_free(out);
	return r;
}

unsigned cyrusconf_check(struct cyrusconf *out, const void *bytes, size_t n, cyrusconf_note_fn *fn, void *arg)
{
	struct cyrusconf_error last;
	unsigned errors = 0;
	struct parse ps = { .out = out, .all = true, .note = fn, .arg = arg, .err = &last, .errors = &errors };
	read_file(&ps, bytes, n);
	return errors;
}

void cyrusconf_free(struct cyrusconf *c)
{
	for (size_t i = 0; i < c->n; i++) entry_free(&c->entries[i]);
	free(c->entries);
	*c = (struct cyrusconf)CYRUSCONF_INIT;
}
