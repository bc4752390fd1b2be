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
	for (size_t i = 0; i < e->nhistory; i++) {
		free(e->history[i].dbname);
		free(e->history[i].partition);
	}
	free(e->history);
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
	to->history = NULL;
	to->nhistory = 0;
	for (size_t i = 0; i < from->nhistory; i++) {
		struct mbformer *f = mbentry_add_former(to);
		*f = from->history[i];
		f->dbname = dup_or_null(f->dbname);
		f->partition = dup_or_null(f->partition);
	}
}

struct mbformer *mbentry_add_former(struct mbentry *e)
{
	if (!(e->nhistory & (e->nhistory - 1)))
		e->history = mem_array(e->history, e->nhistory ? 2 * e->nhistory : 1, sizeof *e->history);
	e->history[e->nhistory] = (struct mbformer){ .type = 'e' };
	return &e->history[e->nhistory++];
}

void mbentry_set_acl(struct mbentry *e, const char *acl)
{
	char *fresh = mem_strdup(acl);
	free(e->acl);
	e->acl = fresh;
	e->acl_field = 0;
}
