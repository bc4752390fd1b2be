/* recover.h - putting the mailbox list right at the start of the server (ctl_cyrusdb -r; spec/cyrusdb.md 5). */
#ifndef CAMB_RECOVER_H
#define CAMB_RECOVER_H
#include "store/store.h"

/* Removes the records of creations that died half-way ("removed reserved mailbox 'X'" in the log). Nobody else may use the store.
 * Makes the reverse ACL rows agree with the option and the ACLs (racl.h). Not done here: the upgrade of a 2.5 list to the form of
 * 3.6, special-use words of 2.4. Looks at every record first: ERR_BADFORMAT when two releases wrote them. 0 or an enum err. */
int store_recover(struct store *st);
#endif
