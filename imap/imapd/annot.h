/* annot.h - annotations of mailboxes and of the server for GETMETADATA, SETMETADATA (RFC 5464), GETANNOTATION, SETANNOTATION (the
 * draft's form), and LIST: which entries there are (annot_entries.c, annot_defs.c), reading (annot_fetch.c) and setting them
 * (annot_set.c). spec/imap.md 9. */
#ifndef CAMB_IMAPD_ANNOT_H
#define CAMB_IMAPD_ANNOT_H
#include "base/ptrarray.h"
#include "base/strarray.h"
#include "imapd/session.h"
#include "store/annots.h"
#include "store/mbentry.h"

enum { ANNOT_ENTRIES = 1024 };                         /* most in one command */
#define ANNOT_VENDOR "/vendor/cmu/cyrus-imapd"

/* What an entry's value must look like when it is set; ANNOT_READONLY: nobody sets it. */
enum annot_type { ANNOT_READONLY, ANNOT_STRING, ANNOT_BOOL, ANNOT_UINT, ANNOT_INT, ANNOT_UINT64, ANNOT_OPTION, ANNOT_DATE,
	ANNOT_USE, ANNOT_FILE };

struct annot_source;                                   /* what a computed value is taken from */
struct annot_entry {
	const char *name;
	bool only36, only_shared, only_private;
	enum annot_type type;
	bool set_private, no_shared;                   /* may be set for oneself; the shared one not at all */
	uint32_t needs;                                /* rights that setting the shared one takes besides */
	/* NULL: it is a row of the database. False: none. */
	bool (*compute)(struct annot_source *src, const struct annot_entry *e, struct buf *out);
	uint32_t bit;                                  /* ANNOT_OPTION: of the index */
	bool lookup_is_enough;                         /* who may look the mailbox up may read it */
};
const struct annot_entry *annot_entries(bool server, size_t *n);      /* in the order of spec/imap.md 9, reversed in answers */
/* Those of annotation_definitions (annot_defs.c), read when first asked for in a session; they stand behind the table. */
const struct annot_entry *annot_defined(struct session *s, bool server, size_t *n);
const struct annot_entry *annot_entry(struct session *s, bool server, const char *name);      /* NULL: not known */

struct annot_source {
	struct session *s;
	const struct mbentry *e;                       /* NULL: the server */
	struct mailbox *mb;                            /* open and locked as soon as it was asked for; else NULL */
	bool tried;
};
struct mailbox *annot_source_mailbox(struct annot_source *src);      /* NULL: it cannot be opened */
void annot_source_close(struct annot_source *src);
/* First line of CONFDIR/msg/NAME. False: there is none. */
bool annot_file(const struct session *s, const char *entry, struct buf *out);

/* ---- reading */
struct annot_pattern { const char *text; struct glob *glob; };
struct annot_query {
	struct session *s;
	bool shared, priv;                             /* which values are wanted, of all entries */
	uint64_t maxsize;                              /* longer values are left out; UINT64_MAX: none */
	uint64_t longest;                              /* out: of those; 0: none was */
	struct strarray names;                         /* entries as asked, each once */
	struct ptrarray patterns;                      /* of struct annot_pattern */
	/* value NULL: NIL. */
	void (*tell)(void *arg, const char *entry, bool shared, const char *value, size_t len);
	void *arg;
};
void annot_query_add(struct annot_query *q, const char *name);       /* lower case; with a wildcard it is a pattern */
void annot_query_below(struct annot_query *q, const char *name, bool all);      /* what is directly, or anywhere, below it too */
void annot_query_free(struct annot_query *q);
/* Tells what there is at e (NULL: the server), in the order of the reference. rights: the user's; too few tell nothing. annots:
 * opened for him. */
int annot_fetch(struct annot_query *q, struct annots *annots, const struct mbentry *e, uint32_t rights);

/* Calls cb for each mailbox that the name (with wildcards: pattern) from the client means and that he may see, his own ones
 * first; for "" with e NULL. ERR_NOMAILBOX: there is no such one. */
typedef int annot_mailbox_cb(void *arg, const struct mbentry *e, const char *ext, uint32_t rights);
int annot_mailboxes(struct session *s, const char *name, annot_mailbox_cb *cb, void *arg);

/* A METADATA line, or in 2.5's form several, on the stream: metadata_put() is for annot_query.tell. */
struct metadata_line { struct session *s; const char *ext; char *entry; };
void metadata_begin(struct metadata_line *l, struct session *s, const char *ext);
void metadata_put(void *arg, const char *entry, bool shared, const char *value, size_t len);
void metadata_end(struct metadata_line *l);

/* ---- setting: all of them or none, for one mailbox after the other */
struct annot_set {
	struct session *s;
	struct annots_change *v;
	size_t n, alloc;
};
void annot_set_add(struct annot_set *set, const char *entry, bool shared, const char *value, size_t len);
int annot_set_run(struct annot_set *set, const char *mailbox);
bool annot_args_value(struct args *a, char **value, size_t *len);    /* nstring or literal8; NIL: NULL */
#endif
