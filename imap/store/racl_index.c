/* racl_index.c - see racl_index.h. */
#include "store/racl_index.h"
#include "base/err.h"
#include "base/log.h"
#include "store/layout.h"
#include "store/mboxlist.h"
#include "store/racl_file.h"

#include <string.h>

bool racl_in_list(struct store *st)
{
	const char *val, *marker = st->layout->racl_marker;
	size_t len;
	return marker && conf_bool(st->conf, OPT_REVERSEACLS)
		&& !cyrusdb_fetch(st->mboxlist, marker, strlen(marker), &val, &len, NULL);
}

bool racl_index_open(struct store *st, struct racl_index *x)
{
	*x = (struct racl_index){ .st = st };
	if (racl_in_list(st)) x->db = st->mboxlist;
	else if (!racl_file_current(st, &x->recent)) x->db = st->racl;
	x->held = x->db && x->db == st->racl && !cyrusdb_hold(x->db);
	return x->db != NULL;
}

void racl_index_close(struct racl_index *x)
{
	strarray_free(&x->recent);
	if (x->held) cyrusdb_release(x->db);
	x->db = NULL;
	x->held = false;
}

/* ------------------------------------------------------------------------------------------------ rows of one identifier */

struct each {
	const struct racl_query *q;
	struct buf prefix;               /* of rows */
	size_t skip;                     /* letters and identifier before the name */
	char domain_sep;                 /* 0: it does not matter */
	uint64_t *rows;
};

static bool begins(const char *key, size_t len, const struct buf *with)
{
	return len >= with->len && !memcmp(key, with->s, with->len);
}

static void tell(const struct each *k, const char *key, size_t len)
{
	if (k->domain_sep && memchr(key + k->skip, k->domain_sep, len - k->skip)) return;
	k->q->cb(k->q->arg, key + k->skip, len - k->skip);
}

static int visit(void *arg, const char *key, size_t keylen, const char *val, size_t vallen, struct buf *seek)
{
	struct each *k = arg;
	(void)val, (void)vallen, (void)seek;
	++*k->rows;
	if (!begins(key, keylen, &k->prefix)) return ERR_COUNT;
	tell(k, key, keylen);
	return 0;
}

int racl_index_each(const struct racl_index *x, const char *id, const struct racl_query *q, uint64_t *rows)
{
	const struct layout *l = x->st->layout;
	struct each k = { .q = q, .rows = rows, .domain_sep = q->one_domain
		&& mboxlist_no_domain(x->st, q->prefix) ? l->domain_sep : 0 };
	size_t letters = strlen(l->scan_prefix);
	buf_printf(&k.prefix, "A%c\x1e%s\x1e", q->users ? 'U' : 'S', id);
	k.skip = k.prefix.len;
	if (q->prefix->len > letters) buf_append(&k.prefix, q->prefix->s + letters, q->prefix->len - letters);
	int r = cyrusdb_walk(x->db, k.prefix.s, k.prefix.len, visit, &k);
	for (size_t i = 0; i < x->recent.n; i++)
		if (begins(x->recent.v[i], strlen(x->recent.v[i]), &k.prefix)) tell(&k, x->recent.v[i], strlen(x->recent.v[i]));
	*rows += x->recent.n;
	buf_free(&k.prefix);
	return r == ERR_COUNT ? 0 : r < 0 ? ERR_IO : r;
}

/* ------------------------------------------------------------------------------------------------ groups */

struct groups {
	struct buf prefix;
	void (*cb)(void *, const char *id);
	void *arg;
	uint64_t *rows;
};

/* The identifier of a row that begins with the prefix; false: it does not end. */
static bool tell_group(const struct groups *k, const char *key, size_t len, size_t *end)
{
	const char *rs = memchr(key + 3, '\x1e', len - 3);
	if (!rs) return false;
	struct buf id = BUF_INIT;
	*end = (size_t)(rs - key);
	buf_append(&id, key + 3, *end - 3);
	k->cb(k->arg, buf_cstr(&id));
	buf_free(&id);
	return true;
}

/* From the first row of a group to the first of the next one. */
static int group_visit(void *arg, const char *key, size_t keylen, const char *val, size_t vallen, struct buf *seek)
{
	struct groups *k = arg;
	size_t end;
	(void)val, (void)vallen;
	++*k->rows;
	if (!begins(key, keylen, &k->prefix)) return ERR_COUNT;
	if (!tell_group(k, key, keylen, &end)) return 0;
	buf_append(seek, key, end);
	buf_putc(seek, '\x1f');
	return 0;
}

int racl_index_groups(const struct racl_index *x, bool users, void (*cb)(void *, const char *id), void *arg, uint64_t *rows)
{
	struct groups k = { .cb = cb, .arg = arg, .rows = rows };
	size_t end;
	buf_printf(&k.prefix, "A%c\x1egroup:", users ? 'U' : 'S');
	int r = cyrusdb_walk(x->db, k.prefix.s, k.prefix.len, group_visit, &k);
	for (size_t i = 0; i < x->recent.n; i++)
		if (begins(x->recent.v[i], strlen(x->recent.v[i]), &k.prefix))
			tell_group(&k, x->recent.v[i], strlen(x->recent.v[i]), &end);
	buf_free(&k.prefix);
	return r == ERR_COUNT ? 0 : r < 0 ? ERR_IO : r;
}

/* ------------------------------------------------------------------------------------------------ names */

int racl_index_lookup(const struct racl_index *x, const char *name, size_t len, struct mbentry *out)
{
	struct store *st = x->st;
	struct buf key = BUF_INIT;
	const char *val;
	size_t vallen;
	*out = (struct mbentry){ 0 };
	buf_puts(&key, st->layout->scan_prefix);
	buf_append(&key, name, len);
	int rc = cyrusdb_fetch(st->mboxlist, key.s, key.len, &val, &vallen, NULL);
	int r = rc == CYRUSDB_NOTFOUND ? ERR_NOMAILBOX : rc ? ERR_IO : st->layout->decode(&st->ns, key.s, key.len, val, vallen, out);
	if (r == ERR_BADFORMAT) log_msg(LOG_ERR, "DBERROR: mailbox list: damaged record of %.*s", (int)key.len, key.s);
	buf_free(&key);
	return r == ERR_NOTFOUND ? ERR_NOMAILBOX : r;
}

int racl_index_compare(const struct racl_index *x, const char *a, const char *b)
{
	return cyrusdb_compare(x->st->mboxlist, a, strlen(a), b, strlen(b));
}
