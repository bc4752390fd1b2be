/* cmd_any.c - NOOP, CHECK, ID, ENABLE, NAMESPACE. */
#include "base/log.h"
#include "imapd/commands.h"
#include "imapd/respond.h"
#include "imapd/selected.h"
#include "proto/identity.h"
#include "store/mboxlist.h"

#include <string.h>
#include <strings.h>
#include <sys/utsname.h>

void cmd_noop(struct session *s)
{
	if (s->sel) selected_update(s, true);
	respond_ok(s, "Completed");
}

void cmd_check(struct session *s)
{
	selected_update(s, true);
	respond_ok(s, "Completed");
}

/* ------------------------------------------------------------------------------------------------ ID (RFC 2971) */

enum { ID_PAIRS = 30, ID_FIELD = 30, ID_VALUE = 1024 };

static const char *id_list(struct session *s, struct buf *log)
{
	int pairs = 0;
	if (args_char(&s->args, ')')) return NULL;
	for (;;) {
		char *field, *value;
		if (!args_string(&s->args, &field)) return "Invalid/missing field name in Id";
		if (!args_space(&s->args) || !args_nstring(&s->args, &value)) return "Invalid/missing value in Id";
		if (strlen(field) > ID_FIELD) return "field longer than 30 octets in Id";
		if (value && strlen(value) > ID_VALUE) return "value longer than 1024 octets in Id";
		if (++pairs > ID_PAIRS) return "too many (30) field-value pairs in ID";
		buf_printf(log, " \"%s\" \"%s\"", field, value ? value : "");
		if (args_char(&s->args, ')')) return NULL;
		if (!args_space(&s->args)) return "Invalid/missing field name in Id";
	}
}

static void put_id(struct session *s)
{
	struct utsname u;
	putfmt(s, "* ID (\"name\" \"Cyrus IMAPD\" \"version\" \"%s\" \"vendor\" \"Project Cyrus\"", identity_version(s->conf));
	putfmt(s, " \"support-url\" \"%s\"", s->level == LEVEL_25 ? "http://www.cyrusimap.org" : "https://www.cyrusimap.org");
	if (uname(&u) == 0) {
		putfmt(s, " \"os\" \"%s\" \"os-version\" \"%s\"", u.sysname, u.release);
	}
	put(s, " \"environment\" \"mmap = shared; lock = fcntl; nonblock = fcntl; idle = poll\")\r\n");
}

void cmd_id(struct session *s)
{
	struct buf seen = BUF_INIT;
	char *nil;
	const char *bad = NULL;
	if (args_char(&s->args, '(')) bad = id_list(s, &seen);
	else if (!args_atom(&s->args, &nil) || strcasecmp(nil, "NIL")) bad = "Invalid parameter list in Id";
	if (!bad && !args_end(&s->args)) bad = "trailing junk";
	if (bad) {
		respond_bad(s, "%s", bad);
		buf_free(&seen);
		return;
	}
	if (!s->logged_in && s->id_seen) {
		if (s->level == LEVEL_25) respond_no(s, "Only one Id allowed in non-authenticated state");
		else respond_ok(s, "NIL");
		buf_free(&seen);
		return;
	}
	s->id_seen = true;
	if (seen.len) {
		if (s->level == LEVEL_25) log_msg(LOG_INFO, "client id:%s", buf_cstr(&seen));
		else log_msg(LOG_INFO, "client id sessionid=<%s>:%s", s->id, buf_cstr(&seen));
	}
	buf_free(&seen);
	bool tell = conf_bool(s->conf, OPT_IMAPIDRESPONSE) && (s->logged_in || !strcmp(conf_word(s->conf, OPT_SERVERINFO), "on"));
	if (tell) put_id(s);
	else put(s, "* ID NIL\r\n");
	respond_ok(s, "Completed");
}

/* ------------------------------------------------------------------------------------------------ ENABLE (RFC 5161) */

void cmd_enable(struct session *s)
{
	bool fresh = false;
	do {
		char *word;
		if (!args_atom(&s->args, &word)) {
			respond_missing(s);
			return;
		}
		if (!strcasecmp(word, "CONDSTORE") && !s->condstore) fresh = true;
	} while (args_space(&s->args));
	if (!args_end(&s->args)) {
		respond_extra(s);
		return;
	}
	if (fresh) {
		s->condstore = true;
		put(s, "* ENABLED CONDSTORE\r\n");
	}
	respond_ok(s, "Completed");
}

/* ------------------------------------------------------------------------------------------------ NAMESPACE (RFC 2342) */

static bool has_inbox(struct session *s)
{
	struct mbname n;
	struct mbentry e;
	if (mbname_from_userid(&n, s->user.userid, &s->ns)) return false;
	bool found = !mboxlist_lookup_parts(s->st, &n, &e);
	if (found) {
		found = !(e.flags & (MBENTRY_DELETED | MBENTRY_INTERMEDIATE));
		mbentry_free(&e);
	}
	mbname_free(&n);
	return found;
}

void cmd_namespace(struct session *s)
{
	const struct namespace *ns = &s->ns;
	bool users = ns->isadmin || !conf_bool(s->conf, OPT_DISABLE_USER_NAMESPACE);
	bool shared = ns->isadmin || !conf_bool(s->conf, OPT_DISABLE_SHARED_NAMESPACE);
	put(s, "* NAMESPACE ");
	if (!has_inbox(s)) put(s, "NIL");
	else if (ns->alt) putfmt(s, "((\"\" \"%c\"))", ns->sep);
	else putfmt(s, "((\"INBOX%c\" \"%c\"))", ns->sep, ns->sep);
	if (!users) put(s, " NIL");
	else if (ns->alt) putfmt(s, " ((\"%s%c\" \"%c\"))", ns->userprefix, ns->sep, ns->sep);
	else putfmt(s, " ((\"user%c\" \"%c\"))", ns->sep, ns->sep);
	if (!shared) put(s, " NIL");
	else if (ns->alt) putfmt(s, " ((\"%s%c\" \"%c\"))", ns->sharedprefix, ns->sep, ns->sep);
	else putfmt(s, " ((\"\" \"%c\"))", ns->sep);
	put(s, "\r\n");
	respond_ok(s, "Completed");
}
