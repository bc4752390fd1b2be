/* dirwalk_log.c - the oddities of walks in the log: a line each, as long as there are not too many. */
#include "base/hash.h"
#include "base/log.h"
#include "sys/clock.h"
#include "sys/dirwalk_priv.h"

#include <string.h>

static const struct { int level; const char *words; } odds[DIRWALK_ODDS] = {
#define ROW(name, level, words) [DIRWALK_ODD_##name] = { level, words },
	DIRWALK_ODD_TABLE(ROW)
#undef ROW
};

enum { SHOWN = 400 };            /* bytes of a path in the log: its end says more than its beginning */

/* Names are other people's: no line of the log begins inside one. */
static void put_path(struct buf *out, const char *path)
{
	size_t n = strlen(path);
	if (n > SHOWN) {
		buf_puts(out, "...");
		path += n - SHOWN;
	}
	for (; *path; path++) {
		unsigned char c = (unsigned char)*path;
		if (c < 0x20 || c >= 0x7f) buf_printf(out, "\\%03o", c);
		else buf_putc(out, c);
	}
}

void dirwalk_log_rest(struct dirwalk_log *l)
{
	if (l->held) log_msg(LOG_WARNING, "%s: %u more oddities were not logged", l->who, l->held);
	l->held = 0;
}

static bool may_log(struct dirwalk_log *l, uint64_t line)
{
	int64_t now = clock_mono();
	if (!l->told || now - l->since >= DIRWALK_LOG_SECONDS * NSEC_PER_SEC) {
		dirwalk_log_rest(l);
		l->since = now;
		l->told = 0;
	}
	for (unsigned i = 0; i < l->told; i++)
		if (l->lines[i] == line) return false;
	if (l->told < DIRWALK_LOG_LINES) {
		l->lines[l->told++] = line;
		return true;
	}
	l->held++;
	return false;
}

void dirwalk_log(void *log, enum dirwalk_odd what, const char *path, int err)
{
	struct dirwalk_log *l = log;
	struct buf b = BUF_INIT;
	if (!may_log(l, hash_bytes(path, strlen(path)) + (uint64_t)what)) return;
	put_path(&b, path);
	bool why = err && (what == DIRWALK_ODD_UNREADABLE || what == DIRWALK_ODD_CHANGED);
	log_msg(odds[what].level, "%s: %s: %s%s%s", l->who, buf_cstr(&b), odds[what].words, why ? ": " : "",
		why ? strerror(err) : "");
	buf_free(&b);
}
