/* check_fetch - the parsers of FETCH's and SEARCH's arguments: what they make of good input, and the words for bad input. */
#include "base/mem.h"
#include "cunit/suite.h"
#include "imapd/fetch.h"
#include "imapd/search_parse.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct arena *arena;
static void setup(void) { arena = arena_new(); }
static void teardown(void) { arena_free(arena); }

static struct args arguments(const char *text, size_t n)
{
	const char *copy = arena_dup(arena, text, n);
	return (struct args){ arena, copy, copy + n };
}

static const char *fetch(const char *text, struct fetch_request *q)
{
	struct args a = arguments(text, strlen(text));
	return fetch_parse(&a, "Fetch", q);
}

/* ------------------------------------------------------------------------------------------------ FETCH */

static const struct { const char *text, *bad; } bad_fetches[] = {
	{ "", "Missing required argument to Fetch" },
	{ "()", "Missing required argument to Fetch" },
	{ "(UID ", "Missing required argument to Fetch" },
	{ "nonsense", "Invalid Fetch attribute NONSENSE" },
	{ "UID[1]", "Invalid Fetch attribute UID" },
	{ "BODY.PEEK", "Invalid Fetch attribute BODY.PEEK" },
	{ "BINARY[1]", "Invalid Fetch attribute BINARY" },
	{ "BINARY.SIZE[1]", "Invalid Fetch attribute BINARY.SIZE" },
	{ "(UID ANNOTATION (/comment value))", "Invalid Fetch attribute ANNOTATION" },
	{ "PREVIEW", "Invalid Fetch attribute PREVIEW" },
	{ "(UID", "Missing close parenthesis in Fetch" },
	{ "(UID FLAGS", "Missing close parenthesis in Fetch" },
	{ "UID FLAGS", "Missing required open parenthesis in Fetch modifiers" },
	{ "(UID) ", "Missing required open parenthesis in Fetch modifiers" },
	{ "(UID)x", "Unexpected extra arguments to Fetch" },
	{ "UID)", "Unexpected extra arguments to Fetch" },
	{ "BODY[", "Invalid body section" },
	{ "BODY[1", "Invalid body section" },
	{ "BODY[1.", "Invalid body section" },
	{ "BODY[.1]", "Invalid body section" },
	{ "BODY[1..2]", "Invalid body section" },
	{ "BODY[4294967296]", "Invalid body section" },
	{ "BODY[99999999999999999999]", "Invalid body section" },
	{ "BODY[-1]", "Invalid body section" },
	{ "BODY[MIME]", "Invalid body section" },
	{ "BODY[1MIME]", "Invalid body section" },
	{ "BODY[1.NONSENSE]", "Invalid body section" },
	{ "BODY[HEADER.1]", "Invalid body section" },
	{ "BODY[HEADER.FIELDS]", "Invalid body section" },
	{ "BODY[HEADER.FIELDS (A)", "Invalid body section" },
	{ "BODY[HEADER.FIELDS (A) ]", "Invalid body section" },
	{ "BODY[HEADER.FIELDS A]", "Missing required open parenthesis in Fetch" },
	{ "BODY[HEADER.FIELDS ()]", "Invalid field-name in Fetch BODY[HEADER.FIELDS" },
	{ "BODY[HEADER.FIELDS (A:)]", "Invalid field-name in Fetch BODY[HEADER.FIELDS" },
	{ "BODY[HEADER.FIELDS (\"\")]", "Invalid field-name in Fetch BODY[HEADER.FIELDS" },
	{ "BODY[HEADER.FIELDS (\"a b\")]", "Invalid field-name in Fetch BODY[HEADER.FIELDS" },
	{ "BODY[HEADER.FIELDS.NOT (A ]", "Missing close parenthesis in Fetch" },
	{ "BODY[HEADER.FIELDS (A B]", "Missing close parenthesis in Fetch" },
	{ "BODY[HEADER.FIELDS ({9}\r\nab)]", "Invalid field-name in Fetch BODY[HEADER.FIELDS" },
	{ "BODY[]<", "Invalid body partial" },
	{ "BODY[]<1>", "Invalid body partial" },
	{ "BODY[]<1.0>", "Invalid body partial" },
	{ "BODY[]<1.2", "Invalid body partial" },
	{ "BODY[]<1.>", "Invalid body partial" },
	{ "BODY[]<-1.2>", "Invalid body partial" },
	{ "BODY[]<1.99999999999999999999>", "Invalid body partial" },
	{ "BODY[]x", "Junk after body section" },
	{ "BODY[]<0.1>x", "Junk after body section" },
	{ "RFC822.HEADER.LINES", "Missing required argument to Fetch" },
	{ "RFC822.HEADER.LINES (", "Invalid field-name in Fetch RFC822.HEADER.LINES" },
	{ "UID (NONSENSE 3)", "Invalid Fetch modifier NONSENSE" },
	{ "UID ()", "Missing required argument to Fetch" },
	{ "UID (CHANGEDSINCE)", "Missing required argument to Fetch CHANGEDSINCE" },
	{ "UID (CHANGEDSINCE x)", "Missing required argument to Fetch CHANGEDSINCE" },
	{ "UID (CHANGEDSINCE 99999999999999999999)", "Missing required argument to Fetch CHANGEDSINCE" },
	{ "UID (CHANGEDSINCE 1", "Missing close parenthesis in Fetch" },
	{ "UID (CHANGEDSINCE 1 VANISHED)", "Invalid Fetch modifier VANISHED" },
	{ "UID (CHANGEDSINCE 1) x", "Unexpected extra arguments to Fetch" },
};

START_TEST(bad_fetch_arguments_are_named)
{
	struct fetch_request q;
	const char *e = fetch(bad_fetches[_i].text, &q);
	ck_assert_msg(e && !strcmp(e, bad_fetches[_i].bad), "%s: %s", bad_fetches[_i].text, e ? e : "(accepted)");
}
END_TEST

static const struct { const char *text; unsigned items; } good_fetches[] = {
	{ "ALL", FETCH_ALL }, { "fast", FETCH_FAST }, { "(FULL)", FETCH_FULL }, { "(UID FLAGS)", FETCH_UID | FETCH_FLAGS },
	{ "RFC822", FETCH_RFC822 | FETCH_SEEN }, { "RFC822.PEEK", FETCH_RFC822 }, { "RFC822.HEADER", FETCH_HEADER },
	{ "RFC822.TEXT", FETCH_TEXT | FETCH_SEEN }, { "RFC822.TEXT.PEEK", FETCH_TEXT },
	{ "BODY", FETCH_BODY }, { "BODY[]", FETCH_SEEN }, { "BODY.PEEK[]", 0 },
	{ "FLAGS (CHANGEDSINCE 5)", FETCH_FLAGS | FETCH_MODSEQ },
	{ "(UID MODSEQ) (CHANGEDSINCE 0)", FETCH_UID | FETCH_MODSEQ }, { "RFC822.HEADER.LINES (From)", 0 },
};

START_TEST(items_are_read)
{
	struct fetch_request q;
	const char *e = fetch(good_fetches[_i].text, &q);
	ck_assert_msg(!e, "%s: %s", good_fetches[_i].text, e);
	ck_assert_uint_eq(q.items, good_fetches[_i].items);
}
END_TEST

static const struct {
	const char *text, *label;
	bool whole;
	enum section_what what;
	size_t npath, nfields;
} sections[] = {
	{ "BODY[]", "BODY[]", true, SECTION_PART, 0, 0 },
	{ "body.peek[]", "BODY[]", true, SECTION_PART, 0, 0 },
	{ "BODY[header]", "BODY[HEADER]", false, SECTION_HEADER, 0, 0 },
	{ "BODY[1.2.3]", "BODY[1.2.3]", false, SECTION_PART, 3, 0 },
	{ "BODY[1.]", "BODY[1.]", false, SECTION_PART, 1, 0 },
	{ "BODY[1.2.mime]", "BODY[1.2.MIME]", false, SECTION_MIME, 2, 0 },
	{ "BODY[4.TEXT]<7.9>", "BODY[4.TEXT]<7>", false, SECTION_TEXT, 1, 0 },
	{ "BODY[1.2.3.4.5.6.7.8.9.10.11]", "BODY[1.2.3.4.5.6.7.8.9.10.11]", false, SECTION_PART, 11, 0 },
	{ "BODY[HEADER.FIELDS (From \"To\" {2}\r\nCC)]", "BODY[HEADER.FIELDS (From To CC)]", false, SECTION_HEADER, 0, 3 },
	{ "BODY[HEADER.FIELDS (\"a]b\" \"c\\\"d\")]", "BODY[HEADER.FIELDS (\"a]b\" \"c\\\"d\")]", false, SECTION_HEADER, 0, 2 },
	{ "BODY[3.HEADER.FIELDS.NOT (X)]<0.5>", "BODY[3.HEADER.FIELDS.NOT (X)]<0>", false, SECTION_HEADER, 1, 1 },
};

START_TEST(sections_are_read)
{
	struct fetch_request q;
	const char *e = fetch(sections[_i].text, &q);
	ck_assert_msg(!e, "%s: %s", sections[_i].text, e);
	const struct fetch_section *s = sections[_i].nfields ? q.fields.first : q.sections.first;
	ck_assert_ptr_nonnull(s);
	ck_assert_str_eq(s->label, sections[_i].label);
	ck_assert_int_eq(s->whole, sections[_i].whole);
	ck_assert_int_eq(s->what, sections[_i].what);
	ck_assert_uint_eq(s->npath, sections[_i].npath);
	ck_assert_uint_eq(s->nfields, sections[_i].nfields);
	ck_assert_int_eq(s->partial, strchr(sections[_i].text, '<') != NULL);
}
END_TEST

START_TEST(sections_keep_their_order)
{
	struct fetch_request q;
	ck_assert_ptr_null(fetch("(BODY[2] BODY[HEADER.FIELDS (B)] BODY[1]<3.4> BODY[HEADER.FIELDS (A)])", &q));
	ck_assert_str_eq(q.sections.first->label, "BODY[2]");
	ck_assert_str_eq(q.sections.first->next->label, "BODY[1]<3>");
	ck_assert_uint_eq(q.sections.first->next->start, 3);
	ck_assert_uint_eq(q.sections.first->next->count, 4);
	ck_assert_str_eq(q.fields.first->label, "BODY[HEADER.FIELDS (B)]");
	ck_assert_str_eq(q.fields.first->next->label, "BODY[HEADER.FIELDS (A)]");
}
END_TEST

/* ------------------------------------------------------------------------------------------------ SEARCH */

static const char *flagname[USER_FLAGS] = { [3] = "custom", [127] = "last" };

static const char *search(const char *text, struct searchkey **root)
{
	struct search_context c = {
		.name = "Search", .dialect = DIALECT_36, .flagname = flagname, .last_msgno = 10, .last_uid = 100,
	};
	struct args a = arguments(text, strlen(text));
	bool charset;
	return search_parse(&a, &c, root, &charset);
}

static const struct { const char *text, *bad; } bad_searches[] = {
	{ "", "Invalid Search criteria" },
	{ " ALL", "Invalid Search criteria" },
	{ "NONSENSE", "Invalid Search criteria" },
	{ "ALL ", "Invalid Search criteria" },
	{ "ALL  SEEN", "Invalid Search criteria" },
	{ "ALLSEEN", "Invalid Search criteria" },
	{ "ALL)", "Unexpected extra arguments to Search" },
	{ "ALL(SEEN)", "Unexpected extra arguments to Search" },
	{ "()", "Invalid Search criteria" },
	{ "(ALL", "Missing required close paren in Search command" },
	{ "((ALL)", "Missing required close paren in Search command" },
	{ "(ALL ", "Invalid Search criteria" },
	{ "NOT", "Missing required argument to Search not" },
	{ "NOT ", "Invalid Search criteria" },
	{ "OR", "Missing required argument to Search or" },
	{ "OR ALL", "Missing required argument to Search all" },
	{ "OR ALL ", "Invalid Search criteria" },
	{ "KEYWORD", "Missing required argument to Search keyword" },
	{ "KEYWORD ", "Missing required argument to Search keyword" },
	{ "UNKEYWORD \\Seen", "Invalid flag name \\Seen in Search command" },
	{ "KEYWORD a]b", "Invalid flag name a]b in Search command" },
	{ "KEYWORD custom(", "Unexpected extra arguments to Search" },
	{ "HEADER x", "Missing required argument to Search header" },
	{ "HEADER x ", "Missing required argument to Search header" },
	{ "SUBJECT \"open", "Missing required argument to Search subject" },
	{ "SUBJECT {5}\r\nabc", "Missing required argument to Search subject" },
	{ "SINCE x", "Invalid date in Search command" },
	{ "SINCE 32-Jan-2000", "Invalid date in Search command" },
	{ "SINCE", "Missing required argument to Search since" },
	{ "LARGER x", "Invalid number in Search command" },
	{ "LARGER 99999999999999999999", "Invalid number in Search command" },
	{ "SMALLER -1", "Invalid number in Search command" },
	{ "OLDER x", "Invalid interval in Search command" },
	{ "UID", "Missing required argument to Search uid" },
	{ "UID x", "Invalid Search criteria" },
	{ "1:", "Invalid Search criteria" },
	{ "1,", "Invalid Search criteria" },
	{ "MODSEQ", "Missing required argument to Search modseq" },
	{ "MODSEQ x", "Invalid number in Search command" },
	{ "MODSEQ \"/flags/x\" 5", "Missing required argument to Search modseq" },
	{ "MODSEQ \"/flags/x\" some 5", "Invalid Search criteria" },
	{ "MODSEQ \"/flags/x\" all", "Missing required argument to Search modseq" },
	{ "CHARSET", "Invalid Search criteria" },
	{ "CHARSET martian ALL", "Unrecognized character set" },
	{ "CHARSET \"\" ALL", "Unrecognized character set" },
	{ "CHARSET utf-8", "Missing required argument to Search charset" },
	{ "ALL CHARSET utf-8", "Invalid Search criteria" },
	{ "RETURN (SAVE) ALL", "Invalid Search return option save" },
	{ "RETURN () ALL", "Invalid Search criteria" },
	{ "ANNOTATION /comment value x", "Invalid Search criteria" },
};

START_TEST(bad_search_arguments_are_named)
{
	struct searchkey *root;
	const char *e = search(bad_searches[_i].text, &root);
	ck_assert_msg(e && !strcmp(e, bad_searches[_i].bad), "%s: %s", bad_searches[_i].text, e ? e : "(accepted)");
}
END_TEST

static bool holds(const char *text, struct search_message *m)
{
	struct searchkey *root;
	const char *e = search(text, &root);
	ck_assert_msg(!e, "%s: %s", text, e);
	return searchkey_match(root, m, 1000000);
}

/* Message 7 of 10, UID 70, flagged and with the keyword `custom`, unseen, recent, of the year 1970. */
static const struct { const char *text; bool match; } good_searches[] = {
	{ "ALL", true }, { "7", true }, { "8", false }, { "*", false }, { "6:*", true }, { "9:5", true },
	{ "1,3,7", true }, { "0", false },
	{ "UID 70", true }, { "UID 7", false }, { "UID 71:*", false }, { "FLAGGED", true }, { "unflagged", false },
	{ "UNANSWERED", true },
	{ "ANSWERED", false }, { "SEEN", false }, { "UNSEEN", true }, { "NEW", true }, { "OLD", false }, { "RECENT", true },
	{ "KEYWORD CUSTOM", true }, { "UNKEYWORD custom", false }, { "KEYWORD last", false }, { "KEYWORD none", false },
	{ "UNKEYWORD none", true },
	{ "NOT ALL", false }, { "NOT NOT ALL", true }, { "OR SEEN FLAGGED", true }, { "OR SEEN NOT FLAGGED", false },
	{ "OR OR SEEN ANSWERED FLAGGED", true }, { "OR (SEEN FLAGGED) (NEW 7)", true }, { "(SEEN) (FLAGGED)", false },
	{ "((ALL))", true },
	{ "NOT (FLAGGED SEEN)", true }, { "FLAGGED NOT DELETED NOT DRAFT", true }, { "LARGER 499", true }, { "LARGER 500", false },
	{ "SMALLER 501", true }, { "BEFORE 1-Jan-1971", true }, { "SINCE \"1-Jan-1971\"", false },
	{ "SENTSINCE 01-Jan-1970", true },
	{ "OLDER 10", true }, { "YOUNGER 10", false }, { "MODSEQ 5", true }, { "MODSEQ 6", false },
	{ "MODSEQ \"/flags/\\\\Seen\" all 5", true },
	{ "CHARSET utf-8 ALL", true }, { "charset US-ASCII NOT SEEN", true }, { "LARGER 18446744073709551615", false },
};

START_TEST(keys_mean_what_they_say)
{
	uint32_t user[4] = { 1u << 3, 0, 0, 0 };
	struct search_message m = {
		.msgno = 7, .uid = 70, .system_flags = FLAG_FLAGGED, .user_flags = user, .recent = true,
		.internaldate = 40000, .sentdate = 40000,
		.size = 500, .modseq = 5,
	};
	ck_assert_msg(holds(good_searches[_i].text, &m) == good_searches[_i].match, "%s", good_searches[_i].text);
}
END_TEST

static char *nested(const char *open, const char *close, unsigned n)
{
	struct buf b = BUF_INIT;
	for (unsigned i = 0; i < n; i++) buf_puts(&b, open);
	buf_puts(&b, "ALL");
	for (unsigned i = 0; i < n; i++) buf_puts(&b, close);
	return buf_take(&b);
}

START_TEST(nesting_has_an_end)
{
	static const struct { const char *open, *close; } kinds[] = { { "(", ")" }, { "NOT ", "" }, { "OR ALL ", "" },
	{ "OR ", " ALL" } };
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		struct searchkey *root;
		char *deep = nested(kinds[i].open, kinds[i].close, SEARCH_DEPTH_MAX - 2);
		char *deeper = nested(kinds[i].open, kinds[i].close, 200000);
		const char *e = search(deep, &root);
		ck_assert_msg(!e, "%s: %s", kinds[i].open, e);
		e = search(deeper, &root);
		ck_assert_msg(e && !strcmp(e, "Invalid Search criteria"), "%s: %s", kinds[i].open, e ? e : "(accepted)");
		free(deep);
		free(deeper);
	}
}
END_TEST

START_TEST(refused_character_set_is_reported_as_such)
{
	struct search_context c = { .name = "Search", .dialect = DIALECT_25, .flagname = flagname };
	struct args a = arguments("CHARSET martian ALL", 19);
	struct searchkey *root;
	bool charset = false;
	ck_assert_ptr_nonnull(search_parse(&a, &c, &root, &charset));
	ck_assert(charset);
	a = arguments("CHARSET utf-8 NONSENSE", 22);
	ck_assert_ptr_nonnull(search_parse(&a, &c, &root, &charset));
	ck_assert(!charset);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("fetch and search");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, bad_fetch_arguments_are_named, 0, COUNT(bad_fetches));
	tcase_add_loop_test(t, items_are_read, 0, COUNT(good_fetches));
	tcase_add_loop_test(t, sections_are_read, 0, COUNT(sections));
	tcase_add_test(t, sections_keep_their_order);
	tcase_add_loop_test(t, bad_search_arguments_are_named, 0, COUNT(bad_searches));
	tcase_add_loop_test(t, keys_mean_what_they_say, 0, COUNT(good_searches));
	tcase_add_test(t, nesting_has_an_end);
	tcase_add_test(t, refused_character_set_is_reported_as_such);
	return suite_run("imapd arguments", (TCase *[]){ t, NULL });
}
