/* conf_man.c - prints imapd.conf(5) from the option table: `./conf_man >../doc/man/imapd.conf.5` after a change of
 * options.def. */
#include "conf/man.h"

#include <stdio.h>

int main(void)
{
	struct buf b = BUF_INIT;
	conf_man(&b);
	size_t done = fwrite(b.s, 1, b.len, stdout);
	int bad = done != b.len || fflush(stdout);
	buf_free(&b);
	return bad;
}
