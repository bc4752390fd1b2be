/* racl_file.h - reverse ACL rows (racl.h) in a file of our own beside the mailbox list, "mailboxes.db.racl", for sites that do
 * not have them in the list: without them every LIST of an ordinary user would have to look at every mailbox of the server.
 * Decision 0015.
 *
 * The file says up to which moment of the list it was made (cyrusdb_since()). What was stored since then is read from the end of
 * the list, and written down when it has become much; a list that was made anew, repacked or put back from a copy is read once as
 * a whole. So whoever changes the list, we or Cyrus, need not know of the file, and it may be removed at any time. Rows are never
 * taken back, only left behind when the file is made anew: who uses one looks at the record. */
#ifndef CAMB_RACL_FILE_H
#define CAMB_RACL_FILE_H
#include "base/strarray.h"
#include "store/store.h"

enum { RACL_RECENT_MAX = 4 * 1024 };          /* bytes of the list that are read again by each LIST before they are written
                                                  down */

/* Opens the file (st->racl), making or completing it where needed. recent: rows that belong to it and are not written down. 0;
 * ERR_NOTSUPPORTED: option mboxlist_acl_index is 0, `readonly` is on and the file does not fit, or the list is smaller and there is no file yet; the list's engine cannot say
 * what has changed; or the file cannot be made, which is logged once. */
int racl_file_current(struct store *st, struct strarray *recent);
/* The same, and everything is written down: at recovery and checkpoints. 0 or as above. */
int racl_file_settle(struct store *st);
#endif
