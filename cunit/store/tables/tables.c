/* tables.c - see tables.h. */
#include "cunit/store/tables/tables.h"
#include "store/annotrow.h"
#include "store/convrow.h"
#include "store/counters.h"
#include "store/dlist.h"
#include "store/duplicate.h"
#include "store/indexedstate.h"
#include "store/mboxkey.h"
#include "store/mbrecord.h"
#include "store/newsstate.h"
#include "store/ptsentry.h"
#include "store/quota.h"
#include "store/seen.h"
#include "store/statusrow.h"
#include "store/synccache.h"
#include "store/syncline.h"
#include "store/tlssession.h"
#include "store/userdeny.h"
#include "store/zoneinfo.h"

void same(const struct buf *got, const char *want, size_t len, const char *what)
{
	ck_assert_msg(got->len == len && (!len || !memcmp(got->s, want, len)), "%s: %.*s became %.*s", what, (int)len, want,
		(int)got->len, got->s);
}

struct namespace test_ns(enum conf_level level)
{
	static char deleted[] = "DELETED", domain[] = "internal";
	return (struct namespace){ .level = level, .sep = '/', .virtdomains = true, .deletedprefix = deleted,
		.defaultdomain = domain };
}

void put_raw(struct storetest *t, const char *key, const char *val)
{
	ck_assert_int_eq(cyrusdb_store(t->st->mboxlist, key, strlen(key), val, strlen(val), NULL), 0);
}

char *raw_value(struct storetest *t, const char *key)
{
	const char *val;
	size_t len;
	return cyrusdb_fetch(t->st->mboxlist, key, strlen(key), &val, &len, NULL) ? NULL : mem_dup(val, len);
}

void reopen(struct storetest *t, const char *level)
{
	storetest_close(t);
	storetest_run("sed -i 's/^compatibility_level:.*/compatibility_level: %s/' %s/imapd.conf", level, t->dir);
	storetest_open(t);
}

int again_25(const char *p, size_t len, struct buf *out)
{
	struct mbentry e = { .type = 'e' };
	int r = mbrecord_25_parse(p, len, &e);
	if (!r && *p == '%') mbrecord_25_print(&e, e.mtime, out);
	else if (!r) mbrecord_text_print(&e, out);
	mbentry_free(&e);
	return r;
}

int again_36(const char *p, size_t len, struct buf *out)
{
	struct namespace ns = test_ns(LEVEL_36);
	struct mbentry e;
	int r = mbrecord_36_parse(p, len, &ns, &e);
	if (r) return r;
	if (e.name) {
		mbrecord_36_id_print(&e, e.mtime, &ns, out);
		mbrecord_36_history_print(&e, out);
		buf_puts(out, "))");
	} else {
		mbrecord_36_name_print(&e, e.mtime, out);
	}
	mbentry_free(&e);
	return 0;
}

int again_quota(const char *p, size_t len, struct buf *out)
{
	struct quota q;
	int r = quota_parse(p, len, &q);
	if (!r) quota_print(&q, q.has_modseq, out);
	quota_free(&q);
	return r;
}

int again_seen(const char *p, size_t len, struct buf *out)
{
	struct seen s;
	int r = seen_parse(&s, p, len);
	if (!r) seen_print(&s, out);
	seen_free(&s);
	return r;
}

int again_annot(const char *p, size_t len, struct buf *out)
{
	struct annotrow a;
	int r = annotrow_parse(p, len, &a);
	if (!r) annotrow_print(&a, out);
	return r;
}

int again_annotkey(const char *p, size_t len, struct buf *out)
{
	struct annotkey k;
	int r = annotkey_parse(p, len, &k);
	if (r) return r;
	char *user = mem_dup(k.userid, annotkey_userlen(&k, p, len));
	annotkey_print(k.scope, k.entry, user, out);
	free(user);
	return 0;
}

int again_mark(const char *p, size_t len, struct buf *out)
{
	struct duplicate_mark m;
	int r = duplicate_mark_parse(p, len, &m);
	if (!r) duplicate_mark_print(&m, out);
	return r;
}

int again_markkey(const char *p, size_t len, struct buf *out)
{
	struct duplicate_key k;
	int r = duplicate_key_parse(p, len, &k);
	if (!r) duplicate_key_print(&k, out);
	return r;
}

int again_status(const char *p, size_t len, struct buf *out)
{
	struct statusrow s;
	int r = statusrow_parse(p, len, &s);
	if (!r) statusrow_print(&s, out);
	return r;
}

int again_statuskey(const char *p, size_t len, struct buf *out)
{
	size_t n, userlen;
	const char *user;
	int r = statusrow_key_parse(p, len, &n, &user, &userlen);
	if (r) return r;
	char *name = mem_dup(p, n), *who = user ? mem_dup(user, userlen) : NULL;
	statusrow_key(name, who, out);
	free(name);
	free(who);
	return 0;
}

int again_deny(const char *p, size_t len, struct buf *out)
{
	struct userdeny d;
	int r = userdeny_parse(p, len, &d);
	if (!r) userdeny_print(&d, out);
	userdeny_free(&d);
	return r;
}

int again_mboxkey(const char *p, size_t len, struct buf *out)
{
	struct mboxkey k;
	int r = mboxkey_parse(p, len, &k);
	if (!r) mboxkey_print(&k, out);
	return r;
}

int again_tls(const char *p, size_t len, struct buf *out)
{
	struct tlssession t;
	int r = tlssession_parse(p, len, &t);
	if (!r) tlssession_print(&t, out);
	return r;
}

int again_pts(const char *p, size_t len, struct buf *out)
{
	struct ptsentry e;
	int r = ptsentry_parse(p, len, &e);
	if (!r) ptsentry_print(&e, out);
	ptsentry_free(&e);
	return r;
}

int again_counters(const char *p, size_t len, struct buf *out)
{
	struct counters c;
	int r = counters_parse(p, len, &c);
	if (!r) counters_print(&c, out);
	return r;
}

int again_zone(const char *p, size_t len, struct buf *out)
{
	struct zoneinfo z;
	int r = zoneinfo_parse(p, len, &z);
	if (!r) zoneinfo_print(&z, out);
	zoneinfo_free(&z);
	return r;
}

int again_news(const char *p, size_t len, struct buf *out)
{
	uint64_t n;
	int r = newsstate_parse(p, len, &n);
	if (!r) newsstate_print(n, out);
	return r;
}

int again_indexed(const char *p, size_t len, struct buf *out)
{
	struct seqset s;
	int r = indexedstate_parse(p, len, &s);
	if (!r) indexedstate_print(&s, out);
	seqset_free(&s);
	return r;
}

int again_indexedkey(const char *p, size_t len, struct buf *out)
{
	struct indexedkey k;
	int r = indexedkey_parse(p, len, &k);
	if (!r) indexedkey_print(&k, out);
	indexedkey_free(&k);
	return r;
}

int again_synccache(const char *p, size_t len, struct buf *out)
{
	struct arena *a = arena_new();
	struct dlist *d = synccache_parse(a, p, len);
	if (d) dlist_print(d, out);
	arena_free(a);
	return d ? 0 : ERR_BADFORMAT;
}

int again_backup(const char *p, size_t len, struct buf *out)
{
	char *path;
	int r = backuprow_parse(p, len, &path);
	if (!r) buf_puts(out, path);
	free(path);
	return r;
}

int again_syncline(const char *p, size_t len, struct buf *out)
{
	struct syncline l;
	size_t n = len && p[len - 1] == '\n' ? len - 1 : len;
	int r = syncline_parse(p, n, &l);
	if (!r) ck_assert_int_eq(syncline_print(l.word, l.arg[0], l.arg[1], out), 0);
	syncline_free(&l);
	return r;
}

int again_conv(const char *p, size_t len, struct buf *out)
{
	struct arena *a = arena_new();
	struct conversation c;
	int r = conversation_parse(a, p, len, &c);
	if (!r) conversation_print(&c, out);
	arena_free(a);
	return r;
}

int again_convmsgid(const char *p, size_t len, struct buf *out)
{
	struct arena *a = arena_new();
	struct convmsgid m;
	int r = convmsgid_parse(a, p, len, &m);
	if (!r) convmsgid_print(&m, out);
	arena_free(a);
	return r;
}

int again_convcounts(const char *p, size_t len, struct buf *out)
{
	struct convcounts f;
	int r = convcounts_parse(p, len, &f);
	if (!r) convcounts_print(&f, out);
	return r;
}

int again_convguid(const char *p, size_t len, struct buf *out)
{
	struct convguid g;
	int r = convguid_parse(p, len, &g);
	if (!r) convguid_print(&g, out);
	return r;
}

int again_convguidkey(const char *p, size_t len, struct buf *out)
{
	struct convguidkey k;
	int r = convguidkey_parse(p, len, &k);
	if (!r) convguidkey_print(&k, out);
	return r;
}

int again_convnames(const char *p, size_t len, struct buf *out)
{
	struct arena *a = arena_new();
	const char *const *names;
	size_t n;
	int r = convnames_parse(a, p, len, &names, &n);
	if (!r) convnames_print(names, n, out);
	arena_free(a);
	return r;
}

int again_convquota(const char *p, size_t len, struct buf *out)
{
	struct convquota q;
	int r = convquota_parse(p, len, &q);
	if (!r) convquota_print(&q, out);
	return r;
}
