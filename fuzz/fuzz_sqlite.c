/* fuzz_sqlite.c - any bytes as an SQLite file. */
#include "fuzz_db.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_file("sql", "x.db", "x.db", data, size, true);
}

const struct replay replay = { "sqlite", 2, "\1\2\xff", 16000, 67 };
