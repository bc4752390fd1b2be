/* check_base.c - lib/base: buffers, arrays, tables, arenas, numbers, error texts and the log. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/ptrarray.h"
#include "base/repeat.h"
#include "base/strarray.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof (a) / sizeof *(a))

/* ------------------------------------------------------------------------------------------------ buf */

START_TEST(buf_starts_empty)
{
	struct buf b = BUF_INIT, other = BUF_INIT;
	ck_assert(buf_eq(&b, ""));
	ck_assert_int_eq(buf_cmp(&b, &other), 0);
	buf_append(&b, NULL, 0);
	buf_add(&b, &other);
	buf_remove(&b, 0, 5);
	buf_truncate(&b, 3);
	ck_assert_uint_eq(b.len, 0);
	ck_assert_str_eq(buf_cstr(&b), "");
	buf_free(&b);
	ck_assert_ptr_null(b.s);
	char *s = buf_take(&b);                        /* taking from nothing gives an empty string, not NULL */
	ck_assert_str_eq(s, "");
	free(s);
	buf_putc(&b, 'x');                             /* a freed or taken one may be used again */
	ck_assert(buf_eq(&b, "x"));
	buf_free(&b);
}
END_TEST

START_TEST(buf_holds_nuls)
{
	struct buf b = BUF_INIT;
	buf_append(&b, "a\0b", 3);
	ck_assert_uint_eq(b.len, 3);
	ck_assert(!buf_eq(&b, "a"));
	ck_assert_int_eq(buf_cstr(&b)[3], 0);
	buf_putc(&b, 0);
	ck_assert_uint_eq(b.len, 4);
	ck_assert_int_eq(memcmp(b.s, "a\0b\0", 4), 0);
	buf_free(&b);
}
END_TEST

START_TEST(buf_grows_by_each_way_of_writing)
{
	struct buf b = BUF_INIT, want = BUF_INIT;
	for (int i = 0; i < 3000; i++) {
		char text[16];
		snprintf(text, sizeof text, "%d;", i);
		if (i % 3 == 0) buf_puts(&b, text);
		else if (i % 3 == 1) buf_printf(&b, "%d;", i);
		else for (const char *p = text; *p; p++) buf_putc(&b, *p);
		buf_append(&want, text, strlen(text));
	}
	ck_assert_uint_eq(b.len, want.len);
	ck_assert_int_eq(buf_cmp(&b, &want), 0);
	buf_free(&b);
	buf_free(&want);
}
END_TEST

/* The text may end exactly at, before or behind what is allocated. */
START_TEST(buf_printf_at_every_length)
{
	for (int n = 0; n < 300; n++) {
		struct buf b = BUF_INIT;
		buf_puts(&b, "head");
		buf_printf(&b, "%0*d|", n, 7);
		ck_assert_uint_eq(b.len, 4 + (size_t)(n ? n : 1) + 1);
		ck_assert_int_eq(b.s[b.len - 1], '|');
		ck_assert_int_eq(memcmp(b.s, "head", 4), 0);
		ck_assert_uint_eq(strlen(buf_cstr(&b)), b.len);
		buf_free(&b);
	}
}
END_TEST

START_TEST(buf_network_order)
{
	struct buf b = BUF_INIT;
	buf_be32(&b, 0x01020304u);
	buf_be64(&b, 0xfffefdfcfbfaf9f8u);
	ck_assert_uint_eq(b.len, 12);
	ck_assert_int_eq(memcmp(b.s, "\1\2\3\4\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8", 12), 0);
	buf_free(&b);
}
END_TEST

static const struct { size_t off, n; const char *left; } removals[] = {
	{ 0, 0, "abcdef" }, { 0, 1, "bcdef" }, { 0, 6, "" }, { 0, 7, "" }, { 2, 2, "abef" }, { 5, 1, "abcde" },
	{ 5, 100, "abcde" },
	{ 6, 1, "abcdef" }, { 7, 1, "abcdef" }, { SIZE_MAX, 1, "abcdef" }, { 1, SIZE_MAX, "a" },
};

START_TEST(buf_remove_stays_inside)
{
	struct buf b = BUF_INIT;
	buf_setcstr(&b, "abcdef");
	buf_remove(&b, removals[_i].off, removals[_i].n);
	ck_assert_str_eq(buf_cstr(&b), removals[_i].left);
	buf_free(&b);
}
END_TEST

static const struct { const char *a; size_t an; const char *b; size_t bn; int sign; } orders[] = {
	{ "", 0, "", 0, 0 }, { "", 0, "\0", 1, -1 }, { "a", 1, "ab", 2, -1 }, { "b", 1, "ab", 2, 1 },
	{ "a\0a", 3, "a\0b", 3, -1 },
	{ "\xff", 1, "\x7f", 1, 1 }, { "same", 4, "same", 4, 0 },
};

START_TEST(buf_order)
{
	struct buf a = BUF_INIT, b = BUF_INIT;
	buf_set(&a, orders[_i].a, orders[_i].an);
	buf_set(&b, orders[_i].b, orders[_i].bn);
	int r = buf_cmp(&a, &b), back = buf_cmp(&b, &a);
	ck_assert_int_eq((r > 0) - (r < 0), orders[_i].sign);
	ck_assert_int_eq((back > 0) - (back < 0), -orders[_i].sign);
	buf_free(&a);
	buf_free(&b);
}
END_TEST

START_TEST(buf_set_reset_truncate)
{
	struct buf b = BUF_INIT;
	buf_setcstr(&b, "first");
	buf_set(&b, "xy", 2);
	ck_assert(buf_eq(&b, "xy"));
	buf_truncate(&b, 2);
	buf_truncate(&b, 3);                           /* never longer */
	ck_assert_uint_eq(b.len, 2);
	buf_truncate(&b, 1);
	ck_assert_str_eq(buf_cstr(&b), "x");
	buf_reset(&b);
	ck_assert(buf_eq(&b, ""));
	ck_assert_uint_gt(b.alloc, 0);
	buf_reserve(&b, 100000);
	memset(b.s + b.len, 'z', 100000);
	buf_free(&b);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ arrays */

START_TEST(strarray_split_gives_the_words)
{
	static const struct { const char *s, *seps, *joined; size_t n; } t[] = {
		{ "", " ", "", 0 }, { "   ", " ", "", 0 }, { "a", " ", "a", 1 }, { " a  b ", " ", "a|b", 2 },
		{ "a,b\tc", ", \t", "a|b|c", 3 },
		{ "a b", "", "a b", 1 }, { ",,a,,", ",", "a", 1 },
	};
	for (size_t i = 0; i < COUNT(t); i++) {
		struct strarray a = STRARRAY_INIT;
		strarray_split(&a, t[i].s, t[i].seps);
		char *joined = strarray_join(&a, "|");
		ck_assert_uint_eq(a.n, t[i].n);
		ck_assert_str_eq(joined, t[i].joined);
		free(joined);
		strarray_free(&a);
	}
}
END_TEST

START_TEST(strarray_finds_removes_sorts)
{
	struct strarray a = STRARRAY_INIT;
	for (int i = 0; i < 100; i++) strarray_take(&a, mem_printf("k%d", (i * 37) % 100));
	strarray_append(&a, "MiXed");
	ck_assert_int_eq(strarray_find(&a, "k37"), 1);
	ck_assert_int_eq(strarray_find(&a, "mixed"), -1);
	ck_assert_int_eq(strarray_findcase(&a, "mixed"), 100);
	strarray_remove(&a, 0);
	ck_assert_int_eq(strarray_find(&a, "k37"), 0);
	ck_assert_int_eq(strarray_find(&a, "k0"), -1);
	strarray_remove(&a, a.n - 1);
	strarray_sort(&a);
	ck_assert_uint_eq(a.n, 99);
	for (size_t i = 1; i < a.n; i++) ck_assert_int_lt(strcmp(a.v[i - 1], a.v[i]), 0);
	strarray_free(&a);
	strarray_sort(&a);
	ck_assert_int_eq(strarray_find(&a, "k1"), -1);
	strarray_append(&a, "again");
	ck_assert_uint_eq(a.n, 1);
	strarray_free(&a);
}
END_TEST

START_TEST(ptrarray_keeps_the_order)
{
	struct ptrarray a = PTRARRAY_INIT;
	int things[50];
	for (int i = 0; i < 50; i++) ptrarray_append(&a, &things[i]);
	ptrarray_append(&a, NULL);
	ptrarray_remove(&a, 0);
	ptrarray_remove(&a, 10);
	ck_assert_uint_eq(a.n, 49);
	ck_assert_int_eq(ptrarray_find(&a, &things[0]), -1);
	ck_assert_int_eq(ptrarray_find(&a, &things[10]), 9);
	ck_assert_int_eq(ptrarray_find(&a, &things[12]), 10);
	ck_assert_int_eq(ptrarray_find(&a, NULL), 48);
	ptrarray_remove(&a, 48);
	ck_assert_int_eq(ptrarray_find(&a, NULL), -1);
	ptrarray_free(&a);
	ck_assert_uint_eq(a.n, 0);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ hash */

/* The vectors of the SipHash paper's reference: key 00 01 .. 0f, message 00 01 .. of the length of the row. */
START_TEST(hash_is_siphash_2_4)
{
	static const struct { size_t n; uint64_t v; } t[] = {
		{ 0, 0x726fdb47dd0e0e31u }, { 1, 0x74f839c593dc67fdu }, { 2, 0x0d6c8009d9a94f5au }, { 7, 0xab0200f58b01d137u },
		{ 8, 0x93f5f5799a932462u }, { 15, 0xa129ca6149be45e5u },
	};
	uint8_t key[16], msg[64];
	for (uint8_t i = 0; i < 64; i++) msg[i] = i;
	memcpy(key, msg, 16);
	for (size_t i = 0; i < COUNT(t); i++) ck_assert_msg(hash_siphash(key, msg, t[i].n) == t[i].v, "length %zu", t[i].n);
	ck_assert(hash_bytes("a", 1) == hash_bytes("a", 1));
	ck_assert(hash_bytes("a", 1) != hash_bytes("b", 1));
}
END_TEST

static int sum_up(void *arg, const void *key, size_t len, void *value)
{
	long *sum = arg;
	ck_assert_uint_eq(len, 4);
	ck_assert(get_be32(key) == (uint32_t)(uintptr_t)value);
	*sum += (long)(uintptr_t)value;
	return 0;
}

static int stop_at_third(void *arg, const void *key, size_t len, void *value)
{
	(void)key, (void)len, (void)value;
	return ++*(int *)arg == 3 ? 42 : 0;
}

START_TEST(hash_many_entries)
{
	struct hash *h = hash_new();
	uint8_t key[4];
	long sum = 0;
	int calls = 0;
	ck_assert_ptr_null(hash_get(h, "none", 4));
	ck_assert_ptr_null(hash_remove(h, "none", 4));
	for (uint32_t i = 1; i <= 5000; i++) {
		put_be32(key, i);
		ck_assert_ptr_null(hash_put(h, key, 4, (void *)(uintptr_t)i));
	}
	ck_assert_uint_eq(hash_count(h), 5000);
	for (uint32_t i = 1; i <= 5000; i++) {
		put_be32(key, i);
		ck_assert_uint_eq((uintptr_t)hash_get(h, key, 4), i);
		ck_assert_ptr_null(hash_get(h, key, 3));
	}
	ck_assert_int_eq(hash_each(h, sum_up, &sum), 0);
	ck_assert_int_eq(sum, 5000L * 5001 / 2);
	ck_assert_int_eq(hash_each(h, stop_at_third, &calls), 42);
	ck_assert_int_eq(calls, 3);
	for (uint32_t i = 2; i <= 5000; i += 2) {
		put_be32(key, i);
		ck_assert_uint_eq((uintptr_t)hash_remove(h, key, 4), i);
		ck_assert_ptr_null(hash_remove(h, key, 4));
	}
	ck_assert_uint_eq(hash_count(h), 2500);
	put_be32(key, 4999);
	ck_assert_ptr_nonnull(hash_get(h, key, 4));
	put_be32(key, 5000);
	ck_assert_ptr_null(hash_get(h, key, 4));
	hash_free(h, NULL);
}
END_TEST

START_TEST(hash_keys_are_bytes_and_copied)
{
	struct hash *h = hash_new();
	char key[] = "a\0b";
	ck_assert_ptr_null(hash_put(h, key, 3, mem_strdup("one")));
	ck_assert_ptr_null(hash_puts(h, "", mem_strdup("empty")));
	ck_assert_ptr_null(hash_gets(h, "a"));
	key[0] = 'x';
	ck_assert_str_eq(hash_get(h, "a\0b", 3), "one");
	ck_assert_str_eq(hash_gets(h, ""), "empty");
	char *old = hash_put(h, "a\0b", 3, mem_strdup("two"));
	ck_assert_str_eq(old, "one");
	ck_assert_uint_eq(hash_count(h), 2);
	free(old);
	hash_free(h, free);                            /* a leak checker sees values that were not freed */
	hash_free(NULL, free);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ arena */

static struct buf ran = BUF_INIT;
static struct arena *the_arena;

static void note(void *arg) { buf_puts(&ran, arg); }

static void note_and_add(void *arg)
{
	note(arg);
	arena_on_free(the_arena, note, arena_strdup(the_arena, "late "));
}

START_TEST(arena_clean_ups_run_newest_first_before_memory_goes)
{
	struct arena *a = the_arena = arena_new();
	buf_reset(&ran);
	arena_on_free(a, note, arena_strdup(a, "first "));
	arena_on_free(a, note_and_add, arena_strdup(a, "second "));
	arena_on_free(a, note, arena_printf(a, "%s ", "third"));
	arena_reset(a);
	ck_assert_str_eq(buf_cstr(&ran), "third second late first ");
	arena_reset(a);
	ck_assert_str_eq(buf_cstr(&ran), "third second late first ");
	arena_on_free(a, note, arena_strdup(a, "again"));
	arena_free(a);
	ck_assert_str_eq(buf_cstr(&ran), "third second late first again");
	arena_free(NULL);
	buf_free(&ran);
}
END_TEST

/* Blocks of all sizes, small ones between large ones: aligned, and none on top of another. */
START_TEST(arena_blocks_do_not_overlap)
{
	enum { N = 600 };
	struct arena *a = arena_new();
	uint8_t *p[N];
	size_t n[N];
	for (size_t i = 0; i < N; i++) {
		n[i] = i * i % 5003;
		p[i] = arena_alloc(a, n[i]);
		ck_assert_ptr_nonnull(p[i]);
		ck_assert_uint_eq((uintptr_t)p[i] % 16, 0);
		memset(p[i], (int)(i & 0xff), n[i]);
	}
	for (size_t i = 0; i < N; i++)
		for (size_t k = 0; k < n[i]; k++) ck_assert_uint_eq(p[i][k], i & 0xff);
	uint8_t *z = arena_zalloc(a, 3000);
	for (size_t k = 0; k < 3000; k++) ck_assert_uint_eq(z[k], 0);
	ck_assert_int_eq(memcmp(arena_dup(a, "a\0b", 3), "a\0b\0", 4), 0);
	ck_assert_str_eq(arena_dup(a, NULL, 0), "");
	arena_free(a);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ num */

static const struct { const char *s; bool ok32, ok64; uint64_t v; const char *rest; } numbers[] = {
	{ "", false, false, 0, "" }, { "-1", false, false, 0, "" }, { "+1", false, false, 0, "" }, { " 1", false, false, 0, "" },
	{ "x", false, false, 0, "" }, { "0x10", true, true, 0, "x10" }, { "0", true, true, 0, "" }, { "007", true, true, 7, "" },
	{ "12 ", true, true, 12, " " }, { "12}", true, true, 12, "}" }, { "4294967295", true, true, 4294967295u, "" },
	{ "4294967296", false, true, 4294967296u, "" }, { "18446744073709551615", false, true, UINT64_MAX, "" },
	{ "18446744073709551616", false, false, 0, "" }, { "99999999999999999999", false, false, 0, "" },
	{ "00000000000000000000000001", true, true, 1, "" },
};

START_TEST(num_reads_digits_only)
{
	const char *s = numbers[_i].s, *end = s + strlen(s), *p = s;
	uint32_t v32 = 77;
	uint64_t v64 = 77;
	ck_assert_int_eq(num_u32(&p, end, &v32), numbers[_i].ok32);
	ck_assert_uint_eq(v32, numbers[_i].ok32 ? numbers[_i].v : 77);      /* left alone when it fails */
	if (numbers[_i].ok32) ck_assert_str_eq(p, numbers[_i].rest);
	else ck_assert_ptr_eq(p, s);
	p = s;
	ck_assert_int_eq(num_u64(&p, end, &v64), numbers[_i].ok64);
	ck_assert_uint_eq(v64, numbers[_i].ok64 ? numbers[_i].v : 77);
	if (!numbers[_i].ok64) ck_assert_ptr_eq(p, s);
	v32 = 77;
	v64 = 77;
	bool whole = !*numbers[_i].rest;
	ck_assert_int_eq(num_str_u32(s, &v32), numbers[_i].ok32 && whole);
	ck_assert_int_eq(num_str_u64(s, &v64), numbers[_i].ok64 && whole);
	if (!whole) ck_assert_uint_eq(v32 + v64, 154);
}
END_TEST

START_TEST(num_stops_at_the_end_given)
{
	char digits[3] = { '1', '2', '3' };            /* no NUL behind it */
	const char *p = digits;
	uint32_t v;
	ck_assert(num_u32(&p, digits + 2, &v));
	ck_assert_uint_eq(v, 12);
	ck_assert_ptr_eq(p, digits + 2);
	ck_assert(!num_u32(&p, digits + 2, &v));
}
END_TEST

START_TEST(num_hex_both_ways)
{
	uint8_t out[4] = { 0 };
	char text[9];
	ck_assert(num_unhex("00fFA19c", 4, out));
	ck_assert_int_eq(memcmp(out, "\x00\xff\xa1\x9c", 4), 0);
	num_tohex(out, 4, text);
	ck_assert_str_eq(text, "00ffa19c");
	ck_assert(!num_unhex("00ffA1", 4, out));       /* too short: stops at the NUL */
	ck_assert(!num_unhex("0", 1, out));
	ck_assert(!num_unhex("g0", 1, out));
	ck_assert(!num_unhex("0g", 1, out));
	for (int c = 0; c < 256; c++) {
		static const char digits[] = "0123456789abcdefABCDEF";
		const char *at = c ? strchr(digits, c) : NULL;
		long want = !at ? -1 : at - digits < 16 ? at - digits : at - digits - 6;
		ck_assert_int_eq(num_hex(c), want);
	}
}
END_TEST

START_TEST(num_network_order_round_trip)
{
	uint8_t p[8];
	put_be16(p, 0xfffe);
	ck_assert_uint_eq(get_be16(p), 0xfffe);
	put_be32(p, 0x80000001u);
	ck_assert_uint_eq(p[0], 0x80);
	ck_assert_uint_eq(get_be32(p), 0x80000001u);
	put_be64(p, 0x8000000180000002u);
	ck_assert_uint_eq(get_be64(p), 0x8000000180000002u);
	ck_assert_uint_eq(get_be32(p + 4), 0x80000002u);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ err, mem, log */

START_TEST(err_every_code_has_a_text)
{
	for (int e = 0; e < ERR_COUNT; e++) {
		ck_assert_ptr_nonnull(err_text(e));
		ck_assert_uint_gt(strlen(err_text(e)), 0);
		for (int k = 0; k < e; k++) ck_assert_str_ne(err_text(e), err_text(k));
	}
	ck_assert_str_eq(err_text(-1), err_text(ERR_INTERNAL));
	ck_assert_str_eq(err_text(ERR_COUNT), err_text(ERR_INTERNAL));
	ck_assert_str_eq(err_text(ERR_NOMAILBOX), "Mailbox does not exist");
	ck_assert_int_eq(err_from_errno(ENOSPC), ERR_NOSPACE);
	ck_assert_int_eq(err_from_errno(EDQUOT), ERR_NOSPACE);
	ck_assert_int_eq(err_from_errno(EIO), ERR_IO);
	ck_assert_int_eq(err_from_errno(0), ERR_IO);
}
END_TEST

START_TEST(mem_zero_sizes_and_growth)
{
	void *p = mem_alloc(0);
	ck_assert_ptr_nonnull(p);
	p = mem_realloc(p, 0);
	ck_assert_ptr_nonnull(p);
	free(p);
	char *z = mem_zalloc(64), *d = mem_dup("a\0b", 3), *e = mem_dup(NULL, 0);
	for (int i = 0; i < 64; i++) ck_assert_int_eq(z[i], 0);
	ck_assert_int_eq(memcmp(d, "a\0b\0", 4), 0);
	ck_assert_str_eq(e, "");
	free(z);
	free(d);
	free(e);
	int *v = NULL;
	size_t alloc = 0;
	for (size_t n = 0; n < 1000; n++) {
		MEM_GROW(v, alloc, n + 1);
		ck_assert_uint_gt(alloc, n);
		v[n] = (int)n;
	}
	MEM_GROW(v, alloc, (size_t)5000);              /* more than double at once */
	ck_assert_uint_ge(alloc, 5000);
	for (int n = 0; n < 1000; n++) ck_assert_int_eq(v[n], n);
	free(v);
}
END_TEST

/* count * size that wraps must not become a small block: the process leaves as it does without memory. */
START_TEST(mem_array_overflow_ends_the_process) { free(mem_array(NULL, SIZE_MAX / 4 + 2, 4)); } END_TEST

static char last_line[64];
static int last_priority;

static void keep(void *arg, int priority, const char *line)
{
	++*(int *)arg;
	last_priority = priority;
	snprintf(last_line, sizeof last_line, "%.60s", line);
}

START_TEST(log_goes_to_the_hook)
{
	int lines = 0;
	log_hook(keep, &lines);
	errno = ENOENT;
	log_msg(LOG_WARNING, "%s: %m", "file");
	log_hook(NULL, NULL);
	ck_assert_int_eq(lines, 1);
	ck_assert_int_eq(last_priority, LOG_WARNING);
	ck_assert_str_eq(last_line, "file: No such file or directory");
	ck_assert_int_eq(log_facility("mail", LOG_USER), LOG_MAIL);
	ck_assert_int_eq(log_facility("LOCAL6", LOG_USER), LOG_LOCAL6);
	ck_assert_int_eq(log_facility("nothing", LOG_USER), LOG_USER);
	ck_assert_int_eq(log_facility("", LOG_USER), LOG_USER);
	ck_assert_int_eq(log_facility(NULL, LOG_USER), LOG_USER);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ repeat */

#define SEC 1000000000LL
static struct repeat rep;
static struct buf out;
static unsigned lines;

static void keep_text(void *arg, int priority, const char *text)
{
	(void)arg;
	lines++;
	buf_printf(&out, "%d %s\n", priority, text);
}

static void repeat_begin(void)
{
	static const struct repeat empty;
	rep = empty;
	rep.emit = keep_text;
	lines = 0;
	buf_reset(&out);
}

static const struct {
	const char *a, *b;
	bool alike;
} alikes[] = {
	{ "", "", true }, { "", "x", false }, { "x", "X", false }, { "7", "123456789", true }, { "7", "7 7", false }, { "7 7", "70 0", true },
	{ "pid 12 died", "pid 9 died", true }, { "pid 12 died", "pid  9 died", false }, { "age 1.5s", "age 22.075s", true },
	{ "age 1.5s", "age 15s", false }, { "imap1", "imap2", true }, { "imap", "imap1", false }, { "a\xff", "a\xfe", false },
};

START_TEST(repeat_tells_lines_apart)
{
	repeat_begin();
	for (int i = 0; i < REPEAT_PASS; i++) ck_assert(repeat_pass(&rep, 0, LOG_ERR, alikes[_i].a));
	ck_assert_int_eq(repeat_pass(&rep, 0, LOG_ERR, alikes[_i].b), !alikes[_i].alike);
	ck_assert(repeat_pass(&rep, 0, LOG_WARNING, alikes[_i].a));    /* another priority is another kind */
}
END_TEST

START_TEST(repeat_counts_what_is_over_the_limit)
{
	char line[32];
	repeat_begin();
	ck_assert_int_eq(repeat_due(&rep), INT64_MAX);
	for (int i = 0; i < 8; i++) {
		snprintf(line, sizeof line, "died: %d", i);
		ck_assert_int_eq(repeat_pass(&rep, 100 + i, LOG_ERR, line), i < REPEAT_PASS);
	}
	ck_assert_int_eq(repeat_due(&rep), 100 + REPEAT_WINDOW);
	repeat_flush(&rep, 99 + REPEAT_WINDOW);
	ck_assert_uint_eq(lines, 0);
	repeat_flush(&rep, 100 + REPEAT_WINDOW);
	ck_assert(buf_eq(&out, "3 3 more lines like: died: 7\n"));
	ck_assert_int_eq(repeat_due(&rep), INT64_MAX);
	repeat_flush(&rep, INT64_MAX);
	ck_assert_uint_eq(lines, 1);
	/* A new window begins with the next line, whether or not anybody flushed. */
	for (int i = 0; i < 6; i++) repeat_pass(&rep, 20 * SEC, LOG_ERR, "died: 0");
	ck_assert(repeat_pass(&rep, 30 * SEC, LOG_ERR, "died: 1"));
	ck_assert_ptr_nonnull(strstr(buf_cstr(&out), "3 1 more line like: died: 0\n"));
	/* Few lines: nothing to tell, and no reason to wake. */
	repeat_begin();
	for (int i = 0; i < REPEAT_PASS; i++) repeat_pass(&rep, 0, LOG_CRIT, "x");
	ck_assert_int_eq(repeat_due(&rep), INT64_MAX);
	repeat_flush(&rep, INT64_MAX);
	ck_assert_uint_eq(lines, 0);
	buf_free(&out);
}
END_TEST

START_TEST(repeat_storm_of_100000_lines)
{
	char line[64];
	unsigned passed = 0;
	unsigned long told = 0;
	repeat_begin();
	for (int i = 0; i < 100000; i++) {                     /* 100 seconds of it */
		snprintf(line, sizeof line, "fork of service %d failed", i);
		passed += repeat_pass(&rep, i * (SEC / 1000), LOG_ERR, line);
	}
	repeat_flush(&rep, INT64_MAX);
	ck_assert_uint_eq(passed, 10 * REPEAT_PASS);
	ck_assert_uint_eq(lines, 10);
	for (const char *p = buf_cstr(&out); *p; p = strchr(p, '\n') + 1) told += strtoul(p + 2, NULL, 10);
	ck_assert_uint_eq(told + passed, 100000);              /* nothing is lost from the count */
	ck_assert_ptr_nonnull(strstr(buf_cstr(&out), "fork of service 99999 failed"));
	buf_free(&out);
}
END_TEST

START_TEST(repeat_table_is_bounded)
{
	char line[64];
	unsigned passed = 0, came = 0;
	repeat_begin();
	for (int i = 0; i < 6; i++) repeat_pass(&rep, 0, LOG_ERR, "first"), passed += i < REPEAT_PASS, came++;
	for (int round = 0; round < 20; round++)
		for (int i = 0; i < 3 * REPEAT_KINDS; i++) {
			snprintf(line, sizeof line, "kind %c%c", 'a' + i / 26, 'a' + i % 26);
			passed += repeat_pass(&rep, 1 + round, LOG_ERR, line);
			came++;
		}
	ck_assert_msg(!strncmp(buf_cstr(&out), "3 1 more line like: first\n", 26), "the oldest goes first, and is told of");
	repeat_flush(&rep, INT64_MAX);
	ck_assert_uint_le(passed + lines, came);
	/* One kind among many is still counted as long as its window is younger than the table is large. */
	repeat_begin();
	passed = 0;
	for (int i = 0; i < 1000; i++) {
		snprintf(line, sizeof line, "kind %c", 'a' + i % 26);
		passed += repeat_pass(&rep, i, LOG_ERR, line);
	}
	ck_assert_uint_eq(passed, 26 * REPEAT_PASS);
	buf_free(&out);
}
END_TEST

START_TEST(repeat_leaves_notices_alone)
{
	repeat_begin();
	for (int i = 0; i < 100; i++)
		for (int p = LOG_NOTICE; p <= LOG_DEBUG; p++) ck_assert(repeat_pass(&rep, 0, p, "got SIGHUP"));
	ck_assert(repeat_pass(&rep, 0, LOG_DAEMON | LOG_NOTICE, "got SIGHUP"));
	for (int i = 0; i < REPEAT_PASS; i++) ck_assert(repeat_pass(&rep, 0, LOG_WARNING, "got SIGHUP"));
	ck_assert(!repeat_pass(&rep, 0, LOG_WARNING, "got SIGHUP"));
}
END_TEST

START_TEST(repeat_long_and_odd_lines)
{
	char *big = mem_alloc(100001);
	memset(big, 'x', 100000);
	big[100000] = 0;
	repeat_begin();
	for (int i = 0; i < 6; i++) repeat_pass(&rep, 0, LOG_ERR, big);
	memset(big, '7', 100000);
	for (int i = 0; i < 5; i++) ck_assert(repeat_pass(&rep, 0, LOG_ERR, big));
	ck_assert(!repeat_pass(&rep, 0, LOG_ERR, "1"));
	ck_assert(repeat_pass(&rep, 0, LOG_ERR, "%s%n"));
	for (int i = 0; i < 5; i++) repeat_pass(&rep, 0, LOG_ERR, "%s%n");
	repeat_flush(&rep, INT64_MAX);
	ck_assert_uint_eq(lines, 3);
	ck_assert_ptr_nonnull(strstr(buf_cstr(&out), "like: %s%n\n"));
	ck_assert_uint_lt(out.len, 3 * REPEAT_TEXT);
	buf_free(&out);
	free(big);
}
END_TEST

/* The filter of the log: asked about warnings and worse, and may write itself. */
static bool refuse_bad(void *arg, int priority, const char *line)
{
	++*(unsigned *)arg;
	if (!strstr(line, "bad 7")) return true;
	errno = 0;
	log_msg(priority, "instead of %s", line);
	return false;
}

START_TEST(log_filter_drops_lines)
{
	unsigned asked = 0;
	repeat_begin();
	log_hook(keep_text, NULL);
	log_filter(refuse_bad, &asked);
	errno = ENOENT;
	log_msg(LOG_ERR, "bad %d", 7);
	ck_assert_int_eq(errno, ENOENT);
	log_msg(LOG_NOTICE, "bad 7");
	log_msg(LOG_WARNING, "good %s", "line");
	log_filter(NULL, NULL);
	log_msg(LOG_ERR, "bad 7");
	log_hook(NULL, NULL);
	ck_assert(buf_eq(&out, "3 instead of bad 7\n5 bad 7\n4 good line\n3 bad 7\n"));
	ck_assert_uint_eq(asked, 2);
	buf_free(&out);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("base");
	TCase *t = tcase_create("base");
	suite_add_tcase(s, t);
	tcase_add_test(t, buf_starts_empty);
	tcase_add_test(t, buf_holds_nuls);
	tcase_add_test(t, buf_grows_by_each_way_of_writing);
	tcase_add_test(t, buf_printf_at_every_length);
	tcase_add_test(t, buf_network_order);
	tcase_add_loop_test(t, buf_remove_stays_inside, 0, COUNT(removals));
	tcase_add_loop_test(t, buf_order, 0, COUNT(orders));
	tcase_add_test(t, buf_set_reset_truncate);
	tcase_add_test(t, strarray_split_gives_the_words);
	tcase_add_test(t, strarray_finds_removes_sorts);
	tcase_add_test(t, ptrarray_keeps_the_order);
	tcase_add_test(t, hash_is_siphash_2_4);
	tcase_add_test(t, hash_many_entries);
	tcase_add_test(t, hash_keys_are_bytes_and_copied);
	tcase_add_test(t, arena_clean_ups_run_newest_first_before_memory_goes);
	tcase_add_test(t, arena_blocks_do_not_overlap);
	tcase_add_loop_test(t, num_reads_digits_only, 0, COUNT(numbers));
	tcase_add_test(t, num_stops_at_the_end_given);
	tcase_add_test(t, num_hex_both_ways);
	tcase_add_test(t, num_network_order_round_trip);
	tcase_add_test(t, err_every_code_has_a_text);
	tcase_add_test(t, mem_zero_sizes_and_growth);
	tcase_add_exit_test(t, mem_array_overflow_ends_the_process, 75);
	tcase_add_test(t, log_goes_to_the_hook);
	tcase_add_test(t, log_filter_drops_lines);
	tcase_add_loop_test(t, repeat_tells_lines_apart, 0, COUNT(alikes));
	tcase_add_test(t, repeat_counts_what_is_over_the_limit);
	tcase_add_test(t, repeat_storm_of_100000_lines);
	tcase_add_test(t, repeat_table_is_bounded);
	tcase_add_test(t, repeat_leaves_notices_alone);
	tcase_add_test(t, repeat_long_and_odd_lines);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
