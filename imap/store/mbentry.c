/* mbentry.c - see mbentry.h. */
#include "store/mbentry.h"
#include "base/mem.h"

#include <stdlib.h>

void mbentry_free(struct mbentry *e)
{
	free(e->name);
	mbname_free(&e->parts);
	free(e->uniqueid);
	free(e->partition);
	free(e->server);
	free(e->acl);
	*e = (struct mbentry){ 0 };
}

static char *dup_or_null(const char *s) { return s ? mem_strdup(s) : NULL; }

void mbentry_copy(struct mbentry *to, const struct mbentry *from)
{
	*to = *from;
	to->name = dup_or_null(from->name);
	mbname_copy(&to->parts, &from->parts);
	to->uniqueid = dup_or_null(from->uniqueid);
	to->partition = dup_or_null(from->partition);
	to->server = dup_or_null(from->server);
	to->acl = mem_strdup(from->acl ? from->acl : "");
}

void mbentry_set_acl(struct mbentry *e, const char *acl)
{
	char *fresh = mem_strdup(acl);
	free(e->acl);
	e->acl = fresh;
}
