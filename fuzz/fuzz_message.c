/* fuzz_message.c - any bytes as a message: build the record in both dialects, parse it back, walk its sections. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay.h"
#include "base/buf.h"
#include "store/cacherec.h"
#include "store/msgcheck.h"
#include "store/section.h"

static void require(bool ok)
{
	if (!ok)
		__builtin_trap();
}

struct bounds {
	uint64_t size;
	size_t parts;
};

/* A part that starts and ends inside the message: what FETCH and SEARCH rely on. */
static int visit(void *arg, enum section_visit v, const struct section_part *p)
{
	struct bounds *b = arg;

	(void)v;
	b->parts++;
	require((uint64_t)p->hoff + p->hsize <= b->size);
	require((uint64_t)p->coff + p->csize <= b->size);
	return 0;
}

static void one_number(unsigned number, const char *msg, size_t size)
{
	static const uint32_t path[] = { 1, 2, 1 };
	struct cacherec_options o = cacherec_defaults(number);
	struct bounds b = { .size = size };
	struct buf out = BUF_INIT;
	struct message_info info;
	struct section_ref ref;
	struct cacherec rec;

	if (cacherec_build(&o, msg, size, 1000000000, &out, &info) == 0) {
		struct text s;
		require(cacherec_parse(out.s, out.len, &rec) == 0 && rec.len == out.len);
		s = rec.item[CACHE_SECTION];
		require(section_each(number, s.s, s.n, visit, &b) == 0 && b.parts > 0);
		for (size_t n = 0; n <= 3; n++)
			for (int w = SECTION_PART; w <= SECTION_TEXT; w++)
				section_find(number, s.s, s.n, path, n, (enum section_what)w, &ref);
		/* The message's own bytes as a record: damaged input for the readers. */
		if (cacherec_parse(msg, size, &rec) == 0)
			section_each(number, rec.item[CACHE_SECTION].s, rec.item[CACHE_SECTION].n, visit, &(struct bounds){ UINT64_MAX, 0 });
		section_find(number, msg, size, path, 3, SECTION_TEXT, &ref);
	} else {
		require(size == 0);
	}
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + 1);           /* exact bytes for the sanitizer, and our own to change */
	struct msgcheck m;

	memcpy(copy, data, size);
	copy = realloc(copy, size ? size : 1);
	one_number(CACHE_NUMBER_25, copy, size);
	one_number(CACHE_NUMBER_36, copy, size);
	msgcheck_init(&m, &(struct msgcheck_options){ size & 1, size & 2, size & 4 });
	msgcheck_feed(&m, copy, size);
	msgcheck_end(&m);
	free(copy);
	return 0;
}

const struct replay replay = { "message", 10, "\r\n:;=\"()<>-,\\", 1500, 1 };
