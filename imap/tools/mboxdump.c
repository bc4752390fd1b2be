/* mboxdump.c - see mboxdump.h. */
#include "tools/mboxdump.h"
#include "base/mem.h"
#include "base/num.h"
#include "tools/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The decimal type word of 2.5's list, and the letters of 3.6 (spec/databases.md 4.1, 4.4). */
static const struct { unsigned bit, flag; char type; } bits[] = {
	{ 1, MBENTRY_REMOTE, 0 }, { 2, MBENTRY_RESERVED, 0 }, { 4, 0, 'n' }, { 8, MBENTRY_MOVING, 0 }, { 16, MBENTRY_DELETED, 0 },
	{ 32, 0, 'c' }, { 64, 0, 'a' }, { 128, 0, 'b' }, { 256, MBENTRY_INTERMEDIATE, 0 }, { 512, 0, 's' }, { 1024, 0, 'p' },
};
static const struct { char letter; unsigned flag; } letters[] = {
	{ 'd', MBENTRY_DELETED }, { 'm', MBENTRY_MOVING }, { 'r', MBENTRY_REMOTE }, { 'z', MBENTRY_RESERVED },
	{ 'i', MBENTRY_INTERMEDIATE },
	{ 'l', MBENTRY_LEGACYDIRS },
};
#define COUNT(a) (sizeof (a) / sizeof *(a))
enum { PARTITION_MAX = 64 };
#define MADE_OF_25 ", \"layout\": \"2.5\""

/* ------------------------------------------------------------------------------------------------ out */

void mboxdump_line(const struct mbentry *e, struct buf *b)
{
	unsigned type = 0;
	for (size_t i = 0; i < COUNT(bits); i++)
		if ((bits[i].flag && e->flags & bits[i].flag) || (bits[i].type && bits[i].type == e->type)) type |= bits[i].bit;
	buf_printf(b, "%s\t%u ", e->name, type);
	if (e->server) buf_printf(b, "%s!", e->server);
	buf_printf(b, "%s %s\n", e->partition ? e->partition : e->server ? "" : "(null)", e->acl);
}

static void member(struct buf *b, const char *key, const char *value)
{
	buf_puts(b, ", ");
	json_quote(b, key);
	buf_puts(b, ": ");
	json_quote(b, value);
}

static void number(struct buf *b, const char *key, uint64_t v)
{
	char text[24];
	snprintf(text, sizeof text, "%llu", (unsigned long long)v);
	member(b, key, text);
}

static void acl_object(struct buf *b, const char *acl)
{
	const char *sep = "";
	buf_putc(b, '{');
	for (const char *p = acl; p && *p;) {
		const char *tab = strchr(p, '\t'), *end = tab ? strchr(tab + 1, '\t') : NULL;
		if (!tab) break;
		char *id = mem_dup(p, (size_t)(tab - p)), *rights = mem_dup(tab + 1, end ? (size_t)(end - tab - 1) : strlen(tab + 1));
		buf_puts(b, sep);
		json_quote(b, id);
		buf_puts(b, ": ");
		json_quote(b, rights);
		free(id);
		free(rights);
		sep = ", ";
		p = end ? end + 1 : NULL;
	}
	buf_putc(b, '}');
}

static void type_letters(char type, unsigned flags, char out[16])
{
	size_t n = 0;
	out[n++] = type ? type : 'e';
	for (size_t i = 0; i < COUNT(letters); i++)
		if (flags & letters[i].flag) out[n++] = letters[i].letter;
	out[n] = 0;
}

static void former_names(const struct mbentry *e, const struct namespace *ns, struct buf *b)
{
	buf_puts(b, ", \"name_history\": [");
	for (size_t i = 0; i < e->nhistory; i++) {
		const struct mbformer *f = &e->history[i];
		struct mbname n;
		char type[16], *name;
		if (mbname_from_dbname(&n, f->dbname, strlen(f->dbname), ns)) continue;
		name = mbname_internal(&n, ns);
		type_letters(f->type, f->flags, type);
		buf_puts(b, i ? ", {\"name\": " : "{\"name\": ");
		json_quote(b, name);
		number(b, "mtime", (uint64_t)f->mtime);
		number(b, "uidvalidity", f->uidvalidity);
		number(b, "createdmodseq", f->createdmodseq);
		number(b, "foldermodseq", f->foldermodseq);
		member(b, "mbtype", type);
		if (f->partition) member(b, "partition", f->partition);
		buf_putc(b, '}');
		free(name);
		mbname_free(&n);
	}
	buf_putc(b, ']');
}

void mboxdump_json(const struct mbentry *e, enum conf_level level, const struct namespace *ns, struct buf *b)
{
	char type[16];
	type_letters(e->type, e->flags, type);
	json_quote(b, e->name);
	buf_puts(b, ": {\"name\": ");
	json_quote(b, e->name);
	number(b, "mtime", (uint64_t)e->mtime);
	number(b, "uidvalidity", e->uidvalidity);
	number(b, "createdmodseq", e->createdmodseq);
	number(b, "foldermodseq", e->foldermodseq);
	member(b, "mbtype", type);
	if (e->partition) member(b, "partition", e->partition);
	if (e->server) member(b, "server", e->server);
	buf_puts(b, ", \"acl\": ");
	acl_object(b, e->acl);
	if (e->uniqueid) member(b, "uniqueid", e->uniqueid);
	former_names(e, ns, b);
	if (level == LEVEL_25) buf_puts(b, MADE_OF_25);
	buf_putc(b, '}');
}

/* ------------------------------------------------------------------------------------------------ in: lines */

static int complain(unsigned line, const char *what)
{
	fprintf(stderr, "line %u: %s\n", line, what);
	return -1;
}

static bool all_digits(const char *s) { return *s && !s[strspn(s, "0123456789")]; }

static void set_type(struct mbentry *e, unsigned long type)
{
	for (size_t i = 0; i < COUNT(bits); i++) {
		if (!(type & bits[i].bit)) continue;
		e->flags |= bits[i].flag;
		if (bits[i].type) e->type = bits[i].type;
	}
}

/* "(uniqueid X specialuse Y) " of the extended 2.4 form: returns what is behind it. */
static char *take_extension(struct mbentry *e, char *p)
{
	char *close = *p == '(' && strncmp(p, "(null)", 6) ? strchr(p, ')') : NULL, *save = NULL;
	if (!close) return p;
	*close = 0;
	for (char *w = strtok_r(p + 1, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		char *v = strtok_r(NULL, " ", &save);
		if (v && !strcmp(w, "uniqueid") && !e->uniqueid) e->uniqueid = mem_strdup(v);
	}
	return close + 1 + strspn(close + 1, " ");
}

/* NAME TAB [TYPE SP] [SERVER!]PARTITION SP ACL; before 2.0 the type was absent and a tab stood before the ACL. */
static int parse_line(const struct namespace *ns, char *text, unsigned line, struct mbentry *e)
{
	char *tab = strchr(text, '\t');
	*e = (struct mbentry){ .type = 'e', .flags = MBENTRY_LEGACYDIRS };
	if (!tab) return complain(line, "no partition found");
	*tab = 0;
	char *p = take_extension(e, tab + 1), *sp;
	size_t digits = strspn(p, "0123456789");
	if (digits && p[digits] == ' ') {
		p[digits] = 0;
		if (all_digits(p)) set_type(e, strtoul(p, NULL, 10));
		p += digits + 1;
	}
	if (!*p) return complain(line, "no partition found");
	sp = p + strcspn(p, " \t");
	if (!*sp) return complain(line, "no acl found");
	*sp = 0;
	if (strlen(text) > MBNAME_MAX) return complain(line, "mailbox name too long");
	char *bang = strchr(p, '!');
	if (bang) {
		*bang = 0;
		e->server = mem_strdup(p);
		p = bang + 1;
	}
	if (strlen(p) > PARTITION_MAX) return complain(line, "partition name too long");
	if (*p && strcmp(p, "(null)")) e->partition = mem_strdup(p);
	if (!e->partition && !e->server && !(e->flags & MBENTRY_DELETED)) return complain(line, "no partition found");
	e->acl = mem_strdup(sp + 1);
	e->name = mem_strdup(text);
	return mbname_from_internal(&e->parts, text, ns) ? complain(line, "bad mailbox name") : 0;
}

static int read_lines(const struct namespace *ns, const char *p, size_t len, mboxdump_put *put, void *arg, unsigned *bad)
{
	const char *end = p + len;
	int r = 0;
	for (unsigned line = 1; p < end && !r; line++) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((nl ? nl : end) - p);
		if (n && p[n - 1] == '\r') n--;
		char *text = mem_dup(p, n);
		struct mbentry e;
		if (strlen(text) != n) ++*bad, complain(line, "NUL byte");
		else if (n && parse_line(ns, text, line, &e)) ++*bad, mbentry_free(&e);
		else if (n) r = put(arg, &e), mbentry_free(&e);
		free(text);
		p = nl ? nl + 1 : end;
	}
	return r;
}

/* ------------------------------------------------------------------------------------------------ in: JSON */

static char *dup_or_null(const char *s) { return s ? mem_strdup(s) : NULL; }

static const char *wrong_type(const char *letter, char *type, unsigned *flags)
{
	for (const char *p = letter ? letter : "e"; *p; p++) {
		unsigned flag = 0;
		for (size_t i = 0; i < COUNT(letters); i++)
			if (letters[i].letter == *p) flag = letters[i].flag;
		*flags |= flag;
		if (!flag && strchr("enspfbcaj", *p)) *type = *p;
		else if (!flag) return "unknown mailbox type";
	}
	return NULL;
}

static const char *wrong_acl(struct mbentry *e, const struct json *acl)
{
	struct buf b = BUF_INIT;
	const char *why = NULL;
	for (const struct json *j = acl && acl->kind == JSON_OBJECT ? acl->head : NULL; j; j = j->next) {
		if (j->kind != JSON_STRING || strpbrk(j->key, "\t\n") || strpbrk(j->s, "\t\n")) why = "bad acl";
		else buf_printf(&b, "%s\t%s\t", j->key, j->s);
	}
	e->acl = buf_take(&b);
	return acl ? why : "no acl found";
}

static bool get_number(const struct json *j, const char *key, uint64_t max, uint64_t *v)
{
	const char *s = json_str(j, key);
	*v = 0;
	return !s || (num_str_u64(s, v) && *v <= max);
}

static const char *wrong_former(const struct namespace *ns, const struct json *j, struct mbformer *f)
{
	uint64_t mtime, uidvalidity;
	const char *name = json_str(j, "name");
	struct mbname n;
	struct buf dbname = BUF_INIT;
	if (!name || strlen(name) > MBNAME_MAX || mbname_from_internal(&n, name, ns)) return "bad name in name_history";
	mbname_dbname(&n, ns, &dbname);
	mbname_free(&n);
	f->dbname = buf_take(&dbname);
	f->partition = dup_or_null(json_str(j, "partition"));
	if (!get_number(j, "mtime", INT64_MAX, &mtime) || !get_number(j, "uidvalidity", UINT32_MAX, &uidvalidity)
	    || !get_number(j, "createdmodseq", INT64_MAX, &f->createdmodseq)
	    || !get_number(j, "foldermodseq", INT64_MAX, &f->foldermodseq))
		return "bad number in name_history";
	f->mtime = (time_t)mtime;
	f->uidvalidity = (uint32_t)uidvalidity;
	return wrong_type(json_str(j, "mbtype"), &f->type, &f->flags);
}

static const char *wrong_history(const struct namespace *ns, const struct json *list, struct mbentry *e)
{
	const char *why = NULL;
	for (const struct json *j = list && list->kind == JSON_ARRAY ? list->head : NULL; j && !why; j = j->next)
		why = wrong_former(ns, j, mbentry_add_former(e));
	e->has_history = e->nhistory > 0;
	return why;
}

static const char *wrong_member(const struct namespace *ns, const struct json *j, struct mbentry *e)
{
	uint64_t mtime, uidvalidity;
	const char *part = json_str(j, "partition"), *why;
	*e = (struct mbentry){ .type = 'e' };
	if (strlen(j->key) > MBNAME_MAX) return "mailbox name too long";
	if (part && strlen(part) > PARTITION_MAX) return "partition name too long";
	if (mbname_from_internal(&e->parts, j->key, ns)) return "bad mailbox name";
	e->name = mem_strdup(j->key);
	e->partition = dup_or_null(part);
	e->server = dup_or_null(json_str(j, "server"));
	e->uniqueid = dup_or_null(json_str(j, "uniqueid"));
	if (!get_number(j, "mtime", INT64_MAX, &mtime) || !get_number(j, "uidvalidity", UINT32_MAX, &uidvalidity)
	    || !get_number(j, "createdmodseq", INT64_MAX, &e->createdmodseq)
	    || !get_number(j, "foldermodseq", INT64_MAX, &e->foldermodseq))
		return "bad number";
	e->mtime = (time_t)mtime;
	e->uidvalidity = (uint32_t)uidvalidity;
	if ((why = wrong_type(json_str(j, "mbtype"), &e->type, &e->flags)) || (why = wrong_acl(e, json_get(j, "acl")))
	    || (why = wrong_history(ns, json_get(j, "name_history"), e))) return why;
	if (!e->partition && !e->server && !(e->flags & (MBENTRY_DELETED | MBENTRY_INTERMEDIATE))) return "no partition found";
	return NULL;
}

static int read_json(const struct namespace *ns, const char *p, size_t len, mboxdump_put *put, void *arg, unsigned *bad)
{
	struct arena *a = arena_new();
	unsigned line;
	int r = 0;
	const struct json *all = json_parse(a, p, len, &line);
	if (!all || all->kind != JSON_OBJECT) ++*bad, complain(line, "not a dump of a mailbox list");
	for (const struct json *j = all && all->kind == JSON_OBJECT ? all->head : NULL; j && !r; j = j->next) {
		struct mbentry e;
		const char *why = wrong_member(ns, j, &e);
		if (why) ++*bad, fprintf(stderr, "%s: %s\n", j->key, why);
		else r = put(arg, &e);
		mbentry_free(&e);
	}
	arena_free(a);
	return r;
}

bool mboxdump_is_json(const char *p, size_t len)
{
	const char *end = p + len;
	while (p < end && (*p == ' ' || *p == '\r' || *p == '\n')) p++;
	return p < end && *p == '{';
}

/* Quotes inside strings are escaped: the words cannot be part of a name. */
enum conf_level mboxdump_level(const char *p, size_t len)
{
	return !mboxdump_is_json(p, len) || memmem(p, len, MADE_OF_25, sizeof MADE_OF_25 - 1) ? LEVEL_25 : LEVEL_36;
}

int mboxdump_read(const struct namespace *ns, const char *p, size_t len, mboxdump_put *put, void *arg, unsigned *bad)
{
	*bad = 0;
	return (mboxdump_is_json(p, len) ? read_json : read_lines)(ns, p, len, put, arg, bad);
}
