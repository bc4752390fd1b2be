/* filter.c - see filter.h. Two layers: the wire (dots and line ends) gives bytes and line ends to the header automaton. */
#include "lmtpd/filter.h"
#include "base/err.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { NAME_MAX_BYTES = 1000, VALUE_MAX_BYTES = 8192 };

/* Where the wire is. Only CR LF begins a line: a lone LF or CR neither ends the data nor takes a dot away (no smuggling). */
enum wire { WIRE_BOL, WIRE_DOT, WIRE_DOT_CR, WIRE_CR, WIRE_MID };
enum state { LINE_START, IN_NAME, AFTER_NAME, IN_VALUE };

void filter_init(struct filter *f, const struct filter_options *o)
{
	*f = (struct filter){ .o = *o, .in_header = true, .wire = WIRE_BOL, .state = LINE_START, .first = true, .kind = FILTER_PASS };
}

void filter_free(struct filter *f)
{
	buf_free(&f->out);
	buf_free(&f->name);
	for (int i = 0; i < FILTER_KEPT; i++) buf_free(&f->kept[i]);
}

static void put(struct filter *f, const char *p, size_t n)
{
	f->size += n;
	if (f->o.max && f->size > f->o.max) return;
	if (n == 1) buf_putc(&f->out, *p);
	else buf_append(&f->out, p, n);
}

static void puts_out(struct filter *f, const char *s) { put(f, s, strlen(s)); }

/* ------------------------------------------------------------------------------------------------ headers */

static int kind_of(const char *name)
{
	static const struct { const char *name; int kind; } known[] = {
		{ "Message-ID", FILTER_MESSAGE_ID }, { "Resent-Message-ID", FILTER_RESENT_MESSAGE_ID }, { "Date", FILTER_DATE },
		{ "X-DeliveredInternalDate", FILTER_INTERNALDATE }, { "Return-Path", FILTER_DROP },
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (!strcasecmp(known[i].name, name)) return known[i].kind;
	return FILTER_PASS;
}

/* The name is complete: now it is known whether the line is kept. A second Message-ID passes unread. */
static void name_ends(struct filter *f, size_t len)
{
	char *name = mem_dup(f->name.s ? f->name.s : "", len);
	f->kind = kind_of(name);
	free(name);
	if (!len) f->bad_header = true;
	if (f->kind < FILTER_KEPT) {
		if (f->have[f->kind]) f->kind = FILTER_PASS;
		else f->have[f->kind] = true;
	}
	buf_putc(&f->name, ':');
	if (f->kind != FILTER_DROP) put(f, f->name.s, f->name.len);
	buf_reset(&f->name);
	f->state = IN_VALUE;
	f->any = true;
}

static void name_byte(struct filter *f, unsigned char c)
{
	bool blank = c == ' ' || c == '\t';
	size_t len = f->name.len;
	while (len && (f->name.s[len - 1] == ' ' || f->name.s[len - 1] == '\t')) len--;
	if (c == ':') {
		name_ends(f, len);
		return;
	}
	if (f->state == AFTER_NAME ? !blank : !blank && (c <= ' ' || c >= 0x7f)) f->bad_header = true;
	if (blank) f->state = AFTER_NAME;
	if (f->name.len < NAME_MAX_BYTES) buf_putc(&f->name, c);
	else f->bad_header = true;
}

static void value_byte(struct filter *f, char c)
{
	if ((unsigned char)c >= 0x80) {
		f->has_8bit = true;
		if (f->o.munge8bit && !f->o.reject8bit) c = 'X';
	}
	if (f->kind < FILTER_KEPT && f->kept[f->kind].len < VALUE_MAX_BYTES) buf_putc(&f->kept[f->kind], c);
	if (f->kind != FILTER_DROP) put(f, &c, 1);
}

static void header_byte(struct filter *f, char c)
{
	if (f->state == LINE_START) {
		bool fold = c == ' ' || c == '\t';
		if (fold && !f->any) f->bad_header = true;
		if (fold && f->kind < FILTER_KEPT && f->kept[f->kind].len < VALUE_MAX_BYTES) buf_puts(&f->kept[f->kind], "\r\n");
		f->state = fold ? IN_VALUE : IN_NAME;
	}
	if (f->state == IN_VALUE) value_byte(f, c);
	else name_byte(f, (unsigned char)c);
}

/* Behind the original headers. */
static void add_missing(struct filter *f)
{
	if (!f->have[FILTER_MESSAGE_ID] && f->o.new_msgid) {
		puts_out(f, "Message-ID: ");
		puts_out(f, f->o.new_msgid);
		puts_out(f, "\r\n");
	}
	if (!f->have[FILTER_DATE] && f->o.new_date) {
		puts_out(f, "Date: ");
		puts_out(f, f->o.new_date);
		puts_out(f, "\r\n");
	}
	f->in_header = false;
}

static void header_line_ends(struct filter *f)
{
	if (f->state == LINE_START) {
		add_missing(f);
		puts_out(f, "\r\n");
		return;
	}
	if (f->state != IN_VALUE) {           /* a line without colon */
		f->bad_header = true;
		buf_reset(&f->name);
	} else if (f->kind != FILTER_DROP) {
		puts_out(f, "\r\n");
	}
	f->state = LINE_START;
}

/* ------------------------------------------------------------------------------------------------ the wire */

static void byte(struct filter *f, char c)
{
	if (!c) f->nul = true;
	if (f->in_header) header_byte(f, c);
	else put(f, &c, 1);
}

static void line_ends(struct filter *f)
{
	f->first = false;
	if (f->in_header) header_line_ends(f);
	else puts_out(f, "\r\n");
}

static void middle(struct filter *f, char c)
{
	f->wire = WIRE_MID;
	if (c == '\r') f->wire = WIRE_CR;
	else if (c == '\n') line_ends(f);
	else byte(f, c);
}

/* A CR was held back. Alone it ends a header line (or it could hide a header from us) and vanishes from the body; several count
 * as one. */
static void after_cr(struct filter *f, char c)
{
	if (c == '\r') return;
	if (c == '\n') {
		line_ends(f);
		f->wire = WIRE_BOL;
		return;
	}
	if (f->in_header) line_ends(f);
	middle(f, c);
}

static void finish(struct filter *f)
{
	f->ended = true;
	if (f->in_header) add_missing(f);      /* no separator came: none is made up */
}

/* The stuffed dot goes, but for one in the very first line: both originals keep that. */
static void after_dot(struct filter *f, char c)
{
	if (f->wire == WIRE_DOT && c == '\r') {
		f->wire = WIRE_DOT_CR;
		return;
	}
	if (f->wire == WIRE_DOT_CR && c == '\n') {
		finish(f);
		return;
	}
	bool cr = f->wire == WIRE_DOT_CR;
	if (f->first) byte(f, '.');
	if (cr) after_cr(f, c);
	else middle(f, c);
	if (cr && c == '\r') f->wire = WIRE_CR;
}

size_t filter_feed(struct filter *f, const char *p, size_t n)
{
	size_t i = 0;
	while (i < n && !f->ended) {
		char c = p[i];
		if (f->wire == WIRE_MID && !f->in_header) {         /* the bulk of a body, without a call for each byte */
			size_t run = i;
			while (run < n && p[run] != '\r' && p[run] != '\n' && p[run]) run++;
			if (run > i) {
				put(f, p + i, run - i);
				i = run;
				continue;
			}
		}
		i++;
		switch (f->wire) {
		case WIRE_BOL:
			if (c == '.') f->wire = WIRE_DOT;
			else middle(f, c);
			break;
		case WIRE_DOT:
		case WIRE_DOT_CR: after_dot(f, c); break;
		case WIRE_CR: after_cr(f, c); break;
		default: middle(f, c);
		}
	}
	return i;
}

/* ------------------------------------------------------------------------------------------------ afterwards */

/* 2.5 takes a folded blank for a value. */
static bool empty_msgid(const struct filter *f)
{
	const struct buf *v = &f->kept[FILTER_MESSAGE_ID];
	const char *blanks = f->o.strict_msgid ? " \t\r\n" : " \t";
	for (size_t i = 0; i < v->len; i++)
		if (!strchr(blanks, v->s[i])) return false;
	return f->have[FILTER_MESSAGE_ID];
}

int filter_verdict(const struct filter *f)
{
	if (f->nul) return ERR_NUL;
	if (f->bad_header || empty_msgid(f)) return ERR_BADHEADER;
	if (f->has_8bit && f->o.reject8bit) return ERR_8BIT;
	return f->o.max && f->size > f->o.max ? ERR_TOOBIG : 0;
}

char *filter_value(const struct filter *f, enum filter_header h)
{
	struct buf b = BUF_INIT;
	const struct buf *v = &f->kept[h];
	for (size_t i = 0; i < v->len; i++) {
		char c = v->s[i];
		if (c == '\r' || c == '\n' || (!b.len && (c == ' ' || c == '\t'))) continue;
		buf_putc(&b, c);
	}
	while (b.len && (b.s[b.len - 1] == ' ' || b.s[b.len - 1] == '\t')) b.len--;
	if (!b.len) {
		buf_free(&b);
		return NULL;
	}
	return buf_take(&b);
}
