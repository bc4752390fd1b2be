/* fuzz_berkeley.c - any bytes as a file of Berkeley DB, read without an environment. */
#include "fuzz_db.h"

/* The library forgets pages of a damaged file in its cache; that is not ours to find. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) { return "leak:libdb-\n"; }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_file("berkeley", "x.db", "x.db", data, size, false);
}

const struct replay replay = { "berkeley", 2, "\1\2\xff", 16000, 67 };
