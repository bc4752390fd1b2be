/* fuzz_lmtpaddr.c - addresses, xtext and the message filter on any bytes. `make check` replays fuzz/corpus/lmtpaddr; for the real thing
 * build with clang -fsanitize=fuzzer -DFUZZ_NO_MAIN. The first byte chooses the options. */
#include "base/buf.h"
#include "lmtpd/address.h"
#include "lmtpd/filter.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
	if (all != eaten || whole.size != cut.size || buf_cmp(&whole.out, &cut.out) || filter_verdict(&whole) != filter_verdict(&cut)) abort();
	free(filter_value(&whole, FILTER_MESSAGE_ID));
	free(filter_value(&whole, FILTER_DATE));
	filter_free(&whole);
	filter_free(&cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size) return 0;
	unsigned f = data[0];
	struct filter_options o = { .reject8bit = f & 4, .munge8bit = f & 8, .strict_msgid = f & 16, .max = f & 32 ? 20 : 0, .new_msgid = "<n>",
		.new_date = "d" };
	char *copy = malloc(size);                    /* exact bytes for the sanitizer */
	memcpy(copy, data + 1, size - 1);
	one_address(copy, size - 1, f & 3);
	one_message(copy, size - 1, &o);
	free(copy);
	return 0;
}

#ifndef FUZZ_NO_MAIN
int main(void)
{
	const char *src = getenv("srcdir");
	char dir[4096], path[8192], text[65536];
	struct dirent *e;
	int n = 0;
	snprintf(dir, sizeof dir, "%s/fuzz/corpus/lmtpaddr", src ? src : ".");
	DIR *d = opendir(dir);
	while (d && (e = readdir(d))) {
		snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
		FILE *f = e->d_name[0] == '.' ? NULL : fopen(path, "rb");
		if (!f) continue;
		size_t len = fread(text, 1, sizeof text, f);
		fclose(f);
		for (int options = 0; options < 64; options++) {
			text[0] = (char)options;
			for (size_t cut = 0; cut < 64 && cut < len; cut++) LLVMFuzzerTestOneInput((const uint8_t *)text, len - cut);
		}
		n++;
	}
	if (d) closedir(d);
	printf("%d inputs\n", n);
	return n == 0;
}
#endif
