/* respond.c - see respond.h. */
#include "imapd/respond.h"
#include "base/err.h"

#include <string.h>
#include <strings.h>

static void __attribute__((format(printf, 4, 0))) line(struct session *s, const char *tag, const char *kind, const char *fmt,
	va_list ap)
{
	struct buf b = BUF_INIT;
	buf_puts(&b, tag);
	buf_putc(&b, ' ');
	buf_puts(&b, kind);
	buf_vprintf(&b, fmt, ap);
	buf_puts(&b, "\r\n");
	prot_putbuf(s->p, &b);
	buf_free(&b);
}

#define LINE(name, tag, kind) \
	void name(struct session *s, const char *fmt, ...) \
	{ \
		va_list ap; \
		va_start(ap, fmt); \
		line(s, tag, kind, fmt, ap); \
		va_end(ap); \
	}
LINE(respond, "*", "")
LINE(respond_ok, s->tag, "OK ")
LINE(respond_no, s->tag, "NO ")
LINE(respond_bad, s->tag, "BAD ")

void respond_bye(struct session *s, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	line(s, "*", "BYE ", fmt, ap);
	va_end(ap);
	s->over = true;
}

void respond_err(struct session *s, int err)
{
	if (err == ERR_QUOTA && s->level == LEVEL_36) respond_no(s, "[OVERQUOTA] %s", err_text(err));
	else respond_no(s, "%s", err_text(err));
}

void respond_done(struct session *s, int err)
{
	if (err) respond_err(s, err);
	else respond_ok(s, "Completed");
}

void respond_readonly(struct session *s) { respond_no(s, "This connection is configured for read-only access"); }
void respond_missing(struct session *s) { respond_bad(s, "Missing required argument to %s", s->name); }
void respond_extra(struct session *s) { respond_bad(s, "Unexpected extra arguments to %s", s->name); }

void put(struct session *s, const char *text) { prot_puts(s->p, text); }
void putn(struct session *s, const void *p, size_t n) { prot_write(s->p, p, n); }

void putfmt(struct session *s, const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	va_list ap;
	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	prot_putbuf(s->p, &b);
	buf_free(&b);
}

void put_string(struct session *s, const char *text, size_t n)
{
	bool literal = n >= 1024;
	for (size_t i = 0; i < n && !literal; i++) {
		unsigned char c = (unsigned char)text[i];
		literal = !c || c >= 0x80 || strchr("\r\n\"%\\", c);
	}
	if (literal) {
		putfmt(s, "{%zu}\r\n", n);
		putn(s, text, n);
	} else {
		put(s, "\"");
		putn(s, text, n);
		put(s, "\"");
	}
}

void put_astring(struct session *s, const char *text)
{
	size_t n = strlen(text);
	bool atom = n && n < 1024 && strcasecmp(text, "NIL");
	for (size_t i = 0; i < n && atom; i++) {
		unsigned char c = (unsigned char)text[i];
		atom = c > 0x20 && c < 0x7f && !strchr("(){%*\"\\", c);
	}
	if (atom) putn(s, text, n);
	else put_string(s, text, n);
}

void put_nstring(struct session *s, const char *text)
{
	if (text) put_string(s, text, strlen(text));
	else put(s, "NIL");
}
