/* reconstruct.c - one mailbox: records against files, one walk over both (spec/mailbox.md 16.2). See reconstruct.h. */
#include "store/reconstruct.h"
#include "store/reconstruct_priv.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/cacherec.h"
#include "store/mboxlist.h"
#include "store/paths.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/sys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct found { uint32_t uid; int64_t mtime; };

struct work {
	const struct reconstruct *rc;
	struct mailbox *mb;
	const char *name;
	struct spool files;
	struct found *again;              /* files that need a new UID */
	size_t nagain, again_alloc;
	uint32_t last_uid;                /* highest UID of a record */
	bool rescued;                     /* the index lost records: files above those left are theirs */
};

void reconstruct_say(const struct reconstruct *rc, const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	va_list ap;
	if (!rc->say) return;
	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	rc->say(rc->arg, buf_cstr(&b));
	buf_free(&b);
}

bool reconstruct_fixing(const struct reconstruct *rc) { return !(rc->flags & RECONSTRUCT_REPORT); }

static void option(struct work *w, uint32_t bits)
{
	if (!reconstruct_fixing(w->rc) || (w->mb->h.options & bits) == bits) return;
	w->mb->h.options |= bits;
	mailbox_touch_index(w->mb);
}

/* Stores a changed record; loud changes get a new modseq, so that clients hear of them. */
static void put(struct work *w, struct index_record *r, bool loud)
{
	if (!reconstruct_fixing(w->rc)) return;
	if (loud) {
		r->modseq = mailbox_next_modseq(w->mb);
		r->last_updated = (int64_t)clock_now();
	}
	mailbox_repair_record(w->mb, r);
}

static void drop(struct work *w, struct index_record *r, uint32_t options)
{
	r->system_flags |= FLAG_EXPUNGED | FLAG_UNLINKED;
	put(w, r, true);
	option(w, options);
}

static void rediscover(struct work *w, const struct spool_file *f)
{
	MEM_GROW(w->again, w->again_alloc, w->nagain + 1);
	w->again[w->nagain++] = (struct found){ f->uid, f->mtime };
}

/* ------------------------------------------------------------------------------------------------ the header file */

static void check_header(struct work *w)
{
	struct mailbox *mb = w->mb;
	if (mb->h.minor_version >= 12 && mb->h.header_file_crc && mb->h.header_file_crc != mb->hdr_crc) {
		reconstruct_say(w->rc, "%s: header file CRC mismatch, correcting", w->name);
		if (reconstruct_fixing(w->rc)) {
			mb->h.header_file_crc = mb->hdr_crc;
			mailbox_touch_index(mb);
		}
	}
	for (int i = 0; i < USER_FLAGS; i++) {
		if (!mb->hdr.flagname[i] || mboxheader_flag_ok(mb->hdr.flagname[i])) continue;
		reconstruct_say(w->rc, "%s: bogus flag name %d:%s", w->name, i, mb->hdr.flagname[i]);
		if (!reconstruct_fixing(w->rc)) continue;
		free(mb->hdr.flagname[i]);
		mb->hdr.flagname[i] = NULL;
		mb->header_dirty = true;
		mailbox_touch_index(mb);
	}
	if (mb->entry.uniqueid && (!mb->hdr.uniqueid || strcmp(mb->hdr.uniqueid, mb->entry.uniqueid))) {
		reconstruct_say(w->rc, "%s: update uniqueid from mailbox list %s => %s", w->name,
			mb->hdr.uniqueid ? mb->hdr.uniqueid : "(null)", mb->entry.uniqueid);
		if (!reconstruct_fixing(w->rc)) return;
		free(mb->hdr.uniqueid);
		mb->hdr.uniqueid = mem_strdup(mb->entry.uniqueid);
		mb->header_dirty = true;
		mailbox_touch_index(mb);
	}
}

/* The list is what the servers obey; the header's copy is used where the list has none. */
static int check_acl(struct work *w)
{
	struct mailbox *mb = w->mb;
	const char *mine = mb->hdr.acl ? mb->hdr.acl : "";
	if (*mb->entry.acl || !*mine) return 0;
	reconstruct_say(w->rc, "%s: update acl from header %s => %s", w->name, mb->entry.acl, mine);
	if (!reconstruct_fixing(w->rc)) return 0;
	mbentry_set_acl(&mb->entry, mine);
	return mboxlist_put(mb->st, &mb->entry);
}

static bool header_values(struct work *w)
{
	struct index_header *h = &w->mb->h;
	bool changed = false;
	if (!h->uidvalidity) {
		h->uidvalidity = w->mb->entry.uidvalidity ? w->mb->entry.uidvalidity : (uint32_t)clock_now();
		changed = true;
	}
	if (changed && reconstruct_fixing(w->rc)) mailbox_touch_index(w->mb);
	return changed;
}

/* ------------------------------------------------------------------------------------------------ one record */

struct parsed { struct message_info info; struct buf cache; uint32_t number; };

static int parse(struct work *w, const struct index_record *r, struct parsed *p)
{
	struct msgfile f;
	*p = (struct parsed){ .number = mailbox_cache_version(w->mb) };
	struct cacherec_options o = cacherec_defaults(p->number);
	int e = msgfile_open(w->mb, r, &f);
	if (e) return e;
	e = cacherec_build(&o, f.base, f.len, (time_t)r->internaldate, &p->cache, &p->info);
	msgfile_close(&f);
	return e;
}

static bool no_guid(const uint8_t g[20])
{
	static const uint8_t none[20];
	return !memcmp(g, none, sizeof none);
}

/* The file is not the message that was recorded. */
static void other_message(struct work *w, struct index_record *r, const struct spool_file *f)
{
	bool reuid = w->rc->flags & RECONSTRUCT_REUID, gone = r->system_flags & FLAG_EXPUNGED;
	reconstruct_say(w->rc, "%s uid %u guid mismatch", w->name, r->uid);
	if (gone) {
		reconstruct_say(w->rc, "%s uid %u already expunged, unlinking", w->name, r->uid);
	} else if (reuid) {
		reconstruct_say(w->rc, "%s uid %u marking for uid upgrade", w->name, r->uid);
		rediscover(w, f);
	} else if (w->rc->flags & RECONSTRUCT_UNLINK) {
		reconstruct_say(w->rc, "%s uid %u unlinking as requested with -U", w->name, r->uid);
	} else {
		reconstruct_say(w->rc, "run reconstruct with -R to fix or -U to remove");
		return;
	}
	drop(w, r, MBOXOPT_NEEDS_UNLINK);
}

/* Takes over what the file says; tells each field that differed. */
static bool take_fields(struct work *w, struct index_record *r, const struct message_info *i)
{
	const struct { const char *name; uint64_t was, now; bool here; } fields[] = {
		{ "sentdate", (uint64_t)r->sentdate, i->sentdate, true }, { "size", r->size, i->size, true },
		{ "header_size", r->header_size, i->header_size, true },
		/* of a Date without zone 2.5 made either this or the internal date */
		{ "gmtime", (uint64_t)r->gmtime, i->gmtime, w->mb->h.minor_version >= 12 && r->gmtime != r->internaldate },
		{ "content_lines", r->content_lines, i->content_lines, mailbox_cache_version(w->mb) == CACHE_NUMBER_25 },
		{ "guid", no_guid(r->guid), 0, w->mb->h.minor_version >= 10 },
	};
	bool any = false;
	for (size_t n = 0; n < sizeof fields / sizeof *fields; n++) {
		if (!fields[n].here || fields[n].was == fields[n].now) continue;
		reconstruct_say(w->rc, "%s uid %u mismatch: %s", w->name, r->uid, fields[n].name);
		any = true;
	}
	if (!any) return false;
	r->sentdate = i->sentdate;
	r->size = i->size;
	r->header_size = i->header_size;
	r->gmtime = i->gmtime;
	r->content_lines = i->content_lines;
	memcpy(r->guid, i->guid, sizeof r->guid);
	return true;
}

/* Is the record's cache what parsing gives? Numbers that we do not write are left as they are. */
static bool cache_right(struct work *w, const struct index_record *r, const struct parsed *p)
{
	const char *s;
	size_t n;
	if (mailbox_cache(w->mb, r, &s, &n)) return false;
	return r->cache_version != p->number || (n == p->cache.len && !memcmp(s, p->cache.s, n));
}

static int renew_cache(struct work *w, struct index_record *r, const struct parsed *p)
{
	if (!reconstruct_fixing(w->rc)) return 0;
	uint64_t was = r->cache_offset;
	uint32_t crc = r->cache_crc;
	int e = mailbox_cache_append(w->mb, p->cache.s, p->cache.len, &r->cache_offset);
	if (e) return e;
	r->cache_crc = p->info.cache_crc;
	r->cache_version = p->number;
	option(w, MBOXOPT_NEEDS_REPACK);
	reconstruct_say(w->rc, "%s rewrote cache for %u (offset %llu to %llu, crc %08x/%08x)", w->name, r->uid,
		(unsigned long long)was, (unsigned long long)r->cache_offset, crc, r->cache_crc);
	return 0;
}

static bool drop_unnamed_flags(struct work *w, struct index_record *r)
{
	bool any = false;
	for (int i = 0; i < USER_FLAGS; i++) {
		uint32_t bit = 1u << (i % 32);
		if (!(r->user_flags[i / 32] & bit) || w->mb->hdr.flagname[i]) continue;
		r->user_flags[i / 32] &= ~bit;
		any = true;
	}
	if (any) reconstruct_say(w->rc, "%s uid %u mismatch: userflags", w->name, r->uid);
	return any;
}

static int compare(struct work *w, struct index_record *r, const struct spool_file *f)
{
	bool nostat = w->rc->flags & RECONSTRUCT_NOSTAT, changed = false, silent = false;
	const char *s;
	size_t n;
	if (r->system_flags & FLAG_UNLINKED) return 0;
	if (!nostat && (!f || !f->size)) {
		reconstruct_say(w->rc, "%s uid %u not found", w->name, r->uid);
		drop(w, r, MBOXOPT_NEEDS_REPACK);
		return 0;
	}
	if (!r->internaldate && f) {
		reconstruct_say(w->rc, "%s uid %u mismatch: internaldate", w->name, r->uid);
		r->internaldate = f->mtime;
		changed = true;
	}
	bool suspect = changed || (!nostat && f->size != r->size) || mailbox_cache(w->mb, r, &s, &n)
		|| w->rc->flags & RECONSTRUCT_PARSE;
	if (suspect && f) {
		struct parsed p;
		int e = parse(w, r, &p);
		if (e) {
			buf_free(&p.cache);
			if (e != ERR_EMPTYMESSAGE && e != ERR_TOOBIG) return e;
			reconstruct_say(w->rc, "%s uid %u failed to parse", w->name, r->uid);
			drop(w, r, MBOXOPT_NEEDS_UNLINK);
			return 0;
		}
		if (w->mb->h.minor_version >= 10 && !no_guid(r->guid) && memcmp(r->guid, p.info.guid, sizeof r->guid)) {
			buf_free(&p.cache);
			other_message(w, r, f);
			return 0;
		}
		changed |= take_fields(w, r, &p.info);
		if (!cache_right(w, r, &p)) silent = true, e = renew_cache(w, r, &p);
		buf_free(&p.cache);
		if (e) return e;
	}
	changed |= drop_unnamed_flags(w, r);
	if (changed || silent) put(w, r, changed);
	return 0;
}

static void future(struct work *w, const struct index_record *r)
{
	struct index_header *h = &w->mb->h;
	if (r->modseq > h->highestmodseq) {
		reconstruct_say(w->rc, "%s uid %u future modseq %llu found", w->name, r->uid, (unsigned long long)r->modseq);
		if (reconstruct_fixing(w->rc)) h->highestmodseq = r->modseq, mailbox_touch_index(w->mb);
	}
	if (r->uid > h->last_uid) {
		reconstruct_say(w->rc, "%s future uid %u found", w->name, r->uid);
		if (reconstruct_fixing(w->rc)) h->last_uid = r->uid, mailbox_touch_index(w->mb);
	}
}

static void wipe(struct work *w, uint32_t recno, uint32_t maybe)
{
	struct index_record gone = { .recno = recno, .system_flags = FLAG_EXPUNGED | FLAG_UNLINKED };
	reconstruct_say(w->rc, "%s: record corrupted %u (maybe uid %u)", w->name, recno, maybe);
	put(w, &gone, false);
	option(w, MBOXOPT_NEEDS_REPACK);
}

/* ------------------------------------------------------------------------------------------------ both, in step */

static int walk_records(struct work *w, size_t *next)
{
	struct index_record r;
	uint32_t records = w->mb->h.num_records, last = 0;
	int e = 0;
	for (uint32_t n = 1; n <= records && !e; n++) {
		e = mailbox_record(w->mb, n, &r);
		if (e && e != ERR_CRC) return e;
		if (!e && !r.uid) continue;
		if (e == ERR_CRC || r.uid <= last) {
			wipe(w, n, r.uid);
			e = 0;
			continue;
		}
		last = r.uid;
		while (*next < w->files.n && w->files.v[*next].uid < r.uid) rediscover(w, &w->files.v[(*next)++]);
		const struct spool_file *f = NULL;
		if (*next < w->files.n && w->files.v[*next].uid == r.uid) f = &w->files.v[(*next)++];
		future(w, &r);
		if (r.uid > w->last_uid) w->last_uid = r.uid;
		e = compare(w, &r, f);
	}
	return e;
}

/* A new record for the file that is under this UID now. */
static int append(struct work *w, uint32_t uid, int64_t mtime)
{
	struct index_record r = { .uid = uid, .internaldate = mtime };
	struct parsed p;
	int e = parse(w, &r, &p);
	if (e == ERR_EMPTYMESSAGE || e == ERR_TOOBIG) {
		reconstruct_say(w->rc, "%s uid %u failed to parse", w->name, uid);
		buf_free(&p.cache);
		return 0;
	}
	if (!e) {
		r.size = p.info.size;
		r.header_size = p.info.header_size;
		r.content_lines = p.info.content_lines;
		r.gmtime = p.info.gmtime;
		r.sentdate = p.info.sentdate;
		r.cache_crc = p.info.cache_crc;
		r.cache_version = p.number;
		memcpy(r.guid, p.info.guid, sizeof r.guid);
		e = mailbox_append_record(w->mb, &r, p.cache.s, p.cache.len);
	}
	buf_free(&p.cache);
	return e;
}

static int append_as(struct work *w, const struct found *f)
{
	struct buf from = BUF_INIT, to = BUF_INIT;
	uint32_t uid = w->mb->h.last_uid + 1;
	struct stat sb;
	if (w->mb->h.last_uid >= UINT32_MAX - 1) return ERR_LIMIT;
	int e = path_message(w->mb->st, &w->mb->entry, f->uid, &from);
	if (!e) e = path_message(w->mb->st, &w->mb->entry, uid, &to);
	if (!e && lstat(buf_cstr(&to), &sb) == 0) e = ERR_EXISTS;
	if (!e && (sys_rename(buf_cstr(&from), buf_cstr(&to)) < 0 || file_sync_parent(buf_cstr(&to)) < 0)) {
		log_msg(LOG_ERR, "IOERROR: mailbox %s: cannot rename %s to %s: %m", w->name, buf_cstr(&from), buf_cstr(&to));
		e = err_from_errno(errno);
	}
	buf_free(&from);
	buf_free(&to);
	return e ? e : append(w, uid, f->mtime);
}

static int add_files(struct work *w, size_t next)
{
	bool fix = reconstruct_fixing(w->rc);
	uint32_t used = w->mb->h.last_uid;
	int e = 0;
	if (w->rescued) w->mb->h.last_uid = w->last_uid;      /* for as long as they get their old UIDs back */
	for (; next < w->files.n && !e; next++) {
		const struct spool_file *f = &w->files.v[next];
		if (f->uid <= w->mb->h.last_uid) {
			rediscover(w, f);
			continue;
		}
		reconstruct_say(w->rc, "%s uid %u found - adding", w->name, f->uid);
		if (fix) e = append(w, f->uid, f->mtime);
	}
	if (w->mb->h.last_uid < used) w->mb->h.last_uid = used;
	for (size_t i = 0; i < w->nagain && !e; i++) {
		reconstruct_say(w->rc, "%s uid %u rediscovered - appending", w->name, w->again[i].uid);
		if (fix) e = append_as(w, &w->again[i]);
	}
	return e;
}

/* ------------------------------------------------------------------------------------------------ the cache file */

static void check_cache_file(struct work *w)
{
	struct buf path = BUF_INIT;
	struct stat sb;
	bool missing = !path_mailbox(w->mb->st, &w->mb->entry, META_CACHE, "cyrus.cache", &path) && lstat(buf_cstr(&path), &sb) < 0;
	if (missing && (w->mb->h.num_records || w->mb->st->layout->level == LEVEL_25))
		reconstruct_say(w->rc, "%s: missing cache file, recreating", w->name);
	buf_free(&path);
}

/* ------------------------------------------------------------------------------------------------ all of it */

static int work_through(struct work *w)
{
	size_t next = 0;
	check_header(w);
	int e = check_acl(w);
	header_values(w);
	check_cache_file(w);
	if (!e) e = reconstruct_read_spool(w->rc, &w->mb->entry, &w->files);
	if (!e) e = walk_records(w, &next);
	if (!e) e = add_files(w, next);
	if (!e) e = reconstruct_recount(w->rc, w->mb);
	return e;
}

static int with_mailbox(const struct reconstruct *rc, struct mailbox *mb, bool rescued)
{
	struct work w = { .rc = rc, .mb = mb, .name = mb->entry.name, .rescued = rescued };
	int e = work_through(&w);
	if (!e && reconstruct_fixing(rc)) e = mailbox_commit(mb);
	else mailbox_abort(mb);
	free(w.files.v);
	free(w.again);
	return e;
}

static int open_locked(struct store *st, const char *name, struct mailbox **mb)
{
	int e = mailbox_open(st, name, mb);
	if (e) return e;
	e = mailbox_lock(*mb, LOCK_EXCLUSIVE);
	if (e) {
		(*mb)->h.options = 0;                 /* of a header that could not be read: nothing to clean up */
		mailbox_close(mb);
	}
	return e;
}

/* What cannot be opened is made openable first; nobody else may have it meanwhile. */
static int rescue_and_open(const struct reconstruct *rc, const char *name, struct namelock **lock, struct mailbox **mb)
{
	struct mbentry e;
	struct buf lockname = BUF_INIT;
	int r = mboxlist_lookup(rc->st, name, &e);
	if (r) return r;
	rc->st->layout->lock_name(&e, &lockname);
	r = namelock_take(rc->st, buf_cstr(&lockname), LOCK_EXCLUSIVE, LOCK_DEFAULT, lock);
	if (!r) r = reconstruct_rescue(rc, &e);
	if (!r) r = reconstruct_fixing(rc) ? open_locked(rc->st, name, mb) : ERR_BADFORMAT;
	buf_free(&lockname);
	mbentry_free(&e);
	return r;
}

int reconstruct_mailbox(const struct reconstruct *rc, const char *name)
{
	struct mailbox *mb = NULL;
	struct namelock *lock = NULL;
	int e = open_locked(rc->st, name, &mb);
	if (e == ERR_IO || e == ERR_BADFORMAT) e = rescue_and_open(rc, name, &lock, &mb);
	if (!e) {
		e = with_mailbox(rc, mb, lock != NULL);
		if (!reconstruct_fixing(rc)) mb->h.options &= ~(uint32_t)(MBOXOPT_DELETED | MBOXOPT_NEEDS_REPACK | MBOXOPT_NEEDS_UNLINK);
		int u = mailbox_unlock(mb);
		if (!e) e = u;
		mailbox_close(&mb);
	}
	namelock_release(rc->st, &lock);
	return e;
}
