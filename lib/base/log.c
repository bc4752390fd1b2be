/* log.c - see log.h. The one place besides the configuration with writable file-scope state. */
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static char *log_ident;                 /* syslog keeps the pointer */
static bool debug_on;
static void (*hook)(void *, int, const char *);
static void *hook_arg;
static bool (*filter)(void *, int, const char *);
static void *filter_arg;
static bool filtering;

void log_open(const char *prefix, const char *ident, int facility, bool perror)
{
	char *fresh = prefix && *prefix ? mem_printf("%s/%s", prefix, ident) : mem_strdup(ident);
	closelog();
	openlog(fresh, LOG_PID | (perror ? LOG_PERROR : 0), facility);
	free(log_ident);
	log_ident = fresh;
	log_debug(debug_on);
}

void log_debug(bool on)
{
	debug_on = on;
	setlogmask(on ? LOG_UPTO(LOG_DEBUG) : LOG_UPTO(LOG_INFO));
}

#define LINE_MAX_BYTES 2048

static bool __attribute__((format(printf, 2, 0))) dropped(int priority, const char *fmt, va_list ap)
{
	char line[LINE_MAX_BYTES];
	va_list again;
	if (!filter || filtering || LOG_PRI(priority) > LOG_WARNING) return false;
	int e = errno;
	va_copy(again, ap);
	vsnprintf(line, sizeof line, fmt, again);
	va_end(again);
	filtering = true;
	bool drop = !filter(filter_arg, priority, line);
	filtering = false;
	errno = e;
	return drop;
}

void log_vmsg(int priority, const char *fmt, va_list ap)
{
	if (dropped(priority, fmt, ap)) return;
	if (!hook) {
		vsyslog(priority, fmt, ap);
		return;
	}
	char line[LINE_MAX_BYTES];
	vsnprintf(line, sizeof line, fmt, ap);
	hook(hook_arg, priority, line);
}

void log_msg(int priority, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	log_vmsg(priority, fmt, ap);
	va_end(ap);
}

int log_facility(const char *name, int otherwise)
{
	static const struct { const char *name; int value; } names[] = {
		{ "mail", LOG_MAIL }, { "daemon", LOG_DAEMON }, { "auth", LOG_AUTH }, { "user", LOG_USER }, { "news", LOG_NEWS },
		{ "local0", LOG_LOCAL0 }, { "local1", LOG_LOCAL1 }, { "local2", LOG_LOCAL2 }, { "local3", LOG_LOCAL3 },
		{ "local4", LOG_LOCAL4 }, { "local5", LOG_LOCAL5 }, { "local6", LOG_LOCAL6 }, { "local7", LOG_LOCAL7 },
	};
	for (size_t i = 0; name && i < sizeof names / sizeof *names; i++)
		if (!strcasecmp(name, names[i].name)) return names[i].value;
	return otherwise;
}

void log_filter(bool (*fn)(void *, int, const char *), void *arg)
{
	filter = fn;
	filter_arg = arg;
}

void log_hook(void (*fn)(void *, int, const char *), void *arg)
{
	hook = fn;
	hook_arg = arg;
}
