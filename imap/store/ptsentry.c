/* ptsentry.c - see ptsentry.h. */
#include "store/ptsentry.h"
#include "base/err.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { AT_ID = 4, AT_WHEN = 520, AT_COUNT = 528 };

void ptsentry_free(struct ptsentry *e)
{
	free(e->userid);
	strarray_free(&e->groups);
	free(e->hashes);
	*e = (struct ptsentry){ 0 };
}

static char *id_at(const char *p)
{
	return memchr(p, 0, PTSENTRY_ID) ? mem_strdup(p) : NULL;
}

int ptsentry_parse(const char *p, size_t len, struct ptsentry *e)
{
	uint32_t n;
	*e = (struct ptsentry){ 0 };
	if (len < PTSENTRY_FIXED) return ERR_BADFORMAT;
	memcpy(&n, p + AT_COUNT, sizeof n);
	if (n > (len - PTSENTRY_FIXED) / PTSENTRY_GROUP || len != PTSENTRY_FIXED + (size_t)PTSENTRY_GROUP * n) return ERR_BADFORMAT;
	memcpy(&e->hash, p, sizeof e->hash);
	memcpy(&e->when, p + AT_WHEN, sizeof e->when);
	e->userid = id_at(p + AT_ID);
	e->hashes = mem_array(NULL, (size_t)n + 1, sizeof *e->hashes);
	bool ok = e->userid != NULL;
	for (uint32_t i = 0; i < n && ok; i++) {
		const char *g = p + PTSENTRY_HEAD + (size_t)PTSENTRY_GROUP * i;
		char *id = id_at(g + sizeof *e->hashes);
		memcpy(&e->hashes[i], g, sizeof *e->hashes);
		if (id) strarray_take(&e->groups, id);
		else ok = false;
	}
	if (!ok) ptsentry_free(e);
	return ok ? 0 : ERR_BADFORMAT;
}

static void put_id(struct buf *out, uint32_t hash, const char *id)
{
	char field[PTSENTRY_ID] = { 0 };
	memcpy(field, id, strnlen(id, PTSENTRY_ID - 1));
	buf_append(out, &hash, sizeof hash);
	buf_append(out, field, sizeof field);
}

static void put_zeroes(struct buf *out, size_t upto)
{
	while (out->len < upto) buf_putc(out, 0);
}

void ptsentry_print(const struct ptsentry *e, struct buf *out)
{
	size_t start = out->len;
	uint32_t n = (uint32_t)e->groups.n;
	put_id(out, e->hash, e->userid);
	put_zeroes(out, start + AT_WHEN);
	buf_append(out, &e->when, sizeof e->when);
	buf_append(out, &n, sizeof n);
	for (uint32_t i = 0; i < n; i++) put_id(out, e->hashes[i], e->groups.v[i]);
	put_zeroes(out, start + PTSENTRY_FIXED + (size_t)PTSENTRY_GROUP * n);
}
