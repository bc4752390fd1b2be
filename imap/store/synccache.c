/* synccache.c - see synccache.h. */
#include "store/synccache.h"
#include "base/err.h"
#include "base/mem.h"

#include <string.h>

struct dlist *synccache_parse(struct arena *a, const char *p, size_t len)
{
	const char *end = p + len;
	struct dlist *d = dlist_parse(a, &p, end);
	return d && p == end && d->kind == DLIST_KVLIST ? d : NULL;
}

const char *synccache_uniqueid(const struct dlist *state) { return dlist_str(state, "UNIQUEID"); }

int backuprow_parse(const char *p, size_t len, char **path)
{
	*path = NULL;
	if (!len || *p != '/' || memchr(p, 0, len)) return ERR_BADFORMAT;
	*path = mem_dup(p, len);
	return 0;
}
