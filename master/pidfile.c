/* pidfile.c - see pidfile.h. The lock is a record lock: it belongs to this process and goes when any descriptor of the
 * file is closed, so the pid file is opened once and never again. */
#include "master/pidfile.h"
#include "base/log.h"
#include "base/mem.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/sys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

int pidfile_claim(const char *path)
{
	char text[32];
	int fd = sys_open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0644);
	if (fd < 0) {
		log_msg(LOG_ERR, "can't open pidfile %s: %s", path, strerror(errno));
		return EX_OSERR;
	}
	if (lock_fd(fd, LOCK_EXCLUSIVE, LOCK_NOWAIT, path) < 0) {
		log_msg(LOG_CRIT, "cannot get exclusive lock on pidfile (is another master still running?)");
		sys_close(fd);
		return EX_OSERR;
	}
	int n = snprintf(text, sizeof text, "%ld\n", (long)getpid());
	if (sys_ftruncate(fd, 0) < 0 || sys_write_all(fd, text, (size_t)n) < 0 || sys_fsync(fd) < 0) {
		log_msg(LOG_ERR, "can't write pidfile %s: %s", path, strerror(errno));
		sys_close(fd);
		return EX_OSERR;
	}
	return 0;
}

static int claim_lock_file(const char *path)
{
	int fd = sys_open(path, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, 0644);
	if (fd < 0) {
		log_msg(LOG_ERR, "can't open pidfile lock %s: %s", path, strerror(errno));
		return -EX_OSERR;
	}
	if (lock_fd(fd, LOCK_EXCLUSIVE, LOCK_NOWAIT, path) == 0) return fd;
	log_msg(LOG_ERR, "can't get exclusive lock on %s", path);
	sys_close(fd);
	return -EX_TEMPFAIL;
}

static int parent_wait(int fd, const char *lock_path)
{
	int code;
	ssize_t n = sys_read(fd, &code, sizeof code);
	unlink(lock_path);
	return n == sizeof code ? code : EX_OSERR;
}

static int leave_parent(int fd[2], struct handshake *h, const char *lock_path, const char *confdir, int *parent)
{
	pid_t pid;
	if (chdir(confdir) < 0) {
		log_msg(LOG_ERR, "can't change to %s: %s", confdir, strerror(errno));
		return 2;
	}
	if (chdir("cores") < 0) log_msg(LOG_DEBUG, "no directory %s/cores", confdir);
	while ((pid = fork()) < 0 && errno == EAGAIN) sleep(5);
	if (pid < 0) return EX_OSERR;
	if (pid > 0) {
		sys_close(fd[1]);
		*parent = 1;
		return parent_wait(fd[0], lock_path);
	}
	sys_close(fd[0]);
	h->pipe = fd[1];
	if (setsid() >= 0) return 0;
	log_msg(LOG_ERR, "setsid: %s", strerror(errno));
	handshake_tell(h, EX_OSERR);
	return EX_OSERR;
}

int daemonize(struct handshake *h, const char *pid_path, const char *confdir, int *parent)
{
	int fd[2], r;
	char *lock_path = mem_printf("%s.lock", pid_path);
	*parent = 0;
	h->lock = claim_lock_file(lock_path);
	if (h->lock < 0) {
		r = -h->lock;
		h->lock = -1;
	} else if (pipe2(fd, O_CLOEXEC) < 0) {
		r = EX_OSERR;
	} else {
		r = leave_parent(fd, h, lock_path, confdir, parent);
	}
	free(lock_path);
	return r;
}

void handshake_tell(struct handshake *h, int code)
{
	if (h->pipe >= 0) {
		if (sys_write_all(h->pipe, &code, sizeof code) < 0) log_msg(LOG_ERR, "cannot tell the parent: %s", strerror(errno));
		sys_close(h->pipe);
	}
	if (h->lock >= 0) sys_close(h->lock);
	h->pipe = h->lock = -1;
}

int readyfile_create(const char *path)
{
	int fd = file_create(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0644);
	if (fd >= 0 && sys_fsync(fd) == 0) {
		sys_close(fd);
		return 0;
	}
	log_msg(LOG_CRIT, "cannot create ready file %s: %s", path, strerror(errno));
	if (fd >= 0) sys_close(fd);
	return EX_OSERR;
}

void readyfile_remove(const char *path)
{
	if (unlink(path) < 0 && errno != ENOENT) log_msg(LOG_ERR, "cannot remove ready file %s: %s", path, strerror(errno));
}
