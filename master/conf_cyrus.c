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
	char text[CYRUSCONF_LINE_MAX + 1];
};

struct parse {
	struct cyrusconf *out;
	bool lenient;
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

/* Section headers that the scan above passes over, which people think are read. */
static void warn_ignored(const struct parse *ps, const void *bytes, size_t n)
{
	struct scan *s = mem_alloc(sizeof *s);
	bool seen[SECTION_COUNT] = { false };
	long depth = 0;
	for (scan_start(s, bytes, n); scan_next(s);) {
		const char *p = skip_blanks(s->text);
		long change = braces(p);
		for (int i = 0; depth == 0 && i < SECTION_COUNT; i++) {
			if (!header_of(p, i, false)) continue;
			if (*p != *section_names[i])
				note(ps, NOTE_WARNING, s->line, "section %s is ignored: its name must begin with a capital", section_names[i]);
			else if (change != 1)
				note(ps, NOTE_WARNING, s->line, "section %s is ignored: one \"{\" must end its first line", section_names[i]);
			else if (seen[i])
				note(ps, NOTE_WARNING, s->line, "second section %s is ignored", section_names[i]);
			else
				seen[i] = true;
		}
		depth += change;
	}
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
			if (!*p) return fail(ps, line, "missing \"=\" behind \"%.64s\"", a->key);
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
	return (int)(minus ? -n : n);
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
	int v = to_int(ps, line, a, -1);
	if (v >= 0 && v / 100 <= 23 && v % 100 <= 59) return v / 100 * 60 + v % 100;
	note(ps, NOTE_WARNING, line, "at=%.64s is no time of the day and is ignored", a->value);
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
		if (k == KEY_COUNT || !(keys[k].sections & 1u << e->section))
			note(ps, NOTE_DEBUG, e->line, "unknown key %.64s is ignored", args[i].key);
		else if (!seen[k]) {                 /* the first of duplicates wins */
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

static const char *entry_fault(const struct parse *ps, const struct cyrusconf_entry *e)
{
	bool named = e->section == SECTION_SERVICES || e->section == SECTION_DAEMON;
	if (!e->argv.n) return "no cmd";
	if (e->section == SECTION_SERVICES && (!e->listen || !*e->listen)) return "no listen address";
	if (named && hash_gets(ps->names, e->name)) return "name used before";
	return NULL;
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
	const char *fault = entry_fault(ps, &e);
	if (fault) {
		if (ps->lenient) note(ps, NOTE_WARNING, e.line, "%s entry %.64s is left out: %s", section_names[section], e.name, fault);
		else r = fail(ps, e.line, "%s entry %.64s: %s", section_names[section], e.name, fault);
		entry_free(&e);
		return r;
	}
	if (section == SECTION_SERVICES || section == SECTION_DAEMON) hash_puts(ps->names, e.name, ps->out);
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
		if (r) return r;
	}
	return 0;
}

int cyrusconf_parse(struct cyrusconf *out, const void *bytes, size_t n, bool lenient, cyrusconf_note_fn *fn, void *arg,
	struct cyrusconf_error *err)
{
	struct cyrusconf_error ignored;
	struct parse ps = { out, lenient, fn, arg, err ? err : &ignored, hash_new() };
	struct scan *s = mem_alloc(sizeof *s);
	int r = 0;
	*out = (struct cyrusconf)CYRUSCONF_INIT;
	for (int i = 0; i < SECTION_COUNT && !r; i++) {
		scan_start(s, n ? bytes : "", n);
		if (scan_section(s, i)) r = read_section(&ps, s, i);
	}
	if (!r) warn_ignored(&ps, n ? bytes : "", n);
	else cyrusconf_free(out);
	free(s);
	hash_free(ps.names, NULL);
	return r;
}

void cyrusconf_free(struct cyrusconf *c)
{
	for (size_t i = 0; i < c->n; i++) entry_free(&c->entries[i]);
	free(c->entries);
	*c = (struct cyrusconf)CYRUSCONF_INIT;
}
