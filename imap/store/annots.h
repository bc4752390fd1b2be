/* annots.h - annotations of mailboxes and of the server, as far as they are rows of the database (spec/databases.md 8, mailbox.md
 * 8). Entry names are without "/shared" and "/private"; e NULL is the server. */
#ifndef CAMB_ANNOTS_H
#define CAMB_ANNOTS_H
#include "store/mbentry.h"
#include "store/store.h"

struct annots;                       /* an open look at the database, for one user; NULL: there is none */
struct annots *annots_open(struct store *st, const char *userid);
void annots_close(struct annots *a);
/* Appends the shared value, or the user's own. False: none. */
bool annots_get(struct annots *a, const struct mbentry *e, const char *entry, bool shared, struct buf *out);
/* All of them that are shared or the user's own, in the order of the database; non-zero from cb stops and is returned. */
typedef int annots_cb(void *arg, const char *entry, bool shared, const char *value, size_t len);
int annots_each(struct annots *a, const struct mbentry *e, annots_cb *cb, void *arg);

/* The user's own value for a mailbox that is just being made and in no list yet: nothing else is looked at or counted. 0 or
 * ERR_IO (logged). */
int annots_put(struct store *st, const char *userid, const struct mbentry *e, const char *entry, const char *value);

struct annots_change {
	const char *entry;
	bool shared;                     /* else the user's own */
	const char *value;               /* NULL or empty: none any more */
	size_t len;
};
/* what some annotations are instead of rows */
struct annots_options { uint32_t set, clear; const uint32_t *pop3_show_after; };
/* All or nothing; a value that is the same already changes nothing. With e the mailbox's quota is asked and its counters follow;
 * after a death in between they are counted anew when it is next locked. 0; ERR_QUOTA; ERR_NOMAILBOX; ERR_IO. options may be
 * NULL. */
int annots_set(struct store *st, const char *userid, const struct mbentry *e, const struct annots_change *v, size_t n,
	const struct annots_options *options);
#endif
