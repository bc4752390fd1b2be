/* acl.h - access control lists: their text, and what they grant (RFC 4314, RFC 2086; spec/databases.md 4.5, imap.md 8). */
#ifndef CAMB_ACL_H
#define CAMB_ACL_H
#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

/* Rights, in the order they are written: l r s w i p k x t e c d a n 0-9. c and d are macros kept for old clients. */
enum acl_right {
	ACL_LOOKUP = 1 << 0, ACL_READ = 1 << 1, ACL_SEEN = 1 << 2, ACL_WRITE = 1 << 3, ACL_INSERT = 1 << 4, ACL_POST = 1 << 5,
	ACL_CREATE = 1 << 6, ACL_DELETEMBOX = 1 << 7, ACL_DELETEMSG = 1 << 8, ACL_EXPUNGE = 1 << 9, ACL_ADMIN = 1 << 10,
	ACL_ANNOTATE = 1 << 11, ACL_USER0 = 1 << 12,      /* 0..9 in the ten bits from here */
	ACL_ALL_USER = 0x3ff << 12,
	ACL_FULL = 0xfff,                                 /* lrswipkxtecdan */
};

/* Which macro holds x: option deleteright ('c' by default, 'd' or 'x'). */
struct acl_macros { uint32_t c, d; };
struct acl_macros acl_macros(const char *deleteright);

/* Unknown letters: *bad is set to the first of them (0 when none) and they are left out. */
uint32_t acl_rights_parse(const char *s, const struct acl_macros *m, char *bad);
void acl_rights_print(struct buf *b, uint32_t rights, const struct acl_macros *m);

/* Who asks: the user id in its canonical form and the groups he is in. */
struct acl_who {
	const char *userid;                       /* NULL: nobody ("anyone" still applies); "anonymous" */
	bool (*in_group)(void *arg, const char *group);    /* for "group:NAME"; NULL: in none */
	void *arg;
};

/* Walks "identifier TAB rights TAB ..." (the text form). Negative entries ("-identifier") take away at the end. */
uint32_t acl_evaluate(const char *acl, const struct acl_who *who, const struct acl_macros *m);

typedef void acl_each_fn(void *arg, const char *identifier, const char *rights);
void acl_each(const char *acl, acl_each_fn *fn, void *arg);           /* a malformed tail is skipped */

enum acl_how { ACL_SET, ACL_ADD, ACL_REMOVE };
/* A new ACL text with the entry changed (appended when new, removed when no right is left). Caller frees. */
char *acl_change(const char *acl, const char *identifier, enum acl_how how, uint32_t rights, const struct acl_macros *m);
#endif
