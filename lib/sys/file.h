/* file.h - small chores with whole files and directories. */
#ifndef CAMB_FILE_H
#define CAMB_FILE_H
#include "base/buf.h"

#include <sys/types.h>

int file_mkparents(const char *path, mode_t mode);   /* makes the missing directories above the last component */
int file_mkdirs(const char *path, mode_t mode);      /* and the last one too */
int file_mkdirs_sync(const char *path, mode_t mode); /* as file_mkdirs(); each directory that gained one is synced before the next
                                                        is made */
int file_sync_parent(const char *path);              /* fsync of the directory that holds path */
/* Appends the whole file to *out; -1 and EFBIG when it is longer than limit. */
int file_read(const char *path, size_t limit, struct buf *out);
int file_read_fd(int fd, size_t limit, struct buf *out);
/* Copies a file that does not exist at `to` yet, with times; fsyncs it. Removes a partial copy on failure. */
int file_copy(const char *from, const char *to, mode_t mode);
/* Opens for write with creation of missing parents (0755 & ~umask). */
int file_create(const char *path, int flags, mode_t mode);
#endif
