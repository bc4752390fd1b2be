/* specialuse.c - see specialuse.h. */
#include "store/specialuse.h"
#include "base/mem.h"
#include "base/num.h"
#include "store/layout.h"
#include "store/paths.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct specialuse {
	struct store *st;
	struct cyrusdb *db;
	char *userid;
};

struct specialuse *specialuse_open(struct store *st, const char *userid)
{
	struct buf path = BUF_INIT;
	struct cyrusdb *db = NULL;
	struct specialuse *s = NULL;
	path_conf(st, OPT_ANNOTATION_DB_PATH, "annotations.db", &path);
	if (userid && access(buf_cstr(&path), F_OK) == 0
	    && !cyrusdb_open(st->dbs, conf_word(st->conf, OPT_ANNOTATION_DB), buf_cstr(&path), 0, &db)) {
		s = mem_alloc(sizeof *s);
		*s = (struct specialuse){ st, db, mem_strdup(userid) };
	}
	buf_free(&path);
	return s;
}

void specialuse_close(struct specialuse *s)
{
	if (!s) return;
	cyrusdb_close(s->db);
	free(s->userid);
	free(s);
}

static bool fetch(struct specialuse *s, const struct mbentry *e, const char *entry, const char *user, struct buf *out)
{
	struct buf key = BUF_INIT;
	const char *val;
	size_t len, n;
	s->st->layout->annot_scope(e, &key);
	buf_putc(&key, 0);
	buf_puts(&key, entry);
	buf_putc(&key, 0);
	buf_puts(&key, user);
	buf_putc(&key, 0);
	bool ok = !cyrusdb_fetch(s->db, key.s, key.len, &val, &len, NULL) && len >= 8 && (n = get_be32(val)) <= len - 8 && n > 0;
	if (ok) buf_append(out, val + 8, n);
	buf_free(&key);
	return ok;
}

bool specialuse_get(struct specialuse *s, const struct mbentry *e, struct buf *out)
{
	return specialuse_annotation(s, e, "/specialuse", false, out);
}

bool specialuse_annotation(struct specialuse *s, const struct mbentry *e, const char *entry, bool shared, struct buf *out)
{
	if (!s) return false;
	if (shared) return fetch(s, e, entry, "", out);
	bool own = s->st->layout->annot_owner_token && mbname_owned_by(&e->parts, s->userid, &s->st->ns);
	return (own && fetch(s, e, entry, "[.OwNeR.]", out)) || fetch(s, e, entry, s->userid, out);
}
