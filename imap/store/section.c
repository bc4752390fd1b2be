/* section.c - walking the SECTION item; its subtrees are skipped by counting, never by recursion. See section.h. */
#include "store/section.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "text/charset.h"

#define NO_SIZE 0xffffffffu
#define NO_CHARSET25 0xffffu
#define NONE_W 0x0000ffffu           /* numbers 4+: neither encoding nor charset */

struct walk {
	const char *s;
	size_t n, pos;
	unsigned number;
};

static bool get_u32(struct walk *w, uint32_t *v)
{
	if (w->n - w->pos < 4)
		return false;
	*v = get_be32(w->s + w->pos);
	w->pos += 4;
	return true;
}

static enum transfer transfer_of(uint32_t code)
{
	return code <= TRANSFER_BASE64URL ? (enum transfer)code : TRANSFER_UNKNOWN;
}

static bool charset25(uint32_t v, struct section_part *p)
{
	p->transfer = transfer_of(v & 0xffff);
	p->charset_index = v >> 16;
	p->has_charset = p->charset_index != NO_CHARSET25;
	p->charset.s = charset_index_name(p->charset_index);
	p->charset.n = p->charset.s ? strlen(p->charset.s) : 0;
	return true;
}

static bool charset36(struct walk *w, uint32_t v, struct section_part *p)
{
	size_t len = v >> 16;

	p->charset_index = CHARSET_INDEX_UNKNOWN;
	p->transfer = v == NONE_W ? TRANSFER_NONE : transfer_of(v & 0xffff);
	if (len > w->n - w->pos)
		return false;
	if (len) {
		p->has_charset = true;
		p->charset = (struct text){ w->s + w->pos, strnlen(w->s + w->pos, len) };
	}
	w->pos += len;
	return true;
}

static bool entry(struct walk *w, struct section_part *p)
{
	uint32_t v;

	memset(p, 0, sizeof *p);
	if (!get_u32(w, &p->hoff) || !get_u32(w, &p->hsize) || !get_u32(w, &p->coff) || !get_u32(w, &p->csize) || !get_u32(w, &v))
		return false;
	if (!(w->number < 4 ? charset25(v, p) : charset36(w, v, p)))
		return false;
	if (w->number >= 5) {
		if (w->n - w->pos < sizeof p->guid)
			return false;
		memcpy(p->guid, w->s + w->pos, sizeof p->guid);
		w->pos += sizeof p->guid;
		p->has_guid = true;
	}
	p->has_size = w->number >= 8;
	p->has_lines = w->number >= 9;
	return (!p->has_size || get_u32(w, &p->decoded_size)) && (!p->has_lines || get_u32(w, &p->lines));
}

static bool skip_entries(struct walk *w, uint32_t count)
{
	struct section_part p;

	while (count--)
		if (!entry(w, &p))
			return false;
	return true;
}

/* A node of `c` entries is followed by c - 1 subtrees. Each round consumes at least four bytes, so it ends. */
static bool skip_subtrees(struct walk *w, uint64_t n)
{
	while (n > 0) {
		uint32_t c;
		if (!get_u32(w, &c) || !skip_entries(w, c))
			return false;
		n += c ? c - 1 : 0;
		n--;
	}
	return true;
}

/* From a node to the k-th subtree below it; *p is that part's entry. */
static int descend(struct walk *w, uint32_t k, struct section_part *p)
{
	uint32_t c;

	if (!get_u32(w, &c))
		return ERR_BADFORMAT;
	if (k == 0 || k >= c)
		return ERR_NOTFOUND;
	if (!skip_entries(w, k) || !entry(w, p) || !skip_entries(w, c - k - 1) || !skip_subtrees(w, k - 1))
		return ERR_BADFORMAT;
	return 0;
}

/* Entry 0 of a node: the message that this part is or wraps. */
static int message_entry(struct walk *w, enum section_what what, struct section_part *p)
{
	struct section_part one;
	uint32_t c;

	if (!get_u32(w, &c))
		return ERR_BADFORMAT;
	if (c == 0)
		return ERR_NOTFOUND;
	if (!entry(w, p))
		return ERR_BADFORMAT;
	if (p->hsize == NO_SIZE)
		return ERR_NOTFOUND;                 /* a multipart, not a message */
	/* 3.x shows no TEXT of a multipart without parts; part 1 is then the same entity with size 0. */
	if (what == SECTION_TEXT && w->number >= 4 && c == 2 && entry(w, &one) && one.hoff == p->hoff && one.coff == p->coff)
		p->csize = one.csize;
	return 0;
}

int section_find(unsigned number, const char *item, size_t len, const uint32_t *path, size_t npath,
	enum section_what what, struct section_ref *ref)
{
	struct walk w = { item, len, 0, number };
	bool header = what == SECTION_HEADER || what == SECTION_MIME;
	int r = 0;

	memset(ref, 0, sizeof *ref);
	for (size_t i = 0; i < npath; i++)
		if ((r = descend(&w, path[i], &ref->part)) != 0)
			return r;
	if (what == SECTION_HEADER || what == SECTION_TEXT)
		r = message_entry(&w, what, &ref->part);
	else if (npath == 0)
		r = ERR_NOTFOUND;
	if (r)
		return r;
	ref->off = header ? ref->part.hoff : ref->part.coff;
	ref->len = header ? ref->part.hsize : ref->part.csize;
	return 0;
}

struct todo {
	struct section_part *parts;
	uint32_t n, i;
};

/* A node's entries; a message's header is reported at once. *kids NULL for a leaf. */
static int node(struct walk *w, struct todo *t, int (*fn)(void *, enum section_visit, const struct section_part *), void *arg)
{
	struct section_part zero;
	uint32_t c;
	int r;

	memset(t, 0, sizeof *t);
	if (!get_u32(w, &c))
		return ERR_BADFORMAT;
	if (c == 0)
		return 0;
	if (c > (w->n - w->pos) / 20 || !entry(w, &zero))       /* an entry has at least five words */
		return ERR_BADFORMAT;
	if (zero.hsize != NO_SIZE && (r = fn(arg, SECTION_VISIT_HEADER, &zero)) != 0)
		return r;
	t->parts = mem_array(NULL, c, sizeof *t->parts);
	for (t->n = 0; t->n < c - 1; t->n++)
		if (!entry(w, &t->parts[t->n])) {
			free(t->parts);
			return ERR_BADFORMAT;
		}
	return 0;
}

int section_each(unsigned number, const char *item, size_t len,
	int (*fn)(void *arg, enum section_visit v, const struct section_part *p), void *arg)
{
	struct walk w = { item, len, 0, number };
	struct todo *stack = NULL, t;
	size_t n = 0, alloc = 0;
	int r = node(&w, &t, fn, arg);

	if (r)
		return r;
	MEM_GROW(stack, alloc, 1);
	stack[n++] = t;
	while (n > 0) {
		struct todo *top = &stack[n - 1];
		struct section_part *p;
		if (top->i >= top->n) {
			free(top->parts);
			n--;
			continue;
		}
		p = &top->parts[top->i++];
		if ((r = node(&w, &t, fn, arg)) != 0)
			break;
		if (t.n == 0 && t.parts == NULL) {
			if ((r = fn(arg, SECTION_VISIT_LEAF, p)) != 0)
				break;
			continue;
		}
		MEM_GROW(stack, alloc, n + 1);
		stack[n++] = t;
	}
	while (n > 0)
		free(stack[--n].parts);
	free(stack);
	return r;
}
