/* skipstamp.c - CONFIGDIR/db/skipstamp: since when every skiplist file must have been recovered (spec/cyrusdb.md 4). */
#include "db/db_priv.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/sys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void read_stamp(struct cyrusdb_env *env)
{
	char *path = mem_printf("%s/skipstamp", env->dbdir), four[4];
	int fd = sys_open(path, O_RDONLY, 0);
	ssize_t n = fd < 0 ? -1 : sys_pread_full(fd, four, sizeof four, 0);
	env->stamp = n == 4 ? get_be32(four) : 0;
	if (n != 4) log_msg(LOG_ERR, "DBERROR: reading %s, assuming the worst: %s", path, n < 0 ? strerror(errno) : "too short");
	if (fd >= 0) sys_close(fd);
	free(path);
}

uint32_t skipstamp_read(struct cyrusdb_env *env)
{
	if (!env->stamp_read) read_stamp(env);
	env->stamp_read = true;
	return env->stamp;
}

static void write_stamp(struct cyrusdb_env *env)
{
	char *path = mem_printf("%s/skipstamp", env->dbdir), four[4];
	env->stamp = (uint32_t)clock_now();
	env->stamp_read = true;
	put_be32(four, env->stamp);
	int fd = file_create(path, O_RDWR, 0644);
	/* written over the old one: readers want four bytes at any time, and the new ones come in one write */
	if (fd < 0 || sys_pwrite_all(fd, four, 4, 0) < 0 || sys_ftruncate(fd, 4) < 0 || sys_fsync(fd) < 0)
		log_msg(LOG_ERR, "DBERROR: writing %s: %m", path);
	if (fd >= 0) sys_close(fd);
	free(path);
}

void skipstamp_recover(struct cyrusdb_env *env)
{
	char *clean = mem_printf("%s/skipcleanshutdown", env->dbdir);
	struct stat st;
	if (stat(clean, &st) == 0) {
		log_msg(LOG_NOTICE, "skiplist: clean shutdown detected, starting normally");
		if (sys_unlink(clean) < 0) log_msg(LOG_ERR, "DBERROR: removing %s: %m", clean);
	} else {
		log_msg(LOG_NOTICE, "skiplist: clean shutdown file missing, updating recovery stamp");
		write_stamp(env);
	}
	free(clean);
}
