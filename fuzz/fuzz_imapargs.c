/* fuzz_imapargs.c - any bytes as the arguments of FETCH and of SEARCH: every result is used as the commands use it. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay.h"
#include "base/buf.h"
#include "imapd/fetch.h"
#include "imapd/search_parse.h"

static void require(bool ok)
{
	if (!ok) __builtin_trap();
}

static void walk(const struct fetch_section *s, bool fields)
{
	static const char header[] = "From: a\r\nSubject: b\r\n\r\n";
	struct buf out = BUF_INIT;
	for (; s; s = s->next) {
		require(s->label && (s->nfields > 0) == fields);
		require(!s->partial || s->count > 0);
		for (size_t i = 0; i < s->npath; i++) require(s->path[i] < UINT32_MAX || s->what <= SECTION_TEXT);
		if (fields) header_select(header, sizeof header - 1, s->names, s->not, &out);
	}
	buf_free(&out);
}

static void try_fetch(struct arena *arena, const char *p, size_t n)
{
	struct args a = { arena, p, p + n };
	struct fetch_request q;
	const char *e = fetch_parse(&a, "Fetch", &q);
	require(a.p >= p && a.p <= p + n);
	if (e) return;
	require(a.p == p + n);
	walk(q.lines.first, true);
	walk(q.fields.first, true);
	walk(q.sections.first, false);
}

static void try_search(struct arena *arena, enum dialect d, const char *p, size_t n)
{
	static const char *flagname[USER_FLAGS] = { [0] = "a", [127] = "z" };
	struct search_context c = {
		.name = "Search", .dialect = d, .flagname = flagname, .last_msgno = 9, .last_uid = 99, .canon = CANON_MERGESPACE,
	};
	uint32_t user[4] = { 1, 0, 0, 0 };
	struct search_message m = { .msgno = 5, .uid = 55, .user_flags = user, .size = 100, .modseq = 3, .cache_number = 11 };
	struct args a = { arena, p, p + n };
	struct searchkey *root = NULL;
	bool charset;
	const char *e = search_parse(&a, &c, &root, &charset);
	require(a.p >= p && a.p <= p + n);
	if (e) return;
	require(root && root->depth <= SEARCH_DEPTH_MAX + 1);
	searchkey_match(root, &m, 1000000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + 1);                   /* of its own size, so that reading beyond the end is seen */
	char *p = realloc(copy, size ? size : 1);
	struct arena *arena = arena_new();
	if (size) memcpy(p, data, size);
	try_fetch(arena, p, size);
	try_search(arena, DIALECT_25, p, size);
	try_search(arena, DIALECT_36, p, size);
	arena_free(arena);
	free(p);
	return 0;
}

const struct replay replay = { "imapargs", 20, " ()[]{}\"\\<>.*1\r\n", 400, 1 };
