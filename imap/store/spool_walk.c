/* spool_walk.c - see spool_walk.h. */
#include "store/spool_walk.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "db/dbconf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------------ the log */

void spool_walk_log_rest(struct store *st) { dirwalk_log_rest(&st->oddities); }

static void log_counts(const struct dirwalk *w)
{
	const struct dirwalk_counts *n = &w->n;
	unsigned long long odd = 0;
	for (int i = 0; i < DIRWALK_ODDS; i++) odd += n->odd[i];
	log_msg(LOG_DEBUG,
		"spool: walked %s%s%s: %llu directories, %llu entries, %llu links, %llu circles, %llu oddities, %llu vanished, "
		"%llu system calls", w->nroots ? w->roots[0] : "nothing", w->below ? "/" : "", w->below ? w->below : "",
		(unsigned long long)n->dirs, (unsigned long long)n->entries, (unsigned long long)n->odd[DIRWALK_ODD_LINK],
		(unsigned long long)n->odd[DIRWALK_ODD_CYCLE], odd, (unsigned long long)n->vanished, (unsigned long long)n->calls);
}

/* ------------------------------------------------------------------------------------------------ walks */

/* The order of the mailbox list, seen through directory names: spec/names.md 1, cyrusdb.md 2. */
static char order_of(const struct store *st, unsigned char rank[256])
{
	for (int i = 0; i < 256; i++) rank[i] = (unsigned char)i;
	if (st->ns.level == LEVEL_36) {
		rank['^'] = '.';              /* in a dbname it is the dot again */
		return '\x1f';
	}
	if (dbconf_sort_flag(st->conf) & CYRUSDB_MBOXSORT) cyrusdb_mbox_ranks(rank);
	return '.';
}

int spool_walk(struct store *st, struct dirwalk *w)
{
	unsigned char rank[256];
	w->sep = order_of(st, rank);
	w->rank = rank;
	st->oddities.who = "spool";
	w->odd = dirwalk_log;
	w->odd_arg = &st->oddities;
	w->flags |= DIRWALK_ROOT_LINK;
	int r = dirwalk_run(w), err = errno;
	w->rank = NULL;
	log_counts(w);
	errno = err;
	return r;
}

int spool_walk_mailbox(struct store *st, const struct mbentry *e, enum meta_kind kind, struct dirwalk *w)
{
	struct buf path = BUF_INIT;
	int r = path_mailbox(st, e, kind, NULL, &path);
	if (r) {
		buf_free(&path);
		return r;
	}
	const char *root = path_root(st, e->partition, kind);
	size_t n = strlen(root);
	while (n > 1 && root[n - 1] == '/') n--;
	w->roots = &root;
	w->nroots = 1;
	w->below = buf_cstr(&path) + n;
	r = spool_walk(st, w);
	if (r == -1 && errno == ENOENT) {
		r = ERR_NOTFOUND;
	} else if (r == -1) {
		log_msg(LOG_ERR, "IOERROR: mailbox %s: cannot read directory %s: %m", e->name, buf_cstr(&path));
		r = ERR_IO;
	} else if (!r && w->flags & DIRWALK_STAT && w->n.odd[DIRWALK_ODD_UNREADABLE]) {
		r = ERR_IO;
	}
	w->roots = NULL;
	w->below = NULL;
	buf_free(&path);
	return r;
}

/* ------------------------------------------------------------------------------------------------ roots */

struct collecting { unsigned kinds; struct strarray *out; };

static void add_root(void *arg, const char *key, const char *value)
{
	static const struct { const char *prefix; enum spool_roots kind; } rows[] = {
		{ "partition-", SPOOL_DATA }, { "metapartition-", SPOOL_META }, { "metadir-header-", SPOOL_HEADERS },
		{ "archivepartition-", SPOOL_ARCHIVE },
	};
	const struct collecting *x = arg;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (!(x->kinds & rows[i].kind) || strncmp(key, rows[i].prefix, strlen(rows[i].prefix))) continue;
		char *root = mem_strdup(value);
		size_t n = strlen(root);
		while (n > 1 && root[n - 1] == '/') root[--n] = 0;
		if (strarray_find(x->out, root) < 0) strarray_append(x->out, root);
		free(root);
	}
}

void spool_roots(const struct conf *c, unsigned kinds, struct strarray *out)
{
	struct collecting x = { kinds, out };
	conf_each_overflow(c, add_root, &x);
}
