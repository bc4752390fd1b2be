/* spool_walk.h - walks over mail: which directories, in which order, and what the log says about what should not be there. The
 * walk itself, and what it promises, is lib/sys/dirwalk.h; nothing else that handles mail reads directories.
 *
 * - Roots are the partitions of imapd.conf. They may be symbolic links and mount points: an administrator has named them. Nothing
 *   else is followed or crossed: not in the spool, and not between a partition's root and a mailbox's directory.
 * - Order: that of the mailbox list. In directories by name a walk meets mailboxes exactly in the order in which the list has
 *   them (2.5: by internal name, by improved_mboxlist_sort where that is on; 3.6: by dbname), as long as there are no domains and
 *   hashimapspool is off: then it holds within each domain and hash directory. Directories by id come in order of ids.
 * - Every oddity gives one line in the log, "spool: PATH: words of DIRWALK_ODD_TABLE", as long as there are not too many
 *   (dirwalk_log); how many more there were is told when the store is closed at the latest.
 * - With `debug` each walk ends with a line of its counts. */
#ifndef CAMB_SPOOL_WALK_H
#define CAMB_SPOOL_WALK_H
#include "store/paths.h"
#include "sys/dirwalk.h"

enum spool_roots { SPOOL_DATA = 1 << 0, SPOOL_META = 1 << 1, SPOOL_HEADERS = 1 << 2, SPOOL_ARCHIVE = 1 << 3 };

/* Appends the configured roots of these kinds, each once, without trailing slashes. */
void spool_roots(const struct conf *c, unsigned kinds, struct strarray *out);

/* dirwalk_run() with the order and the log of the store; the caller sets roots, entry, arg, levels, limits; DIRWALK_STAT if
 * wanted. */
int spool_walk(struct store *st, struct dirwalk *w);

/* The directory of one mailbox for that kind of file: the caller sets entry, arg and what else he wants. 0; what entry()
 * returned; ERR_PARTITION or ERR_BADNAME: no such directory can be; ERR_NOTFOUND: there is none; ERR_IO: it could not be read to
 * its end, or (with DIRWALK_STAT) not every entry could be looked at. */
int spool_walk_mailbox(struct store *st, const struct mbentry *e, enum meta_kind kind, struct dirwalk *w);

void spool_walk_log_rest(struct store *st);      /* tells how many oddities were not logged, if any were not */
#endif
