/* sys.c - see sys.h. */
#include "sys/sys.h"

#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static int real_open(const char *path, int flags, mode_t mode) { return open(path, flags, mode); }
static int real_mkdir(const char *path, mode_t mode) { return mkdir(path, mode); }
static int real_fcntl_lock(int fd, int cmd, struct flock *fl) { return fcntl(fd, cmd, fl); }
static int real_openat(int dirfd, const char *name, int flags) { return openat(dirfd, name, flags); }
static int real_fstat(int fd, struct stat *st) { return fstat(fd, st); }
static int real_lstatat(int dirfd, const char *name, struct stat *st)
{
	return fstatat(dirfd, name, st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT);
}
static ssize_t real_getdents(int dirfd, void *p, size_t n) { return syscall(SYS_getdents64, dirfd, p, n); }

const struct sys_calls sys_real = {
	.open = real_open, .read = read, .pread = pread, .write = write, .pwrite = pwrite, .fsync = fsync,
	.fdatasync = fdatasync, .ftruncate = ftruncate, .rename = rename, .link = link, .unlink = unlink,
	.mkdir = real_mkdir, .rmdir = rmdir, .futimens = futimens, .fcntl_lock = real_fcntl_lock,
	.openat = real_openat, .fstat = real_fstat, .lstatat = real_lstatat, .getdents = real_getdents, .unlinkat = unlinkat,
};

/* The seam for tests; never changed in a program. */
static const struct sys_calls *calls = &sys_real;

void sys_use(const struct sys_calls *c) { calls = c ? c : &sys_real; }

#define RETRY(expr) do { r = (expr); } while (r < 0 && errno == EINTR)

int sys_open(const char *path, int flags, mode_t mode)
{
	int r;
	RETRY(calls->open(path, flags | O_CLOEXEC, mode));
	return r;
}

int sys_close(int fd) { return close(fd); }

ssize_t sys_read(int fd, void *p, size_t n)
{
	ssize_t r;
	RETRY(calls->read(fd, p, n));
	return r;
}

ssize_t sys_pread_full(int fd, void *p, size_t n, off_t off)
{
	size_t done = 0;
	while (done < n) {
		ssize_t r;
		RETRY(calls->pread(fd, (char *)p + done, n - done, off + (off_t)done));
		if (r < 0) return -1;
		if (!r) break;
		done += (size_t)r;
	}
	return (ssize_t)done;
}

int sys_write_all(int fd, const void *p, size_t n)
{
	const char *s = p;
	while (n) {
		ssize_t r;
		RETRY(calls->write(fd, s, n));
		if (r < 0) return -1;
		s += r;
		n -= (size_t)r;
	}
	return 0;
}

int sys_pwrite_all(int fd, const void *p, size_t n, off_t off)
{
	const char *s = p;
	while (n) {
		ssize_t r;
		RETRY(calls->pwrite(fd, s, n, off));
		if (r < 0) return -1;
		s += r;
		off += r;
		n -= (size_t)r;
	}
	return 0;
}

int sys_fsync(int fd) { int r; RETRY(calls->fsync(fd)); return r; }
int sys_fdatasync(int fd) { int r; RETRY(calls->fdatasync(fd)); return r; }
int sys_ftruncate(int fd, off_t len) { int r; RETRY(calls->ftruncate(fd, len)); return r; }
int sys_rename(const char *from, const char *to) { return calls->rename(from, to); }
int sys_link(const char *from, const char *to) { return calls->link(from, to); }
int sys_unlink(const char *path) { return calls->unlink(path); }
int sys_mkdir(const char *path, mode_t mode) { return calls->mkdir(path, mode); }
int sys_rmdir(const char *path) { return calls->rmdir(path); }
int sys_futimens(int fd, const struct timespec t[2]) { return calls->futimens(fd, t); }
int sys_fcntl_lock(int fd, int cmd, struct flock *fl) { return calls->fcntl_lock(fd, cmd, fl); }

int sys_openat(int dirfd, const char *name, int flags)
{
	int r;
	RETRY(calls->openat(dirfd, name, flags | O_CLOEXEC));
	return r;
}

int sys_fstat(int fd, struct stat *st) { return calls->fstat(fd, st); }
int sys_lstatat(int dirfd, const char *name, struct stat *st) { return calls->lstatat(dirfd, name, st); }

ssize_t sys_getdents(int dirfd, void *p, size_t n)
{
	ssize_t r;
	RETRY(calls->getdents(dirfd, p, n));
	return r;
}

int sys_unlinkat(int dirfd, const char *name, int flags) { return calls->unlinkat(dirfd, name, flags); }
