/* service_debug.c - option -D: the command of debug_command, which is a format for printf. It is filled in here, so that a
 * wrong one does no harm. */
#include "base/buf.h"
#include "base/log.h"
#include "conf/conf.h"
#include "master/service_priv.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DIGITS = 4 };                   /* of a width or precision: more are left out */

/* One conversion: "%3$-20.4s". */
struct conversion {
	unsigned arg;                  /* 1, 2, 3: program, pid, service; others: nothing */
	char letter;
	char flags[24];                /* flags, width and precision, for printf */
};

static const char *copy_digits(struct conversion *c, const char *p)
{
	size_t n = strlen(c->flags);
	for (int i = 0; isdigit((unsigned char)*p); p++, i++)
		if (i < DIGITS) c->flags[n++] = *p;
	c->flags[n] = '\0';
	return p;
}

/* p is behind the %, and the result behind the conversion. */
static const char *parse(struct conversion *c, const char *p, unsigned *next)
{
	char *end;
	size_t n = 0;
	*c = (struct conversion){ .arg = 0 };
	unsigned long at = isdigit((unsigned char)*p) ? strtoul(p, &end, 10) : 0;
	bool numbered = at && *end == '$';
	if (numbered) p = end + 1;
	for (; *p && strchr("-+ #0", *p); p++)
		if (n < 5) c->flags[n++] = *p;
	p = copy_digits(c, p);
	if (*p == '.') {
		strcat(c->flags, ".");
		p = copy_digits(c, p + 1);
	}
	while (*p && strchr("hlLqjzt", *p)) p++;
	c->letter = *p;
	if (*p != '%' && *p) c->arg = !numbered ? (*next)++ : at <= 3 ? (unsigned)at : 0;
	return *p ? p + 1 : p;
}

static void put(struct buf *out, const struct conversion *c, const char *program, const char *name)
{
	char fmt[40], text[20000];
	const char *arg = c->arg == 1 ? program : c->arg == 3 ? name : NULL;
	bool number = c->arg == 2 && c->letter && strchr("diuxXos", c->letter);
	if (c->letter == '%') buf_putc(out, '%');
	if (!number && (!arg || c->letter != 's')) return;
	snprintf(fmt, sizeof fmt, "%%%s%s", c->flags, !number ? "s" : c->letter == 's' ? "ld" : (char[]){ 'l', c->letter, '\0' });
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	if (number) snprintf(text, sizeof text, fmt, (long)getpid());
	else snprintf(text, sizeof text, fmt, arg);
#pragma GCC diagnostic pop
	buf_puts(out, text);
}

void service_debug_command(const struct service_context *ctx, const char *program)
{
	const char *p = conf_str(ctx->conf, OPT_DEBUG_COMMAND);
	struct buf command = BUF_INIT;
	struct conversion c;
	unsigned next = 1;
	if (!p) return;
	while (*p) {
		if (*p != '%') {
			buf_putc(&command, *p++);
			continue;
		}
		p = parse(&c, p + 1, &next);
		put(&command, &c, program, ctx->name);
	}
	log_msg(LOG_DEBUG, "running external debugger: %s", buf_cstr(&command));
	log_msg(LOG_DEBUG, "debugger returned exit status: %d", system(buf_cstr(&command)));
	buf_free(&command);
}
