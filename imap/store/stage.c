/* stage.c - the staging file of a message (spec/mailbox.md 1.5, 10.2). See append.h. */
#include "store/append.h"
#include "store/append_priv.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/paths.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/sys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *stage_path(struct store *st, const char *partition, time_t date, unsigned seq)
{
	const char *root = path_root(st, partition, META_DATA);
	return root ? mem_printf("%s/stage./%ld-%lld-%u", root, (long)getpid(), (long long)date, seq) : NULL;
}

int stage_new(struct store *st, const char *partition, time_t date, unsigned seq, struct stage **out)
{
	char *path = stage_path(st, partition, date, seq);
	*out = NULL;
	if (!path) return ERR_PARTITION;
	int fd = file_create(path, O_RDWR | O_TRUNC | O_NOFOLLOW, 0666);
	if (fd < 0) {
		int r = err_from_errno(errno);
		log_msg(LOG_ERR, "IOERROR: cannot create stage file %s: %m", path);
		free(path);
		return r;
	}
	struct stage *s = mem_zalloc(sizeof *s);
	*s = (struct stage){ .st = st, .fd = fd, .seq = seq, .date = date, .map = MAP_INIT };
	strarray_append(&s->partitions, partition);
	strarray_take(&s->paths, path);
	*out = s;
	return 0;
}

void stage_free(struct stage *s)
{
	if (!s) return;
	map_free(&s->map);
	if (s->fd >= 0) sys_close(s->fd);
	for (size_t i = 0; i < s->paths.n; i++) sys_unlink(s->paths.v[i]);
	strarray_free(&s->paths);
	strarray_free(&s->partitions);
	buf_free(&s->pending);
	for (int i = 0; i < 2; i++) buf_free(&s->parsed[i].record);
	free(s);
}

static int flush(struct stage *s)
{
	if (s->error || !s->pending.len) return s->error;
	if (sys_write_all(s->fd, s->pending.s, s->pending.len) < 0) {
		s->error = err_from_errno(errno);
		log_msg(LOG_ERR, "IOERROR: cannot write stage file %s: %m", s->paths.v[0]);
	}
	s->size += s->pending.len;
	buf_reset(&s->pending);
	return s->error;
}

int stage_write(struct stage *s, const void *p, size_t n)
{
	buf_append(&s->pending, p, n);
	return s->pending.len >= 65536 ? flush(s) : s->error;
}

int stage_finish(struct stage *s)
{
	if (!s->date) s->date = clock_now();                /* no date was given: the file's time is the internal date all the same */
	struct timespec t[2] = { { .tv_sec = s->date }, { .tv_sec = s->date } };
	if (flush(s)) return s->error;
	if (!s->size) return s->error = ERR_EMPTYMESSAGE;
	if (sys_futimens(s->fd, t) < 0 || sys_fsync(s->fd) < 0 || map_refresh(&s->map, s->fd, s->size) < 0) {
		s->error = err_from_errno(errno);
		log_msg(LOG_ERR, "IOERROR: cannot sync stage file %s: %m", s->paths.v[0]);
	}
	return s->error;
}

const char *stage_data(const struct stage *s, size_t *len)
{
	*len = s->map.len;
	return s->map.base;
}

time_t stage_date(const struct stage *s) { return s->date; }

/* The stage's copy on a partition: hard links only work there. */
const char *stage_on(struct stage *s, const char *partition, int *err)
{
	long i = strarray_find(&s->partitions, partition);
	*err = 0;
	if (i >= 0) return s->paths.v[i];
	char *path = stage_path(s->st, partition, s->date, s->seq);
	if (!path) {
		*err = ERR_PARTITION;
		return NULL;
	}
	sys_unlink(path);
	if (file_mkparents(path, 0755) < 0 || file_copy(s->paths.v[0], path, 0666) < 0) {
		*err = err_from_errno(errno);
		log_msg(LOG_ERR, "IOERROR: cannot copy stage file to %s: %m", path);
		free(path);
		return NULL;
	}
	strarray_append(&s->partitions, partition);
	strarray_take(&s->paths, path);
	return path;
}

/* One parse for each dialect that some target needs. */
int stage_parse(struct stage *s, uint32_t number, const struct buf **record, const struct message_info **info)
{
	int i = number == CACHE_NUMBER_25 ? 0 : 1;
	if (!s->parsed[i].record.len) {
		struct cacherec_options o = cacherec_defaults(number);
		const struct conf *c = s->st->conf;
		o.mime.boundary_limit = (unsigned)conf_int(c, OPT_BOUNDARY_LIMIT);
		o.mime.maxheaderlines = (unsigned)conf_int(c, OPT_MAXHEADERLINES);
		o.mime.rfc2046_strict = conf_bool(c, OPT_RFC2046_STRICT);
		o.rfc2047_utf8 = conf_bool(c, OPT_RFC2047_UTF8);
		int r = cacherec_build(&o, s->map.base, s->map.len, s->date, &s->parsed[i].record, &s->parsed[i].info);
		if (r) return r;
		if (s->parsed[i].info.too_many_lines)
			log_msg(LOG_NOTICE, "ERROR: message has more than %u header lines, not caching any more", o.mime.maxheaderlines);
	}
	*record = &s->parsed[i].record;
	*info = &s->parsed[i].info;
	return 0;
}
