/* mboxarg.h - a mailbox named by the client: translated, looked up, and what he may do with it. */
#ifndef CAMB_MBOXARG_H
#define CAMB_MBOXARG_H
#include "imapd/session.h"
#include "store/mbentry.h"

struct mboxarg {
	char *ext;                       /* as typed (in s->cmd) */
	struct mbname parts;
	char *name;                      /* internal; NULL when it cannot be a name */
	struct mbentry entry;            /* valid when found */
	bool found;
	uint32_t rights;                 /* by the ACL, for an admin with l and a added */
};
/* Translates and looks up. 0 when there is such a mailbox and the user may look it up; ERR_NOMAILBOX otherwise (or when the name
 * cannot be); parts and name are set whenever the name could be translated. Freed by mboxarg_free(). */
int mboxarg_find(struct session *s, const char *ext, struct mboxarg *m);
int mboxarg_translate(struct session *s, const char *ext, struct mboxarg *m);      /* 0 or ERR_BADNAME ...; no look-up */
void mboxarg_free(struct mboxarg *m);
uint32_t session_rights(struct session *s, const struct mbentry *e);
/* The name as this client sees it; NULL when he cannot. In s->cmd. */
char *session_external(struct session *s, const struct mbname *n);
#endif
