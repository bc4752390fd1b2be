/* session.c - from the greeting to the end of a connection. */
#include "imapd/session.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/procfile.h"
#include "imapd/commands.h"
#include "imapd/respond.h"
#include "imapd/selected.h"
#include "proto/identity.h"
#include "store/mboxlist.h"
#include "sys/file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* First line of CONFDIR/msg/NAME without leading '['; NULL when there is no such file. Caller frees. */
static char *message_file(const struct conf *c, const char *name)
{
	struct buf b = BUF_INIT;
	char *path = mem_printf("%s/msg/%s", conf_dir(c), name), *text = NULL;
	if (file_read(path, 65536, &b) == 0) {
		const char *p = buf_cstr(&b);
		while (*p == '[') p++;
		text = mem_dup(p, strcspn(p, "\r\n"));
	}
	buf_free(&b);
	free(path);
	return text;
}

static void greet(struct session *s)
{
	const char *info = conf_word(s->conf, OPT_SERVERINFO);
	put(s, "* OK [");
	capability_put(s, false);
	put(s, "] ");
	if (strcmp(info, "off")) putfmt(s, "%s ", conf_servername(s->conf));
	if (!strcmp(info, "on")) {
		bool murder = s->level == LEVEL_25 && conf_str(s->conf, OPT_MUPDATE_SERVER);
		putfmt(s, "Cyrus IMAP %s%s ", murder ? "Murder " : "", identity_version(s->conf));
	}
	put(s, "server ready\r\n");
	char *motd = message_file(s->conf, "motd");
	if (motd) respond(s, "OK [ALERT] %s", motd);
	free(motd);
}

/* ------------------------------------------------------------------------------------------------ the account */

static int look_up_inbox(struct session *s, struct mbentry *e)
{
	struct mbname inbox;
	if (mbname_from_userid(&inbox, s->user.userid, &s->st->ns)) return ERR_NOMAILBOX;
	char *name = mbname_internal(&inbox, &s->st->ns);
	int r = mboxlist_lookup(s->st, name, e);
	free(name);
	mbname_free(&inbox);
	return r;
}

void session_note_account(struct session *s)
{
	struct mbentry e;
	if (s->user.isadmin || look_up_inbox(s, &e)) return;
	s->account = arena_strdup(s->arena, e.uniqueid ? e.uniqueid : "");
	mbentry_free(&e);
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec
		&& a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* One stat() for a command, as long as nobody changes the list. 3.6 kills such sessions by the pids in proc files, without a
 * word; a pid there may be somebody else's by now. */
bool session_account_gone(struct session *s)
{
	struct mbentry e;
	struct stat now = { 0 };
	if (!s->account || (stat(cyrusdb_path(s->st->mboxlist), &now) == 0 && same_file(&now, &s->list))) return false;
	int r = look_up_inbox(s, &e);
	if (r) return r == ERR_NOMAILBOX;
	bool other = *s->account && e.uniqueid && strcmp(s->account, e.uniqueid);
	mbentry_free(&e);
	if (!other) s->list = now;
	return other;
}

/* The administrator shut the service, or barred the user: others are cut, admins may still work. */
static bool turned_away(struct session *s)
{
	if (!s->logged_in || s->user.isadmin) return false;
	char *text = message_file(s->conf, "shutdown");
	if (!text) user_denied(s->conf, s->service, s->user.userid, &text);
	if (!text && session_account_gone(s)) {
		respond_bye(s, "account is gone");
		log_msg(LOG_NOTICE, "the account of %s is gone, closing connection", s->user.userid);
		return true;
	}
	if (!text) return false;
	respond_bye(s, "[ALERT] %s", text);
	free(text);
	return true;
}

static void say_goodbye(struct session *s)
{
	const char *why = prot_error(s->p);
	if (!why || prot_eof(s->p)) return;
	log_msg(LOG_WARNING, "%s, closing connection", why);
}

static void note_activity(struct session *s)
{
	proc_register(s->conf, s->service, s->client, s->user.userid, s->sel ? selected_name(s->sel) : NULL, s->name);
}

void session_run(struct session *s)
{
	greet(s);
	while (!s->over) {
		if (turned_away(s)) break;
		bool waits = !prot_input_waiting(s->p, 0);
		if (waits) prot_flush(s->p);
		if (!prot_input_waiting(s->p, (int)conf_seconds(s->conf, OPT_TIMEOUT) * 1000)) {
			respond_bye(s, "idle for too long");
			log_msg(LOG_NOTICE, "idle for too long, closing connection");
			break;
		}
		/* behind the command: unread input would cost the client the BYE */
		if (!command_read(s) || (waits && turned_away(s))) break;
		note_activity(s);
		if (s->name && conf_bool(s->conf, OPT_CHATTY)) log_msg(LOG_NOTICE, "command: %s %s", s->tag, s->name);
		command_dispatch(s);
		arena_reset(s->cmd);
	}
	if (s->sel) selected_close(&s->sel);
	say_goodbye(s);
	prot_flush(s->p);
}
