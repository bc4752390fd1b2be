/* fuzz_flat.c - any bytes as a flat file. */
#include "fuzz_db.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_file("flat", "x.db", "x.db", data, size, true);
}

const struct replay replay = { "flat", 3, "\1\2\xff", 3000, 1 };
