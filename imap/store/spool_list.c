/* spool_list.c - see spool_list.h. */
#include "store/spool_list.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/index_format.h"
#include "store/layout.h"
#include "store/mboxheader.h"
#include "store/paths.h"
#include "store/spool_walk.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/sys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEADER_FILE_MAX = 1 << 22, BUILD_PATIENCE = 600 * 1000 };    /* ms: a walk over a big spool takes minutes */

static const char *const words[SPOOL_LIST_ODDS] = {
	[SPOOL_LIST_HEADER] = "cyrus.header cannot be read, left out",
	[SPOOL_LIST_NAME] = "stands for no mailbox name, left out",
	[SPOOL_LIST_OTHER] = "its header names another mailbox; the directory decides",
	[SPOOL_LIST_TWICE] = "a second directory for one mailbox, left out",
	[SPOOL_LIST_NO_ID] = "no unique id in its header",
	[SPOOL_LIST_NO_INDEX] = "no UIDVALIDITY: its index cannot be read",
};
const char *spool_list_words(enum spool_list_odd what) { return words[what]; }

struct build {
	struct store *st;
	struct spool_list *l;
	struct strarray roots, partitions; /* where headers are, and of which partition */
	struct hash *names, *ids;          /* what was found, to its directory */
	struct strarray dirs;              /* owns those */
	enum conf_level level;             /* spool_list_level() alone */
	unsigned looked_at;
};

/* ------------------------------------------------------------------------------------------------ names of directories */

char *spool_dir_name(const struct store *st, const char *dir, size_t root_len)
{
	bool hash = conf_bool(st->conf, OPT_HASHIMAPSPOOL);
	const char *p = dir + root_len;
	struct buf b = BUF_INIT;
	while (*p == '/') p++;
	if (!strncmp(p, "domain/", 7)) {
		p += 7;
		if (hash && p[0] && p[1] == '/') p += 2;
		size_t n = strcspn(p, "/");
		buf_append(&b, p, n);
		buf_putc(&b, '!');
		p += n;
		while (*p == '/') p++;
	}
	if (hash && p[0] && p[1] == '/') p += 2;
	for (; *p; p++) buf_putc(&b, *p == '/' ? '.' : *p);
	return buf_take(&b);
}

static bool is_by_id(const char *dir, size_t root_len) { return !strncmp(dir + root_len, "/uuid/", 6); }

/* ------------------------------------------------------------------------------------------------ one mailbox */

static void odd(struct build *b, enum spool_list_odd what, const char *path, const char *detail)
{
	b->l->odds[what]++;
	if (b->l->odd) b->l->odd(b->l->arg, what, path, detail ? detail : "");
}

static bool read_header(const struct dirwalk_entry *w, struct mboxheader *h)
{
	struct buf text = BUF_INIT;
	int fd = sys_openat(w->dirfd, w->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
	bool ok = fd >= 0 && !file_read_fd(fd, HEADER_FILE_MAX, &text) && !mboxheader_parse(h, text.s ? text.s : "", text.len);
	if (fd >= 0) sys_close(fd);
	buf_free(&text);
	return ok;
}

static bool read_index(struct store *st, const struct mbentry *e, struct index_header *h)
{
	struct buf path = BUF_INIT;
	char block[INDEX_HEADER_MAX];
	int fd = path_mailbox(st, e, META_INDEX, "cyrus.index", &path) ? -1
		: sys_open(buf_cstr(&path), O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	ssize_t n = fd >= 0 ? sys_pread_full(fd, block, sizeof block, 0) : -1;
	if (fd >= 0) sys_close(fd);
	buf_free(&path);
	return n > 0 && !index_header_decode(block, (size_t)n, h);
}

/* Is that where this mailbox's header belongs? */
static bool lives_at(struct store *st, const struct mbentry *e, const char *dir)
{
	struct buf path = BUF_INIT;
	bool yes = !path_mailbox(st, e, META_HEADER, NULL, &path) && !strcmp(buf_cstr(&path), dir);
	buf_free(&path);
	return yes;
}

static bool set_name(struct build *b, struct mbentry *e, char *name)
{
	free(e->name);
	mbname_free(&e->parts);
	e->parts = (struct mbname){ 0 };
	e->name = name;
	return name && *name && !mbname_from_internal(&e->parts, name, &b->st->ns);
}

/* By unique id: the header has the name, the directory the id. By name: the directory has the name. */
static bool identify(struct build *b, struct mbentry *e, const struct mboxheader *h, const char *dir, size_t root_len)
{
	if (is_by_id(dir, root_len)) {
		const char *id = strrchr(dir, '/') + 1;
		if (h->uniqueid && strcmp(h->uniqueid, id)) odd(b, SPOOL_LIST_OTHER, dir, h->uniqueid);
		e->uniqueid = mem_strdup(id);
		return set_name(b, e, h->name ? mem_strdup(h->name) : NULL) && lives_at(b->st, e, dir);
	}
	e->flags = MBENTRY_LEGACYDIRS;
	e->uniqueid = h->uniqueid ? mem_strdup(h->uniqueid) : NULL;
	/* what a name was before it became a directory is not always to be seen there: 3.6's "user.a^b" has a real dot */
	if (h->name && set_name(b, e, mem_strdup(h->name)) && lives_at(b->st, e, dir)) return true;
	if (h->name) odd(b, SPOOL_LIST_OTHER, dir, h->name);
	return set_name(b, e, spool_dir_name(b->st, dir, root_len)) && lives_at(b->st, e, dir);
}

/* Registers name and id; false: somebody else has one of them. */
static bool first_of_its_kind(struct build *b, const struct mbentry *e, const char *dir)
{
	const char *other = hash_gets(b->names, e->name);
	if (!other && e->uniqueid) other = hash_gets(b->ids, e->uniqueid);
	if (other) {
		odd(b, SPOOL_LIST_TWICE, dir, other);
		if (b->l->second) b->l->second(b->l->arg, e, other);
		return false;
	}
	char *mine = mem_strdup(dir);
	strarray_take(&b->dirs, mine);
	hash_puts(b->names, e->name, mine);
	if (e->uniqueid) hash_puts(b->ids, e->uniqueid, mine);
	return true;
}

static int mailbox(struct build *b, const struct dirwalk_entry *w, const char *dir)
{
	struct mbentry e = { .partition = mem_strdup(b->partitions.v[w->root]), .acl = mem_strdup(""), .type = 'e' };
	struct mboxheader h;
	struct index_header index = { 0 };
	int r = 0;
	if (!read_header(w, &h)) {
		odd(b, SPOOL_LIST_HEADER, dir, NULL);
		mbentry_free(&e);
		return 0;
	}
	bool known = identify(b, &e, &h, dir, strlen(b->roots.v[w->root]));
	if (!known) odd(b, SPOOL_LIST_NAME, dir, e.name);
	if (known && !e.uniqueid) {
		odd(b, SPOOL_LIST_NO_ID, dir, e.name);
		known = b->st->layout->level == LEVEL_25;
	}
	if (known && first_of_its_kind(b, &e, dir)) {
		mbentry_set_acl(&e, h.acl);
		if (h.type && *h.type) e.type = *h.type;
		if (!read_index(b->st, &e, &index)) odd(b, SPOOL_LIST_NO_INDEX, dir, e.name);
		e.uidvalidity = index.uidvalidity;
		e.createdmodseq = index.createdmodseq;
		e.foldermodseq = index.highestmodseq;     /* a guess: no change of the mailbox is newer */
		b->l->mailboxes++;
		if (b->l->found) r = b->l->found(b->l->arg, &e);
	}
	mboxheader_free(&h);
	mbentry_free(&e);
	return r;
}

/* ------------------------------------------------------------------------------------------------ all of them */

static int entry(void *arg, const struct dirwalk_entry *w)
{
	struct build *b = arg;
	if (w->kind == DIRWALK_DIR) return !w->depth && !strcmp(w->name, "stage.") ? DIRWALK_SKIP : 0;
	if (w->kind != DIRWALK_FILE || strcmp(w->name, "cyrus.header") || !w->depth) return 0;
	char *dir = mem_dup(w->path, (size_t)(w->name - w->path - 1));
	int r = mailbox(b, w, dir);
	free(dir);
	return r;
}

static void add_partition(void *arg, const char *key, const char *value)
{
	struct build *b = arg;
	(void)value;
	if (strncmp(key, "partition-", 10)) return;
	const char *root = path_root(b->st, key + 10, META_HEADER);
	if (!root || !*root) return;
	size_t n = strlen(root);
	while (n > 1 && root[n - 1] == '/') n--;
	char *clean = mem_dup(root, n);
	strarray_take(&b->roots, clean);
	strarray_append(&b->partitions, key + 10);
}

static int walk(struct build *b, int (*fn)(void *arg, const struct dirwalk_entry *w))
{
	conf_each_overflow(b->st->conf, add_partition, b);
	struct dirwalk w = { .roots = (const char *const *)b->roots.v, .nroots = b->roots.n, .levels = DIRWALK_ALL,
		.flags = DIRWALK_ROOT_GONE, .entry = fn, .arg = b };
	int r = spool_walk(b->st, &w);
	if (r < 0) log_msg(LOG_ERR, "IOERROR: cannot read the partitions: %s", strerror(errno));
	if (b->l)
		b->l->unread = w.n.odd[DIRWALK_ODD_UNREADABLE] + w.n.odd[DIRWALK_ODD_CHANGED] + w.n.odd[DIRWALK_ODD_DEEP]
			+ w.n.odd[DIRWALK_ODD_NAME];
	strarray_free(&b->roots);
	strarray_free(&b->partitions);
	return r < 0 ? ERR_IO : r;
}

int spool_list_run(struct store *st, struct spool_list *l)
{
	struct build b = { .st = st, .l = l, .names = hash_new(), .ids = hash_new() };
	l->mailboxes = 0;
	memset(l->odds, 0, sizeof l->odds);
	int r = walk(&b, entry);
	hash_free(b.names, NULL);
	hash_free(b.ids, NULL);
	strarray_free(&b.dirs);
	return r;
}

/* ------------------------------------------------------------------------------------------------ into a database */

struct fill {
	struct store *st;
	struct spool_list *l;
	int (*found)(void *arg, const struct mbentry *e);
	void *arg;
	void (*odd)(void *arg, enum spool_list_odd what, const char *path, const char *detail);
	struct cyrusdb_txn *txn;
	int rc;
};

static int put(void *arg, const struct mbentry *e)
{
	struct fill *f = arg;
	f->rc = f->st->layout->put(f->st, e, &f->txn);
	if (f->rc) return ERR_IO;
	return f->found ? f->found(f->arg, e) : 0;
}

static void pass_odd(void *arg, enum spool_list_odd what, const char *path, const char *detail)
{
	struct fill *f = arg;
	if (f->odd) f->odd(f->arg, what, path, detail);
}

int spool_list_fill(struct store *st, struct spool_list *l)
{
	struct fill f = { .st = st, .l = l, .found = l->found, .odd = l->odd, .arg = l->arg };
	struct spool_list inner = { .found = put, .odd = pass_odd, .arg = &f };
	int r = spool_list_run(st, &inner);
	l->mailboxes = inner.mailboxes;
	l->unread = inner.unread;
	memcpy(l->odds, inner.odds, sizeof l->odds);
	if (r && f.txn) cyrusdb_abort(st->mboxlist, f.txn);
	else if (f.txn) f.rc = cyrusdb_commit(st->mboxlist, f.txn);
	if (f.rc) log_msg(LOG_ERR, "DBERROR: cannot write the list made from the spool: %s", cyrusdb_strerror(f.rc));
	return r ? r : f.rc ? ERR_IO : 0;
}

/* ------------------------------------------------------------------------------------------------ which layout */

enum { ENOUGH = 1000 };                /* headers in text form: no need to look at more */

static int look(void *arg, const struct dirwalk_entry *w)
{
	struct build *b = arg;
	struct mboxheader h;
	if (w->kind == DIRWALK_DIR && !w->depth && !strcmp(w->name, "uuid")) {
		b->level = LEVEL_36;
		return ERR_COUNT;
	}
	if (w->kind == DIRWALK_DIR) return !w->depth && !strcmp(w->name, "stage.") ? DIRWALK_SKIP : 0;
	if (w->kind != DIRWALK_FILE || strcmp(w->name, "cyrus.header") || !read_header(w, &h)) return 0;
	b->level = h.list_form ? LEVEL_36 : LEVEL_25;
	mboxheader_free(&h);
	return b->level == LEVEL_36 || ++b->looked_at == ENOUGH ? ERR_COUNT : 0;
}

enum conf_level spool_list_level(struct store *st)
{
	struct build b = { .st = st, .level = LEVEL_AUTO };
	walk(&b, look);
	return b.level;
}

/* ------------------------------------------------------------------------------------------------ a list for everybody */

static bool is_young(const struct conf *c, const char *path)
{
	struct stat st;
	int64_t age = stat(path, &st) < 0 ? INT64_MAX : (int64_t)clock_now() - (int64_t)st.st_mtime;
	return age >= 0 && age < conf_seconds(c, OPT_MBOXLIST_SPOOL_AGE);
}

static void log_odd(void *arg, enum spool_list_odd what, const char *path, const char *detail)
{
	(void)arg;
	log_msg(LOG_WARNING, "spool: %s: %s%s%s", path, words[what], *detail ? ": " : "", detail);
}

static int make(struct conf *c, const char *path)
{
	struct store *st;
	struct spool_list l = { .odd = log_odd };
	char *fresh = mem_printf("%s.NEW", path);
	unlink(fresh);
	int r = store_open_list(&st, c, fresh, true);
	if (!r) {
		enum conf_level level = conf_level_wanted(c) == LEVEL_AUTO ? spool_list_level(st) : LEVEL_AUTO;
		if (level != LEVEL_AUTO) r = store_use_level(st, level);
		if (!r) r = spool_list_fill(st, &l);
		store_close(st);
	}
	if (!r && rename(fresh, path) < 0) r = err_from_errno(errno);
	if (r) unlink(fresh);
	else log_msg(LOG_NOTICE, "mboxlist_source: spool: found %llu mailboxes", (unsigned long long)l.mailboxes);
	free(fresh);
	return r;
}

char *spool_list_current(struct conf *c)
{
	char *path = mem_printf("%s/mailboxes.spool", conf_dir(c)), *lock = mem_printf("%s.lock", path);
	int fd = file_create(lock, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
	int r = fd < 0 || lock_fd(fd, LOCK_EXCLUSIVE, BUILD_PATIENCE, lock) < 0 ? ERR_IO : 0;
	if (r) log_msg(LOG_ERR, "IOERROR: cannot lock %s: %s", lock, strerror(errno));
	if (!r && !is_young(c, path)) r = make(c, path);
	if (fd >= 0) sys_close(fd);
	if (r) {
		log_msg(LOG_ERR, "mboxlist_source: spool: cannot make %s: %s", path, err_text(r));
		free(path);
		path = NULL;
	}
	free(lock);
	return path;
}
