/* mboxrestore.h - ctl_mboxlist --restore: a snapshot of mailboxes.db, as ctl_cyrusdb -c keeps them, put in its place. */
#ifndef CAMB_MBOXRESTORE_H
#define CAMB_MBOXRESTORE_H
#include "conf/conf.h"

/* snapshot: "1" or "2", for db.backup1 and db.backup2, or a path. list NULL: the usual mailboxes.db. What is there is kept beside
 * it as LIST.before-restore; where that name is taken, while a server runs, and when the snapshot is damaged, empty or in another
 * layout, nothing is done. dry: only tells, one line for each mailbox that the lists do not agree on. Prints to stdout. An exit
 * code. */
int mboxrestore(struct conf *c, const char *list, const char *snapshot, bool dry);
#endif
