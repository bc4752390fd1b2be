/* fuzz_imapargs.c - any bytes as the arguments of FETCH and of SEARCH: every result is used as the commands use it.
 *
 * For libFuzzer: clang -fsanitize=fuzzer,address -DFUZZ_NO_MAIN. Without that, main() replays the files of a directory, each also
 * cut at every length and with single bytes exchanged, which is how `make check` runs it. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "imapd/fetch.h"
#include "imapd/search_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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

#ifndef FUZZ_NO_MAIN
static void vary(uint8_t *p, size_t n)
{
	static const char with[] = "\0 ()[]{}\"\\<>.*1\r\n\xff";
	LLVMFuzzerTestOneInput(p, n);
	if (n > 400) return;
	for (size_t i = 0; i < n; i++) {
		uint8_t was = p[i];
		LLVMFuzzerTestOneInput(p, i);
		for (size_t k = 0; k < sizeof with - 1; k++) {
			p[i] = (uint8_t)with[k];
			LLVMFuzzerTestOneInput(p, n);
		}
		p[i] = was;
	}
}

static bool replay(const char *dir, const char *name)
{
	struct buf path = BUF_INIT, b = BUF_INIT;
	buf_printf(&path, "%s/%s", dir, name);
	FILE *f = fopen(buf_cstr(&path), "rb");
	for (size_t n = 1; f && n; b.len += n) {
		buf_reserve(&b, 65536);
		n = fread(b.s + b.len, 1, 65536, f);
	}
	if (f) fclose(f);
	if (f) vary((uint8_t *)b.s, b.len);
	buf_free(&b);
	buf_free(&path);
	return f;
}

int main(int argc, char **argv)
{
	struct buf path = BUF_INIT;
	const char *src = getenv("srcdir");
	if (argc > 1) buf_puts(&path, argv[1]);
	else buf_printf(&path, "%s/fuzz/corpus/imapargs", src ? src : ".");
	DIR *d = opendir(buf_cstr(&path));
	size_t n = 0;
	for (struct dirent *e; d && (e = readdir(d));)
		if (e->d_name[0] != '.') n += replay(buf_cstr(&path), e->d_name);
	if (d) closedir(d);
	printf("%zu inputs replayed\n", n);
	buf_free(&path);
	return n < 20;
}
#endif
