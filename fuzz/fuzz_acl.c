/* fuzz_acl.c - any bytes as an access control list, an identifier and rights: what is changed is what is granted, and nothing
 * else.
 *
 * The input is three strings with NULs between: list, identifier, rights. */
#include "replay.h"
#include "auth/acl.h"
#include "base/mem.h"
#include "sys/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void require(bool ok)
{
	if (!ok) __builtin_trap();
}

struct count {
	size_t entries, same;
	const char *id;
	struct buf others;                      /* all entries but id's */
};

static void count_entry(void *arg, const char *id, const char *rights)
{
	struct count *c = arg;
	require(*id && !strchr(id, '\t') && !strchr(rights, '\t'));
	c->entries++;
	if (!strcmp(id, c->id)) c->same++;
	else buf_printf(&c->others, "%s\t%s\t", id, rights);
}

static struct count take_stock(const char *acl, const char *id)
{
	struct count c = { .id = id };
	acl_each(acl, count_entry, &c);
	return c;
}

static bool in_any(void *arg, const char *group)
{
	(void)arg;
	return *group == 'a';
}

static void try_change(const char *acl, const char *id, enum acl_how how, uint32_t rights, const struct acl_macros *m)
{
	char *changed = acl_change(acl, id, how, rights, m), *again = acl_change(changed, id, how, rights, m);
	struct count before = take_stock(acl, id), after = take_stock(changed, id);
	require(!strcmp(changed, again));                                            /* twice is once */
	require(before.others.len == after.others.len && !buf_cmp(&before.others, &after.others));      /* nobody else's rights */
	require(after.same <= (before.same ? before.same : 1));
	require(after.same || how == ACL_REMOVE || !rights);
	if (how == ACL_SET && rights && *id != '-') {
		struct acl_who who = { id, NULL, NULL };
		if (!strcmp(id, "anyone") || strncmp(id, "group:", 6)) {
			uint32_t r = acl_evaluate(changed, &who, m);
			struct buf minus = BUF_INIT;
			buf_printf(&minus, "-%s\t", id);
			if (!strstr(changed, buf_cstr(&minus)) && !strstr(changed, "-anyone\t")) require((r & rights) == rights);
			buf_free(&minus);
		}
	}
	buf_free(&before.others);
	buf_free(&after.others);
	free(changed);
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const words[] = { "c", "d", "x" };
	char *copy = mem_dup(data, size), *end = copy + size;
	const char *acl = copy, *id = acl + strlen(acl) + (acl + strlen(acl) < end),
		*letters = id + strlen(id) + (id + strlen(id) < end);
	bool nameable = *id && !strchr(id, '\t');            /* what the commands let through */
	for (int i = 0; i < 3; i++) {
		struct acl_macros m = acl_macros(words[i]);
		struct acl_who nobody = { NULL, in_any, NULL }, who = { id, in_any, NULL };
		struct buf b = BUF_INIT;
		char bad;
		uint32_t rights = acl_rights_parse(letters, &m, &bad);
		require(bad || strspn(letters, "lrswipkxtecdan0123456789") == strlen(letters));
		acl_rights_print(&b, rights, &m);
		require(acl_rights_parse(buf_cstr(&b), &m, &bad) == rights && !bad);
		uint32_t all = acl_evaluate(acl, &nobody, &m);
		acl_evaluate(acl, &who, &m);
		require(!(all & ~(ACL_FULL | ACL_ALL_USER)));
		for (int how = ACL_SET; nameable && how <= ACL_REMOVE; how++) try_change(acl, id, (enum acl_how)how, rights, &m);
		buf_free(&b);
	}
	free(copy);
	return 0;
}

const struct replay replay = { "acl", 6, "\t-lxcd:0 ", 400, 1 };
