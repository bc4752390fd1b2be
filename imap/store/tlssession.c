/* tlssession.c - see tlssession.h. */
#include "store/tlssession.h"
#include "base/err.h"

#include <string.h>

/* One DER SEQUENCE that fills the whole of p: of what follows OpenSSL is the judge. */
static bool is_sequence(const unsigned char *p, size_t n)
{
	if (n < 2 || p[0] != 0x30) return false;
	if (p[1] < 0x80) return n == 2u + p[1];
	size_t digits = p[1] & 0x7f, len = 0;
	if (!digits || digits > 4 || n < 2 + digits) return false;
	for (size_t i = 0; i < digits; i++) len = len << 8 | p[2 + i];
	return n == 2 + digits + len;
}

int tlssession_parse(const char *p, size_t len, struct tlssession *t)
{
	*t = (struct tlssession){ 0 };
	if (len < sizeof t->expires || !is_sequence((const unsigned char *)p + sizeof t->expires, len - sizeof t->expires))
		return ERR_BADFORMAT;
	memcpy(&t->expires, p, sizeof t->expires);
	t->der = p + sizeof t->expires;
	t->len = len - sizeof t->expires;
	return 0;
}

void tlssession_print(const struct tlssession *t, struct buf *out)
{
	buf_append(out, &t->expires, sizeof t->expires);
	buf_append(out, t->der, t->len);
}
