/* commands.h - the LMTP commands. */
#ifndef CAMB_LMTP_COMMANDS_H
#define CAMB_LMTP_COMMANDS_H
#include "lmtpd/session.h"

/* Runs one line without its CRLF (it holds no NUL). */
void command_run(struct session *s, char *line);
#endif
