/* index_format.h - cyrus.index: the fixed header and the records, versions 6 to 20 (spec/mailbox.md 4).
 *
 * One table of offsets per structure says which field stands where in which version; one decoder and one encoder read it. A field
 * the version lacks decodes to 0 and is not written. Everything is written in the version found. */
#ifndef CAMB_INDEX_FORMAT_H
#define CAMB_INDEX_FORMAT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { INDEX_MIN = 6, INDEX_MAX = 20, INDEX_HEADER_MAX = 192, INDEX_RECORD_MAX = 144 };

enum index_option {
	MBOXOPT_POP3_NEW_UIDL = 1u << 0, MBOXOPT_SHAREDSEEN = 1u << 2, MBOXOPT_DUPDELIVER = 1u << 3, MBOXOPT_HAS_ALARMS = 1u << 4,
	MBOXOPT_NEEDS_UNLINK = 1u << 29, MBOXOPT_NEEDS_REPACK = 1u << 30, MBOXOPT_DELETED = 1u << 31,
	MBOXOPT_STORED = 1u << 0 | 1u << 2 | 1u << 3 | 1u << 4 | 1u << 29 | 1u << 30 | 1u << 31,
};
enum index_flag {
	FLAG_ANSWERED = 1u << 0, FLAG_FLAGGED = 1u << 1, FLAG_DELETED = 1u << 2, FLAG_DRAFT = 1u << 3, FLAG_SEEN = 1u << 4,
	FLAG_SYSTEM = 0x1f,
	FLAG_SNOOZED = 1u << 26, FLAG_SPLITCONV = 1u << 27, FLAG_NEEDS_CLEANUP = 1u << 28, FLAG_ARCHIVED = 1u << 29,
	FLAG_UNLINKED = 1u << 30, FLAG_EXPUNGED = 1u << 31,
};
enum { USER_FLAGS = 128 };

/* In leaked_cache_records, which nobody reads and everybody keeps: records are being rewritten in place, and the counters may not
 * fit them yet. Gone when the commit is complete; who finds it under the lock counts anew (mailbox_heal). */
#define INDEX_COMMITTING 0x80000000u
/* There too: made by RENAME of an INBOX, which may not be empty yet (mailbox_empty_resume). */
#define INDEX_FILLED 0x40000000u
/* And there: an INBOX made by autocreation, which has more to make (autocreate_user). */
#define INDEX_UNFINISHED 0x20000000u

/* Times are whole seconds; the nanoseconds of v20 are dropped when a record is changed. */
struct index_header {
	uint32_t generation_no, format, minor_version, start_offset, record_size, num_records;
	uint32_t last_appenddate, last_uid;
	uint64_t quota_mailbox_used;
	uint32_t pop3_last_login, uidvalidity, deleted, answered, flagged, options, leaked_cache_records;
	uint64_t highestmodseq, deletedmodseq;
	uint32_t exists, first_expunged, last_repack_time, header_file_crc, synccrc_basic, recentuid, recenttime;
	uint32_t pop3_show_after;
	uint64_t quota_annot_used;
	uint32_t synccrc_annot, unseen;
	uint64_t createdmodseq;
	uint32_t changes_epoch;
	uint64_t quota_deleted_used, quota_expunged_used;
};

struct index_record {
	uint32_t uid;
	int64_t internaldate, sentdate, gmtime, last_updated, savedate;      /* seconds since 1970 */
	uint64_t size;
	uint32_t header_size;
	uint64_t cache_offset;
	uint32_t cache_version;              /* the number of the format (spec 6.2) */
	uint32_t system_flags;
	uint32_t user_flags[USER_FLAGS / 32];
	uint32_t content_lines;              /* up to v14 */
	uint8_t guid[20];
	uint64_t modseq, cid, createdmodseq, basecid;
	uint32_t cache_crc;
	uint32_t recno;                      /* 1-based place in the file; set by the reader */
};

bool index_version_ok(uint32_t minor);
uint32_t index_header_size(uint32_t minor);      /* 0 for an unknown version */
uint32_t index_record_size(uint32_t minor);
bool index_has_crc(uint32_t minor);              /* v12 and later */

/* 0; ERR_BADFORMAT when it is too short, of an unknown version, or its sizes are not those of the version; ERR_CRC when only the
 * checksum is wrong (then *h is filled all the same). */
int index_header_decode(const void *p, size_t len, struct index_header *h);
void index_header_encode(const struct index_header *h, void *out);          /* writes h->start_offset bytes, with CRC */
/* 0 or ERR_CRC (*r is filled all the same). p has index_record_size(minor) bytes. */
int index_record_decode(const void *p, uint32_t minor, struct index_record *r);
void index_record_encode(const struct index_record *r, uint32_t minor, void *out);
#endif
