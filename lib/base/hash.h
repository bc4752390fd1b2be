/* hash.h - a table from byte strings to pointers. The hash is SipHash-2-4 with a key drawn once per process, so nobody
 * outside can choose keys that collide (spec/security.md, 2021-33582). The table copies keys and owns no values. */
#ifndef CAMB_HASH_H
#define CAMB_HASH_H
#include <stddef.h>
#include <stdint.h>

struct hash;
struct hash *hash_new(void);
void hash_free(struct hash *h, void (*free_value)(void *));    /* free_value may be NULL; h may be NULL */
void *hash_get(const struct hash *h, const void *key, size_t len);            /* NULL when absent */
void *hash_put(struct hash *h, const void *key, size_t len, void *value);     /* returns the value replaced, or NULL */
void *hash_remove(struct hash *h, const void *key, size_t len);               /* returns the value, or NULL */
size_t hash_count(const struct hash *h);
/* Calls fn for each entry, in no order, until it returns non-zero; that is returned. fn must not change the table. */
int hash_each(const struct hash *h, int (*fn)(void *arg, const void *key, size_t len, void *value), void *arg);

void *hash_gets(const struct hash *h, const char *key);
void *hash_puts(struct hash *h, const char *key, void *value);

uint64_t hash_bytes(const void *p, size_t n);        /* keyed by this process */
uint64_t hash_siphash(const uint8_t key[16], const void *p, size_t n);
#endif
