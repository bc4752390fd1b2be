/* check_text.c - names, patterns, charsets, encoded words, addresses and dates. Every table begins with bad input. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "cunit/suite.h"
#include "text/address.h"
#include "text/charset.h"
#include "text/date.h"
#include "text/glob.h"
#include "text/mutf7.h"
#include "text/rfc2047.h"
#include "text/transfer.h"

/* ---- modified UTF-7 */
START_TEST(mutf7_refuses_what_the_dialect_refuses)
{
	static const struct { const char *name; bool ok25, ok36; } t[] = {
		{ "&AOk-&AOk-", false, false },      /* directly adjacent */
		{ "&AGE-", false, false },           /* encoded ASCII */
		{ "&AOl-", false, false },           /* padding not zero */
		{ "&", false, false }, { "&AOk", false, false }, { "a&", false, false },
		{ "&A-", false, false }, { "&AO-", false, false }, { "&AOkA-", false, false }, { "&AOkAA-", false, false },
		{ "&A/k-", false, false }, { "&AO k-", false, false }, { "&\xc3\xa9-", false, false },
		{ "&2D3cAA-", false, true },         /* a surrogate pair, then one alone */
		{ "&2D0-", false, true },
		{ "&AOk-", true, true }, { "&AOk-x&AOk-", true, true }, { "&-", true, true }, { "&AOk-&-", true, true },
		{ "&-&AOk-", true, true }, { "", true, true }, { "plain", true, true },
	};
	for (size_t i = 0; i < COUNT(t); i++) {
		ck_assert_msg(mutf7_valid(DIALECT_25, t[i].name, strlen(t[i].name)) == t[i].ok25, "2.5: %s", t[i].name);
		ck_assert_msg(mutf7_valid(DIALECT_36, t[i].name, strlen(t[i].name)) == t[i].ok36, "3.6: %s", t[i].name);
	}
}
END_TEST

START_TEST(mutf7_converts_both_ways)
{
	static const struct { const char *utf7, *utf8; } t[] = {
		{ "a&AOk-b", "a\xc3\xa9" "b" }, { "&-", "&" },
		{ "~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e" },
		{ "&2D3eAA-", "\xf0\x9f\x98\x80" }, { "", "" },
	};
	for (size_t i = 0; i < COUNT(t); i++) {
		struct buf b = BUF_INIT;
		ck_assert_int_eq(mutf7_to_utf8(t[i].utf7, strlen(t[i].utf7), &b), 0);
		ck_assert_str_eq(buf_cstr(&b), t[i].utf8);
		buf_reset(&b);
		ck_assert_int_eq(mutf7_from_utf8(t[i].utf8, strlen(t[i].utf8), &b), 0);
		ck_assert_str_eq(buf_cstr(&b), t[i].utf7);
		buf_free(&b);
	}
}
END_TEST

START_TEST(mutf7_conversion_refuses_bad_input)
{
	static const char *const bad7[] = { "&2D0-", "&3gA-", "&AOk", "&AOk-&AOk-" };
	static const char *const bad8[] = { "\x80", "\xc0\x80", "\xc3", "\xed\xa0\x80", "\xf5\x80\x80\x80", "a\xff" };
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < COUNT(bad7); i++)
		ck_assert_msg(mutf7_to_utf8(bad7[i], strlen(bad7[i]), &b) == ERR_BADNAME, "%s", bad7[i]);
	for (size_t i = 0; i < COUNT(bad8); i++)
		ck_assert_msg(mutf7_from_utf8(bad8[i], strlen(bad8[i]), &b) == ERR_BADNAME, "row %zu", i);
	buf_free(&b);
}
END_TEST

/* ---- patterns */
START_TEST(glob_matches_whole_names)
{
	static const struct { const char *pattern, *name; unsigned flags; bool yes; } t[] = {
		{ "", "a", 0, false }, { "", "", 0, true }, { "*", "", 0, true }, { "a", "", 0, false },
		{ "%", "a.b", 0, false }, { "%", "a", 0, true }, { "*", "a.b", 0, true }, { "a.%", "a.b.c", 0, false },
		{ "a.%.c", "a.b.c", 0, true }, { "%.%", "a.b", 0, true }, { "%.%", "a.b.c", 0, false }, { "%%", "ab", 0, true },
		{ "*%", "a.b", 0, true }, { "%*c", "a.b.c", 0, true }, { "a*b*c", "axxbxxcxb", 0, false }, { "a*b*c", "abbc", 0, true },
		{ "inbox", "INBOX", 0, false }, { "inbox", "INBOX", GLOB_INBOX, true }, { "iNbOx.X", "INBOX.x", GLOB_INBOX, false },
		{ "iNbOx.x", "INBOX.x", GLOB_INBOX, true }, { "inboxy", "INBOXy", GLOB_INBOX, false },
		{ "inbo%", "INBOX", GLOB_INBOX, false },
		{ "a\xff*", "a\xff\x80", 0, true },
	};
	for (size_t i = 0; i < COUNT(t); i++) {
		struct glob *g = glob_new(t[i].pattern, '.', t[i].flags);
		ck_assert_msg(glob_match(g, t[i].name) == t[i].yes, "%s on %s", t[i].pattern, t[i].name);
		glob_free(g);
	}
}
END_TEST

START_TEST(glob_finds_matching_ancestors)
{
	static const struct { const char *pattern, *name; size_t minlen; long longest; size_t n, lens[4]; } t[] = {
		{ "x%", "a.b", 0, -1, 0, { 0 } },
		{ "%", "a.b.c", 0, 1, 1, { 1 } },
		{ "%", "a", 0, 1, 1, { 1 } },
		{ "a.%", "a.bb.c", 0, 4, 1, { 4 } },
		{ "*", "a.b.c", 0, 5, 3, { 1, 3, 5 } },
		{ "%", "a.b.c", 2, -1, 1, { 1 } },
		{ "%.%", "a.b.c", 0, 3, 1, { 3 } },
		{ "%", ".a", 0, -1, 0, { 0 } },
		{ "*b", "ab.cb.d", 0, 5, 2, { 2, 5 } },
	};
	for (size_t i = 0; i < COUNT(t); i++) {
		struct glob *g = glob_new(t[i].pattern, '.', 0);
		size_t lens[4];
		ck_assert_msg(glob_match_prefix(g, t[i].name, t[i].minlen) == t[i].longest, "%s on %s", t[i].pattern, t[i].name);
		ck_assert_uint_eq(glob_match_all(g, t[i].name, lens, 4), t[i].n);
		ck_assert_int_eq(memcmp(lens, t[i].lens, t[i].n * sizeof lens[0]), 0);
		glob_free(g);
	}
}
END_TEST

START_TEST(glob_knows_hopeless_subtrees)
{
	struct glob *g = glob_new("a.%.c", '.', 0);

	ck_assert(glob_may_match_below(g, "a"));
	ck_assert(glob_may_match_below(g, "a.b"));
	ck_assert(!glob_may_match_below(g, "b"));
	ck_assert(!glob_may_match_below(g, "a.b.d"));
	ck_assert_uint_eq(glob_literal_prefix(g), 2);
	glob_free(g);
}
END_TEST

/* A backtracking matcher would not come back from this one. */
START_TEST(glob_survives_a_hostile_pattern)
{
	char pattern[401], name[2001];
	struct glob *g;

	for (size_t i = 0; i < 400; i += 2)
		memcpy(pattern + i, "*a", 2);
	memcpy(pattern + 398, "*b", 3);
	memset(name, 'a', 2000);
	name[2000] = '\0';
	g = glob_new(pattern, '.', 0);
	ck_assert(!glob_match(g, name));
	name[1999] = 'b';
	ck_assert(glob_match(g, name));
	glob_free(g);
}
END_TEST

/* Neither does a pattern longer than any name cost more than the name does: 200,000 names against a megabyte. */
START_TEST(glob_cost_ignores_the_length_of_the_pattern)
{
	enum { LONG = 1 << 20 };
	char *pattern = malloc(LONG + 1);
	struct glob *g;

	for (size_t i = 0; i < LONG; i++)
		pattern[i] = "%a*b"[i % 4];
	pattern[LONG] = '\0';
	g = glob_new(pattern, '.', 0);
	for (int i = 0; i < 200000; i++) {
		ck_assert(!glob_match(g, "xxaabbaabb.ab"));
		ck_assert_uint_eq(glob_dead_below(g, "xxaabbaabb.ab"), GLOB_ALIVE);
	}
	glob_free(g);
	free(pattern);
}
END_TEST

START_TEST(glob_knows_where_matches_end)
{
	static const struct { const char *pattern, *name; size_t dead; } t[] = {
		{ "", "a.b", 1 }, { "", "a", 1 }, { "a", "", 0 }, { "*", "", GLOB_ALIVE }, { "%", "a.b.c", 1 }, { "%", "a", 1 },
		{ "*", "a.b", GLOB_ALIVE },
		{ "%.%", "a.b.c.d", 3 }, { "%.%", "a", GLOB_ALIVE }, { "%.%", "a.b", 3 }, { "a.b", "a.c.d", 3 }, { "a.b", "x.c.d", 1 },
		{ "a.b", "ab.c", 2 },
		{ "a*", "b.c", 1 }, { "a*c", "a.b", GLOB_ALIVE }, { "a%*", "a.b", GLOB_ALIVE }, { "inbox", "INBOX.x", 5 },
		{ "INBOX.%", "inbox.x.y", 7 },
		{ "a.b", "a", GLOB_ALIVE }, { "a.", "a.b", 3 }, { "a.", "a", GLOB_ALIVE }, { ".", "a", 1 },
	};
	for (size_t i = 0; i < COUNT(t); i++) {
		struct glob *g = glob_new(t[i].pattern, '.', GLOB_INBOX);
		ck_assert_msg(glob_dead_below(g, t[i].name) == t[i].dead, "%s on %s: %zd", t[i].pattern, t[i].name,
			(ssize_t)glob_dead_below(g, t[i].name));
		glob_free(g);
	}
}
END_TEST

/* ---- transfer encodings */
START_TEST(transfer_decodes_anything)
{
	static const struct { enum transfer t; const char *in, *out; } t[] = {
		{ TRANSFER_BASE64, "====", "" }, { TRANSFER_BASE64, "Y", "" }, { TRANSFER_BASE64, "\x01\x80*", "" },
		{ TRANSFER_BASE64, "YW\r\nJj", "abc" }, { TRANSFER_BASE64, "YQ==YmM=", "abc" }, { TRANSFER_BASE64, "YWI", "ab" },
		{ TRANSFER_QP, "=", "" }, { TRANSFER_QP, "=4", "=4" }, { TRANSFER_QP, "=XY", "=XY" }, { TRANSFER_QP, "a=\r\nb", "ab" },
		{ TRANSFER_QP, "a= \t\nb", "ab" }, { TRANSFER_QP, "a  \r\nb", "a\r\nb" }, { TRANSFER_QP, "=c3=A9_", "\xc3\xa9_" },
		{ TRANSFER_QP, "a\rb", "ab" }, { TRANSFER_QP, "x\n", "x\r\n" },
		{ TRANSFER_NONE, "a\r\n=41", "a\r\n=41" }, { TRANSFER_UNKNOWN, "abc", "" },
	};
	for (size_t i = 0; i < COUNT(t); i++) {
		struct buf b = BUF_INIT;
		transfer_decode(t[i].t, t[i].in, strlen(t[i].in), &b);
		ck_assert_msg(buf_eq(&b, t[i].out), "row %zu: %s", i, buf_cstr(&b));
		buf_free(&b);
	}
}
END_TEST

START_TEST(transfer_cuts_long_lines_where_the_original_does)
{
	struct buf in = BUF_INIT, out = BUF_INIT;

	for (int i = 0; i < 998; i++)
		buf_putc(&in, 'a');
	buf_puts(&in, "=41\r\n");            /* the `=` is the 999th byte: end of a piece, so a soft break */
	transfer_qp(in.s, in.len, &out);
	ck_assert_uint_eq(out.len, 998 + 2 + 2);
	ck_assert_int_eq(memcmp(out.s + 998, "41\r\n", 4), 0);
	buf_free(&in);
	buf_free(&out);
}
END_TEST

/* ---- charsets */
START_TEST(charset_names_by_dialect)
{
	static const struct { const char *name; bool ok25; unsigned index; bool ok36; const char *icu36; } t[] = {
		{ "", false, 0, false, NULL }, { "nonsense", false, 0, false, NULL }, { "utf-8,version=1", false, 0, false, NULL },
		{ "../../etc/passwd", false, 0, false, NULL },
		{ "utf-8-but-much-too-long-to-be-the-name-of-any-character-set-there-is", false, 0, false, NULL },
		{ "US-ascii", true, 0, true, "us-ascii" }, { "UTF8", true, 1, true, "utf-8" },
		{ "iso-8859-1", true, 3, true, "windows-1252" },
		{ "Latin1", true, 3, true, "windows-1252" }, { "mac", true, 3, true, "macintosh" },
		{ "iso-8859-16", true, 30, false, NULL },
		{ "shift_jis", false, 0, true, "windows-31j" }, { "gb2312", true, 15, true, "windows-936" },
		{ "euc-kr", false, 0, true, "euc-kr" },
		{ "cp1251", true, 24, true, "windows-1251" }, { "koi8-r", true, 12, true, "koi8-r" }, { "646", true, 3, true, "646" },
	};
	for (size_t i = 0; i < COUNT(t); i++) {
		struct charset cs;
		ck_assert_msg(charset_find(&cs, DIALECT_25, t[i].name, strlen(t[i].name)) == t[i].ok25, "2.5 %s", t[i].name);
		if (t[i].ok25)
			ck_assert_uint_eq(cs.index, t[i].index);
		ck_assert_msg(charset_find(&cs, DIALECT_36, t[i].name, strlen(t[i].name)) == t[i].ok36, "3.6 %s", t[i].name);
		if (t[i].ok36)
			ck_assert_str_eq(cs.icu, t[i].icu36);
	}
	ck_assert_str_eq(charset_index_name(30), "iso-8859-16");
	ck_assert_ptr_null(charset_index_name(31));
	ck_assert_ptr_null(charset_index_name(CHARSET_INDEX_UNKNOWN));
}
END_TEST

START_TEST(charset_text_to_utf8)
{
	static const struct { enum dialect d; const char *cs, *in, *out; } t[] = {
		{ DIALECT_25, "us-ascii", "a\x80z", "a\xef\xbf\xbdz" }, { DIALECT_36, "us-ascii", "a\x80z", "a\xef\xbf\xbdz" },
		{ DIALECT_36, "utf-8", "a\x80\xc3z", "a\xef\xbf\xbd\xef\xbf\xbdz" },
		{ DIALECT_36, "utf-8", "a\xc3", "a\xef\xbf\xbd" },
		{ DIALECT_25, "iso-8859-1", "\xe9", "\xc3\xa9" }, { DIALECT_36, "iso-8859-1", "\x80", "\xe2\x82\xac" },
		{ DIALECT_36, "windows-1252", "\x81", "\xef\xbf\xbd" }, { DIALECT_25, "iso-8859-16", "\xa4\xba", "\xe2\x82\xac\xc8\x99" },
		{ DIALECT_36, "iso-2022-jp", "\x1b$B8l\x1b(Bx", "\xe8\xaa\x9ex" }, { DIALECT_36, "gb18030", "\xd6\xd0", "\xe4\xb8\xad" },
	};
	for (size_t i = 0; i < COUNT(t); i++) {
		struct charset cs;
		struct buf b = BUF_INIT;
		ck_assert(charset_find(&cs, t[i].d, t[i].cs, strlen(t[i].cs)));
		charset_to_utf8(&cs, t[i].d, t[i].in, strlen(t[i].in), true, &b);
		ck_assert_msg(buf_eq(&b, t[i].out), "row %zu: %s", i, buf_cstr(&b));
		buf_free(&b);
	}
}
END_TEST

START_TEST(charset_25_drops_bad_utf8_and_nul)
{
	struct charset utf8, latin;
	struct buf b = BUF_INIT;

	ck_assert(charset_find(&utf8, DIALECT_25, "utf-8", 5) && charset_find(&latin, DIALECT_25, "latin1", 6));
	charset_to_utf8(&utf8, DIALECT_25, "a\x80\xc3z\xc3\xa9", 6, true, &b);
	ck_assert_str_eq(buf_cstr(&b), "az\xc3\xa9");
	buf_reset(&b);
	charset_to_utf8(&latin, DIALECT_25, "a\0b", 3, true, &b);
	ck_assert_str_eq(buf_cstr(&b), "ab");
	buf_free(&b);
}
END_TEST

START_TEST(search_ignores_case_and_as_told_marks_and_space)
{
	static const struct { const char *query, *text; unsigned flags; bool yes; } t[] = {
		{ "x", "", 0, false }, { "", "", 0, true }, { "abc", "ab", 0, false },
		{ "STRASSE", "die Stra\xc3\x9f" "e", 0, false }, { "stra\xc3\x9f" "E", "STRA\xc3\x9f" "E", 0, true },
		{ "istanbul", "\xc4\xb0stanbul", CANON_SKIPDIACRIT, true }, { "\xc4\xb1stanbul", "Istanbul", 0, true },
		{ "abc", "\xef\xbc\xa1\xef\xbc\xa2\xef\xbc\xa3", 0, true }, { "fi", "\xef\xac\x81", 0, false },
		{ "cafe", "CAF\xc3\x89", 0, false }, { "cafe", "CAF\xc3\x89", CANON_SKIPDIACRIT, true },
		{ "caf\xc3\xa9", "CAFE\xcc\x81!", 0, true }, { "a b", "a \t\r\n b", CANON_MERGESPACE, true },
		{ "a b", "a \t b", 0, false },
		{ "ab", "a b", CANON_MERGESPACE, false }, { "ab", "a b", CANON_SKIPSPACE, true }, { "\xce\xa3", "\xcf\x82", 0, true },
	};
	struct charset utf8;

	ck_assert(charset_find(&utf8, DIALECT_36, "utf-8", 5));
	for (size_t i = 0; i < COUNT(t); i++) {
		struct searchtext q;
		searchtext_init(&q, &utf8, t[i].query, strlen(t[i].query), t[i].flags);
		ck_assert_msg(searchtext_in_utf8(&q, t[i].text, strlen(t[i].text)) == t[i].yes, "row %zu", i);
		searchtext_free(&q);
	}
}
END_TEST

START_TEST(search_in_any_charset)
{
	struct charset koi, win;
	struct searchtext q;

	ck_assert(charset_find(&koi, DIALECT_36, "koi8-r", 6) && charset_find(&win, DIALECT_36, "windows-1251", 12));
	searchtext_init(&q, &koi, "\xcd\xc9\xd2", 3, CANON_SKIPDIACRIT);         /* "mir", in Cyrillic */
	ck_assert(searchtext_in(&q, &win, "...\xcc\xc8\xd0...", 9));             /* "MIR" */
	ck_assert(!searchtext_in(&q, &win, "...\xcc\xc8...", 8));
	searchtext_free(&q);
}
END_TEST

/* ---- encoded words */
START_TEST(rfc2047_by_dialect)
{
	static const struct { const char *in, *out25, *out36; } t[] = {
		{ "=?utf-8?q?unterminated", "=?utf-8?q?unterminated", "=?utf-8?q?unterminated" },
		{ "=?utf-8?x?a?=", "=?utf-8?x?a?=", "=?utf-8?x?a?=" }, { "=?", "=?", "=?" }, { "=?utf-8?q", "=?utf-8?q", "=?utf-8?q" },
		{ "=?nonsense?q?abc?=", "\xef\xbf\xbd", "\xef\xbf\xbd" },
		{ "\xe9", "\xef\xbf\xbd", "\xef\xbf\xbd" }, { "a\rb\nc", "abc", "a\rbc" },
		{ "=?a=b?q?x?=", "\xef\xbf\xbd", "=?a=b?q?x?=" },
		{ "=?utf-8?q?a=C3?= =?utf-8?q?=A9b?=", "ab", "a\xc3\xa9" "b" },
		{ "=?utf-8?q?a?= =?utf-8?q?b?= c", "ab c", "ab c" }, { "=?us-ascii*en?q?a_b?=", "a b", "a b" },
		{ "=?utf-8?q?a=?=", "a", "a" }, { "=?utf-8?q?=4?=", "", "=4" }, { "=?utf-8?q?=G1=1G?=x", "\xef\xbf\xbdx", "=G1=1Gx" },
		{ "=?utf-8?b?YWI=?=", "ab", "ab" }, { "=?utf-8?B?YQ==YmM=?=", "a\x06&", "abc" }, { "=?utf-8?q?a=00b?=c", "a", "a" },
		{ "=?iso-8859-1?q?=E9?=", "\xc3\xa9", "\xc3\xa9" }, { "=?latin1?q?a=00b?=c", "abc", "a" },
	};
	for (size_t i = 0; i < COUNT(t); i++) {
		struct buf b = BUF_INIT;
		rfc2047_decode(DIALECT_25, false, t[i].in, strlen(t[i].in), &b);
		ck_assert_msg(buf_eq(&b, t[i].out25), "2.5 %s: %s", t[i].in, buf_cstr(&b));
		buf_reset(&b);
		rfc2047_decode(DIALECT_36, false, t[i].in, strlen(t[i].in), &b);
		ck_assert_msg(buf_eq(&b, t[i].out36), "3.6 %s: %s", t[i].in, buf_cstr(&b));
		buf_free(&b);
	}
}
END_TEST

START_TEST(rfc2047_utf8_option)
{
	struct buf b = BUF_INIT;

	rfc2047_decode(DIALECT_36, true, "caf\xc3\xa9 \xff", 7, &b);
	ck_assert_str_eq(buf_cstr(&b), "caf\xc3\xa9 \xef\xbf\xbd");
	buf_free(&b);
}
END_TEST

/* ---- addresses */
static void put_text(struct buf *b, struct text t)
{
	if (t.s)
		buf_append(b, t.s, t.n);
	else
		buf_putc(b, '-');
}

static void show(enum dialect d, const char *in, struct buf *b)
{
	struct arena *a = arena_new();
	struct addresslist l;

	addresslist_init(&l);
	address_scan(a, d, in, strlen(in), &l);
	for (struct address *x = l.first; x; x = x->next) {
		buf_putc(b, '[');
		put_text(b, x->name);
		buf_putc(b, '|');
		put_text(b, x->route);
		buf_putc(b, '|');
		put_text(b, x->mailbox);
		buf_putc(b, '|');
		put_text(b, x->domain);
		buf_putc(b, ']');
	}
	arena_free(a);
}

START_TEST(address_lists)
{
	static const struct { const char *in, *both, *only36; } t[] = {
		{ "", "", NULL }, { ",,;:", "[-|-|;|-][-|-|-|-]", NULL }, { "\"open, a@b", "", NULL }, { "(open a@b", "", NULL },
		{ "<", "[-|-||unspecified-domain]", NULL }, { "<@", "[-|-||unspecified-domain]", NULL },
		{ "a@", "[-|-|a|unspecified-domain]", NULL },
		{ "<@r>", "[-|@r||unspecified-domain]", NULL }, { "x\\", "[-|-|x\\|unspecified-domain]", NULL },
		{ "a@b", "[-|-|a|b]", NULL }, { "N <a@b>", "[N|-|a|b]", NULL }, { "a@b (x (y\\)))", "[x (y))|-|a|b]", NULL },
		{ "a", "[-|-|a|unspecified-domain]", NULL },
		{ "g: a@b, c;", "[-|-|g|-][-|-|a|b][-|-|c|unspecified-domain][-|-|-|-]", NULL },
		{ "g: a@b", "[-|-|g|-][-|-|a|b][-|-|-|-]", NULL }, { "a@.b..c.", "[-|-|a|b.c]", NULL },
		{ "a@b@c.org", "[-|-|a|b][-|-|c.org|unspecified-domain]", "[-|-|a|b@c.org]" },
		{ "\"q\\\"uo (te)\" (c1) more <\"l p\"@d..e.f.>, g: ;, <@r1,@r2:m@d.org>, x@y.org (note (nest))",
		  "[q\"uo (te) more|-|l p|d.e.f][-|-|g|-][-|-|-|-][-|@r1,@r2|m|d.org][note (nest)|-|x|y.org]", NULL },
		{ "\"a\r\n b\" <c@d>", "[a b|-|c|d]", NULL }, { "\"a\rb\" <c@d>", "", "[a b|-|c|d]" },
	};
	for (size_t i = 0; i < COUNT(t); i++) {
		struct buf b = BUF_INIT;
		show(DIALECT_25, t[i].in, &b);
		ck_assert_msg(buf_eq(&b, t[i].both), "2.5 %s: %s", t[i].in, buf_cstr(&b));
		buf_reset(&b);
		show(DIALECT_36, t[i].in, &b);
		ck_assert_msg(buf_eq(&b, t[i].only36 ? t[i].only36 : t[i].both), "3.6 %s: %s", t[i].in, buf_cstr(&b));
		buf_free(&b);
	}
}
END_TEST

/* ---- dates */
START_TEST(date_header_by_dialect)
{
	/* -1: no usable time (gmtime follows the internal date), -2: no usable day either */
	static const struct { const char *in; long long t25, t36; } t[] = {
		{ "", -2, -2 }, { "yesterday", -2, -2 }, { "Mon Apr  3 12:30:15 2006", -2, -2 },
		{ "32 Jan 2020 00:00:00 +0000", -2, 1580515200 },
		{ "3 Apr 100 12:00:00 +0000", -2, -2 }, { "30 Feb 2006 12:00:00 +0000", -2, 1141300800 },
		{ "1 Foo 2006 12:00:00 +0000", -2, -2 },
		{ "Sat, 21 Nov 2026 10:11:12 +0200", 1795248672, 1795248672 }, { "21 Nov 26 10:11:12 -0230", 1795264872, 1795264872 },
		{ "21 Nov 2026 10:11 EST", 1795273860, 1795273860 }, { "21 Nov 2026 10:11:12 Z", 1795255872, 1795255872 },
		{ "21 Nov 2026 10:11:12 a", 1795252272, 1795255872 - 33 * 3600 },
		{ "21 Nov 2026 10.11.12 UT", 1795219200 + 43200, 1795255872 },
		{ "21 Nov 2026 10:11:12 0200", 1795255872, 1795255872 + 7200 },
		{ "21 Nov 2026 1:2:3 GMT", 1795219200 + 43200, 1795222923 },
		{ "21 Nov 2026 bad", 1795219200 + 43200, -1 }, { "Saturday, 21 Nov 2026 10:11:12 +0000", -2, -2 },
	};
	for (size_t i = 0; i < COUNT(t); i++)
		for (int d = DIALECT_25; d <= DIALECT_36; d++) {
			struct maildate m;
			long long want = d == DIALECT_25 ? t[i].t25 : t[i].t36, got;
			date_parse_rfc5322((enum dialect)d, t[i].in, strlen(t[i].in), &m);
			got = m.has_time ? m.time : m.has_day ? -1 : -2;
			ck_assert_msg(got == want, "%d %s: %lld, not %lld", d, t[i].in, got, want);
		}
}
END_TEST

START_TEST(date_fields_of_the_record)
{
	static const char d[] = "Sat, 21 Nov 2026 23:30:00 -0500";

	ck_assert_uint_eq(date_gmtime(DIALECT_36, d, strlen(d), 5), 1795321800);
	ck_assert_uint_eq(date_sentdate(DIALECT_25, d, strlen(d), 5), 1795219200 + 43200);
	ck_assert_uint_eq(date_sentdate(DIALECT_36, d, strlen(d), 5), 1795219200);
	ck_assert_uint_eq(date_gmtime(DIALECT_36, NULL, 0, 1234567), 1234567);
	ck_assert_uint_eq(date_sentdate(DIALECT_25, NULL, 0, 1234567), 1234567 / 86400 * 86400);
}
END_TEST

START_TEST(date_imap)
{
	static const struct { const char *in; int err; long long t; } t[] = {
		{ "", ERR_SYNTAX, 0 }, { "1-Jan-2026", ERR_SYNTAX, 0 }, { "31-Feb-2026 00:00:00 +0000", ERR_SYNTAX, 0 },
		{ "01-Jan-2026 24:00:00 +0000", ERR_SYNTAX, 0 }, { "01-Jan-2026 00:00:00", ERR_SYNTAX, 0 },
		{ "01-Jan-2026 00:00:00 0000", ERR_SYNTAX, 0 },
		{ "01-Jan-2026 00:00:00 +00000", ERR_SYNTAX, 0 }, { "01-Jan-2026 00:00:00 +0060", ERR_SYNTAX, 0 },
		{ "00-Jan-2026 00:00:00 +0000", ERR_SYNTAX, 0 },
		{ "01-Jan-202 00:00:00 +0000", ERR_SYNTAX, 0 }, { "01-Jan-26 00:00:00 XYZ", ERR_SYNTAX, 0 },
		{ "21-Nov-2026 10:11:12 +0200", 0, 1795248672 }, { " 1-jan-2026 02:03:04 -0100", 0, 1767236584 },
		{ "1-Jan-2026 02:03:04 -0100", 0, 1767236584 },
		{ "21-Nov-95 10:11:12-EST", 0, 816966672 }, { "21-Nov-95 10:11:12-Z", 0, 816948672 },
		{ "21-Nov-95 10:11:12 +0200", 0, 816941472 },
	};
	for (size_t i = 0; i < COUNT(t); i++) {
		time_t v = 0;
		ck_assert_msg(date_parse_imap(t[i].in, strlen(t[i].in), &v) == t[i].err, "%s", t[i].in);
		ck_assert_msg(t[i].err || v == t[i].t, "%s: %lld", t[i].in, (long long)v);
	}
}
END_TEST

START_TEST(date_search)
{
	static const struct { const char *in; int err; long long day; } t[] = {
		{ "", ERR_SYNTAX, 0 }, { "1-Jan", ERR_SYNTAX, 0 }, { "1-Jan-2026x", ERR_SYNTAX, 0 }, { "32-Jan-2026", ERR_SYNTAX, 0 },
		{ "1-Foo-2026", ERR_SYNTAX, 0 }, { "29-Feb-2025", ERR_SYNTAX, 0 }, { "2-Jan-1970", 0, 1 }, { "29-Feb-2024", 0, 19782 },
		{ "02-jAN-70", 0, 1 },
	};
	for (size_t i = 0; i < COUNT(t); i++) {
		int64_t day = 0;
		ck_assert_msg(date_parse_search(t[i].in, strlen(t[i].in), &day) == t[i].err, "%s", t[i].in);
		ck_assert_msg(t[i].err || day == t[i].day, "%s: %lld", t[i].in, (long long)day);
	}
}
END_TEST

START_TEST(date_printing_in_the_local_zone)
{
	char imap[DATE_IMAP_SIZE], mail[DATE_RFC5322_SIZE];
	time_t t;

	setenv("TZ", "XXX+03:30", 1);
	tzset();
	date_print_imap(1767236584, imap);
	date_print_rfc5322(1767236584, mail);
	setenv("TZ", "UTC", 1);
	tzset();
	ck_assert_str_eq(imap, "31-Dec-2025 23:33:04 -0330");
	ck_assert_str_eq(mail, "Wed, 31 Dec 2025 23:33:04 -0330");
	ck_assert_int_eq(date_parse_imap(imap, strlen(imap), &t), 0);
	ck_assert_int_eq(t, 1767236584);
	date_print_imap(1767236584, imap);
	ck_assert_str_eq(imap, " 1-Jan-2026 03:03:04 +0000");
}
END_TEST

int main(void)
{
	TCase *c = tcase_create("text");
	setenv("TZ", "UTC", 1);
	tcase_add_test(c, mutf7_refuses_what_the_dialect_refuses);
	tcase_add_test(c, mutf7_converts_both_ways);
	tcase_add_test(c, mutf7_conversion_refuses_bad_input);
	tcase_add_test(c, glob_matches_whole_names);
	tcase_add_test(c, glob_finds_matching_ancestors);
	tcase_add_test(c, glob_knows_hopeless_subtrees);
	tcase_add_test(c, glob_survives_a_hostile_pattern);
	tcase_add_test(c, glob_cost_ignores_the_length_of_the_pattern);
	tcase_add_test(c, glob_knows_where_matches_end);
	tcase_add_test(c, transfer_decodes_anything);
	tcase_add_test(c, transfer_cuts_long_lines_where_the_original_does);
	tcase_add_test(c, charset_names_by_dialect);
	tcase_add_test(c, charset_text_to_utf8);
	tcase_add_test(c, charset_25_drops_bad_utf8_and_nul);
	tcase_add_test(c, search_ignores_case_and_as_told_marks_and_space);
	tcase_add_test(c, search_in_any_charset);
	tcase_add_test(c, rfc2047_by_dialect);
	tcase_add_test(c, rfc2047_utf8_option);
	tcase_add_test(c, address_lists);
	tcase_add_test(c, date_header_by_dialect);
	tcase_add_test(c, date_fields_of_the_record);
	tcase_add_test(c, date_imap);
	tcase_add_test(c, date_search);
	tcase_add_test(c, date_printing_in_the_local_zone);
	return suite_run("text", (TCase *[]){ c, NULL });
}
