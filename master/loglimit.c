/* loglimit.c - master's log through repeat.h: what goes wrong a thousand times a second fills no disk. */
#include "base/log.h"
#include "master/master.h"
#include "sys/clock.h"

static bool pass(void *arg, int priority, const char *line)
{
	struct master *m = arg;
	return repeat_pass(&m->repeat, clock_mono(), priority, line);
}

static void emit(void *arg, int priority, const char *text)
{
	(void)arg;
	log_msg(priority, "%s", text);
}

void loglimit_on(struct master *m)
{
	m->repeat.emit = emit;
	log_filter(pass, m);
}

void loglimit_off(struct master *m)
{
	log_filter(NULL, NULL);
	if (m->repeat.emit) repeat_flush(&m->repeat, NEVER);
}
