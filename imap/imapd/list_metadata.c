/* list_metadata.c - LIST ... RETURN (METADATA (...)): annotations of the mailboxes that are listed (RFC 9590). See list.h. */
#include "imapd/annot.h"
#include "imapd/list.h"

#include <string.h>

void list_put_metadata(struct listing *l, const struct mbentry *e, const char *ext, uint32_t rights)
{
	const struct list_request *q = l->q;
	struct metadata_line line;
	struct annot_query query = { .s = l->s, .maxsize = UINT64_MAX, .tell = metadata_put, .arg = &line };
	for (size_t i = 0; i < q->nannots; i++) {
		bool shared = !strncmp(q->annots[i], "/shared/", 8);
		if (!shared && strncmp(q->annots[i], "/private/", 9)) continue;
		if (shared) query.shared = true;
		else query.priv = true;
		annot_query_add(&query, q->annots[i] + (shared ? 7 : 8));
	}
	metadata_begin(&line, l->s, ext);
	if (query.names.n || query.patterns.n) annot_fetch(&query, l->annots, e, rights);      /* logged there */
	metadata_end(&line);
	annot_query_free(&query);
}
