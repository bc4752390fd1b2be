/* newsstate.c - see newsstate.h. */
#include "store/newsstate.h"
#include "base/err.h"
#include "base/num.h"

int newsstate_parse(const char *p, size_t len, uint64_t *last)
{
	const char *end = p + len;
	if (len && !end[-1]) end--;
	return num_u64(&p, end, last) && p == end ? 0 : ERR_BADFORMAT;
}

void newsstate_print(uint64_t last, struct buf *out)
{
	buf_printf(out, "%llu", (unsigned long long)last);
	buf_putc(out, 0);
}
