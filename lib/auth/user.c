/* user.c - see user.h. */
#include "auth/user.h"
#include "base/err.h"
#include "base/mem.h"

#include <ctype.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool virtdomains(const struct conf *c) { return strcmp(conf_word(c, OPT_VIRTDOMAINS), "off"); }

/* What the Unix module lets through: printable ASCII but these. */
static int check_bytes(char *s, bool lower)
{
	if (strlen(s) > USERID_MAX || !*s) return ERR_BADUSER;
	for (char *p = s; *p; p++) {
		unsigned char ch = (unsigned char)*p;
		if (ch < 0x20 || ch >= 0x7f || strchr("%&*/:?", ch)) return ERR_BADUSER;
		if (lower) *p = (char)tolower(ch);
	}
	return 0;
}

int user_canon(const struct conf *c, const char *name, const char *domain, char **out)
{
	*out = NULL;
	if (!strncmp(name, "group:", 6)) {
		if (!getgrnam(name + 6)) return ERR_BADIDENT;
		*out = mem_strdup(name);
		return 0;
	}
	char *local = mem_strdup(name), *dom = NULL;
	if (virtdomains(c)) {
		dom = strrchr(local, '@');
		if (!dom) dom = strrchr(local, '%');
		if (dom) *dom++ = 0;
	}
	if (!strcasecmp(local, "anonymous")) memcpy(local, "anonymous", 9);
	bool anyone = !strcasecmp(local, "anyone") || !strcasecmp(local, "anybody");
	const char *dflt = conf_str(c, OPT_DEFAULTDOMAIN);
	if (dom && dflt && !strcasecmp(dom, dflt)) dom = NULL;
	else if (!dom && domain && virtdomains(c) && !anyone) dom = (char *)(uintptr_t)domain;
	char *whole = dom && *dom ? mem_printf("%s@%s", anyone ? "anyone" : local, dom) : mem_strdup(anyone ? "anyone" : local);
	free(local);
	int r = check_bytes(whole, conf_bool(c, OPT_USERNAME_TOLOWER));
	if (r) free(whole);
	else *out = whole;
	return r;
}

bool user_in_list(const struct conf *c, enum conf_opt list, const char *userid)
{
	const char *all = conf_str(c, list);
	struct strarray a = STRARRAY_INIT;
	strarray_split(&a, all ? all : "", " \t");
	bool found = strarray_find(&a, userid) >= 0;
	strarray_free(&a);
	return found;
}

static void load_groups(struct user *u)
{
	u->groups_pending = false;
	int n = 64;
	gid_t *ids = mem_array(NULL, (size_t)n, sizeof *ids);
	struct passwd *pw = getpwnam(u->userid);
	gid_t base = pw ? pw->pw_gid : (gid_t)-1;
	if (getgrouplist(u->userid, base, ids, &n) < 0) {
		ids = mem_array(ids, (size_t)n, sizeof *ids);
		getgrouplist(u->userid, base, ids, &n);
	}
	for (int i = 0; i < n; i++) {
		struct group *g = ids[i] == (gid_t)-1 ? NULL : getgrgid(ids[i]);
		if (g) strarray_append(&u->groups, g->gr_name);
	}
	free(ids);
}

static bool in_group(void *arg, const char *group)
{
	struct user *u = arg;
	if (u->groups_pending) load_groups(u);
	return strarray_find(&u->groups, group) >= 0;
}

void user_init(struct user *u, const struct conf *c, const char *userid)
{
	*u = (struct user){ .userid = userid ? mem_strdup(userid) : NULL };
	if (userid) {
		u->isadmin = user_in_list(c, OPT_ADMINS, userid);
		u->groups_pending = conf_bool(c, OPT_UNIX_GROUP_ENABLE);
	}
	u->who = (struct acl_who){ u->userid, in_group, u };
}

void user_free(struct user *u)
{
	free(u->userid);
	strarray_free(&u->groups);
	*u = (struct user){ 0 };
}
