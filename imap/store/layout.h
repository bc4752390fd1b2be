/* layout.h - everything that differs between a store of 2.5 (through 3.4) and one of 3.6, behind one table of functions.
 *
 * Two implementations: layout_25.c and layout_36.c. Nobody else asks which release wrote the store. */
#ifndef CAMB_LAYOUT_H
#define CAMB_LAYOUT_H
#include "store/mbentry.h"
#include "store/store.h"

struct layout {
	enum conf_level level;

	/* New mailboxes: index version, cache number, form of cyrus.header (spec/mailbox.md 19). */
	uint32_t index_version, cache_version;
	bool list_header;
	uint32_t synccrc_annot_start;

	/* mailboxes.db ---------------------------------------------------------------------------------------- */
	const char *scan_prefix;              /* every record by name begins with it */
	char key_sep, domain_sep;             /* between the components of a key, and behind its domain */
	const char *racl_marker;              /* the key that says that reverse ACL rows are kept (racl.h); NULL: never */
	void (*key)(const struct namespace *ns, const struct mbname *n, struct buf *out);
	/* Decodes a record by name. 0; ERR_NOTFOUND: some other kind of key; ERR_BADFORMAT: damaged. */
	int (*decode)(const struct namespace *ns, const char *key, size_t keylen, const char *val, size_t vallen,
		struct mbentry *out);
	/* Writers run inside *txn and return a cyrusdb code. They set mtime to now, unless MBENTRY_KEEPTIME. */
	int (*put)(struct store *st, const struct mbentry *e, struct cyrusdb_txn **txn);           /* create or change */
	int (*bury)(struct store *st, const struct mbentry *e, struct cyrusdb_txn **txn);          /* gone for good */
	int (*move)(struct store *st, const struct mbentry *from, const struct mbentry *to, struct cyrusdb_txn **txn);
	/* The record by id, where the layout has one; else ERR_NOTFOUND. */
	int (*lookup_id)(struct store *st, const char *uniqueid, struct mbentry *out);

	/* names of files and locks ---------------------------------------------------------------------------- */
	/* Path of the user's SUFFIX file ("sub", "seen" ...). userid NULL: the shared one. */
	void (*user_file)(struct store *st, const char *userid, const char *suffix, struct buf *out);
	/* Directory of the mailbox below `root`. */
	void (*mailbox_dir)(struct store *st, const struct mbentry *e, const char *root, struct buf *out);
	void (*lock_name)(const struct mbentry *e, struct buf *out);
	bool user_lock;                       /* opening a mailbox takes the owner's namespace lock too */

	/* other tables ---------------------------------------------------------------------------------------- */
	/* Key of a subscription in userid's file, and back to the internal name (ERR_NOTFOUND: not a name). */
	void (*sub_key)(struct store *st, const char *userid, const struct mbname *n, struct buf *out);
	int (*sub_decode)(struct store *st, const char *userid, const char *key, size_t keylen, struct mbname *out);
	const char *sub_version_key, *sub_version;     /* NULL: none */
	/* First part of an annotation key for this mailbox. */
	void (*annot_scope)(const struct mbentry *e, struct buf *out);
	bool annot_owner_token, annot_modseq;
	/* A fresh unique id. Caller frees. */
	char *(*new_uniqueid)(void);
};

extern const struct layout layout_25, layout_36;

/* What mailboxes.db says: LEVEL_25, LEVEL_36, or LEVEL_AUTO for an empty one; ERR_BADFORMAT for a half-upgraded one, as far as a
 * few records show. ERR_IO. layout_prove() looks at all of them. */
int layout_detect(struct cyrusdb *mboxlist, enum conf_level *level);
int layout_prove(struct cyrusdb *mboxlist, enum conf_level *level);
#endif
