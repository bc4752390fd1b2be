/* cacherec_section.c - writing the SECTION item (spec/mailbox.md 6.8). Its order is depth first, so one pass over the tree
 * writes it. See cacherec_priv.h. */
#include "store/cacherec_priv.h"

enum entry_kind { ENTRY_PART, ENTRY_NONE, ENTRY_NONE_EMPTY };

static void put_charset(struct buf *out, enum dialect d, const struct mime_part *p, bool none)
{
	size_t room;

	if (d == DIALECT_25) {
		buf_be32(out, none ? 0xffff0000u : (uint32_t)p->charset_index << 16 | (uint32_t)p->transfer);
		return;
	}
	if (none) {
		buf_be32(out, 0x0000ffffu);
		return;
	}
	room = p->charset.s ? (p->charset.n / 4 + 1) * 4 : 0;
	buf_be32(out, (uint32_t)room << 16 | (uint32_t)p->transfer);
	if (room == 0)
		return;
	buf_append(out, p->charset.s, p->charset.n);
	for (size_t i = p->charset.n; i < room; i++)
		buf_putc(out, 0);
}

static void put_entry(struct buf *out, enum dialect d, const struct mime_part *p, size_t csize, enum entry_kind k)
{
	static const uint8_t no_guid[20];
	bool empty = k == ENTRY_NONE_EMPTY;

	buf_be32(out, (uint32_t)p->hoff);
	buf_be32(out, (uint32_t)p->hsize);
	buf_be32(out, (uint32_t)p->coff);
	buf_be32(out, (uint32_t)csize);
	put_charset(out, d, p, k != ENTRY_PART);
	if (d == DIALECT_25)
		return;
	buf_append(out, empty ? no_guid : p->guid, sizeof no_guid);
	buf_be32(out, empty ? 0 : (uint32_t)p->decoded_size);
	buf_be32(out, empty ? 0 : (uint32_t)p->lines);
}

/* Directly under a message, zero-part multiparts keep their own charset word; elsewhere they have none. */
static void put_children(struct buf *out, enum dialect d, const struct mime_part *p, bool in_message)
{
	for (const struct mime_part *q = p->first; q; q = q->next)
		put_entry(out, d, q, mime_is_zero(q) ? 0 : q->csize, mime_is_zero(q) && !in_message ? ENTRY_NONE : ENTRY_PART);
}

static void put_message(struct buf *out, enum dialect d, const struct mime_part *m)
{
	bool parts = m->kind == MIME_MULTIPART && m->first;

	buf_be32(out, parts ? (uint32_t)m->nparts + 1 : 2);
	put_entry(out, d, m, m->csize, ENTRY_NONE);
	if (parts)
		put_children(out, d, m, true);
	else if (mime_is_zero(m))
		put_entry(out, d, m, 0, ENTRY_NONE_EMPTY);
	else
		put_entry(out, d, m, m->csize, ENTRY_PART);
}

static void put_node(struct buf *out, enum dialect d, const struct mime_part *p)
{
	static const struct mime_part nowhere = { .hsize = 0xffffffffu };

	if (p->kind == MIME_RFC822) {
		put_message(out, d, p->first);
	} else if (p->kind == MIME_MULTIPART && p->first) {
		/* The parts of a message's own multipart were written with the message. */
		if (!p->parent || p->parent->kind == MIME_RFC822)
			return;
		buf_be32(out, (uint32_t)p->nparts + 1);
		put_entry(out, d, &nowhere, 0xffffffffu, ENTRY_NONE_EMPTY);
		put_children(out, d, p, false);
	} else {
		buf_be32(out, 0);
	}
}

void cache_put_section(struct buf *out, struct mime_part *top, enum dialect d)
{
	put_message(out, d, top);
	for (struct mime_part *p = top; p; p = mime_next(p))
		put_node(out, d, p);
}
