/* mboxarg.c - see mboxarg.h. */
#include "imapd/mboxarg.h"
#include "base/err.h"
#include "store/mboxlist.h"

#include <stdlib.h>

uint32_t session_rights(struct session *s, const struct mbentry *e)
{
	uint32_t r = acl_evaluate(e->acl, &s->user.who, &s->st->macros);
	if (s->user.isadmin) return r | ACL_LOOKUP | ACL_ADMIN;
	if (!mbname_owned_by(&e->parts, s->user.userid, &s->st->ns) || e->parts.deleted) return r;
	const char *implicit = conf_str(s->conf, OPT_IMPLICIT_OWNER_RIGHTS);
	return r | acl_rights_parse(implicit ? implicit : "", &s->st->macros, NULL);
}

char *session_external(struct session *s, const struct mbname *n)
{
	char *ext = mbname_external(n, s->user.userid, &s->ns);
	if (!ext) return NULL;
	char *copy = arena_strdup(s->cmd, ext);
	free(ext);
	return copy;
}

int mboxarg_translate(struct session *s, const char *ext, struct mboxarg *m)
{
	*m = (struct mboxarg){ .ext = (char *)(uintptr_t)ext };
	int r = mbname_from_external(&m->parts, ext, s->user.userid, &s->ns);
	if (!r) m->name = mbname_internal(&m->parts, &s->st->ns);
	return r;
}

int mboxarg_find(struct session *s, const char *ext, struct mboxarg *m)
{
	if (mboxarg_translate(s, ext, m)) return ERR_NOMAILBOX;
	int r = mboxlist_lookup(s->st, m->name, &m->entry);
	if (r) return r;
	m->found = true;
	m->rights = session_rights(s, &m->entry);
	bool visible = m->rights & ACL_LOOKUP || s->user.isadmin;
	return visible ? 0 : ERR_NOMAILBOX;
}

void mboxarg_free(struct mboxarg *m)
{
	free(m->name);
	mbname_free(&m->parts);
	if (m->found) mbentry_free(&m->entry);
	*m = (struct mboxarg){ 0 };
}
