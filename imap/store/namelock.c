/* namelock.c - see namelock.h. */
#include "store/namelock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/layout.h"
#include "store/paths.h"
#include "sys/file.h"
#include "sys/sys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct namelock {
	struct namelock *next;
	char *name;
	int fd, count;
	enum lock_mode mode;
};

static struct namelock *find(struct store *st, const char *name)
{
	struct namelock *l = st->locks;
	while (l && strcmp(l->name, name)) l = l->next;
	return l;
}

static int open_file(struct store *st, const char *name)
{
	struct buf path = BUF_INIT;
	const char *override = conf_str(st->conf, OPT_MBOXNAME_LOCKPATH);
	char *root = override ? mem_strdup(override) : mem_printf("%s/lock", conf_dir(st->conf));
	path_by_name(st, root, name, &path);
	buf_puts(&path, ".lock");
	int fd = file_create(buf_cstr(&path), O_RDWR, 0666);
	if (fd < 0) log_msg(LOG_ERR, "IOERROR: cannot open lock file %s: %m", buf_cstr(&path));
	buf_free(&path);
	free(root);
	return fd;
}

int namelock_take(struct store *st, const char *name, enum lock_mode mode, int timeout_ms, struct namelock **out)
{
	struct namelock *l = find(st, name);
	*out = NULL;
	if (l) {
		if (mode == LOCK_EXCLUSIVE && l->mode != LOCK_EXCLUSIVE) return ERR_LOCKED;
		l->count++;
		*out = l;
		return 0;
	}
	int fd = open_file(st, name);
	if (fd < 0) return ERR_IO;
	if (lock_fd(fd, mode, timeout_ms, name) < 0) {
		int r = errno == EWOULDBLOCK ? ERR_LOCKED : ERR_IO;
		sys_close(fd);
		return r;
	}
	l = mem_zalloc(sizeof *l);
	*l = (struct namelock){ .next = st->locks, .name = mem_strdup(name), .fd = fd, .count = 1, .mode = mode };
	st->locks = l;
	*out = l;
	return 0;
}

void namelock_release(struct store *st, struct namelock **lock)
{
	struct namelock *l = lock ? *lock : NULL;
	if (!l) return;
	*lock = NULL;
	if (--l->count) return;
	struct namelock **at = &st->locks;
	while (*at != l) at = &(*at)->next;
	*at = l->next;
	sys_close(l->fd);                      /* the lock goes with it */
	free(l->name);
	free(l);
}

enum lock_mode namelock_mode(const struct namelock *l) { return l->mode; }

int namelock_user(struct store *st, const char *userid, enum lock_mode mode, struct namelock **out)
{
	*out = NULL;
	if (!st->layout->user_lock) return 0;
	char *name = mem_printf("*U*%s", userid ? userid : "");
	for (char *p = name; *p; p++)
		if (*p == '.') *p = '^';
	int r = namelock_take(st, name, mode, LOCK_DEFAULT, out);
	free(name);
	return r;
}
