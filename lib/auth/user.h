/* user.h - user ids in their canonical form, and the groups a user is in (spec/names.md 7). */
#ifndef CAMB_USER_H
#define CAMB_USER_H
#include "auth/acl.h"
#include "base/strarray.h"
#include "conf/conf.h"

enum { USERID_MAX = 80 };

/* A login name or ACL identifier made canonical: case, domain, "anyone" and "anonymous", "group:NAME". `domain`: that of who
 * names it (NULL: none), appended to identifiers without one. Caller frees *out. ERR_BADUSER (too long, a refused byte),
 * ERR_BADIDENT (no such group). */
int user_canon(const struct conf *c, const char *name, const char *domain, char **out);

struct user {
	char *userid;                    /* canonical; NULL: not logged in */
	bool isadmin;
	bool groups_pending;             /* not looked up yet: few access control lists name a group, and a lookup may go to a
	                                    directory */
	struct strarray groups;          /* unix groups */
	struct acl_who who;              /* for acl_evaluate(); points back here */
};
/* userid is taken as it is: canonicalise first. Groups are looked up when a list first asks, unless unix_group_enable is off.
 * u must stay where it is. */
void user_init(struct user *u, const struct conf *c, const char *userid);
void user_free(struct user *u);
bool user_in_list(const struct conf *c, enum conf_opt list, const char *userid);     /* "admins", "proxyservers" */
#endif
