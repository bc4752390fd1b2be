/* cmd_metadata.c - GETMETADATA and SETMETADATA (RFC 5464; spec/imap.md 9). */
#include "imapd/annot.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "imapd/commands.h"
#include "imapd/respond.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static char *lower(char *s)
{
	for (char *p = s; *p; p++) *p = (char)tolower((unsigned char)*p);
	return s;
}

/* "/shared/comment" is the shared "/comment"; "/private" the private "". */
static bool split_entry(char *name, const char **entry, bool *shared)
{
	lower(name);
	*shared = !strncmp(name, "/shared", 7);
	if (!*shared && strncmp(name, "/private", 8)) return false;
	*entry = name + (*shared ? 7 : 8);
	return !**entry || **entry == '/';
}

static bool bad_entry(struct session *s)
{
	respond_bad(s, "entry must begin with /shared or /private");
	return false;
}

/* ------------------------------------------------------------------------------------------------ GETMETADATA: arguments */

/* "(a b c)" or "a". A list that is not closed ends with *open. */
static bool words(struct args *a, struct strarray *out, bool *open)
{
	char *w;
	*open = false;
	if (!args_char(a, '(')) return args_list_mailbox(a, &w) && (strarray_append(out, w), true);
	*open = true;
	if (args_char(a, ')')) {
		*open = false;
		return true;
	}
	do {
		if (out->n == ANNOT_ENTRIES || !args_list_mailbox(a, &w)) return false;
		strarray_append(out, w);
	} while (args_space(a));
	*open = !args_char(a, ')');
	return !*open;
}

static bool options(const struct strarray *w, struct annot_query *q, int *depth)
{
	if (w->n % 2) return false;
	for (size_t i = 0; i < w->n; i += 2) {
		const char *value = w->v[i + 1];
		if (!strcasecmp(w->v[i], "MAXSIZE")) {
			if (!num_str_u64(value, &q->maxsize)) return false;
		} else if (!strcasecmp(w->v[i], "DEPTH")) {
			*depth = !strcmp(value, "0") ? 0 : !strcmp(value, "1") ? 1 : !strcasecmp(value, "infinity") ? 2 : -1;
			if (*depth < 0) return false;
		} else {
			return false;
		}
	}
	return true;
}

static bool entries(struct session *s, const struct strarray *w, struct annot_query *q, int depth)
{
	const char *entry;
	bool shared;
	if (!w->n) {
		respond_bad(s, "Missing metadata entry");
		return false;
	}
	for (size_t i = 0; i < w->n; i++) {
		if (!split_entry(w->v[i], &entry, &shared)) return bad_entry(s);
		if (shared) q->shared = true;
		else q->priv = true;
		annot_query_add(q, entry);
		if (depth) annot_query_below(q, entry, depth == 2);
	}
	return true;
}

/* Options stand before or behind the mailbox. */
static bool parse_get(struct session *s, struct annot_query *q, char **mailbox)
{
	struct args *a = &s->args;
	struct strarray first = STRARRAY_INIT, list = STRARRAY_INIT;
	bool open = false, before = args_peek(a) == '(', ok;
	int depth = 0;
	ok = !before || (words(a, &first, &open) && options(&first, q, &depth) && args_space(a));
	if (!ok) goto missing;
	if (!args_list_mailbox(a, mailbox) || !args_space(a)) goto missing;
	ok = words(a, &list, &open);
	if (ok && !before && args_space(a)) {
		ok = options(&list, q, &depth);
		strarray_free(&list);
		ok = ok && words(a, &list, &open);
	}
	if (open) {
		respond_bad(s, "Missing close paren in metadata entry list ");
		ok = false;
		goto done;
	}
	if (!ok || !args_end(a)) goto missing;
	ok = entries(s, &list, q, depth);
	goto done;
missing:
	respond_bad(s, "Missing arguments to %s", s->name);
	ok = false;
done:
	strarray_free(&first);
	strarray_free(&list);
	return ok;
}

/* ------------------------------------------------------------------------------------------------ GETMETADATA: answers */

void metadata_begin(struct metadata_line *l, struct session *s, const char *ext)
{
	*l = (struct metadata_line){ .s = s, .ext = ext };
}

void metadata_end(struct metadata_line *l)
{
	if (l->entry) put(l->s, ")\r\n");
	free(l->entry);
	l->entry = NULL;
}

/* 3.6: a line for each mailbox, names quoted; 2.5: one for each entry, with its shared and private values. */
void metadata_put(void *arg, const char *entry, bool shared, const char *value, size_t len)
{
	struct metadata_line *l = arg;
	struct session *s = l->s;
	bool quoted = s->level == LEVEL_36;
	if (l->entry && !quoted && strcmp(l->entry, entry)) metadata_end(l);
	if (!l->entry) {
		put(s, "* METADATA ");
		put_astring(s, l->ext);
		put(s, " (");
		l->entry = mem_strdup(entry);
	} else {
		put(s, " ");
	}
	char *name = mem_printf("/%s%s", shared ? "shared" : "private", entry);
	if (quoted) put_string(s, name, strlen(name));
	else put_astring(s, name);
	put(s, " ");
	if (value) put_string(s, value, len);
	else put(s, "NIL");
	free(name);
}

struct getting {
	struct annot_query q;
	struct annots *annots;
};

static int get_one(void *arg, const struct mbentry *e, const char *ext, uint32_t rights)
{
	struct getting *g = arg;
	struct metadata_line l;
	metadata_begin(&l, g->q.s, ext);
	g->q.tell = metadata_put;
	g->q.arg = &l;
	int r = annot_fetch(&g->q, g->annots, e, rights);
	metadata_end(&l);
	return r;
}

void cmd_getmetadata(struct session *s)
{
	struct getting g = { .q = { .s = s, .maxsize = UINT64_MAX } };
	char *mailbox;
	if (parse_get(s, &g.q, &mailbox)) {
		g.annots = annots_open(s->st, s->user.userid);
		int r = annot_mailboxes(s, mailbox, get_one, &g);
		annots_close(g.annots);
		if (r) respond_err(s, r);
		else if (g.q.longest) respond_ok(s, "[METADATA LONGENTRIES %llu] Completed", (unsigned long long)g.q.longest);
		else respond_ok(s, "Completed");
	}
	annot_query_free(&g.q);
}

/* ------------------------------------------------------------------------------------------------ SETMETADATA */

bool annot_args_value(struct args *a, char **value, size_t *len)
{
	char *atom;
	int c = args_peek(a);
	if (c == '"' || c == '{') return args_string_n(a, value, len);
	if (c == '~') {                                        /* literal8 */
		a->p++;
		return args_peek(a) == '{' && args_string_n(a, value, len);
	}
	*value = NULL;
	*len = 0;
	return args_atom(a, &atom) && !strcasecmp(atom, "NIL");
}

static bool missing(struct session *s, const char *what)
{
	respond_bad(s, "Missing metadata %s", what);
	return false;
}

static bool parse_changes(struct session *s, struct annot_set *set)
{
	struct args *a = &s->args;
	if (!args_char(a, '(')) return missing(s, "entry list");
	do {
		char *name, *value;
		const char *entry;
		bool shared;
		size_t len;
		if (!args_list_mailbox(a, &name) || !args_space(a)) return missing(s, "entry");
		if (!split_entry(name, &entry, &shared)) return bad_entry(s);
		if (!annot_args_value(a, &value, &len)) return missing(s, "value");
		if (args_peek(a) != ' ' && args_peek(a) != ')' && !args_end(a)) return missing(s, "value");
		annot_set_add(set, entry, shared, value, len);
	} while (set->n < ANNOT_ENTRIES && args_space(a));
	if (args_char(a, ')')) return true;
	respond_bad(s, "Missing close paren in metadata entry list ");
	return false;
}

void cmd_setmetadata(struct session *s)
{
	struct annot_set set = { .s = s };
	char *mailbox;
	if (!args_list_mailbox(&s->args, &mailbox) || !args_space(&s->args)) {
		respond_missing(s);
		return;
	}
	if (parse_changes(s, &set)) {
		if (!args_end(&s->args)) respond_extra(s);
		else respond_done(s, annot_set_run(&set, mailbox));
	}
	free(set.v);
}
