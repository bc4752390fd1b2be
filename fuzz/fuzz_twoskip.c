/* fuzz_twoskip.c - any bytes as a twoskip (or, by their magic, skiplist) file: open, recover, read, change, repack, check. */
#include "replay.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "db/cyrusdb.h"
#include "db/db_priv.h"
#include "sys/file.h"
#include "sys/newfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

static void quiet(void *arg, int priority, const char *line)
{
	(void)arg, (void)priority, (void)line;
}

static int count(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	(void)key, (void)keylen, (void)val, (void)vallen;
	return ++*(int *)arg > 10000;
}

/* Makes checksums right, or no change would ever get past them: the header's, and that of every record head met on the way. */
static void mend(char *p, size_t size)
{
	if (size < 64 || memcmp(p + 4, "twoskip", 7)) return;
	put_be32(p + 60, (uint32_t)crc32(0, (unsigned char *)p, 60));
	for (size_t off = 64; off + 24 <= size;) {
		unsigned level = (unsigned char)p[off + 1], keylen = get_be16(p + off + 2), vallen = get_be32(p + off + 4);
		size_t head = 8 + 8 * (level + 1u), tail = ((size_t)keylen + vallen + 7) & ~(size_t)7;
		if (level > 31 || keylen == 0xFFFF || vallen > size || off + head + 8 + tail > size) {
			off += 8;
			continue;
		}
		put_be32(p + off + head + 4, tail ? (uint32_t)crc32(0, (unsigned char *)p + off + head + 8, (uInt)tail) : 0);
		put_be32(p + off + head, (uint32_t)crc32(0, (unsigned char *)p + off, (uInt)head));
		off += head + 8 + tail;
	}
}

static void use(const char *path, int flags)
{
	struct cyrusdb_env *env = cyrusdb_env_new("/dev/null/db", false);
	struct cyrusdb *db;
	const char *engine = cyrusdb_detect(path);
	int n = 0;
	env->random = 1;
	if (!cyrusdb_open(env, engine && !strcmp(engine, "skiplist") ? engine : "twoskip", path, flags, &db)) {
		const char *v;
		size_t len;
		cyrusdb_fetch(db, "key05", 5, &v, &len, NULL);
		cyrusdb_foreach(db, "", 0, NULL, count, &n, NULL);
		cyrusdb_consistent(db);
		cyrusdb_store(db, "key05", 5, "new", 3, NULL);
		cyrusdb_delete(db, "key06", 5, NULL, true);
		cyrusdb_repack(db);
		cyrusdb_close(db);
	}
	cyrusdb_env_free(env);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[256];
	const char *tmp = getenv("TMPDIR");
	snprintf(path, sizeof path, "%s/fuzz_twoskip.%ld", tmp ? tmp : "/tmp", (long)getpid());
	log_hook(quiet, NULL);
	char *copy = malloc(size + 1);
	if (!copy) return 0;
	if (size) memcpy(copy, data, size);
	for (int pass = 0; pass < 2; pass++) {
		if (pass) mend(copy, size);
		if (newfile_write(path, 0600, copy, size) == 0) {
			use(path, CYRUSDB_RDONLY);
			use(path, 0);
		}
	}
	free(copy);
	unlink(path);
	return 0;
}

const struct replay replay = { "twoskip", 8, "\1\2\3 ", 6000, 61 };
