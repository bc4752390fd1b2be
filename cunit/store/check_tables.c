/* check_tables.c - every table the server keeps: the records written in Cyrus's notes byte for byte, every record of the recorded stores read and
 * written again, damage, and the points where servers went wrong before (spec/databases.md, 21). */
#include "store/annotrow.h"
#include "store/convrow.h"
#include "store/counters.h"
#include "store/dlist.h"
#include "store/duplicate.h"
#include "store/indexedstate.h"
#include "store/layout.h"
#include "store/mboxkey.h"
#include "store/mbrecord.h"
#include "store/newsstate.h"
#include "store/ptsentry.h"
#include "store/quota.h"
#include "store/seen.h"
#include "store/statusrow.h"
#include "store/storetest.h"
#include "store/subs.h"
#include "store/synccache.h"
#include "store/syncline.h"
#include "store/synclog.h"
#include "store/tlssession.h"
#include "store/userdata.h"
#include "store/userdeny.h"
#include "store/zoneinfo.h"
#include "sys/file.h"
#include "sys/lock.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/wait.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define BYTES(s) s, sizeof(s) - 1

static void same(const struct buf *got, const char *want, size_t len, const char *what)
{
	ck_assert_msg(got->len == len && (!len || !memcmp(got->s, want, len)), "%s: %.*s became %.*s", what, (int)len, want, (int)got->len, got->s);
}

static struct namespace test_ns(enum conf_level level)
{
	static char deleted[] = "DELETED", domain[] = "internal";
	return (struct namespace){ .level = level, .sep = '/', .virtdomains = true, .deletedprefix = deleted, .defaultdomain = domain };
}

static void put_raw(struct storetest *t, const char *key, const char *val)
{
	ck_assert_int_eq(cyrusdb_store(t->st->mboxlist, key, strlen(key), val, strlen(val), NULL), 0);
}

static char *raw_value(struct storetest *t, const char *key)
{
	const char *val;
	size_t len;
	return cyrusdb_fetch(t->st->mboxlist, key, strlen(key), &val, &len, NULL) ? NULL : mem_dup(val, len);
}

static void reopen(struct storetest *t, const char *level)
{
	storetest_close(t);
	storetest_run("sed -i 's/^compatibility_level:.*/compatibility_level: %s/' %s/imapd.conf", level, t->dir);
	storetest_open(t);
}

/* ------------------------------------------------------------------------------------------------ one record of each table: bytes, and how it comes back */

typedef int again(const char *p, size_t len, struct buf *out);

static int again_25(const char *p, size_t len, struct buf *out)
{
	struct mbentry e = { .type = 'e' };
	int r = mbrecord_25_parse(p, len, &e);
	if (!r && *p == '%') mbrecord_25_print(&e, e.mtime, out);
	else if (!r) mbrecord_text_print(&e, out);
	mbentry_free(&e);
	return r;
}

static int again_36(const char *p, size_t len, struct buf *out)
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

static int again_quota(const char *p, size_t len, struct buf *out)
{
	struct quota q;
	int r = quota_parse(p, len, &q);
	if (!r) quota_print(&q, q.has_modseq, out);
	quota_free(&q);
	return r;
}

static int again_seen(const char *p, size_t len, struct buf *out)
{
	struct seen s;
	int r = seen_parse(&s, p, len);
	if (!r) seen_print(&s, out);
	seen_free(&s);
	return r;
}

static int again_annot(const char *p, size_t len, struct buf *out)
{
	struct annotrow a;
	int r = annotrow_parse(p, len, &a);
	if (!r) annotrow_print(&a, out);
	return r;
}

static int again_annotkey(const char *p, size_t len, struct buf *out)
{
	struct annotkey k;
	int r = annotkey_parse(p, len, &k);
	if (r) return r;
	char *user = mem_dup(k.userid, annotkey_userlen(&k, p, len));
	annotkey_print(k.scope, k.entry, user, out);
	free(user);
	return 0;
}

static int again_mark(const char *p, size_t len, struct buf *out)
{
	struct duplicate_mark m;
	int r = duplicate_mark_parse(p, len, &m);
	if (!r) duplicate_mark_print(&m, out);
	return r;
}

static int again_markkey(const char *p, size_t len, struct buf *out)
{
	struct duplicate_key k;
	int r = duplicate_key_parse(p, len, &k);
	if (!r) duplicate_key_print(&k, out);
	return r;
}

static int again_status(const char *p, size_t len, struct buf *out)
{
	struct statusrow s;
	int r = statusrow_parse(p, len, &s);
	if (!r) statusrow_print(&s, out);
	return r;
}

static int again_statuskey(const char *p, size_t len, struct buf *out)
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

static int again_deny(const char *p, size_t len, struct buf *out)
{
	struct userdeny d;
	int r = userdeny_parse(p, len, &d);
	if (!r) userdeny_print(&d, out);
	userdeny_free(&d);
	return r;
}

static int again_mboxkey(const char *p, size_t len, struct buf *out)
{
	struct mboxkey k;
	int r = mboxkey_parse(p, len, &k);
	if (!r) mboxkey_print(&k, out);
	return r;
}

static int again_tls(const char *p, size_t len, struct buf *out)
{
	struct tlssession t;
	int r = tlssession_parse(p, len, &t);
	if (!r) tlssession_print(&t, out);
	return r;
}

static int again_pts(const char *p, size_t len, struct buf *out)
{
	struct ptsentry e;
	int r = ptsentry_parse(p, len, &e);
	if (!r) ptsentry_print(&e, out);
	ptsentry_free(&e);
	return r;
}

static int again_counters(const char *p, size_t len, struct buf *out)
{
	struct counters c;
	int r = counters_parse(p, len, &c);
	if (!r) counters_print(&c, out);
	return r;
}

static int again_zone(const char *p, size_t len, struct buf *out)
{
	struct zoneinfo z;
	int r = zoneinfo_parse(p, len, &z);
	if (!r) zoneinfo_print(&z, out);
	zoneinfo_free(&z);
	return r;
}

static int again_news(const char *p, size_t len, struct buf *out)
{
	uint64_t n;
	int r = newsstate_parse(p, len, &n);
	if (!r) newsstate_print(n, out);
	return r;
}

static int again_indexed(const char *p, size_t len, struct buf *out)
{
	struct seqset s;
	int r = indexedstate_parse(p, len, &s);
	if (!r) indexedstate_print(&s, out);
	seqset_free(&s);
	return r;
}

static int again_indexedkey(const char *p, size_t len, struct buf *out)
{
	struct indexedkey k;
	int r = indexedkey_parse(p, len, &k);
	if (!r) indexedkey_print(&k, out);
	indexedkey_free(&k);
	return r;
}

static int again_synccache(const char *p, size_t len, struct buf *out)
{
	struct arena *a = arena_new();
	struct dlist *d = synccache_parse(a, p, len);
	if (d) dlist_print(d, out);
	arena_free(a);
	return d ? 0 : ERR_BADFORMAT;
}

static int again_backup(const char *p, size_t len, struct buf *out)
{
	char *path;
	int r = backuprow_parse(p, len, &path);
	if (!r) buf_puts(out, path);
	free(path);
	return r;
}

static int again_syncline(const char *p, size_t len, struct buf *out)
{
	struct syncline l;
	size_t n = len && p[len - 1] == '\n' ? len - 1 : len;
	int r = syncline_parse(p, n, &l);
	if (!r) ck_assert_int_eq(syncline_print(l.word, l.arg[0], l.arg[1], out), 0);
	syncline_free(&l);
	return r;
}

static int again_conv(const char *p, size_t len, struct buf *out)
{
	struct arena *a = arena_new();
	struct conversation c;
	int r = conversation_parse(a, p, len, &c);
	if (!r) conversation_print(&c, out);
	arena_free(a);
	return r;
}

static int again_convmsgid(const char *p, size_t len, struct buf *out)
{
	struct arena *a = arena_new();
	struct convmsgid m;
	int r = convmsgid_parse(a, p, len, &m);
	if (!r) convmsgid_print(&m, out);
	arena_free(a);
	return r;
}

static int again_convcounts(const char *p, size_t len, struct buf *out)
{
	struct convcounts f;
	int r = convcounts_parse(p, len, &f);
	if (!r) convcounts_print(&f, out);
	return r;
}

static int again_convguid(const char *p, size_t len, struct buf *out)
{
	struct convguid g;
	int r = convguid_parse(p, len, &g);
	if (!r) convguid_print(&g, out);
	return r;
}

static int again_convguidkey(const char *p, size_t len, struct buf *out)
{
	struct convguidkey k;
	int r = convguidkey_parse(p, len, &k);
	if (!r) convguidkey_print(&k, out);
	return r;
}

static int again_convnames(const char *p, size_t len, struct buf *out)
{
	struct arena *a = arena_new();
	const char *const *names;
	size_t n;
	int r = convnames_parse(a, p, len, &names, &n);
	if (!r) convnames_print(names, n, out);
	arena_free(a);
	return r;
}

static int again_convquota(const char *p, size_t len, struct buf *out)
{
	struct convquota q;
	int r = convquota_parse(p, len, &q);
	if (!r) convquota_print(&q, out);
	return r;
}

#define US "\x1f"
#define GS "\x1d"
#define GUID "868d63568c1d53e9a8f0c0a1b2c3d4e5f6071829"
static const char counters_empty[296] = "\0\0\0\1\0\0\0\11";

static const struct { const char *what; again *fn; const char *p; size_t len; } examples[] = {
	{ "4.1", again_25, BYTES("0 default fred\tlrswipkxtecda\tanyone\tp\t") },
	{ "4.1, remote", again_25, BYTES("1 back!default fred\tlrs\t") },
	{ "4.1, tombstone", again_25, BYTES("16 default ") },
	{ "4.2", again_25, BYTES("%(A %(alice lrswipkxtecdan fred lrs) I 633e7891-c8ea-4157-b4f6-d73650e079ac P default V 1795282316 M 1795282316)") },
	{ "4.2, negative", again_25, BYTES("%(A %(anyone lrp -bob r) I 7e73936b-7d19-4e35-afe8-b4e22f8846f8 P default V 1795282316 M 1795282316)") },
	{ "4.2, tombstone", again_25, BYTES("%(I 9ddac71b-db7b-4acc-b7f5-a866e10c0184 T d V 1795282316 M 1795282317)") },
	{ "4.2, domain", again_25, BYTES("%(A %(joe@example.com lrswipkxtecdan) I 16d7f8a2-dfc8 P default V 1795282516 M 1795282516)") },
	{ "4.2, no rights", again_25, BYTES("%(A %() I 1 P default V 1 M 2)") },
	{ "4.2, murder", again_25, BYTES("%(A %(a lrs) I 1 P default S back.example T r V 1 M 2)") },
	{ "4.3, 3.0", again_25, BYTES("%(A %(a lrs) I 1 P default V 1 F 7 M 2)") },
	{ "4.3, 3.4", again_25, BYTES("%(A %(a lrs) I 1 P default V 1 C 3 F 7 M 2)") },
	{ "4.3, letters", again_25, BYTES("%(A %() I 1 P default T mrzi V 1 M 2)") },
	{ "4.4, name", again_36, BYTES("%(T e I bxix8jxki9l2m6sovxdeciwh P default V 1795282319 C 1 F 24 M 1795282320 A %(fred lrswipkxtecdan))") },
	{ "4.4, id", again_36, BYTES("%(T e N user" US "fred P default V 1795282319 C 1 F 24 M 1795282320 A %(fred lrswipkxtecdan) H ())") },
	{ "4.4, tombstone", again_36, BYTES("%(T ed I syvpzvzlvhvqwuqeyc7bi8dh V 1795282325 C 13 F 38 M 1795282320)") },
	{ "4.4, history", again_36, BYTES("%(T e N user" US "fred" US "renamed P default V 1795282325 C 13 F 38 M 1795282320 A %(fred lrswipkxtecdan) "
		"H (%(N \"user" US "fred" US "with space\" M 1795282320 V 1795282325 C 13 F 38 T ed)))") },
	{ "4.4, domain", again_36, BYTES("%(T e I ln50s1eyd8pziugzfv74wgue P default V 1795282519 C 2 F 2 M 1795282517 A %(joe@example.com lrswipkxtecdan))") },
	{ "4.4, domain, id", again_36, BYTES("%(T e N \"example.com" GS "user" US "joe" US "Sub.dot\" P default M 1 A %() H ())") },
	{ "4.4, upgraded", again_36, BYTES("%(T el I 04ad8552-8f23-40ce-8aa1-2c72ef5b7286 P default V 1795282316 M 1795282434 A %(fred lrswipkxtecdan))") },
	{ "4.4, upgraded tombstone", again_36, BYTES("%(T edl I 9ddac71b-db7b-4acc-b7f5-a866e10c0184 V 1795282316 M 1795282434 A %())") },
	{ "4.4, upgraded history", again_36, BYTES("%(T el N DELETED" US "user" US "fred" US "a" US "b" US "c" US "6B01D58D P default V 1795282317 M 1795282434 "
		"A %(fred lrswipkxtecdan) H (%(N user" US "fred" US "a" US "b" US "c M 1795282434 V 1795282316 T edl)))") },
	{ "6", again_seen, BYTES("1 1795282335 3 1795282335 1,3") },
	{ "6, range", again_seen, BYTES("1 1 42 1 1:40,42") },
	{ "6, nothing seen", again_seen, BYTES("1 1795282335 0 1795282335 ") },
	{ "7, 2.5", again_quota, BYTES("%(S (833 1000) M (8 50) AS (22) NF (5))") },
	{ "7, 3.6", again_quota, BYTES("%(S (937 1000) M (8 50) AS (22) NF (6) MODSEQ 39)") },
	{ "7, scan", again_quota, BYTES("%(S (937 1000) M (8 50) AS (22) NF (6) SCAN %(MBOX user.fred.x S 1 M 2 AS 3 NF 4) MODSEQ 39)") },
	{ "8.1", again_annotkey, BYTES("user.fred.Drafts\0/specialuse\0fred\0") },
	{ "8.1, 3.6", again_annotkey, BYTES("wx9y3imyffd7xp4bmwdnmpep\0/specialuse\0[.OwNeR.]\0") },
	{ "8.1, message", again_annotkey, BYTES("3\0/comment\0\0") },
	{ "8.1, server", again_annotkey, BYTES("\0/comment\0\0") },
	{ "8.2", again_annot, BYTES("\0\0\0\3\0\0\0\0pub\0text/plain\0\0\0\0\0\0\0\0\0") },
	{ "8.2, 3.6", again_annot, BYTES("\0\0\0\3\0\0\0\0pub\0text/plain\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x21\0") },
	{ "8.2, tombstone", again_annot, BYTES("\0\0\0\0\0\0\0\0\0text/plain\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x21\1") },
	{ "9, key", again_markkey, BYTES("<dup1@example>\00004ad8552-8f23\0Mon, 1 Jan 2024 00:00:00 +0000\0") },
	{ "9, news", again_markkey, BYTES("<n@example>\0\0\0") },
	{ "9, vacation", again_markkey, BYTES("0123456789ABCDEF0123456789ABCDEF\0fred\0\0") },
	{ "9", again_mark, BYTES("\xea\xd5\x01\x6b\0\0\0\0\7\0\0\0\0\0\0\0") },
	{ "10", again_tls, BYTES("\xea\xd5\x01\x6b\0\0\0\0\x30\x03\x02\x01\x05") },
	{ "11, 2.5", again_status, BYTES("4 63 3 0 4 1795282316 1 6 ") },
	{ "11, 3.6", again_status, BYTES("I 8 (7 8 1795282319 1 907 1 39)") },
	{ "11, 3.6, user", again_status, BYTES("S 8 (0 3 35)") },
	{ "11, key", again_statuskey, BYTES("user.alice%%fred") },
	{ "11, key of all", again_statuskey, BYTES("user.fred%") },
	{ "12", again_deny, BYTES("2\timap,pop3\tgo away") },
	{ "12, version 1", again_deny, BYTES("1\timap,pop3") },
	{ "13", again_mboxkey, BYTES("\0\1\x5b\x72" "0123456789abcd") },
	{ "15, message id", again_convmsgid, BYTES("0 177e467cc1a87eaa,9a806fd3740ce1a7 1795282319") },
	{ "15, B", again_conv, BYTES("1 (32 1 1 0 () ((0 32 1 1 0)) ((NIL NIL a b 1704067203 1)) m3 90 ((" GUID " 1 1795282319)) 20)") },
	{ "15, B, more", again_conv, BYTES("1 (32 2 1 0 (1 0) ((0 32 1 1 0) (3 5 1 0 0)) ((\"A B\" NIL a b 1704067203 1) (NIL NIL c d 1 0)) \"re: x\" 90 () 0)") },
	{ "15, B, old", again_conv, BYTES("1 (32 1 1 0 () () () NIL)") },
	{ "15, F", again_convcounts, BYTES("0 (39 7 4 7 4)") },
	{ "15, F, old", again_convcounts, BYTES("0 (39 7 4)") },
	{ "15, FOLDER_IDS", again_convnames, BYTES("(bxix8jxki9l2m6sovxdeciwh wx9y3imyffd7xp4bmwdnmpep)") },
	{ "15, COUNTED_FLAGS", again_convnames, BYTES("()") },
	{ "15, Q", again_convquota, BYTES("1 %(E 8 S 927)") },
	{ "15, G", again_convguid, BYTES("\x82\x9a\x80\x6f\xd3\x74\x0c\xe1\xa7\0\0\0\x10\0\0\0\0\0\0\0\0\x6b\x01\xd5\x8f") },
	{ "15, G, by name", again_convguid, BYTES("\x81\x9a\x80\x6f\xd3\x74\x0c\xe1\xa7\0\0\0\x10\0\0\0\0\0\0\0\0\x6b\x01\xd5\x8f") },
	{ "15, G, key", again_convguidkey, BYTES("G" GUID ":0:12") },
	{ "15, G, part", again_convguidkey, BYTES("G" GUID ":17:12[1.2]") },
	{ "16, zone", again_zone, BYTES("1 0 1700000000 ") },
	{ "16, link", again_zone, BYTES("1 1 1700000000 Europe/Vienna\tEurope/Graz") },
	{ "16, info", again_zone, BYTES("1 2 1700000000 IANA\t2023c") },
	{ "16, news", again_news, BYTES("1234\0") },
	{ "16, sync_cache", again_synccache, BYTES("%(UNIQUEID bxix8jxki9l2m6sovxdeciwh MBOXNAME \"user.fred.a b\" LAST_UID 7 OPTIONS P)") },
	{ "16, backups", again_backup, BYTES("/backup/f/fred_x1y2") },
	{ "16, indexed", again_indexed, BYTES("2 1:4,9") },
	{ "16, indexed, nothing", again_indexed, BYTES("2 ") },
	{ "16, indexed, key", again_indexedkey, BYTES("*M*bxix8jxki9l2m6sovxdeciwh*") },
	{ "16, indexed, tier", again_indexedkey, BYTES("*T*temp*M*bxix8jxki9l2m6sovxdeciwh*") },
	{ "16, indexed, old key", again_indexedkey, BYTES("user.fred.1795282316") },
	{ "16, indexed, old tier", again_indexedkey, BYTES("#c.temp#user.fred.1795282316") },
	{ "17", again_syncline, BYTES("USER fred\n") },
	{ "17, blank", again_syncline, BYTES("MAILBOX \"user.fred.a b\"\n") },
	{ "17, server", again_syncline, BYTES("ANNOTATION \"\"\n") },
	{ "17, two", again_syncline, BYTES("SEEN fred 633e7891-c8ea-4157-b4f6-d73650e079ac\n") },
	{ "17, quoted", again_syncline, BYTES("RENAME \"a\\\"b\" \"c(\\{\\}\\\\)\"\n") },
};

START_TEST(the_examples_come_back_byte_for_byte)
{
	struct buf out = BUF_INIT;
	ck_assert_int_eq(examples[_i].fn(examples[_i].p, examples[_i].len, &out), 0);
	same(&out, examples[_i].p, examples[_i].len, examples[_i].what);
	buf_free(&out);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ bad input: an error, and nothing worse */

static const struct { again *fn; const char *p; size_t len; int want; } bad[] = {
	{ again_25, BYTES(""), ERR_BADFORMAT }, { again_25, BYTES("%("), ERR_BADFORMAT }, { again_25, BYTES("%()%"), 0 },
	{ again_25, BYTES("0"), ERR_BADFORMAT }, { again_25, BYTES("x default a\tlrs\t"), ERR_BADFORMAT },
	{ again_25, BYTES("%(A %(a b lrs) I 1 P default)"), ERR_BADFORMAT },
	{ again_25, BYTES("(uniqueid x"), ERR_BADFORMAT },
	{ again_36, BYTES(""), ERR_BADFORMAT }, { again_36, BYTES("%(T q I x M 1)"), ERR_BADFORMAT }, { again_36, BYTES("(T e)"), ERR_BADFORMAT },
	{ again_36, BYTES("%(T ee I x M 1)"), ERR_BADFORMAT }, { again_36, BYTES("%(T e N a M 1 H (%(N b T q)))"), ERR_BADFORMAT },
	{ again_quota, BYTES(""), ERR_BADFORMAT }, { again_quota, BYTES("%(S (x))"), ERR_BADFORMAT }, { again_quota, BYTES("Q 1 2"), ERR_BADFORMAT },
	{ again_seen, BYTES(""), ERR_BADFORMAT }, { again_seen, BYTES("2 1 3 1 1,3"), ERR_BADFORMAT }, { again_seen, BYTES("1 1 3 1 x"), ERR_SYNTAX },
	{ again_seen, BYTES("1 1 4294967296 1 1"), ERR_BADFORMAT }, { again_seen, BYTES("1 1"), ERR_BADFORMAT },
	{ again_annot, BYTES(""), ERR_BADFORMAT }, { again_annot, BYTES("\0\0\0\4\0\0\0\0pub"), ERR_BADFORMAT },
	{ again_annot, BYTES("\xff\xff\xff\xff\0\0\0\0pub\0text/plain\0"), ERR_BADFORMAT }, { again_annot, BYTES("\0\0\0\3\0\0\0\0pubx"), ERR_BADFORMAT },
	{ again_annotkey, BYTES(""), ERR_BADFORMAT }, { again_annotkey, BYTES("a\0"), ERR_BADFORMAT }, { again_annotkey, BYTES("a\0comment\0\0"), ERR_BADFORMAT },
	{ again_annotkey, BYTES("a\0/comment\0u\0more\0"), ERR_BADFORMAT }, { again_annotkey, BYTES("a\0/comment"), ERR_BADFORMAT },
	{ again_mark, BYTES(""), ERR_BADFORMAT }, { again_mark, BYTES("1234567"), ERR_BADFORMAT }, { again_mark, BYTES("12345678901234567"), ERR_BADFORMAT },
	{ again_markkey, BYTES(""), ERR_BADFORMAT }, { again_markkey, BYTES("a\0b\0c"), ERR_BADFORMAT }, { again_markkey, BYTES("a\0b\0c\0d\0"), ERR_BADFORMAT },
	{ again_tls, BYTES(""), ERR_BADFORMAT }, { again_tls, BYTES("12345678"), ERR_BADFORMAT }, { again_tls, BYTES("12345678\x30\x04\x02\x01\x05"), ERR_BADFORMAT },
	{ again_tls, BYTES("12345678\x30\x80\x02\x01\x05"), ERR_BADFORMAT }, { again_tls, BYTES("12345678\x30\x85"), ERR_BADFORMAT },
	{ again_status, BYTES(""), ERR_BADFORMAT }, { again_status, BYTES("x"), ERR_BADFORMAT }, { again_status, BYTES("4 63 3"), ERR_BADFORMAT },
	{ again_status, BYTES("3 63 3 0 4 1795282316 1 6 "), ERR_NOTFOUND }, { again_status, BYTES("I 10 (1 2 3)"), ERR_NOTFOUND },
	{ again_status, BYTES("I 7 (1)"), ERR_NOTFOUND }, { again_status, BYTES("I 8 (1)"), ERR_BADFORMAT }, { again_status, BYTES("S 8 (0 3 35"), ERR_BADFORMAT },
	{ again_status, BYTES("S 8 (0 3 35)x"), ERR_BADFORMAT }, { again_status, BYTES("I"), ERR_BADFORMAT },
	{ again_statuskey, BYTES(""), ERR_BADFORMAT }, { again_statuskey, BYTES("user.fred"), ERR_BADFORMAT }, { again_statuskey, BYTES("%"), ERR_BADFORMAT },
	{ again_statuskey, BYTES("%%x"), ERR_BADFORMAT },
	{ again_deny, BYTES(""), ERR_BADFORMAT }, { again_deny, BYTES("2"), ERR_BADFORMAT }, { again_deny, BYTES("3\timap"), ERR_BADFORMAT },
	{ again_deny, BYTES("1\timap\tx"), ERR_BADFORMAT }, { again_deny, BYTES("2\tim\0ap"), ERR_BADFORMAT }, { again_deny, BYTES("0\timap"), ERR_BADFORMAT },
	{ again_mboxkey, BYTES(""), ERR_BADFORMAT }, { again_mboxkey, BYTES("\0\2\x5b\x72" "0123456789abcd"), ERR_NOTFOUND },
	{ again_mboxkey, BYTES("\0\1\x5b\x72" "0123456789abc"), ERR_BADFORMAT },
	{ again_pts, BYTES(""), ERR_BADFORMAT }, { again_pts, BYTES("xxxx"), ERR_BADFORMAT },
	{ again_counters, BYTES(""), ERR_BADFORMAT }, { again_counters, counters_empty, 296, ERR_CRC }, { again_counters, counters_empty, 295, ERR_BADFORMAT },
	{ again_counters, counters_empty, 56, ERR_BADFORMAT },
	{ again_convmsgid, BYTES(""), ERR_BADFORMAT }, { again_convmsgid, BYTES("1 177e467cc1a87eaa 1"), ERR_NOTFOUND },
	{ again_convmsgid, BYTES("0 177e467cc1a87ea 1"), ERR_BADFORMAT }, { again_convmsgid, BYTES("0 177e467cc1a87eaa, 1"), ERR_BADFORMAT },
	{ again_convmsgid, BYTES("0 177e467cc1a87eaa"), ERR_BADFORMAT },
	{ again_conv, BYTES(""), ERR_BADFORMAT }, { again_conv, BYTES("2 ()"), ERR_NOTFOUND }, { again_conv, BYTES("1 ()"), ERR_BADFORMAT },
	{ again_conv, BYTES("1 (32 1 1 0 () ((0 32)) () NIL)"), ERR_BADFORMAT }, { again_conv, BYTES("1 (32 1 1 0 () () () NIL"), ERR_BADFORMAT },
	{ again_conv, BYTES("1 (32 1 1 0 x () () NIL)"), ERR_BADFORMAT }, { again_conv, BYTES("1 (32 1 1 0 () () () NIL 1 ((zz 1 1)) 1)"), ERR_BADFORMAT },
	{ again_conv, BYTES("1 (32 4294967296 1 0 () () () NIL)"), ERR_BADFORMAT },
	{ again_convcounts, BYTES(""), ERR_BADFORMAT }, { again_convcounts, BYTES("0 (1 2 3 4)"), ERR_BADFORMAT }, { again_convcounts, BYTES("9 (1)"), ERR_NOTFOUND },
	{ again_convguid, BYTES(""), ERR_BADFORMAT }, { again_convguid, BYTES("\x83"), ERR_NOTFOUND }, { again_convguid, BYTES("\x82\1"), ERR_BADFORMAT },
	{ again_convguidkey, BYTES(""), ERR_BADFORMAT }, { again_convguidkey, BYTES("G" GUID), ERR_BADFORMAT }, { again_convguidkey, BYTES("G" GUID "::1"), ERR_BADFORMAT },
	{ again_convguidkey, BYTES("G" GUID ":1:1["), ERR_BADFORMAT }, { again_convguidkey, BYTES("G" GUID ":1:1[]"), ERR_BADFORMAT },
	{ again_convnames, BYTES(""), ERR_BADFORMAT }, { again_convnames, BYTES("(a (b))"), ERR_BADFORMAT }, { again_convnames, BYTES("(a"), ERR_BADFORMAT },
	{ again_convquota, BYTES("1 %(E 8)"), ERR_BADFORMAT }, { again_convquota, BYTES("2 %(E 8 S 1)"), ERR_NOTFOUND },
	{ again_zone, BYTES(""), ERR_BADFORMAT }, { again_zone, BYTES("2 0 1 x"), ERR_NOTFOUND }, { again_zone, BYTES("1 3 1 x"), ERR_BADFORMAT },
	{ again_news, BYTES(""), ERR_BADFORMAT }, { again_news, BYTES("\0"), ERR_BADFORMAT }, { again_news, BYTES("12x"), ERR_BADFORMAT },
	{ again_indexed, BYTES(""), ERR_BADFORMAT }, { again_indexed, BYTES("1 1:4"), ERR_NOTFOUND }, { again_indexed, BYTES("2 x"), ERR_BADFORMAT },
	{ again_indexedkey, BYTES(""), ERR_BADFORMAT }, { again_indexedkey, BYTES("*"), ERR_BADFORMAT }, { again_indexedkey, BYTES("*M**"), ERR_BADFORMAT },
	{ again_indexedkey, BYTES("*T*a*T*b*M*c*"), ERR_BADFORMAT }, { again_indexedkey, BYTES("user"), ERR_BADFORMAT }, { again_indexedkey, BYTES("a.x"), ERR_BADFORMAT },
	{ again_synccache, BYTES(""), ERR_BADFORMAT }, { again_synccache, BYTES("(a)"), ERR_BADFORMAT }, { again_synccache, BYTES("%(a b) c"), ERR_BADFORMAT },
	{ again_backup, BYTES(""), ERR_BADFORMAT }, { again_backup, BYTES("x"), ERR_BADFORMAT },
	{ again_syncline, BYTES(""), ERR_SYNTAX }, { again_syncline, BYTES("USER"), ERR_SYNTAX }, { again_syncline, BYTES("USER a b"), ERR_SYNTAX },
	{ again_syncline, BYTES("FROBNICATE x"), ERR_NOTFOUND }, { again_syncline, BYTES("USER \"x"), ERR_SYNTAX }, { again_syncline, BYTES("USER \"x\"y"), ERR_SYNTAX },
	{ again_syncline, BYTES("SEEN a"), ERR_SYNTAX }, { again_syncline, BYTES("USER \"a\rb\""), ERR_SYNTAX },
};

START_TEST(bad_records_are_errors)
{
	struct buf out = BUF_INIT;
	int r = bad[_i].fn(bad[_i].p, bad[_i].len, &out);
	ck_assert_msg(r == bad[_i].want, "row %d: %d, wanted %d", _i, r, bad[_i].want);
	buf_free(&out);
}
END_TEST

/* Every beginning of every example, and each with one bit turned: any answer will do. The bytes are at the end of their memory. */
START_TEST(cut_and_bent_records_hurt_nobody)
{
	for (size_t i = 0; i < COUNT(examples); i++) {
		for (size_t n = 0; n <= examples[i].len; n++) {
			char *p = mem_alloc(n + !n);
			struct buf out = BUF_INIT;
			memcpy(p, examples[i].p, n);
			if (n < examples[i].len || !n) examples[i].fn(p, n, &out);
			for (size_t k = 0; n == examples[i].len && k < n; k++) {
				p[k] = (char)(p[k] ^ (1 << (k % 8)));
				buf_reset(&out);
				examples[i].fn(p, n, &out);
				p[k] = (char)(p[k] ^ (1 << (k % 8)));
			}
			buf_free(&out);
			free(p);
		}
	}
}
END_TEST

START_TEST(images_of_structures)
{
	struct counters c = { .generation = 7, .uidvalidity = 1795282316 }, back;
	static const size_t sizes[] = { 48, 56, 64, 88, 104, 120, 200, 232, 264, 296 };
	struct buf b = BUF_INIT;
	for (int i = 0; i < COUNTERS; i++) c.modseq[i] = 1000u + (unsigned)i;
	for (c.version = 0; c.version <= COUNTERS_VERSION; c.version++) {
		buf_reset(&b);
		counters_print(&c, &b);
		ck_assert_uint_eq(b.len, sizes[c.version]);
		ck_assert_uint_eq(counters_size(c.version), sizes[c.version]);
		ck_assert_int_eq(counters_parse(b.s, b.len, &back), 0);
		ck_assert_uint_eq(back.generation, 7);
		ck_assert_uint_eq(back.version, c.version);
		ck_assert_uint_eq(back.uidvalidity, 1795282316);
		ck_assert_uint_eq(back.modseq[3], 1003);
		ck_assert_uint_eq(back.modseq[34], c.version == 9 ? 1034 : 0);
		b.s[9] ^= 1;
		ck_assert_int_eq(counters_parse(b.s, b.len, &back), ERR_CRC);
	}
	ck_assert_uint_eq(counters_size(10), 0);
	/* version 9's offsets */
	c.version = 9;
	buf_reset(&b);
	counters_print(&c, &b);
	ck_assert_str_eq(counters_names[(152 - 8) / 8], "mail folders deleted");
	ck_assert_str_eq(counters_names[(256 - 8) / 8], "sieve");
	ck_assert_uint_eq((unsigned char)b.s[280 + 6] << 8 | (unsigned char)b.s[280 + 7], 1034);
	ck_assert_str_eq(counters_names[COUNTERS - 1], "sieve folders deleted");

	struct ptsentry e = { .userid = mem_strdup("fred"), .hash = 5, .when = 1795282316, .hashes = mem_zalloc(3 * sizeof(uint32_t)) }, f;
	strarray_append(&e.groups, "group:a");
	strarray_append(&e.groups, "group:b");
	e.hashes[1] = 9;
	buf_reset(&b);
	ptsentry_print(&e, &b);
	ck_assert_uint_eq(b.len, 1048 + 2 * 516);
	ck_assert_int_eq(ptsentry_parse(b.s, b.len, &f), 0);
	ck_assert_str_eq(f.userid, "fred");
	ck_assert_str_eq(f.groups.v[1], "group:b");
	ck_assert_uint_eq(f.hashes[1], 9);
	ck_assert_int_eq((int)f.when, 1795282316);
	struct buf twice = BUF_INIT;
	ptsentry_print(&f, &twice);
	same(&twice, b.s, b.len, "ptscache");
	ptsentry_free(&f);
	ck_assert_int_eq(ptsentry_parse(b.s, b.len - 1, &f), ERR_BADFORMAT);
	memset(b.s + 4, 'x', 512);
	ck_assert_int_eq(ptsentry_parse(b.s, b.len, &f), ERR_BADFORMAT);
	memset(b.s + 528, 0xff, 4);
	ck_assert_int_eq(ptsentry_parse(b.s, b.len, &f), ERR_BADFORMAT);
	ptsentry_free(&e);
	buf_free(&b);
	buf_free(&twice);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ 4. quota */

static const struct { const char *text; uint64_t used[4]; int64_t limit[4]; } old_quotas[] = {
	{ "833 1000", { 833 }, { 1000, -1, -1, -1 } },
	{ "833 1000\n", { 833 }, { 1000, -1, -1, -1 } },
	{ "833\n1000", { 833 }, { 1000, -1, -1, -1 } },
	{ "833 -1", { 833 }, { -1, -1, -1, -1 } },
	{ "833 1000 12", { 833 }, { 1000, -1, -1, -1 } },
	{ "833 1000 M 8 50", { 833, 8 }, { 1000, 50, -1, -1 } },
	{ "833 1000 12 m 8 50 9 as 22 -1 nf 5 7", { 833, 8, 22, 5 }, { 1000, 50, -1, 7 } },
	{ "%(NF (5) S (833 1000) NEW (1 2) M (8 50))", { 833, 8, 0, 5 }, { 1000, 50, -1, -1 } },
	{ "%(S (-5 1000))", { 0 }, { 1000, -1, -1, -1 } },
	{ "%(S (833 -1))", { 833 }, { -1, -1, -1, -1 } },
};

START_TEST(t4_quota_in_every_form)
{
	struct quota q;
	ck_assert_int_eq(quota_parse(old_quotas[_i].text, strlen(old_quotas[_i].text), &q), 0);
	for (int i = 0; i < QUOTA_RESOURCES; i++) {
		ck_assert_uint_eq(q.used[i], old_quotas[_i].used[i]);
		ck_assert_int_eq(q.limit[i], old_quotas[_i].limit[i]);
	}
	ck_assert(!q.has_modseq);
	quota_free(&q);
}
END_TEST

/* SCAN is the scanner's: what is used is what the counters say, and others add to both. */
START_TEST(t4_scan_counts_for_the_writer_only)
{
	struct storetest t;
	struct quota q;
	storetest_new(&t, "3.6", NULL);
	const char *text = "%(S (1000 1) M (1) AS (0) NF (1) SCAN %(MBOX user.fred.m S 7 M 7 AS 7 NF 7))";
	ck_assert_int_eq(quota_parse(text, strlen(text), &q), 0);
	ck_assert_int_eq(quota_write(t.st, "user.fred", &q), 0);
	quota_free(&q);
	int64_t more[QUOTA_RESOURCES] = { 10, 1, 0, 0 };
	ck_assert_int_eq(quota_check(t.st, "user.fred", more, NULL), 0);          /* 1010 of 1024 bytes, whatever SCAN counts */
	ck_assert_int_eq(quota_use(t.st, "user.fred", "user.fred.a", more), 0);
	ck_assert_int_eq(quota_use(t.st, "user.fred", "user.fred.z", more), 0);
	ck_assert_int_eq(quota_read(t.st, "user.fred", &q), 0);
	ck_assert_uint_eq(q.used[0], 1020);
	ck_assert_int_eq(q.scan[0], 17);
	quota_free(&q);
	storetest_remove(&t);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ 5. annotations */

START_TEST(t5_annotation_values)
{
	struct annotrow a;
	struct annotkey k;
	static const char no_tail[] = "\0\0\0\3\0\0\0\0pub";
	ck_assert_int_eq(annotrow_parse(no_tail, 11, &a), 0);
	ck_assert(a.len == 3 && !memcmp(a.value, "pub", 3) && !a.has_tail);
	ck_assert_int_eq(annotrow_parse(no_tail, 12, &a), 0);                     /* with the NUL */
	ck_assert_uint_eq(a.len, 3);
	static const char bits32[] = "\0\0\0\3pub\0text/plain\0\0\0\0\0";
	ck_assert_int_eq(annotrow_parse(bits32, sizeof bits32 - 1, &a), 0);
	ck_assert_int_eq(a.form, ANNOTROW_32);
	ck_assert(a.len == 3 && !memcmp(a.value, "pub", 3));
	static const char empty[] = "\0\0\0\0\0\0\0\0\0text/plain\0\0\0\0\0\0\0\0";
	ck_assert_int_eq(annotrow_parse(empty, sizeof empty - 1, &a), 0);
	ck_assert_uint_eq(a.len, 0);
	static const char bytes[] = "\0\0\0\4\0\0\0\0\xff\0\x80\n\0text/plain\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x21\0";
	ck_assert_int_eq(annotrow_parse(bytes, sizeof bytes - 1, &a), 0);
	ck_assert(a.len == 4 && !memcmp(a.value, "\xff\0\x80\n", 4) && a.has_tail && a.modseq == 0x21 && !a.flags);
	static const char other_type[] = "\0\0\0\1\0\0\0\0x\0text/html; charset=utf-8\0\0\0\0\0\0\0\0\0";
	ck_assert_int_eq(annotrow_parse(other_type, sizeof other_type - 1, &a), 0);
	ck_assert(a.len == 1 && *a.value == 'x');
	static const char key[] = "3\0/comment\0fred";
	ck_assert_int_eq(annotkey_parse(key, sizeof key - 1, &k), 0);
	ck_assert(k.short_end && annotkey_userlen(&k, key, sizeof key - 1) == 4 && !strcmp(k.entry, "/comment"));
	ck_assert_int_eq(annotkey_parse("3\0/comment\0", 11, &k), 0);
	ck_assert_uint_eq(annotkey_userlen(&k, k.scope, 11), 0);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ 6. identifiers */

static const char *const identifiers[] = { "a b", "a\"b", "(a", "a)", "50%", "back\\slash", "{3}", "*", "NIL", "fred@example.com", "-bob", "group:x y",
	"caf\xc3\xa9" };

START_TEST(t6_odd_identifiers_come_back)
{
	for (int level = 0; level < 2; level++) {
		struct buf b = BUF_INIT;
		char *acl = mem_printf("%s\tlrs\tanyone\tr\t", identifiers[_i]);
		struct namespace ns = test_ns(LEVEL_36);
		struct mbentry e = { .type = 'e', .acl = acl, .uniqueid = mem_strdup("x"), .partition = mem_strdup("default") }, back = { .type = 'e' };
		if (level) mbrecord_36_name_print(&e, 1, &b);
		else mbrecord_25_print(&e, 1, &b);
		ck_assert_msg(!memmem(b.s, b.len, "A %(a b", 7), "raw: %.*s", (int)b.len, b.s);
		ck_assert_int_eq(level ? mbrecord_36_parse(b.s, b.len, &ns, &back) : mbrecord_25_parse(b.s, b.len, &back), 0);
		ck_assert_str_eq(back.acl, acl);
		ck_assert_str_eq(back.partition, "default");
		mbentry_free(&back);
		mbentry_free(&e);
		buf_free(&b);
	}
}
END_TEST

static int count_one(void *arg, const struct mbentry *e)
{
	(void)e;
	++*(int *)arg;
	return 0;
}

START_TEST(t6_a_damaged_record_is_reported_and_passed_over)
{
	struct storetest t;
	struct mbentry e;
	int n = 0;
	storetest_new(&t, "2.5", NULL);
	storetest_create(&t, "user.fred");
	static const char raw[] = "%(A %(a b lrswipkxtecdan) I 1 P default V 1 M 1)";
	ck_assert_int_eq(cyrusdb_store(t.st->mboxlist, "user.fred.damaged", 17, raw, sizeof raw - 1, NULL), 0);
	ck_assert_int_eq(mboxlist_lookup(t.st, "user.fred.damaged", &e), ERR_BADFORMAT);
	ck_assert_int_eq(mboxlist_each(t.st, NULL, MBOXLIST_LIVE, count_one, &n), 0);
	ck_assert_int_eq(n, 1);
	storetest_remove(&t);

	/* nor does it make a list of 3.6 look half upgraded, which nobody would open */
	storetest_new(&t, "3.6", NULL);
	storetest_create(&t, "user.fred");
	ck_assert_int_eq(cyrusdb_store(t.st->mboxlist, "Nuser" US "fred" US "damaged", 18, raw, sizeof raw - 1, NULL), 0);
	reopen(&t, "auto");
	ck_assert_int_eq(mboxlist_lookup(t.st, "user.fred.damaged", &e), ERR_BADFORMAT);
	n = 0;
	ck_assert_int_eq(mboxlist_each(t.st, NULL, MBOXLIST_LIVE, count_one, &n), 0);
	ck_assert_int_eq(n, 1);
	storetest_remove(&t);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ 7. seen */

START_TEST(t7_seen_values)
{
	struct seen s;
	ck_assert_int_eq(seen_parse(&s, BYTES("1 5 3 6 ")), 0);
	ck_assert_uint_eq(seqset_count(&s.uids), 0);
	seen_free(&s);
	ck_assert_int_eq(seen_parse(&s, BYTES("1 5 3 6 1:*")), 0);
	ck_assert_uint_eq(seqset_count(&s.uids), 3);                    /* `*` is lastuid */
	seen_free(&s);
	ck_assert_int_eq(seen_parse(&s, BYTES("1 5 3 6 1:x")), ERR_SYNTAX);
	ck_assert_uint_eq(s.lastuid, 3);
	seen_free(&s);
	ck_assert_int_eq(seen_parse(&s, BYTES("2 5 3 6 1")), ERR_BADFORMAT);
	seen_free(&s);
}
END_TEST

START_TEST(t7_a_bad_set_reads_as_nothing_seen)
{
	struct storetest t;
	struct seen s;
	struct buf path = BUF_INIT;
	struct cyrusdb *db;
	storetest_new(&t, "2.5", NULL);
	t.st->layout->user_file(t.st, "fred", "seen", &path);
	ck_assert_int_eq(cyrusdb_open(t.st->dbs, conf_word(t.conf, OPT_SEENSTATE_DB), buf_cstr(&path), CYRUSDB_CREATE, &db), 0);
	ck_assert_int_eq(cyrusdb_store(db, "id", 2, BYTES("1 5 3 6 junk"), NULL), 0);
	ck_assert_int_eq(cyrusdb_store(db, "new", 3, BYTES("9 5 3 6 1"), NULL), 0);
	cyrusdb_close(db);
	ck_assert_int_eq(seen_read(t.st, "fred", "id", &s), 0);
	ck_assert_uint_eq(s.lastuid, 3);
	ck_assert_uint_eq(seqset_count(&s.uids), 0);
	seen_free(&s);
	ck_assert_int_eq(seen_read(t.st, "fred", "new", &s), ERR_BADFORMAT);
	seen_free(&s);
	buf_free(&path);
	storetest_remove(&t);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ 8. sync log */

START_TEST(t8_sync_log_names)
{
	static const char *const names[] = { "user.a b", "user.a\"b", "user.{x}", "user.\xc3\xa4", "", "a(b", "a)b", "a\\b", "a\tb", "plain" };
	for (size_t i = 0; i < COUNT(names); i++) {
		struct buf b = BUF_INIT;
		struct syncline l;
		ck_assert_int_eq(syncline_print("DOUBLEMAILBOX", names[i], "x", &b), 0);
		ck_assert_int_eq(syncline_parse(b.s, b.len - 1, &l), 0);
		ck_assert_str_eq(l.arg[0], names[i]);
		ck_assert_str_eq(l.arg[1], "x");
		syncline_free(&l);
		buf_free(&b);
	}
	struct buf b = BUF_INIT;
	ck_assert_int_eq(syncline_print("USER", "a\nb", NULL, &b), ERR_SYNTAX);
	ck_assert_uint_eq(b.len, 0);
}
END_TEST

/* The reader renames the log and waits for whoever has it locked: the line must not end up in the file that it is about to read to its end. */
START_TEST(t8_the_log_is_renamed_under_the_writer)
{
	struct storetest t;
	storetest_new(&t, "3.6", "sync_log: yes\n");
	char *log = mem_printf("%s/conf/sync/log", t.dir), *run = mem_printf("%s/conf/sync/log-run", t.dir);
	synclog(t.st, "USER", "first", NULL);
	int fd = open(log, O_RDWR);
	ck_assert_int_eq(lock_fd(fd, LOCK_EXCLUSIVE, LOCK_DEFAULT, log), 0);
	pid_t pid = fork();
	if (!pid) {                                   /* locks are a process's: the writer must be another one */
		synclog(t.st, "USER", "second", NULL);
		_exit(0);
	}
	ck_assert_int_eq(rename(log, run), 0);
	close(fd);
	waitpid(pid, NULL, 0);
	struct buf b = BUF_INIT;
	ck_assert_int_eq(file_read(run, 1000, &b), 0);
	same(&b, BYTES("USER first\n"), "log-run");
	buf_reset(&b);
	ck_assert_int_eq(file_read(log, 1000, &b), 0);
	same(&b, BYTES("USER second\n"), "log");
	buf_free(&b);
	free(log);
	free(run);
	storetest_remove(&t);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ 9. user_deny */

START_TEST(t9_user_deny_in_a_flat_file)
{
	struct storetest t;
	struct cyrusdb *db;
	struct userdeny d;
	struct buf raw = BUF_INIT;
	const char *val;
	size_t len;
	storetest_new(&t, "3.6", NULL);
	char *path = mem_printf("%s/conf/user_deny.db", t.dir);
	FILE *f = fopen(path, "w");                               /* by hand: TABs as they are; and escaped */
	fputs("alice\t2\t!imap,*\tnot by mail\nbob\t2\xff\x89imap,pop3\xff\x89go away\n", f);
	fclose(f);
	ck_assert_int_eq(cyrusdb_open(t.st->dbs, "flat", path, 0, &db), 0);
	ck_assert_int_eq(cyrusdb_fetch(db, "alice", 5, &val, &len, NULL), 0);
	ck_assert_int_eq(userdeny_parse(val, len, &d), 0);
	ck_assert_str_eq(d.message, "not by mail");
	ck_assert(!userdeny_applies(&d, "imap") && userdeny_applies(&d, "imaps") && userdeny_applies(&d, "lmtp"));
	userdeny_free(&d);
	ck_assert_int_eq(cyrusdb_fetch(db, "bob", 3, &val, &len, NULL), 0);
	ck_assert_int_eq(userdeny_parse(val, len, &d), 0);
	ck_assert(userdeny_applies(&d, "imap") && userdeny_applies(&d, "pop3") && !userdeny_applies(&d, "imaps"));
	userdeny_print(&d, &raw);
	ck_assert_int_eq(cyrusdb_store(db, "bob", 3, raw.s, raw.len, NULL), 0);
	cyrusdb_close(db);
	buf_reset(&raw);
	ck_assert_int_eq(file_read(path, 1000, &raw), 0);
	ck_assert_ptr_nonnull(memmem(raw.s, raw.len, BYTES("\x62\x6f\x62\x09\x32\xff\x89\x69\x6d\x61\x70\x2c\x70\x6f\x70\x33\xff\x89\x67\x6f")));
	userdeny_free(&d);
	buf_free(&raw);
	free(path);
	storetest_remove(&t);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ 2, 3. layouts */

#define LINE_25 "%(A %(fred lrs) I u-1 P default V 1 M 1)"

START_TEST(t2_a_store_keeps_its_form)
{
	struct storetest t;
	storetest_new(&t, "2.5", NULL);
	storetest_create(&t, "user.fred");
	reopen(&t, "3.6");
	ck_assert_int_eq(t.st->layout->level, LEVEL_25);
	storetest_create(&t, "user.fred.a");
	char *v = raw_value(&t, "user.fred.a"), *n = raw_value(&t, "Nuser" US "fred" US "a");
	ck_assert(v && !memcmp(v, "%(A ", 4) && !n);
	free(v);
	storetest_remove(&t);

	storetest_new(&t, "3.6", NULL);
	storetest_create(&t, "user.fred");
	reopen(&t, "2.5");
	ck_assert_int_eq(t.st->layout->level, LEVEL_36);
	storetest_create(&t, "user.fred.a");
	v = raw_value(&t, "Nuser" US "fred" US "a");
	n = raw_value(&t, "user.fred.a");
	ck_assert(v && !memcmp(v, "%(T e I ", 8) && !n);
	free(v);
	storetest_remove(&t);
}
END_TEST

/* A 2.5 list whose first key looks like one of 3.6's; and a list that is both. */
START_TEST(t3_the_news_store)
{
	struct storetest t;
	enum conf_level level;
	storetest_new(&t, "2.5", NULL);
	put_raw(&t, "News", LINE_25);
	put_raw(&t, "Inbox", LINE_25);
	put_raw(&t, "AS", LINE_25);
	ck_assert_int_eq(layout_detect(t.st->mboxlist, &level), 0);
	ck_assert_int_eq(level, LEVEL_25);
	ck_assert_int_eq(layout_prove(t.st->mboxlist, &level), 0);
	ck_assert_int_eq(level, LEVEL_25);
	reopen(&t, "auto");
	ck_assert_int_eq(t.st->layout->level, LEVEL_25);
	struct mbentry e;
	ck_assert_int_eq(mboxlist_lookup(t.st, "News", &e), 0);
	ck_assert_str_eq(e.uniqueid, "u-1");
	mbentry_free(&e);
	/* what 3.6.1 made of it: a marker and a row for "ews" prove nothing */
	put_raw(&t, "AS\x1e", "");
	put_raw(&t, "AS\x1e" "fred\x1e" "ews", "");
	ck_assert_int_eq(layout_detect(t.st->mboxlist, &level), 0);
	ck_assert_int_eq(level, LEVEL_25);
	/* with records of 3.6 among them it is a damaged upgrade */
	put_raw(&t, "Iu-2", "%(T e N a P default M 1 A %() H ())");
	ck_assert_int_eq(layout_prove(t.st->mboxlist, &level), ERR_BADFORMAT);
	storetest_remove(&t);
}
END_TEST

START_TEST(t3_the_dotted_user)
{
	struct storetest t;
	struct buf path = BUF_INIT;
	storetest_new(&t, "2.5", "unixhierarchysep: yes\n");
	t.st->layout->user_file(t.st, "fred.smith", "sub", &path);
	ck_assert_msg(strstr(buf_cstr(&path), "/conf/user/f/fred^smith.sub"), "%s", path.s);
	storetest_remove(&t);
	storetest_new(&t, "3.6", NULL);
	buf_reset(&path);
	t.st->layout->user_file(t.st, "fred.smith", "sub", &path);          /* no INBOX: by name */
	ck_assert_msg(strstr(buf_cstr(&path), "/conf/user/f/fred.smith.sub"), "%s", path.s);
	storetest_run("mkdir -p %s/conf/user/f && touch '%s/conf/user/f/fred^smith.sub'", t.dir, t.dir);
	buf_reset(&path);
	t.st->layout->user_file(t.st, "fred.smith", "sub", &path);          /* what an upgrade left */
	ck_assert_msg(strstr(buf_cstr(&path), "/conf/user/f/fred^smith.sub"), "%s", path.s);
	storetest_run("touch %s/conf/user/f/fred.smith.sub", t.dir);
	buf_reset(&path);
	t.st->layout->user_file(t.st, "fred.smith", "sub", &path);
	ck_assert_msg(strstr(buf_cstr(&path), "/conf/user/f/fred.smith.sub"), "%s", path.s);
	buf_free(&path);
	storetest_remove(&t);
}
END_TEST

START_TEST(t3_tombstones)
{
	for (int level = 0; level < 2; level++) {
		struct storetest t;
		struct mbentry e;
		storetest_new(&t, level ? "3.6" : "2.5", NULL);
		storetest_create(&t, "user.fred");
		storetest_create(&t, "user.fred.x");
		ck_assert_int_eq(mboxlist_lookup(t.st, "user.fred.x", &e), 0);
		char *id = mem_strdup(e.uniqueid);
		ck_assert_int_eq(mboxlist_bury(t.st, &e), 0);
		mbentry_free(&e);
		ck_assert_int_eq(mboxlist_lookup(t.st, "user.fred.x", &e), ERR_NOMAILBOX);
		ck_assert_int_eq(mboxlist_lookup_any(t.st, "user.fred.x", &e), 0);
		ck_assert(e.flags & MBENTRY_DELETED && !e.partition && !*e.acl);
		mbentry_free(&e);
		char *v = raw_value(&t, level ? "Nuser" US "fred" US "x" : "user.fred.x");
		char *want = mem_printf(level ? "%%(T ed I %s V " : "%%(I %s T d V ", id);
		ck_assert_msg(!strncmp(v, want, strlen(want)) && !strstr(v, " A "), "%s", v);
		free(v);
		free(want);
		/* made anew it is another mailbox */
		storetest_create(&t, "user.fred.x");
		ck_assert_int_eq(mboxlist_lookup(t.st, "user.fred.x", &e), 0);
		ck_assert_str_ne(e.uniqueid, id);
		mbentry_free(&e);
		/* a DELETED name leaves nothing, neither by name nor by id */
		storetest_create(&t, "DELETED.user.fred.y.6B01D58D");
		ck_assert_int_eq(mboxlist_lookup(t.st, "DELETED.user.fred.y.6B01D58D", &e), 0);
		free(id);
		id = mem_printf("I%s", e.uniqueid);
		ck_assert_int_eq(mboxlist_bury(t.st, &e), 0);
		mbentry_free(&e);
		ck_assert_int_eq(mboxlist_lookup_any(t.st, "DELETED.user.fred.y.6B01D58D", &e), ERR_NOMAILBOX);
		ck_assert_ptr_null(raw_value(&t, id));
		free(id);
		storetest_remove(&t);
	}
}
END_TEST

/* ------------------------------------------------------------------------------------------------ 11. hashing */

static const struct { const char *name; char plain, full; } hashes[] = {
	{ "fred", 'f', 0 }, { "alice", 'a', 'L' }, { "bob", 'b', 'E' }, { "admin", 'a', 'I' }, { "carol", 'c', 'B' }, { "margaret", 'm', 'U' }, { "dave", 'd', 'G' },
	{ "erin", 'e', 'C' }, { "heidi", 'h', 'L' }, { "joe", 'j', 'B' }, { "fred^smith", 'f', 'L' }, { "fred.smith", 'f', 'E' }, { "ann.lee", 'a', 'N' },
	{ "example.net", 'e', 'O' }, { "1stfloor", 'q', 0 }, { "\xc3\x84", 'q', 0 }, { "Fred", 'f', 0 }, { "", 'q', 0 },
};

START_TEST(t11_hashing)
{
	ck_assert_int_eq(dir_hash_c(hashes[_i].name, false), hashes[_i].plain);
	char full = (char)dir_hash_c(hashes[_i].name, true);
	ck_assert_msg(hashes[_i].full ? full == hashes[_i].full : full >= 'A' && full <= 'W', "%s: %c", hashes[_i].name, full);
}
END_TEST

static const struct { const char *more, *user, *file, *spool, *root; } places[] = {
	{ "", "fred", "user/f/fred.sub", "user/fred", NULL },
	{ "hashimapspool: yes\n", "fred", "user/f/fred.sub", "f/user/fred", NULL },
	{ "fulldirhash: yes\n", "alice", "user/L/alice.sub", "user/alice", NULL },
	{ "hashimapspool: yes\nfulldirhash: yes\n", "alice", "user/L/alice.sub", "L/user/alice", NULL },
	{ "virtdomains: userid\ndefaultdomain: here\n", "joe@example.net", "domain/e/example.net/user/j/joe.sub", "domain/example.net/user/joe", NULL },
	{ "virtdomains: userid\ndefaultdomain: here\nhashimapspool: yes\n", "joe@example.net", "domain/e/example.net/user/j/joe.sub",
		"domain/e/example.net/j/user/joe", NULL },
	{ "virtdomains: userid\ndefaultdomain: here\nhashimapspool: yes\nfulldirhash: yes\n", "joe@example.net", "domain/O/example.net/user/B/joe.sub",
		"domain/O/example.net/B/user/joe", NULL },
	{ "virtdomains: userid\ndefaultdomain: here\nhashimapspool: yes\n", "joe@here", "user/j/joe.sub", "j/user/joe", NULL },
	{ "hashimapspool: yes\n", "1stfloor", "user/q/1stfloor.sub", "q/user/1stfloor", NULL },
};

START_TEST(t11_places)
{
	struct storetest t;
	struct buf path = BUF_INIT;
	struct mbname n;
	storetest_new(&t, "2.5", places[_i].more);
	char *userid = NULL, *file = mem_printf("%s/conf/%s", t.dir, places[_i].file), *dir = mem_printf("%s/spool/%s", t.dir, places[_i].spool);
	ck_assert_int_eq(mbname_from_userid(&n, places[_i].user, &t.st->ns), 0);
	userid = mbname_userid(&n);
	t.st->layout->user_file(t.st, userid, "sub", &path);
	ck_assert_str_eq(buf_cstr(&path), file);
	struct mbentry e = { .name = mbname_internal(&n, &t.st->ns), .partition = mem_strdup("default"), .flags = MBENTRY_LEGACYDIRS, .acl = mem_strdup("") };
	mbname_copy(&e.parts, &n);
	buf_reset(&path);
	ck_assert_int_eq(path_mailbox(t.st, &e, META_DATA, NULL, &path), 0);
	ck_assert_str_eq(buf_cstr(&path), dir);
	mbentry_free(&e);
	mbname_free(&n);
	buf_free(&path);
	free(userid);
	free(file);
	free(dir);
	storetest_remove(&t);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ the recorded stores */

static const char *const versions[] = { "2.5.7", "2.5.7-alt", "3.6.1", "3.6.1-alt" };

struct golden {
	struct storetest t;
	bool new_layout;
	const char *file;
	unsigned rows, files;
};
static struct golden gold;               /* nftw() has no argument */

static int again_list(const char *p, size_t len, struct buf *out) { return gold.new_layout ? again_36(p, len, out) : again_25(p, len, out); }

static int again_subkey(const char *p, size_t len, struct buf *out)
{
	buf_append(out, p, len);             /* checked whole by subscriptions() */
	return 0;
}

static int again_nothing(const char *p, size_t len, struct buf *out)
{
	(void)out;
	ck_assert_msg(!len, "a value where there is none: %.*s", (int)len, p);
	return 0;
}

static const struct table { const char *suffix; enum conf_opt engine; again *key, *value; } tables[] = {
	{ "mailboxes.db", OPT_MBOXLIST_DB, NULL, again_list }, { "annotations.db", OPT_ANNOTATION_DB, again_annotkey, again_annot },
	{ "cyrus.annotations", OPT_ANNOTATION_DB, again_annotkey, again_annot }, { "deliver.db", OPT_DUPLICATE_DB, again_markkey, again_mark },
	{ "statuscache.db", OPT_STATUSCACHE_DB, again_statuskey, again_status }, { "user_deny.db", OPT_USERDENY_DB, NULL, again_deny },
	{ "sub", OPT_SUBSCRIPTION_DB, again_subkey, again_nothing }, { "sub.db", OPT_SUBSCRIPTION_DB, again_subkey, again_nothing },
	{ ".seen", OPT_SEENSTATE_DB, NULL, again_seen }, { "/seen.db", OPT_SEENSTATE_DB, NULL, again_seen },
	{ ".mboxkey", OPT_MBOXKEY_DB, NULL, again_mboxkey }, { "/mboxkey.db", OPT_MBOXKEY_DB, NULL, again_mboxkey },
};

static bool ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);
	return n >= m && !strcmp(s + n - m, suffix);
}

static int row(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	const struct table *tb = arg;
	struct buf out = BUF_INIT;
	gold.rows++;
	if (tb->value == again_nothing && *key == '\x1f') return 0;              /* the version of the subscriptions */
	if (tb->key) {
		ck_assert_int_eq(tb->key(key, keylen, &out), 0);
		same(&out, key, keylen, gold.file);
	}
	buf_reset(&out);
	again *fn = tb->value == again_list && gold.new_layout && *key == 'A' ? again_nothing : tb->value;
	int r = fn(val, vallen, &out);
	ck_assert_msg(!r, "%s: %.*s: %.*s: %s", gold.file, (int)keylen, key, (int)vallen, val, err_text(r));
	same(&out, val, vallen, gold.file);
	buf_free(&out);
	return 0;
}

static int table_file(const char *path, const struct stat *sb, int kind, struct FTW *ftw)
{
	(void)sb, (void)ftw;
	for (size_t i = 0; kind == FTW_F && i < COUNT(tables); i++) {
		struct cyrusdb *db;
		if (!ends(path, tables[i].suffix)) continue;
		gold.file = path;
		gold.files++;
		ck_assert_msg(!cyrusdb_open(gold.t.st->dbs, conf_word(gold.t.conf, tables[i].engine), path, CYRUSDB_RDONLY, &db), "%s", path);
		ck_assert_int_eq(cyrusdb_foreach(db, "", 0, NULL, row, (void *)&tables[i], NULL), 0);
		cyrusdb_close(db);
		break;
	}
	return 0;
}

static void golden_open(int version)
{
	gold = (struct golden){ .new_layout = version >= 2 };
	storetest_golden(&gold.t, versions[version]);
}

START_TEST(every_record_of_the_recorded_stores)
{
	golden_open(_i);
	ck_assert_int_eq(gold.t.st->layout->level, gold.new_layout ? LEVEL_36 : LEVEL_25);
	ck_assert_int_eq(nftw(gold.t.dir, table_file, 20, FTW_PHYS), 0);
	ck_assert_msg(gold.files > 20 && gold.rows > 300, "%u rows in %u files", gold.rows, gold.files);
	storetest_remove(&gold.t);
}
END_TEST

/* Quota roots are not one file; the log is text; subscriptions depend on whose they are. */
struct roots { unsigned n; };

static int root(void *arg, const char *name, const struct quota *q)
{
	struct roots *r = arg;
	char *path = mem_printf("find %s/conf -path '*/quota/*/%s' -type f", gold.t.dir, strchr(name, '!') ? strchr(name, '!') + 1 : name);
	FILE *f = popen(path, "r");
	char file[1024];
	ck_assert_ptr_nonnull(fgets(file, sizeof file, f));
	pclose(f);
	file[strcspn(file, "\n")] = 0;
	struct buf text = BUF_INIT, out = BUF_INIT;
	ck_assert_int_eq(file_read(file, 4096, &text), 0);
	quota_print(q, q->has_modseq, &out);
	const char *line = memchr(text.s, '%', text.len);
	size_t n = (size_t)(text.s + text.len - line);
	if (n && line[n - 1] == '\n') n--;
	same(&out, line, n, file);
	buf_free(&text);
	buf_free(&out);
	free(path);
	r->n++;
	return 0;
}

struct want { const struct buf *keys; const char *userid; size_t at; };

static int sub_again(void *arg, const struct mbname *n)
{
	struct want *w = arg;
	struct buf key = BUF_INIT;
	gold.t.st->layout->sub_key(gold.t.st, w->userid, n, &key);
	size_t len = strlen(w->keys->s + w->at);
	same(&key, w->keys->s + w->at, len, w->userid);
	w->at += len + 1;
	buf_free(&key);
	return 0;
}

static int add_key(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	struct buf *keys = arg;
	(void)val, (void)vallen;
	if (*key == '\x1f') return 0;
	buf_append(keys, key, keylen);
	buf_putc(keys, 0);
	return 0;
}

static unsigned subscriptions(const char *userid)
{
	struct buf path = BUF_INIT, keys = BUF_INIT;
	struct cyrusdb *db;
	struct want w = { &keys, userid, 0 };
	gold.t.st->layout->user_file(gold.t.st, userid, "sub", &path);
	if (cyrusdb_open(gold.t.st->dbs, conf_word(gold.t.conf, OPT_SUBSCRIPTION_DB), buf_cstr(&path), 0, &db)) {
		buf_free(&path);
		return 0;
	}
	ck_assert_int_eq(cyrusdb_foreach(db, "", 0, NULL, add_key, &keys, NULL), 0);
	cyrusdb_close(db);
	ck_assert_int_eq(subs_each(gold.t.st, userid, sub_again, &w), 0);
	ck_assert_uint_eq(w.at, keys.len);
	unsigned n = keys.len > 0;
	buf_free(&path);
	buf_free(&keys);
	return n;
}

START_TEST(quotas_logs_and_subscriptions_of_the_recorded_stores)
{
	static const char *const users[] = { "alice", "bob", "carol", "admin", "heidi", "margaret", "peggy", "fredsmith", "fred.smith", "joe@example.net" };
	struct roots r = { 0 };
	unsigned with_subs = 0, lines = 0;
	golden_open(_i);
	ck_assert_int_eq(quota_each(gold.t.st, "", root, &r), 0);
	ck_assert_uint_ge(r.n, 12);
	for (size_t i = 0; i < COUNT(users); i++) with_subs += subscriptions(users[i]);
	ck_assert_uint_ge(with_subs, 5);
	char *log = mem_printf("%s/conf/sync/log", gold.t.dir);
	struct buf text = BUF_INIT, out = BUF_INIT;
	if (!file_read(log, 1 << 24, &text)) {
		for (char *p = text.s, *end = p + text.len, *nl; p < end && (nl = memchr(p, '\n', (size_t)(end - p))); p = nl + 1, lines++) {
			buf_reset(&out);
			ck_assert_msg(!again_syncline(p, (size_t)(nl - p), &out), "%.*s", (int)(nl - p), p);
			same(&out, p, (size_t)(nl - p) + 1, "sync/log");
		}
		ck_assert_uint_gt(lines, 100);
	}
	ck_assert_int_eq(lines > 0, _i == 1 || _i == 3);
	buf_free(&text);
	buf_free(&out);
	free(log);
	storetest_remove(&gold.t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tables");
	TCase *c = tcase_create("records"), *p = tcase_create("points"), *g = tcase_create("recorded stores");
	tcase_set_timeout(g, 120);
	tcase_set_timeout(p, 60);
	suite_add_tcase(s, c);
	suite_add_tcase(s, p);
	suite_add_tcase(s, g);
	tcase_add_loop_test(c, the_examples_come_back_byte_for_byte, 0, COUNT(examples));
	tcase_add_loop_test(c, bad_records_are_errors, 0, COUNT(bad));
	tcase_add_test(c, cut_and_bent_records_hurt_nobody);
	tcase_add_test(c, images_of_structures);
	tcase_add_test(p, t2_a_store_keeps_its_form);
	tcase_add_test(p, t3_the_news_store);
	tcase_add_test(p, t3_the_dotted_user);
	tcase_add_test(p, t3_tombstones);
	tcase_add_loop_test(p, t4_quota_in_every_form, 0, COUNT(old_quotas));
	tcase_add_test(p, t4_scan_counts_for_the_writer_only);
	tcase_add_test(p, t5_annotation_values);
	tcase_add_loop_test(p, t6_odd_identifiers_come_back, 0, COUNT(identifiers));
	tcase_add_test(p, t6_a_damaged_record_is_reported_and_passed_over);
	tcase_add_test(p, t7_seen_values);
	tcase_add_test(p, t7_a_bad_set_reads_as_nothing_seen);
	tcase_add_test(p, t8_sync_log_names);
	tcase_add_test(p, t8_the_log_is_renamed_under_the_writer);
	tcase_add_test(p, t9_user_deny_in_a_flat_file);
	tcase_add_loop_test(p, t11_hashing, 0, COUNT(hashes));
	tcase_add_loop_test(p, t11_places, 0, COUNT(places));
	tcase_add_loop_test(g, every_record_of_the_recorded_stores, 0, COUNT(versions));
	tcase_add_loop_test(g, quotas_logs_and_subscriptions_of_the_recorded_stores, 0, COUNT(versions));
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
