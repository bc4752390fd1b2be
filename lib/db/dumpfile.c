/* dumpfile.c - databases as text, for tools: KEY TAB VALUE LF without quoting (spec/cyrusdb.md 1.9). */
#include "db/cyrusdb.h"

#include <stdlib.h>
#include <string.h>

static int write_record(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	FILE *out = arg;
	if (fwrite(key, 1, keylen, out) != keylen || putc('\t', out) < 0) return CYRUSDB_IOERROR;
	return fwrite(val, 1, vallen, out) != vallen || putc('\n', out) < 0 ? CYRUSDB_IOERROR : CYRUSDB_OK;
}

int cyrusdb_dumpfile(struct cyrusdb *db, const void *prefix, size_t prefixlen, FILE *out, struct cyrusdb_txn **txn)
{
	return cyrusdb_foreach(db, prefix, prefixlen, NULL, write_record, out, txn);
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
