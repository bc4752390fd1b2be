/* indexedstate.c - see indexedstate.h. */
#include "store/indexedstate.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/fields.h"

#include <stdlib.h>
#include <string.h>

void indexedkey_free(struct indexedkey *k)
{
	free(k->tier);
	free(k->mailbox);
	*k = (struct indexedkey){ 0 };
}

/* "*T*TIER*M*ID*" or "*M*ID*"; neither tiers nor ids have a star. */
static int parse_by_id(const char *p, const char *end, struct indexedkey *k)
{
	k->version = 2;
	for (;;) {
		if (end - p < 3 || p[0] != '*' || p[2] != '*') return ERR_BADFORMAT;
		char kind = p[1];
		const char *star = memchr(p + 3, '*', (size_t)(end - p - 3));
		if (!star || star == p + 3 || (kind != 'T' && kind != 'M') || (kind == 'T' && k->tier)) return ERR_BADFORMAT;
		char *word = mem_dup(p + 3, (size_t)(star - p - 3));
		if (kind == 'T') k->tier = word;
		else k->mailbox = word;
		if (kind == 'M') return star + 1 == end ? 0 : ERR_BADFORMAT;
		p = star;
	}
}

/* "#c.TIER#NAME.UIDVALIDITY" or "NAME.UIDVALIDITY" */
static int parse_by_name(const char *p, const char *end, struct indexedkey *k)
{
	k->version = 1;
	if (end - p > 3 && !memcmp(p, "#c.", 3)) {
		const char *hash = memchr(p + 3, '#', (size_t)(end - p - 3));
		if (!hash) return ERR_BADFORMAT;
		k->tier = mem_dup(p + 3, (size_t)(hash - p - 3));
		p = hash + 1;
	}
	const char *dot = memrchr(p, '.', (size_t)(end - p)), *number = dot ? dot + 1 : NULL;
	if (!dot || dot == p || !num_u32(&number, end, &k->uidvalidity) || number != end) return ERR_BADFORMAT;
	k->mailbox = mem_dup(p, (size_t)(dot - p));
	return 0;
}

int indexedkey_parse(const char *p, size_t len, struct indexedkey *k)
{
	*k = (struct indexedkey){ 0 };
	if (!len || memchr(p, 0, len)) return ERR_BADFORMAT;
	int r = *p == '*' ? parse_by_id(p, p + len, k) : parse_by_name(p, p + len, k);
	if (r) indexedkey_free(k);
	return r;
}

void indexedkey_print(const struct indexedkey *k, struct buf *out)
{
	if (k->version == 1) {
		if (k->tier) buf_printf(out, "#c.%s#", k->tier);
		buf_printf(out, "%s.%u", k->mailbox, k->uidvalidity);
	} else {
		if (k->tier) buf_printf(out, "*T*%s", k->tier);
		buf_printf(out, "*M*%s*", k->mailbox);
	}
}

int indexedstate_parse(const char *p, size_t len, struct seqset *uids)
{
	const char *end = p + len;
	uint32_t version;
	*uids = (struct seqset)SEQSET_INIT;
	if (!field_u32(&p, end, ' ', &version)) return ERR_BADFORMAT;
	if (version != 2) return ERR_NOTFOUND;
	if (p == end) return 0;                       /* nothing is indexed yet */
	if (!seqset_parse(uids, p, (size_t)(end - p))) return 0;
	seqset_free(uids);
	return ERR_BADFORMAT;
}

void indexedstate_print(struct seqset *uids, struct buf *out)
{
	buf_puts(out, "2 ");
	seqset_print(uids, out);
}
