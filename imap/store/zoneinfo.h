/* zoneinfo.h - a record of zoneinfo.db: a time zone, a link to one, or the release of the data (spec/databases.md 16). */
#ifndef CAMB_ZONEINFO_H
#define CAMB_ZONEINFO_H
#include "base/buf.h"
#include "base/strarray.h"

enum zoneinfo_type { ZONEINFO_ZONE, ZONEINFO_LINK, ZONEINFO_INFO };
struct zoneinfo {
	enum zoneinfo_type type;
	int64_t stamp;
	struct strarray data;            /* names; of a link: the zone; of ".info": where the data came from and its release */
};
void zoneinfo_free(struct zoneinfo *z);
/* ERR_NOTFOUND: another version; ERR_BADFORMAT; z is then empty */
int zoneinfo_parse(const char *p, size_t len, struct zoneinfo *z);
void zoneinfo_print(const struct zoneinfo *z, struct buf *out);
#endif
