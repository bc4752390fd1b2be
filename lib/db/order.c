/* order.c - the three orders that are part of the file formats (spec/cyrusdb.md 2). */
#include "db/db_priv.h"

#include <string.h>

int db_cmp_raw(struct db_slice a, struct db_slice b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.p, b.p, n) : 0;
	return c ? c : a.n < b.n ? -1 : a.n > b.n;
}

int db_cmp_signed(struct db_slice a, struct db_slice b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	for (size_t i = 0; i < n; i++)
		if (a.p[i] != b.p[i]) return (signed char)a.p[i] < (signed char)b.p[i] ? -1 : 1;
	return a.n < b.n ? -1 : a.n > b.n;
}

/* NUL, then TAB and LF, then the hierarchy separator, then 0x01 to 0x08, then the rest. */
static int mbox_rank(unsigned char c)
{
	if (c == '\t' || c == '\n') return 1;
	if (c == '.') return 2;
	return c >= 1 && c <= 8 ? c + 2 : c;
}

void cyrusdb_mbox_ranks(unsigned char rank[256])
{
	for (int c = 0; c < 256; c++) rank[c] = (unsigned char)mbox_rank((unsigned char)c);
}

int db_cmp_mbox(struct db_slice a, struct db_slice b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	for (size_t i = 0; i < n; i++) {
		int d = mbox_rank((unsigned char)a.p[i]) - mbox_rank((unsigned char)b.p[i]);
		if (d) return d;
	}
	return a.n < b.n ? -1 : a.n > b.n;
}

/* ---- which order a file is in: it is not recorded anywhere */

bool db_orders_see(void *arg, struct db_slice key)
{
	struct db_orders *o = arg;
	struct db_slice last = { o->last.s, o->last.len };
	if (o->any && o->engine->order(last, key) >= 0) o->own = false;
	if (o->any && db_cmp_mbox(last, key) >= 0) o->mbox = false;
	buf_set(&o->last, key.p, key.n);
	o->any = true;
	return --o->left && (o->own || o->mbox);
}

bool db_sorted_otherwise(struct cyrusdb *db, size_t most)
{
	struct db_orders o = { .engine = db->engine, .last = BUF_INIT, .left = most, .own = true, .mbox = true };
	if (!db->engine->in_file_order || !most) return false;
	int r = db->engine->in_file_order(db, db_orders_see, &o);
	buf_free(&o.last);
	if (r) return false;
	return db->flags & CYRUSDB_MBOXSORT ? o.own && !o.mbox : o.mbox && !o.own;
}
