/* mboxlist_walk.c - one ordered pass over a part of the mailbox list that steps over what nobody asked for. See mboxlist.h. */
#include "store/mboxlist.h"
#include "base/err.h"
#include "base/log.h"
#include "store/layout.h"

#include <string.h>

void mboxlist_prefix(struct store *st, const struct mbname *n, bool below, struct buf *out)
{
	st->layout->key(&st->ns, n, out);
	if (below && (n->boxes.n || n->localpart)) buf_putc(out, st->layout->key_sep);
}

struct walk {
	struct store *st;
	struct mboxlist_walk *w;
	struct buf prefix;
	bool domains;                    /* records of other domains lie between those that are wanted */
};

/* The first key behind everything that begins with what is in `b`: no name holds a DEL, and it sorts behind all that names hold, however the
 * bytes are compared. */
static void behind(struct buf *b) { buf_putc(b, 0x7f); }

static bool begins(const char *key, size_t keylen, const struct buf *with)
{
	return keylen >= with->len && (!with->len || !memcmp(key, with->s, with->len));
}

/* Does the key lie in something that is stepped over? Then *seek is where to go on. */
static bool step_over(const struct walk *k, const char *key, size_t keylen, struct buf *seek)
{
	const char *d = k->domains ? memchr(key, k->st->layout->domain_sep, keylen) : NULL;
	if (d) buf_append(seek, key, (size_t)(d - key) + 1);
	for (size_t i = 0; !d && !seek->len && i < k->w->nleave; i++)
		if (begins(key, keylen, &k->w->leave[i])) buf_add(seek, &k->w->leave[i]);
	if (seek->len) behind(seek);
	return seek->len > 0;
}

static int visit(void *arg, const char *key, size_t keylen, const char *val, size_t vallen, struct buf *seek)
{
	struct walk *k = arg;
	struct mboxlist_walk *w = k->w;
	struct mbentry e;
	struct mbname past = { 0 };
	w->rows++;
	if (!begins(key, keylen, &k->prefix)) return ERR_COUNT;          /* such keys are neighbours in every order */
	if (step_over(k, key, keylen, seek)) return 0;
	if (w->worth && !w->worth(w->arg, val, vallen)) return 0;
	int r = k->st->layout->decode(&k->st->ns, key, keylen, val, vallen, &e);
	if (r == ERR_BADFORMAT) log_msg(LOG_ERR, "DBERROR: mailbox list: damaged record of %.*s", (int)keylen, key);
	if (r) return 0;
	if (!(e.flags & (MBENTRY_DELETED | MBENTRY_INTERMEDIATE | MBENTRY_RESERVED))) {
		bool skip = false;
		r = w->cb(w->arg, &e, &past, &skip);
		if (skip) {
			mboxlist_prefix(k->st, &past, true, seek);
			behind(seek);
		}
		mbname_free(&past);
	}
	mbentry_free(&e);
	return r;
}

int mboxlist_walk(struct store *st, const struct buf *prefix, bool one_domain, struct mboxlist_walk *w)
{
	struct walk k = { .st = st, .w = w };
	buf_puts(&k.prefix, prefix->len ? "" : st->layout->scan_prefix);
	buf_add(&k.prefix, prefix);
	bool may = st->ns.virtdomains || st->layout->level == LEVEL_36;          /* else the byte is one like others */
	k.domains = may && one_domain && !memchr(buf_cstr(&k.prefix), st->layout->domain_sep, k.prefix.len);
	int r = cyrusdb_walk(st->mboxlist, buf_cstr(&k.prefix), k.prefix.len, visit, &k);
	buf_free(&k.prefix);
	if (r == ERR_COUNT) return 0;
	return r < 0 ? ERR_IO : r;
}

/* ------------------------------------------------------------------------------------------------ reverse ACL rows (spec/databases.md 4.4) */

struct racl_walk {
	struct buf prefix;
	size_t skip;                     /* letters and identifier before the name */
	mboxlist_racl_cb *cb;
	void *arg;
	uint64_t *rows;
};

static int racl_visit(void *arg, const char *key, size_t keylen, const char *val, size_t vallen, struct buf *seek)
{
	struct racl_walk *k = arg;
	(void)val, (void)vallen, (void)seek;
	++*k->rows;
	if (keylen < k->prefix.len || memcmp(key, k->prefix.s, k->prefix.len)) return ERR_COUNT;
	k->cb(k->arg, key + k->skip, keylen - k->skip);
	return 0;
}

bool mboxlist_has_racl(struct store *st)
{
	const char *val, *marker = st->layout->racl_marker;
	size_t len;
	return marker && !cyrusdb_fetch(st->mboxlist, marker, strlen(marker), &val, &len, NULL);
}

int mboxlist_racl_each(struct store *st, bool users, const char *id, const struct buf *prefix, mboxlist_racl_cb *cb, void *arg, uint64_t *rows)
{
	struct racl_walk k = { .cb = cb, .arg = arg, .rows = rows };
	buf_printf(&k.prefix, "A%c\x1e%s\x1e", users ? 'U' : 'S', id);
	k.skip = k.prefix.len;
	if (prefix->len) buf_append(&k.prefix, prefix->s + 1, prefix->len - 1);       /* without the letter of records by name */
	int r = cyrusdb_walk(st->mboxlist, k.prefix.s, k.prefix.len, racl_visit, &k);
	buf_free(&k.prefix);
	return r == ERR_COUNT ? 0 : r < 0 ? ERR_IO : r;
}

struct ids {
	char letter;
	void (*cb)(void *, const char *id);
	void *arg;
	uint64_t *rows;
};

/* From the first row of an identifier to the first of the next one. */
static int id_visit(void *arg, const char *key, size_t keylen, const char *val, size_t vallen, struct buf *seek)
{
	struct ids *k = arg;
	(void)val, (void)vallen;
	++*k->rows;
	if (keylen < 3 || key[0] != 'A' || key[1] != k->letter || key[2] != '\x1e') return ERR_COUNT;
	const char *end = memchr(key + 3, '\x1e', keylen - 3);
	if (!end) return 0;
	if (strncmp(key + 3, "group:", 6)) return ERR_COUNT;
	struct buf id = BUF_INIT;
	buf_append(&id, key + 3, (size_t)(end - key) - 3);
	k->cb(k->arg, buf_cstr(&id));
	buf_free(&id);
	buf_append(seek, key, (size_t)(end - key));
	buf_putc(seek, '\x1f');
	return 0;
}

int mboxlist_racl_groups(struct store *st, bool users, void (*cb)(void *, const char *id), void *arg, uint64_t *rows)
{
	struct ids k = { users ? 'U' : 'S', cb, arg, rows };
	char start[] = { 'A', k.letter, '\x1e', 'g', 'r', 'o', 'u', 'p', ':' };
	int r = cyrusdb_walk(st->mboxlist, start, sizeof start, id_visit, &k);
	return r == ERR_COUNT ? 0 : r < 0 ? ERR_IO : r;
}

int mboxlist_lookup_dbname(struct store *st, const char *dbname, size_t len, struct mbentry *out)
{
	struct mbname n;
	*out = (struct mbentry){ 0 };
	if (mbname_from_dbname(&n, dbname, len, &st->ns)) return ERR_NOMAILBOX;
	int r = mboxlist_lookup_parts(st, &n, out);
	mbname_free(&n);
	return r;
}
