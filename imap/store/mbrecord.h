/* mbrecord.h - the values of mailboxes.db: bytes to struct mbentry and back (spec/databases.md 4). No database is touched here;
 * what the keys are, and which records a change writes, is the layouts'. Readers take fields in any order and pass over those
 * they do not know. */
#ifndef CAMB_MBRECORD_H
#define CAMB_MBRECORD_H
#include "base/buf.h"
#include "store/mbentry.h"

/* 2.5 to 3.4's list form, or the text of 2.4 and before, also with its parenthesis in front. Adds to e, whose name the key tells.
 * ERR_BADFORMAT. */
int mbrecord_25_parse(const char *val, size_t len, struct mbentry *e);
void mbrecord_25_print(const struct mbentry *e, time_t mtime, struct buf *out);
void mbrecord_text_print(const struct mbentry *e, struct buf *out);          /* 2.4's, for a reader that has nothing newer */

/* 3.6: the record by name, whose name the key tells (e->name is NULL then), or by id, whose unique id the key tells. Fills e.
 * ERR_BADFORMAT (an unknown type letter too); e is then empty. */
int mbrecord_36_parse(const char *val, size_t len, const struct namespace *ns, struct mbentry *e);
void mbrecord_36_name_print(const struct mbentry *e, time_t mtime, struct buf *out);
/* The record by id up to the opening parenthesis of its history; then the former names, newest first, divided by blanks, and
 * "))". */
void mbrecord_36_id_print(const struct mbentry *e, time_t mtime, const struct namespace *ns, struct buf *out);
void mbrecord_36_former_print(const struct mbformer *f, struct buf *out);
void mbrecord_36_history_print(const struct mbentry *e, struct buf *out);

/* between the two files */
signed char mbrecord_acl_field(const struct mbentry *e, bool there);
bool mbrecord_has_acl(const struct mbentry *e);
#endif
