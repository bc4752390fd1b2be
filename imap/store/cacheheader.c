/* cacheheader.c - which headers are in the HEADERS item, and picking fields out of header blocks (spec/mailbox.md 6.6).
 * See cacherec.h. */
#include "store/cacherec_priv.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hash.h"
#include "base/mem.h"

#define NEVER (-1)
#define NAME_MAX_36 31
#define NAME_MAX_25 30               /* what 2.5 stores, although it looks for 31 */

/* Sorted by name. number25 differs where 2.5 keeps what 3.x does not. */
static const struct row {
	const char *name;
	signed char since;               /* what to trust when reading */
	signed char since25;             /* what 2.5 writes */
} rows[] = {
	{ "arc-authentication-results", NEVER, 1 },
	{ "arc-message-signature", NEVER, 1 },
	{ "arc-seal", NEVER, 1 },
	{ "archived-at", NEVER, 1 },
	{ "authentication-results", NEVER, 1 },
	{ "bcc", NEVER, NEVER },
	{ "cc", NEVER, NEVER },
	{ "date", NEVER, NEVER },
	{ "delivery-date", NEVER, NEVER },
	{ "dkim-signature", NEVER, NEVER },
	{ "domainkey-signature", NEVER, NEVER },
	{ "domainkey-x509", NEVER, NEVER },
	{ "envelope-to", NEVER, NEVER },
	{ "followup-to", 0, 0 },
	{ "from", NEVER, NEVER },
	{ "in-reply-to", NEVER, NEVER },
	{ "listbox-message-date", NEVER, 1 },
	{ "message-id", NEVER, 1 },
	{ "mime-version", NEVER, NEVER },
	{ "newsgroups", 0, 0 },
	{ "priority", 0, 0 },
	{ "received", NEVER, NEVER },
	{ "received-spf", NEVER, 1 },
	{ "references", 0, 0 },
	{ "reply-to", 7, 7 },
	{ "resent-from", 0, 0 },
	{ "return-path", NEVER, NEVER },
	{ "sender", 7, 7 },
	{ "subject", NEVER, NEVER },
	{ "to", NEVER, NEVER },
	{ "topicbox-message-uuid", NEVER, 1 },
	{ "topicbox-policy-reasoning", NEVER, 1 },
	{ "x-apple-base-url", 6, 6 },
	{ "x-apple-mail-remote-attachments", 6, 6 },
	{ "x-cyrus-session-id", 4, 4 },
	{ "x-delivered-to", 3, 3 },
	{ "x-mail-from", 3, 3 },
	{ "x-mailer", 1, 1 },
	{ "x-me-message-id", 4, 4 },
	{ "x-msmail-priority", 2, 2 },
	{ "x-msoesrec", 2, 2 },
	{ "x-priority", 2, 2 },
	{ "x-ref", 2, 2 },
	{ "x-resolved-to", 3, 3 },
	{ "x-spam-score", 3, 3 },
	{ "x-trace", 1, 1 },
	{ "x-truedomain-domain", 3, 3 },
	{ "x-uniform-type-identifier", 6, 6 },
	{ "x-universally-unique-identifier", 6, 6 },
};

struct key {
	const char *s;
	size_t n;
};

static int row_cmp(const void *k, const void *r)
{
	const struct key *key = k;
	const char *name = ((const struct row *)r)->name;

	for (size_t i = 0; i < key->n; i++) {            /* not strncasecmp(): the key may hold NULs */
		unsigned char c = (unsigned char)key->s[i];
		if (c >= 'A' && c <= 'Z')
			c += 32;
		if (c != (unsigned char)name[i])
			return c < (unsigned char)name[i] ? -1 : 1;
		if (c == 0)
			return 1;
	}
	return name[key->n] ? -1 : 0;
}

static int since(const char *name, size_t len, bool by25)
{
	struct key k = { name, len };
	const struct row *r;

	if (len > (by25 ? NAME_MAX_25 : NAME_MAX_36))
		return NEVER;
	r = bsearch(&k, rows, sizeof rows / sizeof rows[0], sizeof rows[0], row_cmp);
	if (r)
		return by25 ? r->since25 : r->since;
	return len >= 2 && strncasecmp(name, "x-", 2) == 0 ? NEVER : 1;
}

int cacheheader_since(const char *name, size_t len)
{
	return since(name, len, false);
}

/* What is certain for every writer: 2.5 did not store names of 31 characters. */
bool cacheheader_has(unsigned number, const char *name, size_t len)
{
	int from = since(name, len, number < 4);

	if (cacheheader_since(name, len) == NEVER)
		return false;
	return from != NEVER && (unsigned)from <= number;
}

static void put_field(struct buf *out, const struct mime_field *f)
{
	size_t n = f->rawlen;

	if (n && f->raw[n - 1] == '\n') {
		n--;
		if (n && f->raw[n - 1] == '\r')
			n--;
	}
	buf_append(out, f->raw, n);
	buf_append(out, "\r\n", 2);
}

void cache_put_headers(struct buf *out, const char *hdr, size_t len, const struct mime_options *o)
{
	unsigned number = o->dialect == DIALECT_25 ? CACHE_NUMBER_25 : CACHE_NUMBER_36;
	struct mime_field f;
	size_t pos = 0, line = 0;

	while (mime_field_next(hdr, len, &pos, &line, &f)) {
		int from;
		if (o->maxheaderlines && f.line - 1 > o->maxheaderlines)
			return;
		if (!f.value)
			continue;
		from = since(f.name, f.namelen, o->dialect == DIALECT_25);
		if (from != NEVER && (unsigned)from <= number)
			put_field(out, &f);
	}
}

/* ---- HEADER.FIELDS */
struct headernames {
	struct hash *h;
};

#define NAME_KEY_MAX 1000

static size_t lower_key(char *key, const char *name, size_t n)
{
	if (n > NAME_KEY_MAX)
		n = NAME_KEY_MAX;
	for (size_t i = 0; i < n; i++)
		key[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] + 32) : name[i];
	return n;
}

struct headernames *headernames_new(const char *const *names, size_t n)
{
	struct headernames *h = mem_zalloc(sizeof *h);
	char key[NAME_KEY_MAX];

	h->h = hash_new();
	for (size_t i = 0; i < n; i++)
		hash_put(h->h, key, lower_key(key, names[i], strlen(names[i])), h);
	return h;
}

void headernames_free(struct headernames *h)
{
	if (!h)
		return;
	hash_free(h->h, NULL);
	free(h);
}

void header_select(const char *hdr, size_t len, const struct headernames *names, bool not, struct buf *out)
{
	struct mime_field f;
	size_t pos = 0, line = 0;
	char key[NAME_KEY_MAX];

	while (mime_field_next(hdr, len, &pos, &line, &f)) {
		bool in;
		if (!f.value || f.namelen == 0)
			continue;
		in = hash_get(names->h, key, lower_key(key, f.name, f.namelen)) != NULL;
		if (in == not)
			continue;
		buf_append(out, f.raw, f.rawlen);
		if (f.raw[f.rawlen - 1] != '\n')
			buf_append(out, "\r\n", 2);
	}
}

bool header_value(const char *hdr, size_t len, const char *name, struct buf *out)
{
	struct mime_field f;
	size_t pos = 0, line = 0, n = strlen(name), i = 0;

	do {
		if (!mime_field_next(hdr, len, &pos, &line, &f))
			return false;
	} while (f.namelen != n || strncasecmp(f.name, name, n) != 0);
	while (i < f.valuelen && (f.value[i] == ' ' || f.value[i] == '\t'))
		i++;
	for (; i < f.valuelen; i++)
		if (f.value[i] != '\r' && f.value[i] != '\n')
			buf_putc(out, f.value[i]);
	return true;
}
