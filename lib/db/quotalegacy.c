/* quotalegacy.c - quota roots as a tree of small text files, one a root (spec/cyrusdb.md 10). In a transaction every root touched
 * is locked and kept in memory; commit replaces the files one by one, which is not atomic across roots. */
#include "db/db_priv.h"

#include "base/mem.h"
#include "sys/dirwalk.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/newfile.h"
#include "sys/sys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROOT_FILE_MAX 65536              /* a quota root is a line or two */

struct root {                            /* one root touched by the transaction */
	char *path;
	int fd;                          /* holds the lock */
	struct buf val;
	bool exists, changed, created;   /* created: an empty file that only carries our lock */
};

struct ql {
	char *dir;                       /* configdirectory */
	struct ptrarray roots;           /* struct root, while a transaction runs */
	struct buf val;
	struct dirwalk_log oddities;
};

/* ---- names */

static int hash_letter(const struct cyrusdb *db, const char *name)
{
	if (!db->env->set.fulldirhash) {
		int c = (unsigned char)*name | 0x20;
		return c >= 'a' && c <= 'z' ? c : 'q';
	}
	uint32_t n = 0;
	for (; *name && *name != '.'; name++) n = ((n << 3) ^ (n >> 5)) ^ (unsigned char)*name;
	return 'A' + (int)(n % 23);
}

static char *domain_dir(const struct cyrusdb *db, const char *domain)
{
	const struct ql *q = db->impl;
	return mem_printf("%s/domain/%c/%s", q->dir, hash_letter(db, domain), domain);
}

/* NULL when the key cannot be a file name. */
static char *root_path(const struct cyrusdb *db, struct db_slice key)
{
	const struct ql *q = db->impl;
	if (!key.n || memchr(key.p, 0, key.n) || memchr(key.p, '/', key.n) || key.p[0] == '.') return NULL;
	char *name = mem_dup(key.p, key.n), *path, *root = name;
	char *bang = db->env->set.virtdomains ? strchr(name, '!') : NULL;
	char *base = NULL;
	if (bang) {
		*bang = 0;
		root = bang + 1;
		base = domain_dir(db, name);
	} else base = mem_strdup(q->dir);
	const char *dot = strchr(root, '.');
	if (bang && (!*name || *root == '.')) path = NULL;
	else if (bang && !*root) path = mem_printf("%s/quota/root", base);
	else path = mem_printf("%s/quota/%c/%s", base, hash_letter(db, dot ? dot + 1 : root), root);
	free(base);
	free(name);
	return path;
}

/* ---- contents: the historical form has a LF where the value has its first space */

static void from_file(struct buf *b)
{
	if (b->len && b->s[b->len - 1] == '\n') buf_truncate(b, b->len - 1);
	char *lf = b->len && b->s[0] != '%' ? memchr(b->s, '\n', b->len) : NULL;
	if (lf) *lf = ' ';
}

static void to_file(struct buf *out, const struct buf *val)
{
	buf_add(out, val);
	char *space = out->len && out->s[0] != '%' ? memchr(out->s, ' ', out->len) : NULL;
	if (space) *space = '\n';
	buf_putc(out, '\n');
}

/* As db_io(), for the file of one root. */
static int root_io(const struct cyrusdb *db, const char *doing, const char *path)
{
	int e = errno;
	db_log_errno(db->engine->name, doing, path, e);
	return e == ENOSPC || e == EDQUOT ? CYRUSDB_FULL : CYRUSDB_IOERROR;
}

/* An empty file is no root: its creator held a lock on it and died. */
static int read_root(const struct cyrusdb *db, const char *path, int fd, struct buf *val)
{
	buf_reset(val);
	if (lseek(fd, 0, SEEK_SET) < 0 || file_read_fd(fd, ROOT_FILE_MAX, val) < 0) return root_io(db, "reading", path);
	if (!val->len) return CYRUSDB_NOTFOUND;
	from_file(val);
	return CYRUSDB_OK;
}

/* ---- the transaction's roots */

static struct root *root_find(const struct ql *q, const char *path)
{
	for (size_t i = 0; i < q->roots.n; i++) {
		struct root *r = q->roots.v[i];
		if (!strcmp(r->path, path)) return r;
	}
	return NULL;
}

static void roots_free(struct ql *q, bool aborted)
{
	for (size_t i = 0; i < q->roots.n; i++) {
		struct root *r = q->roots.v[i];
		if (aborted && r->created) sys_unlink(r->path);
		sys_close(r->fd);
		buf_free(&r->val);
		free(r->path);
		free(r);
	}
	ptrarray_free(&q->roots);
}

/* Locks a root for the transaction; create: makes an empty file to lock when there is none. Takes path. */
static int root_lock(struct cyrusdb *db, char *path, bool create, struct root **out)
{
	struct ql *q = db->impl;
	struct stat st;
	*out = root_find(q, path);
	if (*out) {
		free(path);
		return CYRUSDB_OK;
	}
	bool made = false;
	int fd = sys_open(path, O_RDWR, 0), r = CYRUSDB_OK;
	if (fd < 0 && errno == ENOENT && create) {
		fd = file_create(path, O_RDWR, 0644);
		made = fd >= 0;
	}
	if (fd < 0) r = errno == ENOENT ? CYRUSDB_NOTFOUND : root_io(db, "opening", path);
	else if (lock_reopen(fd, path, LOCK_EXCLUSIVE, false, db->env->lock_ms, &st) < 0) r = root_io(db, "locking", path);
	if (r) {
		if (fd >= 0) sys_close(fd);
		free(path);
		return r;
	}
	struct root *root = mem_zalloc(sizeof *root);
	root->path = path;
	root->fd = fd;
	ptrarray_append(&q->roots, root);
	r = read_root(db, path, fd, &root->val);
	root->exists = !r;
	root->created = made && !root->exists;
	*out = root;
	return r == CYRUSDB_NOTFOUND ? CYRUSDB_OK : r;
}

/* ---- operations */

static int ql_fetch(struct cyrusdb *db, struct db_slice key, struct db_slice *val)
{
	struct ql *q = db->impl;
	char *path = root_path(db, key);
	if (!path) return CYRUSDB_NOTFOUND;
	if (db->in_txn) {
		struct root *root;
		int r = root_lock(db, path, false, &root);
		if (!r && !root->exists) r = CYRUSDB_NOTFOUND;
		if (!r) *val = (struct db_slice){ root->val.s, root->val.len };
		return r;
	}
	int fd = sys_open(path, O_RDONLY, 0), r;
	if (fd < 0) r = errno == ENOENT || errno == ENOTDIR ? CYRUSDB_NOTFOUND : root_io(db, "opening", path);
	else {
		r = read_root(db, path, fd, &q->val);
		sys_close(fd);
	}
	free(path);
	if (!r) *val = (struct db_slice){ q->val.s, q->val.len };
	return r;
}

static int ql_put(struct cyrusdb *db, struct db_slice key, struct db_slice val, bool must_be_new)
{
	struct root *root;
	char *path = root_path(db, key);
	if (!path) return CYRUSDB_INTERNAL;
	int r = root_lock(db, path, true, &root);
	if (r) return r;
	if (root->exists && must_be_new) return CYRUSDB_EXISTS;
	struct buf b = BUF_INIT;
	buf_append(&b, val.p, val.n);
	if (!root->exists || buf_cmp(&b, &root->val)) {
		root->exists = root->changed = true;
		buf_set(&root->val, b.s, b.len);
	}
	buf_free(&b);
	return CYRUSDB_OK;
}

static int ql_del(struct cyrusdb *db, struct db_slice key)
{
	struct root *root;
	char *path = root_path(db, key);
	if (!path) return CYRUSDB_NOTFOUND;
	int r = root_lock(db, path, false, &root);
	if (r) return r;
	if (!root->exists) return CYRUSDB_NOTFOUND;
	root->exists = false;
	root->changed = true;
	return CYRUSDB_OK;
}

static int root_commit(const struct cyrusdb *db, struct root *root)
{
	struct buf b = BUF_INIT;
	int r;
	if (!root->changed) return CYRUSDB_OK;
	if (!root->exists) r = sys_unlink(root->path) < 0 && errno != ENOENT ? -1 : file_sync_parent(root->path);
	else {
		to_file(&b, &root->val);
		r = newfile_write(root->path, 0666, b.s, b.len);
	}
	buf_free(&b);
	if (r < 0) return root_io(db, "writing", root->path);
	root->created = false;
	return CYRUSDB_OK;
}

static int ql_commit(struct cyrusdb *db)
{
	struct ql *q = db->impl;
	for (size_t i = 0; i < q->roots.n; i++) {
		int r = root_commit(db, q->roots.v[i]);
		if (r) return r;
	}
	roots_free(q, true);             /* true: roots made and deleted again leave no empty file */
	return CYRUSDB_OK;
}

static int ql_abort(struct cyrusdb *db)
{
	roots_free(db->impl, true);
	return CYRUSDB_OK;
}

/* ---- iteration */

struct listing {
	const struct cyrusdb *db;
	struct db_slice prefix;
	struct db_keys *out;
};

static void list_add(struct listing *l, const char *front, const char *name)
{
	char *key = mem_printf("%s%s", front, name);
	size_t n = strlen(key);
	if (n >= l->prefix.n && (!l->prefix.n || !memcmp(key, l->prefix.p, l->prefix.n))) db_keys_add(l->out, key, n);
	free(key);
}

static bool is_new(const char *name)
{
	size_t n = strlen(name);
	return n >= 4 && !strcmp(name + n - 4, ".NEW");
}

/* The walks begin at CONFIGDIR/quota or CONFIGDIR/domain, which an administrator may have made links to somewhere else; below
 * them nothing is followed. What cannot be read ends the listing: half a list would look like roots that are gone. */
static int walk(struct ql *q, struct dirwalk *w, const char *sub)
{
	char *root = mem_printf("%s/%s", q->dir, sub);
	q->oddities.who = "quota roots";
	w->odd = dirwalk_log;
	w->odd_arg = &q->oddities;
	w->roots = (const char *const[]){ root };
	w->nroots = 1;
	w->levels = 1;
	w->flags = DIRWALK_ROOT_LINK | DIRWALK_ROOT_GONE;
	int r = dirwalk_run(w);
	free(root);
	return r ? r : w->n.odd[DIRWALK_ODD_UNREADABLE] ? -1 : 0;
}

struct tree {
	struct listing *l;
	const char *front;               /* "" or "domain!" */
};

/* quota/<letter>/ROOT and, in a domain, quota/root */
static int list_root(void *arg, const struct dirwalk_entry *e)
{
	const struct tree *t = arg;
	char first = t->l->db->env->set.fulldirhash ? 'A' : 'a';
	if (!e->depth && e->kind == DIRWALK_DIR) return *e->name >= first && *e->name < first + 26 && !e->name[1] ? 0 : DIRWALK_SKIP;
	if (e->kind != DIRWALK_FILE) return DIRWALK_SKIP;
	if (!e->depth && *t->front && !strcmp(e->name, "root")) list_add(t->l, t->front, "");
	if (e->depth && *e->name != '.' && !is_new(e->name)) list_add(t->l, t->front, e->name);
	return 0;
}

/* below: of CONFIGDIR/domain, or NULL for the roots without a domain */
static int list_tree(struct listing *l, const char *below, const char *front)
{
	struct tree t = { l, front };
	struct dirwalk w = { .below = below, .entry = list_root, .arg = &t };
	return walk(l->db->impl, &w, below ? "domain" : "quota");
}

/* domain/<letter>/DOMAIN */
static int list_domain(void *arg, const struct dirwalk_entry *e)
{
	if (e->kind != DIRWALK_DIR || *e->name == '.' || is_new(e->name)) return DIRWALK_SKIP;
	if (!e->depth) return 0;
	const char *letter = e->name - 2;                /* LETTER/DOMAIN: what is hashed otherwise is nobody's */
	if (letter <= e->path || letter[-1] != '/') return DIRWALK_SKIP;
	char *below = mem_printf("%s/quota", letter), *front = mem_printf("%s!", e->name);
	int r = list_tree(arg, below, front);
	free(below);
	free(front);
	return r ? r : DIRWALK_SKIP;
}

static int by_mbox(const void *a, const void *b) { return db_cmp_mbox(*(const struct db_slice *)a, *(const struct db_slice *)b); }
static int by_bytes(const void *a, const void *b) { return db_cmp_raw(*(const struct db_slice *)a, *(const struct db_slice *)b); }

static int ql_keys(struct cyrusdb *db, struct db_slice prefix, struct db_keys *out)
{
	struct listing l = { db, prefix, out };
	const char *bang = db->env->set.virtdomains && prefix.n ? memchr(prefix.p, '!', prefix.n) : NULL;
	int r = 0;
	if (bang) {
		char *domain = mem_dup(prefix.p, (size_t)(bang - prefix.p));
		char *below = mem_printf("%c/%s/quota", hash_letter(db, domain), domain), *front = mem_printf("%s!", domain);
		if (*domain && *domain != '.' && !strchr(domain, '/')) r = list_tree(&l, below, front);
		free(domain);
		free(below);
		free(front);
	} else {
		struct dirwalk w = { .entry = list_domain, .arg = &l };
		r = list_tree(&l, NULL, "");
		if (!r && !prefix.n && db->env->set.virtdomains) r = walk(db->impl, &w, "domain");
	}
	if (r) return db_io(db, "listing");
	if (out->n) qsort(out->v, out->n, sizeof *out->v, db->flags & CYRUSDB_MBOXSORT ? by_mbox : by_bytes);
	return CYRUSDB_OK;
}

/* ---- opening: only the directory of the name counts */

static int ql_open(struct cyrusdb *db)
{
	const char *slash = strrchr(db->path, '/');
	struct ql *q = db->impl = mem_zalloc(sizeof *q);
	struct stat st;
	q->dir = slash ? mem_dup(db->path, (size_t)(slash - db->path)) : mem_strdup(".");
	char *dir = mem_printf("%s/quota", q->dir);
	int r = CYRUSDB_OK;
	if (stat(dir, &st) < 0 && (!(db->flags & CYRUSDB_CREATE) || file_mkdirs(dir, 0755) < 0)) r = db_io(db, "opening");
	free(dir);
	if (r) {
		free(q->dir);
		free(q);
	}
	return r;
}

static void ql_close(struct cyrusdb *db)
{
	struct ql *q = db->impl;
	roots_free(q, true);
	dirwalk_log_rest(&q->oddities);
	buf_free(&q->val);
	free(q->dir);
	free(q);
}

static int ql_lock(struct cyrusdb *db, bool write)
{
	(void)db, (void)write;           /* each root has its own lock */
	return CYRUSDB_OK;
}

static void ql_unlock(struct cyrusdb *db) { (void)db; }

static int ql_compare(const struct cyrusdb *db, struct db_slice a, struct db_slice b)
{
	return db->flags & CYRUSDB_MBOXSORT ? db_cmp_mbox(a, b) : db_cmp_raw(a, b);
}

/* Conversion in place has written the tree; the single file it was made from goes. */
static int ql_rename(struct cyrusdb_env *env, const char *from, const char *to)
{
	(void)env, (void)from;
	return sys_unlink(to) < 0 || file_sync_parent(to) < 0 ? CYRUSDB_IOERROR : CYRUSDB_OK;
}

static int ql_archive(struct cyrusdb_env *env, const char *const *paths, const char *dir)
{
	(void)env, (void)paths, (void)dir;
	return CYRUSDB_OK;
}

const struct db_engine engine_quotalegacy = {
	.name = "quotalegacy", .open = ql_open, .close = ql_close, .lock = ql_lock, .unlock = ql_unlock, .fetch = ql_fetch,
		.keys = ql_keys,
	.put = ql_put, .del = ql_del, .commit = ql_commit, .abort = ql_abort, .compare = ql_compare, .archive = ql_archive,
	.rename = ql_rename, .exact_prefix = true,
};
