/* autocreate.c - see autocreate.h. */
#include "store/autocreate.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/audit.h"
#include "store/mboxlist.h"
#include "store/mboxop.h"
#include "store/paths.h"
#include "store/quota.h"
#include "store/subs.h"
#include "sys/file.h"
#include "sys/newfile.h"
#include "sys/sys.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { SCRIPT_MAX = 1 << 20 };

long autocreate_quota(const struct store *st)
{
	long v = conf_int(st->conf, OPT_AUTOCREATE_QUOTA);
	return v < 0 || (!v && conf_is_set(st->conf, OPT_AUTOCREATEQUOTA)) ? -1 : v;      /* 0 by its old name was "off" */
}

int autocreate_limits(struct store *st, const struct mbname *inbox)
{
	struct quota q;
	long kib = autocreate_quota(st), messages = conf_int(st->conf, OPT_AUTOCREATE_QUOTA_MESSAGES);
	char *root = mbname_internal(inbox, &st->ns);
	int r = kib > 0 || messages > 0 ? quota_read(st, root, &q) : 0;
	if (r == ERR_NOQUOTAROOT) {
		q = (struct quota){ 0 };
		for (int i = 0; i < QUOTA_RESOURCES; i++) q.limit[i] = QUOTA_UNLIMITED;
		if (kib > 0) q.limit[QUOTA_STORAGE] = kib;
		if (messages > 0) q.limit[QUOTA_MESSAGE] = messages;
		r = quota_write(st, root, &q);
		if (!r) audit_quota(st, "newquota", root, &q);
	} else if (!r && (kib > 0 || messages > 0)) {
		quota_free(&q);
	}
	free(root);
	return r;
}

/* ------------------------------------------------------------------------------------------------ one account */

struct account {
	struct store *st;
	struct user user;
	struct namespace ns;
	struct mboxop op;
	struct mbname inbox;
};

/* "a | b/c|" into its trimmed, non-empty parts. */
static void split_bars(const char *s, struct strarray *out)
{
	while (s && *s) {
		size_t n = strcspn(s, "|");
		const char *a = s, *b = s + n;
		while (a < b && isspace((unsigned char)*a)) a++;
		while (b > a && isspace((unsigned char)b[-1])) b--;
		if (b > a) strarray_take(out, mem_dup(a, (size_t)(b - a)));
		s += n + (s[n] == '|');
	}
}

/* A folder of the account, by its name below the INBOX. */
static void folder(const struct account *a, const char *name, struct mbname *out)
{
	char sep[2] = { a->ns.sep, 0 };
	mbname_copy(out, &a->inbox);
	strarray_split(&out->boxes, name, sep);
}

struct find_use { const char *folder; char *use; };

static void match_use(void *arg, const char *key, const char *value)
{
	struct find_use *f = arg;
	if (f->use || strncmp(key, "xlist-", 6) || !key[6] || strcmp(value, f->folder)) return;
	f->use = mem_printf("\\%s", key + 6);
}

/* "folder id rights id rights ..." */
static void grant(struct account *a, const char *name, const struct mbname *n)
{
	struct strarray w = STRARRAY_INIT;
	struct mbentry e;
	const char *all = conf_str(a->st->conf, OPT_AUTOCREATE_ACL);
	strarray_split(&w, all ? all : "", " \t");
	if (w.n > 2 && !strcmp(w.v[0], name) && !mboxlist_lookup_parts(a->st, n, &e)) {
		char *acl = mem_strdup(e.acl);
		for (size_t i = 1; i + 1 < w.n; i += 2) {
			char *more = acl_change(acl, w.v[i], ACL_SET, acl_rights_parse(w.v[i + 1], &a->st->macros, NULL), &a->st->macros);
			free(acl);
			acl = more;
		}
		mailbox_set_acl(a->st, e.name, acl);
		free(acl);
		mbentry_free(&e);
	}
	strarray_free(&w);
}

static void make_folders(struct account *a)
{
	struct strarray names = STRARRAY_INIT;
	split_bars(conf_str(a->st->conf, OPT_AUTOCREATE_INBOX_FOLDERS), &names);
	for (size_t i = 0; i < names.n; i++) {
		struct mbname n;
		struct find_use f = { names.v[i], NULL };
		folder(a, names.v[i], &n);
		conf_each_overflow(a->st->conf, match_use, &f);
		struct mboxop_new how = { .use = f.use };
		int r = mboxop_create(&a->op, &n, &how, NULL);
		if (r && f.use && (r == ERR_BADENTRY || r == ERR_SPECIALUSE || r == ERR_USEPLACE)) {
			log_msg(LOG_WARNING, "autocreate: %s: %s of %s: %s", a->user.userid, f.use, names.v[i], err_text(r));
			r = mboxop_create(&a->op, &n, NULL, NULL);
		}
		if (!r || r == ERR_EXISTS) grant(a, names.v[i], &n);        /* there already: a call before this one was cut short */
		else log_msg(LOG_WARNING, "autocreate: %s: cannot make %s: %s", a->user.userid, names.v[i], err_text(r));
		free(f.use);
		mbname_free(&n);
	}
	strarray_free(&names);
}

/* ------------------------------------------------------------------------------------------------ subscriptions */

static bool readable(struct account *a, const struct mbentry *e)
{
	return (acl_evaluate(e->acl, &a->user.who, &a->st->macros) & (ACL_LOOKUP | ACL_READ)) == (ACL_LOOKUP | ACL_READ);
}

static int subscribe_shared(void *arg, const struct mbentry *e)
{
	struct account *a = arg;
	if (!e->parts.localpart && !e->parts.deleted && readable(a, e)) subs_set(a->st, a->user.userid, &e->parts, true);
	return 0;
}

static void subscribe(struct account *a)
{
	struct strarray own = STRARRAY_INIT, shared = STRARRAY_INIT;
	struct mbname n;
	struct mbentry e;
	split_bars(conf_str(a->st->conf, OPT_AUTOCREATE_SUBSCRIBE_FOLDERS), &own);
	split_bars(conf_str(a->st->conf, OPT_AUTOCREATE_SUBSCRIBE_SHAREDFOLDERS), &shared);
	subs_set(a->st, a->user.userid, &a->inbox, true);
	for (size_t i = 0; i < own.n; i++) {
		folder(a, own.v[i], &n);
		char *name = mbname_internal(&n, &a->st->ns);
		if (!mboxlist_lookup(a->st, name, &e)) {
			subs_set(a->st, a->user.userid, &n, true);
			mbentry_free(&e);
		}
		free(name);
		mbname_free(&n);
	}
	if (conf_bool(a->st->conf, OPT_AUTOCREATE_SUBSCRIBE_SHAREDFOLDERS_ALL)) {
		mboxlist_each(a->st, NULL, MBOXLIST_LIVE, subscribe_shared, a);
	} else {
		for (size_t i = 0; i < shared.n; i++) {
			n = (struct mbname){ .domain = a->inbox.domain ? mem_strdup(a->inbox.domain) : NULL };
			char sep[2] = { a->ns.sep, 0 };
			strarray_split(&n.boxes, shared.v[i], sep);
			char *name = mbname_internal(&n, &a->st->ns);
			if (n.boxes.n && !mboxlist_lookup(a->st, name, &e)) {
				subscribe_shared(a, &e);
				mbentry_free(&e);
			}
			free(name);
			mbname_free(&n);
		}
	}
	strarray_free(&own);
	strarray_free(&shared);
}

/* ------------------------------------------------------------------------------------------------ the script */

static bool install(const char *from, const char *dir, const char *name, const char *suffix)
{
	struct buf text = BUF_INIT;
	char *to = mem_printf("%s/%s%s", dir, name, suffix);
	bool ok = file_read(from, SCRIPT_MAX, &text) == 0 && newfile_write(to, 0600, text.s ? text.s : "", text.len) == 0;
	if (!ok) log_msg(LOG_WARNING, "autocreate: cannot install %s as %s: %m", from, to);
	buf_free(&text);
	free(to);
	return ok;
}

/* 2.5 calls it "default"; 3.6 by the name of its file. There is no compiler here: it becomes active where ready bytecode is
 * configured. */
static void install_script(struct account *a)
{
	const char *script = conf_str(a->st->conf, OPT_AUTOCREATE_SIEVE_SCRIPT),
		*bc = conf_str(a->st->conf, OPT_AUTOCREATE_SIEVE_SCRIPT_COMPILED);
	struct buf dir = BUF_INIT;
	struct mbentry e;
	if (!script || !*script || mboxlist_lookup_parts(a->st, &a->inbox, &e)) return;
	const char *slash = strrchr(script, '/'), *name = a->st->layout->level == LEVEL_25 ? "default" : slash ? slash + 1 : script;
	if (path_sieve(a->st, &e, &dir) && file_mkdirs_sync(buf_cstr(&dir), 0755) == 0
		&& install(script, buf_cstr(&dir), name, ".script")) {
		char *link = mem_printf("%s/defaultbc", buf_cstr(&dir)), *target = mem_printf("%s.bc", name);
		if (!bc || !*bc)
			log_msg(LOG_NOTICE, "autocreate: the script of %s is not active: no compiled form is configured", a->user.userid);
		else if (install(bc, buf_cstr(&dir), name, ".bc") && symlink(target, link) < 0 && errno != EEXIST)
			log_msg(LOG_WARNING, "autocreate: cannot make %s: %m", link);
		free(link);
		free(target);
	}
	buf_free(&dir);
	mbentry_free(&e);
}

/* ------------------------------------------------------------------------------------------------ who, and when */

static bool listed(struct account *a)
{
	const char *all = conf_str(a->st->conf, OPT_AUTOCREATE_USERS);
	struct strarray ids = STRARRAY_INIT;
	bool yes = false;
	strarray_split(&ids, all ? all : "", " \t");
	for (size_t i = 0; i < ids.n && !yes; i++) {
		const char *id = ids.v[i];
		if (!strncmp(id, "group:", 6)) yes = a->user.who.in_group && a->user.who.in_group(a->user.who.arg, id + 6);
		else yes = !strcmp(id, "anyone") || !strcmp(id, a->user.userid);
	}
	strarray_free(&ids);
	return yes;
}

static void make_rest(struct account *a)
{
	char *name = mbname_internal(&a->inbox, &a->st->ns);
	make_folders(a);
	subscribe(a);
	install_script(a);
	/* an error is logged there; the rest is made again, which changes nothing */
	mailbox_clear_marks(a->st, name, INDEX_UNFINISHED);
	free(name);
}

static int make(struct account *a)
{
	struct mboxop_new how = { .marks = INDEX_UNFINISHED };
	int r = mboxop_create(&a->op, &a->inbox, &how, NULL);
	if (r == ERR_EXISTS) return 0;                              /* another session was faster */
	if (r) {
		log_msg(LOG_ERR, "autocreate: cannot make the INBOX of %s: %s", a->user.userid, err_text(r));
		return r;
	}
	log_msg(LOG_NOTICE, "autocreate: made the INBOX of %s", a->user.userid);
	make_rest(a);
	return 0;
}

int autocreate_user(struct store *st, const char *userid)
{
	struct account a = { .st = st };
	struct mbentry e;
	if (autocreate_quota(st) < 0 || !userid || !strcmp(userid, "anonymous") || mbname_from_userid(&a.inbox, userid, &st->ns))
		return 0;
	char *name = mbname_internal(&a.inbox, &st->ns);
	int r = mboxlist_lookup(st, name, &e);
	free(name);
	bool there = !r, rest = there && mailbox_marks(st, &e) & INDEX_UNFINISHED;
	if (there) mbentry_free(&e);
	if (r == ERR_NOMAILBOX || rest) {
		user_init(&a.user, st->conf, userid);
		r = namespace_init(&a.ns, st->conf, false);
		if (!r) {
			a.ns.level = st->ns.level;
			a.op = (struct mboxop){ .st = st, .user = &a.user, .ns = &a.ns };
			if (rest) make_rest(&a);
			else if (!a.user.isadmin && listed(&a)) r = make(&a);
			namespace_free(&a.ns);
		}
		user_free(&a.user);
	}
	mbname_free(&a.inbox);
	return r;
}
