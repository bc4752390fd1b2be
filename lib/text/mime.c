/* mime.c - splitting a message into parts (spec/mailbox.md 7.2, 7.5). What would be a recursion is a stack of frames, so
 * that no nesting is too deep. See mime.h. */
#include "text/mime.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "text/mime_priv.h"

/* Every message/rfc822 is hashed whole, so deep nesting would make hashing quadratic. No more than this is hashed for
 * them; beyond it their digests stay zero ("unknown"). */
#define NESTED_HASH_FACTOR 64
#define NESTED_HASH_EXTRA (64u << 20)

static const char default_type[] = "TEXT/PLAIN; CHARSET=us-ascii";

struct extent {                      /* preamble or epilogue */
	size_t csize, lines, bsize, blines;
};

struct frame {
	struct mime_part *p;
	size_t depth;                    /* of the boundary stack with ours on it */
	size_t start;                    /* MIME_RFC822: where the content begins */
	struct extent pre;
};

struct parser {
	struct arena *a;
	const struct mime_options *o;
	const char *m;
	size_t len, pos;
	struct boundstack st;
	struct frame *frames;
	size_t nframes, alloc;
	size_t nested_left;              /* bytes that may still be hashed for message/rfc822 */
	bool too_many;
};

static bool next_line(struct parser *ps, const char **line, size_t *n)
{
	const char *e;

	if (ps->pos >= ps->len)
		return false;
	*line = ps->m + ps->pos;
	e = memchr(*line, '\n', ps->len - ps->pos);
	*n = e ? (size_t)(e + 1 - *line) : ps->len - ps->pos;
	ps->pos += *n;
	return true;
}

static size_t count_lf(const char *s, size_t n)
{
	const char *end = s + n;
	size_t k = 0;

	while (s < end && (s = memchr(s, '\n', (size_t)(end - s)))) {
		s++;
		k++;
	}
	return k;
}

/* Finds the end of the header. True: it was a boundary, so there is no content. */
static bool split_header(struct parser *ps, struct mime_part *p)
{
	const char *line;
	bool boundary = false;
	size_t n;

	p->hoff = ps->pos;
	while (next_line(ps, &line, &n)) {
		if (n >= 2 && line[0] == '\r' && line[1] == '\n') {
			p->hsize += n;
			break;
		}
		if (line[0] == '-' && boundstack_test(&ps->st, line, n)) {
			size_t crlf = p->hsize < 2 ? p->hsize : 2;
			p->bsize = n + crlf;
			p->blines = p->hsize ? 2 : 1;
			p->hsize -= crlf;
			boundary = true;
			break;
		}
		p->hsize += n;
	}
	p->coff = ps->pos;
	p->hlines = count_lf(ps->m + p->hoff, p->hsize);
	return boundary;
}

static bool text_is(struct text t, const char *s)
{
	return t.n == strlen(s) && memcmp(t.s, s, t.n) == 0;
}

static void set_default_type(struct parser *ps, struct mime_part *p)
{
	const struct mime_part *up = p->parent;

	if (up && up->kind == MIME_MULTIPART && text_is(up->subtype, "DIGEST"))
		mime_value_type(ps->a, ps->o->dialect, "MESSAGE/RFC822", 14, p);
	else
		mime_value_type(ps->a, ps->o->dialect, default_type, sizeof default_type - 1, p);
}

static struct mime_part *new_part(struct parser *ps, struct mime_part *parent)
{
	struct mime_part *p = arena_zalloc(ps->a, sizeof *p);

	p->parent = parent;
	if (!parent || parent->kind == MIME_RFC822) {
		struct mime_envelope *e = p->envelope = arena_zalloc(ps->a, sizeof *e);
		struct addresslist *l[] = { &e->from, &e->sender, &e->reply_to, &e->to, &e->cc, &e->bcc };
		for (size_t i = 0; i < sizeof l / sizeof l[0]; i++)
			addresslist_init(l[i]);
	}
	if (parent) {
		if (parent->last)
			parent->last->next = p;
		else
			parent->first = p;
		parent->last = p;
		parent->nparts++;
	}
	return p;
}

static enum mime_kind kind_of(const struct mime_part *p)
{
	if (text_is(p->type, "MULTIPART"))
		return MIME_MULTIPART;
	if (text_is(p->type, "MESSAGE") && text_is(p->subtype, "RFC822"))
		return MIME_RFC822;
	return MIME_LEAF;
}

/* Lines up to a boundary or the end of the message. */
static void leaf_lines(struct parser *ps, struct extent *x)
{
	const char *line;
	size_t n;

	while (next_line(ps, &line, &n)) {
		if (line[0] != '-' || !boundstack_test(&ps->st, line, n)) {
			x->csize += n;
			x->lines += line[n - 1] == '\n';
			continue;
		}
		x->bsize += n;
		x->blines++;
		if (x->lines) {
			x->lines--;
			x->blines++;
		}
		if (x->csize > (ps->o->dialect == DIALECT_25 ? 0 : 1)) {
			size_t crlf = x->csize < 2 ? x->csize : 2;
			x->csize -= crlf;
			x->bsize += crlf;
		}
		break;
	}
}

static void digest(struct parser *ps, struct mime_part *p, enum transfer t, size_t off, size_t n)
{
	struct buf b = BUF_INIT;

	if (!ps->o->digests || t == TRANSFER_UNKNOWN)
		return;
	if (t == TRANSFER_NONE) {
		SHA1((const unsigned char *)ps->m + off, n, p->guid);
		p->decoded_size = n;
		return;
	}
	buf_reserve(&b, n + 1);
	transfer_decode(t, ps->m + off, n, &b);
	SHA1((const unsigned char *)(b.s ? b.s : ""), b.len, p->guid);
	p->decoded_size = b.len;
	buf_free(&b);
}

static void leaf(struct parser *ps, struct mime_part *p)
{
	struct extent x = { 0, 0, p->bsize, p->blines };
	size_t start = ps->pos;

	leaf_lines(ps, &x);
	p->csize = x.csize;
	p->lines = x.lines;
	p->bsize = x.bsize;
	p->blines = x.blines;
	digest(ps, p, p->transfer, start, p->csize);
}

static struct frame *push_frame(struct parser *ps, struct mime_part *p)
{
	struct frame *f;

	MEM_GROW(ps->frames, ps->alloc, ps->nframes + 1);
	f = &ps->frames[ps->nframes++];
	memset(f, 0, sizeof *f);
	f->p = p;
	f->start = ps->pos;
	return f;
}

/* Reads a header and whatever needs no frame. True: the entity is complete; false: a frame was pushed for it. */
static bool start_entity(struct parser *ps, struct mime_part *parent)
{
	struct mime_part *p = new_part(ps, parent);
	bool empty = split_header(ps, p);
	struct frame *f;
	struct text b;

	mime_header_read(ps->a, ps->o, ps->m + p->hoff, p->hsize, p, &ps->too_many);
	if (!p->type.s)
		set_default_type(ps, p);
	p->kind = kind_of(p);
	mime_header_codes(ps->o->dialect, p);
	if (p->kind == MIME_RFC822) {
		if (!empty) {
			push_frame(ps, p);
			return false;
		}
		p = new_part(ps, p);                 /* an empty text inside, with nothing in it */
		set_default_type(ps, p);
		mime_header_codes(ps->o->dialect, p);
		return true;
	}
	if (empty)
		return true;
	b = p->kind == MIME_MULTIPART ? mime_header_boundary(ps->a, ps->o->dialect, p) : (struct text){ NULL, 0 };
	if (!b.s) {
		leaf(ps, p);
		return true;
	}
	boundstack_push(&ps->st, b);
	f = push_frame(ps, p);
	f->depth = ps->st.n;
	leaf_lines(ps, &f->pre);
	return false;
}

/* May another part follow in this multipart? */
static bool wants_part(const struct parser *ps, const struct frame *f)
{
	return ps->st.n == f->depth && (ps->o->boundary_limit == 0 || ps->st.n < ps->o->boundary_limit);
}

static void end_multipart(struct parser *ps, struct frame *f)
{
	struct mime_part *p = f->p, *q = p->last;
	struct extent epi = { 0, 0, 0, 0 };

	if (ps->st.n + 1 == f->depth) {
		leaf_lines(ps, &epi);
	} else if (q) {
		p->bsize = q->bsize;
		p->blines = q->blines;
		q->bsize = q->blines = 0;
	} else {
		p->bsize = f->pre.bsize;
		p->blines = f->pre.blines;
		f->pre.bsize = f->pre.blines = 0;
	}
	p->csize = f->pre.csize + f->pre.bsize + epi.csize;
	p->lines = f->pre.lines + f->pre.blines + epi.lines;
	for (q = p->first; q; q = q->next) {
		p->csize += q->hsize + q->csize + q->bsize;
		p->lines += q->hlines + q->lines + q->blines;
	}
	p->bsize += epi.bsize;
	p->blines += epi.blines;
}

static void end_rfc822(struct parser *ps, struct frame *f)
{
	struct mime_part *p = f->p, *in = p->first;

	p->csize = in->hsize + in->csize;
	p->lines = in->hlines + in->lines;
	p->bsize = in->bsize;
	p->blines = in->blines;
	if (p->csize > ps->nested_left || p->csize > ps->len - f->start)
		return;
	ps->nested_left -= p->csize;
	digest(ps, p, TRANSFER_NONE, f->start, p->csize);
}

/* A part of the top frame's multipart, or its message, is complete. */
static void part_done(struct parser *ps, const struct mime_part *p)
{
	if (p->parent->kind == MIME_MULTIPART && ps->pos == ps->len && p->bsize == 0)
		boundstack_cut(&ps->st, 0);          /* the message broke off: nothing ends properly any more */
}

static bool frame_wants_more(const struct parser *ps, const struct frame *f)
{
	return f->p->kind == MIME_RFC822 ? f->p->nparts == 0 : wants_part(ps, f);
}

static void run(struct parser *ps)
{
	while (ps->nframes) {
		struct frame *f = &ps->frames[ps->nframes - 1];
		struct mime_part *up = f->p;
		if (frame_wants_more(ps, f)) {
			if (start_entity(ps, up))
				part_done(ps, up->last);
			continue;
		}
		if (up->kind == MIME_RFC822)
			end_rfc822(ps, f);
		else
			end_multipart(ps, f);
		ps->nframes--;
		if (ps->nframes)
			part_done(ps, up);
	}
}

struct mime_message *mime_parse(struct arena *a, const struct mime_options *o, const char *msg, size_t len)
{
	struct parser *ps = mem_zalloc(sizeof *ps);
	struct mime_message *m = arena_zalloc(a, sizeof *m);
	struct mime_part top = { .kind = MIME_RFC822 };

	ps->a = a;
	ps->o = o;
	ps->m = msg;
	ps->len = len;
	ps->nested_left = len < SIZE_MAX / NESTED_HASH_FACTOR - NESTED_HASH_EXTRA ?
		len * NESTED_HASH_FACTOR + NESTED_HASH_EXTRA : SIZE_MAX;
	boundstack_init(&ps->st, a, o->rfc2046_strict);
	start_entity(ps, &top);
	run(ps);
	m->top = top.first;
	m->top->parent = NULL;
	m->too_many_lines = ps->too_many;
	boundstack_free(&ps->st);
	free(ps->frames);
	free(ps);
	return m;
}

struct mime_part *mime_next(struct mime_part *p)
{
	if (p->first)
		return p->first;
	while (p && !p->next)
		p = p->parent;
	return p ? p->next : NULL;
}

bool mime_is_zero(const struct mime_part *p)
{
	return p->kind == MIME_MULTIPART && !p->first;
}
