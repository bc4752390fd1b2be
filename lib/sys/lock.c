/* lock.c - see lock.h. A wait with a deadline polls: fcntl offers no other that a signal could not lose. */
#include "sys/lock.h"
#include "base/log.h"
#include "sys/clock.h"
#include "sys/sys.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

static int try_lock(int fd, enum lock_mode mode, int cmd)
{
	struct flock fl = { .l_type = mode == LOCK_EXCLUSIVE ? F_WRLCK : mode == LOCK_SHARED ? F_RDLCK : F_UNLCK,
		.l_whence = SEEK_SET };
	int r;
	do r = sys_fcntl_lock(fd, cmd, &fl); while (r < 0 && errno == EINTR);
	return r;
}

static void log_holder(int fd, enum lock_mode mode, const char *name)
{
	struct flock fl = { .l_type = mode == LOCK_EXCLUSIVE ? F_WRLCK : F_RDLCK, .l_whence = SEEK_SET };
	if (sys_fcntl_lock(fd, F_GETLK, &fl) == 0 && fl.l_type != F_UNLCK)
		log_msg(LOG_ERR, "IOERROR: lock on %s not granted, held by pid %ld", name, (long)fl.l_pid);
	else
		log_msg(LOG_ERR, "IOERROR: lock on %s not granted in time", name);
}

int lock_fd(int fd, enum lock_mode mode, int timeout_ms, const char *name)
{
	if (mode == LOCK_UNLOCK) return try_lock(fd, mode, F_SETLK);
	if (timeout_ms < 0) return try_lock(fd, mode, F_SETLKW);
	int64_t deadline = 0;
	for (long pause = 200000;; pause = pause < 20000000 ? pause * 2 : pause) {
		if (try_lock(fd, mode, F_SETLK) == 0) return 0;
		if (errno != EAGAIN && errno != EACCES) return -1;
		if (timeout_ms == LOCK_NOWAIT) {
			errno = EWOULDBLOCK;
			return -1;
		}
		int64_t now = clock_mono();
		if (!deadline) deadline = now + (int64_t)timeout_ms * 1000000;
		if (now >= deadline) {
			log_holder(fd, mode, name);
			errno = EWOULDBLOCK;
			return -1;
		}
		nanosleep(&(struct timespec){ .tv_nsec = pause }, NULL);
	}
}

int lock_reopen(int fd, const char *path, enum lock_mode mode, bool readonly, int timeout_ms, struct stat *st)
{
	struct stat here, named;
	for (;;) {
		if (lock_fd(fd, mode, timeout_ms, path) < 0) return -1;
		if (fstat(fd, &here) < 0 || stat(path, &named) < 0) break;
		if (here.st_ino == named.st_ino && here.st_dev == named.st_dev) {
			if (st) *st = here;
			return 0;
		}
		int fresh = sys_open(path, readonly ? O_RDONLY : O_RDWR, 0);
		if (fresh < 0) break;
		int r = dup3(fresh, fd, O_CLOEXEC);
		int e = errno;
		sys_close(fresh);
		errno = e;
		if (r < 0) break;
	}
	int e = errno;
	lock_fd(fd, LOCK_UNLOCK, 0, path);
	errno = e;
	return -1;
}

/* "1: POSIX  ADVISORY  WRITE 4711 fe:00:123456 0 EOF"; with "->" behind the number for one that waits */
long lock_owner(const struct stat *st)
{
	char line[200];
	long found = 0;
	FILE *f = fopen("/proc/locks", "re");
	while (f && !found && fgets(line, sizeof line, f)) {
		unsigned devmajor, devminor;
		unsigned long long ino;
		long pid;
		if (sscanf(line, "%*d: POSIX %*s %*s %ld %x:%x:%llu", &pid, &devmajor, &devminor, &ino) != 4 || pid == (long)getpid())
			continue;
		if (ino == st->st_ino && devmajor == major(st->st_dev) && devminor == minor(st->st_dev)) found = pid;
	}
	if (f) fclose(f);
	return found;
}
