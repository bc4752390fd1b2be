/* fault.c - see fault.h. */
#include "sys/fault.h"
#include "sys/sys.h"

#include <errno.h>
#include <unistd.h>

static struct fault plan;                /* test seam: only ever set by cunit */
static unsigned long count, noted_room;
static unsigned char *noted;
static int interrupted;

enum verdict { GO, FAIL, SHORT, TORN };
enum { SECTOR = 512 };

static enum verdict next_call(int is_write, enum fault_effect effect)
{
	if (plan.kind == FAULT_EINTR) {
		interrupted = !interrupted;
		if (interrupted) {
			errno = EINTR;
			return FAIL;
		}
	}
	count++;
	if (noted && count < noted_room) noted[count] = (unsigned char)effect;
	if (plan.kind == FAULT_SHORT && count >= plan.n) return is_write ? SHORT : GO;
	int hit = count == plan.n || (plan.sticky && plan.n && count > plan.n);
	if (!hit) return GO;
	switch (plan.kind) {
	case FAULT_ERROR:
		errno = plan.err;
		return FAIL;
	case FAULT_DIE:
		_exit(99);
	case FAULT_TORN:
		if (!is_write) _exit(99);
		return TORN;
	default:
		return GO;
	}
}

static enum verdict next(int is_write) { return next_call(is_write, FAULT_CHANGE); }
static enum verdict next_write(size_t n) { return next_call(1, n > SECTOR ? FAULT_BIG : FAULT_CHANGE); }

/* How much of a torn write of n bytes at this offset reaches the disk. */
static size_t torn_part(size_t n, off_t off)
{
	size_t into = (size_t)(off % SECTOR), part = n / 2;
	if (n <= SECTOR) return 0;
	part = (part + into) / SECTOR * SECTOR;
	return part > into ? part - into : SECTOR - into < n ? SECTOR - into : 0;
}

static int f_open(const char *path, int flags, mode_t mode)
{
	if ((flags & O_CREAT) && next(0) == FAIL) return -1;
	return sys_real.open(path, flags, mode);
}

static ssize_t f_write(int fd, const void *p, size_t n)
{
	switch (next_write(n)) {
	case FAIL: return -1;
	case SHORT: return sys_real.write(fd, p, n ? 1 : 0);
	case TORN: {
		off_t off = lseek(fd, 0, SEEK_CUR);
		size_t part = torn_part(n, off < 0 ? 0 : off);
		if (part) sys_real.write(fd, p, part);
		_exit(99);
	}
	default: return sys_real.write(fd, p, n);
	}
}

static ssize_t f_pwrite(int fd, const void *p, size_t n, off_t off)
{
	switch (next_write(n)) {
	case FAIL: return -1;
	case SHORT: return sys_real.pwrite(fd, p, n ? 1 : 0, off);
	case TORN: {
		size_t part = torn_part(n, off);
		if (part) sys_real.pwrite(fd, p, part, off);
		_exit(99);
	}
	default: return sys_real.pwrite(fd, p, n, off);
	}
}

#define PLAIN(name, proto, ...) static int f_##name proto { return next(0) == FAIL ? -1 : sys_real.name(__VA_ARGS__); }
static int f_fsync(int fd) { return next_call(0, FAULT_IDLE) == FAIL ? -1 : sys_real.fsync(fd); }
static int f_fdatasync(int fd) { return next_call(0, FAULT_IDLE) == FAIL ? -1 : sys_real.fdatasync(fd); }
PLAIN(ftruncate, (int fd, off_t len), fd, len)
PLAIN(link, (const char *from, const char *to), from, to)
PLAIN(rename, (const char *from, const char *to), from, to)
PLAIN(unlink, (const char *path), path)
PLAIN(mkdir, (const char *path, mode_t mode), path, mode)
PLAIN(rmdir, (const char *path), path)
PLAIN(unlinkat, (int dirfd, const char *name, int flags), dirfd, name, flags)
PLAIN(futimens, (int fd, const struct timespec t[2]), fd, t)

void fault_install(const struct fault *f)
{
	static struct sys_calls calls;
	if (!f) {
		sys_use(NULL);
		return;
	}
	plan = *f;
	count = 0;
	interrupted = 0;
	calls = sys_real;
	calls.open = f_open;
	calls.write = f_write;
	calls.pwrite = f_pwrite;
	calls.fsync = f_fsync;
	calls.fdatasync = f_fdatasync;
	calls.ftruncate = f_ftruncate;
	calls.link = f_link;
	calls.unlink = f_unlink;
	calls.mkdir = f_mkdir;
	if (f->kind != FAULT_EINTR) {        /* the kernel does not interrupt these */
		calls.rename = f_rename;
		calls.rmdir = f_rmdir;
		calls.futimens = f_futimens;
		calls.unlinkat = f_unlinkat;
	} else {
		calls.link = sys_real.link;
		calls.unlink = sys_real.unlink;
		calls.mkdir = sys_real.mkdir;
	}
	sys_use(&calls);
}

void fault_effects(unsigned char *effects, unsigned long room)
{
	noted = effects;
	noted_room = room;
}

unsigned long fault_count(void) { return count; }
