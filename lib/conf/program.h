/* program.h - what every program does first: be the Cyrus user, read imapd.conf, open the log, set the umask
 * (spec/config.md 3, spec/tools.md 1, spec/master.md 3.4 and 17.2). Exits nothing: main() does, with the code given. */
#ifndef CAMB_PROGRAM_H
#define CAMB_PROGRAM_H
#include "conf/conf.h"

enum program_flags {
	PROGRAM_NEED_DATA = 1,         /* imapd.conf must define partitions */
	PROGRAM_PERROR = 2,            /* log lines also to stderr */
	PROGRAM_KEEP_USER = 4,         /* stay who we are (master, and tools that only read a file) */
};

/* 0 and *conf; or a sysexits code, with the reason said on stderr ("fatal error: TEXT", "must run as the Cyrus user") and
 * in the log, and *conf NULL. conf_file: what -C gave, or NULL. ident: "ctl_mboxlist". The descriptors 0 to 2 are open
 * afterwards, whatever the caller was given. */
int program_init(struct conf **conf, const char *conf_file, const char *ident, unsigned flags);

/* Opens the log as the configuration wants it; facility < 0: from syslog_facility. Done by program_init(). */
void program_log(const struct conf *c, const char *ident, int facility, unsigned flags);
void program_log_early(const char *ident, int facility, unsigned flags);        /* before imapd.conf is read */

/* Becomes $CYRUS_USER / cyrus_user / the built-in account and its group. 0; or -1, logged. Nothing happens when the ids
 * are right already. */
int program_become_cyrus(const struct conf *c);
const char *program_user(const struct conf *c);           /* the name of that account */
unsigned program_umask(const char *text);                 /* octal digits one by one, other bytes ignored */

/* Path of a command's program: absolute, else LIBEXECDIR/word if there, else SBINDIR/word. Caller frees. */
char *program_path(const char *word);
bool program_runnable(const char *path);                   /* a regular file with the owner's execute bit */
#endif
