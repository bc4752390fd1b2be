/* reconstruct_adopt.c - a mailbox whose directory is there and whose entry is not (spec/mailbox.md 16.1, -p). */
#include "store/reconstruct_priv.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/mboxlist.h"
#include "store/paths.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/sys.h"

#include <stdlib.h>
#include <string.h>

enum { HEADER_FILE_MAX = 1 << 22 };

static bool read_header(struct store *st, const struct mbentry *e, struct mboxheader *h)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	bool ok = !path_mailbox(st, e, META_HEADER, "cyrus.header", &path) && !file_read(buf_cstr(&path), HEADER_FILE_MAX, &text)
		&& !mboxheader_parse(h, text.s, text.len);
	buf_free(&path);
	buf_free(&text);
	return ok;
}

/* The reconstruction that follows finds nothing and makes all three anew. */
void reconstruct_remove_meta(struct store *st, const struct mbentry *e)
{
	static const struct { enum meta_kind kind; const char *file; } files[] = {
		{ META_HEADER, "cyrus.header" }, { META_INDEX, "cyrus.index" }, { META_CACHE, "cyrus.cache" },
	};
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		struct buf path = BUF_INIT;
		if (!path_mailbox(st, e, files[i].kind, files[i].file, &path)) sys_unlink(buf_cstr(&path));
		buf_free(&path);
	}
}

static uint32_t uidvalidity_of(struct store *st, const struct mbentry *e)
{
	struct buf path = BUF_INIT;
	struct index_header h = { 0 };
	char block[INDEX_HEADER_MAX];
	int fd = path_mailbox(st, e, META_INDEX, "cyrus.index", &path) ? -1 : sys_open(buf_cstr(&path), O_RDONLY | O_NOFOLLOW, 0);
	if (fd >= 0) {
		ssize_t n = sys_pread_full(fd, block, sizeof block, 0);
		if (n > 0 && index_header_decode(block, (size_t)n, &h)) h.uidvalidity = 0;
		sys_close(fd);
	}
	buf_free(&path);
	return h.uidvalidity;
}

void reconstruct_anew(struct store *st, struct mbentry *e)
{
	char *owner = mbname_userid(&e->parts), *acl = owner ? mem_printf("%s\tlrswipkxtecdan\t", owner) : NULL;
	mbentry_set_acl(e, acl ? acl : "");
	if (!e->uniqueid || e->flags & MBENTRY_LEGACYDIRS) {       /* else it is the name of the directory */
		free(e->uniqueid);
		e->uniqueid = st->layout->new_uniqueid();
	}
	e->uidvalidity = (uint32_t)clock_now();
	free(owner);
	free(acl);
}

int reconstruct_adopt(struct store *st, const char *name, const char *partition, bool fresh)
{
	struct mbentry e = { .name = mem_strdup(name), .partition = mem_strdup(partition), .acl = mem_strdup(""), .type = 'e',
		.flags = MBENTRY_LEGACYDIRS };
	struct mbentry old;
	struct mboxheader h;
	int r = mbname_from_internal(&e.parts, name, &st->ns);
	if (!r && !mboxlist_lookup(st, name, &old)) {
		mbentry_free(&old);
		r = ERR_EXISTS;
	}
	if (!r && !path_root(st, partition, META_DATA)) r = ERR_PARTITION;
	if (!r && fresh) {
		reconstruct_anew(st, &e);
		reconstruct_remove_meta(st, &e);
	} else if (!r && read_header(st, &e, &h)) {
		mbentry_set_acl(&e, h.acl);
		e.uniqueid = h.uniqueid ? mem_strdup(h.uniqueid) : st->layout->new_uniqueid();
		if (h.type && *h.type) e.type = *h.type;
		e.uidvalidity = uidvalidity_of(st, &e);
		mboxheader_free(&h);
	} else if (!r) {
		r = ERR_NOMAILBOX;
	}
	if (!r && !e.uidvalidity) e.uidvalidity = (uint32_t)clock_now();
	if (!r) r = mboxlist_put(st, &e);
	mbentry_free(&e);
	return r;
}
