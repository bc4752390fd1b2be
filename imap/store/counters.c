/* counters.c - see counters.h. */
#include "store/counters.h"
#include "base/err.h"
#include "base/num.h"

#include <zlib.h>

/* How many modseqs each version has; they only ever grew at the end. */
static const unsigned char modseqs[] = { 4, 5, 6, 9, 11, 13, 23, 27, 31, 35 };
enum { VERSIONS = sizeof modseqs, HEAD = 8, TAIL = 8, SIZE_0 = 48 };

const char *const counters_names[COUNTERS] = {
	"highest", "mail", "caldav", "carddav", "notes", "mail folders", "caldav folders", "carddav folders", "notes folders",
	"quota",
	"reverse ACL", "submission", "submission folders", "mail deleted", "caldav deleted", "carddav deleted", "notes deleted",
	"submission deleted", "mail folders deleted", "caldav folders deleted", "carddav folders deleted", "notes folders deleted",
	"submission folders deleted", "DAV notifications", "DAV notifications deleted", "DAV notification folders",
	"DAV notification folders deleted", "JMAP notifications", "JMAP notifications deleted", "JMAP notification folders",
	"JMAP notification folders deleted", "sieve", "sieve deleted", "sieve folders", "sieve folders deleted",
};

size_t counters_size(uint32_t version)
{
	return version < VERSIONS ? HEAD + 8u * modseqs[version] + TAIL : 0;
}

int counters_parse(const char *p, size_t len, struct counters *c)
{
	*c = (struct counters){ 0 };
	if (len < SIZE_0) return ERR_BADFORMAT;
	c->generation = get_be32(p);
	c->version = len == SIZE_0 ? 0 : get_be32(p + 4);
	if (counters_size(c->version) != len) return ERR_BADFORMAT;
	for (unsigned i = 0; i < modseqs[c->version]; i++) c->modseq[i] = get_be64(p + HEAD + 8 * i);
	c->uidvalidity = get_be32(p + len - TAIL);
	return crc32(0, (const Bytef *)p, (uInt)len - 4) == get_be32(p + len - 4) ? 0 : ERR_CRC;
}

void counters_print(const struct counters *c, struct buf *out)
{
	size_t start = out->len;
	uint32_t version = c->version < VERSIONS ? c->version : COUNTERS_VERSION;
	buf_be32(out, c->generation);
	buf_be32(out, version);
	for (unsigned i = 0; i < modseqs[version]; i++) buf_be64(out, c->modseq[i]);
	buf_be32(out, c->uidvalidity);
	buf_be32(out, (uint32_t)crc32(0, (const Bytef *)out->s + start, (uInt)(out->len - start)));
}
