/* mbname.h - a mailbox name, parsed (spec/names.md). Everything converts through this: internal form, dbname of 3.6,
 * what administrators and users see. */
#ifndef CAMB_MBNAME_H
#define CAMB_MBNAME_H
#include "base/buf.h"
#include "base/strarray.h"
#include "conf/conf.h"

#include <time.h>

enum { MBNAME_MAX = 490 };          /* longest internal name that may be created */

struct mbname {                      /* all strings owned; parts hold real dots */
	char *domain;                /* NULL: the default domain or none */
	bool deleted;                /* below the deletedprefix */
	time_t is_deleted_at;        /* its time, when deleted */
	char *localpart;             /* owner's local part, NULL for shared mailboxes */
	struct strarray boxes;       /* components below user.X, or all of a shared name */
};

/* How one session sees names: built from the configuration and who it is. */
struct namespace {
	char sep;                    /* '.' or '/' */
	bool alt, isadmin, virtdomains;
	char *userprefix, *sharedprefix, *altprefix, *defaultdomain, *deletedprefix;
	enum conf_level level;
};
int namespace_init(struct namespace *ns, const struct conf *c, bool isadmin);    /* 0 or ERR_CONFIG (spec 4) */
void namespace_free(struct namespace *ns);

void mbname_free(struct mbname *n);
void mbname_copy(struct mbname *to, const struct mbname *from);
int mbname_from_internal(struct mbname *out, const char *internal, const struct namespace *ns);
int mbname_from_dbname(struct mbname *out, const char *p, size_t len, const struct namespace *ns);
/* As typed by `userid` (NULL: nobody): spec 5. ERR_BADNAME when it cannot be a name at all. */
int mbname_from_external(struct mbname *out, const char *ext, const char *userid, const struct namespace *ns);
int mbname_from_userid(struct mbname *out, const char *userid, const struct namespace *ns);     /* the INBOX */

char *mbname_internal(const struct mbname *n, const struct namespace *ns);       /* caller frees */
void mbname_dbname(const struct mbname *n, const struct namespace *ns, struct buf *out);
/* NULL when that user cannot see a name for it (spec 6). Caller frees. */
char *mbname_external(const struct mbname *n, const char *userid, const struct namespace *ns);
char *mbname_userid(const struct mbname *n);         /* owner's user id with domain, or NULL. Caller frees */
bool mbname_is_inbox(const struct mbname *n);
bool mbname_owned_by(const struct mbname *n, const char *userid, const struct namespace *ns);
int mbname_check_create(const struct mbname *n, const char *internal, const struct namespace *ns);  /* spec 3: 0 or ERR_BADNAME */

char dir_hash_c(const char *name, bool full);         /* spec/cyrusdb.md 10 */
#endif
