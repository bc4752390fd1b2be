/* mailbox.h - an open mailbox: its locks, its index, its cache, its changes (spec/mailbox.md 2, 9, 11, 12.3).
 *
 * An open mailbox holds the name lock (shared) for its whole life: nobody removes message files or replaces cyrus.index or
 * cyrus.cache meanwhile. The index lock is taken and released many times inside it. Changes are kept in memory and reach the disk
 * in mailbox_unlock() in the order of spec 9.3; a process that dies before leaves the mailbox as it was.
 * Opening a mailbox that this process has open returns the same object, counted. */
#ifndef CAMB_MAILBOX_H
#define CAMB_MAILBOX_H
#include "store/index_format.h"
#include "store/layout.h"
#include "store/mboxheader.h"
#include "store/namelock.h"
#include "store/quota.h"
#include "sys/map.h"

struct mailbox {
	struct mailbox *next;                 /* in st->mailboxes */
	struct store *st;
	int refs;
	struct mbentry entry;
	struct namelock *namelock, *userlock;
	int index_fd;
	enum lock_mode index_lock;
	int lock_depth;                       /* nested mailbox_lock() of the same or a weaker mode */
	struct map index_map;
	struct index_header h;                /* as of the last lock, with this lock session's changes */
	struct mboxheader hdr;                /* cyrus.header */
	uint64_t hdr_ino, hdr_mtime_ns;       /* which file hdr came from */
	uint32_t hdr_crc;

	int cache_fd;                         /* -1 until used */
	struct map cache_map;
	uint64_t cache_size;                  /* end of the file, appended records included */
	bool cache_checked, cache_ok;         /* generation looked at; and right */

	/* changes of this lock session */
	struct index_record *pending;         /* changed and appended records */
	size_t npending, pending_alloc;
	uint32_t *pending_at;                 /* recno - 1 -> index in pending + 1, 0 none; NULL while nothing changed */
	uint32_t pending_at_size;
	bool header_dirty, index_dirty, cache_dirty, modseq_bumped, changed, appended;
	uint64_t quota_before[QUOTA_RESOURCES];
	bool quota_noted;
	struct cyrusdb *annots;               /* cyrus.annotations, when open */
	struct cyrusdb_txn *annots_txn;
};

/* Opens with the name lock shared. The index is not locked yet. ERR_NOMAILBOX, ERR_MOVED, ERR_BADFORMAT, ERR_IO, ERR_LOCKED. */
int mailbox_open(struct store *st, const char *name, struct mailbox **out);
/* The header of the mailbox's index, without opening or locking anything. 0, or ERR_AGAIN: it says too little (an old version),
 * somebody is at work there, or something is wrong; open the mailbox. e: as just read from the list. */
int mailbox_peek(struct store *st, const struct mbentry *e, struct index_header *h);
/* With the name lock exclusive and not waiting longer than timeout_ms; ERR_LOCKED when others have it open. */
int mailbox_open_exclusive(struct store *st, const char *name, int timeout_ms, struct mailbox **out);
/* Unlocks (committing), then does what the cleanup bits ask for if nobody else has it open. NULL inside is allowed. */
void mailbox_close(struct mailbox **mb);

/* Takes the index lock and reads the header anew. LOCK_EXCLUSIVE is needed for any change. May be nested. */
int mailbox_lock(struct mailbox *mb, enum lock_mode mode);
/* Commits what changed (when this is the outermost unlock) and releases. An error means the commit failed and nothing of it
 * counts. */
int mailbox_unlock(struct mailbox *mb);
int mailbox_commit(struct mailbox *mb);           /* as in unlock, keeping the lock */
/* Marks the index on disk, now: its counters are about to be wrong. Whoever finds the mark under the lock counts anew; the next
 * commit of the index, which must follow, takes it away. Needs the exclusive lock. */
int mailbox_announce(struct mailbox *mb);
void mailbox_abort(struct mailbox *mb);           /* forgets all uncommitted changes */

/* ---- records; recno is 1-based and runs over all records, expunged ones too */
/* 0; ERR_CRC (*r filled), ERR_BADFORMAT beyond the end. */
int mailbox_record(struct mailbox *mb, uint32_t recno, struct index_record *r);
int mailbox_find(struct mailbox *mb, uint32_t uid, struct index_record *r);        /* ERR_NOTFOUND; binary search */
/* Appends: r->uid must be above last_uid, size and guid set; cache may be NULL to keep r's cache fields. Fills modseq and
 * dates. */
int mailbox_append_record(struct mailbox *mb, struct index_record *r, const void *cache, size_t cachelen);
/* Changes record r->recno (same uid and guid). silent: no new modseq. */
int mailbox_rewrite(struct mailbox *mb, struct index_record *r, bool silent);
uint64_t mailbox_next_modseq(struct mailbox *mb);
void mailbox_touch_index(struct mailbox *mb);     /* the header fields in mb->h changed */

/* Number of a user flag; create: makes it (header dirty). ERR_NOTFOUND, ERR_USERFLAGS, ERR_BADFLAG. trusted: may use 100..127. */
int mailbox_user_flag(struct mailbox *mb, const char *name, bool create, bool trusted, int *num);

/* ---- cache and message files (need only the name lock) */
/* The record's cache bytes, checked against its CRC; valid until the next call of this function or mailbox_unlock() on mb.
 * ERR_NOTFOUND: parse the message instead. */
int mailbox_cache(struct mailbox *mb, const struct index_record *r, const char **p, size_t *len);
int mailbox_message_path(struct mailbox *mb, const struct index_record *r, struct buf *out);
/* The whole message; small ones are read, large ones mapped. ERR_IO (logged with mailbox and uid) when it cannot be read. */
struct msgfile { const char *base; size_t len; struct map map; struct buf mem; };
int msgfile_open(struct mailbox *mb, const struct index_record *r, struct msgfile *f);
void msgfile_close(struct msgfile *f);

/* cache number for new records of this mailbox */
uint32_t mailbox_cache_version(const struct mailbox *mb);
bool index_internal_seen(const struct index_header *h, const struct mbentry *e, const char *userid, const struct namespace *ns);
bool mailbox_internal_seen(const struct mailbox *mb, const char *userid);     /* \Seen is in the records (spec 10.5) */

/* ---- whole mailboxes */
struct mailbox_create {
	const char *name, *partition;         /* internal name; partition NULL: chosen (spec 1.8) */
	const char *acl;
	const char *uniqueid;                 /* NULL: a fresh one */
	uint32_t uidvalidity;                 /* 0: a fresh one */
	uint32_t options;
	char type;                            /* 0: mail */
	uint32_t minor_version;               /* 0: the layout's */
	uint32_t marks;                       /* INDEX_UNFINISHED; 0: none */
	const char *specialuse, *specialuse_userid;      /* whose private annotation; NULL: none */
};
int mailbox_create(struct store *st, const struct mailbox_create *c);      /* directories, files, list entry */
/* Under another name, on another partition, or both. By id only records change; by name, and between partitions, a complete copy
 * is made first. Everything turns with the one transaction of the mailbox list: before it there is the old mailbox, after it the
 * new one, with its ACL; a death there leaves quota drift and files that nobody names, which the next attempt or mailbox_create()
 * clears away. */
struct mailbox_rename {
	const char *from, *to;                /* internal; equal: only the partition changes */
	const char *partition;                /* NULL: as it is */
	const char *acl;                      /* NULL: as it is */
	bool only_check;                      /* whether it could be done */
};
int mailbox_rename(struct store *st, const struct mailbox_rename *m);
/* The messages of `from`, with all that its index knows of them, become the new mailbox `to`; `from` stays and is empty. A death
 * between the two leaves them in both; the same call again then takes them out of `from`. ERR_NOMATCH: level 3.6 and there is
 * none; ERR_EXISTS. */
int mailbox_empty_into(struct store *st, const char *from, const char *to);
/* The index header as it is on disk now, read without a lock; the mailbox need not be in any list. ERR_AGAIN: it cannot be
 * read. */
int mailbox_index_header(struct store *st, const struct mbentry *e, struct index_header *h);
/* Marks of index_format.h that an interrupted operation left: 0 also when the index cannot be read. No lock is taken. */
uint32_t mailbox_marks(struct store *st, const struct mbentry *e);
int mailbox_clear_marks(struct store *st, const char *name, uint32_t marks);
int mailbox_delete(struct store *st, const char *name);                    /* for good: entry and files */
int mailbox_set_acl(struct store *st, const char *name, const char *acl);  /* list entry and header */
int mailbox_set_quotaroot(struct mailbox *mb, const char *root);           /* needs the exclusive index lock */
char *partition_choose(struct store *st, const struct mbname *n, const char *wanted);     /* NULL: none; caller frees */

/* Private to the mailbox_*.c files. */
int mailbox_repack(struct mailbox *mb);           /* needs exclusive name and index locks */
int mailbox_unlink_files(struct mailbox *mb);     /* the same */
int mailbox_remove_files(struct store *st, const struct mbentry *e);
int mailbox_make_dirs(struct store *st, const struct mbentry *e);          /* durably */
/* What an interrupted operation left where `e` is to be made. copied: unique id of the mailbox that is about to be copied there,
 * or NULL. */
bool mailbox_places_overlap(struct store *st, const struct mbentry *a, const struct mbentry *b);     /* they share a directory */
bool mailbox_is_leftover(struct store *st, const struct mbentry *e, const char *copied);
void mailbox_clear_leftovers(struct store *st, const struct mbentry *e, const char *copied);
/* The files of mb (index lock held exclusively) as those of `to`: complete, synced, in no list yet. bump: a new modseq. */
int mailbox_copy_files(struct mailbox *mb, const struct mbentry *to, const char *quotaroot, bool bump);
/* rows of the mailbox in the global annotations database */
void mailbox_annots_drop(struct store *st, const struct mbentry *e);
/* by name: their rows change with it */
bool mailbox_annots_move(struct store *st, const struct mbentry *from, const struct mbentry *to);
/* the owner's become the new owner's */
int mailbox_annots_copy(struct store *st, const struct mbentry *from, const struct mbentry *to);
int mailbox_empty_resume(struct store *st, const char *from, const char *to);     /* ERR_EXISTS: there is nothing to resume */
/* the entry of a mailbox to be; the caller frees */
int mailbox_plan(struct store *st, const struct mailbox_create *c, struct mbentry *e);
int mailbox_read_header_file(struct mailbox *mb);
int mailbox_cache_append(struct mailbox *mb, const void *p, size_t n, uint64_t *offset);
int mailbox_cache_sync(struct mailbox *mb);
void mailbox_cache_close(struct mailbox *mb);
void mailbox_annots_expunged(struct mailbox *mb, const struct index_record *r);
int mailbox_annots_unlinked(struct mailbox *mb, uint32_t uid);
/* Those of a message that is copied, as far as they are shared or the user's own; counted, and written with the target's commit.
 * ERR_QUOTA. */
int mailbox_annots_message(struct mailbox *from, uint32_t from_uid, struct mailbox *to, uint32_t uid, const char *userid);
/* Every row of a message's annotation that counts: its size and its share in synccrc_annot. Non-zero from fn stops. */
int mailbox_annots_each(struct mailbox *mb, int (*fn)(void *arg, uint32_t uid, size_t size, uint32_t crc), void *arg);
/* Bytes of the annotations of the mailbox itself, which count in quota_annot_used too. 0 or ERR_IO. */
int mailbox_annots_own(struct mailbox *mb, uint64_t *used);
int mailbox_annots_commit(struct mailbox *mb);
void mailbox_annots_abort(struct mailbox *mb);
/* reconstruct only: writes r as it stands at r->recno, whatever was there. No counter follows: they are counted anew
 * afterwards. */
void mailbox_repair_record(struct mailbox *mb, const struct index_record *r);
uint32_t synccrc_basic(const struct mailbox *mb, const struct index_record *r);
uint32_t synccrc_virtual(const struct mailbox *mb, const struct index_record *r);
#endif
