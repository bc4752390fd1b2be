/* cyr_userseen.c - removes what owners' seen databases say of their own mailboxes: that state has long been in the index
 * (spec/tools.md 3, spec/databases.md 6). */
#include "base/err.h"
#include "store/seen.h"
#include "tools/toolbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

struct run {
	struct store *st;
	bool doit;
	int status;
};

static int has_file(struct store *st, const char *userid)
{
	struct buf path = BUF_INIT;
	st->layout->user_file(st, userid, "seen", &path);
	int there = access(buf_cstr(&path), F_OK) == 0;
	buf_free(&path);
	return there;
}

static int one(void *arg, const struct mbentry *e)
{
	struct run *x = arg;
	char *userid = mbname_userid(&e->parts);
	int r = 0;
	if (userid) {
		printf("removing seen for %s on %s\n", userid, e->name);
		if (x->doit && e->uniqueid && has_file(x->st, userid)) r = seen_delete(x->st, userid, e->uniqueid);
		if (r) {
			fprintf(stderr, "cyr_userseen: %s: %s\n", e->name, err_text(r));
			x->status = EX_TEMPFAIL;
		}
	}
	free(userid);
	return 0;
}

int main(int argc, char **argv)
{
	const char *alt = NULL;
	struct toolbox t;
	struct run x = { 0 };
	int opt, rc;
	while ((opt = getopt(argc, argv, "C:d")) != -1) switch (opt) {
	case 'C': alt = optarg; break;
	case 'd': x.doit = true; break;
	default:
		fprintf(stderr, "cyr_userseen [-C <altconfig>] -d\n");
		return 255;
	}
	if ((rc = toolbox_open(&t, alt, "cyr_userseen", false))) return rc;
	x.st = t.st;
	if (mboxlist_each(t.st, NULL, MBOXLIST_LIVE, one, &x)) x.status = EX_TEMPFAIL;
	toolbox_close(&t);
	return fflush(stdout) || ferror(stdout) ? EX_TEMPFAIL : x.status;
}
