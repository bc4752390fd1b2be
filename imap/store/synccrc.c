/* synccrc.c - a record's share in the checksums that replication compares (spec/mailbox.md 5). */
#include "store/mailbox.h"
#include "base/num.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

static uint32_t crc_text(const char *s, size_t n) { return (uint32_t)crc32(0, (const Bytef *)s, (uInt)n); }

static uint32_t flag_crc(const char *name)
{
	char low[4096];
	size_t n = 0;
	for (; name[n] && n < sizeof low - 1; n++) low[n] = (char)tolower((unsigned char)name[n]);
	return crc_text(low, n);
}

static uint32_t flags_crc(const struct mailbox *mb, const struct index_record *r)
{
	static const struct { uint32_t bit; const char *name; } system[] = {
		{ FLAG_DELETED, "\\deleted" }, { FLAG_ANSWERED, "\\answered" }, { FLAG_FLAGGED, "\\flagged" }, { FLAG_DRAFT, "\\draft" },
		{ FLAG_SEEN, "\\seen" },
	};
	uint32_t crc = 0;
	for (size_t i = 0; i < sizeof system / sizeof *system; i++)
		if (r->system_flags & system[i].bit) crc ^= flag_crc(system[i].name);
	for (int w = 0; w < USER_FLAGS / 32; w++)
		for (uint32_t bits = r->user_flags[w]; bits; bits &= bits - 1) {
			const char *name = mb->hdr.flagname[w * 32 + __builtin_ctz(bits)];
			if (name) crc ^= flag_crc(name);
		}
	return crc;
}

uint32_t synccrc_basic(const struct mailbox *mb, const struct index_record *r)
{
	char text[256], guid[41];
	if (r->system_flags & FLAG_EXPUNGED) return 0;
	num_tohex(r->guid, sizeof r->guid, guid);
	int n = snprintf(text, sizeof text, "%u %llu %lld (%u) %lld %s", r->uid, (unsigned long long)r->modseq,
		(long long)r->last_updated, flags_crc(mb, r), (long long)r->internaldate, guid);
	return crc_text(text, (size_t)n);
}

static uint32_t virtual_crc(uint32_t uid, const char *entry, const char *value)
{
	char text[256];
	int n = snprintf(text, sizeof text, "%u /vendor/cmu/cyrus-imapd/%s  %s", uid, entry, value);
	return crc_text(text, (size_t)n);
}

uint32_t synccrc_virtual(const struct mailbox *mb, const struct index_record *r)
{
	uint32_t crc = 0, minor = mb->h.minor_version;
	char value[32];
	if (r->system_flags & FLAG_EXPUNGED) return 0;
	if (minor >= 13 && r->cid) {
		snprintf(value, sizeof value, "%llx", (unsigned long long)r->cid);
		crc ^= virtual_crc(r->uid, "thrid", value);
	}
	if (minor >= 15 && r->savedate) {
		snprintf(value, sizeof value, "%lld", (long long)r->savedate);
		crc ^= virtual_crc(r->uid, "savedate", value);
	}
	if (minor >= 16 && r->createdmodseq) {
		snprintf(value, sizeof value, "%llu", (unsigned long long)r->createdmodseq);
		crc ^= virtual_crc(r->uid, "createdmodseq", value);
	}
	if (minor >= 20 && r->basecid) {
		snprintf(value, sizeof value, "%016llx", (unsigned long long)r->basecid);
		crc ^= virtual_crc(r->uid, "basethrid", value);
	}
	return crc;
}
