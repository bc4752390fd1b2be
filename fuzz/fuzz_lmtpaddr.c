/* fuzz_lmtpaddr.c - addresses, xtext and the message filter on any bytes. The first byte chooses the options. */
#include "replay.h"
#include "base/buf.h"
#include "lmtpd/address.h"
#include "lmtpd/filter.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void one_address(const char *s, size_t n, unsigned flags)
{
	struct lmtp_address a;
	struct buf b = BUF_INIT;
	const char *p = s;
	if (!lmtp_address_parse(&p, s + n, flags, &a)) {
		char *user, *folder;
		if (p > s + n || strlen(a.local) > n) abort();
		lmtp_address_split(a.local, &user, &folder);
		free(user);
		free(folder);
		lmtp_address_free(&a);
	}
	lmtp_address_xtext(s, n, &b);
	buf_free(&b);
}

/* However the bytes are cut, the outcome is the same. */
static void one_message(const char *s, size_t n, const struct filter_options *o)
{
	struct filter whole, cut;
	size_t eaten = 0;
	filter_init(&whole, o);
	filter_init(&cut, o);
	size_t all = filter_feed(&whole, s, n);
	while (eaten < n && !cut.ended) eaten += filter_feed(&cut, s + eaten, n - eaten < 3 ? n - eaten : 3);
	if (all != eaten || whole.size != cut.size || buf_cmp(&whole.out, &cut.out) || filter_verdict(&whole) != filter_verdict(&cut))
		abort();
	free(filter_value(&whole, FILTER_MESSAGE_ID));
	free(filter_value(&whole, FILTER_DATE));
	filter_free(&whole);
	filter_free(&cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size) return 0;
	unsigned f = data[0];
	struct filter_options o = { .reject8bit = f & 4, .munge8bit = f & 8, .strict_msgid = f & 16, .max = f & 32 ? 20 : 0,
		.new_msgid = "<n>", .new_date = "d" };
	char *copy = malloc(size);                    /* exact bytes for the sanitizer */
	memcpy(copy, data + 1, size - 1);
	one_address(copy, size - 1, f & 3);
	one_message(copy, size - 1, &o);
	free(copy);
	return 0;
}

const struct replay replay = { "lmtpaddr", 10, "<>@:\"\\,%+.\r\n", 400, 1 };
