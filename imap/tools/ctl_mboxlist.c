/* ctl_mboxlist.c - the mailbox list as text: dump, undump; and whether it agrees with the directories (spec/tools.md 3). */
#include "base/err.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/program.h"
#include "store/layout.h"
#include "store/mboxheader.h"
#include "store/mboxlist.h"
#include "store/paths.h"
#include "store/spool_list.h"
#include "store/spool_walk.h"
#include "sys/file.h"
#include "tools/mboxdump.h"
#include "tools/mboxrebuild.h"
#include "tools/mboxrestore.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { DUMP_MAX = 1 << 30, HEADER_MAX = 1 << 22 };

/* ------------------------------------------------------------------------------------------------ -d */

struct dump {
	struct store *st;
	const char *partition;
	bool remove, local, intermediates, json, any, dry;
	struct strarray gone;
};

/* The record by id knows what the mailbox was called before. */
static void put_json(struct dump *d, const struct mbentry *e, struct buf *b)
{
	struct store *st = d->st;
	struct mbentry by_id = { 0 }, whole = *e;
	bool known = e->uniqueid && !st->layout->lookup_id(st, e->uniqueid, &by_id) && !strcmp(by_id.name, e->name);
	if (known) {
		whole.history = by_id.history;
		whole.nhistory = by_id.nhistory;
	}
	mboxdump_json(&whole, st->layout->level, &st->ns, b);
	mbentry_free(&by_id);
}

static int dump_one(void *arg, const struct mbentry *e)
{
	struct dump *d = arg;
	struct buf b = BUF_INIT;
	if (d->partition && (!e->partition || strcmp(e->partition, d->partition))) return 0;
	if (e->flags & MBENTRY_INTERMEDIATE && d->json && !d->intermediates) return 0;
	if (e->flags & MBENTRY_REMOTE && d->local) return 0;
	if (d->json) {
		buf_puts(&b, d->any ? ",\n" : "\n");
		put_json(d, e, &b);
	} else {
		mboxdump_line(e, &b);
	}
	fwrite(b.s, 1, b.len, stdout);
	buf_free(&b);
	d->any = true;
	if (d->remove) strarray_append(&d->gone, e->name);
	return 0;
}

/* Only what reached the output is removed. */
static int remove_dumped(struct dump *d)
{
	int r = fflush(stdout) == 0 ? 0 : ERR_IO;
	if (d->dry) {
		fprintf(stderr, "%zu entries would be removed\n", d->gone.n);
		return r;
	}
	for (size_t i = 0; i < d->gone.n && !r; i++) {
		struct mbentry e;
		r = mboxlist_lookup_any(d->st, d->gone.v[i], &e);
		if (!r) r = mboxlist_bury(d->st, &e), mbentry_free(&e);
	}
	return r;
}

static int dump(struct dump *d)
{
	d->json |= d->st->layout->level == LEVEL_36;
	if (d->json) putchar('{');
	int r = mboxlist_each(d->st, NULL, MBOXLIST_ALL, dump_one, d);
	if (d->json) puts(d->any ? "\n}" : "\n\n}");
	if (!r && d->remove) r = remove_dumped(d);
	strarray_free(&d->gone);
	return r || fflush(stdout) || ferror(stdout) ? EX_TEMPFAIL : 0;
}

/* ------------------------------------------------------------------------------------------------ -u */

/* A line of 2.5 has no unique id; a list of 3.6 needs one: that of the mailbox's own header, else a fresh one. */
static char *find_uniqueid(struct store *st, const struct mbentry *e)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	struct mboxheader h;
	char *id = NULL;
	if (e->partition && !path_mailbox(st, e, META_HEADER, "cyrus.header", &path) && !file_read(buf_cstr(&path), HEADER_MAX, &text)
	    && !mboxheader_parse(&h, text.s, text.len)) {
		if (h.uniqueid) id = mem_strdup(h.uniqueid);
		mboxheader_free(&h);
	}
	buf_free(&path);
	buf_free(&text);
	return id ? id : st->layout->new_uniqueid();
}

struct undump {
	struct store *st;
	bool local, dry;
	unsigned fresh, changed, same;
	struct cyrusdb_txn *txn;       /* all of it or nothing */
};

static bool same_text(const char *a, const char *b) { return !a || !b ? a == b : !strcmp(a, b); }

static bool same_entry(const struct mbentry *a, const struct mbentry *b)
{
	unsigned mask = ~(unsigned)(MBENTRY_KEEPTIME | MBENTRY_LEGACYDIRS);
	return same_text(a->partition, b->partition) && same_text(a->server, b->server) && same_text(a->acl, b->acl)
		&& same_text(a->uniqueid, b->uniqueid) && a->type == b->type && (a->flags & mask) == (b->flags & mask) && a->uidvalidity == b->uidvalidity
		&& a->createdmodseq == b->createdmodseq && a->foldermodseq == b->foldermodseq;
}

/* -w: what would become of the entry; old NULL: there is none of that name. */
static void tell(struct undump *u, const struct mbentry *e, const struct mbentry *old)
{
	bool same = old && same_entry(e, old);
	if (!old) u->fresh++;
	else if (same) u->same++;
	else u->changed++;
	if (!same) printf("%c %s\n", old ? '~' : '+', e->name);
}

static int put_one(void *arg, const struct mbentry *dumped)
{
	struct undump *u = arg;
	struct store *st = u->st;
	struct mbentry e, old = { 0 };
	if (u->local && dumped->flags & MBENTRY_REMOTE) return 0;
	mbentry_copy(&e, dumped);
	if (e.mtime) e.flags |= MBENTRY_KEEPTIME;
	if (st->layout->level == LEVEL_25) e.flags |= MBENTRY_LEGACYDIRS;
	bool had = !mboxlist_lookup_any(st, e.name, &old);
	if (had) {                                                /* what the older dialects do not carry stays */
		if (!e.uniqueid && old.uniqueid) e.uniqueid = mem_strdup(old.uniqueid);
		if (!e.uidvalidity) e.uidvalidity = old.uidvalidity;
	}
	int r = 0;
	if (u->dry) {
		tell(u, &e, had ? &old : NULL);
	} else {
		if (!e.uniqueid && st->layout->level == LEVEL_36) e.uniqueid = find_uniqueid(st, &e);
		r = st->layout->put(st, &e, &u->txn) ? ERR_IO : 0;
	}
	mbentry_free(&old);
	if (r) fprintf(stderr, "%s: %s\n", e.name, err_text(r));
	mbentry_free(&e);
	return r;
}

static int end_undump(struct undump *u, int r)
{
	if (!u->txn) return r;
	if (r) cyrusdb_abort(u->st->mboxlist, u->txn);
	else if (cyrusdb_commit(u->st->mboxlist, u->txn)) r = ERR_IO;
	if (r) fprintf(stderr, "ctl_mboxlist: the list is as it was: %s\n", err_text(r));
	return r;
}

static int undump(struct store *st, bool local, bool dry)
{
	struct undump u = { .st = st, .local = local, .dry = dry };
	struct buf text = BUF_INIT;
	enum conf_level found = LEVEL_AUTO;
	unsigned bad = 0;
	if (file_read_fd(STDIN_FILENO, DUMP_MAX, &text) < 0) {
		fprintf(stderr, "ctl_mboxlist: cannot read the dump: %s\n", strerror(errno));
		return EX_TEMPFAIL;
	}
	/* an empty list takes the layout that the dump came from, unless the configuration names one */
	int r = layout_detect(st->mboxlist, &found);
	if (!r && found == LEVEL_AUTO && conf_level_wanted(st->conf) == LEVEL_AUTO)
		r = store_use_level(st, mboxdump_level(text.s ? text.s : "", text.len));
	if (!r && st->listed_by_spool && !dry) r = ERR_NOTSUPPORTED;
	if (!r) r = mboxdump_read(&st->ns, text.s ? text.s : "", text.len, put_one, &u, &bad);
	r = end_undump(&u, r);
	buf_free(&text);
	if (dry) printf("%u would be added, %u changed, %u are there; %u cannot be read\n", u.fresh, u.changed, u.same, bad);
	return r ? EX_TEMPFAIL : bad ? EX_DATAERR : 0;
}

/* ------------------------------------------------------------------------------------------------ -v */

struct verify {
	struct store *st;
	struct hash *expected;         /* directories where a cyrus.header belongs */
	struct strarray roots;
	size_t root_len;               /* of the root that is being walked */
};

static int expect(void *arg, const struct mbentry *e)
{
	struct verify *v = arg;
	struct buf path = BUF_INIT;
	struct stat sb;
	if (e->flags & (MBENTRY_REMOTE | MBENTRY_MOVING)) return 0;
	/* where the header is: a mailbox without messages on a metapartition may lack the other one */
	bool there = !path_mailbox(v->st, e, META_HEADER, NULL, &path);
	if (there) hash_puts(v->expected, buf_cstr(&path), v);
	if (!there || lstat(buf_cstr(&path), &sb) < 0 || !S_ISDIR(sb.st_mode))
		printf("'%s' has a DB entry but no directory on partition '%s'\n", e->name, e->partition ? e->partition : "(null)");
	buf_free(&path);
	return 0;
}

/* A directory by unique id says in its header what it is. */
static char *name_in_header(const char *path)
{
	struct buf text = BUF_INIT;
	struct mboxheader h;
	char *name = NULL;
	if (!file_read(path, HEADER_MAX, &text) && !mboxheader_parse(&h, text.s, text.len)) {
		if (h.name) name = mem_strdup(h.name);
		mboxheader_free(&h);
	}
	buf_free(&text);
	return name;
}

static int found_file(void *arg, const struct dirwalk_entry *w)
{
	struct verify *v = arg;
	if (w->kind == DIRWALK_DIR) return !w->depth && !strcmp(w->name, "stage.") ? DIRWALK_SKIP : 0;
	if (w->kind != DIRWALK_FILE || strcmp(w->name, "cyrus.header")) return 0;
	v->root_len = strlen(v->roots.v[w->root]);
	char *dir = mem_dup(w->path, (size_t)(w->name - w->path - 1));
	if (!hash_gets(v->expected, dir)) {
		bool by_id = !strncmp(dir + v->root_len, "/uuid/", 6);
		char *name = by_id ? name_in_header(w->path) : spool_dir_name(v->st, dir, v->root_len);
		printf("'%s' has a directory '%s' but no DB entry\n", name ? name : strrchr(dir, '/') + 1, dir);
		free(name);
	}
	free(dir);
	return 0;
}

static int verify(struct store *st)
{
	struct verify v = { .st = st, .expected = hash_new(), .roots = STRARRAY_INIT };
	int r = mboxlist_each(st, NULL, MBOXLIST_LIVE, expect, &v);
	spool_roots(st->conf, SPOOL_DATA | SPOOL_META | SPOOL_HEADERS, &v.roots);
	struct dirwalk w = { .roots = (const char *const *)v.roots.v, .nroots = v.roots.n, .levels = DIRWALK_ALL, .flags = DIRWALK_ROOT_GONE,
		.entry = found_file, .arg = &v };
	if (!r && spool_walk(st, &w)) {
		fprintf(stderr, "ctl_mboxlist: cannot read the partitions: %s\n", strerror(errno));
		r = ERR_IO;
	}
	strarray_free(&v.roots);
	hash_free(v.expected, NULL);
	return r ? EX_TEMPFAIL : 0;
}

/* ------------------------------------------------------------------------------------------------ main */

static int usage(void)
{
	fprintf(stderr, "DUMP:\n"
		"   ctl_mboxlist [-C <alt_config>] -d [--full] [-x [-w]] [-L] [-y] [-f filename] [-p partition]\n"
		"UNDUMP:\n"
		"   ctl_mboxlist [-C <alt_config>] -u [-w] [-L] [-f filename] [< mboxlist.dump]\n"
		"VERIFY:\n"
		"   ctl_mboxlist [-C <alt_config>] -v [-f filename]\n"
		"REBUILD from the spool:\n"
		"   ctl_mboxlist [-C <alt_config>] --rebuild [-n|-w] [-f filename]\n"
		"RESTORE a snapshot of ctl_cyrusdb -c:\n"
		"   ctl_mboxlist [-C <alt_config>] --restore[=1|2|/file] [-n|-w] [-f filename]\n");
	return 1;
}

static int run(int what, const char *alt, const char *file, struct dump *d)
{
	struct conf *c;
	struct store *st;
	int rc = program_init(&c, alt, "ctl_mboxlist", PROGRAM_NEED_DATA);
	if (rc) return rc;
	int r = store_open_list(&st, c, file, what == 'u' && !d->dry);
	if (r) {
		fprintf(stderr, "fatal error: can't open the mailbox list: %s\n", err_text(r));
		rc = EX_TEMPFAIL;
	} else {
		d->st = st;
		rc = what == 'd' ? dump(d) : what == 'u' ? undump(st, d->local, d->dry) : verify(st);
		store_close(st);
	}
	conf_free(c);
	return rc;
}

static int restore(const char *alt, const char *file, const char *snapshot, bool dry)
{
	struct conf *c;
	int rc = program_init(&c, alt, "ctl_mboxlist", PROGRAM_NEED_DATA);
	if (!rc) rc = mboxrestore(c, file, snapshot, dry);
	conf_free(c);
	return rc;
}

static int rebuild(const char *alt, const char *file, bool dry)
{
	struct conf *c;
	int rc = program_init(&c, alt, "ctl_mboxlist", PROGRAM_NEED_DATA);
	if (!rc) rc = mboxrebuild(c, file, dry);
	conf_free(c);
	return rc;
}

int main(int argc, char **argv)
{
	const char *alt = NULL, *file = NULL, *snapshot = "1";
	struct dump d = { .gone = STRARRAY_INIT };
	bool mupdate = false;
	int what = 0, opt;
	static const struct option words[] = { { "rebuild", no_argument, NULL, 'R' }, { "full", no_argument, NULL, 'F' },
		{ "restore", optional_argument, NULL, 'B' }, { NULL, 0, NULL, 0 } };
	bool dry = false;
	while ((opt = getopt_long(argc, argv, "C:awmdurcxf:p:viLyn", words, NULL)) != -1) switch (opt) {
	case 'C': alt = optarg; break;
	case 'd': case 'u': case 'v': case 'm': case 'R': case 'B':
		if (what && what != opt) return usage();
		what = opt;
		if (opt == 'B' && optarg) snapshot = optarg;
		break;
	case 'r': case 'c':
		fprintf(stderr, "ctl_mboxlist: -%c is deprecated, use ctl_cyrusdb -%c instead\n", opt, opt);
		return 1;
	case 'f': file = optarg; break;
	case 'p': d.partition = optarg; break;
	case 'x': d.remove = true; break;
	case 'L': d.local = true; break;
	case 'y': d.intermediates = true; break;
	case 'F': d.json = d.intermediates = true; break;
	case 'n': dry = true; break;
	case 'w': d.dry = true; break;
	case 'a': case 'i': mupdate = true; break;
	default: return usage();
	}
	if (what == 'm') {
		fprintf(stderr, "couldn't connect to mupdate server\n");
		return EX_TEMPFAIL;
	}
	bool dumping = d.partition || d.remove || d.intermediates;
	bool looking = what == 'u' || what == 'R' || what == 'B' || (what == 'd' && d.remove);
	if (!what || mupdate || optind != argc || (dumping && what != 'd') || (dry && what != 'R' && what != 'B') || (d.dry && !looking)
	    || (d.local && what != 'd' && what != 'u')) return usage();
	dry |= d.dry;
	if (what == 'B') return restore(alt, file, snapshot, dry);
	return what == 'R' ? rebuild(alt, file, dry) : run(what, alt, file, &d);
}
