/* log_to_file.c - preloaded by the peer tests: what a program gives to syslog(3) goes to the file $LOG_TO_FILE instead, one line each,
 * whatever the log mask says. For programs that are not ours, where there is no syslog daemon to ask. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

static char name[128];

void openlog(const char *ident, int option, int facility)
{
	(void)option, (void)facility;
	snprintf(name, sizeof name, "%s", ident ? ident : "");
}

void closelog(void) {}

void __vsyslog_chk(int priority, int flag, const char *fmt, va_list ap);
void __vsyslog_chk(int priority, int flag, const char *fmt, va_list ap)
{
	char line[4096];
	const char *path = getenv("LOG_TO_FILE");
	int n = snprintf(line, 256, "%s[%ld] %d: ", name, (long)getpid(), LOG_PRI(priority));
	(void)flag;
	vsnprintf(line + n, sizeof line - (size_t)n - 1, fmt, ap);
	size_t len = strlen(line);
	line[len++] = '\n';
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;
	if (fd < 0) return;
	if (write(fd, line, len) < 0) _exit(99);
	close(fd);
}

void vsyslog(int priority, const char *fmt, va_list ap) { __vsyslog_chk(priority, 0, fmt, ap); }

void syslog(int priority, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	__vsyslog_chk(priority, 0, fmt, ap);
	va_end(ap);
}

void __syslog_chk(int priority, int flag, const char *fmt, ...);
void __syslog_chk(int priority, int flag, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	__vsyslog_chk(priority, flag, fmt, ap);
	va_end(ap);
}
