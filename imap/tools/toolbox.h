/* toolbox.h - what the tools over the mailbox store share: opening it, and the mailboxes that arguments name (spec/tools.md
 * 1). */
#ifndef CAMB_TOOLBOX_H
#define CAMB_TOOLBOX_H
#include "store/layout.h"
#include "store/mboxlist.h"

struct toolbox {
	struct conf *conf;
	struct store *st;
};
/* 0, or the exit status with the reason on stderr. create: a missing mailbox list is made. */
int toolbox_open(struct toolbox *t, const char *alt, const char *ident, bool create);
void toolbox_close(struct toolbox *t);

enum toolbox_each_flags { TOOLBOX_CHILDREN = 1 };      /* mailboxes below each match too */
/* Calls cb for every live mailbox that one of the patterns matches, once, in the order of the release: 2.5 by name; 3.6 users'
 * mailboxes, then shared ones, then users' deleted ones. Patterns (`*`, `%`) are written as an administrator sees names; none:
 * all. Entries are collected first: cb may change the list. Non-zero from cb stops and is returned. */
int toolbox_each(struct toolbox *t, char **patterns, int n, unsigned flags, mboxlist_cb *cb, void *arg);

/* Would toolbox_each() come by it with these arguments, if it were listed? */
bool toolbox_wanted(struct toolbox *t, char **patterns, int n, unsigned flags, const struct mbentry *e);

char *toolbox_external(struct toolbox *t, const struct mbentry *e);      /* never NULL; caller frees */
/* The mailbox an argument names, written with either separator's form of this release. ERR_BADNAME, ERR_NOMAILBOX, ERR_IO. */
int toolbox_lookup(struct toolbox *t, const char *arg, struct mbentry *out);
int toolbox_usage_status(const struct toolbox *t);     /* 75 or 64; t->conf may be NULL */
#endif
