/* fuzz_skiplist.c - any bytes as a skiplist file. */
#include "fuzz_db.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_file("skiplist", "x.db", "x.db", data, size, true);
}

const struct replay replay = { "skiplist", 4, "\1\2\xff", 3000, 7 };
