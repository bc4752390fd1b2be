/* check_priv.h - what the files of master -T share. */
#ifndef CAMB_MASTER_CHECK_PRIV_H
#define CAMB_MASTER_CHECK_PRIV_H
#include "base/hash.h"
#include "base/strarray.h"
#include "master/conf_cyrus.h"

enum problem_level { PROBLEM_ERROR, PROBLEM_WARNING, PROBLEM_NOTE };

struct problem {
	enum problem_level level;
	unsigned file, line;               /* index into check.files */
	size_t seq;                        /* order found */
	char *text;
};

struct check {
	const char *cyrus, *imapd;         /* imapd: NULL for the built-in path */
	struct strarray files;             /* that a problem was found in, in that order */
	struct hash *file_index;           /* name -> index + 1 */
	struct hash *told;                 /* problems; what each of many programs finds in the same file is told once */
	struct strarray idents;            /* names that imapd.conf may put before an option */
	struct problem *v;
	size_t n, alloc;
	unsigned errors;
};

__attribute__((format(printf, 5, 6))) void check_tell(struct check *k, enum problem_level level, const char *file, unsigned line,
	const char *fmt, ...);
__attribute__((format(printf, 4, 5))) void check_entry(struct check *k, enum problem_level level, const struct cyrusconf_entry *e,
	const char *fmt, ...);                     /* about this line of cyrus.conf */

/* check_listen.c: proto and listen of the SERVICES entries: readable, resolvable, and no two at one address. */
void check_addresses(struct check *k, const struct cyrusconf *c);

/* check_imapd.c: imapd.conf as each program of c reads it, and as master itself does. */
void check_imapd(struct check *k, const struct cyrusconf *c);
#endif
