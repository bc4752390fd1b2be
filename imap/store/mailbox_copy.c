/* mailbox_copy.c - the files of a mailbox once more in another place, complete and on disk before any list names them
 * (spec/mailbox.md 13.3 steps 4 and 5). See mailbox.h. */
#include "store/mailbox.h"
#include "base/err.h"
#include "base/log.h"
#include "store/paths.h"
#include "sys/file.h"
#include "sys/newfile.h"
#include "sys/sys.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

static int failed(const struct mbentry *to, const char *path)
{
	int r = err_from_errno(errno);
	log_msg(LOG_ERR, "IOERROR: mailbox %s: cannot write %s: %m", to->name, path);
	return r;
}

static int copy_file(struct store *st, const struct mbentry *from, const struct mbentry *to, enum meta_kind kind,
	const char *file, bool link, bool optional)
{
	struct buf a = BUF_INIT, b = BUF_INIT;
	int r = path_mailbox(st, from, kind, file, &a);
	if (!r) r = path_mailbox(st, to, kind, file, &b);
	if (!r) {
		sys_unlink(buf_cstr(&b));
		if (!(link && sys_link(buf_cstr(&a), buf_cstr(&b)) == 0) && file_copy(buf_cstr(&a), buf_cstr(&b), 0666) < 0
		    && !(optional && errno == ENOENT)) r = failed(to, buf_cstr(&b));
	}
	buf_free(&a);
	buf_free(&b);
	return r;
}

/* First of all, so that an unfinished copy can be told by its unique id. */
static int copy_header(struct mailbox *mb, const struct mbentry *to, const char *root, uint32_t *crc)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	struct mboxheader h = mb->hdr;                     /* borrowed strings */
	h.quotaroot = (char *)(uintptr_t)root;
	h.uniqueid = to->uniqueid ? to->uniqueid : mb->hdr.uniqueid;
	h.acl = to->acl;
	if (h.list_form) h.name = to->name;
	mboxheader_print(&h, &text);
	*crc = (uint32_t)crc32(0, (const Bytef *)text.s, (uInt)text.len);
	int r = path_mailbox(mb->st, to, META_HEADER, "cyrus.header", &path);
	if (!r && newfile_write(buf_cstr(&path), 0666, text.s, text.len) < 0) r = failed(to, buf_cstr(&path));
	buf_free(&path);
	buf_free(&text);
	return r;
}

static int copy_messages(struct mailbox *mb, const struct mbentry *to)
{
	struct index_record rec;
	int r = 0;
	for (uint32_t n = 1; n <= mb->h.num_records && !r; n++) {
		char file[16];
		r = mailbox_record(mb, n, &rec);
		if (r || !rec.uid || rec.system_flags & FLAG_UNLINKED) continue;
		snprintf(file, sizeof file, "%u.", rec.uid);
		r = copy_file(mb->st, &mb->entry, to, META_DATA, file, true, false);
	}
	return r;
}

static int copy_index(struct mailbox *mb, const struct mbentry *to, uint32_t header_crc, bool bump)
{
	char block[INDEX_HEADER_MAX];
	struct buf path = BUF_INIT;
	struct index_header h = mb->h;
	int r = copy_file(mb->st, &mb->entry, to, META_INDEX, "cyrus.index", false, false);
	if (!r) r = path_mailbox(mb->st, to, META_INDEX, "cyrus.index", &path);
	if (r) goto done;
	h.uidvalidity = to->uidvalidity ? to->uidvalidity : h.uidvalidity;
	h.highestmodseq += bump;
	if (h.minor_version >= 12) h.header_file_crc = header_crc;
	index_header_encode(&h, block);
	int fd = sys_open(buf_cstr(&path), O_RDWR | O_NOFOLLOW, 0);
	if (fd < 0 || sys_pwrite_all(fd, block, h.start_offset, 0) < 0 || sys_fsync(fd) < 0) r = failed(to, buf_cstr(&path));
	if (fd >= 0) sys_close(fd);
done:
	buf_free(&path);
	return r;
}

/* The names of the files are as durable as their bytes. */
static int sync_dirs(struct store *st, const struct mbentry *to)
{
	int r = 0;
	for (int kind = META_DATA; kind < META_KINDS && !r; kind++) {
		struct buf path = BUF_INIT, data = BUF_INIT;
		r = path_mailbox(st, to, (enum meta_kind)kind, "x", &path);
		if (!r) r = path_mailbox(st, to, META_DATA, "x", &data);
		if (!r && (kind == META_DATA || buf_cmp(&path, &data)) && file_sync_parent(buf_cstr(&path)) < 0 && errno != ENOENT)
			r = failed(to, buf_cstr(&path));
		buf_free(&path);
		buf_free(&data);
	}
	return r;
}

int mailbox_copy_files(struct mailbox *mb, const struct mbentry *to, const char *quotaroot, bool bump)
{
	static const struct { enum meta_kind kind; const char *name; bool link; } files[] = {
		{ META_CACHE, "cyrus.cache", false }, { META_SQUAT, "cyrus.squat", true },
		{ META_ANNOTATIONS, "cyrus.annotations", false },
	};
	uint32_t crc;
	int r = mailbox_make_dirs(mb->st, to);
	if (!r) r = copy_header(mb, to, quotaroot, &crc);
	if (!r) r = copy_messages(mb, to);
	for (size_t i = 0; i < sizeof files / sizeof *files && !r; i++)
		r = copy_file(mb->st, &mb->entry, to, files[i].kind, files[i].name, files[i].link, true);
	if (!r) r = copy_index(mb, to, crc, bump);
	if (!r) r = sync_dirs(mb->st, to);
	return r;
}
