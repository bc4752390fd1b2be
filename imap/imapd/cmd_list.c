/* cmd_list.c - LIST and LSUB: one ordered pass over the mailbox list or the subscriptions, namespace and ACL, a linear-time pattern
 * (RFC 3501 6.3.8, 6.3.9; RFC 3348; spec/imap.md 6.2, names.md 6.3). */
#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "imapd/commands.h"
#include "imapd/mboxarg.h"
#include "imapd/respond.h"
#include "imapd/selected.h"
#include "store/mboxlist.h"
#include "store/specialuse.h"
#include "store/subs.h"
#include "sys/clock.h"
#include "text/glob.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Order of the answer: where the release lists by category. */
enum category { CAT_INBOX, CAT_OWN, CAT_ALT, CAT_OTHER, CAT_SHARED, CAT_DELETED };

struct entry {
	char *ext;                        /* in s->cmd */
	char *use;                        /* special uses, or NULL */
	size_t suffix;                    /* bytes of "@domain" at the end of ext: no level of the hierarchy lies in it */
	uint32_t order;                   /* in the database */
	enum category category;
	bool listed;                      /* false: only its ancestors count (a subscription whose mailbox is gone) */
	bool inbox;
};

struct listing {
	struct session *s;
	struct glob *glob;
	const char *verb;                 /* "LIST" or "LSUB" */
	bool subs, all_levels;            /* all_levels: the pattern ends in %: every level it matches is listed */
	struct entry *v;
	size_t n, alloc;
	struct hash *entries;             /* ext -> entry, those that are listed */
	struct hash *parents;             /* names that have something below them */
	struct hash *exists;              /* 2.5: mailboxes that exist though the user may not look them up */
	struct hash *done;                /* placeholders that were printed */
	struct specialuse *uses;
	unsigned calls;
};

/* ------------------------------------------------------------------------------------------------ collecting */

static enum category category_of(struct listing *l, const struct mbname *n, const char *ext)
{
	struct session *s = l->s;
	if (!n->localpart) return CAT_SHARED;
	if (n->deleted) return CAT_DELETED;
	if (s->ns.isadmin || !mbname_owned_by(n, s->user.userid, &s->ns)) return CAT_OTHER;
	size_t alt = strlen(s->ns.altprefix);
	if (!n->boxes.n) return CAT_INBOX;
	if (s->ns.alt && !strncmp(ext, "INBOX", 5) && ext[5] == s->ns.sep) return CAT_INBOX;
	return s->ns.alt && alt && !strncmp(ext, s->ns.altprefix, alt) && ext[alt] == s->ns.sep ? CAT_ALT : CAT_OWN;
}

/* The name of a level: the first `len` bytes of the name, and its domain. In s->cmd. */
static char *level_name(struct listing *l, const struct entry *e, size_t len)
{
	return arena_printf(l->s->cmd, "%.*s%s", (int)len, e->ext, e->ext + strlen(e->ext) - e->suffix);
}

static void note_parents(struct listing *l, const struct entry *e)
{
	for (size_t n = strlen(e->ext) - e->suffix; n-- > 1;) {
		if (e->ext[n] != l->s->ns.sep) continue;
		if (!e->suffix ? hash_put(l->parents, e->ext, n, l) : hash_puts(l->parents, level_name(l, e, n), l)) break;      /* and so are all above */
	}
}

static size_t domain_suffix(const struct mbname *n, const char *ext)
{
	size_t d = n->domain ? strlen(n->domain) + 1 : 0, len = strlen(ext);
	return d && len > d && ext[len - d] == '@' && !strcmp(ext + len - d + 1, n->domain) ? d : 0;
}

static void add(struct listing *l, const struct mbname *n, const struct mbentry *e, bool listed)
{
	struct session *s = l->s;
	struct buf use = BUF_INIT;
	char *ext = session_external(s, n);
	if (!ext) return;
	MEM_GROW(l->v, l->alloc, l->n + 1);
	struct entry *x = &l->v[l->n];
	*x = (struct entry){ .ext = ext, .order = (uint32_t)l->n, .listed = listed, .category = category_of(l, n, ext),
		.suffix = domain_suffix(n, ext),
		.inbox = mbname_is_inbox(n) && mbname_owned_by(n, s->user.userid, &s->ns) && !s->ns.isadmin };
	if (s->level == LEVEL_25 && !s->ns.alt) x->category = s->ns.isadmin ? CAT_OWN : x->category <= CAT_ALT ? CAT_OWN : CAT_OTHER;
	if (s->level == LEVEL_25 && s->ns.alt && x->category == CAT_INBOX) x->category = CAT_OWN;
	if (e && specialuse_get(l->uses, e, &use)) x->use = arena_dup(s->cmd, use.s, use.len);
	buf_free(&use);
	l->n++;
	note_parents(l, x);
}

static bool hidden(const struct session *s, const struct mbname *n)
{
	if (s->ns.isadmin) return false;
	if (!n->localpart) return conf_bool(s->conf, OPT_DISABLE_SHARED_NAMESPACE);
	return !mbname_owned_by(n, s->user.userid, &s->ns) && conf_bool(s->conf, OPT_DISABLE_USER_NAMESPACE);
}

static int add_mailbox(void *arg, const struct mbentry *e)
{
	struct listing *l = arg;
	struct session *s = l->s;
	if ((e->parts.deleted || e->type != 'e') && !s->ns.isadmin) return 0;      /* calendars and their like are not for mail clients */
	if (hidden(s, &e->parts)) return 0;
	if (session_rights(s, e) & ACL_LOOKUP) {
		add(l, &e->parts, e, true);
	} else if (s->level == LEVEL_25) {
		char *ext = session_external(s, &e->parts);
		if (ext) hash_puts(l->exists, ext, l);
	}
	return 0;
}

static int add_subscription(void *arg, const struct mbname *n)
{
	struct listing *l = arg;
	struct mbentry e;
	bool found = !mboxlist_lookup_parts(l->s->st, n, &e);
	bool live = found && !(e.flags & (MBENTRY_DELETED | MBENTRY_INTERMEDIATE | MBENTRY_RESERVED));
	add(l, n, NULL, live || conf_bool(l->s->conf, OPT_ALLOWALLSUBSCRIBE));
	if (found) mbentry_free(&e);
	return 0;
}

static int by_category(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	if (x->category != y->category) return x->category < y->category ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static int collect(struct listing *l)
{
	struct session *s = l->s;
	int r;
	if (l->subs) r = subs_each(s->st, s->user.userid, add_subscription, l);
	else r = mboxlist_each(s->st, NULL, MBOXLIST_LIVE, add_mailbox, l);
	if (l->n > 1) qsort(l->v, l->n, sizeof *l->v, by_category);
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].listed) hash_puts(l->entries, l->v[i].ext, &l->v[i]);
	return r;
}

/* ------------------------------------------------------------------------------------------------ answering */

static void put_line(struct listing *l, const char *name, size_t len, const struct entry *e, bool noselect)
{
	struct session *s = l->s;
	const char *sep = "";
	bool children = hash_get(l->parents, name, len) != NULL;
	char *copy = arena_dup(s->cmd, name, len);
	l->calls++;
	putfmt(s, "* %s (", l->verb);
	if (e && e->inbox && s->ns.alt && s->level == LEVEL_25) put(s, "\\Noinferiors"), sep = " ";
	if (noselect) putfmt(s, "%s\\Noselect", sep), sep = " ";
	if (children) putfmt(s, "%s\\HasChildren", sep), sep = " ";
	else if (!l->subs) putfmt(s, "%s\\HasNoChildren", sep), sep = " ";
	if (e && e->use) putfmt(s, "%s%s", sep, e->use);
	putfmt(s, ") \"%c\" ", s->ns.sep);
	put_astring(s, copy);
	put(s, "\r\n");
}

/* A level above some mailbox that the pattern matches and that is no mailbox of this listing itself. */
static void put_level(struct listing *l, const struct entry *e, size_t len)
{
	struct session *s = l->s;
	if (len > strlen(e->ext) - e->suffix) return;
	const char *name = level_name(l, e, len);
	size_t n = strlen(name);
	if (hash_get(l->entries, name, n) || hash_put(l->done, name, n, l)) return;
	if (s->level == LEVEL_25 && s->ns.alt && !strcmp(name, s->ns.sharedprefix)) return;
	put_line(l, name, n, NULL, l->subs || !hash_get(l->exists, name, n));
}

enum { LEVELS = 512 };

static void answer(struct listing *l, const struct entry *e)
{
	size_t whole = strlen(e->ext), lens[LEVELS];
	if (l->all_levels) {
		size_t n = glob_match_all(l->glob, e->ext, lens, LEVELS);
		for (size_t i = 0; i < n && i < LEVELS; i++) {
			if (lens[i] < whole) put_level(l, e, lens[i]);
			else if (e->listed) put_line(l, e->ext, whole, e, false);
		}
		return;
	}
	long len = glob_match_prefix(l->glob, e->ext, 0);
	if (len < 0) return;
	if ((size_t)len < whole) put_level(l, e, (size_t)len);
	else if (e->listed) put_line(l, e->ext, whole, e, false);
}

static void list(struct session *s, const char *pattern, bool subs)
{
	struct listing l = {
		.s = s, .subs = subs, .verb = subs ? "LSUB" : "LIST", .glob = glob_new(pattern, s->ns.sep, GLOB_INBOX),
		.entries = hash_new(), .parents = hash_new(), .exists = hash_new(), .done = hash_new(),
		.all_levels = *pattern && pattern[strlen(pattern) - 1] == '%',
	};
	int64_t start = clock_mono();
	if (!subs && conf_bool(s->conf, OPT_SPECIALUSEALWAYS)) l.uses = specialuse_open(s->st, s->user.userid);
	int r = collect(&l);
	specialuse_close(l.uses);
	for (size_t i = 0; i < l.n && !r; i++) answer(&l, &l.v[i]);
	double took = (double)(clock_mono() - start) / NSEC_PER_SEC;
	if (r) respond_err(s, r);
	else if (l.calls) respond_ok(s, "Completed (%.3f secs %u calls)", took, l.calls);
	else respond_ok(s, "Completed (%.3f secs)", took);
	glob_free(l.glob);
	hash_free(l.entries, NULL);
	hash_free(l.parents, NULL);
	hash_free(l.exists, NULL);
	hash_free(l.done, NULL);
	free(l.v);
}

static void list_command(struct session *s, bool subs)
{
	char *ref, *pattern;
	if (!args_astring(&s->args, &ref)) {
		if (args_end(&s->args)) respond_bad(s, "Missing required argument to %s: reference name", s->name);
		else respond_bad(s, "Invalid syntax in %s command", s->name);
		return;
	}
	if (!args_space(&s->args)) {
		respond_bad(s, "Missing required argument to %s: mailbox pattern", s->name);
		return;
	}
	if (!args_list_mailbox(&s->args, &pattern)) {
		if (args_end(&s->args)) respond_extra(s);
		else respond_bad(s, "Invalid syntax in %s command", s->name);
		return;
	}
	if (!args_end(&s->args)) {
		respond_extra(s);
		return;
	}
	if (!*pattern) {
		if (!subs) respond(s, "LIST (\\Noselect) \"%c\" \"\"", s->ns.sep);
		respond_ok(s, "Completed (0.000 secs)");
		return;
	}
	if (*ref && !conf_bool(s->conf, OPT_IGNOREREFERENCE)) pattern = arena_printf(s->cmd, "%s%s", ref, pattern);
	list(s, pattern, subs);
}

void cmd_list(struct session *s) { list_command(s, false); }
void cmd_lsub(struct session *s) { list_command(s, true); }
