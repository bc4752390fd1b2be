/* respond.h - what the server says: tagged and untagged lines, strings in the form each needs. */
#ifndef CAMB_RESPOND_H
#define CAMB_RESPOND_H
#include "imapd/session.h"

void respond(struct session *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));        /* "* " ... CRLF */
void respond_ok(struct session *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));     /* tag OK ... */
void respond_no(struct session *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void respond_bad(struct session *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "* BYE ..."; the session is over */
void respond_bye(struct session *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void respond_err(struct session *s, int err);              /* tag NO with the text of the code */
void respond_done(struct session *s, int err);             /* tag OK Completed, or respond_err() */
void respond_readonly(struct session *s);                  /* NO: the server only lets read */
void respond_missing(struct session *s);                   /* BAD Missing required argument to Cmd */
void respond_extra(struct session *s);                     /* BAD Unexpected extra arguments to Cmd */

/* Pieces of a line, straight to the stream. */
void put(struct session *s, const char *text);
void putn(struct session *s, const void *p, size_t n);
void putfmt(struct session *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void put_astring(struct session *s, const char *text);     /* atom, quoted, or literal: mailbox names, identifiers */
void put_string(struct session *s, const char *text, size_t n);    /* quoted or literal */
void put_nstring(struct session *s, const char *text);     /* NIL for NULL */
#endif
