/* dumpfile.c - databases as text, for tools: KEY TAB VALUE LF without quoting (spec/cyrusdb.md 1.9). */
#include "db/cyrusdb.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 256 * 1024 };         /* bytes that are collected under the lock; they are written without it, however long that takes */

struct dump {
	const void *prefix;
	size_t prefixlen;
	struct buf text, last;           /* last: key of the record told last */
	bool more;
};

static void append(struct buf *text, const char *key, size_t keylen, const char *val, size_t vallen)
{
	buf_append(text, key, keylen);
	buf_putc(text, '\t');
	buf_append(text, val, vallen);
	buf_putc(text, '\n');
}

static int collect(void *arg, const char *key, size_t keylen, const char *val, size_t vallen, struct buf *seek)
{
	struct dump *d = arg;
	(void)seek;
	if (keylen < d->prefixlen || (d->prefixlen && memcmp(key, d->prefix, d->prefixlen))) return CYRUSDB_DONE;
	if (keylen == d->last.len && d->last.len && !memcmp(key, d->last.s, keylen)) return CYRUSDB_OK;      /* where the last block ended */
	append(&d->text, key, keylen, val, vallen);
	d->more = d->text.len >= BLOCK;
	if (!d->more) return CYRUSDB_OK;
	buf_set(&d->last, key, keylen);
	return CYRUSDB_DONE;
}

static int write_record(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	struct buf text = BUF_INIT;
	append(&text, key, keylen, val, vallen);
	size_t n = fwrite(text.s, 1, text.len, arg);
	bool ok = n == text.len;
	buf_free(&text);
	return ok ? CYRUSDB_OK : CYRUSDB_IOERROR;
}

/* Under the lock for a block at a time. */
static int dump_blocks(struct cyrusdb *db, struct dump *d, FILE *out)
{
	int r;
	do {
		const struct buf *from = &d->last;
		d->more = false;
		buf_reset(&d->text);
		r = from->len ? cyrusdb_walk(db, from->s, from->len, collect, d) : cyrusdb_walk(db, d->prefix, d->prefixlen, collect, d);
		if (r == CYRUSDB_DONE) r = CYRUSDB_OK;
		if (!r && fwrite(buf_cstr(&d->text), 1, d->text.len, out) != d->text.len) r = CYRUSDB_IOERROR;
	} while (!r && d->more);
	return r;
}

int cyrusdb_dumpfile(struct cyrusdb *db, const void *prefix, size_t prefixlen, FILE *out, struct cyrusdb_txn **txn)
{
	if (txn) return cyrusdb_foreach(db, prefix, prefixlen, NULL, write_record, out, txn);
	struct dump d = { .prefix = prefix, .prefixlen = prefixlen, .text = BUF_INIT, .last = BUF_INIT };
	int r = dump_blocks(db, &d, out);
	buf_free(&d.text);
	buf_free(&d.last);
	return r;
}

static int undump_line(struct cyrusdb *db, const char *line, size_t n, struct cyrusdb_txn **txn)
{
	if (n && line[n - 1] == '\n') n--;
	if (!n || *line == '#') return CYRUSDB_OK;
	const char *tab = memchr(line, '\t', n);
	if (!tab) return cyrusdb_delete(db, line, n, txn, true);
	return cyrusdb_store(db, line, (size_t)(tab - line), tab + 1, n - (size_t)(tab + 1 - line), txn);
}

int cyrusdb_undumpfile(struct cyrusdb *db, FILE *in, struct cyrusdb_txn **txn)
{
	struct cyrusdb_txn *mine = NULL, **t = txn ? txn : &mine;
	char *line = NULL;
	size_t alloc = 0;
	ssize_t n;
	int r = CYRUSDB_OK;
	while (!r && (n = getline(&line, &alloc, in)) >= 0) r = undump_line(db, line, (size_t)n, t);
	free(line);
	if (!r && ferror(in)) r = CYRUSDB_IOERROR;
	if (mine && r) cyrusdb_abort(db, mine);
	else if (mine) r = cyrusdb_commit(db, mine);
	return r;
}
