/* file.c - see file.h. */
#include "sys/file.h"
#include "base/mem.h"
#include "sys/sys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int file_mkdirs(const char *path, mode_t mode)
{
	if (sys_mkdir(path, mode) == 0 || errno == EEXIST) return 0;
	if (errno != ENOENT) return -1;
	if (file_mkparents(path, mode) < 0) return -1;
	return sys_mkdir(path, mode) == 0 || errno == EEXIST ? 0 : -1;
}

int file_mkparents(const char *path, mode_t mode)
{
	char *dir = mem_strdup(path);
	int r = 0;
	/* from the front, so a path of any depth needs no recursion */
	for (char *p = dir + 1; r == 0 && *dir && (p = strchr(p, '/')); p++) {
		*p = 0;
		if (sys_mkdir(dir, mode) < 0 && errno != EEXIST) r = -1;
		*p = '/';
	}
	int e = errno;
	free(dir);
	errno = e;
	return r;
}

int file_mkdirs_sync(const char *path, mode_t mode)
{
	char *dir = mem_strdup(path);
	size_t len = strlen(dir);
	int r = 0;
	while (len > 1 && dir[len - 1] == '/') dir[--len] = 0;
	for (char *p = dir + 1; r == 0; p++) {
		struct stat st;
		p = strchr(p, '/');
		if (p) *p = 0;
		if (stat(dir, &st) < 0) {
			if (sys_mkdir(dir, mode) == 0) r = file_sync_parent(dir);
			else if (errno != EEXIST) r = -1;
		}
		if (!p) break;
		*p = '/';
	}
	int e = errno;
	free(dir);
	errno = e;
	return r;
}

int file_sync_parent(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = !slash ? mem_strdup(".") : slash == path ? mem_strdup("/") : mem_dup(path, (size_t)(slash - path));
	int fd = sys_open(dir, O_RDONLY | O_DIRECTORY, 0), r = -1;
	free(dir);
	if (fd < 0) return -1;
	r = sys_fsync(fd);
	int e = errno;
	sys_close(fd);
	errno = e;
	return r;
}

/* How much to ask for at once: a little more than there seems to be, so that the next read finds the end. */
static size_t block_for(int fd)
{
	enum { LEAST = 512, MOST = 65536 };
	struct stat st;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size >= MOST) return MOST;
	return st.st_size < LEAST ? LEAST : (size_t)st.st_size + 1;
}

int file_read_fd(int fd, size_t limit, struct buf *out)
{
	size_t start = out->len, block = block_for(fd);
	for (;;) {
		buf_reserve(out, block);
		ssize_t n = sys_read(fd, out->s + out->len, block);
		if (n < 0) return -1;
		if (!n) return 0;
		out->len += (size_t)n;
		if (out->len - start > limit) {
			buf_truncate(out, start);
			errno = EFBIG;
			return -1;
		}
	}
}

int file_read(const char *path, size_t limit, struct buf *out)
{
	struct stat st;
	int fd = sys_open(path, O_RDONLY | O_NONBLOCK, 0);     /* a FIFO would keep us here until somebody writes */
	if (fd < 0) return -1;
	int r = fstat(fd, &st), e = errno;
	if (!r && !S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode)) {
		r = -1;
		e = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
	} else if (!r) {
		r = file_read_fd(fd, limit, out);
		e = errno;
	}
	sys_close(fd);
	errno = e;
	return r;
}

static int copy_fd(int in, int out)
{
	enum { BLOCK = 65536 };
	char *block = mem_alloc(BLOCK);
	ssize_t n;
	int r = 0;
	while (r == 0 && (n = sys_read(in, block, BLOCK)) != 0) r = n < 0 ? -1 : sys_write_all(out, block, (size_t)n);
	free(block);
	return r;
}

int file_copy(const char *from, const char *to, mode_t mode)
{
	int in = sys_open(from, O_RDONLY, 0), out = -1, r = -1;
	struct stat st;
	if (in < 0) return -1;
	if (fstat(in, &st) == 0) out = sys_open(to, O_WRONLY | O_CREAT | O_EXCL, mode);
	if (out >= 0) {
		struct timespec t[2] = { st.st_atim, st.st_mtim };
		r = copy_fd(in, out) < 0 || sys_futimens(out, t) < 0 || sys_fsync(out) < 0 ? -1 : 0;
		int e = errno;
		sys_close(out);
		if (r < 0) sys_unlink(to);
		errno = e;
	}
	int e = errno;
	sys_close(in);
	errno = e;
	return r;
}

int file_create(const char *path, int flags, mode_t mode)
{
	int fd = sys_open(path, flags | O_CREAT, mode);
	if (fd >= 0 || errno != ENOENT) return fd;
	if (file_mkparents(path, 0755) < 0) return -1;
	return sys_open(path, flags | O_CREAT, mode);
}
