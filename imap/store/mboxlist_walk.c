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

bool mboxlist_no_domain(const struct store *st, const struct buf *prefix)
{
	bool may = st->ns.virtdomains || st->layout->level == LEVEL_36;          /* else the byte is one like others */
	return may && !(prefix->len && memchr(prefix->s, st->layout->domain_sep, prefix->len));
}

struct walk {
	struct store *st;
	struct mboxlist_walk *w;
	struct buf prefix;
	bool domains;                    /* records of other domains lie between those that are wanted */
};

/* The first key behind everything that begins with what is in `b`: no name holds a DEL, and it sorts behind all that names hold,
 * however the bytes are compared. */
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
	struct walk k = { .st = st, .w = w, .domains = one_domain && mboxlist_no_domain(st, prefix) };
	buf_puts(&k.prefix, prefix->len ? "" : st->layout->scan_prefix);
	buf_add(&k.prefix, prefix);
	int r = cyrusdb_walk(st->mboxlist, buf_cstr(&k.prefix), k.prefix.len, visit, &k);
	buf_free(&k.prefix);
	if (r == ERR_COUNT) return 0;
	return r < 0 ? ERR_IO : r;
}
