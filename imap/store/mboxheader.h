/* mboxheader.h - cyrus.header: quota root, unique id, user flag names, ACL; text form and list form (spec/mailbox.md 3). */
#ifndef CAMB_MBOXHEADER_H
#define CAMB_MBOXHEADER_H
#include "base/buf.h"
#include "store/index_format.h"

#include <stdbool.h>

struct mboxheader {
	bool list_form;                  /* as found; written back in the same form */
	char *quotaroot;                 /* NULL: none */
	char *uniqueid;                  /* NULL: unknown */
	char *acl;                       /* text form: identifier TAB rights TAB ...; never NULL */
	char *name, *type;               /* list form only: internal name and type string; NULL: absent */
	char *flagname[USER_FLAGS];      /* NULL: unused number */
};
void mboxheader_free(struct mboxheader *h);
int mboxheader_parse(struct mboxheader *h, const char *p, size_t len);     /* 0 or ERR_BADFORMAT (h is then empty) */
void mboxheader_print(const struct mboxheader *h, struct buf *out);        /* the whole file */

/* Number of the flag (ASCII case-insensitive), -1 when it has none. */
int mboxheader_flag(const struct mboxheader *h, const char *name);
bool mboxheader_flag_ok(const char *name);       /* an atom that can be stored */
#endif
