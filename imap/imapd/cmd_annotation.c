/* cmd_annotation.c - GETANNOTATION and SETANNOTATION, the form of the draft that became METADATA (spec/imap.md 9). */
#include "imapd/annot.h"
#include "base/err.h"
#include "base/mem.h"
#include "imapd/commands.h"
#include "imapd/respond.h"
#include "text/glob.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* 3.6 has them only where an option says so. */
static bool refused(struct session *s)
{
	if (s->level != LEVEL_36 || conf_bool(s->conf, OPT_ANNOTATION_ENABLE_LEGACY_COMMANDS)) return false;
	respond_err(s, ERR_PERM);
	return true;
}

static char *lower(char *s)
{
	for (char *p = s; *p; p++) *p = (char)tolower((unsigned char)*p);
	return s;
}

/* A string, or strings in parentheses. */
static bool strings(struct session *s, struct strarray *out, const char *missing, const char *list)
{
	struct args *a = &s->args;
	bool many = args_char(a, '(');
	char *w;
	do {
		if (!args_string(a, &w)) {
			respond_bad(s, "Missing annotation %s", missing);
			return false;
		}
		strarray_append(out, lower(w));
	} while (many && out->n < ANNOT_ENTRIES && args_space(a));
	if (!many || args_char(a, ')')) return true;
	respond_bad(s, "Missing close paren in annotation %s list ", list);
	return false;
}

/* ------------------------------------------------------------------------------------------------ GETANNOTATION */

struct getting {
	struct annot_query q;
	struct annots *annots;
	bool value[2], size[2];               /* [shared] */
	const char *ext;
	char *entry;                          /* of the line that is open */
};

static const struct { const char *name; bool shared, size; } attributes[] = {
	{ "value.priv", false, false }, { "value.shared", true, false }, { "size.priv", false, true }, { "size.shared", true, true },
};

/* "value" is "value.*". What is no attribute asks for nothing. */
static void want(struct getting *g, const char *text)
{
	char *all = strpbrk(text, ".*%") ? mem_strdup(text) : mem_printf("%s.*", text);
	struct glob *glob = glob_new(all, '.', 0);
	for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++)
		if (glob_match(glob, attributes[i].name))
			*(attributes[i].size ? &g->size[attributes[i].shared] : &g->value[attributes[i].shared]) = true;
	glob_free(glob);
	free(all);
}

static void end_line(struct getting *g)
{
	if (g->entry) put(g->q.s, ")\r\n");
	free(g->entry);
	g->entry = NULL;
}

static void put_value(void *arg, const char *entry, bool shared, const char *value, size_t len)
{
	struct getting *g = arg;
	struct session *s = g->q.s;
	const char *kind = shared ? "shared" : "priv";
	if (g->entry && strcmp(g->entry, entry)) end_line(g);
	if (!g->entry) {
		put(s, "* ANNOTATION ");
		put_astring(s, g->ext);
		put(s, " ");
		put_string(s, entry, strlen(entry));
		put(s, " (");
		g->entry = mem_strdup(entry);
	} else {
		put(s, " ");
	}
	if (g->value[shared]) {
		putfmt(s, "\"value.%s\" ", kind);
		if (value) put_string(s, value, len);
		else put(s, "NIL");
	}
	if (g->size[shared]) putfmt(s, "%s\"size.%s\" \"%zu\"", g->value[shared] ? " " : "", kind, len);
}

static int get_one(void *arg, const struct mbentry *e, const char *ext, uint32_t rights)
{
	struct getting *g = arg;
	g->ext = ext;
	int r = annot_fetch(&g->q, g->annots, e, rights);
	end_line(g);
	return r;
}

void cmd_getannotation(struct session *s)
{
	struct getting g = { .q = { .s = s, .maxsize = UINT64_MAX, .tell = put_value, .arg = &g } };
	struct strarray entries = STRARRAY_INIT, wanted = STRARRAY_INIT;
	char *mailbox;
	if (refused(s)) return;
	if (!args_list_mailbox(&s->args, &mailbox) || !args_space(&s->args)) {
		respond_missing(s);
		return;
	}
	if (!strings(s, &entries, "entry", "entry")) goto done;
	if (!args_space(&s->args)) {
		respond_bad(s, "Missing annotation attribute(s)");
		goto done;
	}
	if (!strings(s, &wanted, "attribute(s)", "attribute")) goto done;
	if (!args_end(&s->args)) {
		respond_extra(s);
		goto done;
	}
	for (size_t i = 0; i < entries.n; i++) annot_query_add(&g.q, entries.v[i]);
	for (size_t i = 0; i < wanted.n; i++) want(&g, wanted.v[i]);
	g.q.shared = g.value[true] || g.size[true];
	g.q.priv = g.value[false] || g.size[false];
	g.annots = annots_open(s->st, s->user.userid);
	respond_done(s, annot_mailboxes(s, mailbox, get_one, &g));
	annots_close(g.annots);
done:
	annot_query_free(&g.q);
	strarray_free(&entries);
	strarray_free(&wanted);
}

/* ------------------------------------------------------------------------------------------------ SETANNOTATION */

static bool missing(struct session *s, const char *what)
{
	respond_bad(s, "Missing annotation %s", what);
	return false;
}

/* "entry" ("value.priv" "x" ...). denied: an attribute that nobody can set. */
static bool parse_entry(struct session *s, struct annot_set *set, bool *denied)
{
	struct args *a = &s->args;
	char *entry, *attribute, *value;
	size_t len;
	if (!args_string(a, &entry)) return missing(s, "entry");
	lower(entry);
	if (!args_space(a) || !args_char(a, '(')) return missing(s, "attribute-values list");
	do {
		if (!args_string(a, &attribute)) return missing(s, "attribute");
		if (!args_space(a) || !annot_args_value(a, &value, &len)) return missing(s, "value");
		lower(attribute);
		bool shared = !strcmp(attribute, "value.shared");
		if (shared || !strcmp(attribute, "value.priv")) annot_set_add(set, entry, shared, value, len);
		else *denied = true;
	} while (set->n < ANNOT_ENTRIES && args_space(a));
	if (args_char(a, ')')) return true;
	respond_bad(s, "Missing close paren in annotation attribute-values list ");
	return false;
}

static bool parse_set(struct session *s, struct annot_set *set, bool *denied)
{
	struct args *a = &s->args;
	bool many = args_char(a, '(');
	do
		if (!parse_entry(s, set, denied)) return false;
	while (set->n < ANNOT_ENTRIES && args_space(a));
	if (many && !args_char(a, ')')) {
		respond_bad(s, "Missing close paren in annotation entry list ");
		return false;
	}
	if (args_end(a)) return true;
	respond_extra(s);
	return false;
}

void cmd_setannotation(struct session *s)
{
	struct annot_set set = { .s = s };
	char *mailbox;
	bool denied = false;
	if (refused(s)) return;
	if (!args_list_mailbox(&s->args, &mailbox) || !args_space(&s->args)) {
		respond_missing(s);
		return;
	}
	if (parse_set(s, &set, &denied)) respond_done(s, denied ? ERR_PERM : annot_set_run(&set, mailbox));
	free(set.v);
}
