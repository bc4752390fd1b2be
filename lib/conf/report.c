/* report.c - problems of imapd.conf: loading keeps the first error and logs warnings, checking tells all (conf_priv.h). */
#include "conf/conf_priv.h"

#include "base/err.h"
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

int conf_fail(struct conf_report *r, const char *fmt, ...)
{
	struct conf_error text;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text.text, sizeof text.text, fmt, ap);
	va_end(ap);
	r->errors++;
	if (r->fn) {
		r->fn(r->arg, CONF_ERROR, r->file, r->line, text.text);
		return 0;
	}
	*r->err = text;
	return ERR_CONFIG;
}

void conf_warn(struct conf_report *r, const char *fmt, ...)
{
	char text[sizeof r->err->text];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (r->fn) r->fn(r->arg, CONF_WARNING, r->file, r->line, text);
	else log_msg(LOG_WARNING, "%s", text);
}

void conf_report_at(struct conf_report *r, const struct conf *c, const struct conf_value *v)
{
	r->file = c->files.v[v->file];
	r->line = v->line;
}
