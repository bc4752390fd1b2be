/* dirwalk_level.c - one directory of a walk: read whole, then put in order, before anything in it is looked at. So nobody is in
 * the middle of a directory while its entries are removed, and the order does not depend on the file system. */
#include "base/mem.h"
#include "sys/dirwalk_priv.h"
#include "sys/sys.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 65536, KEEP = 256 };          /* bytes for getdents; entries whose room a level keeps */

static bool is_dots(const char *s) { return s[0] == '.' && (!s[1] || (s[1] == '.' && !s[2])); }

static int add(struct walk *x, struct level *l, const struct sys_dirent *d, size_t room)
{
	size_t len = strnlen(d->name, room);
	if (len < room && is_dots(d->name)) return 0;
	x->w->n.entries++;
	if (!len || len == room || len > x->max.name || memchr(d->name, '/', len)) {
		walk_path(x, l, d->name, len);
		walk_odd(x, DIRWALK_ODD_NAME, 0);
		return 0;
	}
	bool full = (x->max.entries && x->w->n.entries > x->max.entries) || x->held >= x->max.held
		|| l->names.len > UINT32_MAX - 2 * BLOCK
		|| l->n >= UINT32_MAX / 2;
	if (full) {
		walk_path(x, l, d->name, len);
		return walk_ended(x, DIRWALK_ODD_ENTRIES, E2BIG);
	}
	MEM_GROW(l->entries, l->alloc, l->n + 1);
	l->entries[l->n++] = (struct level_entry){ d->ino, (uint32_t)l->names.len, (uint16_t)len, d->type, false };
	buf_append(&l->names, d->name, len + 1);
	x->held++;
	return 0;
}

/* Everything in the directory, as it comes. */
static int read_all(struct walk *x, struct level *l, int *err)
{
	const size_t head = offsetof(struct sys_dirent, name);
	if (!x->block) x->block = mem_alloc(BLOCK);
	for (;;) {
		x->w->n.calls++;
		ssize_t n = sys_getdents(l->fd, x->block, BLOCK);
		if (n <= 0) {
			*err = n < 0 && errno != ENOENT ? errno : 0;       /* ENOENT: an open directory that was removed */
			return 0;
		}
		if (walk_late(x)) return walk_ended(x, DIRWALK_ODD_TIME, ETIMEDOUT);
		for (size_t at = 0; at + head < (size_t)n;) {
			const struct sys_dirent *d = (const void *)(x->block + at);
			if (d->size <= head || d->size > (size_t)n - at) {
				*err = EIO;
				return 0;
			}
			if (add(x, l, d, d->size - head)) return -1;
			at += d->size;
		}
	}
}

/* ------------------------------------------------------------------------------------------------ order */

struct order { const struct level *l; const unsigned char *rank; unsigned char sep; };

/* What goes into a directory stands where its name and a separator would. */
static int compare(const void *a, const void *b, void *arg)
{
	const struct order *o = arg;
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
	const struct level_entry *e = &o->l->entries[i / 2], *f = &o->l->entries[j / 2];
	const unsigned char *p = (const unsigned char *)o->l->names.s + e->name, *q = (const unsigned char *)o->l->names.s + f->name;
	size_t n = e->len + i % 2, m = f->len + j % 2;
	for (size_t k = 0; k < n && k < m; k++) {
		unsigned char c = k < e->len ? p[k] : o->sep, d = k < f->len ? q[k] : o->sep;
		if (c != d && o->rank[c] != o->rank[d]) return o->rank[c] < o->rank[d] ? -1 : 1;
	}
	if (n != m) return n < m ? -1 : 1;
	int r = strcmp((const char *)p, (const char *)q);
	return r ? r : i < j ? -1 : i > j;
}

static void put_in_order(struct walk *x, struct level *l)
{
	struct order o = { l, x->rank, x->w->sep ? (unsigned char)x->w->sep : '.' };
	MEM_GROW(l->items, l->items_alloc, 2 * l->n);
	l->nitems = l->at = 0;
	for (size_t i = 0; i < l->n; i++) {
		uint8_t type = l->entries[i].type;
		l->items[l->nitems++] = (uint32_t)i * 2;
		if (type == DT_DIR || type == DT_UNKNOWN) l->items[l->nitems++] = (uint32_t)i * 2 + 1;
	}
	if (l->nitems > 1) qsort_r(l->items, l->nitems, sizeof *l->items, compare, &o);
}

int level_read(struct walk *x, struct level *l, int *err)
{
	*err = 0;
	if (read_all(x, l, err)) return -1;
	put_in_order(x, l);
	return 0;
}

void level_clear(struct walk *x, struct level *l)
{
	x->held -= l->n;
	l->n = l->nitems = l->at = 0;
	buf_reset(&l->names);
	if (l->alloc > KEEP) level_free(l);
}

void level_free(struct level *l)
{
	buf_free(&l->names);
	free(l->entries);
	free(l->items);
	l->entries = NULL;
	l->items = NULL;
	l->alloc = l->items_alloc = 0;
}
