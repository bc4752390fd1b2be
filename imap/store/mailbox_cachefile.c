/* mailbox_cachefile.c - cyrus.cache: frame, generation, reading and appending (spec/mailbox.md 6.1); message files. */
#include "store/mailbox.h"
#include "base/err.h"
#include "base/log.h"
#include "base/num.h"
#include "store/cacherec.h"
#include "store/paths.h"
#include "sys/file.h"
#include "sys/sys.h"

#include <errno.h>
#include <zlib.h>

void mailbox_cache_close(struct mailbox *mb)
{
	map_free(&mb->cache_map);
	if (mb->cache_fd >= 0) sys_close(mb->cache_fd);
	mb->cache_fd = -1;
	mb->cache_checked = mb->cache_ok = false;
	mb->cache_size = 0;
}

static int cache_path(struct mailbox *mb, const char *file, struct buf *out)
{
	return path_mailbox(mb->st, &mb->entry, META_CACHE, file, out);
}

static bool read_generation(struct mailbox *mb, uint32_t *g)
{
	char word[4];
	struct stat st;
	if (fstat(mb->cache_fd, &st) < 0 || sys_pread_full(mb->cache_fd, word, 4, 0) != 4) return false;
	mb->cache_size = (uint64_t)st.st_size;
	*g = get_be32(word);
	return true;
}

/* A crash between the two renames of a repack leaves the right cache as cyrus.cache.NEW. */
static bool adopt_new(struct mailbox *mb)
{
	struct buf now = BUF_INIT, fresh = BUF_INIT;
	uint32_t g;
	bool ok = false;
	if (cache_path(mb, "cyrus.cache", &now) || cache_path(mb, "cyrus.cache.NEW", &fresh)) goto done;
	int fd = sys_open(buf_cstr(&fresh), O_RDWR, 0);
	if (fd < 0) goto done;
	int old = mb->cache_fd;
	mb->cache_fd = fd;
	if (read_generation(mb, &g) && g == mb->h.generation_no && sys_rename(buf_cstr(&fresh), buf_cstr(&now)) == 0) {
		sys_close(old);
		ok = true;
	} else {
		mb->cache_fd = old;
		sys_close(fd);
	}
done:
	buf_free(&now);
	buf_free(&fresh);
	return ok;
}

/* Opens and checks once; false when no record of the cache can be trusted. */
static bool cache_usable(struct mailbox *mb)
{
	if (mb->cache_checked) return mb->cache_ok;
	struct buf path = BUF_INIT;
	uint32_t g = 0;
	mb->cache_checked = true;
	mb->cache_ok = false;
	if (mb->cache_fd < 0 && !cache_path(mb, "cyrus.cache", &path)) mb->cache_fd = sys_open(buf_cstr(&path), O_RDWR, 0);
	if (mb->cache_fd >= 0 && read_generation(mb, &g)) {
		mb->cache_ok = g == mb->h.generation_no || (g < mb->h.generation_no && adopt_new(mb));
		if (!mb->cache_ok)
			log_msg(LOG_WARNING, "mailbox %s: cyrus.cache has generation %u, the index %u: parsing messages instead",
				mb->entry.name, g, mb->h.generation_no);
	}
	buf_free(&path);
	return mb->cache_ok;
}

static size_t record_length(const char *p, size_t n)
{
	struct cacherec rec;
	return cacherec_parse(p, n, &rec) ? 0 : rec.len;
}

int mailbox_cache(struct mailbox *mb, const struct index_record *r, const char **p, size_t *len)
{
	if (!r->cache_offset || !cache_usable(mb)) return ERR_NOTFOUND;
	if (r->cache_offset >= mb->cache_map.len) {
		struct stat st;
		if (fstat(mb->cache_fd, &st) < 0) return ERR_NOTFOUND;
		mb->cache_size = (uint64_t)st.st_size;
		if (r->cache_offset >= mb->cache_size || map_refresh(&mb->cache_map, mb->cache_fd, (size_t)mb->cache_size) < 0)
			return ERR_NOTFOUND;
	}
	const char *start = mb->cache_map.base + r->cache_offset;
	size_t n = record_length(start, mb->cache_map.len - (size_t)r->cache_offset);
	if (!n || (r->cache_crc && (uint32_t)crc32(0, (const Bytef *)start, (uInt)n) != r->cache_crc)) {
		log_msg(LOG_ERR, "IOERROR: mailbox %s: uid %u: cache record at offset %llu is damaged, parsing the message instead",
			mb->entry.name, r->uid, (unsigned long long)r->cache_offset);
		return ERR_NOTFOUND;
	}
	*p = start;
	*len = n;
	return 0;
}

/* Makes the file when there is none, and starts it anew when its generation is of no use. */
static int cache_for_append(struct mailbox *mb)
{
	struct buf path = BUF_INIT;
	char word[4];
	struct stat st;
	int r = 0;
	if (mb->cache_fd < 0) {
		if ((r = cache_path(mb, "cyrus.cache", &path))) goto done;
		mb->cache_fd = file_create(buf_cstr(&path), O_RDWR, 0666);
		if (mb->cache_fd < 0) {
			r = err_from_errno(errno);
			log_msg(LOG_ERR, "IOERROR: mailbox %s: cannot open %s: %m", mb->entry.name, buf_cstr(&path));
			goto done;
		}
	}
	if (fstat(mb->cache_fd, &st) < 0) r = ERR_IO;
	else if (st.st_size < 4) {
		put_be32(word, mb->h.generation_no);
		if (sys_pwrite_all(mb->cache_fd, word, 4, 0) < 0) r = err_from_errno(errno);
		mb->cache_size = 4;
		mb->cache_checked = false;
	} else {
		mb->cache_size = (uint64_t)st.st_size;
		if (!cache_usable(mb)) {                         /* of another generation: only a repack makes it right again */
			mb->h.options |= MBOXOPT_NEEDS_REPACK;
			mailbox_touch_index(mb);
		}
	}
done:
	buf_free(&path);
	return r;
}

int mailbox_cache_append(struct mailbox *mb, const void *p, size_t n, uint64_t *offset)
{
	if (!mb->cache_dirty) {
		int r = cache_for_append(mb);
		if (r) return r;
	}
	uint64_t at = (mb->cache_size + 3) & ~(uint64_t)3;       /* a crash may have left a partial record */
	mb->cache_dirty = true;
	if (sys_pwrite_all(mb->cache_fd, p, n, (off_t)at) < 0) {
		log_msg(LOG_ERR, "IOERROR: mailbox %s: cannot write cyrus.cache at offset %llu: %m", mb->entry.name,
			(unsigned long long)at);
		return err_from_errno(errno);
	}
	mb->cache_size = at + n;
	*offset = at;
	return 0;
}

int mailbox_cache_sync(struct mailbox *mb)
{
	if (!mb->cache_dirty) return 0;
	mb->cache_dirty = false;
	if (sys_fdatasync(mb->cache_fd) == 0) return 0;
	log_msg(LOG_ERR, "IOERROR: mailbox %s: cannot sync cyrus.cache: %m", mb->entry.name);
	return err_from_errno(errno);
}

/* ------------------------------------------------------------------------------------------------ message files */

enum { READ_BELOW = 128 * 1024 };

int mailbox_message_path(struct mailbox *mb, const struct index_record *r, struct buf *out)
{
	return path_message(mb->st, &mb->entry, r->uid, out);
}

int msgfile_open(struct mailbox *mb, const struct index_record *r, struct msgfile *f)
{
	struct buf path = BUF_INIT;
	struct stat st;
	*f = (struct msgfile){ .map = MAP_INIT, .mem = BUF_INIT };
	int e = mailbox_message_path(mb, r, &path), fd = -1;
	if (!e && (fd = sys_open(buf_cstr(&path), O_RDONLY | O_NOFOLLOW, 0)) < 0) e = ERR_IO;
	if (!e && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))) e = ERR_IO;
	if (!e && st.st_size < READ_BELOW) {
		buf_reserve(&f->mem, (size_t)st.st_size + 1);
		ssize_t n = sys_pread_full(fd, f->mem.s, (size_t)st.st_size, 0);
		if (n < 0) e = ERR_IO;
		else f->mem.len = (size_t)n;
		f->base = f->mem.s;
		f->len = f->mem.len;
	} else if (!e) {
		if (map_refresh(&f->map, fd, (size_t)st.st_size) < 0) e = ERR_IO;
		f->base = f->map.base;
		f->len = f->map.len;
	}
	if (e) log_msg(LOG_ERR, "IOERROR: mailbox %s: uid %u: cannot read %s: %m", mb->entry.name, r->uid, buf_cstr(&path));
	if (fd >= 0) sys_close(fd);
	buf_free(&path);
	if (e) msgfile_close(f);
	return e;
}

void msgfile_close(struct msgfile *f)
{
	map_free(&f->map);
	buf_free(&f->mem);
	f->base = NULL;
	f->len = 0;
}
