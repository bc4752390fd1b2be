/* cmd_mailbox.c - CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE: parsing and answering; the doing is store/mboxop.h. */
#include "base/err.h"
#include "imapd/commands.h"
#include "imapd/mboxarg.h"
#include "imapd/respond.h"
#include "imapd/selected.h"
#include "store/mboxop.h"
#include "store/subs.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void told(void *arg, const struct mbname *from, const struct mbname *to, int err)
{
	struct session *s = arg;
	char *a = session_external(s, from), *b = to ? session_external(s, to) : NULL;
	if (!a) return;
	if (!to) respond(s, "NO delete %s: %s", a, err_text(err));
	else if (err) respond(s, "NO rename %s %s: %s", a, b ? b : "", err_text(err));
	else respond(s, "OK rename %s %s", a, b ? b : "");
}

static struct mboxop operation(struct session *s)
{
	return (struct mboxop){ s->st, &s->user, &s->ns, told, s };
}

/* TYPE words; the letter is the store's. */
static const struct { const char *word; char type; bool only36; } types[] = {
	{ "email", 'e', false }, { "calendar", 'c', false }, { "addressbook", 'a', false }, { "netnews", 'n', false },
	{ "collection", 'b', true },
};

static int type_of(struct session *s, const char *word, char *type)
{
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (!strcasecmp(word, types[i].word) && (!types[i].only36 || s->level == LEVEL_36)) {
			*type = types[i].type;
			return 0;
		}
	return ERR_MBTYPE;
}

/* "(\\Sent \\Junk)" as "\\Sent \\Junk". */
static bool parse_uses(struct args *a, char **out)
{
	struct buf b = BUF_INIT;
	char *w;
	bool ok = true;
	while (ok && !args_char(a, ')')) {
		ok = (!b.len || args_space(a)) && args_flag(a, &w);
		if (ok) buf_printf(&b, "%s%s", b.len ? " " : "", w);
	}
	*out = arena_strdup(a->arena, buf_cstr(&b));
	buf_free(&b);
	return ok;
}

/* RFC 6154 create-param, with the words of spec/imap.md 6.3; one that is not known is passed over with its value. */
static bool parse_params(struct session *s, struct mboxop_new *how, int *err)
{
	struct args *a = &s->args;
	char *word, *value;
	do {
		if (!args_word(a, &word) || !args_space(a)) return false;
		if (args_char(a, '(')) {
			if (!parse_uses(a, &value)) return false;
			if (!strcasecmp(word, "USE")) how->use = value;
		} else if (*word && args_peek(a) == '\\' ? !args_flag(a, &value) : !args_astring(a, &value)) {
			return false;
		} else if (!strcasecmp(word, "PARTITION")) {
			how->partition = value;
		} else if (!strcasecmp(word, "SERVER")) {
			*err = ERR_NOSERVER;
		} else if (!strcasecmp(word, "TYPE")) {
			int r = type_of(s, value, &how->type);
			if (r) *err = r;
		}
	} while (args_space(a));
	return args_char(a, ')');
}

void cmd_create(struct session *s)
{
	struct mboxarg m = { 0 };
	struct mboxop_new how = { 0 };
	char *name, *partition = NULL, *id = NULL;
	int r = 0;
	if (!args_astring(&s->args, &name)) {
		respond_missing(s);
		return;
	}
	if (args_space(&s->args) && !(args_char(&s->args, '(') ? parse_params(s, &how, &r) : args_astring(&s->args, &partition))) {
		respond_bad(s, "Invalid partition name in %s", s->name);
		return;
	}
	if (!args_end(&s->args)) {
		respond_extra(s);
		return;
	}
	struct mboxop op = operation(s);
	if (partition) how.partition = partition;
	if (!r) r = mboxarg_translate(s, name, &m) ? ERR_BADNAME : 0;
	if (!r) r = mboxop_create(&op, &m.parts, &how, &id);
	mboxarg_free(&m);
	if (r == ERR_BADENTRY || r == ERR_SPECIALUSE) respond_no(s, "[USEATTR] %s", err_text(r));
	else if (r) respond_err(s, r == ERR_USEPLACE ? ERR_SPECIALUSE : r);        /* 3.6: one text, and this without the code */
	else if (s->level == LEVEL_36 && id) respond_ok(s, "[MAILBOXID (%s)] Completed", id);
	else respond_ok(s, "Completed");
	free(id);
}

void cmd_delete(struct session *s)
{
	struct mboxarg m = { 0 };
	char *name;
	if (!args_astring(&s->args, &name)) {
		respond_missing(s);
		return;
	}
	if (!args_end(&s->args)) {
		respond_extra(s);
		return;
	}
	struct mboxop op = operation(s);
	int r = mboxarg_translate(s, name, &m) ? ERR_NOMAILBOX : 0;
	if (!r) r = mboxop_delete(&op, &m.parts);
	/* logged there */
	if (!r && conf_bool(s->conf, OPT_DELETE_UNSUBSCRIBE)) subs_set(s->st, s->user.userid, &m.parts, false);
	mboxarg_free(&m);
	if (s->sel) selected_update(s, true);
	if (r == ERR_HASCHILDREN) respond_no(s, "[HASCHILDREN] %s", err_text(r));
	else respond_done(s, r);
}

void cmd_rename(struct session *s)
{
	struct mboxarg from = { 0 }, to = { 0 };
	char *a, *b, *partition = NULL;
	if (!args_astring(&s->args, &a) || !args_space(&s->args) || !args_astring(&s->args, &b)) {
		respond_missing(s);
		return;
	}
	if (args_space(&s->args) && !args_astring(&s->args, &partition)) {
		respond_bad(s, "Invalid partition name in %s", s->name);
		return;
	}
	if (!args_end(&s->args)) {
		respond_extra(s);
		return;
	}
	struct mboxop op = operation(s);
	int r = mboxarg_translate(s, a, &from) ? ERR_NOMAILBOX : 0;
	if (!r) r = mboxarg_translate(s, b, &to) ? ERR_BADNAME : 0;
	if (!r) r = mboxop_rename(&op, &from.parts, &to.parts, partition);
	mboxarg_free(&from);
	mboxarg_free(&to);
	if (s->sel) selected_update(s, true);
	if (r == ERR_NOTSUPPORTED && partition && strcmp(a, b))
		respond_no(s, "Cross-server or cross-partition move w/rename not supported");
	else respond_done(s, r);
}

/* ------------------------------------------------------------------------------------------------ subscriptions */

static void subscribe(struct session *s, bool on)
{
	struct mboxarg m = { 0 };
	char *name, *second = NULL;
	if (!args_astring(&s->args, &name)) {
		respond_missing(s);
		return;
	}
	if (args_space(&s->args) && !args_astring(&s->args, &second)) {
		respond_missing(s);
		return;
	}
	if (!args_end(&s->args)) {
		respond_extra(s);
		return;
	}
	if (second) {
		if (strcasecmp(name, "MAILBOX") && strcasecmp(name, "BBOARD")) {
			respond_bad(s, "Invalid %s subcommand", s->name);
			return;
		}
		name = second;
	}
	int r;
	if (on && !conf_bool(s->conf, OPT_ALLOWALLSUBSCRIBE)) {
		r = mboxarg_find(s, name, &m);
		if (r && m.found && m.rights & (ACL_READ | ACL_POST)) r = 0;
	} else {
		r = mboxarg_translate(s, name, &m) ? (on ? ERR_NOMAILBOX : ERR_COUNT) : 0;
	}
	if (!r) r = subs_set(s->st, s->user.userid, &m.parts, on);
	mboxarg_free(&m);
	if (r && r != ERR_COUNT) respond_no(s, "%s: %s", s->name, err_text(r));
	else respond_ok(s, "Completed");
}

void cmd_subscribe(struct session *s) { subscribe(s, true); }
void cmd_unsubscribe(struct session *s) { subscribe(s, false); }
