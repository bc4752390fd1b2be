/* tables.h - the records of every table, read and written again; what lies in a mailbox list as it is. */
#ifndef CUNIT_STORE_TABLES_TABLES_H
#define CUNIT_STORE_TABLES_TABLES_H
#include "cunit/store/storetest.h"

#define BYTES(s) s, sizeof(s) - 1
#define US "\x1f"
#define GS "\x1d"

/* Appends to *out what a record becomes when it is read and written again. 0 or the error of reading. */
typedef int again(const char *p, size_t len, struct buf *out);
again again_25, again_36, again_quota, again_seen, again_annot, again_annotkey, again_mark, again_markkey,
	again_status, again_statuskey, again_deny, again_mboxkey, again_tls, again_pts, again_counters, again_zone,
	again_news, again_indexed, again_indexedkey, again_synccache, again_backup, again_syncline, again_conv,
	again_convmsgid, again_convcounts, again_convguid, again_convguidkey, again_convnames, again_convquota;

void same(const struct buf *got, const char *want, size_t len, const char *what);
struct namespace test_ns(enum conf_level level);

/* The mailbox list of a store. */
void put_raw(struct storetest *t, const char *key, const char *val);
char *raw_value(struct storetest *t, const char *key);           /* NULL: none; free() it */
void reopen(struct storetest *t, const char *level);             /* with that compatibility_level */
#endif
