/* log.h - syslog, with a hook for tests. Log lines that others match are quoted in spec/master.md 21, spec/imap.md 13. */
#ifndef CAMB_LOG_H
#define CAMB_LOG_H
#include <stdarg.h>
#include <stdbool.h>
#include <syslog.h>

/* Opens the log under "prefix/ident" (or "ident" when prefix is NULL or empty), with the pid. `facility` is one of
 * LOG_MAIL ...; perror: also on stderr. May be called again when the configuration is known. */
void log_open(const char *prefix, const char *ident, int facility, bool perror);
void log_debug(bool on);                    /* LOG_DEBUG lines are dropped unless on (imapd.conf `debug`) */
void log_msg(int priority, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_vmsg(int priority, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
int log_facility(const char *name, int otherwise);    /* "mail", "LOCAL6" ...; `otherwise` when unknown or NULL */

/* Asked before each line of LOG_WARNING and worse is written: false drops it. fn may log itself; that is written. NULL: none. */
void log_filter(bool (*fn)(void *arg, int priority, const char *line), void *arg);

/* Tests: every line goes to fn instead of syslog. NULL restores syslog. */
void log_hook(void (*fn)(void *arg, int priority, const char *line), void *arg);
#endif
