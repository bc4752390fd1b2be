/* procfile.h - one small file for each running process: who it serves and what it does (spec/master.md 19). Read by
 * cyr_info proc and by the login limits. */
#ifndef CAMB_PROCFILE_H
#define CAMB_PROCFILE_H
#include "conf/conf.h"

#include <sys/types.h>

char *procfile_dir(const struct conf *c);        /* proc_path, or configdirectory/proc; caller frees */
/* Writes or replaces the file of `pid`. Tabs and newlines in a field become blanks; NULL is the empty field. 0, or -1 and
 * errno. */
int procfile_write(const struct conf *c, pid_t pid, const char *service, const char *host, const char *user,
	const char *mailbox, const char *command);
void procfile_remove(const struct conf *c, pid_t pid);

/* The calling process. Its title, what ps(1) shows, is made the same at the same time, once proc_title() has said where that is:
 * the memory in which the kernel put the arguments. */
void proc_title(struct conf *c, char *area, size_t size);
int proc_register(const struct conf *c, const char *service, const char *host, const char *user, const char *mailbox,
	const char *command);
void proc_cleanup(const struct conf *c);

struct procfile {
	pid_t pid;
	const char *service, *host, *user, *mailbox, *command;      /* never NULL */
};
/* Calls fn for each file until it returns non-zero, which is returned; -1 and errno when the directory cannot be read.
 * Files that vanish meanwhile are passed over. */
int procfile_each(const struct conf *c, int (*fn)(void *arg, const struct procfile *p), void *arg);
#endif
