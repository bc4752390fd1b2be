/* statusrow.c - see statusrow.h. */
#include "store/statusrow.h"
#include "base/err.h"
#include "store/fields.h"

#include <string.h>

static int parse_25(const char *p, const char *end, struct statusrow *r)
{
	uint32_t version;
	if (!field_u32(&p, end, ' ', &version)) return ERR_BADFORMAT;
	if (version != STATUSROW_VERSION_25) return ERR_NOTFOUND;
	bool ok = field_u32(&p, end, ' ', &r->items) && field_u32(&p, end, ' ', &r->messages) && field_u32(&p, end, ' ', &r->recent)
		&& field_u32(&p, end, ' ', &r->uidnext) && field_u32(&p, end, ' ', &r->uidvalidity) && field_u32(&p, end, ' ', &r->unseen)
		&& num_u64(&p, end, &r->highestmodseq);
	if (ok && p < end && *p == ' ') p++;              /* always written, yet nobody misses it */
	return ok && p == end ? 0 : ERR_BADFORMAT;
}

static int parse_36(const char *p, const char *end, struct statusrow *r)
{
	uint32_t version;
	char letter = *p++;
	if (!field_is(&p, end, ' ') || !field_u32(&p, end, ' ', &version)) return ERR_BADFORMAT;
	if (version != STATUSROW_VERSION_36) return ERR_NOTFOUND;
	if (!field_is(&p, end, '(')) return ERR_BADFORMAT;
	r->kind = letter == 'I' ? STATUSROW_MAILBOX : STATUSROW_USER;
	bool ok = letter == 'I'
		? field_u32(&p, end, ' ', &r->messages) && field_u32(&p, end, ' ', &r->uidnext)
			&& field_u32(&p, end, ' ', &r->uidvalidity)
			&& field_u32(&p, end, ' ', &r->options) && field_u64(&p, end, ' ', &r->size)
				&& field_u64(&p, end, ' ', &r->createdmodseq)
			&& field_u64(&p, end, ')', &r->highestmodseq)
		: field_u32(&p, end, ' ', &r->recent) && field_u32(&p, end, ' ', &r->unseen)
			&& field_u64(&p, end, ')', &r->highestmodseq);
	return ok && p == end ? 0 : ERR_BADFORMAT;
}

int statusrow_parse(const char *p, size_t len, struct statusrow *r)
{
	*r = (struct statusrow){ .kind = STATUSROW_25 };
	if (!len) return ERR_BADFORMAT;
	return *p == 'I' || *p == 'S' ? parse_36(p, p + len, r) : parse_25(p, p + len, r);
}

void statusrow_print(const struct statusrow *r, struct buf *out)
{
	unsigned long long size = r->size, created = r->createdmodseq, highest = r->highestmodseq;
	switch (r->kind) {
	case STATUSROW_25:
		buf_printf(out, "%d %u %u %u %u %u %u %llu ", STATUSROW_VERSION_25, r->items, r->messages, r->recent, r->uidnext,
			r->uidvalidity, r->unseen, highest);
		break;
	case STATUSROW_MAILBOX:
		buf_printf(out, "I %d (%u %u %u %u %llu %llu %llu)", STATUSROW_VERSION_36, r->messages, r->uidnext, r->uidvalidity,
			r->options, size, created, highest);
		break;
	case STATUSROW_USER:
		buf_printf(out, "S %d (%u %u %llu)", STATUSROW_VERSION_36, r->recent, r->unseen, highest);
	}
}

void statusrow_key(const char *name, const char *userid, struct buf *out)
{
	buf_printf(out, "%s%%", name);
	if (userid) buf_printf(out, "%%%s", userid);
}

int statusrow_key_parse(const char *key, size_t len, size_t *namelen, const char **user, size_t *userlen)
{
	*user = NULL;
	*userlen = 0;
	if (!len || memchr(key, 0, len)) return ERR_BADFORMAT;
	if (key[len - 1] == '%' && (len < 2 || key[len - 2] != '%')) {
		*namelen = len - 1;
		return *namelen ? 0 : ERR_BADFORMAT;
	}
	for (size_t i = len - 1; i-- > 0;) {
		if (key[i] != '%' || key[i + 1] != '%') continue;
		*namelen = i;
		*user = key + i + 2;
		*userlen = len - i - 2;
		return i ? 0 : ERR_BADFORMAT;
	}
	return ERR_BADFORMAT;
}
