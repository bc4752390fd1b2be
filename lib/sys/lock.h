/* lock.h - POSIX record locks over a whole file: the only kind the Cyrus family's packages see (spec/mailbox.md 2).
 *
 * They belong to the process, and closing ANY descriptor of the file drops them: keep one descriptor per locked file. */
#ifndef CAMB_LOCK_H
#define CAMB_LOCK_H
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

enum lock_mode { LOCK_UNLOCK, LOCK_SHARED, LOCK_EXCLUSIVE };

#define LOCK_NOWAIT 0                            /* timeout_ms: try once */
#define LOCK_FOREVER (-1)                        /* timeout_ms: as long as it takes (START-time tools only) */
#define LOCK_DEFAULT 60000                       /* what the store waits before it logs the holder and gives up */

/* Takes, changes or (LOCK_UNLOCK) drops the lock. 0, or -1 with errno EWOULDBLOCK when it was still held by another
 * process after timeout_ms (logged at LOG_ERR with the holder's pid unless LOCK_NOWAIT), or the error of fcntl. EINTR is
 * retried. `name` is for the log only. */
int lock_fd(int fd, enum lock_mode mode, int timeout_ms, const char *name);

/* The lock on whatever file is under `path` now: takes the lock on *fd, and if meanwhile another inode was renamed over
 * `path`, opens that (flags O_RDWR, or O_RDONLY when readonly) onto the same descriptor number and starts again. *st
 * (may be NULL) receives the locked file's status. -1 and errno ENOENT when the name is gone. */
int lock_reopen(int fd, const char *path, enum lock_mode mode, bool readonly, int timeout_ms, struct stat *st);

/* The pid of a process that holds a POSIX lock on the file, for a log line; 0 when nobody else is known to. Unlike F_GETLK it
 * needs no descriptor, the closing of which would drop locks of ours. */
long lock_owner(const struct stat *st);
#endif
