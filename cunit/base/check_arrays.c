/* check_arrays.c - arrays of strings and of pointers, hash tables, arenas. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/ptrarray.h"
#include "base/strarray.h"
#include "cunit/base/suites.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

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

TCase *case_arrays(void)
{
	TCase *t = tcase_create("arrays");
	tcase_add_test(t, strarray_split_gives_the_words);
	tcase_add_test(t, strarray_finds_removes_sorts);
	tcase_add_test(t, ptrarray_keeps_the_order);
	tcase_add_test(t, hash_is_siphash_2_4);
	tcase_add_test(t, hash_many_entries);
	tcase_add_test(t, hash_keys_are_bytes_and_copied);
	tcase_add_test(t, arena_clean_ups_run_newest_first_before_memory_goes);
	tcase_add_test(t, arena_blocks_do_not_overlap);
	return t;
}
