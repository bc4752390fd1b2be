/* paths.h - where things are: partitions, directories by name, the kinds of meta files (spec/mailbox.md 1, databases.md 2). */
#ifndef CAMB_PATHS_H
#define CAMB_PATHS_H
#include "store/layout.h"

enum meta_kind { META_DATA, META_HEADER, META_INDEX, META_CACHE, META_EXPUNGE, META_SQUAT, META_ANNOTATIONS, META_KINDS };

/* Root of the partition for that kind of file; NULL when the partition is not configured. */
const char *path_root(const struct store *st, const char *partition, enum meta_kind kind);
/* The mailbox's directory for that kind, or a file in it (file NULL: the directory). ERR_PARTITION, or ERR_BADNAME when too
 * long. */
int path_mailbox(struct store *st, const struct mbentry *e, enum meta_kind kind, const char *file, struct buf *out);
int path_message(struct store *st, const struct mbentry *e, uint32_t uid, struct buf *out);
/* Layout by name: DIR of name below root; used for spools and for lock files. */
void path_by_name(const struct store *st, const char *root, const char *internal, struct buf *out);
void path_by_id(const char *root, const char *uniqueid, struct buf *out);           /* ROOT/uuid/a/b/ID */
/* CONFIGDIR/[domain/H/DOMAIN/]user/H/NAME.SUFFIX; part is the user part as it stands in the file name. */
void path_user_by_name(const struct store *st, const char *domain, const char *part, const char *suffix, struct buf *out);
void path_conf(const struct store *st, enum conf_opt override, const char *file, struct buf *out);   /* a database */
/* Where the Sieve scripts of the owner of this INBOX are (spec/databases.md 18). False: nowhere (no sievedir, or
 * sieveusehomedir). */
bool path_sieve(struct store *st, const struct mbentry *inbox, struct buf *out);
#endif
