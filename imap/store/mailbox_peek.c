/* mailbox_peek.c - what the header of an index says, without a lock. It is written in one piece behind the records it counts, and
 * its checksum tells a torn reading; a commit under way says so in it (decision 0003). */
#include "store/mailbox.h"
#include "base/err.h"
#include "store/paths.h"
#include "sys/sys.h"

#include <fcntl.h>

int mailbox_index_header(struct store *st, const struct mbentry *e, struct index_header *h)
{
	struct buf path = BUF_INIT;
	char block[INDEX_HEADER_MAX];
	int fd = path_mailbox(st, e, META_INDEX, "cyrus.index", &path) ? -1
		: sys_open(buf_cstr(&path), O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	ssize_t n = fd >= 0 ? sys_pread_full(fd, block, sizeof block, 0) : -1;
	if (fd >= 0) sys_close(fd);
	buf_free(&path);
	return n > 0 && !index_header_decode(block, (size_t)n, h) ? 0 : ERR_AGAIN;
}

int mailbox_peek(struct store *st, const struct mbentry *e, struct index_header *h)
{
	const uint32_t busy = MBOXOPT_DELETED | MBOXOPT_NEEDS_REPACK | MBOXOPT_NEEDS_UNLINK;
	bool here = e->partition && !(e->flags & (MBENTRY_MOVING | MBENTRY_REMOTE));
	if (!here || mailbox_index_header(st, e, h)) return ERR_AGAIN;
	bool settled = index_has_crc(h->minor_version) && !(h->leaked_cache_records & INDEX_COMMITTING) && !(h->options & busy);
	return settled && (!e->uidvalidity || e->uidvalidity == h->uidvalidity) ? 0 : ERR_AGAIN;
}
