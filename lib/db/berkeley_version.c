/* berkeley_version.c - which Berkeley DB wrote a table, an environment, a log: looked at before the library is let near them,
 * because opening an environment of another release can make it unusable for both. */
#include "db/db_priv.h"

#include "base/log.h"
#include "base/mem.h"
#include "sys/dirwalk.h"
#include "sys/sys.h"

#include <db.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { REGION_MAGIC = 0x120897 };

/* Some 32 bit words at the beginning, native order. False: the file is not there or shorter. */
static bool read_words(const char *path, off_t off, uint32_t *w, size_t n)
{
	int fd = sys_open(path, O_RDONLY, 0);
	if (fd < 0) return false;
	ssize_t got = sys_pread_full(fd, w, n * 4, off);
	sys_close(fd);
	return got == (ssize_t)(n * 4);
}

/* The first page as 32 bit words (seen in files of 5.3). The library divides by some of them, and goes to the pages that others
 * name. */
enum { META_PAGESIZE = 5, META_LAST = 8, META_MINKEY = 19, META_ROOT = 22, META_WORDS = 23 };

static int check_meta(const char *path, bool swapped, bool btree)
{
	uint32_t w[META_WORDS];
	struct stat st;
	if (stat(path, &st) < 0 || !read_words(path, 0, w, META_WORDS)) return CYRUSDB_OK;
	for (int i = 0; swapped && i < META_WORDS; i++) w[i] = __builtin_bswap32(w[i]);
	uint64_t page = w[META_PAGESIZE], size = (uint64_t)st.st_size;
	bool sound = page >= 512 && page <= 65536 && !(page & (page - 1)) && size >= page && w[META_LAST] < size / page;
	if (sound && btree) sound = w[META_MINKEY] >= 2 && w[META_MINKEY] < page && w[META_ROOT] && w[META_ROOT] < size / page;
	if (sound) return CYRUSDB_OK;
	log_msg(LOG_ERR,
		"DBERROR: berkeley: %s is damaged: its first page cannot be right: put back a copy (db.backup1), or see what "
		"db%d.%d_dump -R %s can still read", path, DB_VERSION_MAJOR, DB_VERSION_MINOR, path);
	return CYRUSDB_IOERROR;
}

int berkeley_check_table(const char *path)
{
	uint32_t w[2];
	if (!read_words(path, 12, w, 2)) return CYRUSDB_OK;
	bool swapped = w[0] == __builtin_bswap32(DB_BTREEMAGIC) || w[0] == __builtin_bswap32(DB_HASHMAGIC);
	uint32_t magic = swapped ? __builtin_bswap32(w[0]) : w[0], version = swapped ? __builtin_bswap32(w[1]) : w[1];
	if (magic != DB_BTREEMAGIC && magic != DB_HASHMAGIC) return CYRUSDB_OK;
	uint32_t oldest = magic == DB_BTREEMAGIC ? DB_BTREEOLDVER : DB_HASHOLDVER,
		newest = magic == DB_BTREEMAGIC ? DB_BTREEVERSION : DB_HASHVERSION;
	if (version >= oldest && version <= newest) return check_meta(path, swapped, magic == DB_BTREEMAGIC);
	if (version > newest)
		log_msg(LOG_ERR,
			"DBERROR: berkeley: %s was written by a newer Berkeley DB than %d.%d (format %u, known up to %u): dump it with that "
			"release "
			"(dbX.Y_dump %s >DUMP) and load it with this one (db%d.%d_load -f DUMP %s.new)", path, DB_VERSION_MAJOR,
			DB_VERSION_MINOR, version, newest, path, DB_VERSION_MAJOR, DB_VERSION_MINOR, path);
	else
		log_msg(LOG_ERR,
			"DBERROR: berkeley: %s was written by an older Berkeley DB (format %u, this release reads %u to %u): with all "
			"servers "
			"stopped make a copy of it and run db%d.%d_upgrade %s", path, version, oldest, newest, DB_VERSION_MAJOR,
			DB_VERSION_MINOR, path);
	return CYRUSDB_IOERROR;
}

static int check_region(const char *dbdir)
{
	uint32_t w[4];                   /* magic, panic, major, minor */
	char *path = mem_printf("%s/__db.001", dbdir);
	int r = CYRUSDB_OK;
	if (read_words(path, 0, w, 4) && w[0] == REGION_MAGIC && (w[2] != DB_VERSION_MAJOR || w[3] != DB_VERSION_MINOR)) {
		log_msg(LOG_ERR,
			"DBERROR: berkeley: the environment %s belongs to Berkeley DB %u.%u (%s), this is %d.%d: with all servers stopped "
			"run "
			"db%u.%u_recover -h %s and db%u.%u_checkpoint -1 -h %s, then move %s/__db.* and %s/log.* away", dbdir, w[2], w[3],
			path, DB_VERSION_MAJOR, DB_VERSION_MINOR, w[2], w[3], dbdir, w[2], w[3], dbdir, dbdir, dbdir);
		r = CYRUSDB_IOERROR;
	}
	free(path);
	return r;
}

static int newest_log(void *arg, const struct dirwalk_entry *e)
{
	char *last = arg;
	if (!strncmp(e->name, "log.", 4) && strlen(e->name) == 14 && strcmp(e->name, last) > 0) strcpy(last, e->name);
	return 0;
}

static int check_log(const char *dbdir)
{
	uint32_t w[2];
	char last[15] = "";
	if (dirwalk_list(dbdir, DIRWALK_ROOT_GONE, newest_log, last) < 0 || !*last) return CYRUSDB_OK;
	char *path = mem_printf("%s/%s", dbdir, last);
	int r = CYRUSDB_OK;
	if (read_words(path, 12, w, 2) && w[0] == DB_LOGMAGIC && w[1] != DB_LOGVERSION) {
		log_msg(LOG_ERR,
			"DBERROR: berkeley: %s was written by another Berkeley DB (log format %u, that of %d.%d is %u): with all servers "
			"stopped "
			"run db_recover -h %s and db_checkpoint -1 -h %s of the release that wrote it, then move %s/__db.* and %s/log.* away",
			path, w[1], DB_VERSION_MAJOR, DB_VERSION_MINOR, DB_LOGVERSION, dbdir, dbdir, dbdir, dbdir);
		r = CYRUSDB_IOERROR;
	}
	free(path);
	return r;
}

int berkeley_check_env(const char *dbdir)
{
	int r = check_region(dbdir);
	return r ? r : check_log(dbdir);
}
