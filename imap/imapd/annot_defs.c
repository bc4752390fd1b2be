/* annot_defs.c - option annotation_definitions: entries that an administrator adds. A line is "name, scope, type, proxy type,
 * attributes, rights" (rights may be empty, its comma not); checked against Debian's Cyrus 3.6.1. A line that is wrong is told in
 * the log and passed over. See annot.h. */
#include "imapd/annot.h"
#include "base/log.h"
#include "sys/file.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { DEFS_MAX = 1024, FILE_MAX = 1 << 20, FIELDS = 6 };
enum { SERVER, MAILBOX, MESSAGE, SCOPES };

struct annot_defs {
	struct annot_entry *v[SCOPES];
	size_t n[SCOPES];
};

struct word { const char *text; int value; };
static const struct word scopes[] = { { "server", SERVER }, { "mailbox", MAILBOX }, { "message", MESSAGE }, { 0 } };
static const struct word types[] = {
	{ "string", ANNOT_STRING }, { "content-type", ANNOT_STRING }, { "boolean", ANNOT_BOOL }, { "int", ANNOT_INT },
	{ "uint", ANNOT_UINT64 }, { 0 },
};
/* What is for proxies alone is not kept here: it is refused, where Cyrus says OK and forgets it. */
enum { HERE, ELSEWHERE };
static const struct word proxies[] = { { "backend", HERE }, { "proxy_and_backend", HERE }, { "proxy", ELSEWHERE }, { 0 } };
enum { OBSOLETE = 0, PRIV = 1, SHARED = 2 };
static const struct word attributes[] = {
	{ "value", PRIV | SHARED }, { "value.priv", PRIV }, { "value.shared", SHARED }, { "size", 0 }, { "size.priv", 0 },
	{ "size.shared", 0 },
	{ "content-type", OBSOLETE }, { "content-type.priv", OBSOLETE }, { "content-type.shared", OBSOLETE },
	{ "modifiedsince", OBSOLETE }, { "modifiedsince.priv", OBSOLETE }, { "modifiedsince.shared", OBSOLETE }, { 0 },
};

static const struct word *find(const struct word *w, const char *text)
{
	while (w->text && strcasecmp(w->text, text)) w++;
	return w->text ? w : NULL;
}

/* In place: the fields, without the blanks around them. False: not six. */
static bool split(char *line, char *field[FIELDS])
{
	int n = 0;
	for (char *p = line; p; n++) {
		char *comma = strchr(p, ',');
		if (n == FIELDS) return false;
		if (comma) *comma = 0;
		p += strspn(p, " \t");
		field[n] = p;
		for (char *end = p + strlen(p); end > p && strchr(" \t\r", end[-1]); ) *--end = 0;
		p = comma ? comma + 1 : NULL;
	}
	return n == FIELDS;
}

static const char *check_name(char *name, int scope)
{
	for (char *p = name; *p; p++) {
		if ((unsigned char)*p <= ' ' || *p == '*' || *p == '%' || *p == 0x7f) return "not the name of an entry";
		*p = (char)tolower((unsigned char)*p);
	}
	if (*name != '/' || !name[1] || name[strlen(name) - 1] == '/' || strstr(name, "//")) return "not the name of an entry";
	if (!strncmp(name, ANNOT_VENDOR "/", strlen(ANNOT_VENDOR "/"))) return "that name is the server's own";
	return scope == MESSAGE && !strncmp(name, "/flags/", 7) ? "that name is the server's own" : NULL;
}

static const char *check_attributes(char *text, struct annot_entry *e)
{
	char *save = NULL;
	int set = 0;
	for (char *w = strtok_r(text, " \t", &save); w; w = strtok_r(NULL, " \t", &save)) {
		const struct word *a = find(attributes, w);
		if (!a) return "unknown attribute";
		set |= a->value;
	}
	e->no_shared = !(set & SHARED);
	e->set_private = set & PRIV;
	return NULL;
}

/* NULL: *e is what the line defines, where *here. Else what is wrong with it. */
static const char *parse(char *line, const struct acl_macros *m, struct annot_entry *e, int *scope, bool *here)
{
	char *f[FIELDS], bad = 0;
	const struct word *s, *t, *p;
	if (!split(line, f)) return "not six fields";
	if (!(s = find(scopes, f[1]))) return "unknown scope";
	if (!(t = find(types, f[2]))) return "unknown type";
	if (!(p = find(proxies, f[3]))) return "unknown proxy type";
	*e = (struct annot_entry){ .name = f[0], .type = (enum annot_type)t->value, .needs = acl_rights_parse(f[5], m, &bad) };
	if (bad) return "unknown rights";
	*scope = s->value;
	*here = p->value == HERE;
	const char *why = check_name(f[0], *scope);
	return why ? why : check_attributes(f[4], e);
}

static bool known(const struct annot_defs *d, int scope, const char *name)
{
	size_t n = 0;
	const struct annot_entry *v = scope == MESSAGE ? NULL : annot_entries(scope == SERVER, &n);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(v[i].name, name)) return true;
	for (size_t i = 0; i < d->n[scope]; i++)
		if (!strcmp(d->v[scope][i].name, name)) return true;
	return false;
}

static void add(struct session *s, struct annot_defs *d, char *line, const char *path, unsigned number)
{
	struct annot_entry e;
	int scope = 0;
	bool here = false;
	const char *why = parse(line, &s->st->macros, &e, &scope, &here);
	if (!why && known(d, scope, e.name)) why = "that entry is there already";
	if (!why && d->n[scope] == DEFS_MAX) why = "too many entries";
	if (why) log_msg(LOG_ERR, "%s:%u: annotation definition ignored: %s", path, number, why);
	else if (here) d->v[scope][d->n[scope]++] = e;
}

static struct annot_defs *load(struct session *s)
{
	struct annot_defs *d = arena_zalloc(s->arena, sizeof *d);
	const char *path = conf_str(s->conf, OPT_ANNOTATION_DEFINITIONS);
	struct buf text = BUF_INIT;
	unsigned number = 0;
	if (!path || !*path) return d;
	if (file_read(path, FILE_MAX, &text) < 0) {
		log_msg(LOG_ERR, "annotation_definitions: cannot read %s: %m", path);
		text.len = 0;
	}
	for (int i = 0; i < SCOPES; i++) d->v[i] = arena_alloc(s->arena, DEFS_MAX * sizeof *d->v[i]);
	char *save = arena_dup(s->arena, text.s ? text.s : "", text.len), *line;
	while ((line = strsep(&save, "\n"))) {
		number++;
		line += strspn(line, " \t\r");
		if (*line && *line != '#') add(s, d, line, path, number);
	}
	buf_free(&text);
	return d;
}

const struct annot_entry *annot_defined(struct session *s, bool server, size_t *n)
{
	if (!s->annot_defs) s->annot_defs = load(s);
	*n = s->annot_defs->n[server ? SERVER : MAILBOX];
	return s->annot_defs->v[server ? SERVER : MAILBOX];
}
