/* dirwalk.c - see dirwalk.h. A stack of directories on the heap, each read whole (dirwalk_level.c); the deepest ones and the root
 * are open. */
#include "sys/dirwalk.h"
#include "base/mem.h"
#include "sys/clock.h"
#include "sys/dirwalk_priv.h"
#include "sys/sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define INTO (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK)

/* ------------------------------------------------------------------------------------------------ telling */

void walk_odd(struct walk *x, enum dirwalk_odd what, int err)
{
	x->w->n.odd[what]++;
	if (x->w->odd) x->w->odd(x->w->odd_arg, what, buf_cstr(&x->path), err);
}

int walk_ended(struct walk *x, enum dirwalk_odd what, int err)
{
	walk_odd(x, what, err);
	errno = err;
	return -1;
}

bool walk_late(const struct walk *x) { return x->deadline && clock_mono() >= x->deadline; }

void walk_path(struct walk *x, const struct level *l, const char *name, size_t len)
{
	buf_truncate(&x->path, l->path_len);
	buf_append(&x->path, name, len);
}

static struct level *top(struct walk *x) { return &x->levels[x->n - 1]; }
static const char *name_of(const struct level *l, const struct level_entry *e) { return l->names.s + e->name; }

/* ------------------------------------------------------------------------------------------------ the calls, counted */

static int count_openat(struct walk *x, int dirfd, const char *name, int flags)
{
	x->w->n.calls++;
	return sys_openat(dirfd, name, flags);
}

static int count_lstat(struct walk *x, int dirfd, const char *name, struct stat *st)
{
	x->w->n.calls++;
	return sys_lstatat(dirfd, name, st);
}

static int count_fstat(struct walk *x, int fd, struct stat *st)
{
	x->w->n.calls++;
	return sys_fstat(fd, st);
}

static void count_close(struct walk *x, int fd)
{
	int e = errno;
	x->w->n.calls++;
	sys_close(fd);
	errno = e;
}

static bool is(const struct stat *st, dev_t dev, ino_t ino) { return st->st_dev == dev && st->st_ino == ino; }

/* ------------------------------------------------------------------------------------------------ the stack */

/* Closes open ones below the deepest until at most `keep` are left beside the root. */
static void close_some(struct walk *x, size_t keep)
{
	while (x->n - x->lo > keep) {
		struct level *l = &x->levels[x->lo++];
		count_close(x, l->fd);
		l->fd = -1;
	}
}

/* Takes fd, whose path x->path is. */
static int push(struct walk *x, int fd, const struct stat *st)
{
	int err;
	MEM_GROW(x->levels, x->alloc, x->n + 1);
	struct level *l = &x->levels[x->n++];
	if (x->n > x->made) {
		memset(l, 0, sizeof *l);
		x->made = x->n;
	}
	buf_putc(&x->path, '/');
	l->fd = fd;
	l->dev = st->st_dev;
	l->ino = st->st_ino;
	l->path_len = x->path.len;
	x->w->n.dirs++;
	if (x->n > 1) close_some(x, DIRWALK_OPEN);
	if (level_read(x, l, &err)) return -1;
	if (!err) return 0;
	buf_truncate(&x->path, l->path_len - 1);
	walk_odd(x, DIRWALK_ODD_UNREADABLE, err);
	buf_putc(&x->path, '/');
	errno = err;
	return x->n == 1 ? -1 : 0;
}

/* The deepest directory is closed and not above `..` of where we were: down from the root again, each step compared. Where that
 * fails, it and all below it are lost, and the walk goes on in the one above. */
static void climb(struct walk *x)
{
	int fd = x->levels[0].fd, next = -1;
	size_t i;
	for (i = 1; i < x->n; i++, fd = next) {
		struct level *l = &x->levels[i];
		struct stat st;
		size_t from = x->levels[i - 1].path_len;
		char *name = mem_dup(x->path.s + from, l->path_len - 1 - from);
		next = count_openat(x, fd, name, INTO);
		int err = next < 0 ? errno : 0;
		free(name);
		bool same = next >= 0 && !count_fstat(x, next, &st) && is(&st, l->dev, l->ino);
		if (!same) {
			if (next >= 0) count_close(x, next);
			buf_truncate(&x->path, l->path_len - 1);
			walk_odd(x, DIRWALK_ODD_CHANGED, err);
			break;
		}
		if (i > 1) count_close(x, fd);
	}
	while (x->n > i) level_clear(x, &x->levels[--x->n]);
	x->levels[x->n - 1].fd = fd;
	x->lo = x->n > 1 ? x->n - 1 : 1;
}

static void leave(struct walk *x)
{
	int fd = top(x)->fd;
	level_clear(x, top(x));
	if (--x->n && top(x)->fd < 0) {
		struct level *l = top(x);
		struct stat st;
		int up = count_openat(x, fd, "..", INTO);
		buf_truncate(&x->path, l->path_len);
		if (up >= 0 && !count_fstat(x, up, &st) && is(&st, l->dev, l->ino)) {
			l->fd = up;
			x->lo = x->n - 1;
		} else {
			if (up >= 0) count_close(x, up);
			climb(x);
		}
	}
	count_close(x, fd);
}

/* ------------------------------------------------------------------------------------------------ one entry */

static enum dirwalk_kind kind_of(uint8_t type)
{
	return type == DT_REG ? DIRWALK_FILE : type == DT_DIR ? DIRWALK_DIR : type == DT_LNK ? DIRWALK_LINK : DIRWALK_SPECIAL;
}

/* It could not be looked at. */
static int refused(struct walk *x, int err)
{
	switch (err) {
	case ENOENT: case ESTALE:
		x->w->n.vanished++;
		return 0;
	case ELOOP: case ENOTDIR:                             /* it was a directory when it was read */
		walk_odd(x, DIRWALK_ODD_CHANGED, 0);
		return 0;
	case EMFILE: case ENFILE:
		errno = err;
		return -1;
	default:
		walk_odd(x, DIRWALK_ODD_UNREADABLE, err);
		return 0;
	}
}

/* Sets the type by lstat. false: passed over, *r says how. */
static bool look(struct walk *x, const struct level *l, struct level_entry *e, struct stat *st, int *r)
{
	bool listed_dir = e->type == DT_DIR || e->type == DT_UNKNOWN;
	e->skip = true;
	if (count_lstat(x, l->fd, name_of(l, e), st) < 0) {
		*r = refused(x, errno == ENOTDIR ? EIO : errno);
		return false;
	}
	e->type = (uint8_t)IFTODT(st->st_mode);
	if (e->type == DT_DIR && !listed_dir) {               /* it has no place in the order to go into */
		walk_odd(x, DIRWALK_ODD_CHANGED, 0);
		return false;
	}
	e->ino = st->st_ino;
	e->skip = false;
	return true;
}

static int tell(struct walk *x, struct level_entry *e)
{
	struct dirwalk *w = x->w;
	struct level *l = top(x);
	struct stat st;
	int r = 0;
	bool stat_it = e->type == DT_UNKNOWN || (w->flags & DIRWALK_STAT && e->type != DT_DIR && e->type != DT_LNK);
	walk_path(x, l, name_of(l, e), e->len);
	if (x->deadline && !(++x->ticks & 255) && walk_late(x)) return walk_ended(x, DIRWALK_ODD_TIME, ETIMEDOUT);
	if (stat_it && !look(x, l, e, &st, &r)) return r;
	enum dirwalk_kind kind = kind_of(e->type);
	if (kind == DIRWALK_LINK) walk_odd(x, DIRWALK_ODD_LINK, 0);
	if (kind == DIRWALK_SPECIAL) walk_odd(x, DIRWALK_ODD_SPECIAL, 0);
	if (!w->entry) return 0;
	bool with_stat = stat_it && w->flags & DIRWALK_STAT && kind != DIRWALK_DIR && kind != DIRWALK_LINK;
	struct dirwalk_entry told = { .path = buf_cstr(&x->path), .kind = kind, .depth = (int)x->n - 1, .root = x->root,
		.dirfd = l->fd, .st = with_stat ? &st : NULL };
	told.name = told.path + l->path_len;
	r = w->entry(w->arg, &told);
	if (r != DIRWALK_SKIP) return r;
	e->skip = true;
	return 0;
}

static bool is_other_root(const struct walk *x, const struct stat *st)
{
	for (size_t i = 0; x->roots && i < x->w->nroots; i++)
		if (i != x->root && is(st, x->roots[i].dev, x->roots[i].ino)) return true;
	return false;
}

/* Is what was opened as this entry what we want to walk? */
static bool wanted(struct walk *x, const struct level *l, const struct level_entry *e, int fd, struct stat *st)
{
	struct stat now;
	if (count_fstat(x, fd, st) < 0) {
		walk_odd(x, DIRWALK_ODD_UNREADABLE, errno);
		return false;
	}
	if (is_other_root(x, st)) return false;
	if (st->st_dev != l->dev) {
		walk_odd(x, DIRWALK_ODD_MOUNT, 0);
		return false;
	}
	/* Another number than was read: a mount of this file system, a file system that lists other numbers, or another directory in
	 * its place. All may be entered as long as the name and the descriptor agree. */
	if (st->st_ino != e->ino && (count_lstat(x, l->fd, name_of(l, e), &now) < 0 || !is(st, now.st_dev, now.st_ino))) {
		walk_odd(x, DIRWALK_ODD_CHANGED, 0);
		return false;
	}
	if (dirset_add(&x->seen, st->st_dev, st->st_ino)) return true;
	walk_odd(x, DIRWALK_ODD_CYCLE, 0);
	return false;
}

static int enter(struct walk *x, const struct level_entry *e)
{
	struct level *l = top(x);
	struct stat st;
	if (e->skip || e->type != DT_DIR || (x->w->levels >= 0 && x->n > (size_t)x->w->levels)) return 0;
	walk_path(x, l, name_of(l, e), e->len);
	if (walk_late(x)) return walk_ended(x, DIRWALK_ODD_TIME, ETIMEDOUT);
	if (x->n > (size_t)x->max.depth) {
		walk_odd(x, DIRWALK_ODD_DEEP, 0);
		return 0;
	}
	int fd = count_openat(x, l->fd, name_of(l, e), INTO);
	if (fd < 0 && (errno == EMFILE || errno == ENFILE) && x->n > 1 && x->n - x->lo > 1) {
		close_some(x, 1);
		fd = count_openat(x, l->fd, name_of(l, e), INTO);
	}
	if (fd < 0) return refused(x, errno);
	if (wanted(x, l, e, fd, &st)) return push(x, fd, &st);
	count_close(x, fd);
	return 0;
}

/* ------------------------------------------------------------------------------------------------ roots */

/* What is no directory for O_NOFOLLOW: a link? */
static int no_root(struct walk *x, int dirfd, const char *name)
{
	struct stat st;
	int err = errno;
	if ((err == ENOTDIR || err == ELOOP) && !count_lstat(x, dirfd, name, &st) && S_ISLNK(st.st_mode)) {
		walk_odd(x, DIRWALK_ODD_LINK, 0);
		err = ELOOP;
	}
	errno = err;
	return -1;
}

/* The root and `below` it, one component after the other. x->path becomes what was opened, or what could not be. */
static int open_root(struct walk *x, const char *root)
{
	struct dirwalk *w = x->w;
	size_t len = strlen(root);
	int link = w->flags & DIRWALK_ROOT_LINK ? 0 : O_NOFOLLOW;
	const char *p = w->below ? w->below : "";
	while (*p == '/') p++;
	while (len > 1 && root[len - 1] == '/') len--;
	buf_set(&x->path, root, len);
	int fd = count_openat(x, AT_FDCWD, *p ? root : buf_cstr(&x->path), ((INTO | (*p ? O_PATH : 0)) & ~O_NOFOLLOW) | link);
	if (fd < 0) return no_root(x, AT_FDCWD, buf_cstr(&x->path));
	while (*p) {
		size_t n = strcspn(p, "/");
		char *name = mem_dup(p, n);
		for (p += n; *p == '/'; p++) ;
		buf_putc(&x->path, '/');
		buf_puts(&x->path, name);
		errno = EINVAL;
		int next = strcmp(name, "..") ? count_openat(x, fd, name, INTO | (*p ? O_PATH : 0)) : -1;
		if (next < 0) no_root(x, fd, name);
		free(name);
		count_close(x, fd);
		if ((fd = next) < 0) return -1;
	}
	return fd;
}

static void note_roots(struct walk *x)
{
	struct dirwalk *w = x->w;
	if (w->nroots < 2 || w->below) return;
	x->roots = mem_zalloc(w->nroots * sizeof *x->roots);
	for (size_t i = 0; i < w->nroots; i++) {
		struct stat st;
		int link = w->flags & DIRWALK_ROOT_LINK ? 0 : O_NOFOLLOW;
		int fd = count_openat(x, AT_FDCWD, w->roots[i], O_PATH | O_DIRECTORY | link);
		if (fd < 0) continue;                                 /* told when its turn comes */
		if (!count_fstat(x, fd, &st)) x->roots[i] = (struct dirset_entry){ st.st_dev, st.st_ino };
		count_close(x, fd);
	}
}

/* One root to its end. The device of entries below it is that of the root itself. */
static int walk_root(struct walk *x)
{
	struct stat st;
	int fd = open_root(x, x->w->roots[x->root]), r;
	if (fd < 0) return errno == ENOENT && x->w->flags & DIRWALK_ROOT_GONE ? 0 : -1;
	r = count_fstat(x, fd, &st);
	if (r < 0 || !dirset_add(&x->seen, st.st_dev, st.st_ino)) {     /* the same directory as an earlier root */
		count_close(x, fd);
		return r;
	}
	x->lo = 1;
	r = push(x, fd, &st);
	while (!r && x->n) {
		struct level *l = top(x);
		if (l->at == l->nitems) {
			leave(x);
			continue;
		}
		uint32_t item = l->items[l->at++];
		r = item % 2 ? enter(x, &l->entries[item / 2]) : tell(x, &l->entries[item / 2]);
	}
	while (x->n) {
		if (top(x)->fd >= 0) count_close(x, top(x)->fd);
		level_clear(x, &x->levels[--x->n]);
	}
	return r;
}

static const unsigned char *identity(unsigned char *rank)
{
	for (int i = 0; i < 256; i++) rank[i] = (unsigned char)i;
	return rank;
}

int dirwalk_run(struct dirwalk *w)
{
	unsigned char same[256];
	struct walk x = { .w = w, .max = w->limits, .path = BUF_INIT, .lo = 1, .rank = w->rank ? w->rank : identity(same) };
	int r = 0;
	w->n = (struct dirwalk_counts){ 0 };
	if (!x.max.depth) x.max.depth = DIRWALK_DEPTH;
	if (!x.max.name) x.max.name = DIRWALK_NAME_MAX;
	if (!x.max.held) x.max.held = DIRWALK_HELD;
	if (x.max.nsec) x.deadline = clock_mono() + x.max.nsec;
	note_roots(&x);
	for (x.root = 0; x.root < w->nroots && !r; x.root++) r = walk_root(&x);
	int err = errno;
	for (size_t i = 0; i < x.made; i++) level_free(&x.levels[i]);
	free(x.levels);
	free(x.roots);
	free(x.block);
	dirset_free(&x.seen);
	buf_free(&x.path);
	errno = err;
	return r;
}

int dirwalk_list(const char *dir, unsigned flags, int (*entry)(void *arg, const struct dirwalk_entry *e), void *arg)
{
	struct dirwalk w = { .roots = &dir, .nroots = 1, .flags = flags, .entry = entry, .arg = arg };
	return dirwalk_run(&w);
}
