/* layout_detect.c - which release wrote this mailboxes.db (spec/databases.md 1.1). Every process asks when it starts, so a
 * handful of records is looked at, at places where the two layouts differ; all of them at recovery. */
#include "store/layout.h"
#include "base/err.h"
#include "store/mbrecord.h"

#include <string.h>

struct census {
	bool id_records, plain_names, any;
	int looked;
};
enum { LOOK_MAX = 64 };              /* records, where the order of the file takes the probe nowhere */

/* A record that cannot be read at all says nothing: one damaged record must not make a whole list look half upgraded. */
static bool is_plain(const char *val, size_t len)
{
	struct mbentry e = { .type = 'e' };
	int r = mbrecord_25_parse(val, len, &e);
	mbentry_free(&e);
	return !r;
}

static void classify(struct census *c, const char *key, size_t keylen, const char *val, size_t vallen)
{
	bool kv = vallen > 2 && val[0] == '%' && val[1] == '(';
	c->any = true;
	if (*key == 'I' && kv && memmem(val, vallen, " N ", 3)) c->id_records = true;
	else if (*key == 'N' && kv && vallen > 4 && !memcmp(val, "%(T ", 4) && memmem(val, vallen, " I ", 3)) return;
	else if (*key == 'A' && keylen >= 3 && (key[1] == 'U' || key[1] == 'S') && key[2] == '\x1e') return;
	else if (!c->plain_names) c->plain_names = is_plain(val, vallen);
}

static int look(void *arg, const char *key, size_t keylen, const char *val, size_t vallen, struct buf *seek)
{
	struct census *c = arg;
	(void)seek;
	classify(c, key, keylen, val, vallen);
	return c->id_records && c->plain_names;
}

/* All keys of 3.6 begin with A, I or N: one record of each of these and of what lies between them tells, whatever order the file
 * is in. A mailbox of 2.5 may be called News or Info, but not all of them are: what begins with another letter is met first or on
 * the way. */
static int probe(void *arg, const char *key, size_t keylen, const char *val, size_t vallen, struct buf *seek)
{
	static const char letters[] = "AIN";
	struct census *c = arg;
	unsigned char first = (unsigned char)*key;
	classify(c, key, keylen, val, vallen);
	if (++c->looked == LOOK_MAX) return ERR_COUNT;
	if (strchr(letters, first)) {                                    /* behind those of this letter */
		buf_putc(seek, (char)(first + 1));
		return 0;
	}
	const char *next = letters;                                      /* 8-bit names come last, in skiplist files first */
	while (first < 0x80 && *next && *next <= first) next++;
	if (!*next) return ERR_COUNT;
	buf_putc(seek, *next);
	return 0;
}

static int verdict(const struct census *c, int rc, enum conf_level *level)
{
	if (rc < 0) return ERR_IO;
	*level = !c->any ? LEVEL_AUTO : c->id_records ? LEVEL_36 : LEVEL_25;
	return c->id_records && c->plain_names ? ERR_BADFORMAT : 0;
}

int layout_detect(struct cyrusdb *mboxlist, enum conf_level *level)
{
	struct census c = { 0 };
	return verdict(&c, cyrusdb_walk(mboxlist, "", 0, probe, &c), level);
}

int layout_prove(struct cyrusdb *mboxlist, enum conf_level *level)
{
	struct census c = { 0 };
	return verdict(&c, cyrusdb_walk(mboxlist, "", 0, look, &c), level);
}
