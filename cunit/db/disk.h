/* disk.h - a disk that loses what was not synced. It stands behind sys.h in a process that is to die: every change to a file and
 * every new name is remembered until an fsync of the file or of the folder; at the chosen call the process dies, and before that
 * everything remembered is undone, or some of it: data by the sector, names from some point on. */
#ifndef CAMB_DISK_H
#define CAMB_DISK_H
#include "base/mem.h"
#include "sys/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum disk_end { DISK_KILL, DISK_LOSE_ALL, DISK_LOSE_SOME };
enum { DISK_SECTOR = 512 };

struct disk_change {
	enum { CHANGE_GONE, CHANGE_DATA, CHANGE_CREATE, CHANGE_RENAME, CHANGE_UNLINK } what;
	bool stays;                      /* DATA: its sector reached the disk */
	int fd;                          /* DATA: a descriptor of our own */
	ino_t ino;                       /* DATA: of the file; else of the folder */
	off_t off, size;                 /* DATA: where, and how long the file was */
	char *old;
	size_t n;
	char *path, *to, *kept;          /* names; kept: a second name of what was there */
};
static struct disk {
	unsigned long count, at;
	enum disk_end end;
	uint32_t seed;
	struct disk_change *v;
	size_t n, alloc;
	char folder[300];                /* for second names */
} disk;

static inline uint32_t disk_rnd(void) { return (disk.seed = disk.seed * 1664525u + 1013904223u) >> 16; }

static inline struct disk_change *disk_add(int what)
{
	MEM_GROW(disk.v, disk.alloc, disk.n + 1);
	disk.v[disk.n] = (struct disk_change){ .what = what, .fd = -1 };
	return &disk.v[disk.n++];
}

/* One sector, or what of a sector was written. */
static inline void disk_undo_data(const struct disk_change *c, bool keep_size)
{
	struct stat st;
	if (c->n && pwrite(c->fd, c->old, c->n, c->off) < 0) _exit(98);
	if (!keep_size && fstat(c->fd, &st) == 0 && st.st_size > c->size && ftruncate(c->fd, c->size) < 0) _exit(98);
	if (fstat(c->fd, &st) == 0 && st.st_size < c->size && ftruncate(c->fd, c->size) < 0) _exit(98);
}

static inline void disk_undo_name(const struct disk_change *c)
{
	if (c->what == CHANGE_CREATE) unlink(c->path);
	if (c->what == CHANGE_RENAME) {
		if (rename(c->to, c->path) < 0) _exit(98);
		if (c->kept && rename(c->kept, c->to) < 0) _exit(98);
	}
	if (c->what == CHANGE_UNLINK && rename(c->kept, c->path) < 0) _exit(98);
}

/* Names are lost in order (a journal has them so): from the last on, down to some point. Of data any sector may be lost; a file
 * whose end is kept is as long as that. */
static inline bool disk_stays(size_t i)
{
	const struct disk_change *c = &disk.v[i];
	for (size_t k = i + 1; k < disk.n; k++)                  /* a later one of that sector brought it along */
		if (disk.v[k].what == CHANGE_DATA && disk.v[k].stays && disk.v[k].ino == c->ino
			&& disk.v[k].off / DISK_SECTOR == c->off / DISK_SECTOR)
			return true;
	return disk_rnd() % 2;
}

static inline void disk_die(void)
{
	size_t names = 0, lose;
	for (size_t i = 0; i < disk.n; i++) names += disk.v[i].what > CHANGE_DATA;
	lose = disk.end == DISK_LOSE_ALL ? names : disk.end == DISK_LOSE_SOME && names ? disk_rnd() % (names + 1) : 0;
	for (size_t i = disk.n; i--;) {
		struct disk_change *c = &disk.v[i];
		if (c->what == CHANGE_DATA) c->stays = disk.end == DISK_KILL || (disk.end == DISK_LOSE_SOME && disk_stays(i));
		if (c->what == CHANGE_DATA && !c->stays) {
			struct stat st;
			bool later = fstat(c->fd, &st) == 0 && st.st_size > c->off + (off_t)c->n;        /* something behind it was kept */
			disk_undo_data(c, later && disk.end == DISK_LOSE_SOME);
		} else if (c->what > CHANGE_DATA && lose) {
			disk_undo_name(c);
			lose--;
		}
	}
	_exit(99);
}

static inline void disk_call(void)
{
	if (++disk.count == disk.at) disk_die();
}

static inline void disk_forget(const struct stat *st)
{
	bool folder = S_ISDIR(st->st_mode);
	for (size_t i = 0; i < disk.n; i++) {
		struct disk_change *c = &disk.v[i];
		if (c->what == CHANGE_GONE || c->ino != st->st_ino || (c->what > CHANGE_DATA) != folder) continue;
		if (c->kept) unlink(c->kept);
		c->what = CHANGE_GONE;
	}
}

/* A descriptor of our own for what fd is open on, one a file; never closed, for that would drop the locks. */
static inline int disk_own_fd(int fd, ino_t ino)
{
	char name[40];
	for (size_t i = 0; i < disk.n; i++)
		if (disk.v[i].fd >= 0 && disk.v[i].ino == ino) return disk.v[i].fd;
	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	fd = open(name, O_RDWR | O_CLOEXEC);
	if (fd < 0) _exit(97);
	return fd;
}

/* What is about to be written over, sector by sector. */
static inline void disk_remember(int fd, off_t off, size_t n)
{
	struct stat st;
	if (fstat(fd, &st) < 0) _exit(98);
	int own = disk_own_fd(fd, st.st_ino);
	while (n) {
		size_t part = DISK_SECTOR - (size_t)(off % DISK_SECTOR);
		if (part > n) part = n;
		struct disk_change *c = disk_add(CHANGE_DATA);
		c->fd = own;
		c->ino = st.st_ino;
		c->off = off;
		c->size = st.st_size > off ? st.st_size : off;
		c->old = mem_zalloc(part);
		c->n = part;
		if (pread(own, c->old, part, off) < 0) _exit(98);
		off += (off_t)part;
		n -= part;
	}
}

static inline ino_t disk_folder_of(const char *path)
{
	struct stat st;
	char *copy = mem_strdup(path);
	if (stat(dirname(copy), &st) < 0) st.st_ino = 0;
	free(copy);
	return st.st_ino;
}

/* A second name for what is under this one, so that it can come back; NULL when nothing is. */
static inline char *disk_keep(const char *path)
{
	static unsigned n;
	char *kept = mem_printf("%s/kept.%ld.%u", disk.folder, (long)getpid(), n++);
	if (link(path, kept) == 0) return kept;
	free(kept);
	return NULL;
}

static inline int disk_open(const char *path, int flags, mode_t mode)
{
	struct stat st;
	bool made = (flags & O_CREAT) && lstat(path, &st) < 0;
	if (flags & O_CREAT) disk_call();
	if ((flags & O_TRUNC) && !made && stat(path, &st) == 0 && st.st_size) {
		int fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd >= 0) disk_remember(fd, 0, (size_t)st.st_size);
	}
	int fd = open(path, flags, mode);
	if (fd >= 0 && made) {
		struct disk_change *c = disk_add(CHANGE_CREATE);
		c->ino = disk_folder_of(path);
		c->path = mem_strdup(path);
	}
	return fd;
}

static inline ssize_t disk_pwrite(int fd, const void *p, size_t n, off_t off)
{
	disk_call();
	disk_remember(fd, off, n);
	return pwrite(fd, p, n, off);
}
static inline ssize_t disk_write(int fd, const void *p, size_t n)
{
	disk_call();
	disk_remember(fd, lseek(fd, 0, SEEK_CUR), n);
	return write(fd, p, n);
}
static inline int disk_sync(int fd)
{
	struct stat st;
	disk_call();
	if (fstat(fd, &st) == 0) disk_forget(&st);
	return 0;
}
static inline int disk_ftruncate(int fd, off_t len)
{
	struct stat st;
	disk_call();
	if (fstat(fd, &st) == 0 && st.st_size > len) disk_remember(fd, len, (size_t)(st.st_size - len));
	return ftruncate(fd, len);
}
static inline int disk_rename(const char *from, const char *to)
{
	disk_call();
	char *kept = disk_keep(to);
	int r = rename(from, to);
	if (r == 0) {
		struct disk_change *c = disk_add(CHANGE_RENAME);
		c->ino = disk_folder_of(to);
		c->path = mem_strdup(from);
		c->to = mem_strdup(to);
		c->kept = kept;
	}
	return r;
}
static inline int disk_unlink(const char *path)
{
	disk_call();
	char *kept = disk_keep(path);
	int r = unlink(path);
	if (r == 0 && kept) {
		struct disk_change *c = disk_add(CHANGE_UNLINK);
		c->ino = disk_folder_of(path);
		c->path = mem_strdup(path);
		c->kept = kept;
	}
	return r;
}

/* From now on; the process dies at call `at` (0: never). folder: on the same file system, for second names. */
static inline void disk_install(const char *folder, unsigned long at, enum disk_end end, uint32_t seed)
{
	static struct sys_calls calls;
	disk = (struct disk){ .at = at, .end = end, .seed = seed };
	snprintf(disk.folder, sizeof disk.folder, "%s", folder);
	calls = sys_real;
	calls.open = disk_open;
	calls.write = disk_write;
	calls.pwrite = disk_pwrite;
	calls.fsync = calls.fdatasync = disk_sync;
	calls.ftruncate = disk_ftruncate;
	calls.rename = disk_rename;
	calls.unlink = disk_unlink;
	sys_use(&calls);
}
#endif
