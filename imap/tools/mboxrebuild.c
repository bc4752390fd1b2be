/* mboxrebuild.c - see mboxrebuild.h. */
#include "tools/mboxrebuild.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/layout.h"
#include "store/paths.h"
#include "store/spool_list.h"
#include "sys/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static int tell_mailbox(void *arg, const struct mbentry *e)
{
	(void)arg;
	printf("%s\t%s\t%s\n", e->name, e->partition, e->uniqueid ? e->uniqueid : "-");
	return 0;
}

static void tell_odd(void *arg, enum spool_list_odd what, const char *path, const char *detail)
{
	(void)arg;
	printf("! %s: %s%s%s\n", path, spool_list_words(what), *detail ? ": " : "", detail);
}

static void tell_sum(const struct store *st, const struct spool_list *l, const char *path, bool dry)
{
	uint64_t odds = 0;
	for (int i = 0; i < SPOOL_LIST_ODDS; i++) odds += l->odds[i];
	printf("%s %s with %llu mailboxes, in the layout of %s; %llu oddities\n", dry ? "would write" : "wrote", path,
		(unsigned long long)l->mailboxes, st->layout->level == LEVEL_25 ? "2.5" : "3.6", (unsigned long long)odds);
	printf("not known from the spool: reserved and remote mailboxes, records of deleted ones, levels without a mailbox, times "
		"and foldermodseq of changes\n");
}

/* The new list takes the place of the old one, which stays beside it. */
static int swap(const char *fresh, const char *path)
{
	char *old = mem_printf("%s.before-rebuild", path);
	bool had = access(path, F_OK) == 0;
	int r = 0;
	if (had && access(old, F_OK) == 0) {
		fprintf(stderr, "ctl_mboxlist: %s is there from an earlier time: move it away first\n", old);
		r = EX_CANTCREAT;
	} else if ((had && rename(path, old) < 0) || rename(fresh, path) < 0 || file_sync_parent(path) < 0) {
		fprintf(stderr, "ctl_mboxlist: cannot put %s in its place: %s\n", path, strerror(errno));
		r = EX_CANTCREAT;
	} else if (had) {
		printf("the old one is %s\n", old);
	}
	free(old);
	return r;
}

int mboxrebuild(struct conf *c, const char *path, bool dry)
{
	struct buf usual = BUF_INIT;
	struct store *st;
	struct spool_list l = { .found = dry ? tell_mailbox : NULL, .odd = tell_odd };
	const struct store where = { .conf = c };
	if (!path) {
		path_conf(&where, OPT_MBOXLIST_DB_PATH, "mailboxes.db", &usual);
		path = buf_cstr(&usual);
	}
	char *fresh = mem_printf("%s.NEW", path);
	unlink(fresh);
	int r = store_open_list(&st, c, fresh, true), rc;
	if (!r) {
		enum conf_level level = conf_level_wanted(c) == LEVEL_AUTO ? spool_list_level(st) : LEVEL_AUTO;
		if (level != LEVEL_AUTO) r = store_use_level(st, level);
		if (!r) r = dry ? spool_list_run(st, &l) : spool_list_fill(st, &l);
		if (!r) tell_sum(st, &l, path, dry);
		store_close(st);
	}
	if (r) fprintf(stderr, "ctl_mboxlist: cannot rebuild %s: %s\n", path, err_text(r));
	rc = r ? EX_TEMPFAIL : dry ? 0 : swap(fresh, path);
	unlink(fresh);
	free(fresh);
	buf_free(&usual);
	return rc;
}
