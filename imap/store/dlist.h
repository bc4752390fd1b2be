/* dlist.h - the key/value list notation of mailboxes.db, cyrus.header, quota roots and replication (spec/databases.md 3).
 *
 * The reader builds a tree in one pass; depth is limited to DLIST_DEPTH and every node needs at least one input byte, so memory
 * is bounded by the input. */
#ifndef CAMB_DLIST_H
#define CAMB_DLIST_H
#include "base/arena.h"
#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

enum { DLIST_DEPTH = 32 };
enum dlist_kind { DLIST_NIL, DLIST_STRING, DLIST_LIST, DLIST_KVLIST };

struct dlist {
	enum dlist_kind kind;
	const char *key;              /* inside a kvlist, else NULL */
	const char *s;                /* DLIST_STRING: NUL-terminated, may hold NULs before `len` */
	size_t len;
	struct dlist *head, *tail, *next;
};

/* Parses one value; memory comes from the arena. *p is moved behind it. NULL on a syntax error. */
struct dlist *dlist_parse(struct arena *a, const char **p, const char *end);

const struct dlist *dlist_get(const struct dlist *kv, const char *key);     /* NULL when absent */
const char *dlist_str(const struct dlist *kv, const char *key);             /* string value or NULL (also for NIL) */
bool dlist_u64(const struct dlist *kv, const char *key, uint64_t *v);
bool dlist_u32(const struct dlist *kv, const char *key, uint32_t *v);
bool dlist_value_u64(const struct dlist *d, uint64_t *v);

/* Writing: atom, quoted string or literal as the rule says; NULL writes NIL. */
void dlist_put_string(struct buf *b, const char *s, size_t len);
void dlist_put_str(struct buf *b, const char *s);
void dlist_print(const struct dlist *d, struct buf *b);      /* the whole tree, numbers and names by the same rule */
bool dlist_needs_literal(const char *s, size_t len);      /* such a value cannot be read back from cyrus.header, or by 2.5 */
#endif
