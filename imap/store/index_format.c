/* index_format.c - see index_format.h. */
#include "store/index_format.h"
#include "base/err.h"
#include "base/num.h"

#include <string.h>
#include <zlib.h>

static const struct { uint16_t header, record; } sizes[INDEX_MAX + 1] = {
	[6] = { 76, 60 }, [7] = { 76, 72 }, [8] = { 92, 80 }, [9] = { 96, 80 }, [10] = { 96, 88 },
	[12] = { 128, 96 }, [13] = { 128, 104 }, [14] = { 160, 104 }, [15] = { 160, 104 }, [16] = { 160, 112 },
	[17] = { 160, 112 }, [18] = { 160, 112 }, [19] = { 160, 112 }, [20] = { 192, 144 },
};

/* How a field is stored, and how wide it is in memory: U32 and U64 alike on both sides, T64 seconds * 10^9 on disk. */
enum width { U32, U64, U32IN64, T32, NS64, NS64IN32 };

struct field {
	uint16_t disk;                /* offset in the file */
	uint16_t mem;                 /* offset in the struct */
	uint8_t width, from, to;      /* versions that have it there, both included */
};

#define H(member) offsetof(struct index_header, member)
static const struct field header_fields[] = {
	{ 0, H(generation_no), U32, 6, 20 }, { 4, H(format), U32, 6, 20 }, { 8, H(minor_version), U32, 6, 20 },
	{ 12, H(start_offset), U32, 6, 20 }, { 16, H(record_size), U32, 6, 20 }, { 20, H(num_records), U32, 6, 20 },
	/* 6 to 18 */
	{ 24, H(last_appenddate), U32, 6, 19 }, { 28, H(last_uid), U32, 6, 19 }, { 32, H(quota_mailbox_used), U64, 6, 20 },
	{ 40, H(pop3_last_login), U32, 6, 19 }, { 44, H(uidvalidity), U32, 6, 19 }, { 48, H(deleted), U32, 6, 20 },
	{ 52, H(answered), U32, 6, 20 }, { 56, H(flagged), U32, 6, 20 }, { 60, H(options), U32, 6, 18 },
	{ 64, H(leaked_cache_records), U32, 6, 18 }, { 68, H(highestmodseq), U64, 8, 18 }, { 76, H(deletedmodseq), U64, 12, 18 },
	{ 84, H(exists), U32, 12, 18 }, { 88, H(first_expunged), U32, 12, 19 }, { 92, H(last_repack_time), U32, 12, 19 },
	{ 96, H(header_file_crc), U32, 12, 20 }, { 100, H(synccrc_basic), U32, 12, 20 }, { 104, H(recentuid), U32, 12, 19 },
	{ 108, H(recenttime), U32, 12, 19 }, { 112, H(pop3_show_after), U32, 13, 19 }, { 116, H(quota_annot_used), U32IN64, 13, 19 },
	{ 120, H(synccrc_annot), U32, 13, 20 }, { 124, H(unseen), U32, 14, 20 }, { 128, H(createdmodseq), U64, 16, 20 },
	{ 136, H(changes_epoch), U32, 17, 18 }, { 140, H(quota_deleted_used), U64, 18, 18 },
	{ 148, H(quota_expunged_used), U64, 18, 18 },
	/* 19 and 20 */
	{ 60, H(exists), U32, 19, 20 }, { 64, H(options), U32, 19, 20 }, { 68, H(leaked_cache_records), U32, 19, 20 },
	{ 72, H(highestmodseq), U64, 19, 20 }, { 80, H(deletedmodseq), U64, 19, 20 }, { 136, H(quota_deleted_used), U64, 19, 20 },
	{ 144, H(quota_expunged_used), U64, 19, 20 }, { 152, H(changes_epoch), U32, 19, 19 },
	{ 24, H(last_appenddate), NS64IN32, 20, 20 }, { 40, H(pop3_last_login), NS64IN32, 20, 20 }, { 88, H(last_uid), U32, 20, 20 },
	{ 92, H(uidvalidity), U32, 20, 20 }, { 104, H(recenttime), NS64IN32, 20, 20 }, { 112, H(pop3_show_after), NS64IN32, 20, 20 },
	{ 152, H(quota_annot_used), U64, 20, 20 }, { 160, H(changes_epoch), NS64IN32, 20, 20 },
	{ 168, H(first_expunged), NS64IN32, 20, 20 }, { 176, H(last_repack_time), NS64IN32, 20, 20 },
	{ 184, H(recentuid), U32, 20, 20 },
};

#define R(member) offsetof(struct index_record, member)
static const struct field record_fields[] = {
	{ 0, R(uid), U32, 6, 20 }, { 4, R(internaldate), T32, 6, 19 }, { 8, R(sentdate), T32, 6, 19 },
	{ 12, R(size), U32IN64, 6, 19 },
	{ 16, R(header_size), U32, 6, 19 }, { 20, R(gmtime), T32, 12, 19 }, { 28, R(last_updated), T32, 6, 19 },
	{ 32, R(system_flags), U32, 6, 19 },
	{ 36, R(user_flags[0]), U32, 6, 19 }, { 40, R(user_flags[1]), U32, 6, 19 }, { 44, R(user_flags[2]), U32, 6, 19 },
	{ 48, R(user_flags[3]), U32, 6, 19 },
	{ 52, R(content_lines), U32, 6, 14 }, { 52, R(savedate), T32, 15, 19 },
	{ 72, R(modseq), U64, 8, 9 }, { 80, R(modseq), U64, 10, 20 },
	{ 88, R(cache_crc), U32, 12, 12 }, { 88, R(cid), U64, 13, 20 }, { 96, R(cache_crc), U32, 13, 15 },
	{ 96, R(createdmodseq), U64, 16, 20 }, { 104, R(cache_crc), U32, 16, 19 },
	/* 20 */
	{ 8, R(internaldate), NS64, 20, 20 }, { 16, R(sentdate), NS64, 20, 20 }, { 24, R(size), U64, 20, 20 },
	{ 32, R(header_size), U32, 20, 20 }, { 36, R(system_flags), U32, 20, 20 },
	{ 40, R(user_flags[0]), U32, 20, 20 }, { 44, R(user_flags[1]), U32, 20, 20 }, { 48, R(user_flags[2]), U32, 20, 20 },
	{ 52, R(user_flags[3]), U32, 20, 20 },
	{ 104, R(gmtime), NS64, 20, 20 }, { 112, R(last_updated), NS64, 20, 20 }, { 120, R(savedate), NS64, 20, 20 },
	{ 128, R(basecid), U64, 20, 20 }, { 136, R(cache_crc), U32, 20, 20 },
};
#define COUNT(a) (sizeof (a) / sizeof *(a))

static void decode_fields(const struct field *f, size_t n, uint32_t minor, const char *p, char *out)
{
	for (; n--; f++) {
		if (minor < f->from || minor > f->to) continue;
		const char *d = p + f->disk;
		void *m = out + f->mem;
		switch ((enum width)f->width) {
		case U32: *(uint32_t *)m = get_be32(d); break;
		case U64: *(uint64_t *)m = get_be64(d); break;
		case U32IN64: *(uint64_t *)m = get_be32(d); break;
		case T32: *(int64_t *)m = get_be32(d); break;
		case NS64: *(int64_t *)m = (int64_t)(get_be64(d) / 1000000000); break;
		case NS64IN32: *(uint32_t *)m = (uint32_t)(get_be64(d) / 1000000000); break;
		}
	}
}

static void encode_fields(const struct field *f, size_t n, uint32_t minor, const char *in, char *out)
{
	for (; n--; f++) {
		if (minor < f->from || minor > f->to) continue;
		const void *m = in + f->mem;
		char *d = out + f->disk;
		switch ((enum width)f->width) {
		case U32: put_be32(d, *(const uint32_t *)m); break;
		case U64: put_be64(d, *(const uint64_t *)m); break;
		case U32IN64: put_be32(d, (uint32_t)*(const uint64_t *)m); break;
		case T32: put_be32(d, (uint32_t)*(const int64_t *)m); break;
		case NS64: put_be64(d, (uint64_t)*(const int64_t *)m * 1000000000); break;
		case NS64IN32: put_be64(d, (uint64_t)*(const uint32_t *)m * 1000000000); break;
		}
	}
}

bool index_version_ok(uint32_t minor) { return minor <= INDEX_MAX && sizes[minor].header; }
uint32_t index_header_size(uint32_t minor) { return minor <= INDEX_MAX ? sizes[minor].header : 0; }
uint32_t index_record_size(uint32_t minor) { return minor <= INDEX_MAX ? sizes[minor].record : 0; }
bool index_has_crc(uint32_t minor) { return minor >= 12; }

static uint32_t crc_of(const void *p, size_t n) { return (uint32_t)crc32(0, p, (uInt)n); }

int index_header_decode(const void *p, size_t len, struct index_header *h)
{
	*h = (struct index_header){ 0 };
	if (len < 24) return ERR_BADFORMAT;
	uint32_t minor = get_be32((const char *)p + 8), size = index_header_size(minor);
	if (!size || len < size) return ERR_BADFORMAT;
	decode_fields(header_fields, COUNT(header_fields), minor, p, (char *)h);
	bool v19_bug = minor == 19 && h->record_size == 144;      /* an old conversion left these (spec 4.1) */
	if (h->start_offset != size || (h->record_size != sizes[minor].record && !v19_bug)) return ERR_BADFORMAT;
	if (minor < 12) {
		h->exists = h->num_records;
		h->deletedmodseq = h->highestmodseq;
	}
	if (!h->highestmodseq) h->highestmodseq = 1;
	if (minor < 17) h->changes_epoch = h->last_repack_time;
	if (!h->exists) h->options |= MBOXOPT_POP3_NEW_UIDL;
	if (!index_has_crc(minor)) return 0;
	return get_be32((const char *)p + size - 4) == crc_of(p, size - 4) ? 0 : ERR_CRC;
}

void index_header_encode(const struct index_header *h, void *out)
{
	struct index_header copy = *h;
	uint32_t minor = h->minor_version, size = h->start_offset;
	copy.options &= minor < 8 ? (uint32_t)MBOXOPT_POP3_NEW_UIDL : (uint32_t)MBOXOPT_STORED;
	memset(out, 0, size);
	encode_fields(header_fields, COUNT(header_fields), minor, (const char *)&copy, out);
	if (index_has_crc(minor)) put_be32((char *)out + size - 4, crc_of(out, size - 4));
}

int index_record_decode(const void *p, uint32_t minor, struct index_record *r)
{
	const char *s = p;
	*r = (struct index_record){ 0 };
	decode_fields(record_fields, COUNT(record_fields), minor, p, (char *)r);
	uint32_t low = get_be32(s + (minor == 20 ? 4 : 24)), version = get_be32(s + 56);
	r->cache_offset = low | (uint64_t)(version >> 16) << 32;
	r->cache_version = version & 0xffff;
	if (minor >= 10) memcpy(r->guid, s + 60, sizeof r->guid);
	if (minor < 12) r->system_flags &= FLAG_SYSTEM & ~(uint32_t)FLAG_SEEN;      /* higher bits mean nothing there */
	uint32_t size = index_record_size(minor);
	if (!index_has_crc(minor)) return 0;
	return get_be32(s + size - 4) == crc_of(p, size - 4) ? 0 : ERR_CRC;
}

void index_record_encode(const struct index_record *r, uint32_t minor, void *out)
{
	char *s = out;
	uint32_t size = index_record_size(minor);
	memset(out, 0, size);
	encode_fields(record_fields, COUNT(record_fields), minor, (const char *)r, out);
	put_be32(s + (minor == 20 ? 4 : 24), (uint32_t)r->cache_offset);
	put_be32(s + 56, (uint32_t)(r->cache_offset >> 32) << 16 | (r->cache_version & 0xffff));
	if (minor < 12) put_be32(s + 20, r->header_size);             /* content_offset */
	if (minor >= 10) memcpy(s + 60, r->guid, sizeof r->guid);
	if (index_has_crc(minor)) put_be32(s + size - 4, crc_of(out, size - 4));
}
