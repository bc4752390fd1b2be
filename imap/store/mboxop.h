/* mboxop.h - what an administrator or user does to mailboxes as wholes: who may, which others follow, what else goes with them
 * (spec/imap.md 6.3 to 6.5). Protocol-free: IMAP, autocreation and the tools call it. */
#ifndef CAMB_MBOXOP_H
#define CAMB_MBOXOP_H
#include "auth/user.h"
#include "store/mailbox.h"

struct mboxop {
	struct store *st;
	const struct user *user;             /* who asks */
	const struct namespace *ns;          /* as he sees names; for the policy on new names */
	/* one line for each mailbox of a recursive operation; err 0: done. May be NULL. */
	void (*told)(void *arg, const struct mbname *from, const struct mbname *to, int err);
	void *arg;
};

struct mboxop_new {
	const char *partition;               /* NULL: chosen */
	const char *use;                     /* words of a special use as given; NULL: none */
	char type;                           /* 0: mail */
	uint32_t marks;                      /* for mailbox_create */
};
/* how may be NULL. Missing ancestors are made where the layout's release makes them. *uniqueid (may be NULL; caller frees).
 * ERR_BADENTRY: no such special use; ERR_SPECIALUSE: another mailbox has it; ERR_USEPLACE: not in that place. */
int mboxop_create(struct mboxop *op, const struct mbname *n, const struct mboxop_new *how, char **uniqueid);
int mboxop_delete(struct mboxop *op, const struct mbname *n);
int mboxop_rename(struct mboxop *op, const struct mbname *from, const struct mbname *to, const char *partition);
#endif
