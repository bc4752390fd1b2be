/* status.c - see status.h. One row a case; the two levels differ in a few words. */
#include "lmtpd/status.h"
#include "base/err.h"

static const char not_permitted[] =
	"550-You do not have permission to post a message to this mailbox.\r\n"
	"550-Please contact the owner of this mailbox in order to submit\r\n"
	"550-your message, or POSTMASTER if you believe you received this message in error.\r\n"
	"550 5.7.1 Permission denied";
static const char unknown_user[] =
	"550-Mailbox unknown.  Either there is no mailbox associated with this\r\n"
	"550-name or you do not have authorization to see it.\r\n"
	"550 5.1.1 User unknown";

static const struct row {
	int err;
	const char *code;                 /* with text25 (and text36): "CODE text"; else the whole reply */
	const char *text25, *text36;      /* NULL: err_text() */
} rows[] = {
	{ ERR_IO, "451 4.3.0", NULL, NULL },
	{ ERR_NOSPACE, "451 4.3.1", "cannot create file: out of space", "mail system storage has been exceeded" },
	{ ERR_AGAIN, "451 4.3.0", "transient system error", "Retry operation" },
	{ ERR_LOCKED, "451 4.3.0", "transient system error", "Mailbox is locked" },
	{ ERR_BADFORMAT, "451 4.2.0", "Mailbox has an invalid format", NULL },
	{ ERR_MOVED, "451 4.2.1", "Mailbox Moved", NULL },
	{ ERR_DISABLED, "450 4.2.1", "Mailbox disabled, not accepting messages", "Mailbox disabled, not accepting messages" },
	{ ERR_NUL, "554 5.6.0", NULL, NULL },
	{ ERR_BARENEWLINE, "554 5.6.0", NULL, NULL },
	{ ERR_8BIT, "554 5.6.0", NULL, NULL },
	{ ERR_BADHEADER, "554 5.6.0", NULL, NULL },
	{ ERR_NOSEPARATOR, "554 5.6.0", NULL, NULL },
	{ ERR_SYNTAX, "501 5.5.4", "Syntax error in parameters", "Syntax error in parameters" },
	{ ERR_INTERNAL, "451 4.3.0", "Unexpected internal error", NULL },
};

static const struct row *find(int err)
{
	size_t n = sizeof rows / sizeof *rows;
	for (size_t i = 0; i < n; i++)
		if (rows[i].err == err) return &rows[i];
	return &rows[n - 1];
}

void status_print(enum conf_level level, int err, bool permanent_quota, const char *session_id, struct buf *out)
{
	const struct row *row = find(err);
	const char *text = level == LEVEL_25 ? row->text25 : row->text36;
	switch (err) {
	case 0:
		buf_printf(out, "250 2.1.5 %s SESSIONID=<%s>", level == LEVEL_25 ? "Ok" : "Success", session_id);
		break;
	case ERR_QUOTA:
		buf_printf(out, "%s Over quota SESSIONID=<%s>", permanent_quota ? "552 5.2.2" : "452 4.2.2", session_id);
		break;
	case ERR_PERM:
		buf_puts(out, not_permitted);
		break;
	case ERR_NOMAILBOX:
	case ERR_BADUSER:
	case ERR_BADNAME:
		buf_puts(out, unknown_user);
		break;
	default:
		buf_printf(out, "%s %s", row->code, text ? text : err_text(err));
	}
	buf_puts(out, "\r\n");
}
