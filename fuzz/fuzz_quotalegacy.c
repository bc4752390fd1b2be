/* fuzz_quotalegacy.c - any bytes as the file of a quota root. */
#include "fuzz_db.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_file("quotalegacy", "quota/b/user.b", "quotas.db", data, size, true);
}

const struct replay replay = { "quotalegacy", 3, "\1\2\xff", 300, 1 };
