/* cmd_acl.c - GETACL, SETACL, DELETEACL, LISTRIGHTS, MYRIGHTS (RFC 4314, spec/imap.md 8). */
#include "base/err.h"
#include "base/log.h"
#include "imapd/commands.h"
#include "imapd/mboxarg.h"
#include "imapd/respond.h"
#include "store/mailbox.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* One mailbox name and nothing else. */
static bool only_mailbox(struct session *s, char **name)
{
	if (!args_astring(&s->args, name)) respond_missing(s);
	else if (!args_end(&s->args)) respond_extra(s);
	else return true;
	return false;
}

static bool owner_or_admin(struct session *s, const struct mboxarg *m)
{
	return s->user.isadmin || (mbname_owned_by(&m->parts, s->user.userid, &s->st->ns));
}

static void put_entry(void *arg, const char *id, const char *rights)
{
	struct session *s = arg;
	put(s, " ");
	put_astring(s, id);
	put(s, " ");
	put_astring(s, rights);
}

void cmd_getacl(struct session *s)
{
	struct mboxarg m = { 0 };
	char *name;
	if (!only_mailbox(s, &name)) return;
	int r = mboxarg_find(s, name, &m);
	if (!r && !(m.rights & ACL_ADMIN) && !owner_or_admin(s, &m)) r = ERR_PERM;
	if (!r) {
		put(s, "* ACL ");
		put_astring(s, name);
		acl_each(m.entry.acl, put_entry, s);
		put(s, "\r\n");
	}
	mboxarg_free(&m);
	respond_done(s, r);
}

void cmd_myrights(struct session *s)
{
	struct mboxarg m = { 0 };
	struct buf b = BUF_INIT;
	char *name;
	if (!only_mailbox(s, &name)) return;
	int r = mboxarg_find(s, name, &m);
	if (m.found)
		r = m.rights & (ACL_LOOKUP | ACL_READ | ACL_INSERT | ACL_CREATE | ACL_DELETEMBOX | ACL_ADMIN) ? 0 : ERR_NOMAILBOX;
	if (!r) {
		acl_rights_print(&b, m.rights, &s->st->macros);
		put(s, "* MYRIGHTS ");
		put_astring(s, name);
		putfmt(s, " %s\r\n", buf_cstr(&b));
	}
	buf_free(&b);
	mboxarg_free(&m);
	respond_done(s, r);
}

/* ------------------------------------------------------------------------------------------------ LISTRIGHTS */

/* What an owner cannot lose comes first, then each other right by itself. */
static void put_rights_list(struct session *s, const struct mboxarg *m, const char *id, bool canonical)
{
	struct buf b = BUF_INIT;
	const char *order = "lrswipkxtecdan";
	bool inbox = mbname_is_inbox(&m->parts);          /* there p may be given by itself: mail comes in that way */
	if (!canonical) {
		put(s, " \"\"");
	} else if ((!m->parts.deleted || s->level == LEVEL_36) && mbname_owned_by(&m->parts, id, &s->st->ns)) {
		const char *implicit = conf_str(s->conf, OPT_IMPLICIT_OWNER_RIGHTS);
		uint32_t have = acl_rights_parse(implicit ? implicit : "", &s->st->macros, NULL);
		acl_rights_print(&b, have, &s->st->macros);
		/* the macro c goes with k and x, d with t and e */
		putfmt(s, " %s", buf_cstr(&b));
		for (const char *p = s->level == LEVEL_25 ? "rswiptedn" : "rswipted"; *p; p++)
			if (!strchr(buf_cstr(&b), *p)) putfmt(s, " %c", *p);
		put(s, " 0 1 2 3 4 5 6 7 8 9");
	} else {
		put(s, inbox ? " p" : " \"\"");
		for (const char *p = order; *p; p++)
			if (!inbox || *p != 'p') putfmt(s, " %c", *p);
		put(s, " 0 1 2 3 4 5 6 7 8 9");
	}
	buf_free(&b);
}

void cmd_listrights(struct session *s)
{
	struct mboxarg m = { 0 };
	char *name, *id, *canon = NULL;
	if (!args_astring(&s->args, &name) || !args_space(&s->args) || !args_astring(&s->args, &id)) {
		respond_missing(s);
		return;
	}
	if (!args_end(&s->args)) {
		respond_extra(s);
		return;
	}
	int r = mboxarg_find(s, name, &m);
	if (!r && !(m.rights & ACL_ADMIN) && !owner_or_admin(s, &m)) r = ERR_PERM;
	if (!r) {
		const char *at = s->user.userid ? strrchr(s->user.userid, '@') : NULL;
		bool ok = !user_canon(s->conf, *id == '-' ? id + 1 : id, at ? at + 1 : NULL, &canon);
		put(s, "* LISTRIGHTS ");
		put_astring(s, name);
		put(s, " ");
		put_astring(s, id);
		put_rights_list(s, &m, *id == '-' ? "" : canon ? canon : "", ok);
		put(s, "\r\n");
		free(canon);
	}
	mboxarg_free(&m);
	respond_done(s, r);
}

/* ------------------------------------------------------------------------------------------------ SETACL, DELETEACL */

/* "-id" keeps its sign. Caller frees. */
static int canonical_id(struct session *s, const char *id, char **out)
{
	const char *at = s->user.userid ? strrchr(s->user.userid, '@') : NULL;
	bool negative = *id == '-';
	char *canon;
	if (!*id || (negative && !id[1])) return ERR_BADIDENT;
	int r = user_canon(s->conf, id + negative, at ? at + 1 : NULL, &canon);
	if (r) return ERR_BADIDENT;
	struct buf b = BUF_INIT;
	if (negative) buf_putc(&b, '-');
	buf_puts(&b, canon);
	free(canon);
	*out = buf_take(&b);
	return 0;
}

static int change_acl(struct session *s, const struct mboxarg *m, const char *id, enum acl_how how, uint32_t rights)
{
	if (!(m->rights & ACL_ADMIN) && !owner_or_admin(s, m)) return ERR_PERM;
	if (!s->user.isadmin && !conf_bool(s->conf, OPT_ALLOWSETACL)) return ERR_DISABLED;
	if (!s->user.isadmin && !conf_bool(s->conf, OPT_ANYONEUSERACL) && !strcmp(id, "anyone")) return ERR_PERM;
	char *acl = acl_change(m->entry.acl, id, how, rights, &s->st->macros);
	int r = 0;
	if (!s->user.isadmin && !owner_or_admin(s, m) && !(acl_evaluate(acl, &s->user.who, &s->st->macros) & ACL_ADMIN)) r = ERR_PERM;
	if (!r && strcmp(acl, m->entry.acl)) r = mailbox_set_acl(s->st, m->name, acl);
	free(acl);
	return r;
}

static void set_acl(struct session *s, const char *name, const char *id, const char *rights)
{
	struct mboxarg m = { 0 };
	enum acl_how how = ACL_SET;
	char *canon = NULL, bad = 0;
	if (*rights == '+') how = ACL_ADD, rights++;
	else if (*rights == '-') how = ACL_REMOVE, rights++;
	uint32_t bits = acl_rights_parse(rights, &s->st->macros, &bad);
	if (bad && s->level == LEVEL_36) {
		respond_bad(s, "The %c right is not supported", bad);
		return;
	}
	int r = mboxarg_find(s, name, &m);
	if (!r) r = canonical_id(s, id, &canon);
	if (!r) r = change_acl(s, &m, canon, how, bits);
	free(canon);
	mboxarg_free(&m);
	respond_done(s, r);
}

void cmd_setacl(struct session *s)
{
	char *name, *id, *rights;
	if (!args_astring(&s->args, &name) || !args_space(&s->args) || !args_astring(&s->args, &id) || !args_space(&s->args)
	    || !args_astring(&s->args, &rights)) respond_missing(s);
	else if (!args_end(&s->args)) respond_extra(s);
	else set_acl(s, name, id, rights);
}

void cmd_deleteacl(struct session *s)
{
	char *name, *id;
	if (!args_astring(&s->args, &name) || !args_space(&s->args) || !args_astring(&s->args, &id)) respond_missing(s);
	else if (!args_end(&s->args)) respond_extra(s);
	else set_acl(s, name, id, "");
}
