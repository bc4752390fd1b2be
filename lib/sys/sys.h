/* sys.h - the system calls that touch files, through one table that a test can replace.
 *
 * Every wrapper retries EINTR where that is right, and takes and returns what the call itself does (-1 and errno on
 * failure) unless its comment says more. Nothing in the store calls the kernel around this table. */
#ifndef CAMB_SYS_H
#define CAMB_SYS_H
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

struct sys_calls {
	int (*open)(const char *path, int flags, mode_t mode);
	ssize_t (*read)(int fd, void *p, size_t n);
	ssize_t (*pread)(int fd, void *p, size_t n, off_t off);
	ssize_t (*write)(int fd, const void *p, size_t n);
	ssize_t (*pwrite)(int fd, const void *p, size_t n, off_t off);
	int (*fsync)(int fd);
	int (*fdatasync)(int fd);
	int (*ftruncate)(int fd, off_t len);
	int (*rename)(const char *from, const char *to);
	int (*link)(const char *from, const char *to);
	int (*unlink)(const char *path);
	int (*mkdir)(const char *path, mode_t mode);
	int (*rmdir)(const char *path);
	int (*futimens)(int fd, const struct timespec t[2]);
	int (*fcntl_lock)(int fd, int cmd, struct flock *fl);
	int (*openat)(int dirfd, const char *name, int flags);
	int (*fstat)(int fd, struct stat *st);
	int (*lstatat)(int dirfd, const char *name, struct stat *st);
	ssize_t (*getdents)(int dirfd, void *p, size_t n);
	int (*unlinkat)(int dirfd, const char *name, int flags);
};
extern const struct sys_calls sys_real;         /* the kernel */
void sys_use(const struct sys_calls *calls);    /* tests only; NULL is the kernel again */

int sys_open(const char *path, int flags, mode_t mode);     /* always O_CLOEXEC */
int sys_close(int fd);                                       /* never retried: the descriptor is gone either way */
ssize_t sys_read(int fd, void *p, size_t n);                 /* retried on EINTR; may be short */
ssize_t sys_pread_full(int fd, void *p, size_t n, off_t off);/* short only at end of file */
int sys_write_all(int fd, const void *p, size_t n);          /* 0 or -1; writes everything */
int sys_pwrite_all(int fd, const void *p, size_t n, off_t off);
int sys_fsync(int fd);
int sys_fdatasync(int fd);
int sys_ftruncate(int fd, off_t len);
int sys_rename(const char *from, const char *to);
int sys_link(const char *from, const char *to);
int sys_unlink(const char *path);
int sys_mkdir(const char *path, mode_t mode);
int sys_rmdir(const char *path);
int sys_futimens(int fd, const struct timespec t[2]);
int sys_fcntl_lock(int fd, int cmd, struct flock *fl);       /* one call: lock.h retries */

/* Directories, relative to an open one (or AT_FDCWD). */
int sys_openat(int dirfd, const char *name, int flags);      /* always O_CLOEXEC; never creates */
int sys_fstat(int fd, struct stat *st);
int sys_lstatat(int dirfd, const char *name, struct stat *st);   /* of a link itself; mounts nothing */
ssize_t sys_getdents(int dirfd, void *p, size_t n);          /* records of struct sys_dirent; 0 at the end */
int sys_unlinkat(int dirfd, const char *name, int flags);
struct sys_dirent {                      /* as the kernel writes it; the next one is `size` bytes on */
	uint64_t ino;
	int64_t off;
	uint16_t size;
	uint8_t type;                    /* DT_REG ..., DT_UNKNOWN where the file system does not say */
	char name[];
};
#endif
