/* reconstruct_spool.c - what is in a mailbox's directory: message files, and what does not belong (spec/mailbox.md 1.4, 16.2). */
#include "store/reconstruct_priv.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "store/paths.h"
#include "store/spool_walk.h"
#include "sys/file.h"
#include "sys/sys.h"

#include <stdlib.h>
#include <string.h>

struct reading {
	const struct reconstruct *rc;
	const struct mbentry *e;
	struct spool *out;
	bool odd;
};

static bool message_name(const char *name, uint32_t *uid)
{
	const char *p = name, *end = name + strlen(name);
	if (*p == '0' || !num_u32(&p, end, uid) || strcmp(p, ".")) return false;
	return *uid && *uid != UINT32_MAX;         /* the highest UID would leave none for the next message */
}

static void odd_file(struct reading *x, const struct dirwalk_entry *w)
{
	if (x->rc->flags & RECONSTRUCT_IGNORE_ODD) return;
	reconstruct_say(x->rc, "%s odd file %s", x->e->name, w->path);
	if (!(x->rc->flags & RECONSTRUCT_REMOVE_ODD)) x->odd = true;
	else if (reconstruct_fixing(x->rc) && sys_unlinkat(w->dirfd, w->name, 0) < 0)
		log_msg(LOG_ERR, "IOERROR: cannot unlink %s: %m", w->path);
}

static int look(void *arg, const struct dirwalk_entry *w)
{
	struct reading *x = arg;
	uint32_t uid;
	if (w->kind == DIRWALK_DIR || *w->name == '.' || !strncmp(w->name, "cyrus.", 6)) return 0;
	if (w->kind != DIRWALK_FILE || !message_name(w->name, &uid)) {      /* a link is never a message: it is not followed */
		odd_file(x, w);
		return 0;
	}
	MEM_GROW(x->out->v, x->out->alloc, x->out->n + 1);
	x->out->v[x->out->n++] = (struct spool_file){ uid, (int64_t)w->st->st_mtime, (uint64_t)w->st->st_size };
	return 0;
}

static int by_uid(const void *a, const void *b)
{
	uint32_t x = ((const struct spool_file *)a)->uid, y = ((const struct spool_file *)b)->uid;
	return x < y ? -1 : x > y;
}

int reconstruct_read_spool(const struct reconstruct *rc, const struct mbentry *e, struct spool *out)
{
	struct buf path = BUF_INIT;
	struct reading x = { .rc = rc, .e = e, .out = out };
	struct dirwalk w = { .flags = DIRWALK_STAT, .entry = look, .arg = &x };
	int r = spool_walk_mailbox(rc->st, e, META_DATA, &w);
	if (r == ERR_NOTFOUND) {
		r = 0;
		if (path_root(rc->st, e->partition, META_DATA) == path_root(rc->st, e->partition, META_INDEX)) {
			r = path_mailbox(rc->st, e, META_DATA, NULL, &path);
			reconstruct_say(rc, "%s data directory is missing %s", e->name, buf_cstr(&path));
			if (!r && reconstruct_fixing(rc) && file_mkdirs(buf_cstr(&path), 0755) < 0) r = ERR_IO;
		}
	}
	if (x.odd) reconstruct_say(rc, "run reconstruct with -O to remove odd files");
	if (out->n) qsort(out->v, out->n, sizeof *out->v, by_uid);
	buf_free(&path);
	return r;
}
