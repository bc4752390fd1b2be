/* append.c - see append.h. */
#include "store/append.h"
#include "store/append_priv.h"
#include "base/err.h"
#include "base/log.h"
#include "store/paths.h"
#include "store/seen.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/sys.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

/* mailbox_maxmessages_email: as good as a quota, whether or not quotas are looked at. */
static int check_room(const struct mailbox *mb, int64_t messages)
{
	long most = conf_int(mb->st->conf, OPT_MAILBOX_MAXMESSAGES_EMAIL);
	return most > 0 && mb->entry.type == 'e' && messages > 0 && mb->h.exists + messages > most ? ERR_QUOTA : 0;
}

int append_begin(struct store *st, const char *name, const char *userid, uint32_t rights, int64_t bytes, int64_t messages,
	struct append *a)
{
	*a = (struct append){ .userid = userid, .rights = rights, .seen = SEQSET_INIT };
	int r = mailbox_open(st, name, &a->mb);
	if (!r) r = mailbox_lock(a->mb, LOCK_EXCLUSIVE);
	if (!r && (r = check_room(a->mb, messages))) mailbox_unlock(a->mb);
	if (!r && bytes >= 0) {
		int64_t diff[QUOTA_RESOURCES] = { [QUOTA_STORAGE] = bytes, [QUOTA_MESSAGE] = messages };
		r = quota_check(st, a->mb->hdr.quotaroot, diff, NULL);
		if (r) mailbox_unlock(a->mb);
	}
	if (r) mailbox_close(&a->mb);
	else a->first_uid = a->mb->h.last_uid + 1;
	return r;
}

/* ------------------------------------------------------------------------------------------------ files */

/* Makes `to` another name of `from`, or a copy of it. A file left by a crash under that name is in nobody's index. */
static int place(struct append *a, const char *from, const char *to)
{
	bool link = conf_bool(a->mb->st->conf, OPT_SINGLEINSTANCESTORE);
	a->linked = true;
	if (link) {
		if (sys_link(from, to) == 0) return 0;
		if (errno == EEXIST && sys_unlink(to) == 0 && sys_link(from, to) == 0) return 0;
		if (errno == ENOSPC || errno == EDQUOT) return ERR_NOSPACE;
	}
	sys_unlink(to);
	if (file_copy(from, to, 0666) == 0) return 0;
	int r = err_from_errno(errno);
	log_msg(LOG_ERR, "IOERROR: mailbox %s: cannot copy %s to %s: %m", a->mb->entry.name, from, to);
	return r;
}

static int message_path(struct append *a, uint32_t uid, struct buf *out)
{
	return path_message(a->mb->st, &a->mb->entry, uid, out);
}

/* ------------------------------------------------------------------------------------------------ flags */

static const struct { const char *name; uint32_t flag, right; } system_flags[] = {
	{ "\\Seen", FLAG_SEEN, ACL_SEEN }, { "\\Answered", FLAG_ANSWERED, ACL_WRITE }, { "\\Flagged", FLAG_FLAGGED, ACL_WRITE },
	{ "\\Draft", FLAG_DRAFT, ACL_WRITE }, { "\\Deleted", FLAG_DELETED, ACL_DELETEMSG },
};

static void set_seen(struct append *a, struct index_record *r)
{
	if (mailbox_internal_seen(a->mb, a->userid)) r->system_flags |= FLAG_SEEN;
	else if (a->userid) seqset_add(&a->seen, r->uid, r->uid);
}

static int set_flag(struct append *a, struct index_record *r, const char *name)
{
	for (size_t i = 0; i < sizeof system_flags / sizeof *system_flags; i++) {
		if (strcasecmp(system_flags[i].name, name)) continue;
		if (!(a->rights & system_flags[i].right)) return 0;
		if (system_flags[i].flag == FLAG_SEEN) set_seen(a, r);
		else r->system_flags |= system_flags[i].flag;
		return 0;
	}
	int n;
	if (*name == '\\' || !(a->rights & ACL_WRITE)) return 0;
	int e = mailbox_user_flag(a->mb, name, true, false, &n);
	if (!e) r->user_flags[n / 32] |= 1u << (n % 32);
	return e;
}

/* ------------------------------------------------------------------------------------------------ messages */

int append_message(struct append *a, struct stage *s, time_t internaldate, const struct strarray *flags, uint32_t *uid)
{
	struct buf path = BUF_INIT;
	const struct buf *cache;
	const struct message_info *info;
	struct mailbox *mb = a->mb;
	struct index_record r = { .uid = mb->h.last_uid + 1, .cache_version = mailbox_cache_version(mb) };
	if (mb->h.last_uid == UINT32_MAX) return ERR_LIMIT;
	r.internaldate = internaldate ? internaldate : s->date ? s->date : clock_now();
	int e = stage_parse(s, r.cache_version, &cache, &info);
	if (!e) {
		r.size = info->size;
		r.header_size = info->header_size;
		r.gmtime = info->gmtime;
		r.sentdate = info->sentdate;
		r.content_lines = info->content_lines;
		r.cache_crc = info->cache_crc;
		memcpy(r.guid, info->guid, sizeof r.guid);
		for (size_t i = 0; flags && i < flags->n && !e; i++) e = set_flag(a, &r, flags->v[i]);
	}
	if (!e) e = message_path(a, r.uid, &path);
	if (!e) {
		const char *from = stage_on(s, mb->entry.partition, &e);
		if (from) e = place(a, from, buf_cstr(&path));
	}
	if (!e) e = mailbox_append_record(mb, &r, cache->s, cache->len);
	if (e && path.len) sys_unlink(buf_cstr(&path));
	buf_free(&path);
	if (e) return e;
	a->count++;
	if (uid) *uid = r.uid;
	return 0;
}

static int copy_user_flags(struct append *a, struct mailbox *from, const struct index_record *rec, struct index_record *r)
{
	memset(r->user_flags, 0, sizeof r->user_flags);
	for (int i = 0; i < USER_FLAGS; i++) {
		int n;
		if (!(rec->user_flags[i / 32] & 1u << (i % 32)) || !from->hdr.flagname[i]) continue;
		int e = mailbox_user_flag(a->mb, from->hdr.flagname[i], true, false, &n);
		if (e) return e;
		r->user_flags[n / 32] |= 1u << (n % 32);
	}
	return 0;
}

/* The cache record is copied as it is when the target may hold its format, else the message is parsed again. */
static int copied_cache(struct append *a, struct mailbox *from, const struct index_record *rec, struct index_record *r,
	struct buf *out)
{
	const char *p;
	size_t n;
	uint32_t wanted = mailbox_cache_version(a->mb);
	bool fits = wanted == CACHE_NUMBER_25 ? rec->cache_version <= 3 : rec->cache_version >= 9 || rec->cache_version <= 3;
	if (fits && !mailbox_cache(from, rec, &p, &n)) {
		buf_append(out, p, n);
		if (!rec->cache_crc) r->cache_crc = cacherec_crc(p, n);
		return 0;
	}
	struct msgfile f;
	struct message_info info;
	struct cacherec_options o = cacherec_defaults(wanted);
	int e = msgfile_open(from, rec, &f);
	if (e) return e;
	e = cacherec_build(&o, f.base, f.len, (time_t)rec->internaldate, out, &info);
	msgfile_close(&f);
	r->cache_version = wanted;
	r->cache_crc = info.cache_crc;
	r->gmtime = info.gmtime;
	return e;
}

int append_copy(struct append *a, struct mailbox *from, const struct index_record *rec, bool seen, uint32_t *uid)
{
	struct buf src = BUF_INIT, dst = BUF_INIT, cache = BUF_INIT;
	struct mailbox *mb = a->mb;
	struct index_record r = *rec;
	if (mb->h.last_uid == UINT32_MAX) return ERR_LIMIT;
	r.uid = mb->h.last_uid + 1;
	r.system_flags = 0;
	r.savedate = 0;
	r.cid = rec->cid && mbname_owned_by(&mb->entry.parts, a->userid, &mb->st->ns)
		&& mb->st->layout->level == LEVEL_36 ? rec->cid : 0;
	memset(r.user_flags, 0, sizeof r.user_flags);
	if (a->rights & ACL_DELETEMSG) r.system_flags |= rec->system_flags & FLAG_DELETED;
	int e = 0;
	if (a->rights & ACL_WRITE) {
		r.system_flags |= rec->system_flags & (FLAG_ANSWERED | FLAG_FLAGGED | FLAG_DRAFT);
		e = copy_user_flags(a, from, rec, &r);
	}
	if (seen && a->rights & ACL_SEEN) set_seen(a, &r);
	if (!e) e = copied_cache(a, from, rec, &r, &cache);
	if (!e) e = mailbox_message_path(from, rec, &src);
	if (!e) e = message_path(a, r.uid, &dst);
	if (!e) e = place(a, buf_cstr(&src), buf_cstr(&dst));
	if (!e) {
		e = mailbox_append_record(mb, &r, cache.s, cache.len);
		if (!e) e = mailbox_annots_message(from, rec->uid, mb, r.uid, a->userid);
		if (e) sys_unlink(buf_cstr(&dst));
	}
	buf_free(&src);
	buf_free(&dst);
	buf_free(&cache);
	if (e) return e;
	a->count++;
	if (uid) *uid = r.uid;
	return 0;
}

/* ------------------------------------------------------------------------------------------------ the end */

static bool mark_seen(void *arg, struct seen *s)
{
	struct append *a = arg;
	for (size_t i = 0; i < a->seen.n; i++) seqset_add(&s->uids, a->seen.v[i].low, a->seen.v[i].high);
	s->lastchange = clock_now();
	return true;
}

static void unlink_files(struct append *a)
{
	struct buf path = BUF_INIT;
	for (uint32_t i = 0; i < a->count; i++) {
		buf_reset(&path);
		if (!message_path(a, a->first_uid + i, &path)) sys_unlink(buf_cstr(&path));
	}
	buf_free(&path);
}

static int sync_directory(struct append *a)
{
	struct buf path = BUF_INIT;
	int e = a->linked ? message_path(a, a->first_uid, &path) : 0;
	if (!e && a->linked && file_sync_parent(buf_cstr(&path)) < 0) e = err_from_errno(errno);
	buf_free(&path);
	return e;
}

int append_commit(struct append *a)
{
	struct mailbox *mb = a->mb;
	if (a->count) {
		mb->h.last_appenddate = (uint32_t)clock_now();
		mailbox_touch_index(mb);
	}
	int e = sync_directory(a);
	if (!e) e = mailbox_commit(mb);
	if (e) {
		append_abort(a);
		return e;
	}
	mailbox_unlock(mb);
	if (a->seen.n) seen_update(mb->st, a->userid, mb->entry.uniqueid, mark_seen, a);
	seqset_free(&a->seen);
	mailbox_close(&a->mb);
	return 0;
}

void append_abort(struct append *a)
{
	if (!a->mb) return;
	mailbox_abort(a->mb);
	/* a header that reached the file although its sync failed already counts the messages: then they must stay */
	if (a->mb->h.last_uid < a->first_uid) unlink_files(a);
	mailbox_unlock(a->mb);
	seqset_free(&a->seen);
	mailbox_close(&a->mb);
}
