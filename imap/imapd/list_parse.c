/* list_parse.c - the arguments of LIST and its kin. See list.h. */
#include "imapd/list.h"
#include "imapd/respond.h"
#include "imapd/status.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static char *lower(char *s)
{
	for (char *p = s; *p; p++) *p = (char)tolower((unsigned char)*p);
	return s;
}

static bool bad_syntax(struct session *s)
{
	respond_bad(s, "Invalid syntax in %s command", s->name);
	return false;
}

/* LSUB and the like take neither options nor several patterns, and complain in fewer words. */
static bool missing(struct session *s, bool plain, const char *what)
{
	if (plain) respond_missing(s);
	else respond_bad(s, "Missing required argument to %s: %s", s->name, what);
	return false;
}

static bool extra(struct session *s)
{
	respond_extra(s);
	return false;
}

/* ------------------------------------------------------------------------------------------------ selection options */

static bool select_option(struct session *s, struct list_request *q, char *word)
{
	if (!strcasecmp(word, "SUBSCRIBED")) q->sel_subscribed = true;
	else if (!strcasecmp(word, "SPECIAL-USE")) q->sel_specialuse = true;
	else if (!strcasecmp(word, "RECURSIVEMATCH")) q->recursive = true;
	else if (strcasecmp(word, "REMOTE")) {                    /* there is no other server */
		respond_bad(s, "Invalid %s selection option \"%s\"", s->name, lower(word));
		return false;
	}
	return true;
}

static bool parse_selection(struct session *s, struct list_request *q)
{
	struct args *a = &s->args;
	q->extended = true;
	if (args_char(a, ')')) return true;
	do {
		char *word;
		if (!args_atom(a, &word)) return bad_syntax(s);
		if (!select_option(s, q, word)) return false;
	} while (args_space(a));
	if (!args_char(a, ')')) {
		respond_bad(s, "Missing close parenthesis for %s selection options", s->name);
		return false;
	}
	if (q->recursive && !q->sel_subscribed) {
		respond_bad(s, "Invalid combination of selection options");
		return false;
	}
	return true;
}

/* ------------------------------------------------------------------------------------------------ patterns */

/* Behind the reference; of a separator at the end of one and the beginning of the other, one remains. */
static const char *joined(struct session *s, const char *ref, const char *pattern)
{
	size_t n = strlen(ref);
	if (!n || !*pattern || conf_bool(s->conf, OPT_IGNOREREFERENCE)) return pattern;
	if (ref[n - 1] == s->ns.sep && *pattern == s->ns.sep) pattern++;
	return arena_printf(s->cmd, "%s%s", ref, pattern);
}

static bool add_pattern(struct session *s, struct list_request *q, const char *ref, const char *pattern)
{
	if (q->npatterns == LIST_PATTERNS) {
		respond_no(s, "[LIMIT] Too many patterns in %s", s->name);
		return false;
	}
	q->patterns[q->npatterns++] = joined(s, ref, pattern);
	return true;
}

static bool parse_pattern_list(struct session *s, struct list_request *q, const char *ref)
{
	struct args *a = &s->args;
	q->extended = true;
	do {
		char *pattern;
		if (!args_list_mailbox(a, &pattern)) return bad_syntax(s);
		if (!add_pattern(s, q, ref, pattern)) return false;
	} while (args_space(a));
	return args_char(a, ')') || bad_syntax(s);
}

static bool parse_patterns(struct session *s, struct list_request *q, const char *ref, bool plain)
{
	struct args *a = &s->args;
	char *pattern;
	if (!plain && args_char(a, '(')) return parse_pattern_list(s, q, ref);
	if (args_list_mailbox(a, &pattern)) return add_pattern(s, q, ref, pattern);
	return args_end(a) || plain ? extra(s) : bad_syntax(s);
}

/* ------------------------------------------------------------------------------------------------ return options */

static bool parse_annotations(struct session *s, struct list_request *q)
{
	struct args *a = &s->args;
	char *entry;
	if (!args_char(a, '(')) {
		if (args_astring(a, &entry)) q->annots[q->nannots++] = entry;
		else respond_bad(s, "Missing metadata entry");
		return q->nannots > 0;
	}
	do {
		if (!args_astring(a, &entry)) {
			respond_bad(s, "Missing metadata entry");
			return false;
		}
		if (q->nannots == LIST_ENTRIES) {
			respond_no(s, "[LIMIT] Too many metadata entries in %s", s->name);
			return false;
		}
		q->annots[q->nannots++] = lower(entry);
	} while (args_space(a));
	if (args_char(a, ')')) return true;
	respond_bad(s, "Missing close paren in annotation entry list ");
	return false;
}

static bool parse_status(struct session *s, struct list_request *q)
{
	q->ret_status = true;
	args_space(&s->args);
	return status_parse(s, &q->status);
}

static bool parse_metadata(struct session *s, struct list_request *q)
{
	q->ret_metadata = true;
	q->nannots = 0;
	if (args_space(&s->args)) return parse_annotations(s, q);
	respond_bad(s, "Missing close parenthesis for %s return options", s->name);
	return false;
}

static bool return_option(struct session *s, struct list_request *q, char *word)
{
	static const struct { const char *name; size_t flag; } flags[] = {
		{ "SUBSCRIBED", offsetof(struct list_request, ret_subscribed) },
		{ "CHILDREN", offsetof(struct list_request, ret_children) },
		{ "SPECIAL-USE", offsetof(struct list_request, ret_specialuse) },
		{ "MYRIGHTS", offsetof(struct list_request, ret_myrights) },
	};
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
		if (!strcasecmp(word, flags[i].name)) {
			*(bool *)((char *)q + flags[i].flag) = true;
			return true;
		}
	if (!strcasecmp(word, "STATUS")) return parse_status(s, q);
	if (!strcasecmp(word, "METADATA") && s->level == LEVEL_36) return parse_metadata(s, q);
	respond_bad(s, "Invalid %s return option \"%s\"", s->name, lower(word));
	return false;
}

static bool parse_return(struct session *s, struct list_request *q)
{
	struct args *a = &s->args;
	char *word;
	if (!args_atom(a, &word)) return extra(s);
	if (strcasecmp(word, "RETURN")) {
		respond_bad(s, "Unexpected extra argument to %s: \"%s\"", s->name, lower(word));
		return false;
	}
	if (!args_space(a) || !args_char(a, '(')) {
		respond_bad(s, "Missing return argument list");
		return false;
	}
	q->extended = true;
	if (args_char(a, ')')) return true;
	do {
		if (!args_atom(a, &word)) return bad_syntax(s);
		if (!return_option(s, q, word)) return false;
	} while (args_space(a));
	if (args_char(a, ')')) return true;
	respond_bad(s, "Missing close parenthesis for %s return options", s->name);
	return false;
}

/* ------------------------------------------------------------------------------------------------ the whole */

static bool parse_arguments(struct session *s, struct list_request *q, bool plain)
{
	struct args *a = &s->args;
	char *ref;
	if (!plain && args_char(a, '(')) {
		if (!parse_selection(s, q)) return false;
		if (!args_space(a)) return missing(s, plain, "reference name");
	}
	if (!args_astring(a, &ref)) return args_end(a) || plain ? missing(s, plain, "reference name") : bad_syntax(s);
	if (!args_space(a)) return missing(s, plain, "mailbox pattern");
	if (!parse_patterns(s, q, ref, plain)) return false;
	if (!plain && args_space(a) && !parse_return(s, q)) return false;
	return args_end(a) || extra(s);
}

static void free_globs(void *arg)
{
	struct list_request *q = arg;
	for (size_t i = 0; i < q->npatterns; i++) glob_free(q->globs[i]);
}

/* Option foolstupidclients: `LIST "" *` means one's own mailboxes. */
static void fool(struct session *s, struct list_request *q)
{
	if (conf_bool(s->conf, OPT_FOOLSTUPIDCLIENTS) && q->npatterns == 1 && !strcmp(q->patterns[0], "*")) q->patterns[0] = "INBOX*";
}

bool list_parse(struct session *s, enum list_kind kind, struct list_request *q)
{
	memset(q, 0, sizeof *q);
	q->verb = "LIST";
	q->lsub = kind == LIST_LSUB || kind == LIST_RLSUB;
	if (q->lsub) q->verb = "LSUB";
	if (!parse_arguments(s, q, kind != LIST_LIST && kind != LIST_XLIST)) return false;
	q->xlist = kind == LIST_XLIST && !q->extended;
	if (q->xlist) q->verb = "XLIST";
	if (q->npatterns == 1 && !*q->patterns[0]) q->npatterns = 0;
	else if (!q->lsub) fool(s, q);
	for (size_t i = 0; i < q->npatterns; i++) q->globs[i] = glob_new(q->patterns[i], s->ns.sep, GLOB_INBOX);
	arena_on_free(s->cmd, free_globs, q);
	return true;
}
