/* newfile.c - see newfile.h. */
#include "sys/newfile.h"
#include "base/mem.h"
#include "sys/file.h"
#include "sys/sys.h"

#include <errno.h>
#include <stdlib.h>

static void forget(struct newfile *f)
{
	if (f->fd >= 0) sys_close(f->fd);
	free(f->path);
	free(f->tmp);
	*f = (struct newfile)NEWFILE_INIT;
}

int newfile_open(struct newfile *f, const char *path, mode_t mode)
{
	*f = (struct newfile){ -1, mem_strdup(path), mem_printf("%s.NEW", path) };
	f->fd = file_create(f->tmp, O_RDWR | O_TRUNC | O_NOFOLLOW, mode);
	if (f->fd >= 0) return 0;
	int e = errno;
	forget(f);
	errno = e;
	return -1;
}

void newfile_abort(struct newfile *f)
{
	int e = errno;
	if (f->tmp) sys_unlink(f->tmp);
	forget(f);
	errno = e;
}

int newfile_commit(struct newfile *f)
{
	if (sys_fsync(f->fd) < 0 || sys_rename(f->tmp, f->path) < 0) {
		newfile_abort(f);
		return -1;
	}
	int r = file_sync_parent(f->path), e = errno;
	forget(f);
	errno = e;
	return r;
}

int newfile_write(const char *path, mode_t mode, const void *p, size_t n)
{
	struct newfile f;
	if (newfile_open(&f, path, mode) < 0) return -1;
	if (sys_write_all(f.fd, p, n) < 0) {
		newfile_abort(&f);
		return -1;
	}
	return newfile_commit(&f);
}
