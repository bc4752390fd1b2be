/* err.h - what can go wrong, as values. A function that can fail returns 0 or one of these; err_text() gives the
 * wording that clients and scripts match on (spec/imap.md, spec/services.md 1.2). */
#ifndef CAMB_ERR_H
#define CAMB_ERR_H

/*      name              text                                              */
#define ERR_TABLE(X) \
	X(ERR_OK,            "Completed") \
	X(ERR_INTERNAL,      "Unexpected internal error") \
	X(ERR_IO,            "System I/O error") \
	X(ERR_NOSPACE,       "cannot create file: out of space") \
	X(ERR_PERM,          "Permission denied") \
	X(ERR_NOMAILBOX,     "Mailbox does not exist") \
	X(ERR_EXISTS,        "Mailbox already exists") \
	X(ERR_BADNAME,       "Invalid mailbox name") \
	X(ERR_BADFORMAT,     "Mailbox has an invalid format") \
	X(ERR_NOTSUPPORTED,  "Operation is not supported on mailbox") \
	X(ERR_MBTYPE,        "Invalid mailbox type") \
	X(ERR_LOCKED,        "Mailbox is locked") \
	X(ERR_MOVED,         "Mailbox has been moved to another server") \
	X(ERR_HASCHILDREN,   "Mailbox has inferior hierarchical names") \
	X(ERR_PARTITION,     "Unknown/invalid partition") \
	X(ERR_QUOTA,         "Over quota") \
	X(ERR_NOQUOTAROOT,   "Quota root does not exist") \
	X(ERR_QUOTARESOURCE, "Unsupported quota resource") \
	X(ERR_USERFLAGS,     "Too many user flags in mailbox") \
	X(ERR_BADFLAG,       "Invalid flag") \
	X(ERR_BADIDENT,      "Invalid identifier") \
	X(ERR_BADUSER,       "Invalid user") \
	X(ERR_BADRIGHTS,     "Invalid rights") \
	X(ERR_NOMATCH,       "No matching messages") \
	X(ERR_BADCHARSET,    "Unrecognized character set") \
	X(ERR_DISABLED,      "Command is disabled by configuration") \
	X(ERR_TOOBIG,        "Message size exceeds fixed limit") \
	X(ERR_EMPTYMESSAGE,  "Zero-length message literal") \
	X(ERR_NUL,           "Message contains NUL characters") \
	X(ERR_BARENEWLINE,   "Message contains bare newlines") \
	X(ERR_BADHEADER,     "Message contains invalid header") \
	X(ERR_8BIT,          "Message contains non-ASCII characters in headers") \
	X(ERR_NOSEPARATOR,   "Message has no header/body separator") \
	X(ERR_NOSERVER,      "Server(s) unavailable to complete operation") \
	X(ERR_SPECIALUSE,    "SPECIAL-USE flag conflict") \
	X(ERR_USEPLACE,      "No special use in that place") \
	X(ERR_BADENTRY,      "Invalid annotation entry") \
	X(ERR_ANNOTVALUE,    "Invalid annotation value") \
	X(ERR_PARAMETERS,    "Syntax error in parameters") \
	X(ERR_NOTFOUND,      "Not found") \
	X(ERR_SYNTAX,        "Syntax error") \
	X(ERR_LIMIT,         "Limit exceeded") \
	X(ERR_TIMEOUT,       "Operation timed out") \
	X(ERR_EOF,           "End of file reached") \
	X(ERR_CONFIG,        "Configuration error") \
	X(ERR_CRC,           "Checksum does not match") \
	X(ERR_AGAIN,         "Retry operation")

#define ERR_ENUM(name, text) name,
enum err { ERR_TABLE(ERR_ENUM) ERR_COUNT };
#undef ERR_ENUM

const char *err_text(int err);      /* never NULL; unknown codes read "Unexpected internal error" */
int err_from_errno(int e);          /* ENOSPC and EDQUOT: ERR_NOSPACE; everything else ERR_IO */
#endif
