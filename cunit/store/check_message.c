/* check_message.c - MIME trees, cache records, sections and header fields. The corpus tests compare whole messages; here are
 * damaged records, old layouts and the corners that no recorded message has. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/num.h"
#include "cunit/suite.h"
#include "store/cacherec.h"
#include "store/msgcheck.h"
#include "store/search.h"
#include "store/section.h"
#include "text/mime.h"

/* ---- the tree */
static struct mime_message *parse(struct arena *a, enum dialect d, const char *msg)
{
	struct mime_options o = MIME_OPTIONS_INIT(d);

	return mime_parse(a, &o, msg, strlen(msg));
}

START_TEST(mime_splits_hostile_input)
{
	static const struct { const char *msg; enum mime_kind kind; size_t nparts, hsize, csize; } t[] = {
		{ "\n", MIME_LEAF, 0, 1, 0 }, { "x", MIME_LEAF, 0, 1, 0 }, { "\r\n", MIME_LEAF, 0, 2, 0 },
		{ "\r\n\r\n", MIME_LEAF, 0, 2, 2 },
		{ "A: b\r\nc", MIME_LEAF, 0, 7, 0 }, { "A: b\n\nc", MIME_LEAF, 0, 7, 0 },
		{ "Content-Type: multipart/mixed\r\n\r\n--x\r\n\r\n--x--\r\n", MIME_MULTIPART, 0, 33, 14 },
		{ "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x--\r\nepi", MIME_MULTIPART, 0, 45, 10 },
		{ "Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n--\r\n\r\na\r\n--\r\n", MIME_MULTIPART, 2, 46, 13 },
		{ "Content-Type: multipart/mixed; boundary=x\r\n\r\n--xy\r\n--x\r\n", MIME_MULTIPART, 1, 45, 11 },
		{ "Content-Type: message/rfc822\r\n\r\nA: b\r\n\r\nc", MIME_RFC822, 1, 32, 9 },
	};
	for (size_t i = 0; i < COUNT(t); i++) {
		struct arena *a = arena_new();
		struct mime_part *p = parse(a, DIALECT_36, t[i].msg)->top;
		ck_assert_msg(p->kind == t[i].kind && p->nparts == t[i].nparts && p->hsize == t[i].hsize && p->csize == t[i].csize,
			"row %zu: %d %zu parts, %zu + %zu", i, (int)p->kind, p->nparts, p->hsize, p->csize);
		arena_free(a);
	}
}
END_TEST

/* An outer delimiter inside an unclosed inner multipart is one of the inner one's. */
START_TEST(mime_outer_delimiter_in_an_unclosed_inner_multipart)
{
	static const char msg[] = "Content-Type: multipart/mixed; boundary=A\r\n\r\n--A\r\n"
		"Content-Type: multipart/mixed; boundary=B\r\n\r\n"
		"--B\r\n\r\none\r\n--B\r\n\r\ntwo\r\n--A\r\n\r\nthree\r\n--A--\r\n";
	struct arena *a = arena_new();
	struct mime_part *top = parse(a, DIALECT_25, msg)->top;

	ck_assert_uint_eq(top->nparts, 1);
	ck_assert_uint_eq(top->first->nparts, 3);
	arena_free(a);
}
END_TEST

START_TEST(mime_boundary_prefix_depends_on_strictness)
{
	static const char msg[] = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--bx\r\n\r\ntwo\r\n--b--\r\n";
	struct arena *a = arena_new();
	struct mime_options o = MIME_OPTIONS_INIT(DIALECT_36);

	ck_assert_uint_eq(mime_parse(a, &o, msg, strlen(msg))->top->nparts, 1);
	o.rfc2046_strict = true;
	ck_assert_uint_eq(mime_parse(a, &o, msg, strlen(msg))->top->nparts, 2);
	arena_free(a);
}
END_TEST

/* In strict mode "--ab--" is first of all a delimiter of the outer boundary "a". */
START_TEST(mime_outermost_boundary_decides)
{
	static const char msg[] = "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n"
		"Content-Type: multipart/mixed; boundary=ab\r\n\r\n"
		"--ab\r\n\r\none\r\n--ab--\r\n\r\ntwo\r\n--a--\r\n";
	struct arena *a = arena_new();
	struct mime_options o = MIME_OPTIONS_INIT(DIALECT_36);

	ck_assert_uint_eq(mime_parse(a, &o, msg, strlen(msg))->top->first->nparts, 1);
	o.rfc2046_strict = true;
	ck_assert_uint_eq(mime_parse(a, &o, msg, strlen(msg))->top->first->nparts, 2);
	arena_free(a);
}
END_TEST

START_TEST(mime_nesting_is_bounded_by_the_option_only)
{
	struct mime_options o = MIME_OPTIONS_INIT(DIALECT_36);
	struct buf b = BUF_INIT;
	struct arena *a = arena_new();
	size_t depth;

	for (int i = 0; i < 20000; i++)
		buf_printf(&b, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i);
	for (int pass = 0; pass < 2; pass++) {
		depth = 0;
		o.boundary_limit = pass ? 0 : 1000;
		for (struct mime_part *p = mime_parse(a, &o, b.s, b.len)->top; p; p = p->first)
			depth++;
		ck_assert_uint_eq(depth, pass ? 20001 : 1000);
	}
	arena_free(a);
	buf_free(&b);
}
END_TEST

START_TEST(mime_stops_at_maxheaderlines)
{
	struct mime_options o = MIME_OPTIONS_INIT(DIALECT_36);
	struct arena *a = arena_new();
	static const char msg[] = "A: 1\r\nB: 2\r\nSubject: late\r\n\r\n";
	struct mime_message *m;

	o.maxheaderlines = 1;
	m = mime_parse(a, &o, msg, strlen(msg));
	ck_assert(m->too_many_lines);
	ck_assert_ptr_null(m->top->envelope->subject.s);
	o.maxheaderlines = 2;
	m = mime_parse(a, &o, msg, strlen(msg));
	ck_assert(!m->too_many_lines);
	ck_assert_int_eq(strncmp(m->top->envelope->subject.s, "late", 4), 0);
	arena_free(a);
}
END_TEST

static void show_params(enum dialect d, const char *value, struct buf *b)
{
	struct arena *a = arena_new();
	struct buf msg = BUF_INIT;

	buf_printf(&msg, "Content-Type: %s\r\n\r\n", value);
	for (struct mime_param *m = parse(a, d, buf_cstr(&msg))->top->params; m; m = m->next) {
		buf_append(b, m->name.s, m->name.n);
		buf_putc(b, '=');
		buf_append(b, m->value.s, m->value.n);
		buf_putc(b, ' ');
	}
	buf_free(&msg);
	arena_free(a);
}

#define DEFAULTED "CHARSET=us-ascii "
START_TEST(mime_parameters_by_dialect)
{
	static const struct { const char *in, *p25, *p36; } t[] = {
		{ "text", DEFAULTED, DEFAULTED }, { "text/", DEFAULTED, DEFAULTED }, { "text/plain x", DEFAULTED, DEFAULTED },
		{ "text/plain (open", "", "" }, { "text/plain; a", "", "" }, { "text/plain; a=\"open", "", "" },
		{ "text/plain; a=", "", "" },
		{ "text/plain; a=b c; d=e", "", "A=b c D=e " }, { "text/plain; a:b; d=e", "", "D=e " },
		{ "text/plain; a=b; (c) d = \"e\\\"f\"", "A=b D=e\"f ", "A=b D=e\"f " },
		{ "x/y; a*1=c; a*0=b", "A=bc ", "A=bc " }, { "x/y; a*0*=u''%41; a*1=\"b c\"", "A*=u''%41b%20c ", "A*=u''%41b%20c " },
		{ "x/y; a*0=b; a*1*=%43; a*2=d", "A*=''b%43d ", "A*=''b%43d " }, { "x/y; a*0=b; a*2=d", "A=b A*2=d ", "A=b A*2=d " },
		{ "x/y; a*0=b; a*0=c; a*1=d; a*1=e", "A=bd A=ce ", "A=bd A=ce " }, { "x/y; *0=b; *1=c", "=bc ", "=bc " },
	};
	for (size_t i = 0; i < COUNT(t); i++) {
		struct buf b = BUF_INIT;
		{
			show_params(DIALECT_25, t[i].in, &b);
			ck_assert_msg(buf_eq(&b, t[i].p25), "2.5 %s: %s", t[i].in, buf_cstr(&b));
		}
		buf_reset(&b);
		show_params(DIALECT_36, t[i].in, &b);
		ck_assert_msg(buf_eq(&b, t[i].p36), "3.6 %s: %s", t[i].in, buf_cstr(&b));
		buf_free(&b);
	}
}
END_TEST

/* ---- records */
static const char two_parts[] = "Subject: s\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\npre\r\n--b\r\n\r\none\r\n"
	"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\ntwo\r\n--b--\r\n";

static void build(unsigned number, const char *msg, struct buf *out, struct cacherec *rec)
{
	struct cacherec_options o = cacherec_defaults(number);
	struct message_info info;

	ck_assert_int_eq(cacherec_build(&o, msg, strlen(msg), 1000000000, out, &info), 0);
	ck_assert_int_eq(cacherec_parse(out->s, out->len, rec), 0);
	ck_assert_uint_eq(rec->len, out->len);
	ck_assert_uint_eq(cacherec_crc(out->s, out->len), info.cache_crc);
}

START_TEST(cacherec_refuses_an_empty_message)
{
	struct cacherec_options o = cacherec_defaults(3);
	struct buf b = BUF_INIT;
	struct message_info info;

	ck_assert_int_eq(cacherec_build(&o, "", 0, 0, &b, &info), ERR_EMPTYMESSAGE);
	ck_assert_uint_eq(b.len, 0);
}
END_TEST

START_TEST(cacherec_parse_refuses_every_cut_and_every_long_item)
{
	struct buf b = BUF_INIT;
	struct cacherec rec;

	build(11, two_parts, &b, &rec);
	for (size_t n = 0; n < b.len; n++) {
		char *cut = malloc(n + 1);           /* of exact size, so that a sanitizer sees a step too far */
		memcpy(cut, b.s, n);
		ck_assert_int_eq(cacherec_parse(cut, n, &rec), ERR_BADFORMAT);
		free(cut);
	}
	put_be32(b.s, 0xfffffffd);
	ck_assert_int_eq(cacherec_parse(b.s, b.len, &rec), ERR_BADFORMAT);
	buf_free(&b);
}
END_TEST

/* The example of spec/mailbox.md 18.5. */
START_TEST(cacherec_example)
{
	static const char msg[] = "From: Alice Example <alice@example.com>\r\nTo: Bob <bob@example.org>\r\n"
		"Subject: simple\r\nDate: Sat, 21 Nov 2026 10:11:12 +0200\r\nMessage-ID: <s1@example.com>\r\n\r\nHello world\r\n";
	struct buf b = BUF_INIT;
	struct cacherec rec;

	build(3, msg, &b, &rec);
	ck_assert_uint_eq(b.len, 572);
	ck_assert_uint_eq(rec.item[CACHE_SECTION].n, 0x30);
	ck_assert_uint_eq(rec.item[CACHE_ENVELOPE].n, 0xf7);
	buf_reset(&b);
	build(11, msg, &b, &rec);
	ck_assert_uint_eq(b.len, 608);
	ck_assert_uint_eq(rec.item[CACHE_HEADERS].n, 0);
	buf_free(&b);
}
END_TEST

/* ---- sections */
struct want {
	const char *name;
	uint32_t path[3];
	size_t npath;
	enum section_what what;
	int err;
	const char *text;
};
static const struct want wants[] = {
	{ "0", { 0 }, 1, SECTION_PART, ERR_NOTFOUND, NULL },
	{ "3", { 3 }, 1, SECTION_PART, ERR_NOTFOUND, NULL },
	{ "4294967295", { 0xffffffffu }, 1, SECTION_PART, ERR_NOTFOUND, NULL },
	{ "1.1", { 1, 1 }, 2, SECTION_PART, ERR_NOTFOUND, NULL },
	{ "1.HEADER", { 1 }, 1, SECTION_HEADER, ERR_NOTFOUND, NULL },
	{ "MIME", { 0 }, 0, SECTION_MIME, ERR_NOTFOUND, NULL },
	{ "1", { 1 }, 1, SECTION_PART, 0, "one" },
	{ "1.MIME", { 1 }, 1, SECTION_MIME, 0, "\r\n" },
	{ "2", { 2 }, 1, SECTION_PART, 0, "Subject: in\r\n\r\ntwo" },
	{ "2.HEADER", { 2 }, 1, SECTION_HEADER, 0, "Subject: in\r\n\r\n" },
	{ "2.TEXT", { 2 }, 1, SECTION_TEXT, 0, "two" },
	{ "2.1", { 2, 1 }, 2, SECTION_PART, 0, "two" },
	{ "2.2", { 2, 2 }, 2, SECTION_PART, ERR_NOTFOUND, NULL },
	{ "HEADER", { 0 }, 0, SECTION_HEADER, 0, "Subject: s\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" },
};

static void check_wants(unsigned number, const char *item, size_t n)
{
	for (size_t i = 0; i < COUNT(wants); i++) {
		const struct want *w = &wants[i];
		struct section_ref ref;
		int r = section_find(number, item, n, w->path, w->npath, w->what, &ref);
		ck_assert_msg(r == w->err, "number %u, %s: %d", number, w->name, r);
		if (w->text) {
			ck_assert_msg(ref.len == strlen(w->text), "number %u, %s: %u bytes", number, w->name, ref.len);
			ck_assert_int_eq(memcmp(two_parts + ref.off, w->text, ref.len), 0);
		}
	}
}

/* Layouts that nobody writes any more, made from the one of number 11. */
static void convert(unsigned number, const char *s, size_t n, struct buf *out)
{
	const char *end = s + n;

	while (s < end) {
		uint32_t c = get_be32(s);
		buf_be32(out, c);
		s += 4;
		while (c--) {
			size_t name = get_be32(s + 16) >> 16;
			buf_append(out, s, 20 + name);
			s += 20 + name;
			if (number >= 5)
				buf_append(out, s, 20);
			if (number >= 8)
				buf_append(out, s + 20, 4);
			if (number >= 9)
				buf_append(out, s + 24, 4);
			s += 28;
		}
	}
}

START_TEST(section_lookup_in_every_layout)
{
	struct buf b = BUF_INIT, old = BUF_INIT;
	struct cacherec rec;

	build(3, two_parts, &b, &rec);
	for (unsigned number = 0; number <= 3; number++)
		check_wants(number, rec.item[CACHE_SECTION].s, rec.item[CACHE_SECTION].n);
	buf_reset(&b);
	build(11, two_parts, &b, &rec);
	for (unsigned number = 4; number <= CACHE_NUMBER_MAX; number++) {
		buf_reset(&old);
		convert(number, rec.item[CACHE_SECTION].s, rec.item[CACHE_SECTION].n, &old);
		check_wants(number, old.s, old.len);
	}
	buf_free(&b);
	buf_free(&old);
}
END_TEST

static int count_visits(void *arg, enum section_visit v, const struct section_part *p)
{
	size_t *n = arg;

	(void)p;
	n[v]++;
	return 0;
}

START_TEST(section_walk_reports_leaves_and_message_headers)
{
	struct buf b = BUF_INIT;
	struct cacherec rec;
	size_t n[2];

	for (unsigned number = 3; number <= 11; number += 8) {
		memset(n, 0, sizeof n);
		buf_reset(&b);
		build(number, two_parts, &b, &rec);
		ck_assert_int_eq(section_each(number, rec.item[CACHE_SECTION].s, rec.item[CACHE_SECTION].n, count_visits, n), 0);
		ck_assert_uint_eq(n[SECTION_VISIT_LEAF], 2);
		ck_assert_uint_eq(n[SECTION_VISIT_HEADER], 2);
	}
	buf_free(&b);
}
END_TEST

/* Whatever is damaged, there is an answer and no step outside (run under the sanitizers). */
START_TEST(section_survives_damage)
{
	static const uint32_t words[] = { 0, 1, 2, 0xffff, 0xffffffffu, 0x7fffffff, 0xfffc0000u };
	struct buf b = BUF_INIT;
	struct cacherec rec;

	build(11, two_parts, &b, &rec);
	for (unsigned number = 0; number <= CACHE_NUMBER_MAX; number++)
		for (size_t at = 0; at + 4 <= rec.item[CACHE_SECTION].n; at += 4)
			for (size_t w = 0; w < COUNT(words); w++) {
				size_t len = rec.item[CACHE_SECTION].n - at, n[2] = { 0, 0 };
				char *copy = malloc(len);
				struct section_ref ref;
				memcpy(copy, rec.item[CACHE_SECTION].s, len);
				if (at + 4 <= len)
					put_be32(copy + at, words[w]);
				for (size_t i = 0; i < COUNT(wants); i++)
					section_find(number, copy, len, wants[i].path, wants[i].npath, wants[i].what, &ref);
				section_each(number, copy, len, count_visits, n);
				free(copy);
			}
	buf_free(&b);
}
END_TEST

/* ---- header fields */
START_TEST(cacheheader_numbers)
{
	static const struct { const char *name; int since; } t[] = {
		{ "Message-ID", -1 }, { "from", -1 }, { "x-anything", -1 }, { "Received-SPF", -1 },
		{ "a-name-of-thirty-two-characters-", -1 }, { "References", 0 }, { "list-id", 1 }, { "X-Mailer", 1 }, { "x-priority", 2 },
		{ "X-Spam-Score", 3 }, { "x-me-message-id", 4 }, { "x-apple-base-url", 6 }, { "sender", 7 },
		{ "a-name-of-thirty-one-characters", 1 },
	};
	for (size_t i = 0; i < COUNT(t); i++)
		ck_assert_msg(cacheheader_since(t[i].name, strlen(t[i].name)) == t[i].since, "%s", t[i].name);
	ck_assert_int_eq(cacheheader_since("to\0zzzzzzzzzz", 13), 1);       /* a NUL in a message is no end of a name */
	ck_assert(!cacheheader_has(0, "list-id", 7) && cacheheader_has(1, "list-id", 7));
	ck_assert(!cacheheader_has(3, "a-name-of-thirty-one-characters", 31));
	ck_assert(cacheheader_has(11, "a-name-of-thirty-one-characters", 31));
	ck_assert(!cacheheader_has(3, "message-id", 10) && !cacheheader_has(11, "message-id", 10));
}
END_TEST

START_TEST(header_fields_are_selected_whole)
{
	static const char hdr[] = "A: 1\r\nB: 2\r\n more\r\nno colon\r\na : 3\r\nA: 4\r\n\r\n";
	static const char *const names[] = { "a", "nothere" };
	struct headernames *h = headernames_new(names, 2);
	struct buf b = BUF_INIT;

	header_select(hdr, strlen(hdr), h, false, &b);
	ck_assert_str_eq(buf_cstr(&b), "A: 1\r\nA: 4\r\n");
	buf_reset(&b);
	header_select(hdr, strlen(hdr), h, true, &b);
	ck_assert_str_eq(buf_cstr(&b), "B: 2\r\n more\r\na : 3\r\n");
	buf_reset(&b);
	ck_assert(header_value(hdr, strlen(hdr), "b", &b));
	ck_assert_str_eq(buf_cstr(&b), "2 more");
	ck_assert(!header_value(hdr, strlen(hdr), "c", &b));
	headernames_free(h);
	buf_free(&b);
}
END_TEST

/* ---- uploads: what the recorded messages do not show */
START_TEST(msgcheck_verdicts)
{
	static const struct { const char *msg; bool binary; int err; } t[] = {
		{ "", false, ERR_EMPTYMESSAGE }, { "A", false, ERR_BADHEADER }, { "\x7f: b\r\n\r\n", false, ERR_BADHEADER },
		{ "Fro m: b\r\n\r\n", false, ERR_BADHEADER },
		{ "From", false, ERR_BADHEADER }, { "From x\r\n\r\n", false, 0 }, { "A: b\r\n", false, 0 }, { "A: b\r\n\r", false, 0 },
		{ "A: b\r\n\r\nx\n", false, ERR_BARENEWLINE }, { "A: b\r\n\r\nx\n", true, 0 }, { "A: b\n\r\nx", true, ERR_BARENEWLINE },
	};
	for (size_t i = 0; i < COUNT(t); i++) {
		struct msgcheck m;
		char copy[64];
		strcpy(copy, t[i].msg);
		msgcheck_init(&m, &(struct msgcheck_options){ t[i].binary, false, true });
		msgcheck_feed(&m, copy, strlen(copy));
		ck_assert_msg(msgcheck_end(&m) == t[i].err, "row %zu: %d", i, m.err);
	}
}
END_TEST

/* ---- search keys that need no text; check_search.py has the others */
static const struct search_range ranges[] = { { 9, 7 }, { 1, 3 }, { 3, 4 }, { 20, UINT32_MAX } };

START_TEST(search_keys_of_the_index_record)
{
	static const uint32_t flags[4] = { 0, 0x80000000u, 0, 1 };
	const struct search_message m = { .msgno = 8, .uid = 5, .system_flags = 6, .user_flags = flags, .seen = true,
		.internaldate = 86400 * 10 + 5, .sentdate = 86400 * 9 + 43200, .size = 100, .modseq = 7 };
	const struct { enum search_op op; uint64_t number; int64_t day; bool yes; } t[] = {
		{ SEARCH_NONE, 0, 0, false }, { SEARCH_ALL, 0, 0, true }, { SEARCH_FLAG, 2, 0, true }, { SEARCH_FLAG, 7, 0, false },
		{ SEARCH_KEYWORD, 63, 0, true }, { SEARCH_KEYWORD, 62, 0, false }, { SEARCH_KEYWORD, 96, 0, true },
		{ SEARCH_KEYWORD, 128, 0, false },
		{ SEARCH_KEYWORD, UINT64_MAX, 0, false }, { SEARCH_SEEN, 0, 0, true }, { SEARCH_RECENT, 0, 0, false },
		{ SEARCH_BEFORE, 0, 10, false }, { SEARCH_BEFORE, 0, 11, true }, { SEARCH_ON, 0, 10, true },
		{ SEARCH_SINCE, 0, 10, true }, { SEARCH_SINCE, 0, 11, false },
		{ SEARCH_SENTON, 0, 9, true }, { SEARCH_SENTBEFORE, 0, 9, false }, { SEARCH_SENTSINCE, 0, 10, false },
		{ SEARCH_LARGER, 100, 0, false }, { SEARCH_LARGER, 99, 0, true }, { SEARCH_SMALLER, 100, 0, false },
		{ SEARCH_SMALLER, 101, 0, true },
		{ SEARCH_OLDER, 60, 0, true }, { SEARCH_OLDER, 61, 0, false }, { SEARCH_OLDER, UINT64_MAX, 0, false },
		{ SEARCH_YOUNGER, 60, 0, true },
		{ SEARCH_YOUNGER, 59, 0, false }, { SEARCH_MODSEQ, 7, 0, true }, { SEARCH_MODSEQ, 8, 0, false },
		{ SEARCH_BODY, 0, 0, false }, { SEARCH_SUBJECT, 0, 0, false },          /* no cache, no message: no match, no crash */
	};
	struct arena *a = arena_new();

	for (size_t i = 0; i < COUNT(t); i++) {
		struct searchkey *k = searchkey_new(a, t[i].op);
		k->number = t[i].number;
		k->day = t[i].day;
		ck_assert_msg(searchkey_match(k, &m, m.internaldate + 60) == t[i].yes, "row %zu", i);
	}
	ck_assert(searchkey_match(searchkey_new_ranges(a, SEARCH_MSGNO, ranges, 4), &m, 0));
	ck_assert(!searchkey_match(searchkey_new_ranges(a, SEARCH_UID, ranges, 4), &m, 0));
	ck_assert(!searchkey_match(searchkey_new_ranges(a, SEARCH_UID, NULL, 0), &m, 0));
	arena_free(a);
}
END_TEST

static struct searchkey *tree(struct arena *a, enum search_op op, struct searchkey *x, struct searchkey *y)
{
	struct searchkey *k = searchkey_new(a, op);

	ck_assert_int_eq(searchkey_add(k, x), 0);
	if (y)
		ck_assert_int_eq(searchkey_add(k, y), 0);
	return k;
}

static bool never_map(void *arg, const char **p, size_t *n)
{
	(void)p, (void)n;
	++*(int *)arg;
	return false;
}

START_TEST(search_combines_and_reads_messages_last)
{
	struct arena *a = arena_new();
	struct charset utf8;
	int asked = 0;
	const struct search_message m = { .uid = 1, .map = never_map, .arg = &asked };
#define ALL searchkey_new(a, SEARCH_ALL)
#define NONE searchkey_new(a, SEARCH_NONE)
#define BODY searchkey_new_text(a, SEARCH_BODY, NULL, &utf8, "x", 1, 0)

	charset_find(&utf8, DIALECT_36, "utf-8", 5);
	ck_assert(searchkey_match(tree(a, SEARCH_AND, ALL, ALL), &m, 0) && !searchkey_match(tree(a, SEARCH_AND, ALL, NONE), &m, 0));
	ck_assert(searchkey_match(tree(a, SEARCH_OR, NONE, ALL), &m, 0) && !searchkey_match(tree(a, SEARCH_OR, NONE, NONE), &m, 0));
	ck_assert(!searchkey_match(tree(a, SEARCH_NOT, ALL, NULL), &m, 0) && searchkey_match(tree(a, SEARCH_NOT, NONE, NULL), &m, 0));
	ck_assert(!searchkey_match(tree(a, SEARCH_AND, BODY, NONE), &m, 0) && searchkey_match(tree(a, SEARCH_OR, BODY, ALL), &m, 0));
	ck_assert_int_eq(asked, 0);
	ck_assert(!searchkey_match(tree(a, SEARCH_OR, BODY, BODY), &m, 0));
	ck_assert_int_eq(asked, 1);
	ck_assert(searchkey_has_modseq(tree(a, SEARCH_NOT, searchkey_new_number(a, SEARCH_MODSEQ, 1), NULL)));
	ck_assert(!searchkey_has_modseq(ALL));
	arena_free(a);
}
END_TEST

START_TEST(search_depth_is_bounded)
{
	struct arena *a = arena_new();
	struct searchkey *k = searchkey_new(a, SEARCH_ALL);
	const struct search_message m = { .uid = 1 };
	int depth = 1;

	for (;; depth++) {
		struct searchkey *up = searchkey_new(a, SEARCH_NOT);
		if (searchkey_add(up, k))
			break;
		k = up;
	}
	ck_assert_int_eq(depth, SEARCH_DEPTH_MAX);
	ck_assert(!searchkey_match(k, &m, 0));           /* an odd number of NOTs */
	arena_free(a);
}
END_TEST

int main(void)
{
	TCase *c = tcase_create("message");
	setenv("TZ", "UTC", 1);
	tcase_add_test(c, mime_splits_hostile_input);
	tcase_add_test(c, mime_outer_delimiter_in_an_unclosed_inner_multipart);
	tcase_add_test(c, mime_boundary_prefix_depends_on_strictness);
	tcase_add_test(c, mime_outermost_boundary_decides);
	tcase_add_test(c, mime_nesting_is_bounded_by_the_option_only);
	tcase_add_test(c, mime_stops_at_maxheaderlines);
	tcase_add_test(c, mime_parameters_by_dialect);
	tcase_add_test(c, cacherec_refuses_an_empty_message);
	tcase_add_test(c, cacherec_parse_refuses_every_cut_and_every_long_item);
	tcase_add_test(c, cacherec_example);
	tcase_add_test(c, section_lookup_in_every_layout);
	tcase_add_test(c, section_walk_reports_leaves_and_message_headers);
	tcase_add_test(c, section_survives_damage);
	tcase_add_test(c, cacheheader_numbers);
	tcase_add_test(c, header_fields_are_selected_whole);
	tcase_add_test(c, msgcheck_verdicts);
	tcase_add_test(c, search_keys_of_the_index_record);
	tcase_add_test(c, search_combines_and_reads_messages_last);
	tcase_add_test(c, search_depth_is_bounded);
	return suite_run("message", (TCase *[]){ c, NULL });
}
