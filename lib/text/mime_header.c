/* mime_header.c - the fields of one entity (spec/mailbox.md 7.3). See mime_priv.h. */
#include "text/mime_priv.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/num.h"
#include "text/charset.h"

bool mime_field_next(const char *hdr, size_t len, size_t *pos, size_t *line, struct mime_field *f)
{
	const char *p = hdr + *pos, *end = hdr + len, *e;

	if (*pos >= len)
		return false;
	memset(f, 0, sizeof *f);
	f->raw = p;
	f->line = ++*line;
	e = memchr(p, '\n', (size_t)(end - p));
	e = e ? e + 1 : end;
	for (const char *c = p; c < e && *c != '\r' && *c != '\n'; c++) {
		if (*c != ':')
			continue;
		f->name = p;
		f->namelen = (size_t)(c - p);
		f->value = c + 1;
		break;
	}
	while (e < end && (*e == ' ' || *e == '\t')) {
		const char *n = memchr(e, '\n', (size_t)(end - e));
		e = n ? n + 1 : end;
		++*line;
	}
	f->rawlen = (size_t)(e - p);
	if (f->value)
		f->valuelen = (size_t)(e - f->value);
	*pos = (size_t)(e - hdr);
	return true;
}

enum what { STRING, ADDRESSES, TYPE, ENCODING, DISPOSITION, LANGUAGE };

static const struct row {
	const char *name;
	enum what what;
	bool envelope;                   /* offset is in struct mime_envelope, otherwise in struct mime_part */
	size_t offset;
} rows[] = {
#define E(f) true, offsetof(struct mime_envelope, f)
#define P(f) false, offsetof(struct mime_part, f)
	{ "subject", STRING, E(subject) },
	{ "date", STRING, E(date) },
	{ "in-reply-to", STRING, E(in_reply_to) },
	{ "message-id", STRING, E(message_id) },
	{ "references", STRING, E(references) },
	{ "content-id", STRING, P(id) },
	{ "content-description", STRING, P(description) },
	{ "content-location", STRING, P(location) },
	{ "content-md5", STRING, P(md5) },
	{ "from", ADDRESSES, E(from) },
	{ "sender", ADDRESSES, E(sender) },
	{ "reply-to", ADDRESSES, E(reply_to) },
	{ "to", ADDRESSES, E(to) },
	{ "cc", ADDRESSES, E(cc) },
	{ "bcc", ADDRESSES, E(bcc) },
	{ "content-type", TYPE, P(type) },
	{ "content-transfer-encoding", ENCODING, P(encoding) },
	{ "content-disposition", DISPOSITION, P(disposition) },
	{ "content-language", LANGUAGE, P(languages) },
#undef E
#undef P
};

static const struct row *find_row(const struct mime_field *f)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strlen(rows[i].name) == f->namelen && strncasecmp(rows[i].name, f->name, f->namelen) == 0)
			return &rows[i];
	return NULL;
}

static size_t without_line_end(const char *s, size_t n)
{
	if (n && s[n - 1] == '\n') {
		n--;
		if (n && s[n - 1] == '\r')
			n--;
	}
	return n;
}

/* The folds' line ends go, their white space stays. */
static struct text unfolded(struct arena *a, const char *s, size_t n)
{
	struct text t;
	char *o;

	n = without_line_end(s, n);
	while (n && (*s == ' ' || *s == '\t')) {
		s++;
		n--;
	}
	t.s = o = arena_dup(a, s, n);
	t.n = 0;
	for (size_t i = 0; i < n; i++)
		if (s[i] != '\n' && !(s[i] == '\r' && i + 1 < n && s[i + 1] == '\n'))
			o[t.n++] = s[i];
	return t;
}

static void read_addresses(struct arena *a, enum dialect d, const struct mime_field *f, struct addresslist *l)
{
	if (d == DIALECT_36)
		addresslist_init(l);
	address_scan(a, d, f->value, without_line_end(f->value, f->valuelen), l);
}

static void read_languages(struct arena *a, enum dialect d, const struct mime_field *f, struct mime_part *p)
{
	struct mime_param *l = mime_value_languages(a, f->value, f->valuelen);

	if (l || d == DIALECT_36)
		p->languages = l;
}

static void read_field(struct arena *a, enum dialect d, const struct mime_field *f, struct mime_part *p)
{
	const struct row *r = find_row(f);
	bool first_counts = d == DIALECT_25;
	void *to;

	if (!r || (r->envelope && !p->envelope))
		return;
	to = (char *)(r->envelope ? (void *)p->envelope : (void *)p) + r->offset;
	if (first_counts && r->what != ADDRESSES && r->what != LANGUAGE && ((struct text *)to)->s)
		return;
	switch (r->what) {
	case STRING:
		*(struct text *)to = unfolded(a, f->value, f->valuelen);
		break;
	case ADDRESSES:
		read_addresses(a, d, f, to);
		break;
	case TYPE:
		p->type = p->subtype = (struct text){ NULL, 0 };
		p->params = NULL;
		mime_value_type(a, d, f->value, f->valuelen, p);
		break;
	case ENCODING:
		p->encoding = mime_value_encoding(a, f->value, f->valuelen);
		break;
	case DISPOSITION:
		p->disposition = (struct text){ NULL, 0 };
		p->disposition_params = NULL;
		mime_value_disposition(a, d, f->value, f->valuelen, p);
		break;
	case LANGUAGE:
		read_languages(a, d, f, p);
		break;
	}
}

void mime_header_read(struct arena *a, const struct mime_options *o, const char *hdr, size_t len, struct mime_part *p,
	bool *too_many)
{
	struct mime_field f;
	size_t pos = 0, line = 0;

	while (mime_field_next(hdr, len, &pos, &line, &f)) {
		if (o->maxheaderlines && f.line - 1 > o->maxheaderlines) {
			*too_many = *too_many || f.namelen > 0;
			return;
		}
		if (f.namelen)
			read_field(a, o->dialect, &f, p);
	}
}

static bool text_is(struct text t, const char *s)
{
	return t.n == strlen(s) && memcmp(t.s, s, t.n) == 0;
}

static enum transfer transfer_of(struct text e)
{
	if (!e.s || text_is(e, "7BIT") || text_is(e, "8BIT") || text_is(e, "BINARY"))
		return TRANSFER_NONE;
	if (text_is(e, "QUOTED-PRINTABLE"))
		return TRANSFER_QP;
	return text_is(e, "BASE64") ? TRANSFER_BASE64 : TRANSFER_UNKNOWN;
}

/* 2.5 takes the first charset parameter; 3.6 the last that it knows. */
static void text_charset(enum dialect d, struct mime_part *p)
{
	struct charset cs;

	p->charset = (struct text){ "us-ascii", 8 };
	p->charset_index = 0;
	for (struct mime_param *m = p->params; m; m = m->next) {
		bool known;
		if (!text_is(m->name, "CHARSET"))
			continue;
		known = charset_find(&cs, d, m->value.s, m->value.n);
		if (known)
			p->charset = m->value;
		if (d == DIALECT_36)
			continue;
		p->charset_index = known ? cs.index : CHARSET_INDEX_UNKNOWN;
		return;
	}
}

void mime_header_codes(enum dialect d, struct mime_part *p)
{
	p->transfer = transfer_of(p->encoding);
	p->charset = (struct text){ NULL, 0 };
	p->charset_index = CHARSET_INDEX_UNKNOWN;
	if (text_is(p->type, "TEXT")) {
		text_charset(d, p);
	} else if (text_is(p->type, "MESSAGE")) {
		p->transfer = TRANSFER_NONE;
		if (!text_is(p->subtype, "RFC822")) {
			p->charset = (struct text){ "us-ascii", 8 };
			p->charset_index = 0;
		}
	}
}

static int unhex2(const char *s, size_t left)
{
	if (left < 2 || num_hex((unsigned char)s[0]) < 0 || num_hex((unsigned char)s[1]) < 0)
		return -1;
	return num_hex((unsigned char)s[0]) << 4 | num_hex((unsigned char)s[1]);
}

/* charset'language'text with percent signs; taken as it is when there are no two quotes. */
static struct text extended_value(struct arena *a, struct text v)
{
	const char *q = memchr(v.s, '\'', v.n), *q2, *s;
	size_t n, k = 0;
	char *o;

	q2 = q ? memchr(q + 1, '\'', v.n - (size_t)(q + 1 - v.s)) : NULL;
	if (!q2)
		return v;
	s = q2 + 1;
	n = v.n - (size_t)(s - v.s);
	o = arena_dup(a, s, n);
	for (size_t i = 0; i < n; i++) {
		int c = s[i] == '%' ? unhex2(s + i + 1, n - i - 1) : -1;
		o[k++] = c < 0 ? s[i] : (char)c;
		if (c >= 0)
			i += 2;
	}
	return (struct text){ o, k };
}

struct text mime_header_boundary(struct arena *a, enum dialect d, const struct mime_part *p)
{
	for (const struct mime_param *m = p->params; m; m = m->next) {
		if (text_is(m->name, "BOUNDARY"))
			return m->value;
		if (d == DIALECT_36 && text_is(m->name, "BOUNDARY*"))
			return extended_value(a, m->value);
	}
	return (struct text){ NULL, 0 };
}
