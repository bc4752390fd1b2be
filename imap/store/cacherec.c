/* cacherec.c - the frame of a cache record, and building one from a message. See cacherec.h. */
#include "store/cacherec.h"

#include <openssl/sha.h>
#include <string.h>
#include <zlib.h>

#include "base/err.h"
#include "base/num.h"
#include "store/cacherec_priv.h"
#include "text/date.h"
#include "text/rfc2047.h"

int cacherec_parse(const char *p, size_t n, struct cacherec *rec)
{
	size_t pos = 0;

	for (int i = 0; i < CACHE_ITEMS; i++) {
		size_t len, padded;
		if (n - pos < 4)
			return ERR_BADFORMAT;
		len = get_be32(p + pos);
		pos += 4;
		padded = (len + 3) & ~(size_t)3;
		if (padded > n - pos)
			return ERR_BADFORMAT;
		rec->item[i] = (struct text){ p + pos, len };
		pos += padded;
	}
	rec->len = pos;
	return 0;
}

uint32_t cacherec_crc(const char *p, size_t n)
{
	return (uint32_t)crc32_z(crc32_z(0, NULL, 0), (const unsigned char *)p, n);
}

struct cacherec_options cacherec_defaults(unsigned number)
{
	enum dialect d = number <= 3 ? DIALECT_25 : DIALECT_36;

	return (struct cacherec_options){ .mime = MIME_OPTIONS_INIT(d) };
}

static size_t begin_item(struct buf *out)
{
	buf_be32(out, 0);
	return out->len;
}

static void end_item(struct buf *out, size_t start)
{
	put_be32(out->s + start - 4, (uint32_t)(out->len - start));
	while ((out->len - start) % 4)
		buf_putc(out, 0);
}

static void put_subject(struct buf *out, const struct cacherec_options *o, struct text subject)
{
	struct buf b = BUF_INIT;
	struct text t = { NULL, 0 };

	if (subject.s) {
		rfc2047_decode(o->mime.dialect, o->rfc2047_utf8, subject.s, subject.n, &b);
		t = (struct text){ b.s ? b.s : "", b.len };
	}
	cache_put_nstring(out, t);
	buf_free(&b);
}

static void put_record(struct buf *out, const struct cacherec_options *o, const char *msg, struct mime_part *top)
{
	const struct addresslist *lists[] = { &top->envelope->from, &top->envelope->to, &top->envelope->cc, &top->envelope->bcc };
	size_t at = begin_item(out);

	cache_put_envelope(out, top->envelope);
	end_item(out, at);
	at = begin_item(out);
	cache_put_body(out, top, true);
	end_item(out, at);
	at = begin_item(out);
	cache_put_body(out, top, false);
	end_item(out, at);
	at = begin_item(out);
	cache_put_section(out, top, o->mime.dialect);
	end_item(out, at);
	at = begin_item(out);
	cache_put_headers(out, msg + top->hoff, top->hsize, &o->mime);
	end_item(out, at);
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		at = begin_item(out);
		cache_put_addresses(out, o, lists[i]);
		end_item(out, at);
	}
	at = begin_item(out);
	put_subject(out, o, top->envelope->subject);
	end_item(out, at);
}

static void fill_info(struct message_info *info, const struct mime_message *m, enum dialect d, size_t len, time_t internaldate)
{
	const struct mime_part *top = m->top;
	struct text date = top->envelope->date;

	info->header_size = (uint32_t)top->hsize;
	info->size = d == DIALECT_25 ? top->hsize + top->csize : len;
	info->content_lines = d == DIALECT_25 ? (uint32_t)top->lines : 0;
	info->gmtime = date_gmtime(d, date.s, date.n, internaldate);
	info->sentdate = date_sentdate(d, date.s, date.n, internaldate);
	info->too_many_lines = m->too_many_lines;
}

int cacherec_build(const struct cacherec_options *o, const char *msg, size_t len, time_t internaldate,
	struct buf *out, struct message_info *info)
{
	struct mime_message *m;
	size_t start = out->len;
	struct arena *a;

	if (len == 0)
		return ERR_EMPTYMESSAGE;
	if (len > UINT32_MAX)
		return ERR_TOOBIG;
	a = arena_new();
	m = mime_parse(a, &o->mime, msg, len);
	put_record(out, o, msg, m->top);
	fill_info(info, m, o->mime.dialect, len, internaldate);
	SHA1((const unsigned char *)msg, len, info->guid);
	info->cache_crc = cacherec_crc(out->s + start, out->len - start);
	arena_free(a);
	return 0;
}
