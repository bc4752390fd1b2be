/* layout_detect.c - which release wrote this mailboxes.db (spec/databases.md 1.1). */
#include "store/layout.h"
#include "base/err.h"
#include "store/mbrecord.h"

#include <string.h>

struct census {
	bool id_records, plain_names, any;
};

/* A record that cannot be read at all says nothing: one damaged record must not make a whole list look half upgraded. */
static bool is_plain(const char *val, size_t len)
{
	struct mbentry e = { .type = 'e' };
	int r = mbrecord_25_parse(val, len, &e);
	mbentry_free(&e);
	return !r;
}

/* Looks at the whole list: the first key alone misleads (a 2.5 mailbox called News). Stops when both kinds were seen. */
static int look(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	struct census *c = arg;
	bool kv = vallen > 2 && val[0] == '%' && val[1] == '(';
	c->any = true;
	if (*key == 'I' && kv && memmem(val, vallen, " N ", 3)) c->id_records = true;
	else if (*key == 'N' && kv && vallen > 4 && !memcmp(val, "%(T ", 4) && memmem(val, vallen, " I ", 3)) return 0;
	else if (*key == 'A' && keylen >= 3 && (key[1] == 'U' || key[1] == 'S') && key[2] == '\x1e') return 0;
	else if (!c->plain_names) c->plain_names = is_plain(val, vallen);
	return c->id_records && c->plain_names;
}

int layout_detect(struct cyrusdb *mboxlist, enum conf_level *level)
{
	struct census c = { 0 };
	int rc = cyrusdb_foreach(mboxlist, "", 0, NULL, look, &c, NULL);
	if (rc < 0) return ERR_IO;
	*level = !c.any ? LEVEL_AUTO : c.id_records ? LEVEL_36 : LEVEL_25;
	return c.id_records && c.plain_names ? ERR_BADFORMAT : 0;
}
