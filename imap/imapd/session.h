/* session.h - one IMAP connection: who is there, what is selected, what the command at hand may use. */
#ifndef CAMB_SESSION_H
#define CAMB_SESSION_H
#include "auth/user.h"
#include "imapd/args.h"
#include "io/literal.h"
#include "io/prot.h"
#include "proto/saslserver.h"
#include "proto/tlsserver.h"
#include "store/store.h"

#include <sys/stat.h>
struct selected;

struct annot_defs;
struct session {
	struct conf *conf;
	struct store *st;
	struct prot *p;
	struct saslserver sasl;
	struct tlsserver engine;             /* its context is the process's; NULL until needed */
	enum conf_level level;               /* the wire dialect: 2.5's or 3.6's wording, never mixed */
	const char *service;                 /* cyrus.conf's name for us */
	char *client, *id;                   /* "host [ip]", session id */
	struct arena *arena;                 /* of the session */
	struct annot_defs *annot_defs;       /* in it; NULL: not asked for yet */

	struct user user;
	struct namespace ns;                 /* as this user sees names */
	bool logged_in, tls, compress, sasl_layer;
	bool condstore;                      /* CONDSTORE was enabled, by ENABLE or by use */
	bool id_seen, no_plain_check;        /* ID was given before login; -N */
	unsigned extssf;                     /* -p */
	bool check_quota;                    /* false with -q */
	bool readonly;                       /* option readonly: nothing may be written */
	bool over;                           /* LOGOUT, BYE or the stream ended */
	int bad_commands;
	int64_t quota_warned;                /* clock_mono() of the last quota alert; 0: none yet */
	struct selected *sel;                /* NULL: nothing selected */
	char *account;                       /* unique id of his INBOX at login ("" where there are none); NULL: he had no INBOX */
	struct stat list;                    /* of the mailbox list, when the INBOX was last known to be there */

	/* the command at hand */
	struct arena *cmd;                   /* ends with the command */
	const char *tag, *name;              /* name: "Select", for messages */
	struct args args;                    /* behind the name and its space */
	bool uid;                            /* it was UID FETCH and the like */
	bool has_args;                       /* a space followed the name */
	const char *refused;                 /* why it is not even looked at: the text of the NO; NULL: it is */
	const struct literal *literal;       /* APPEND: the announced message; size UINT64_MAX: there is none */
};

/* Where the session must be for a command; see commands.c. */
enum { CMD_ANY, CMD_AUTH, CMD_SELECTED };
typedef void cmd_fn(struct session *s);

void session_run(struct session *s);                      /* greeting to the end */
void session_note_account(struct session *s);             /* at login: whose mail this is */
bool session_account_gone(struct session *s);             /* it was deleted or renamed meanwhile */

/* Reads the next command into s->cmd, s->tag ...; false at the end of the stream. APPEND is left at its first message literal. */
bool command_read(struct session *s);
/* APPEND, behind a message: the rest of the line. l->size UINT64_MAX: no further literal; else that of the next message. */
bool command_more(struct session *s, struct buf *line, struct literal *l);
void command_dispatch(struct session *s);
#endif
