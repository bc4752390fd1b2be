/* msgcheck.c - a byte-at-a-time automaton over an uploaded message. See msgcheck.h. */
#include "store/msgcheck.h"

#include <string.h>

#include "base/err.h"

enum line_state {
	LINE_START,                  /* next byte begins a line */
	LINE_NAME,                   /* before the colon */
	LINE_REST                    /* nothing more to check in this line */
};

void msgcheck_init(struct msgcheck *m, const struct msgcheck_options *o)
{
	memset(m, 0, sizeof *m);
	m->o = *o;
	m->checking = m->in_header = m->line_empty = true;
	m->line = LINE_START;
}

/* Header lines have a name without control characters or spaces; continuations and mbox "From " lines are let off. */
static void check_header(struct msgcheck *m, unsigned char c)
{
	static const char from[] = "From ";

	if (m->line == LINE_START) {
		m->from = 0;
		if (c == '\r') {
			m->checking = false;
			return;
		}
		m->line = c == ' ' || c == '\t' ? LINE_REST : LINE_NAME;
		if (c == ':')
			m->bad_header = true;
	}
	if (c == '\n') {
		if (m->line == LINE_NAME)
			m->bad_header = true;
		m->line = LINE_START;
		return;
	}
	if (m->line != LINE_NAME)
		return;
	if (m->from < 5 && c == (unsigned char)from[m->from]) {
		if (++m->from == 5)
			m->line = LINE_REST;
		return;
	}
	m->from = 6;
	if (c == ':')
		m->line = LINE_REST;
	else if (c <= ' ' || c == 0x7f)
		m->bad_header = true;
}

static unsigned char one(struct msgcheck *m, unsigned char c)
{
	unsigned char out = c;

	if (c == 0 && (!m->o.binary || m->in_header))
		m->nul = true;
	if (c == '\n' && m->last != '\r' && (!m->o.binary || m->in_header))
		m->bare_newline = true;
	if (m->checking)
		check_header(m, c);
	if (m->in_header && c >= 0x80) {
		m->has_8bit = true;
		if (!m->o.reject8bit && m->o.munge8bit)
			out = 'X';
	}
	if (c == '\n') {
		if (m->line_empty)
			m->in_header = false;
		m->line_empty = true;
	} else if (c != '\r') {
		m->line_empty = false;
	}
	m->last = c;
	return out;
}

void msgcheck_feed(struct msgcheck *m, char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = one(m, (unsigned char)p[i]);
		if (c != (unsigned char)p[i])
			p[i] = (char)c;
	}
	m->seen += n;
}

int msgcheck_end(struct msgcheck *m)
{
	if (m->seen == 0)
		m->err = ERR_EMPTYMESSAGE;
	else if (m->nul)
		m->err = ERR_NUL;
	else if (m->bare_newline)
		m->err = ERR_BARENEWLINE;
	else if (m->has_8bit && m->o.reject8bit)
		m->err = ERR_8BIT;
	else if (m->bad_header || (m->checking && m->line != LINE_START))
		m->err = ERR_BADHEADER;
	return m->err;
}
