/* acl.c - see acl.h. */
#include "auth/acl.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static const struct { char letter; uint32_t right; } letters[] = {
	{ 'l', ACL_LOOKUP }, { 'r', ACL_READ }, { 's', ACL_SEEN }, { 'w', ACL_WRITE }, { 'i', ACL_INSERT }, { 'p', ACL_POST },
	{ 'k', ACL_CREATE }, { 'x', ACL_DELETEMBOX }, { 't', ACL_DELETEMSG }, { 'e', ACL_EXPUNGE }, { 'a', ACL_ADMIN },
	{ 'n', ACL_ANNOTATE },
};
enum { NLETTERS = sizeof letters / sizeof *letters };

struct acl_macros acl_macros(const char *deleteright)
{
	struct acl_macros m = { ACL_CREATE, ACL_DELETEMSG | ACL_EXPUNGE };
	char x = deleteright && *deleteright ? *deleteright : 'c';
	if (x == 'c') m.c |= ACL_DELETEMBOX;
	if (x == 'd') m.d |= ACL_DELETEMBOX;
	return m;
}

static uint32_t right_of(char c)
{
	for (int i = 0; i < NLETTERS; i++)
		if (letters[i].letter == c) return letters[i].right;
	return c >= '0' && c <= '9' ? (uint32_t)ACL_USER0 << (c - '0') : 0;
}

uint32_t acl_rights_parse(const char *s, const struct acl_macros *m, char *bad)
{
	uint32_t r = 0;
	bool c = false, d = false;
	if (bad) *bad = 0;
	for (; *s; s++) {
		uint32_t one = right_of(*s);
		if (*s == 'c') c = true;
		else if (*s == 'd') d = true;
		else if (!one && bad && !*bad) *bad = *s;
		r |= one;
	}
	uint32_t given = r;                    /* a macro expands only if none of its members is spelled out */
	if (c && !(given & m->c)) r |= m->c;
	if (d && !(given & m->d)) r |= m->d;
	return r;
}

void acl_rights_print(struct buf *b, uint32_t rights, const struct acl_macros *m)
{
	for (int i = 0; i < NLETTERS; i++) {
		if (letters[i].letter == 'a') {
			if (rights & m->c) buf_putc(b, 'c');
			if (rights & m->d) buf_putc(b, 'd');
		}
		if (rights & letters[i].right) buf_putc(b, letters[i].letter);
	}
	for (int i = 0; i < 10; i++)
		if (rights & (uint32_t)ACL_USER0 << i) buf_putc(b, '0' + i);
}

void acl_each(const char *acl, acl_each_fn *fn, void *arg)
{
	if (!acl) return;
	char *copy = mem_strdup(acl), *p = copy;
	for (;;) {
		char *id = p, *tab = strchr(id, '\t');
		if (!tab) break;
		*tab = 0;
		char *rights = tab + 1, *end = strchr(rights, '\t');
		if (end) *end = 0;
		if (*id) fn(arg, id, rights);
		if (!end) break;
		p = end + 1;
	}
	free(copy);
}

struct evaluation {
	const struct acl_who *who;
	const struct acl_macros *m;
	uint32_t granted, taken;
};

static bool applies(const struct acl_who *who, const char *id)
{
	if (!strcmp(id, "anyone")) return true;
	if (!strncmp(id, "group:", 6)) return who->in_group && who->in_group(who->arg, id + 6);
	return who->userid && !strcmp(who->userid, id);
}

static void evaluate_one(void *arg, const char *id, const char *rights)
{
	struct evaluation *e = arg;
	bool negative = *id == '-';
	if (!applies(e->who, id + negative)) return;
	uint32_t r = acl_rights_parse(rights, e->m, NULL);
	if (negative) e->taken |= r;
	else e->granted |= r;
}

uint32_t acl_evaluate(const char *acl, const struct acl_who *who, const struct acl_macros *m)
{
	struct evaluation e = { who, m, 0, 0 };
	acl_each(acl, evaluate_one, &e);
	return e.granted & ~e.taken;
}

struct change {
	struct buf out;
	const char *id;
	enum acl_how how;
	uint32_t rights;
	const struct acl_macros *m;
	bool done;
};

static void put_entry(struct change *c, const char *id, uint32_t rights)
{
	if (!rights) return;
	buf_printf(&c->out, "%s\t", id);
	acl_rights_print(&c->out, rights, c->m);
	buf_putc(&c->out, '\t');
}

static void change_one(void *arg, const char *id, const char *rights)
{
	struct change *c = arg;
	if (strcmp(id, c->id)) {
		buf_printf(&c->out, "%s\t%s\t", id, rights);
		return;
	}
	uint32_t old = acl_rights_parse(rights, c->m, NULL);
	c->done = true;
	put_entry(c, id, c->how == ACL_SET ? c->rights : c->how == ACL_ADD ? old | c->rights : old & ~c->rights);
}

char *acl_change(const char *acl, const char *identifier, enum acl_how how, uint32_t rights, const struct acl_macros *m)
{
	struct change c = { .id = identifier, .how = how, .rights = rights, .m = m };
	acl_each(acl, change_one, &c);
	if (!c.done && how != ACL_REMOVE) put_entry(&c, identifier, rights);
	return buf_take(&c.out);
}
