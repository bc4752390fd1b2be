/* check_records.c - the records written in Cyrus's notes byte for byte, and damage (spec/databases.md). */
#include "cunit/store/tables/suites.h"
#include "cunit/store/tables/tables.h"
#include "store/counters.h"
#include "store/ptsentry.h"

#define GUID "868d63568c1d53e9a8f0c0a1b2c3d4e5f6071829"
static const char counters_empty[296] = "\0\0\0\1\0\0\0\11";

static const struct { const char *what; again *fn; const char *p; size_t len; } examples[] = {
	{ "4.1", again_25, BYTES("0 default fred\tlrswipkxtecda\tanyone\tp\t") },
	{ "4.1, remote", again_25, BYTES("1 back!default fred\tlrs\t") },
	{ "4.1, tombstone", again_25, BYTES("16 default ") },
	{ "4.2", again_25,
		BYTES("%(A %(alice lrswipkxtecdan fred lrs) I 633e7891-c8ea-4157-b4f6-d73650e079ac P default V 1795282316 M "
		"1795282316)") },
	{ "4.2, negative", again_25,
		BYTES("%(A %(anyone lrp -bob r) I 7e73936b-7d19-4e35-afe8-b4e22f8846f8 P default V 1795282316 M 1795282316)") },
	{ "4.2, tombstone", again_25, BYTES("%(I 9ddac71b-db7b-4acc-b7f5-a866e10c0184 T d V 1795282316 M 1795282317)") },
	{ "4.2, domain", again_25,
		BYTES("%(A %(joe@example.com lrswipkxtecdan) I 16d7f8a2-dfc8 P default V 1795282516 M 1795282516)") },
	{ "4.2, no rights", again_25, BYTES("%(A %() I 1 P default V 1 M 2)") },
	{ "4.2, murder", again_25, BYTES("%(A %(a lrs) I 1 P default S back.example T r V 1 M 2)") },
	{ "4.3, 3.0", again_25, BYTES("%(A %(a lrs) I 1 P default V 1 F 7 M 2)") },
	{ "4.3, 3.4", again_25, BYTES("%(A %(a lrs) I 1 P default V 1 C 3 F 7 M 2)") },
	{ "4.3, letters", again_25, BYTES("%(A %() I 1 P default T mrzi V 1 M 2)") },
	{ "4.4, name", again_36,
		BYTES("%(T e I bxix8jxki9l2m6sovxdeciwh P default V 1795282319 C 1 F 24 M 1795282320 A %(fred lrswipkxtecdan))") },
	{ "4.4, id", again_36,
		BYTES("%(T e N user" US "fred P default V 1795282319 C 1 F 24 M 1795282320 A %(fred lrswipkxtecdan) H ())") },
	{ "4.4, tombstone", again_36, BYTES("%(T ed I syvpzvzlvhvqwuqeyc7bi8dh V 1795282325 C 13 F 38 M 1795282320)") },
	{ "4.4, history", again_36,
		BYTES("%(T e N user" US "fred" US "renamed P default V 1795282325 C 13 F 38 M 1795282320 A %(fred lrswipkxtecdan) "
		"H (%(N \"user" US "fred" US "with space\" M 1795282320 V 1795282325 C 13 F 38 T ed)))") },
	{ "4.4, domain", again_36,
		BYTES("%(T e I ln50s1eyd8pziugzfv74wgue P default V 1795282519 C 2 F 2 M 1795282517 A %(joe@example.com "
		"lrswipkxtecdan))") },
	{ "4.4, domain, id", again_36, BYTES("%(T e N \"example.com" GS "user" US "joe" US "Sub.dot\" P default M 1 A %() H ())") },
	{ "4.4, upgraded", again_36,
		BYTES("%(T el I 04ad8552-8f23-40ce-8aa1-2c72ef5b7286 P default V 1795282316 M 1795282434 A %(fred lrswipkxtecdan))") },
	{ "4.4, upgraded tombstone", again_36,
		BYTES("%(T edl I 9ddac71b-db7b-4acc-b7f5-a866e10c0184 V 1795282316 M 1795282434 A %())") },
	{ "4.4, upgraded history", again_36,
		BYTES("%(T el N DELETED" US "user" US "fred" US "a" US "b" US "c" US "6B01D58D P default V 1795282317 M 1795282434 "
		"A %(fred lrswipkxtecdan) H (%(N user" US "fred" US "a" US "b" US "c M 1795282434 V 1795282316 T edl)))") },
	{ "6", again_seen, BYTES("1 1795282335 3 1795282335 1,3") },
	{ "6, range", again_seen, BYTES("1 1 42 1 1:40,42") },
	{ "6, nothing seen", again_seen, BYTES("1 1795282335 0 1795282335 ") },
	{ "7, 2.5", again_quota, BYTES("%(S (833 1000) M (8 50) AS (22) NF (5))") },
	{ "7, 3.6", again_quota, BYTES("%(S (937 1000) M (8 50) AS (22) NF (6) MODSEQ 39)") },
	{ "7, scan", again_quota,
		BYTES("%(S (937 1000) M (8 50) AS (22) NF (6) SCAN %(MBOX user.fred.x S 1 M 2 AS 3 NF 4) MODSEQ 39)") },
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
	{ "15, B", again_conv,
		BYTES("1 (32 1 1 0 () ((0 32 1 1 0)) ((NIL NIL a b 1704067203 1)) m3 90 ((" GUID " 1 1795282319)) 20)") },
	{ "15, B, more", again_conv,
		BYTES("1 (32 2 1 0 (1 0) ((0 32 1 1 0) (3 5 1 0 0)) ((\"A B\" NIL a b 1704067203 1) (NIL NIL c d 1 0)) \"re: x\" 90 () "
		"0)") },
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
	{ "16, sync_cache", again_synccache,
		BYTES("%(UNIQUEID bxix8jxki9l2m6sovxdeciwh MBOXNAME \"user.fred.a b\" LAST_UID 7 OPTIONS P)") },
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

/* ------------------------------------------------------------------------------------- bad input: an error, and nothing worse */

static const struct { again *fn; const char *p; size_t len; int want; } bad[] = {
	{ again_25, BYTES(""), ERR_BADFORMAT }, { again_25, BYTES("%("), ERR_BADFORMAT }, { again_25, BYTES("%()%"), 0 },
	{ again_25, BYTES("0"), ERR_BADFORMAT }, { again_25, BYTES("x default a\tlrs\t"), ERR_BADFORMAT },
	{ again_25, BYTES("%(A %(a b lrs) I 1 P default)"), ERR_BADFORMAT },
	{ again_25, BYTES("(uniqueid x"), ERR_BADFORMAT },
	{ again_36, BYTES(""), ERR_BADFORMAT }, { again_36, BYTES("%(T q I x M 1)"), ERR_BADFORMAT },
	{ again_36, BYTES("(T e)"), ERR_BADFORMAT },
	{ again_36, BYTES("%(T ee I x M 1)"), ERR_BADFORMAT }, { again_36, BYTES("%(T e N a M 1 H (%(N b T q)))"), ERR_BADFORMAT },
	{ again_quota, BYTES(""), ERR_BADFORMAT }, { again_quota, BYTES("%(S (x))"), ERR_BADFORMAT },
	{ again_quota, BYTES("Q 1 2"), ERR_BADFORMAT },
	{ again_seen, BYTES(""), ERR_BADFORMAT }, { again_seen, BYTES("2 1 3 1 1,3"), ERR_BADFORMAT },
	{ again_seen, BYTES("1 1 3 1 x"), ERR_SYNTAX },
	{ again_seen, BYTES("1 1 4294967296 1 1"), ERR_BADFORMAT }, { again_seen, BYTES("1 1"), ERR_BADFORMAT },
	{ again_annot, BYTES(""), ERR_BADFORMAT }, { again_annot, BYTES("\0\0\0\4\0\0\0\0pub"), ERR_BADFORMAT },
	{ again_annot, BYTES("\xff\xff\xff\xff\0\0\0\0pub\0text/plain\0"), ERR_BADFORMAT },
	{ again_annot, BYTES("\0\0\0\3\0\0\0\0pubx"), ERR_BADFORMAT },
	{ again_annotkey, BYTES(""), ERR_BADFORMAT }, { again_annotkey, BYTES("a\0"), ERR_BADFORMAT },
	{ again_annotkey, BYTES("a\0comment\0\0"), ERR_BADFORMAT },
	{ again_annotkey, BYTES("a\0/comment\0u\0more\0"), ERR_BADFORMAT }, { again_annotkey, BYTES("a\0/comment"), ERR_BADFORMAT },
	{ again_mark, BYTES(""), ERR_BADFORMAT }, { again_mark, BYTES("1234567"), ERR_BADFORMAT },
	{ again_mark, BYTES("12345678901234567"), ERR_BADFORMAT },
	{ again_markkey, BYTES(""), ERR_BADFORMAT }, { again_markkey, BYTES("a\0b\0c"), ERR_BADFORMAT },
	{ again_markkey, BYTES("a\0b\0c\0d\0"), ERR_BADFORMAT },
	{ again_tls, BYTES(""), ERR_BADFORMAT }, { again_tls, BYTES("12345678"), ERR_BADFORMAT },
	{ again_tls, BYTES("12345678\x30\x04\x02\x01\x05"), ERR_BADFORMAT },
	{ again_tls, BYTES("12345678\x30\x80\x02\x01\x05"), ERR_BADFORMAT }, { again_tls, BYTES("12345678\x30\x85"), ERR_BADFORMAT },
	{ again_status, BYTES(""), ERR_BADFORMAT }, { again_status, BYTES("x"), ERR_BADFORMAT },
	{ again_status, BYTES("4 63 3"), ERR_BADFORMAT },
	{ again_status, BYTES("3 63 3 0 4 1795282316 1 6 "), ERR_NOTFOUND }, { again_status, BYTES("I 10 (1 2 3)"), ERR_NOTFOUND },
	{ again_status, BYTES("I 7 (1)"), ERR_NOTFOUND }, { again_status, BYTES("I 8 (1)"), ERR_BADFORMAT },
	{ again_status, BYTES("S 8 (0 3 35"), ERR_BADFORMAT },
	{ again_status, BYTES("S 8 (0 3 35)x"), ERR_BADFORMAT }, { again_status, BYTES("I"), ERR_BADFORMAT },
	{ again_statuskey, BYTES(""), ERR_BADFORMAT }, { again_statuskey, BYTES("user.fred"), ERR_BADFORMAT },
	{ again_statuskey, BYTES("%"), ERR_BADFORMAT },
	{ again_statuskey, BYTES("%%x"), ERR_BADFORMAT },
	{ again_deny, BYTES(""), ERR_BADFORMAT }, { again_deny, BYTES("2"), ERR_BADFORMAT },
	{ again_deny, BYTES("3\timap"), ERR_BADFORMAT },
	{ again_deny, BYTES("1\timap\tx"), ERR_BADFORMAT }, { again_deny, BYTES("2\tim\0ap"), ERR_BADFORMAT },
	{ again_deny, BYTES("0\timap"), ERR_BADFORMAT },
	{ again_mboxkey, BYTES(""), ERR_BADFORMAT }, { again_mboxkey, BYTES("\0\2\x5b\x72" "0123456789abcd"), ERR_NOTFOUND },
	{ again_mboxkey, BYTES("\0\1\x5b\x72" "0123456789abc"), ERR_BADFORMAT },
	{ again_pts, BYTES(""), ERR_BADFORMAT }, { again_pts, BYTES("xxxx"), ERR_BADFORMAT },
	{ again_counters, BYTES(""), ERR_BADFORMAT }, { again_counters, counters_empty, 296, ERR_CRC },
	{ again_counters, counters_empty, 295, ERR_BADFORMAT },
	{ again_counters, counters_empty, 56, ERR_BADFORMAT },
	{ again_convmsgid, BYTES(""), ERR_BADFORMAT }, { again_convmsgid, BYTES("1 177e467cc1a87eaa 1"), ERR_NOTFOUND },
	{ again_convmsgid, BYTES("0 177e467cc1a87ea 1"), ERR_BADFORMAT },
	{ again_convmsgid, BYTES("0 177e467cc1a87eaa, 1"), ERR_BADFORMAT },
	{ again_convmsgid, BYTES("0 177e467cc1a87eaa"), ERR_BADFORMAT },
	{ again_conv, BYTES(""), ERR_BADFORMAT }, { again_conv, BYTES("2 ()"), ERR_NOTFOUND },
	{ again_conv, BYTES("1 ()"), ERR_BADFORMAT },
	{ again_conv, BYTES("1 (32 1 1 0 () ((0 32)) () NIL)"), ERR_BADFORMAT },
	{ again_conv, BYTES("1 (32 1 1 0 () () () NIL"), ERR_BADFORMAT },
	{ again_conv, BYTES("1 (32 1 1 0 x () () NIL)"), ERR_BADFORMAT },
	{ again_conv, BYTES("1 (32 1 1 0 () () () NIL 1 ((zz 1 1)) 1)"), ERR_BADFORMAT },
	{ again_conv, BYTES("1 (32 4294967296 1 0 () () () NIL)"), ERR_BADFORMAT },
	{ again_convcounts, BYTES(""), ERR_BADFORMAT }, { again_convcounts, BYTES("0 (1 2 3 4)"), ERR_BADFORMAT },
	{ again_convcounts, BYTES("9 (1)"), ERR_NOTFOUND },
	{ again_convguid, BYTES(""), ERR_BADFORMAT }, { again_convguid, BYTES("\x83"), ERR_NOTFOUND },
	{ again_convguid, BYTES("\x82\1"), ERR_BADFORMAT },
	{ again_convguidkey, BYTES(""), ERR_BADFORMAT }, { again_convguidkey, BYTES("G" GUID), ERR_BADFORMAT },
	{ again_convguidkey, BYTES("G" GUID "::1"), ERR_BADFORMAT },
	{ again_convguidkey, BYTES("G" GUID ":1:1["), ERR_BADFORMAT }, { again_convguidkey, BYTES("G" GUID ":1:1[]"), ERR_BADFORMAT },
	{ again_convnames, BYTES(""), ERR_BADFORMAT }, { again_convnames, BYTES("(a (b))"), ERR_BADFORMAT },
	{ again_convnames, BYTES("(a"), ERR_BADFORMAT },
	{ again_convquota, BYTES("1 %(E 8)"), ERR_BADFORMAT }, { again_convquota, BYTES("2 %(E 8 S 1)"), ERR_NOTFOUND },
	{ again_zone, BYTES(""), ERR_BADFORMAT }, { again_zone, BYTES("2 0 1 x"), ERR_NOTFOUND },
	{ again_zone, BYTES("1 3 1 x"), ERR_BADFORMAT },
	{ again_news, BYTES(""), ERR_BADFORMAT }, { again_news, BYTES("\0"), ERR_BADFORMAT },
	{ again_news, BYTES("12x"), ERR_BADFORMAT },
	{ again_indexed, BYTES(""), ERR_BADFORMAT }, { again_indexed, BYTES("1 1:4"), ERR_NOTFOUND },
	{ again_indexed, BYTES("2 x"), ERR_BADFORMAT },
	{ again_indexedkey, BYTES(""), ERR_BADFORMAT }, { again_indexedkey, BYTES("*"), ERR_BADFORMAT },
	{ again_indexedkey, BYTES("*M**"), ERR_BADFORMAT },
	{ again_indexedkey, BYTES("*T*a*T*b*M*c*"), ERR_BADFORMAT }, { again_indexedkey, BYTES("user"), ERR_BADFORMAT },
	{ again_indexedkey, BYTES("a.x"), ERR_BADFORMAT },
	{ again_synccache, BYTES(""), ERR_BADFORMAT }, { again_synccache, BYTES("(a)"), ERR_BADFORMAT },
	{ again_synccache, BYTES("%(a b) c"), ERR_BADFORMAT },
	{ again_backup, BYTES(""), ERR_BADFORMAT }, { again_backup, BYTES("x"), ERR_BADFORMAT },
	{ again_syncline, BYTES(""), ERR_SYNTAX }, { again_syncline, BYTES("USER"), ERR_SYNTAX },
	{ again_syncline, BYTES("USER a b"), ERR_SYNTAX },
	{ again_syncline, BYTES("FROBNICATE x"), ERR_NOTFOUND }, { again_syncline, BYTES("USER \"x"), ERR_SYNTAX },
	{ again_syncline, BYTES("USER \"x\"y"), ERR_SYNTAX },
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

/* Every beginning of every example, and each with one bit turned: any answer will do. The bytes are at the end of their
 * memory. */
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

	struct ptsentry e = { .userid = mem_strdup("fred"), .hash = 5, .when = 1795282316,
		.hashes = mem_zalloc(3 * sizeof(uint32_t)) }, f;
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

TCase *case_records(void)
{
	TCase *t = tcase_create("records");
	tcase_add_loop_test(t, the_examples_come_back_byte_for_byte, 0, COUNT(examples));
	tcase_add_loop_test(t, bad_records_are_errors, 0, COUNT(bad));
	tcase_add_test(t, cut_and_bent_records_hurt_nobody);
	tcase_add_test(t, images_of_structures);
	return t;
}
