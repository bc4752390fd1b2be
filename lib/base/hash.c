/* hash.c - see hash.h. Chained buckets; the table doubles when it holds more entries than buckets. */
#include "base/hash.h"
#include "base/mem.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

struct entry {
	struct entry *next;
	uint64_t h;
	void *value;
	size_t len;
	char key[];
};

struct hash {
	struct entry **buckets;
	size_t nbuckets, count;          /* nbuckets is a power of two, 0 when nothing was ever put */
};

static uint64_t rotl(uint64_t x, int b) { return x << b | x >> (64 - b); }

static uint64_t le64(const uint8_t *p)
{
	uint64_t v = 0;
	for (int i = 7; i >= 0; i--) v = v << 8 | p[i];
	return v;
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1]; v[1] = rotl(v[1], 13); v[1] ^= v[0]; v[0] = rotl(v[0], 32);
	v[2] += v[3]; v[3] = rotl(v[3], 16); v[3] ^= v[2];
	v[0] += v[3]; v[3] = rotl(v[3], 21); v[3] ^= v[0];
	v[2] += v[1]; v[1] = rotl(v[1], 17); v[1] ^= v[2]; v[2] = rotl(v[2], 32);
}

uint64_t hash_siphash(const uint8_t key[16], const void *p, size_t n)
{
	uint64_t k0 = le64(key), k1 = le64(key + 8);
	uint64_t v[4] = { k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du, k0 ^ 0x6c7967656e657261u, k1 ^ 0x7465646279746573u };
	const uint8_t *b = p;
	size_t left = n;
	for (; left >= 8; left -= 8, b += 8) {
		uint64_t m = le64(b);
		v[3] ^= m;
		sip_round(v);
		sip_round(v);
		v[0] ^= m;
	}
	uint64_t last = (uint64_t)n << 56;
	for (size_t i = 0; i < left; i++) last |= (uint64_t)b[i] << (8 * i);
	v[3] ^= last;
	sip_round(v);
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	for (int i = 0; i < 4; i++) sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* The one value drawn per process; written once, before anything reads it. */
static uint8_t process_key[16];
static pthread_once_t process_key_once = PTHREAD_ONCE_INIT;

static void draw_key(void)
{
	if (getrandom(process_key, sizeof process_key, 0) == (ssize_t)sizeof process_key) return;
	struct timespec t;                    /* no entropy this early in a boot: better than a constant */
	clock_gettime(CLOCK_REALTIME, &t);
	uint64_t a = (uint64_t)t.tv_nsec ^ (uint64_t)t.tv_sec << 20, b = (uint64_t)getpid() << 32 ^ (uintptr_t)&t;
	memcpy(process_key, &a, 8);
	memcpy(process_key + 8, &b, 8);
}

uint64_t hash_bytes(const void *p, size_t n)
{
	pthread_once(&process_key_once, draw_key);
	return hash_siphash(process_key, p, n);
}

struct hash *hash_new(void) { return mem_zalloc(sizeof(struct hash)); }

void hash_free(struct hash *h, void (*free_value)(void *))
{
	if (!h) return;
	for (size_t i = 0; i < h->nbuckets; i++) {
		for (struct entry *e = h->buckets[i], *next; e; e = next) {
			next = e->next;
			if (free_value) free_value(e->value);
			free(e);
		}
	}
	free(h->buckets);
	free(h);
}

static struct entry **find(const struct hash *h, const void *key, size_t len, uint64_t v)
{
	struct entry **e = &h->buckets[v & (h->nbuckets - 1)];
	while (*e && ((*e)->h != v || (*e)->len != len || memcmp((*e)->key, key, len))) e = &(*e)->next;
	return e;
}

static void grow(struct hash *h)
{
	size_t n = h->nbuckets ? h->nbuckets * 2 : 16;
	struct entry **fresh = mem_zalloc(n * sizeof *fresh);
	for (size_t i = 0; i < h->nbuckets; i++) {
		for (struct entry *e = h->buckets[i], *next; e; e = next) {
			next = e->next;
			e->next = fresh[e->h & (n - 1)];
			fresh[e->h & (n - 1)] = e;
		}
	}
	free(h->buckets);
	h->buckets = fresh;
	h->nbuckets = n;
}

void *hash_get(const struct hash *h, const void *key, size_t len)
{
	if (!h->nbuckets) return NULL;
	struct entry *e = *find(h, key, len, hash_bytes(key, len));
	return e ? e->value : NULL;
}

void *hash_put(struct hash *h, const void *key, size_t len, void *value)
{
	if (h->count >= h->nbuckets) grow(h);
	uint64_t v = hash_bytes(key, len);
	struct entry **at = find(h, key, len, v);
	if (*at) {
		void *old = (*at)->value;
		(*at)->value = value;
		return old;
	}
	struct entry *e = mem_alloc(sizeof *e + len + 1);
	e->next = NULL;
	e->h = v;
	e->value = value;
	e->len = len;
	if (len) memcpy(e->key, key, len);
	e->key[len] = 0;
	*at = e;
	h->count++;
	return NULL;
}

void *hash_remove(struct hash *h, const void *key, size_t len)
{
	if (!h->nbuckets) return NULL;
	struct entry **at = find(h, key, len, hash_bytes(key, len)), *e = *at;
	if (!e) return NULL;
	void *value = e->value;
	*at = e->next;
	free(e);
	h->count--;
	return value;
}

size_t hash_count(const struct hash *h) { return h->count; }

int hash_each(const struct hash *h, int (*fn)(void *, const void *, size_t, void *), void *arg)
{
	for (size_t i = 0; i < h->nbuckets; i++) {
		for (struct entry *e = h->buckets[i]; e; e = e->next) {
			int r = fn(arg, e->key, e->len, e->value);
			if (r) return r;
		}
	}
	return 0;
}

void *hash_gets(const struct hash *h, const char *key) { return hash_get(h, key, strlen(key)); }
void *hash_puts(struct hash *h, const char *key, void *value) { return hash_put(h, key, strlen(key), value); }
