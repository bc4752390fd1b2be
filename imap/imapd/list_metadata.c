/* list_metadata.c - LIST ... RETURN (METADATA (...)): annotations of the mailboxes that are listed (RFC 9590). Only those that are kept in the
 * database of annotations; what would have to be worked out (size, partition ...) has no value yet. See list.h. */
#include "imapd/list.h"
#include "imapd/respond.h"

#include <string.h>

/* "/shared/comment" -> "/comment"; NULL: neither shared nor private. */
static const char *stored_name(const char *entry, bool *shared)
{
	*shared = !strncmp(entry, "/shared/", 8);
	if (*shared) return entry + 7;
	return strncmp(entry, "/private/", 9) ? NULL : entry + 8;
}

static void put_one(struct session *s, bool *first, const char *entry, const char *value, size_t len)
{
	put(s, *first ? "" : " ");
	*first = false;
	put_string(s, entry, strlen(entry));
	put(s, " ");
	if (value) put_string(s, value, len);
	else put(s, "NIL");
}

/* The reference tells those with a value first, in the order of its database, and then the others, the last one asked for first. */
void list_put_metadata(struct listing *l, const struct mbentry *e, const char *ext, uint32_t rights)
{
	struct session *s = l->s;
	const struct list_request *q = l->q;
	bool missing[LIST_ENTRIES] = { false }, shared, first = true, any = false;
	struct buf value = BUF_INIT;
	for (size_t i = 0; i < q->nannots; i++) any = any || stored_name(q->annots[i], &shared);
	if (!any || !(rights & ACL_READ || s->user.isadmin)) return;
	put(s, "* METADATA ");
	put_astring(s, ext);
	put(s, " (");
	for (size_t i = 0; i < q->nannots; i++) {
		const char *name = stored_name(q->annots[i], &shared);
		buf_reset(&value);
		bool has = name && specialuse_annotation(l->annots, e, name, shared, &value);
		missing[i] = name && !has;
		if (has) put_one(s, &first, q->annots[i], buf_cstr(&value), value.len);
	}
	for (size_t i = q->nannots; i-- > 0;)
		if (missing[i]) put_one(s, &first, q->annots[i], NULL, 0);
	put(s, ")\r\n");
	buf_free(&value);
}
