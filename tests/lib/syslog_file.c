/* syslog_file.c - for LD_PRELOAD: what a program under test says to syslog goes to the file named by $SYSLOG_FILE, a line
 * "ident[pid] level: text" in one write. There may be no syslog daemon, and a test reads only its own log. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

static char ident[128];
static int mask = 0xff;

void openlog(const char *name, int option, int facility)
{
	(void)option, (void)facility;
	snprintf(ident, sizeof ident, "%s", name ? name : "");
}

void closelog(void) {}

int setlogmask(int m)
{
	int was = mask;
	if (m) mask = m;
	return was;
}

static void put(int priority, const char *fmt, va_list ap)
{
	static const char *const levels[] = { "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug" };
	char line[4096];
	int saved = errno;
	const char *path = getenv("SYSLOG_FILE");
	if (path && mask & LOG_MASK(priority & 7)) {
		size_t n = (size_t)snprintf(line, sizeof line - 1, "%s[%ld] %s: ", ident, (long)getpid(), levels[priority & 7]);
		errno = saved;                     /* for %m */
		int more = vsnprintf(line + n, sizeof line - 1 - n, fmt, ap);
		n = more < 0 ? n : n + (size_t)more < sizeof line - 1 ? n + (size_t)more : sizeof line - 2;
		line[n++] = '\n';
		int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
		if (fd >= 0 && write(fd, line, n) < 0) errno = saved;
		if (fd >= 0) close(fd);
	}
	errno = saved;
}

void vsyslog(int priority, const char *fmt, va_list ap) { put(priority, fmt, ap); }

void syslog(int priority, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	put(priority, fmt, ap);
	va_end(ap);
}

void __syslog_chk(int priority, int flag, const char *fmt, ...);
void __syslog_chk(int priority, int flag, const char *fmt, ...)
{
	va_list ap;
	(void)flag;
	va_start(ap, fmt);
	put(priority, fmt, ap);
	va_end(ap);
}

void __vsyslog_chk(int priority, int flag, const char *fmt, va_list ap);
void __vsyslog_chk(int priority, int flag, const char *fmt, va_list ap)
{
	(void)flag;
	put(priority, fmt, ap);
}
