/* session.c - an LMTP connection from its banner to its end. */
#include "lmtpd/session.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/procfile.h"
#include "lmtpd/commands.h"
#include "proto/identity.h"
#include "sys/file.h"

#include <stdlib.h>
#include <string.h>

enum { IDLE_SECONDS = 360, COMMAND_MAX = 8192 };

void reply(struct session *s, const char *fmt, ...)
{
	va_list ap;
	struct buf b = BUF_INIT;
	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	buf_puts(&b, "\r\n");
	prot_putbuf(s->p, &b);
	buf_free(&b);
}

void session_new_id(struct session *s)
{
	free(s->id);
	s->id = identity_session(s->env.conf, ++*s->sequence);
	s->env.session_id = s->env.st->session_id = s->id;
}

void session_reset(struct session *s)
{
	for (size_t i = 0; i < s->nrcpt; i++) recipient_free(&s->rcpt[i]);
	s->nrcpt = 0;
	lmtp_address_free(&s->sender);
	s->have_sender = false;
	s->size = 0;
	user_free(&s->env.poster);
	user_init(&s->env.poster, s->env.conf, "anonymous");
}

bool session_shut(struct session *s, bool harmless)
{
	struct buf b = BUF_INIT;
	char *path = mem_printf("%s/msg/shutdown", conf_dir(s->env.conf));
	bool shut = !harmless && file_read(path, 65536, &b) == 0;
	if (shut) {
		const char *p = buf_cstr(&b);
		while (*p == '[') p++;
		reply(s, "421 4.3.2 %.*s", (int)strcspn(p, "\r\n"), p);
		s->over = true;
	}
	buf_free(&b);
	free(path);
	return shut;
}

static void greet(struct session *s)
{
	bool full = !strcmp(conf_word(s->env.conf, OPT_SERVERINFO), "on");
	bool murder = s->env.level == LEVEL_25 && conf_str(s->env.conf, OPT_MUPDATE_SERVER);
	if (full)
		reply(s, "220 %s Cyrus LMTP%s %s server ready", conf_servername(s->env.conf), murder ? " Murder" : "",
			identity_version(s->env.conf));
	else reply(s, "220 %s server ready", conf_servername(s->env.conf));
}

/* One command. A line that is too long is read to its end and refused: its tail must not be taken for a command. */
static bool read_command(struct session *s, struct buf *line, bool *too_long)
{
	*too_long = false;
	buf_reset(line);
	if (!prot_input_waiting(s->p, IDLE_SECONDS * 1000)) {
		const char *why = prot_error(s->p);
		if (!prot_eof(s->p)) reply(s, "421 4.4.1 bye %s", why ? why : "idle for too long");
		return false;
	}
	while (prot_getline(s->p, line, COMMAND_MAX)) {
		if (line->len && line->s[line->len - 1] == '\n') return true;
		*too_long = true;
		buf_reset(line);
	}
	return false;
}

void session_run(struct session *s)
{
	struct buf line = BUF_INIT;
	bool too_long;
	session_reset(s);
	greet(s);
	proc_register(s->env.conf, s->service, s->client, s->login, NULL, NULL);
	while (!s->over && read_command(s, &line, &too_long)) {
		while (line.len && (line.s[line.len - 1] == '\n' || line.s[line.len - 1] == '\r')) line.len--;
		char *text = (char *)(uintptr_t)buf_cstr(&line);
		if (too_long || strlen(text) != line.len) reply(s, "500 5.5.2 Syntax error");
		else command_run(s, text);
	}
	prot_flush(s->p);
	session_reset(s);
	free(s->rcpt);
	s->rcpt = NULL;
	buf_free(&line);
}
