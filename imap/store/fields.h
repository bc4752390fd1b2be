/* fields.h - small steps through the text of a record: decimal fields and the bytes between them. */
#ifndef CAMB_FIELDS_H
#define CAMB_FIELDS_H
#include "base/num.h"

static inline bool field_is(const char **p, const char *end, char c)
{
	if (*p >= end || **p != c) return false;
	++*p;
	return true;
}

/* A number and the byte behind it. */
static inline bool field_u64(const char **p, const char *end, char behind, uint64_t *v)
{
	return num_u64(p, end, v) && field_is(p, end, behind);
}

static inline bool field_u32(const char **p, const char *end, char behind, uint32_t *v)
{
	return num_u32(p, end, v) && field_is(p, end, behind);
}
#endif
