/* newfile.h - a file replaced as a whole: written beside the old one as NAME.NEW, synced, renamed over it, directory
 * synced. Readers see the old file or the new one, never a mixture. The caller holds whatever lock protects NAME. */
#ifndef CAMB_NEWFILE_H
#define CAMB_NEWFILE_H
#include "base/buf.h"

#include <sys/types.h>

struct newfile {
	int fd;                          /* open for read and write; -1 when there is none */
	char *path, *tmp;                /* NAME and NAME.NEW */
};
#define NEWFILE_INIT { -1, NULL, NULL }

int newfile_open(struct newfile *f, const char *path, mode_t mode);   /* truncates a left-over NAME.NEW; makes parents */
int newfile_commit(struct newfile *f);    /* fsync, rename, fsync of the directory; closes. On error: as newfile_abort */
void newfile_abort(struct newfile *f);    /* closes and removes NAME.NEW; harmless on NEWFILE_INIT */
int newfile_write(const char *path, mode_t mode, const void *p, size_t n);   /* all of the above for one block */
#endif
