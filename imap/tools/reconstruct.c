/* reconstruct.c - makes mailboxes right again from their files (spec/tools.md 3.3, spec/mailbox.md 16). */
#include "base/err.h"
#include "base/mem.h"
#include "store/reconstruct.h"
#include "tools/toolbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

struct run {
	struct toolbox *t;
	struct reconstruct rc;
	bool quiet;
	int status;
	char **names;                         /* the arguments, and which of their mailboxes (enum toolbox_each_flags) */
	int n;
	unsigned which;
	struct strarray discovered;           /* internal names */
};

static void say(void *arg, const char *line)
{
	(void)arg;
	puts(line);
}

static int one(void *arg, const struct mbentry *e)
{
	struct run *x = arg;
	if (e->flags & (MBENTRY_REMOTE | MBENTRY_MOVING)) return 0;
	char *ext = toolbox_external(x->t, e);
	int r = reconstruct_mailbox(&x->rc, e->name);
	if (r && r != ERR_NOMAILBOX) {
		fprintf(stderr, "%s: %s\n", ext, err_text(r));
		x->status = EX_TEMPFAIL;
	} else if (!r && !x->quiet) {
		puts(ext);
	}
	fflush(stdout);
	free(ext);
	return 0;
}

/* -u: the arguments are users; what is wanted are their INBOXes and all below. */
static char **user_patterns(struct toolbox *t, char **users, int n)
{
	char **out = mem_array(NULL, (size_t)n + 1, sizeof *out);
	for (int i = 0; i < n; i++) {
		struct mbname m;
		char *ext = NULL;
		if (!mbname_from_userid(&m, users[i], &t->st->ns)) {
			ext = mbname_external(&m, NULL, &t->st->ns);
			mbname_free(&m);
		}
		out[i] = ext ? ext : mem_strdup(users[i]);
	}
	out[n] = NULL;
	return out;
}

/* -p PART: the names do not exist yet, their directories do. */
static void adopt(struct run *x, char **names, int n, const char *partition, bool fresh)
{
	for (int i = 0; i < n; i++) {
		struct mbname m;
		char *name = NULL;
		int r = mbname_from_external(&m, names[i], NULL, &x->t->st->ns);
		if (!r) {
			name = mbname_internal(&m, &x->t->st->ns);
			mbname_free(&m);
			r = x->rc.flags & RECONSTRUCT_REPORT ? ERR_NOTSUPPORTED : reconstruct_adopt(x->t->st, name, partition, fresh);
		}
		if (r == ERR_NOMAILBOX) fprintf(stderr, "%s does not appear to be a mailbox (no cyrus.header).\n", names[i]);
		else if (r && r != ERR_EXISTS) fprintf(stderr, "%s: %s\n", names[i], err_text(r));
		if (r && r != ERR_EXISTS) x->status = EX_TEMPFAIL;
		free(name);
	}
}

/* ------------------------------------------------------------------------------------------------ -f */

/* What is below a mailbox that is named is discovered with it. */
static bool is_below_named(void *arg, const struct mbentry *e)
{
	struct run *x = arg;
	return toolbox_wanted(x->t, x->names, x->n, TOOLBOX_CHILDREN, e);
}

static void discovered(void *arg, const struct mbentry *e, int err)
{
	struct run *x = arg;
	char *ext = toolbox_external(x->t, e);
	if (err) {
		fprintf(stderr, "%s: %s\n", ext, err_text(err));
		x->status = EX_TEMPFAIL;
	} else {
		printf("discovered %s\n", ext);
		strarray_append(&x->discovered, e->name);
	}
	free(ext);
}

/* A path may hold anything. */
static void put_path(const char *s)
{
	for (const unsigned char *p = (const unsigned char *)s; *p; p++)
		fprintf(stderr, *p < ' ' || *p >= 0x7f ? "\\%03o" : "%c", *p);
}

static void odd_place(void *arg, const char *path, const char *words, const char *detail)
{
	(void)arg;
	fputs("reconstruct: ", stderr);
	put_path(path);
	fprintf(stderr, ": %s%s", words, *detail ? ": " : "");
	put_path(detail);
	fputc('\n', stderr);
}

static void discover(struct run *x, const char *partition, bool fresh)
{
	struct reconstruct_discover d = { .partition = partition, .fresh = fresh, .wanted = is_below_named, .found = discovered,
		.odd = odd_place, .arg = x };
	int r = reconstruct_discover(&x->rc, &d);
	fflush(stdout);
	if (r) fprintf(stderr, "reconstruct: %s\n", err_text(r));
	else if (d.unread)
		fprintf(stderr, "reconstruct: %llu places could not be looked at; the log says which\n", (unsigned long long)d.unread);
	if (r || d.unread) x->status = EX_TEMPFAIL;
}

/* Those that the arguments do not name themselves. */
static void reconstruct_discovered(struct run *x)
{
	struct mbentry e;
	for (size_t i = 0; i < x->discovered.n; i++) {
		if (mboxlist_lookup(x->t->st, x->discovered.v[i], &e)) continue;
		if (!toolbox_wanted(x->t, x->names, x->n, x->which, &e)) one(x, &e);
		mbentry_free(&e);
	}
}

static int usage(void)
{
	struct toolbox t = { 0 };
	fprintf(stderr,
		"usage: reconstruct [-C <alt_config>] [-p partition] [-f] [-x] [-r] [-u] [-n] [-s] [-q] [-G] [-R|-U] [-o|-O] "
		"mailbox...\n");
	return toolbox_usage_status(&t);
}

static int refuse(int opt)
{
	fprintf(stderr, "reconstruct: option -%c is not supported\n", opt);
	return EX_USAGE;
}

static const struct { char letter; unsigned flag; } flags[] = {
	{ 'n', RECONSTRUCT_REPORT }, { 's', RECONSTRUCT_NOSTAT }, { 'G', RECONSTRUCT_PARSE }, { 'R', RECONSTRUCT_REUID },
	{ 'U', RECONSTRUCT_UNLINK }, { 'o', RECONSTRUCT_IGNORE_ODD }, { 'O', RECONSTRUCT_REMOVE_ODD },
};

static unsigned flag_of(int opt)
{
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
		if (flags[i].letter == opt) return flags[i].flag;
	return 0;
}

static bool both(unsigned set, unsigned a, unsigned b) { return set & a && set & b; }

int main(int argc, char **argv)
{
	const char *alt = NULL, *partition = NULL;
	struct toolbox t = { 0 };
	struct run x = { .t = &t, .rc = { .say = say } };
	bool users = false, find = false, fresh = false;
	int opt, rc;
	while ((opt = getopt(argc, argv, "C:p:xrfukgmnsqGRUoOV:dMIPZ")) != -1) switch (opt) {
	case 'C': alt = optarg; break;
	case 'p': partition = optarg; break;
	case 'x': fresh = true; break;
	case 'r': x.which = TOOLBOX_CHILDREN; break;
	case 'f': find = true; break;
	case 'u': users = true; break;
	case 'q': x.quiet = true; break;
	case 'g': case 'k': fprintf(stderr, "reconstruct: deprecated option -%c ignored\n", opt); break;
	case 'm':
		fprintf(stderr, "reconstructing mailboxes.db currently not supported\n");
		return EX_TEMPFAIL;
	case 'V': case 'd': case 'M': case 'I': case 'P': case 'Z': return refuse(opt);
	default:
		if (!flag_of(opt)) return usage();
		x.rc.flags |= flag_of(opt);
	}
	if (both(x.rc.flags, RECONSTRUCT_REUID, RECONSTRUCT_UNLINK)
		|| both(x.rc.flags, RECONSTRUCT_IGNORE_ODD, RECONSTRUCT_REMOVE_ODD)
	    || (fresh && !partition && !find) || (((partition && !find) || users) && optind == argc)) return usage();
	if ((rc = toolbox_open(&t, alt, "reconstruct", false))) return rc;
	x.rc.st = t.st;
	x.n = argc - optind;
	x.names = argv + optind;
	char **made = users ? user_patterns(&t, x.names, x.n) : NULL;
	if (partition) adopt(&x, x.names, x.n, partition, fresh);
	if (made) x.names = made;
	if (users) x.which = TOOLBOX_CHILDREN;
	bool adopted = !x.status;
	if (find) discover(&x, partition, fresh);
	if (adopted && toolbox_each(&t, x.names, x.n, x.which, one, &x)) x.status = EX_TEMPFAIL;
	reconstruct_discovered(&x);
	strarray_free(&x.discovered);
	for (int i = 0; made && i < x.n; i++) free(made[i]);
	free(made);
	toolbox_close(&t);
	return x.status;
}
