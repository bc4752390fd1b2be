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
	if (!b && !to) respond(s, "NO delete %s: %s", a, err_text(err));
	else if (err) respond(s, "NO rename %s %s: %s", a, b ? b : "", err_text(err));
	else respond(s, "OK rename %s %s", a, b ? b : "");
}

static struct mboxop operation(struct session *s)
{
	return (struct mboxop){ s->st, &s->user, &s->ns, told, s };
}

void cmd_create(struct session *s)
{
	struct mboxarg m = { 0 };
	char *name, *partition = NULL, *id = NULL;
	if (!args_astring(&s->args, &name)) {
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
	int r = mboxarg_translate(s, name, &m) ? ERR_BADNAME : 0;
	if (!r) r = mboxop_create(&op, &m.parts, partition, &id);
	mboxarg_free(&m);
	if (r) respond_err(s, r);
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
	if (!r && conf_bool(s->conf, OPT_DELETE_UNSUBSCRIBE)) subs_set(s->st, s->user.userid, &m.parts, false);      /* logged there */
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
	if (r == ERR_NOTSUPPORTED && partition && strcmp(a, b)) respond_no(s, "Cross-server or cross-partition move w/rename not supported");
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
