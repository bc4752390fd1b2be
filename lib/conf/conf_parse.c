/* conf_parse.c - the grammar of imapd.conf (spec/config.md 1): logical lines, @include, names, the two specificities. Values are
 * only collected here; conf.c gives them their types when the whole file is known. */
#include "conf/conf_priv.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "sys/file.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONF_FILE_MAX (64u << 20)        /* far above any real file; bounds memory only */
#define CONF_INCLUDE_MAX 64              /* files below files; bounds the stack */

struct parse {
	struct conf *c;
	struct conf_report *report;
	unsigned file;                   /* index into c->files of the one that is being read */
	int depth;
};

/* Each logical line of *text: joined at backslash-newline. A file that ends inside a continuation loses that line: it is
 * left in *line, and false comes back. */
static bool next_line(const struct buf *text, size_t *at, struct buf *line, int *lineno)
{
	buf_reset(line);
	while (*at < text->len) {
		const char *start = text->s + *at, *nl = memchr(start, '\n', text->len - *at);
		size_t n = nl ? (size_t)(nl - start) : text->len - *at;
		*at += n + (nl ? 1 : 0);
		++*lineno;
		bool more = nl && n && start[n - 1] == '\\';
		buf_append(line, start, more ? n - 1 : n);
		if (!more) return true;
	}
	return false;
}

static bool name_byte(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static int twice(struct parse *p, const char *name, int lineno)
{
	return conf_fail(p->report, "option '%.200s' was specified twice in config file (second occurrence on line %d)", name,
		lineno);
}

static bool has_service_prefix(const struct conf *c, const char *name)
{
	size_t n = strlen(c->ident);
	return n && !strncasecmp(name, c->ident, n) && name[n] == '_' && name[n + 1];
}

static int bad_value(struct parse *p, const struct conf_row *row, enum conf_bad bad, const char *value, int lineno)
{
	switch (bad) {
	case CONF_GOOD: break;
	case CONF_BAD_INT: return conf_fail(p->report, "non-integer value for %s in line %d", row->name, lineno);
	case CONF_BAD_BOOL: return conf_fail(p->report, "non-switch value for %s in line %d", row->name, lineno);
	case CONF_BAD_WORD: return conf_fail(p->report, "invalid value '%.200s' for %s in line %d", value, row->name, lineno);
	case CONF_BAD_DUR: return conf_fail(p->report, "unparsable duration '%.200s' for %s in line %d", value, row->name, lineno);
	case CONF_BAD_BYTES: return conf_fail(p->report, "unparsable byte size '%.200s' for %s in line %d", value, row->name, lineno);
	}
	return 0;
}

static int put_known(struct parse *p, int opt, const char *name, const char *value, bool specific, int lineno)
{
	struct conf_value *v = &p->c->set[opt];
	if (v->text && v->specific == specific) return twice(p, name, lineno);
	if (v->text && v->specific) return 0;        /* the one for this service stays */
	int64_t num;
	char *bad_word;
	const struct conf_row *row = conf_row((enum conf_opt)opt);
	enum conf_bad bad = conf_type_parse(row, value, &num, &bad_word);
	int rc = bad ? bad_value(p, row, bad, bad == CONF_BAD_WORD ? bad_word : value, lineno) : 0;
	free(bad_word);
	if (bad) return rc;
	free(v->text);
	*v = (struct conf_value){ .text = mem_strdup(value), .num = num, .specific = specific, .file = p->file,
		.line = (unsigned)lineno };
	return 0;
}

static int put_unknown(struct parse *p, const char *name, const char *value, int lineno)
{
	struct conf *c = p->c;
	if (hash_gets(c->overflow, name)) return twice(p, name, lineno);
	struct conf_key *k = mem_alloc(sizeof *k);
	k->key = mem_strdup(name);
	k->value = mem_strdup(value);
	k->file = p->file;
	k->line = (unsigned)lineno;
	MEM_GROW(c->keys, c->keys_alloc, c->nkeys + 1);
	c->keys[c->nkeys++] = k;
	hash_puts(c->overflow, name, k);
	return 0;
}

static int put(struct parse *p, const char *name, const char *value, int lineno)
{
	int opt = conf_find(name);
	if (opt >= 0) return put_known(p, opt, name, value, false, lineno);
	if (has_service_prefix(p->c, name)) {
		opt = conf_find(name + strlen(p->c->ident) + 1);
		if (opt >= 0) return put_known(p, opt, name, value, true, lineno);
	}
	return put_unknown(p, name, value, lineno);
}

static int parse_file(struct parse *p, const char *path);

static int parse_line(struct parse *p, const char *path, const char *s, size_t n, int lineno)
{
	while (n && isspace((unsigned char)*s)) s++, n--;
	while (n && isspace((unsigned char)s[n - 1])) n--;
	if (!n || *s == '#') return 0;
	bool directive = *s == '@';
	size_t len = directive ? 1 : 0;
	while (len < n && name_byte((unsigned char)s[len])) len++;
	if (len == n || s[len] != ':' || len == (directive ? 1u : 0u))
		return conf_fail(p->report, "%s on line %d of configuration file %s",
			directive ? "invalid directive" : "invalid option name", lineno, path);
	char *name = mem_dup(s, len);
	for (char *q = name; *q; q++) *q = (char)tolower((unsigned char)*q);
	s += len + 1, n -= len + 1;
	while (n && isspace((unsigned char)*s)) s++, n--;
	char *value = mem_dup(s, n);
	int rc;
	if (directive && strcmp(name, "@include"))
		rc = conf_fail(p->report, "invalid directive on line %d of configuration file %s", lineno, path);
	else if (!*value) rc = conf_fail(p->report, "empty option value on line %d of configuration file", lineno);
	else rc = directive ? parse_file(p, value) : put(p, name, value, lineno);
	free(name);
	free(value);
	return rc;
}

/* $CYRUS_PREFIX in front of the name is tried first. Returns the name that was read; the caller frees. */
static char *read_file(const char *path, struct buf *text)
{
	const char *prefix = getenv("CYRUS_PREFIX");
	if (prefix && *prefix) {
		char *full = mem_printf("%s%s", prefix, path);
		if (!file_read(full, CONF_FILE_MAX, text)) return full;
		free(full);
		buf_reset(text);
	}
	return file_read(path, CONF_FILE_MAX, text) ? NULL : mem_strdup(path);
}

static int parse_text(struct parse *p, const char *path, const struct buf *text)
{
	struct buf line = BUF_INIT;
	size_t at = 0;
	int lineno = 0, rc = 0;
	while (!rc && next_line(text, &at, &line, &lineno)) {
		p->report->line = (unsigned)lineno;
		rc = parse_line(p, path, line.s, line.len, lineno);
	}
	if (!rc && line.len && p->report->fn) {
		p->report->line = (unsigned)lineno;
		conf_warn(p->report, "the file ends inside a continued line, which is lost");
	}
	buf_free(&line);
	return rc;
}

static int parse_file(struct parse *p, const char *path)
{
	struct buf text = BUF_INIT;
	struct strarray *files = &p->c->files;
	char *name = read_file(path, &text);
	int rc;
	if (!name) rc = conf_fail(p->report, "can't open configuration file %s: %s", path, strerror(errno));
	else if (strarray_find(files, name) >= 0 || p->depth >= CONF_INCLUDE_MAX)
		rc = conf_fail(p->report, "configuration file %s included twice", path);
	else {
		unsigned file = p->file, line = p->report->line;
		strarray_append(files, name);
		p->file = (unsigned)files->n - 1;
		p->report->file = files->v[p->file];
		p->depth++;
		rc = parse_text(p, name, &text);
		p->depth--;
		p->file = file;
		p->report->file = files->v[file];
		p->report->line = line;
	}
	if (!rc && !p->depth) p->c->path = mem_strdup(name ? name : path);
	free(name);
	buf_free(&text);
	return rc;
}

int conf_parse(struct conf *c, const char *path, struct conf_report *r)
{
	struct parse p = { .c = c, .report = r };
	r->file = path;
	r->line = 0;
	int rc = parse_file(&p, path);
	r->file = c->path ? c->path : path;
	r->line = 0;
	return rc;
}
