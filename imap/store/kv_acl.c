/* kv_acl.c - see kv_acl.h. */
#include "store/kv_acl.h"

#include <string.h>

void kv_acl_print(struct buf *b, const char *acl)
{
	const char *sep = "";
	buf_puts(b, "%(");
	for (const char *p = acl; p && *p;) {
		const char *tab = strchr(p, '\t'), *end = tab ? strchr(tab + 1, '\t') : NULL;
		if (!tab) break;
		buf_puts(b, sep);
		dlist_put_string(b, p, (size_t)(tab - p));
		buf_putc(b, ' ');
		dlist_put_string(b, tab + 1, end ? (size_t)(end - tab - 1) : strlen(tab + 1));
		sep = " ";
		p = end ? end + 1 : NULL;
	}
	buf_putc(b, ')');
}

char *kv_acl_parse(const struct dlist *list)
{
	struct buf acl = BUF_INIT;
	for (const struct dlist *e = list && list->kind == DLIST_KVLIST ? list->head : NULL; e; e = e->next) {
		if (e->kind != DLIST_STRING) continue;
		buf_puts(&acl, e->key);
		buf_putc(&acl, '\t');
		buf_puts(&acl, e->s);
		buf_putc(&acl, '\t');
	}
	return buf_take(&acl);
}
