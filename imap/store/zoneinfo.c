/* zoneinfo.c - see zoneinfo.h. */
#include "store/zoneinfo.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/fields.h"

#include <string.h>

void zoneinfo_free(struct zoneinfo *z)
{
	strarray_free(&z->data);
	*z = (struct zoneinfo){ 0 };
}

int zoneinfo_parse(const char *p, size_t len, struct zoneinfo *z)
{
	const char *end = p + len;
	uint32_t version, type;
	uint64_t stamp;
	*z = (struct zoneinfo){ 0 };
	if (!field_u32(&p, end, ' ', &version)) return ERR_BADFORMAT;
	if (version != 1) return ERR_NOTFOUND;
	if (!field_u32(&p, end, ' ', &type) || type > ZONEINFO_INFO || !field_u64(&p, end, ' ', &stamp) || stamp > INT64_MAX
	    || memchr(p, 0, (size_t)(end - p))) return ERR_BADFORMAT;
	z->type = (enum zoneinfo_type)type;
	z->stamp = (int64_t)stamp;
	for (;;) {
		const char *tab = memchr(p, '\t', (size_t)(end - p));
		strarray_take(&z->data, mem_dup(p, (size_t)((tab ? tab : end) - p)));
		if (!tab) return 0;
		p = tab + 1;
	}
}

void zoneinfo_print(const struct zoneinfo *z, struct buf *out)
{
	buf_printf(out, "1 %d %lld ", (int)z->type, (long long)z->stamp);
	for (size_t i = 0; i < z->data.n; i++) buf_printf(out, "%s%s", i ? "\t" : "", z->data.v[i]);
}
