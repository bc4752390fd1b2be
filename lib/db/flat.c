/* flat.c - one sorted text line a record; every change replaces the file (spec/cyrusdb.md 9). Readers take no lock: they read the
 * whole file that is under the name now. Inside a transaction the changed text is kept in memory until commit. */
#include "db/db_priv.h"

#include "base/mem.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/newfile.h"
#include "sys/sys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FLAT_MAX ((size_t)1 << 31)       /* larger than any text database; bounds memory */

struct flat {
	int fd;                          /* the file that text was read from */
	struct stat st;
	struct buf text, key, key2, again, val;  /* text: all of it; key, again encoded; key2, val decoded */
	bool changed;
};

/* ---- encoding */

static void encode(struct buf *out, struct db_slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c == 0 || c == '\t' || c == '\r' || c == '\n' || c == 0xFF) {
			buf_putc(out, 0xFF);
			buf_putc(out, c | 0x80);
		} else buf_putc(out, c);
	}
}

static void decode(struct buf *out, const char *p, size_t n)
{
	buf_reset(out);
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];
		if (c == 0xFF && i + 1 < n) {
			c = (unsigned char)p[++i];
			if (c != 0xFF) c &= 0x7F;
		}
		buf_putc(out, c);
	}
}

/* ---- lines */

struct line {
	size_t start, key_end, val, end, next;   /* offsets; [start,key_end) the key, [val,end) the value */
};

static struct line line_at(const struct flat *f, size_t start)
{
	const char *s = f->text.s;
	const char *nl = memchr(s + start, '\n', f->text.len - start);
	struct line l = { .start = start, .end = nl ? (size_t)(nl - s) : f->text.len };
	const char *tab = memchr(s + start, '\t', l.end - start);
	l.key_end = tab ? (size_t)(tab - s) : l.end;
	l.val = tab ? l.key_end + 1 : l.end;
	l.next = nl ? l.end + 1 : l.end;
	return l;
}

static size_t line_start(const struct flat *f, size_t off, size_t floor)
{
	while (off > floor && f->text.s[off - 1] != '\n') off--;
	return off;
}

/* The first line whose key is >= the encoded key; its start is text.len when there is none. */
static bool search(const struct flat *f, struct db_slice key, struct line *l)
{
	size_t lo = 0, hi = f->text.len;
	while (lo < hi) {
		struct line m = line_at(f, line_start(f, lo + (hi - lo) / 2, lo));
		int c = db_cmp_mbox((struct db_slice){ f->text.s + m.start, m.key_end - m.start }, key);
		if (!c) {
			*l = m;
			return true;
		}
		if (c < 0) lo = m.next;
		else hi = m.start;
	}
	*l = (struct line){ lo, lo, lo, lo, lo };
	return false;
}

static struct db_slice encoded(struct flat *f, struct db_slice key)
{
	buf_reset(&f->key);
	encode(&f->key, key);
	return (struct db_slice){ f->key.s, f->key.len };
}

/* ---- operations */

static int flat_fetch(struct cyrusdb *db, struct db_slice key, struct db_slice *val)
{
	struct flat *f = db->impl;
	struct line l;
	if (!search(f, encoded(f, key), &l)) return CYRUSDB_NOTFOUND;
	decode(&f->val, f->text.s + l.val, l.end - l.val);
	*val = (struct db_slice){ f->val.s, f->val.len };
	return CYRUSDB_OK;
}

static int flat_next(struct cyrusdb *db, struct db_slice key, bool or_equal, struct db_slice *found, struct db_slice *val)
{
	struct flat *f = db->impl;
	struct line l;
	bool equal = search(f, encoded(f, key), &l);
	size_t at = equal && !or_equal ? l.next : l.start;
	for (;; at = l.next) {
		if (at >= f->text.len) return CYRUSDB_NOTFOUND;
		l = line_at(f, at);
		/* An empty line has no key; a line that does not sort behind `key` would be met again and again. The key of a damaged
		 * line may stand for another: what counts is where the next question would start. */
		if (l.key_end == l.start) continue;
		decode(&f->key2, f->text.s + l.start, l.key_end - l.start);
		buf_reset(&f->again);
		encode(&f->again, (struct db_slice){ f->key2.s, f->key2.len });
		int c = db_cmp_mbox((struct db_slice){ f->again.s, f->again.len }, (struct db_slice){ f->key.s, f->key.len });
		if (c > 0 || (c == 0 && or_equal)) break;
	}
	decode(&f->val, f->text.s + l.val, l.end - l.val);
	*found = (struct db_slice){ f->key2.s, f->key2.len };
	*val = (struct db_slice){ f->val.s, f->val.len };
	return CYRUSDB_OK;
}

/* Replaces the bytes [at, at+old) of the text. */
static void text_splice(struct flat *f, size_t at, size_t old, const struct buf *with)
{
	size_t lf = at && f->text.s[at - 1] != '\n';             /* the last line had no end */
	buf_reserve(&f->text, with->len + lf);
	char *s = f->text.s + at;
	memmove(s + lf + with->len, s + old, f->text.len - at - old);
	if (lf) *s = '\n';
	if (with->len) memcpy(s + lf, with->s, with->len);
	f->text.len = f->text.len - old + with->len + lf;
	f->changed = true;
}

static int flat_put(struct cyrusdb *db, struct db_slice key, struct db_slice val, bool must_be_new)
{
	struct flat *f = db->impl;
	struct buf b = BUF_INIT;
	struct line l;
	bool found = search(f, encoded(f, key), &l);
	if (found && must_be_new) return CYRUSDB_EXISTS;
	buf_add(&b, &f->key);
	buf_putc(&b, '\t');
	encode(&b, val);
	buf_putc(&b, '\n');
	if (!found || b.len != l.next - l.start || memcmp(b.s, f->text.s + l.start, b.len))
		text_splice(f, l.start, l.next - l.start, &b);
	buf_free(&b);
	return CYRUSDB_OK;
}

static int flat_del(struct cyrusdb *db, struct db_slice key)
{
	struct flat *f = db->impl;
	struct line l;
	if (!search(f, encoded(f, key), &l)) return CYRUSDB_NOTFOUND;
	text_splice(f, l.start, l.next - l.start, &(struct buf)BUF_INIT);
	return CYRUSDB_OK;
}

/* ---- the file */

static int read_text(struct cyrusdb *db)
{
	struct flat *f = db->impl;
	buf_reset(&f->text);
	f->changed = false;
	if (fstat(f->fd, &f->st) < 0 || lseek(f->fd, 0, SEEK_SET) < 0 || file_read_fd(f->fd, FLAT_MAX, &f->text) < 0) {
		memset(&f->st, 0, sizeof f->st);
		return db_io(db, "reading");
	}
	return CYRUSDB_OK;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec
		&& a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static int open_flags(const struct cyrusdb *db) { return db->flags & CYRUSDB_RDONLY ? O_RDONLY : O_RDWR; }

static int flat_lock(struct cyrusdb *db, bool write)
{
	struct flat *f = db->impl;
	struct stat st;
	if (write) {
		if (lock_reopen(f->fd, db->path, LOCK_EXCLUSIVE, false, db->env->lock_ms, &st) < 0) return db_io(db, "locking");
		int r = same_file(&st, &f->st) && !f->changed ? CYRUSDB_OK : read_text(db);
		if (r) lock_fd(f->fd, LOCK_UNLOCK, 0, db->path);
		return r;
	}
	if (stat(db->path, &st) < 0) return db_io(db, "looking at");
	if (same_file(&st, &f->st) && !f->changed) return CYRUSDB_OK;
	if (st.st_ino != f->st.st_ino || st.st_dev != f->st.st_dev) {
		int fd = sys_open(db->path, open_flags(db), 0);
		if (fd < 0) return db_io(db, "opening");
		sys_close(f->fd);
		f->fd = fd;
	}
	return read_text(db);
}

static void flat_unlock(struct cyrusdb *db)
{
	struct flat *f = db->impl;
	if (!(db->flags & CYRUSDB_RDONLY)) lock_fd(f->fd, LOCK_UNLOCK, 0, db->path);
}

static int flat_commit(struct cyrusdb *db)
{
	struct flat *f = db->impl;
	struct newfile n;
	if (!f->changed) return CYRUSDB_OK;
	if (newfile_open(&n, db->path, 0666) < 0) return db_io(db, "replacing");
	if (sys_write_all(n.fd, f->text.s, f->text.len) < 0) {
		int r = db_io(db, "writing");
		newfile_abort(&n);
		return r;
	}
	if (newfile_commit(&n) < 0) return db_io(db, "replacing");
	memset(&f->st, 0, sizeof f->st);         /* the lock on the old inode goes with its descriptor, at the next look */
	f->changed = false;
	return CYRUSDB_OK;
}

static int flat_abort(struct cyrusdb *db)
{
	struct flat *f = db->impl;
	if (f->changed) memset(&f->st, 0, sizeof f->st);
	f->changed = false;
	buf_reset(&f->text);
	memset(&f->st, 0, sizeof f->st);
	return CYRUSDB_OK;
}

static void flat_close(struct cyrusdb *db)
{
	struct flat *f = db->impl;
	sys_close(f->fd);
	buf_free(&f->text);
	buf_free(&f->key);
	buf_free(&f->key2);
	buf_free(&f->again);
	buf_free(&f->val);
	free(f);
}

static int flat_open(struct cyrusdb *db)
{
	/* A magic number has bytes that are encoded here. The originals take any file, and write over it. */
	if (cyrusdb_detect(db->path)) return CYRUSDB_BADFORMAT;
	int fd = sys_open(db->path, open_flags(db), 0);
	if (fd < 0 && errno == ENOENT) {
		if (!(db->flags & CYRUSDB_CREATE)) return CYRUSDB_NOTFOUND;
		fd = db_create_file(db->path, 0666);
	}
	if (fd < 0) return db_io(db, "opening");
	struct flat *f = db->impl = mem_zalloc(sizeof *f);
	f->fd = fd;
	return CYRUSDB_OK;
}

static int flat_compare(const struct cyrusdb *db, struct db_slice a, struct db_slice b)
{
	struct buf x = BUF_INIT, y = BUF_INIT;
	(void)db;
	encode(&x, a);
	encode(&y, b);
	int c = db_cmp_mbox((struct db_slice){ x.s, x.len }, (struct db_slice){ y.s, y.len });
	buf_free(&x);
	buf_free(&y);
	return c;
}

const struct db_engine engine_flat = {
	.name = "flat", .open = flat_open, .close = flat_close, .lock = flat_lock, .unlock = flat_unlock, .fetch = flat_fetch,
	.next = flat_next, .put = flat_put, .del = flat_del, .commit = flat_commit, .abort = flat_abort, .compare = flat_compare,
	.exact_prefix = true,
};
