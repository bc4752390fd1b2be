/* reconstruct_priv.h - between the reconstruct*.c files. */
#ifndef CAMB_RECONSTRUCT_PRIV_H
#define CAMB_RECONSTRUCT_PRIV_H
#include "store/mailbox.h"
#include "store/reconstruct.h"

struct spool_file { uint32_t uid; int64_t mtime; uint64_t size; };
struct spool { struct spool_file *v; size_t n, alloc; };      /* the N. files of a directory, ascending */

void reconstruct_say(const struct reconstruct *rc, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool reconstruct_fixing(const struct reconstruct *rc);
/* The message files; odd ones are told or removed. 0 or ERR_IO. */
int reconstruct_read_spool(const struct reconstruct *rc, const struct mbentry *e, struct spool *out);
/* Writes a header or an index that can be opened. Needs the exclusive name lock. */
int reconstruct_rescue(const struct reconstruct *rc, const struct mbentry *e);
/* Counts everything anew; tells and corrects what differs. */
int reconstruct_recount(const struct reconstruct *rc, struct mailbox *mb);
/* Of a directory that is no listed mailbox's place. owner: the listed mailbox with its unique id, or NULL. */
bool reconstruct_is_leftover(struct store *st, const struct mbentry *e, const char *owner);
int reconstruct_remove_leftover(struct store *st, const struct mbentry *e);      /* ERR_LOCKED: somebody is at it */
/* -x: ACL, UIDVALIDITY and, in a directory by name, unique id as of a new mailbox; and header, index and cache removed. */
void reconstruct_anew(struct store *st, struct mbentry *e);
void reconstruct_remove_meta(struct store *st, const struct mbentry *e);
#endif
