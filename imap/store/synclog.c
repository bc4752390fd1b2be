/* synclog.c - see synclog.h. */
#include "store/synclog.h"
#include "base/log.h"
#include "store/syncline.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/sys.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void append_line(const char *path, const struct buf *line)
{
	struct stat here, named;
	int fd = -1;
	for (int i = 0; i < 64; i++) {                      /* the reader renames the log away under us */
		fd = file_create(path, O_WRONLY | O_APPEND, 0640);
		if (fd < 0) break;
		if (lock_fd(fd, LOCK_EXCLUSIVE, LOCK_DEFAULT, path) == 0 && fstat(fd, &here) == 0 && stat(path, &named) == 0
		    && here.st_ino == named.st_ino) break;
		sys_close(fd);
		fd = -1;
	}
	if (fd < 0 || sys_write_all(fd, line->s, line->len) < 0 || sys_fsync(fd) < 0)
		log_msg(LOG_ERR, "IOERROR: cannot write replication log %s: %m", path);
	if (fd >= 0) sys_close(fd);
}

void synclog(struct store *st, const char *word, const char *a, const char *b)
{
	if (!conf_bool(st->conf, OPT_SYNC_LOG)) return;
	struct buf line = BUF_INIT, path = BUF_INIT;
	if (syncline_print(word, a, b, &line)) return;            /* cannot be expressed, and no name has such bytes */
	const char *channels = conf_str(st->conf, OPT_SYNC_LOG_CHANNELS);
	struct strarray list = STRARRAY_INIT;
	if (channels) strarray_split(&list, channels, " \t");
	if (!list.n) strarray_append(&list, "\"\"");
	for (size_t i = 0; i < list.n; i++) {
		buf_reset(&path);
		if (!strcmp(list.v[i], "\"\"")) buf_printf(&path, "%s/sync/log", conf_dir(st->conf));
		else buf_printf(&path, "%s/sync/%s/log", conf_dir(st->conf), list.v[i]);
		append_line(buf_cstr(&path), &line);
	}
	strarray_free(&list);
	buf_free(&line);
	buf_free(&path);
}
