/* walk.c - see walk.h. A stack of open directories, so that no name is resolved twice: fstatat and openat with O_NOFOLLOW. */
#include "store/walk.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct level {
	DIR *dir;
	size_t path_len;              /* of the path of this directory, with its slash */
};

struct walk {
	struct level *levels;
	size_t n, alloc;
	struct buf path;
	struct hash *seen;            /* device and inode of every directory entered */
	dev_t dev;
	long entries;
};

static int push(struct walk *w, int fd)
{
	struct stat st;
	if (fd < 0) return -1;
	if (fstat(fd, &st) < 0) {
		close(fd);
		return -1;
	}
	if (!w->n) w->dev = st.st_dev;
	uint64_t id[2] = { (uint64_t)st.st_dev, (uint64_t)st.st_ino };
	if (st.st_dev != w->dev || hash_get(w->seen, id, sizeof id)) {
		close(fd);
		return 1;                     /* another file system, or been there */
	}
	hash_put(w->seen, id, sizeof id, w);
	DIR *d = fdopendir(fd);
	if (!d) {
		close(fd);
		return -1;
	}
	MEM_GROW(w->levels, w->alloc, w->n + 1);
	buf_putc(&w->path, '/');
	w->levels[w->n++] = (struct level){ d, w->path.len };
	return 0;
}

static void pop(struct walk *w)
{
	closedir(w->levels[--w->n].dir);
}

static enum walk_kind kind_of(const struct stat *st)
{
	return S_ISREG(st->st_mode) ? WALK_FILE : S_ISDIR(st->st_mode) ? WALK_DIR : S_ISLNK(st->st_mode) ? WALK_LINK : WALK_OTHER;
}

/* One entry of the innermost directory. */
static int visit(struct walk *w, const char *name, int max_depth, walk_fn *fn, void *arg)
{
	struct level *l = &w->levels[w->n - 1];
	struct stat st;
	if (!strcmp(name, ".") || !strcmp(name, "..")) return 0;
	if (++w->entries > WALK_ENTRIES) {
		errno = E2BIG;
		return -1;
	}
	if (fstatat(dirfd(l->dir), name, &st, AT_SYMLINK_NOFOLLOW) < 0) return errno == ENOENT ? 0 : -1;
	buf_truncate(&w->path, l->path_len);
	buf_puts(&w->path, name);
	struct walk_entry e = { buf_cstr(&w->path), NULL, kind_of(&st), (int)w->n - 1, &st };
	e.name = e.path + l->path_len;
	int r = fn(arg, &e);
	if (r == WALK_SKIP || (r == 0 && e.kind != WALK_DIR)) return 0;
	if (r || (int)w->n > max_depth || w->n >= WALK_DEPTH) return r;
	r = push(w, openat(dirfd(l->dir), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
	if (r < 0 && (errno == ENOENT || errno == ELOOP || errno == ENOTDIR)) return 0;      /* gone, or no directory any more */
	if (r < 0 && errno == EACCES) {
		log_msg(LOG_WARNING, "cannot read directory %s: %m", buf_cstr(&w->path));
		return 0;
	}
	return r > 0 ? 0 : r;
}

int walk_dir(const char *root, int max_depth, walk_fn *fn, void *arg)
{
	struct walk w = { .path = BUF_INIT, .seen = hash_new() };
	buf_puts(&w.path, root);
	int r = push(&w, open(root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
	while (!r && w.n) {
		errno = 0;
		struct dirent *d = readdir(w.levels[w.n - 1].dir);
		if (!d && errno) r = -1;
		else if (!d) pop(&w);
		else r = visit(&w, d->d_name, max_depth, fn, arg);
	}
	int e = errno;
	while (w.n) pop(&w);
	free(w.levels);
	hash_free(w.seen, NULL);
	buf_free(&w.path);
	errno = e;
	return r;
}
