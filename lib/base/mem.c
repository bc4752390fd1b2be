/* mem.c - see mem.h. */
#include "base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <syslog.h>
#include <unistd.h>

static void *checked(void *p)
{
	if (p) return p;
	syslog(LOG_CRIT, "out of memory");
	_exit(EX_TEMPFAIL);
}

void *mem_alloc(size_t n) { return checked(malloc(n ? n : 1)); }
void *mem_zalloc(size_t n) { return checked(calloc(1, n ? n : 1)); }
void *mem_realloc(void *p, size_t n) { return checked(realloc(p, n ? n : 1)); }

void *mem_array(void *p, size_t count, size_t size)
{
	if (size && count > SIZE_MAX / size) return checked(NULL);
	return mem_realloc(p, count * size);
}

char *mem_dup(const void *p, size_t n)
{
	char *s = mem_alloc(n + 1);
	if (n) memcpy(s, p, n);
	s[n] = 0;
	return s;
}

char *mem_strdup(const char *s) { return mem_dup(s, strlen(s)); }

char *mem_printf(const char *fmt, ...)
{
	va_list ap;
	char *s = NULL;
	va_start(ap, fmt);
	int n = vasprintf(&s, fmt, ap);
	va_end(ap);
	return checked(n < 0 ? NULL : s);
}
