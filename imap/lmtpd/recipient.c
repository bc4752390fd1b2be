/* recipient.c - see recipient.h. */
#include "lmtpd/recipient.h"
#include "base/err.h"
#include "base/mem.h"
#include "proto/saslserver.h"
#include "store/autocreate.h"
#include "store/mailbox.h"
#include "store/mboxlist.h"
#include "store/paths.h"
#include "store/quota.h"
#include "text/mutf7.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void recipient_free(struct recipient *r)
{
	free(r->userid);
	free(r->mailbox);
	free(r->folder);
	free(r->partition);
	*r = (struct recipient){ 0 };
}

/* ------------------------------------------------------------------------------------------------ quota and rights */

int recipient_quota(struct delivery_env *env, const struct mbentry *e, uint64_t size)
{
	bool strict = conf_bool(env->conf, OPT_LMTP_STRICT_QUOTA);
	struct quota q;
	char *root = quota_find_root(env->st, &e->parts);
	int r = root ? quota_read(env->st, root, &q) : ERR_NOQUOTAROOT;
	free(root);
	if (r) return r == ERR_NOQUOTAROOT ? 0 : r;
	uint64_t more[QUOTA_RESOURCES] = { [QUOTA_STORAGE] = strict ? size : 0, [QUOTA_MESSAGE] = strict };
	for (int i = QUOTA_STORAGE; i <= QUOTA_MESSAGE && !r; i++)
		if (q.limit[i] >= 0 && q.used[i] + more[i] > (uint64_t)q.limit[i] * quota_resources[i].unit) r = ERR_QUOTA;
	quota_free(&q);
	return r;
}

static uint32_t rights(struct delivery_env *env, const struct mbentry *e)
{
	return acl_evaluate(e->acl, &env->poster.who, &env->st->macros);
}

bool recipient_may_post(struct delivery_env *env, const struct mbentry *e) { return rights(env, e) & ACL_POST; }

/* ------------------------------------------------------------------------------------------------ near names */

/* Lower case, without white space. */
static char *folded(const char *s)
{
	char *out = mem_strdup(s), *to = out;
	for (; *s; s++)
		if (!isspace((unsigned char)*s)) *to++ = (char)tolower((unsigned char)*s);
	*to = 0;
	return out;
}

struct near { const char *want; char *found; };

static int near_one(void *arg, const struct mbentry *e)
{
	struct near *n = arg;
	char *name = folded(e->name);
	bool same = !strcmp(name, n->want);
	free(name);
	if (same) n->found = mem_strdup(e->name);
	return same;
}

/* The top of what `name` belongs to: "user.X", or the first component of a shared name. Its length in the string. */
static size_t top_of(const struct mbname *n, const char *name)
{
	const char *start = strchr(name, '!');
	start = start ? start + 1 : name;
	const char *dot = strchr(start, '.');
	if (dot && n->localpart) dot = strchr(dot + 1, '.');
	return dot ? (size_t)(dot - name) : strlen(name);
}

char *recipient_fuzzy(struct delivery_env *env, const char *name)
{
	struct mbname parts, under = { 0 };
	char *want = folded(name);
	struct near n = { want, NULL };
	if (mbname_from_internal(&parts, name, &env->st->ns)) {
		free(want);
		return NULL;
	}
	bool shared = !parts.localpart;
	size_t top = top_of(&parts, want);
	mbname_copy(&under, &parts);
	while (under.boxes.n) strarray_remove(&under.boxes, under.boxes.n - 1);
	for (;;) {
		if (strlen(want) < top || (!shared && strlen(want) == top)) break;
		mboxlist_each(env->st, shared ? NULL : &under, MBOXLIST_LIVE, near_one, &n);
		char *dot = strrchr(want, '.');
		if (n.found || !dot || dot < want + top) break;
		*dot = 0;
	}
	mbname_free(&parts);
	mbname_free(&under);
	free(want);
	return n.found;
}

/* ------------------------------------------------------------------------------------------------ names */

static bool hidden_domain(const struct delivery_env *env, const char *domain)
{
	const char *dflt = env->st->ns.defaultdomain;
	return !domain || !env->st->ns.virtdomains || *domain == '[' || (dflt && !strcasecmp(dflt, domain));
}

static void downcase(char *s)
{
	for (; s && *s; s++) *s = (char)tolower((unsigned char)*s);
}

/* "a.b" or "a/b" by the configured separator into components. ERR_BADNAME: an empty one. */
static int split_folder(struct delivery_env *env, const char *folder, struct strarray *boxes)
{
	struct buf b = BUF_INIT;
	char sep = env->st->ns.sep;
	int r = env->level == LEVEL_36 ? mutf7_from_utf8(folder, strlen(folder), &b) : 0;
	if (env->level != LEVEL_36) buf_puts(&b, folder);
	for (const char *p = buf_cstr(&b); !r; p++) {
		const char *end = strchr(p, sep);
		size_t n = end ? (size_t)(end - p) : strlen(p);
		if (!n) r = ERR_BADNAME;
		else strarray_take(boxes, mem_dup(p, n));
		p += n;
		if (!*p) break;
	}
	buf_free(&b);
	return r;
}

/* The internal name of X's folder; NULL when it can be none (then the INBOX takes the mail). */
static char *user_folder(struct delivery_env *env, const struct mbname *inbox, const char *folder)
{
	struct mbname n = { 0 };
	mbname_copy(&n, inbox);
	char *name = split_folder(env, folder, &n.boxes) ? NULL : mbname_internal(&n, &env->st->ns);
	mbname_free(&n);
	return name;
}

/* ------------------------------------------------------------------------------------------------ the two kinds */

static int usable(struct delivery_env *env, const struct mbentry *e, const struct recipient *r, uint64_t size)
{
	if (e->flags & (MBENTRY_MOVING | MBENTRY_REMOTE | MBENTRY_RESERVED)) return ERR_MOVED;
	return r->ignorequota ? 0 : recipient_quota(env, e, size);
}

static int check_user(struct delivery_env *env, const char *userid, const char *folder, uint64_t size, struct recipient *out)
{
	struct mbname inbox;
	struct mbentry e;
	char *why = NULL;
	if (mbname_from_userid(&inbox, userid, &env->st->ns)) return ERR_NOMAILBOX;
	int r = mboxlist_lookup_parts(env->st, &inbox, &e);
	if (!r && e.flags & MBENTRY_DELETED) {
		mbentry_free(&e);
		r = ERR_NOMAILBOX;
	}
	if ((!r || r == ERR_NOMAILBOX) && conf_bool(env->conf, OPT_AUTOCREATE_POST)) {
		bool there = !r;
		int made = autocreate_user(env->st, userid);               /* of one that is there: what a death has left unmade */
		if (!there && !made) r = mboxlist_lookup_parts(env->st, &inbox, &e);
	}
	if (!r) {
		out->userid = mem_strdup(userid);
		out->mailbox = mem_strdup(e.name);
		out->partition = mem_strdup(e.partition ? e.partition : "");
		out->folder = folder && *folder ? user_folder(env, &inbox, folder) : NULL;
		r = user_denied(env->conf, env->service, userid, &why) ? ERR_DISABLED : usable(env, &e, out, size);
		mbentry_free(&e);
		free(why);
	} else if (r == ERR_BADNAME) {
		r = ERR_NOMAILBOX;
	}
	mbname_free(&inbox);
	return r;
}

static int check_shared(struct delivery_env *env, const char *folder, const char *domain, uint64_t size, struct recipient *out)
{
	struct mbname n = { .domain = hidden_domain(env, domain) ? NULL : mem_strdup(domain) };
	struct mbentry e;
	int r = split_folder(env, folder, &n.boxes);
	char *name = r ? NULL : mbname_internal(&n, &env->st->ns);
	mbname_free(&n);
	if (!r) r = mboxlist_lookup(env->st, name, &e);
	if (r == ERR_NOMAILBOX && conf_bool(env->conf, OPT_LMTP_FUZZY_MAILBOX_MATCH)) {
		char *near = recipient_fuzzy(env, name);
		if (near) r = mboxlist_lookup(env->st, near, &e);
		free(near);
	}
	free(name);
	if (r) return r == ERR_BADNAME ? ERR_NOMAILBOX : r;
	out->mailbox = mem_strdup(e.name);
	out->partition = mem_strdup(e.partition ? e.partition : "");
	uint32_t have = rights(env, &e);
	r = have & ACL_POST ? usable(env, &e, out, size) : have & ACL_LOOKUP ? ERR_PERM : ERR_NOMAILBOX;
	mbentry_free(&e);
	return r;
}

int recipient_check(struct delivery_env *env, const struct lmtp_address *a, bool ignorequota, uint64_t size,
	struct recipient *out)
{
	char *user, *folder;
	const char *postuser = conf_str(env->conf, OPT_POSTUSER), *catchall = conf_str(env->conf, OPT_LMTP_CATCHALL_MAILBOX);
	char *domain = a->domain ? mem_strdup(a->domain) : NULL;
	*out = (struct recipient){ .ignorequota = ignorequota };
	lmtp_address_split(a->local, &user, &folder);
	if (conf_bool(env->conf, OPT_LMTP_DOWNCASE_RCPT)) {
		downcase(user);
		downcase(domain);
	}
	int r;
	if (!strcmp(user, postuser ? postuser : "") && folder) {
		r = check_shared(env, folder, domain, size, out);
	} else {
		char *userid = hidden_domain(env, domain) ? mem_strdup(user) : mem_printf("%s@%s", user, domain);
		r = check_user(env, userid, folder, size, out);
		if (r == ERR_NOMAILBOX && catchall && *catchall) r = check_user(env, catchall, folder, size, out);
		free(userid);
	}
	free(user);
	free(folder);
	free(domain);
	if (r) recipient_free(out);
	return r;
}

/* ------------------------------------------------------------------------------------------------ scripts */

bool recipient_sieve_dir(struct delivery_env *env, const struct mbentry *inbox, struct buf *out)
{
	return path_sieve(env->st, inbox, out);
}
