/* mailbox_peek.c - what the header of an index says, without a lock. It is written in one piece behind the records it counts, and
 * its checksum tells a torn reading; a commit under way says so in it (decision 0003). */
#include "store/mailbox.h"
#include "base/err.h"
#include "store/paths.h"
#include "sys/sys.h"

#include <fcntl.h>

static int read_header(const char *path, struct index_header *h)
{
	char block[INDEX_HEADER_MAX];
	int fd = sys_open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	if (fd < 0) return ERR_AGAIN;
	ssize_t n = sys_pread_full(fd, block, sizeof block, 0);
	sys_close(fd);
	return n > 0 && !index_header_decode(block, (size_t)n, h) ? 0 : ERR_AGAIN;
}

int mailbox_peek(struct store *st, const struct mbentry *e, struct index_header *h)
{
	const uint32_t busy = MBOXOPT_DELETED | MBOXOPT_NEEDS_REPACK | MBOXOPT_NEEDS_UNLINK;
	struct buf path = BUF_INIT;
	bool here = e->partition && !(e->flags & (MBENTRY_MOVING | MBENTRY_REMOTE));
	int r = !here || path_mailbox(st, e, META_INDEX, "cyrus.index", &path) ? ERR_AGAIN : read_header(buf_cstr(&path), h);
	buf_free(&path);
	if (r) return r;
	bool settled = index_has_crc(h->minor_version) && !(h->leaked_cache_records & INDEX_COMMITTING) && !(h->options & busy);
	return settled && (!e->uidvalidity || e->uidvalidity == h->uidvalidity) ? 0 : ERR_AGAIN;
}
