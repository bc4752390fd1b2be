/* num.h - integers: from text without surprises, and to and from network byte order. */
#ifndef CAMB_NUM_H
#define CAMB_NUM_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decimal digits only (at least one, no sign, no blanks). On success *p is moved behind them and true comes back; on
 * overflow or without a digit false, and *p and *v are left alone. `end` bounds the input and need not be a NUL. */
bool num_u32(const char **p, const char *end, uint32_t *v);
bool num_u64(const char **p, const char *end, uint64_t *v);
/* The whole NUL-terminated string must be the number. */
bool num_str_u32(const char *s, uint32_t *v);
bool num_str_u64(const char *s, uint64_t *v);
int num_hex(int c);                              /* value of a hex digit of either case, or -1 */
bool num_unhex(const char *s, size_t nbytes, uint8_t *out);   /* exactly 2*nbytes digits */
void num_tohex(const void *p, size_t nbytes, char *out);      /* lower case; out has 2*nbytes+1 */

static inline uint16_t get_be16(const void *p)
{ const uint8_t *b = p; return (uint16_t)(b[0] << 8 | b[1]); }
static inline uint32_t get_be32(const void *p)
{ const uint8_t *b = p; return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]; }
static inline uint64_t get_be64(const void *p)
{ return (uint64_t)get_be32(p) << 32 | get_be32((const uint8_t *)p + 4); }
static inline void put_be16(void *p, uint16_t v)
{ uint8_t *b = p; b[0] = (uint8_t)(v >> 8); b[1] = (uint8_t)v; }
static inline void put_be32(void *p, uint32_t v)
{ uint8_t *b = p; b[0] = (uint8_t)(v >> 24); b[1] = (uint8_t)(v >> 16); b[2] = (uint8_t)(v >> 8); b[3] = (uint8_t)v; }
static inline void put_be64(void *p, uint64_t v)
{ put_be32(p, (uint32_t)(v >> 32)); put_be32((uint8_t *)p + 4, (uint32_t)v); }
#endif
