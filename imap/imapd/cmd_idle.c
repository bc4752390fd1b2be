/* cmd_idle.c - IDLE (RFC 2177), by looking at the index header every imapidlepoll seconds; idled will wake us sooner one day. */
#include "imapd/commands.h"
#include "imapd/respond.h"
#include "imapd/selected.h"
#include "base/mem.h"
#include "sys/clock.h"

#include <string.h>
#include <strings.h>
#include <stdlib.h>
#include <unistd.h>

enum { DONE_MAX = 1024 };

static bool turned_away(struct session *s)
{
	char *path = mem_printf("%s/msg/shutdown", conf_dir(s->conf));
	bool r = !s->user.isadmin && access(path, R_OK) == 0;
	free(path);
	return r || session_account_gone(s);
}

static int64_t limit_seconds(const struct session *s)
{
	int64_t n = s->level == LEVEL_36 ? conf_seconds(s->conf, OPT_IMAPIDLETIMEOUT) : 0;
	return n > 0 ? n : conf_seconds(s->conf, OPT_TIMEOUT);
}

void cmd_idle(struct session *s)
{
	struct buf line = BUF_INIT;
	int64_t poll = conf_seconds(s->conf, OPT_IMAPIDLEPOLL), deadline = clock_mono() + limit_seconds(s) * NSEC_PER_SEC;
	if (poll <= 0) {
		respond_bad(s, "Unrecognized command");
		return;
	}
	put(s, "+ idling\r\n");
	while (!prot_input_waiting(s->p, (int)poll * 1000)) {
		if (s->sel) selected_update(s, true);
		prot_flush(s->p);
		if (turned_away(s)) return;                          /* the session's loop says why before the next command */
		if (clock_mono() < deadline) continue;
		respond_bye(s, "idle for too long");
		return;
	}
	if (!prot_getline(s->p, &line, DONE_MAX)) {
		s->over = true;
		buf_free(&line);
		return;
	}
	while (line.len && strchr("\r\n", line.s[line.len - 1])) line.len--;
	bool done = line.len == 4 && !strncasecmp(line.s, "DONE", 4);
	buf_free(&line);
	if (s->sel) selected_update(s, true);
	if (done) respond_ok(s, "Completed");
	else respond_bad(s, "Invalid Idle continuation");
}
