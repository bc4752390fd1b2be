/* man.c - imapd.conf(5) in man(7) macros, from options.def. The page in doc/man is this output; a unit test compares them. */
#include "conf/man.h"

#include "base/mem.h"
#include "conf/conf.h"

#include <stdlib.h>
#include <string.h>

static const char head[] =
	".TH IMAPD.CONF 5 \"\" Cambyses \"File formats\"\n"
	".SH NAME\nimapd.conf \\- configuration of the mail store and all its programs\n"
	".SH DESCRIPTION\n"
	"One option a line:\n.PP\n.RS\n.IR option : \\ value\n.RE\n.PP\n"
	"The name is made of letters, digits, \\- and _, in either case, and is followed at once by the colon.  The value is the "
	"rest of\n"
	"the line without the white space around it; nothing is quoted.  A backslash as the last byte joins the next line.\n"
	"Lines that begin with # are comments.\n.B @include: FILE\nreads another file at this place.\n"
	".PP\nA name with a service of\n.BR cyrus.conf (5)\nin front,\n.IR service _ option ,\n"
	"is for that service alone and beats the plain name.  A name given twice is an error; an unknown name is not.\n"
	".PP\nSwitches are on with\n.B yes, on, true\nor\n.BR 1 ,\noff with\n.B no, off, false\nor\n.BR 0 .\n"
	"Durations are numbers with\n.BR d ,\\  h ,\\  m\nor\n.B s\n(1h30m); a number alone has the unit named below.\n"
	"Sizes are numbers with\n.BR K ,\\  M\nor\n.BR G ,\nmultiples of 1024.\n"
	"A leading\n.B {configdirectory}\nin a string stands for the value of that option.\n"
	".PP\nWhere two defaults are given, the first is that of level 2.5, the second that of level 3.6: see\n.BR "
	"compatibility_level .\n" ".SH OPTIONS\n";

/* Text that roff takes literally. */
static void text(struct buf *out, const char *s)
{
	if (*s == '.' || *s == '\'') buf_puts(out, "\\&");
	for (; *s; s++) {
		if (*s == '\\') buf_puts(out, "\\e");
		else if (*s == '-') buf_puts(out, "\\-");
		else buf_putc(out, *s);
	}
}

static void value(struct buf *out, const char *v)
{
	if (!v) buf_puts(out, "unset");
	else if (!*v) buf_puts(out, "empty");
	else text(out, v);
}

static const char *unit_name(char unit)
{
	switch (unit) {
	case 's': return "seconds";
	case 'm': return "minutes";
	case 'h': return "hours";
	case 'd': return "days";
	case 'K': return "KiB";
	default: return "bytes";
	}
}

static bool same(const char *a, const char *b) { return a == b || (a && b && !strcmp(a, b)); }

static void defaults(struct buf *out, const struct conf_row *r)
{
	buf_puts(out, "Default: ");
	value(out, r->def25);
	if (!same(r->def25, r->def36)) {
		buf_puts(out, "; level 3.6: ");
		value(out, r->def36);
	}
	buf_puts(out, ".\n");
}

static void option(struct buf *out, enum conf_opt o)
{
	const struct conf_row *r = conf_row(o);
	buf_puts(out, ".TP\n.B ");
	text(out, r->name);
	buf_printf(out, "\n(%s", conf_type_name(r->type));
	if (r->unit) buf_printf(out, ", bare numbers are %s", unit_name(r->unit));
	buf_puts(out, ") ");
	text(out, r->meaning);
	buf_puts(out, ".\n");
	if (r->values) {
		buf_puts(out, "Words: ");
		text(out, r->values);
		buf_puts(out, ".\n");
	}
	if (r->type != CONF_KEY) defaults(out, r);
	if (conf_is_idle(o)) buf_puts(out, "Has no effect in this version.\n");
	if (r->dep_since) {
		buf_printf(out, "Deprecated since %s", r->dep_since);
		if (r->dep_now) buf_puts(out, ", use "), text(out, r->dep_now);
		buf_puts(out, ".\n");
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(conf_row(*(const enum conf_opt *)a)->name, conf_row(*(const enum conf_opt *)b)->name);
}

void conf_man(struct buf *out)
{
	enum conf_opt rows[OPT_COUNT];
	for (int i = 0; i < OPT_COUNT; i++) rows[i] = (enum conf_opt)i;
	qsort(rows, OPT_COUNT, sizeof *rows, by_name);
	buf_puts(out, head);
	for (int i = 0; i < OPT_COUNT; i++) option(out, rows[i]);
	buf_puts(out, ".SH SEE ALSO\n.BR cyrus.conf (5),\n.BR cyr_info (8)\n");
}
