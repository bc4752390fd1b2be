/* mbname_check.c - which names may be created (spec/names.md 3). Tools and CREATE and RENAME ask here. */
#include "store/mbname.h"
#include "base/err.h"
#include "text/mutf7.h"

#include <string.h>
#include <strings.h>

/* The printable characters either release accepts; '&' only as the start of a modified UTF-7 sequence. */
static bool allowed(char c, const struct namespace *ns)
{
	/* a real dot: where `.` separates it was typed as ^, which 2.5 refuses there */
	if (c == '.' && ns->level == LEVEL_25 && ns->sep == '.') return false;
	if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')) return true;
	if (c == '.') return ns->level == LEVEL_36 || ns->sep == '/';       /* a real dot was typed as '^', which 2.5 refuses here */
	if (c && strchr(" #$'+,-:=_~&", c)) return true;
	if (ns->level == LEVEL_36) return c && strchr("()*?[]^@", c);
	return (c == '^' && ns->sep == '/') || (c == '@' && ns->virtdomains);
}

static bool bad_component(const char *s, const struct namespace *ns)
{
	if (!*s || strchr(s, '!')) return true;
	for (const char *p = s; *p; p++)
		if (!allowed(*p, ns)) return true;
	if (!mutf7_valid(ns->level == LEVEL_36 ? DIALECT_36 : DIALECT_25, s, strlen(s))) return true;
	struct buf utf8 = BUF_INIT;
	bool half = mutf7_to_utf8(s, strlen(s), &utf8) != 0;         /* 3.6 takes unpaired surrogates; we do not (spec 3.1) */
	buf_free(&utf8);
	return half;
}

int mbname_check_create(const struct mbname *n, const char *internal, const struct namespace *ns)
{
	const char *local = strchr(internal, '!');
	if (n->deleted) return 0;
	if (strlen(internal) > MBNAME_MAX) return ERR_BADNAME;
	local = local ? local + 1 : internal;
	if (*local == '~' || (ns->level == LEVEL_36 && *local == '$')) return ERR_BADNAME;
	int (*compare)(const char *, const char *) = ns->level == LEVEL_36 ? strcmp : strcasecmp;
	if (!n->localpart) {
		if (!n->boxes.n) return ERR_BADNAME;
		if (n->boxes.n == 1 && !compare(n->boxes.v[0], "user")) return ERR_BADNAME;
		if (ns->level == LEVEL_36 && n->boxes.n == 1 && !strcmp(n->boxes.v[0], ns->deletedprefix)) return ERR_BADNAME;
	} else {
		if (!compare(n->localpart, "anyone") || !compare(n->localpart, "anonymous") || *n->localpart == '%') return ERR_BADNAME;
		if (bad_component(n->localpart, ns)) return ERR_BADNAME;
	}
	for (size_t i = 0; i < n->boxes.n; i++)
		if (bad_component(n->boxes.v[i], ns)) return ERR_BADNAME;
	return 0;
}
