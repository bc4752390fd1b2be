/* mboxrebuild.h - ctl_mboxlist --rebuild: mailboxes.db made again from the spool (store/spool_list.h). */
#ifndef CAMB_MBOXREBUILD_H
#define CAMB_MBOXREBUILD_H
#include "conf/conf.h"

/* path NULL: the usual mailboxes.db. What is there is kept beside it as PATH.before-rebuild. dry: only tells what would be done,
 * one line for each mailbox. Prints to stdout. An exit code. */
int mboxrebuild(struct conf *c, const char *path, bool dry);
#endif
