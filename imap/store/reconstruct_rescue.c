/* reconstruct_rescue.c - a header or an index that cannot be opened (spec/mailbox.md 16.2 step 1). Each is looked at by itself: a
 * bad header does not cost the index, a bad index does not cost the header. Of an index, every record whose checksum is right is
 * kept, even when its header is gone: the checksums of the records tell which version they are of. */
#include "store/reconstruct_priv.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "store/paths.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/newfile.h"
#include "sys/sys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { HEADER_FILE_MAX = 1 << 22, UID_SLACK = 1 << 20 };
static const size_t index_file_max = (size_t)INDEX_HEADER_MAX + ((size_t)1 << 32);

struct rescue {
	const struct reconstruct *rc;
	const struct mbentry *e;
	struct mboxheader hdr;
	struct index_header h;
	struct buf index;                 /* the file as it is */
	struct buf records;               /* those that are kept */
	uint32_t max_uid;
	uint64_t max_modseq;
	uint32_t flags[USER_FLAGS / 32];  /* bits in use */
	bool header_ok, index_ok;
};

static int read_meta(struct rescue *x, enum meta_kind kind, const char *file, size_t max, struct buf *out)
{
	struct buf path = BUF_INIT;
	struct stat sb;
	int r = path_mailbox(x->rc->st, x->e, kind, file, &path);
	if (!r && lstat(buf_cstr(&path), &sb) == 0 && !S_ISREG(sb.st_mode)) {
		log_msg(LOG_ERR, "IOERROR: mailbox %s: %s is not a regular file", x->e->name, buf_cstr(&path));
		r = ERR_BADFORMAT;
	}
	if (!r && file_read(buf_cstr(&path), max, out) < 0) r = errno == ENOENT || errno == EFBIG ? ERR_BADFORMAT : ERR_IO;
	buf_free(&path);
	return r;
}

/* ------------------------------------------------------------------------------------------------ the index */

/* The version whose header size leads to a record that checks; 0: none. */
static uint32_t guess_version(const struct buf *f)
{
	static const uint8_t likely[] = { 17, 13, 19, 20, 16, 12, 18, 15, 14 };
	for (size_t i = 0; i < sizeof likely; i++) {
		uint32_t header = index_header_size(likely[i]), record = index_record_size(likely[i]);
		struct index_record r;
		for (uint32_t n = 0; n < 4 && f->len >= header + (uint64_t)(n + 1) * record; n++)
			if (!index_record_decode(f->s + header + n * record, likely[i], &r) && r.uid) return likely[i];
	}
	return 0;
}

static void note(struct rescue *x, const struct index_record *r)
{
	if (r->uid > x->max_uid) x->max_uid = r->uid;
	if (r->modseq > x->max_modseq) x->max_modseq = r->modseq;
	for (int i = 0; i < USER_FLAGS / 32; i++) x->flags[i] |= r->user_flags[i];
}

/* The records that check and ascend; how many there may be is what the header says where it can be believed. */
static void keep_records(struct rescue *x, bool believe)
{
	uint32_t header = index_header_size(x->h.minor_version), size = index_record_size(x->h.minor_version), last = 0;
	uint64_t n = x->index.len > header ? (x->index.len - header) / size : 0;
	if (believe && x->h.num_records < n) n = x->h.num_records;
	x->h.start_offset = header;
	x->h.record_size = size;
	x->h.num_records = 0;
	for (uint64_t i = 0; i < n; i++) {
		struct index_record r;
		const char *p = x->index.s + header + i * size;
		if (index_record_decode(p, x->h.minor_version, &r) || r.uid <= last) {
			if (r.uid || believe)
				reconstruct_say(x->rc, "%s: record corrupted %llu (maybe uid %u)", x->e->name, (unsigned long long)i + 1, r.uid);
			continue;
		}
		last = r.uid;
		note(x, &r);
		buf_append(&x->records, p, size);
		x->h.num_records++;
	}
}

static uint32_t cache_generation(struct rescue *x)
{
	struct buf path = BUF_INIT;
	char word[4];
	uint32_t g = 0;
	int fd = path_mailbox(x->rc->st, x->e, META_CACHE, "cyrus.cache", &path) ? -1
		: sys_open(buf_cstr(&path), O_RDONLY | O_NOFOLLOW, 0);
	if (fd >= 0) {
		if (sys_pread_full(fd, word, 4, 0) == 4) g = get_be32(word);
		sys_close(fd);
	}
	buf_free(&path);
	return g;
}

static uint32_t max_message_file(struct rescue *x)
{
	struct reconstruct quiet = { .st = x->rc->st, .flags = RECONSTRUCT_REPORT | RECONSTRUCT_IGNORE_ODD };
	struct spool files = { 0 };
	uint32_t max = 0;
	if (!reconstruct_read_spool(&quiet, x->e, &files) && files.n) max = files.v[files.n - 1].uid;
	free(files.v);
	return max;
}

/* Values of a header whose checksum is wrong count only where they are plausible: no UID may ever be used twice. */
static void repair_values(struct rescue *x, bool damaged)
{
	struct index_header *h = &x->h;
	if (damaged) {
		uint32_t file = max_message_file(x), floor = x->max_uid > file ? x->max_uid : file;
		if (h->last_uid < x->max_uid || h->last_uid > floor + UID_SLACK || floor > UINT32_MAX - UID_SLACK)
			h->last_uid = x->max_uid;
		if (h->highestmodseq < x->max_modseq || h->highestmodseq - x->max_modseq > UINT32_MAX)
			h->highestmodseq = x->max_modseq + 1;
		h->generation_no = cache_generation(x);
		h->options &= MBOXOPT_STORED & ~(uint32_t)MBOXOPT_DELETED;
		h->options |= MBOXOPT_NEEDS_REPACK;
		if (x->e->uidvalidity) h->uidvalidity = x->e->uidvalidity;
		h->exists = h->num_records;                /* counted right afterwards; 0 would mean an empty mailbox */
	}
	if (h->last_uid < x->max_uid) h->last_uid = x->max_uid;
	if (!h->highestmodseq) h->highestmodseq = 1;
	if (!h->uidvalidity) h->uidvalidity = x->e->uidvalidity ? x->e->uidvalidity : (uint32_t)clock_now();
}

static void fresh_index(struct rescue *x)
{
	const struct layout *l = x->rc->st->layout;
	x->h = (struct index_header){
		.minor_version = l->index_version, .highestmodseq = 1, .createdmodseq = 1, .changes_epoch = (uint32_t)clock_now(),
		.synccrc_annot = l->synccrc_annot_start,
		.options = (uint32_t)conf_int(x->rc->st->conf, OPT_MAILBOX_DEFAULT_OPTIONS) | MBOXOPT_POP3_NEW_UIDL,
	};
	x->h.start_offset = index_header_size(x->h.minor_version);
	x->h.record_size = index_record_size(x->h.minor_version);
}

static int examine_index(struct rescue *x)
{
	int r = read_meta(x, META_INDEX, "cyrus.index", index_file_max, &x->index);
	if (r == ERR_IO) return r;
	int d = r ? r : index_header_decode(x->index.s, x->index.len, &x->h);
	uint64_t need = x->h.start_offset + (uint64_t)x->h.num_records * x->h.record_size;
	x->index_ok = !d && x->index.len >= need;
	if (d == ERR_BADFORMAT) {
		uint32_t minor = r ? 0 : guess_version(&x->index);
		fresh_index(x);
		if (minor) x->h.minor_version = minor;
		if (minor) keep_records(x, false);
	} else {
		keep_records(x, !d);
	}
	if (!x->index_ok) {
		reconstruct_say(x->rc, "%s: failed to read index header", x->e->name);
		repair_values(x, d != 0);
	}
	return 0;
}

static int write_index(struct rescue *x)
{
	struct buf path = BUF_INIT, all = BUF_INIT;
	char block[INDEX_HEADER_MAX];
	index_header_encode(&x->h, block);
	buf_append(&all, block, x->h.start_offset);
	buf_add(&all, &x->records);
	int r = path_mailbox(x->rc->st, x->e, META_INDEX, "cyrus.index", &path);
	if (!r && newfile_write(buf_cstr(&path), 0666, all.s, all.len) < 0) {
		log_msg(LOG_ERR, "IOERROR: mailbox %s: cannot write %s: %m", x->e->name, buf_cstr(&path));
		r = err_from_errno(errno);
	}
	buf_free(&path);
	buf_free(&all);
	return r;
}

/* ------------------------------------------------------------------------------------------------ the header file */

static int examine_header(struct rescue *x)
{
	struct buf text = BUF_INIT;
	int r = read_meta(x, META_HEADER, "cyrus.header", HEADER_FILE_MAX, &text);
	if (!r) r = mboxheader_parse(&x->hdr, text.s, text.len);
	x->header_ok = !r;
	if (!r) x->h.header_file_crc = (uint32_t)crc32(0, (const Bytef *)text.s, (uInt)text.len);
	buf_free(&text);
	if (r == ERR_IO) return r;
	if (r) reconstruct_say(x->rc, "%s: failed to read header file", x->e->name);
	return 0;
}

/* What the list and the records still know: unique id, ACL, type, and that there were flags. */
static void make_header(struct rescue *x)
{
	const struct store *st = x->rc->st;
	char type[3] = { x->e->type ? x->e->type : 'e', 0, 0 }, name[16];
	if (x->e->flags & MBENTRY_LEGACYDIRS) type[1] = 'l';
	mboxheader_free(&x->hdr);
	x->hdr = (struct mboxheader){
		.list_form = st->layout->list_header, .uniqueid = x->e->uniqueid ? mem_strdup(x->e->uniqueid)
		: st->layout->new_uniqueid(), .acl = mem_strdup(x->e->acl), .name = mem_strdup(x->e->name), .type = mem_strdup(type),
		.quotaroot = quota_find_root(x->rc->st, &x->e->parts),
	};
	for (int i = 0; i < USER_FLAGS; i++) {
		if (!(x->flags[i / 32] & 1u << (i % 32))) continue;
		snprintf(name, sizeof name, "Flag%d", i);
		x->hdr.flagname[i] = mem_strdup(name);
	}
}

static int write_header(struct rescue *x)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	mboxheader_print(&x->hdr, &text);
	int r = path_mailbox(x->rc->st, x->e, META_HEADER, "cyrus.header", &path);
	if (!r && newfile_write(buf_cstr(&path), 0666, text.s, text.len) < 0) {
		log_msg(LOG_ERR, "IOERROR: mailbox %s: cannot write %s: %m", x->e->name, buf_cstr(&path));
		r = err_from_errno(errno);
	}
	x->h.header_file_crc = (uint32_t)crc32(0, (const Bytef *)text.s, (uInt)text.len);
	buf_free(&path);
	buf_free(&text);
	return r;
}

int reconstruct_rescue(const struct reconstruct *rc, const struct mbentry *e)
{
	struct rescue x = { .rc = rc, .e = e };
	int r = examine_index(&x);
	if (!r) r = examine_header(&x);
	if (!r && reconstruct_fixing(rc)) {
		/* a good index keeps the old checksum of the header: the run that follows corrects it */
		if (!x.header_ok) {
			make_header(&x);
			r = write_header(&x);
		}
		if (!r && !x.index_ok) r = write_index(&x);
	}
	mboxheader_free(&x.hdr);
	buf_free(&x.index);
	buf_free(&x.records);
	return r;
}
