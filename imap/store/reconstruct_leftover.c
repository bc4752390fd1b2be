/* reconstruct_leftover.c - is a directory of the spool what a deletion, renaming or move has left behind, and may it go? */
#include "store/reconstruct_priv.h"
#include "base/err.h"
#include "base/log.h"
#include "base/num.h"
#include "store/mboxlist.h"
#include "store/paths.h"
#include "store/spool_walk.h"
#include "sys/sys.h"

#include <string.h>

struct compare {
	struct mailbox *live;
	bool known;                           /* every message file so far is one of the live mailbox, or was */
};

/* A copy may have been cut short: the beginning of a message is no other message. */
static bool begins(const struct dirwalk_entry *w, struct mailbox *live, const struct index_record *r)
{
	struct msgfile f;
	struct map map = MAP_INIT;
	struct stat st;
	int fd = sys_openat(w->dirfd, w->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
	bool yes = fd >= 0 && sys_fstat(fd, &st) == 0 && !msgfile_open(live, r, &f);
	if (yes) {
		size_t n = (size_t)st.st_size;
		yes = n <= f.len && (!n || (map_refresh(&map, fd, n) == 0 && !memcmp(map.base, f.base, n)));
		map_free(&map);
		msgfile_close(&f);
	}
	if (fd >= 0) sys_close(fd);
	return yes;
}

static int compare_one(void *arg, const struct dirwalk_entry *w)
{
	struct compare *x = arg;
	struct index_record r;
	const char *p = w->name, *end = w->name + strlen(w->name);
	uint32_t uid;
	if (w->kind == DIRWALK_DIR || !num_u32(&p, end, &uid) || strcmp(p, ".")) return 0;
	if (mailbox_find(x->live, uid, &r)) x->known = uid <= x->live->h.last_uid;
	else x->known = r.system_flags & FLAG_EXPUNGED || begins(w, x->live, &r);
	return x->known ? 0 : ERR_COUNT;
}

/* Nothing is in e's directory that `live`, the mailbox of the list, does not have or has not had. */
static bool is_copy(struct store *st, const struct mbentry *e, const char *live)
{
	struct compare x = { .known = true };
	struct dirwalk w = { .entry = compare_one, .arg = &x };
	if (mailbox_open(st, live, &x.live)) return false;
	bool yes = false;
	if (!mailbox_lock(x.live, LOCK_SHARED)) {
		int r = spool_walk_mailbox(st, e, META_DATA, &w);
		yes = (!r || r == ERR_NOTFOUND) && x.known && !mailbox_places_overlap(st, e, &x.live->entry);
		mailbox_unlock(x.live);
	}
	mailbox_close(&x.live);
	return yes;
}

bool reconstruct_is_leftover(struct store *st, const struct mbentry *e, const char *owner)
{
	struct mbentry listed;
	if (owner) return is_copy(st, e, owner);
	if (!mboxlist_lookup(st, e->name, &listed)) {
		bool apart = !mailbox_places_overlap(st, e, &listed);
		mbentry_free(&listed);
		if (!apart) return false;
	}
	return mailbox_is_leftover(st, e, NULL);
}

int reconstruct_remove_leftover(struct store *st, const struct mbentry *e)
{
	struct namelock *lock = NULL;
	struct buf name = BUF_INIT;
	st->layout->lock_name(e, &name);
	int r = namelock_take(st, buf_cstr(&name), LOCK_EXCLUSIVE, LOCK_NOWAIT, &lock);
	if (!r) r = mailbox_remove_files(st, e);
	if (!r) log_msg(LOG_NOTICE, "removed what was left of %s on partition %s", e->name, e->partition);
	namelock_release(st, &lock);
	buf_free(&name);
	return r;
}
