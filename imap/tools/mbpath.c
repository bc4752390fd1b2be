/* mbpath.c - where the files of a mailbox or of a user are (spec/tools.md 3 and 7). */
#include "base/err.h"
#include "base/mem.h"
#include "store/paths.h"
#include "tools/toolbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

static const struct { const char *key, *suffix; char letter; } user_files[] = {
	{ "conversations", "conversations", 0 }, { "counters", "counters", 0 }, { "dav", "dav", 0 }, { "seen", "seen", 0 },
	{ "sieve", NULL, 'S' }, { "sub", "sub", 0 }, { "xapianactive", "xapianactive", 0 },
};
#define COUNT(a) (sizeof (a) / sizeof *(a))

struct choice {
	bool quiet, stop, json, labelled, users, paths;
	bool archive, data, meta, sieve, user;
};

/* ------------------------------------------------------------------------------------------------ paths */

static void sieve_dir(struct store *st, const struct mbname *u, struct buf *out)
{
	struct mbname inbox = { .domain = u->domain, .localpart = u->localpart };
	struct mbentry e;
	const char *root = conf_str(st->conf, OPT_SIEVEDIR);
	bool full = conf_bool(st->conf, OPT_FULLDIRHASH);
	char *name = mbname_internal(&inbox, &st->ns);
	bool known = !mboxlist_lookup_any(st, name, &e);
	if (known && e.flags & MBENTRY_DELETED) {
		;                                      /* the account is gone: none */
	} else if (known && !(e.flags & MBENTRY_LEGACYDIRS) && e.uniqueid && strlen(e.uniqueid) > 1) {
		path_by_id(root ? root : "", e.uniqueid, out);
	} else {
		buf_puts(out, root ? root : "");
		if (u->domain) buf_printf(out, "/domain/%c/%s", dir_hash_c(u->domain, full), u->domain);
		buf_printf(out, "/%c/%s", dir_hash_c(u->localpart, full), u->localpart);
	}
	if (known) mbentry_free(&e);
	free(name);
}

static void user_path(struct store *st, const struct mbname *n, size_t i, struct buf *out)
{
	if (!user_files[i].suffix) {
		sieve_dir(st, n, out);
		return;
	}
	char *userid = mbname_userid(n);
	st->layout->user_file(st, userid, user_files[i].suffix, out);
	free(userid);
}

static int kind_path(struct store *st, const struct mbentry *e, const char *what, struct buf *out)
{
	const char *root = NULL;
	if (*what == 'm') root = conf_partition(st->conf, "metapartition-", e->partition);
	if (*what == 'a' && conf_bool(st->conf, OPT_ARCHIVE_ENABLED))
		root = conf_partition(st->conf, "archivepartition-", e->partition);
	if (!root) return path_mailbox(st, e, META_DATA, NULL, out);
	st->layout->mailbox_dir(st, e, root, out);
	return 0;
}

/* ------------------------------------------------------------------------------------------------ JSON */

static void quote(const char *s)
{
	putchar('"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		if (c == '"' || c == '\\') printf("\\%c", c);
		else if (c < 0x20) printf("\\u%04X", c);
		else putchar(c);
	}
	putchar('"');
}

static void member(const char *indent, const char *key, const char *value, const char *end)
{
	printf("%s\"%s\": ", indent, key);
	quote(value);
	puts(end);
}

static void json_name(struct store *st, const struct mbname *n)
{
	char *intname = mbname_internal(n, &st->ns), *userid = mbname_userid(n);
	fputs("  \"mbname\": {\n    \"boxes\": [", stdout);
	for (size_t i = 0; i < n->boxes.n; i++) {
		fputs(i ? ",\n      " : "\n      ", stdout);
		quote(n->boxes.v[i]);
	}
	fputs(n->boxes.n ? "\n    ],\n" : "],\n", stdout);
	if (n->domain) member("    ", "domain", n->domain, ",");
	member("    ", "intname", intname, n->deleted || userid ? "," : "");
	if (n->deleted) printf("    \"isdeleted\": %lld%s\n", (long long)n->is_deleted_at, userid ? "," : "");
	if (userid) {
		member("    ", "localpart", n->localpart, ",");
		member("    ", "userid", userid, "");
	}
	fputs("  },\n", stdout);
	free(intname);
	free(userid);
}

static int json(struct store *st, const struct mbentry *e)
{
	static const char *const kinds[] = { "archive", "data", "meta" };
	struct buf path = BUF_INIT;
	int r = 0;
	puts("{");
	for (size_t i = 0; i < COUNT(kinds) && !r; i++) {
		buf_reset(&path);
		if (*kinds[i] == 'm') json_name(st, &e->parts);
		r = kind_path(st, e, kinds[i], &path);
		member("  ", kinds[i], buf_cstr(&path), i == 2 && !e->parts.localpart ? "" : ",");
	}
	if (e->parts.localpart) {
		fputs("  \"user\": {\n", stdout);
		for (size_t i = 0; i < COUNT(user_files); i++) {
			buf_reset(&path);
			user_path(st, &e->parts, i, &path);
			member("    ", user_files[i].key, buf_cstr(&path), i + 1 < COUNT(user_files) ? "," : "");
		}
		fputs("  },\n  \"xapian\": {}\n", stdout);
	}
	puts("}");
	buf_free(&path);
	return r;
}

/* ------------------------------------------------------------------------------------------------ text */

static int line(struct store *st, const struct mbentry *e, const char *label, const char *what, bool labelled)
{
	struct buf path = BUF_INIT;
	int r = kind_path(st, e, what, &path);
	if (!r && labelled) printf("%s: ", label);
	if (!r) puts(buf_cstr(&path));
	buf_free(&path);
	return r;
}

static void user_lines(struct store *st, const struct mbentry *e, const struct choice *c)
{
	struct buf path = BUF_INIT;
	if (!e->parts.localpart) return;
	if (c->sieve) {
		sieve_dir(st, &e->parts, &path);
		printf("%s%s\n", c->labelled ? "Sieve: " : "", buf_cstr(&path));
	}
	if (c->user) {
		buf_reset(&path);
		user_path(st, &e->parts, 5, &path);            /* the subscriptions: the directory and stem of all of them */
		char *s = buf_take(&path), *slash = strrchr(s, '/');
		if (slash && st->layout->level == LEVEL_36 && !(e->flags & MBENTRY_LEGACYDIRS)) *slash = 0;
		else if (strlen(s) > 4) s[strlen(s) - 4] = 0;
		printf("%s%s\n", c->labelled ? "User: " : "", s);
		free(s);
	}
	buf_free(&path);
}

static int show(struct toolbox *t, const struct mbentry *e, const struct choice *c)
{
	int r = 0;
	if (c->json) return json(t->st, e);
	if (c->archive) r = line(t->st, e, "Archive", "archive", c->labelled);
	if (!r && c->data) r = line(t->st, e, "Data", "data", c->labelled);
	if (!r && c->meta) r = line(t->st, e, "Meta", "meta", c->labelled);
	if (!r) user_lines(t->st, e, c);
	return r;
}

/* -p: the mailbox whose directory this is, by whatever path. */
struct by_directory {
	struct toolbox *t;
	struct stat want;
	char *name;
};

static int is_directory(void *arg, const struct mbentry *e)
{
	struct by_directory *d = arg;
	static const enum meta_kind kinds[] = { META_DATA, META_HEADER };
	for (size_t i = 0; i < COUNT(kinds) && !d->name; i++) {
		struct buf path = BUF_INIT;
		struct stat st;
		if (!path_mailbox(d->t->st, e, kinds[i], NULL, &path) && lstat(buf_cstr(&path), &st) == 0
			&& st.st_dev == d->want.st_dev && st.st_ino == d->want.st_ino) d->name = mem_strdup(e->name);
		buf_free(&path);
	}
	return d->name != NULL;
}

static int lookup_directory(struct toolbox *t, const char *path, struct mbentry *out)
{
	struct by_directory d = { .t = t };
	if (stat(path, &d.want) < 0 || !S_ISDIR(d.want.st_mode)) return ERR_NOMAILBOX;
	int r = mboxlist_each(t->st, NULL, MBOXLIST_LIVE, is_directory, &d);
	if (d.name) r = mboxlist_lookup(t->st, d.name, out);
	else if (!r) r = ERR_NOMAILBOX;
	free(d.name);
	return r;
}

static int one(struct toolbox *t, const char *arg, const struct choice *c)
{
	struct mbentry e;
	int r;
	if (c->users) {
		struct mbname n;
		r = mbname_from_userid(&n, arg, &t->st->ns);
		if (!r) r = mboxlist_lookup_parts(t->st, &n, &e), mbname_free(&n);
	} else {
		r = c->paths ? lookup_directory(t, arg, &e) : toolbox_lookup(t, arg, &e);
	}
	if (!r) r = show(t, &e, c), mbentry_free(&e);
	if (!r) return 0;
	bool level36 = t->st->layout->level == LEVEL_36;
	if (!c->quiet) {
		if (r != ERR_BADNAME && r != ERR_NOMAILBOX) fprintf(stderr, "%s: %s\n", arg, err_text(r));
		else fprintf(stderr, level36 ? "Invalid mailbox name: '%s'\n" : "Invalid mailbox name: %s\n", arg);
	}
	return !level36 ? 0 : r == ERR_BADNAME || r == ERR_NOMAILBOX ? EX_DATAERR : EX_TEMPFAIL;
}

static int usage(const struct toolbox *t)
{
	fprintf(stderr, "usage: mbpath [-C <alt_config>] [-7] [-l] [-m] [-q] [-s] [-u|-p] [-a|-j|-A|-D|-M|-S|-U] mailbox_name...\n");
	return toolbox_usage_status(t);
}

int main(int argc, char **argv)
{
	const char *alt = NULL;
	struct choice c = { 0 };
	struct toolbox t = { 0 };
	int opt, rc;
	bool bad = false;
	while ((opt = getopt(argc, argv, "C:7ajlmpqsuADMSU")) != -1) switch (opt) {
	case 'C': alt = optarg; break;
	case 'q': c.quiet = true; break;
	case 's': c.stop = true; break;
	case 'j': c.json = true; break;
	case 'u': c.users = true; break;
	case 'a': c.labelled = c.archive = c.data = c.meta = c.sieve = c.user = true; break;
	case 'A': c.archive = true; break;
	case 'D': c.data = true; break;
	case 'm': case 'M': c.meta = true; break;
	case 'S': c.sieve = true; break;
	case 'U': c.user = true; break;
	case 'l': break;                               /* an error for mailboxes elsewhere: it is one in any case */
	case 'p': c.paths = true; break;
	case '7': break;                               /* names are modified UTF-7 anyway, in 3.6 too */
	default: bad = true;
	}
	if (bad || (c.users && c.paths) || optind == argc) return usage(&t);
	if (!c.archive && !c.meta && !c.sieve && !c.user) c.data = true;
	if ((rc = toolbox_open(&t, alt, "mbpath", false))) return rc;
	for (int i = optind; i < argc; i++) {
		int r = one(&t, argv[i], &c);
		if (r) rc = r;
		if (r && c.stop) {
			if (!c.quiet && t.st->layout->level == LEVEL_36)
				fprintf(stderr, "fatal error: Error in processing mailbox. Stopping\n");
			break;
		}
	}
	toolbox_close(&t);
	return rc;
}
