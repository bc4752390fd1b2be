/* num.c - see num.h. */
#include "base/num.h"

#include <string.h>

bool num_u64(const char **p, const char *end, uint64_t *v)
{
	const char *s = *p;
	uint64_t n = 0;
	if (s >= end || *s < '0' || *s > '9') return false;
	for (; s < end && *s >= '0' && *s <= '9'; s++) {
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, (uint64_t)(*s - '0'), &n)) return false;
	}
	*p = s;
	*v = n;
	return true;
}

bool num_u32(const char **p, const char *end, uint32_t *v)
{
	const char *s = *p;
	uint64_t n;
	if (!num_u64(&s, end, &n) || n > UINT32_MAX) return false;
	*p = s;
	*v = (uint32_t)n;
	return true;
}

bool num_str_u64(const char *s, uint64_t *v)
{
	const char *end = s + strlen(s);
	uint64_t n;
	if (!num_u64(&s, end, &n) || s != end) return false;
	*v = n;
	return true;
}

bool num_str_u32(const char *s, uint32_t *v)
{
	uint64_t n;
	if (!num_str_u64(s, &n) || n > UINT32_MAX) return false;
	*v = (uint32_t)n;
	return true;
}

int num_hex(int c)
{
	if (c >= '0' && c <= '9') return c - '0';
	if (c >= 'a' && c <= 'f') return c - 'a' + 10;
	if (c >= 'A' && c <= 'F') return c - 'A' + 10;
	return -1;
}

bool num_unhex(const char *s, size_t nbytes, uint8_t *out)
{
	for (size_t i = 0; i < nbytes; i++) {
		int hi = num_hex((unsigned char)s[2 * i]);
		int lo = hi < 0 ? -1 : num_hex((unsigned char)s[2 * i + 1]);
		if (lo < 0) return false;
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return true;
}

void num_tohex(const void *p, size_t nbytes, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *b = p;
	for (size_t i = 0; i < nbytes; i++) {
		*out++ = digits[b[i] >> 4];
		*out++ = digits[b[i] & 15];
	}
	*out = 0;
}
