/* mboxkey.c - see mboxkey.h. */
#include "store/mboxkey.h"
#include "base/err.h"
#include "base/num.h"

#include <string.h>

int mboxkey_parse(const char *p, size_t len, struct mboxkey *k)
{
	*k = (struct mboxkey){ 0 };
	if (len < 2) return ERR_BADFORMAT;
	if (get_be16(p) != MBOXKEY_VERSION) return ERR_NOTFOUND;
	if (len != 2 + MBOXKEY_SIZE) return ERR_BADFORMAT;
	memcpy(k->secret, p + 2, MBOXKEY_SIZE);
	return 0;
}

void mboxkey_print(const struct mboxkey *k, struct buf *out)
{
	buf_putc(out, 0);
	buf_putc(out, MBOXKEY_VERSION);
	buf_append(out, k->secret, MBOXKEY_SIZE);
}
