/* msgparse.c - what our parser makes of messages, for check_corpus.py, which compares it with the recorded references.
 *
 * Reads requests from standard input, one a line: NUMBER INTERNALDATE FILE SECTION... ("-" stands for the empty section).
 * Answers with lines `key value` and one `.`; values are hexadecimal, a section is `LENGTH SHA-1` or NIL.
 * A request `check BINARY REJECT8BIT MUNGE8BIT STEP FILE` (0 or 1 each; STEP bytes are fed at a time) runs the checks of an
 * upload instead and answers with `verdict` and `stored`. `load NUMBER FILE` and then `search KEY CHARSET HEXTEXT [HEADER]`
 * (an empty text is "-") answer with `match 0` or `match 1`. */
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "store/cacherec.h"
#include "store/msgcheck.h"
#include "store/search.h"
#include "store/section.h"

static bool read_file(const char *path, struct buf *b)
{
	FILE *f = fopen(path, "rb");
	size_t n;

	if (!f)
		return false;
	buf_reset(b);
	do {
		buf_reserve(b, 65536);
		n = fread(b->s + b->len, 1, 65536, f);
		b->len += n;
	} while (n > 0);
	fclose(f);
	return true;
}

static void put_hex(const char *key, const void *p, size_t n)
{
	char *hex = malloc(2 * n + 1);

	num_tohex(p, n, hex);
	printf("%s %s\n", key, hex);
	free(hex);
}

/* "1.2.MIME" */
static enum section_what parse_section(const char *s, uint32_t *path, size_t *npath)
{
	*npath = 0;
	while (*s >= '0' && *s <= '9' && *npath < 300) {
		path[(*npath)++] = (uint32_t)strtoul(s, (char **)&s, 10);
		if (*s == '.')
			s++;
	}
	return strcmp(s, "MIME") == 0 ? SECTION_MIME : strcmp(s, "HEADER") == 0 ? SECTION_HEADER :
		strcmp(s, "TEXT") == 0 ? SECTION_TEXT : SECTION_PART;
}

static void put_section(unsigned number, const struct buf *msg, const struct cacherec *rec, const char *name)
{
	struct section_ref ref = { .off = 0, .len = (uint32_t)msg->len };
	unsigned char sha[20];
	uint32_t path[300];
	size_t npath;
	int r = 0;

	if (strcmp(name, "-") != 0) {
		enum section_what what = parse_section(name, path, &npath);
		r = section_find(number, rec->item[CACHE_SECTION].s, rec->item[CACHE_SECTION].n, path, npath, what, &ref);
	}
	if (r || ref.off > msg->len || ref.len > msg->len - ref.off) {
		printf("section:%s %s\n", name, r == ERR_NOTFOUND ? "NIL" : "BAD");
		return;
	}
	SHA1((const unsigned char *)msg->s + ref.off, ref.len, sha);
	printf("section:%s %u ", name, ref.len);
	for (size_t i = 0; i < sizeof sha; i++)
		printf("%02x", sha[i]);
	putchar('\n');
}

static void answer(unsigned number, long internaldate, const char *file, char *sections)
{
	static const char *const items[] = { "envelope", "bodystructure", "body", "section", "headers", "from", "to", "cc", "bcc",
		"subject" };
	struct cacherec_options o = cacherec_defaults(number);
	struct buf msg = BUF_INIT, out = BUF_INIT;
	struct message_info info;
	struct cacherec rec;
	int r;

	if (!read_file(file, &msg)) {
		printf("error unreadable\n");
		goto done;
	}
	if ((r = cacherec_build(&o, msg.s, msg.len, internaldate, &out, &info)) || (r = cacherec_parse(out.s, out.len, &rec))) {
		printf("error %s\n", err_text(r));
		goto done;
	}
	for (size_t i = 0; i < CACHE_ITEMS; i++)
		put_hex(items[i], rec.item[i].s, rec.item[i].n);
	put_hex("guid", info.guid, 20);
	printf("header_size %u\nsize %llu\ngmtime %u\nsentdate %u\ncache_crc %u\nrecord_end %d\n", info.header_size,
		(unsigned long long)info.size, info.gmtime, info.sentdate, info.cache_crc, rec.len == out.len);
	for (char *save, *s = strtok_r(sections, " ", &save); s; s = strtok_r(NULL, " ", &save))
		put_section(number, &msg, &rec, s);
done:
	puts(".");
	fflush(stdout);
	buf_free(&msg);
	buf_free(&out);
}

static void answer_check(const char *request)
{
	struct buf msg = BUF_INIT;
	struct msgcheck m;
	int binary, reject, munge, at = 0;
	size_t step;

	if (sscanf(request, "check %d %d %d %zu %n", &binary, &reject, &munge, &step, &at) < 4 || !at || step == 0 ||
	    !read_file(request + at, &msg)) {
		printf("error bad request\n.\n");
		fflush(stdout);
		return;
	}
	msgcheck_init(&m, &(struct msgcheck_options){ binary, reject, munge });
	for (size_t i = 0; i < msg.len; i += step)
		msgcheck_feed(&m, msg.s + i, msg.len - i < step ? msg.len - i : step);
	printf("verdict %s\n", err_text(msgcheck_end(&m)));
	put_hex("stored", msg.s, msg.len);
	puts(".");
	fflush(stdout);
	buf_free(&msg);
}

struct loaded {
	struct buf msg, rec;
	unsigned number;
	struct cacherec cache;
};

static bool map_loaded(void *arg, const char **p, size_t *n)
{
	struct loaded *l = arg;

	*p = l->msg.s;
	*n = l->msg.len;
	return true;
}

static void answer_load(struct loaded *l, const char *request)
{
	struct cacherec_options o;
	struct message_info info;
	int at = 0;

	buf_reset(&l->rec);
	if (sscanf(request, "load %u %n", &l->number, &at) < 1 || !read_file(request + at, &l->msg)) {
		puts("error unreadable\n.");
	} else {
		o = cacherec_defaults(l->number);
		if (cacherec_build(&o, l->msg.s, l->msg.len, 1000000000, &l->rec, &info)
			|| cacherec_parse(l->rec.s, l->rec.len, &l->cache))
			puts("error build");
		puts(".");
	}
	fflush(stdout);
}

static void answer_search(struct loaded *l, const char *request)
{
	static const struct { const char *name; enum search_op op; } ops[] = {
		{ "SUBJECT", SEARCH_SUBJECT }, { "FROM", SEARCH_FROM }, { "TO", SEARCH_TO }, { "CC", SEARCH_CC }, { "BCC", SEARCH_BCC },
		{ "HEADER", SEARCH_HEADER }, { "BODY", SEARCH_BODY }, { "TEXT", SEARCH_TEXT } };
	struct search_message m = { .cache_number = l->number, .cache = &l->cache, .map = map_loaded, .arg = l };
	char key[32] = "", cs[64] = "", hex[512] = "", header[128] = "";
	uint8_t text[256];
	struct charset set;
	struct arena *a = arena_new();
	size_t n;

	sscanf(request, "search %31s %63s %511s %127s", key, cs, hex, header);
	n = hex[0] == '-' ? 0 : strlen(hex) / 2;
	if (!num_unhex(hex, n, text) || !charset_find(&set, DIALECT_36, cs, strlen(cs))) {
		puts("error bad request");
	} else {
		for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
			if (strcmp(ops[i].name, key) == 0)
				printf("match %d\n", searchkey_match(searchkey_new_text(a, ops[i].op, header, &set, (char *)text, n,
					CANON_SKIPDIACRIT | CANON_MERGESPACE), &m, 0));
	}
	puts(".");
	fflush(stdout);
	arena_free(a);
}

int main(void)
{
	static struct loaded loaded;
	char *line = NULL, *save;
	size_t alloc = 0;
	ssize_t n;

	while ((n = getline(&line, &alloc, stdin)) > 0) {
		char *number, *date, *file;
		if (line[n - 1] == '\n')
			line[n - 1] = '\0';
		if (strncmp(line, "check ", 6) == 0) {
			answer_check(line);
			continue;
		}
		if (strncmp(line, "load ", 5) == 0) {
			answer_load(&loaded, line);
			continue;
		}
		if (strncmp(line, "search ", 7) == 0) {
			answer_search(&loaded, line);
			continue;
		}
		number = strtok_r(line, " ", &save);
		date = strtok_r(NULL, " ", &save);
		file = strtok_r(NULL, " ", &save);
		if (!number || !date || !file)
			continue;
		answer((unsigned)atoi(number), atol(date), file, save);
	}
	free(line);
	buf_free(&loaded.msg);
	buf_free(&loaded.rec);
	return 0;
}
