/* commands.c - the table of commands: what each needs, and who does it. CAPABILITY's list stands beside it in
 * cmd_capability.c. */
#include "imapd/commands.h"
#include "imapd/respond.h"
#include "imapd/selected.h"

#include <string.h>
#include <strings.h>

enum arguments { NONE, SOME };       /* what may follow the name */
/* admin only; also as UID command; refused where `readonly` is on (APPEND, with a message under way, refuses itself) */
enum { ADMIN = 1, BY_UID = 2, WRITES = 4 };

static const struct command {
	const char *name;
	cmd_fn *run;
	int state;                      /* CMD_ANY, CMD_AUTH, CMD_SELECTED */
	enum arguments args;
	unsigned flags;
} commands[] = {
	{ "APPEND", cmd_append, CMD_AUTH, SOME, 0 },
	{ "AUTHENTICATE", cmd_authenticate, CMD_ANY, SOME, 0 },
	{ "CAPABILITY", cmd_capability, CMD_ANY, NONE, 0 },
	{ "CHECK", cmd_check, CMD_SELECTED, NONE, 0 },
	{ "CLOSE", cmd_close, CMD_SELECTED, NONE, 0 },
	{ "COPY", cmd_copy, CMD_SELECTED, SOME, BY_UID | WRITES },
	{ "CREATE", cmd_create, CMD_AUTH, SOME, WRITES },
	{ "DELETE", cmd_delete, CMD_AUTH, SOME, WRITES },
	{ "DELETEACL", cmd_deleteacl, CMD_AUTH, SOME, WRITES },
	{ "ENABLE", cmd_enable, CMD_AUTH, SOME, 0 },
	{ "EXAMINE", cmd_examine, CMD_AUTH, SOME, 0 },
	{ "EXPUNGE", cmd_expunge, CMD_SELECTED, NONE, WRITES },
	{ "FETCH", cmd_fetch, CMD_SELECTED, SOME, BY_UID },
	{ "GETACL", cmd_getacl, CMD_AUTH, SOME, 0 },
	{ "GETANNOTATION", cmd_getannotation, CMD_AUTH, SOME, 0 },
	{ "GETMETADATA", cmd_getmetadata, CMD_AUTH, SOME, 0 },
	{ "GETQUOTA", cmd_getquota, CMD_AUTH, SOME, 0 },
	{ "GETQUOTAROOT", cmd_getquotaroot, CMD_AUTH, SOME, 0 },
	{ "ID", cmd_id, CMD_ANY, SOME, 0 },
	{ "IDLE", cmd_idle, CMD_AUTH, NONE, 0 },
	{ "LIST", cmd_list, CMD_AUTH, SOME, 0 },
	{ "LISTRIGHTS", cmd_listrights, CMD_AUTH, SOME, 0 },
	{ "LOGIN", cmd_login, CMD_ANY, SOME, 0 },
	{ "LOGOUT", cmd_logout, CMD_ANY, NONE, 0 },
	{ "LSUB", cmd_lsub, CMD_AUTH, SOME, 0 },
	{ "MYRIGHTS", cmd_myrights, CMD_AUTH, SOME, 0 },
	{ "NAMESPACE", cmd_namespace, CMD_AUTH, NONE, 0 },
	{ "NOOP", cmd_noop, CMD_ANY, NONE, 0 },
	{ "RENAME", cmd_rename, CMD_AUTH, SOME, WRITES },
	{ "RLIST", cmd_rlist, CMD_AUTH, SOME, 0 },
	{ "RLSUB", cmd_rlsub, CMD_AUTH, SOME, 0 },
	{ "SEARCH", cmd_search, CMD_SELECTED, SOME, BY_UID },
	{ "SELECT", cmd_select, CMD_AUTH, SOME, 0 },
	{ "SETACL", cmd_setacl, CMD_AUTH, SOME, WRITES },
	{ "SETANNOTATION", cmd_setannotation, CMD_AUTH, SOME, WRITES },
	{ "SETMETADATA", cmd_setmetadata, CMD_AUTH, SOME, WRITES },
	{ "SETQUOTA", cmd_setquota, CMD_AUTH, SOME, WRITES },
	{ "STARTTLS", cmd_starttls, CMD_ANY, NONE, 0 },
	{ "STATUS", cmd_status, CMD_AUTH, SOME, 0 },
	{ "STORE", cmd_store, CMD_SELECTED, SOME, BY_UID | WRITES },
	{ "SUBSCRIBE", cmd_subscribe, CMD_AUTH, SOME, WRITES },
	{ "UNSELECT", cmd_unselect, CMD_SELECTED, NONE, 0 },
	{ "UNSUBSCRIBE", cmd_unsubscribe, CMD_AUTH, SOME, WRITES },
	{ "XLIST", cmd_xlist, CMD_AUTH, SOME, 0 },
};
enum { NCOMMANDS = sizeof commands / sizeof *commands };

static const struct command *find(const char *name)
{
	for (int i = 0; i < NCOMMANDS; i++)
		if (!strcasecmp(commands[i].name, name)) return &commands[i];
	return NULL;
}

/* UID FETCH and the like: "Uid Fetch" would be the name in messages; the originals say "UID Fetch". */
static const struct command *uid_command(struct session *s)
{
	char *word;
	if (!s->has_args || !args_word(&s->args, &word)) {
		respond_bad(s, "Missing required argument to Uid");
		return NULL;
	}
	const struct command *c = find(word);
	bool expunge = c && c->run == cmd_expunge;
	if (!c || !(c->flags & BY_UID || expunge)) {
		respond_bad(s, "Unrecognized UID subcommand");
		return NULL;
	}
	s->uid = true;
	s->has_args = args_space(&s->args);
	for (char *p = word; *p; p++) *p = (char)(p == word ? *p & ~32 : *p | 32);
	s->name = arena_printf(s->cmd, "UID %s", word);
	return c;
}

static bool check_arguments(struct session *s, const struct command *c)
{
	enum arguments want = s->uid ? SOME : c->args;
	if (want == NONE && !args_end(&s->args)) respond_extra(s);
	else if (want == NONE && s->has_args) respond_extra(s);
	else if (want == SOME && !s->has_args) respond_missing(s);
	else return true;
	return false;
}

void command_dispatch(struct session *s)
{
	if (!s->name) {
		respond(s, "BAD Invalid tag");
		return;
	}
	if (s->refused) {
		respond_no(s, "%s", s->refused);
		return;
	}
	if (!*s->name) {
		if (args_end(&s->args)) respond_bad(s, "Null command");
		else respond_bad(s, "Unrecognized command");
		return;
	}
	const struct command *c = find(s->name);
	bool uid = !c && !strcasecmp(s->name, "UID");
	if (!s->logged_in && (uid || !c || c->state != CMD_ANY)) {
		respond_bad(s, "Please login first");
		return;
	}
	if (uid && !s->sel) {
		respond_bad(s, "Please select a mailbox first");
		return;
	}
	if (uid && !(c = uid_command(s))) return;
	if (!c) {
		respond_bad(s, "Unrecognized command");
		return;
	}
	if (c->state == CMD_SELECTED && !s->sel) {
		respond_bad(s, "Please select a mailbox first");
		return;
	}
	if (s->readonly && c->flags & WRITES) {
		respond_readonly(s);
		return;
	}
	if (check_arguments(s, c)) c->run(s);
}
