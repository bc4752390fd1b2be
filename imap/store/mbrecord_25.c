/* mbrecord_25.c - records of a mailbox list of 2.5 to 3.4, and the text of 2.4 and before; see mbrecord.h. */
#include "store/mbrecord.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "store/kv_acl.h"

#include <stdlib.h>
#include <string.h>

/* Letters of T in the order they are written. */
static const struct { char letter; unsigned flag; char type; } letters[] = {
	{ 'd', MBENTRY_DELETED, 0 }, { 'm', MBENTRY_MOVING, 0 }, { 'n', 0, 'n' }, { 'r', MBENTRY_REMOTE, 0 },
	{ 'z', MBENTRY_RESERVED, 0 },
	{ 'c', 0, 'c' }, { 'b', 0, 'b' }, { 'a', 0, 'a' }, { 'i', MBENTRY_INTERMEDIATE, 0 }, { 's', 0, 's' }, { 'p', 0, 'p' },
};
/* The decimal type word of 2.4's text form. */
static const struct { unsigned bit, flag; char type; } bits[] = {
	{ 1, MBENTRY_REMOTE, 0 }, { 2, MBENTRY_RESERVED, 0 }, { 4, 0, 'n' }, { 8, MBENTRY_MOVING, 0 }, { 16, MBENTRY_DELETED, 0 },
	{ 32, 0, 'c' }, { 64, 0, 'a' }, { 128, 0, 'b' }, { 256, MBENTRY_INTERMEDIATE, 0 }, { 512, 0, 's' }, { 1024, 0, 'p' },
};
#define COUNT(a) (sizeof (a) / sizeof *(a))

static char *dup_or_null(const char *s) { return s ? mem_strdup(s) : NULL; }

signed char mbrecord_acl_field(const struct mbentry *e, bool there)
{
	bool usual = !(e->flags & MBENTRY_DELETED);
	return there == usual ? 0 : there ? 1 : -1;
}

bool mbrecord_has_acl(const struct mbentry *e)
{
	if (!e->acl) return false;
	if (e->acl_field < 0 && !*e->acl) return false;
	return e->acl_field > 0 || !(e->flags & MBENTRY_DELETED);
}

/* ------------------------------------------------------------------------------------------------ reading */

static int decode_kvlist(struct mbentry *e, const char *val, size_t len)
{
	struct arena *a = arena_new();
	const char *p = val;
	struct dlist *d = dlist_parse(a, &p, val + len);
	bool has_acl = false;
	int r = d && d->kind == DLIST_KVLIST ? 0 : ERR_BADFORMAT;
	if (!r) {
		uint64_t v;
		e->uniqueid = dup_or_null(dlist_str(d, "I"));
		e->partition = dup_or_null(dlist_str(d, "P"));
		e->server = dup_or_null(dlist_str(d, "S"));
		e->acl = kv_acl_parse(dlist_get(d, "A"));
		has_acl = dlist_get(d, "A") != NULL;
		const char *type = dlist_str(d, "T");
		for (; type && *type; type++)
			for (size_t i = 0; i < COUNT(letters); i++)
				if (letters[i].letter == *type) {
					e->flags |= letters[i].flag;
					if (letters[i].type) e->type = letters[i].type;
				}
		dlist_u32(d, "V", &e->uidvalidity);
		dlist_u64(d, "C", &e->createdmodseq);
		dlist_u64(d, "F", &e->foldermodseq);
		if (dlist_u64(d, "M", &v)) e->mtime = (time_t)v;
	}
	arena_free(a);
	e->acl_field = mbrecord_acl_field(e, has_acl);
	return r;
}

/* "<type> <partition> <acl>", maybe after "(uniqueid X specialuse Y)" */
static int decode_text(struct mbentry *e, const char *val, size_t len)
{
	char *copy = mem_dup(val, len), *p = copy;
	uint32_t type;
	int r = ERR_BADFORMAT;
	if (*p == '(') {
		char *close = strchr(p, ')'), *save = NULL;
		if (!close) goto done;
		*close = 0;
		for (char *w = strtok_r(p + 1, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
			char *v = strtok_r(NULL, " ", &save);
			if (v && !strcmp(w, "uniqueid")) {
				free(e->uniqueid);
				e->uniqueid = mem_strdup(v);
			}
		}
		p = close + 1;
		while (*p == ' ') p++;
	}
	char *sp = strchr(p, ' ');
	if (!sp) goto done;
	*sp = 0;
	if (!num_str_u32(p, &type)) goto done;
	for (size_t i = 0; i < COUNT(bits); i++)
		if (type & bits[i].bit) {
			e->flags |= bits[i].flag;
			if (bits[i].type) e->type = bits[i].type;
		}
	char *part = sp + 1, *acl = strchr(part, ' ');
	if (acl) *acl++ = 0;
	char *bang = strchr(part, '!');
	if (bang) {
		*bang = 0;
		e->server = mem_strdup(part);
		part = bang + 1;
	}
	if (*part) e->partition = mem_strdup(part);
	e->acl = mem_strdup(acl ? acl : "");
	r = 0;
done:
	free(copy);
	return r;
}

int mbrecord_25_parse(const char *val, size_t len, struct mbentry *e)
{
	int r = len && *val == '%' ? decode_kvlist(e, val, len) : decode_text(e, val, len);
	if (!r && !e->acl) e->acl = mem_strdup("");
	return r;
}

/* ------------------------------------------------------------------------------------------------ writing */

void mbrecord_25_print(const struct mbentry *e, time_t mtime, struct buf *b)
{
	char type[16];
	size_t n = 0;
	for (size_t i = 0; i < COUNT(letters); i++)
		if ((letters[i].flag && e->flags & letters[i].flag) || (letters[i].type && letters[i].type == e->type))
			type[n++] = letters[i].letter;
	type[n] = 0;
	buf_puts(b, "%(");
	if (mbrecord_has_acl(e)) {
		buf_puts(b, "A ");
		kv_acl_print(b, e->acl);
		buf_putc(b, ' ');
	}
	if (e->uniqueid) buf_puts(b, "I "), dlist_put_str(b, e->uniqueid), buf_putc(b, ' ');
	if (e->partition) buf_puts(b, "P "), dlist_put_str(b, e->partition), buf_putc(b, ' ');
	if (e->server) buf_puts(b, "S "), dlist_put_str(b, e->server), buf_putc(b, ' ');
	if (n) buf_printf(b, "T %s ", type);
	if (e->uidvalidity) buf_printf(b, "V %u ", e->uidvalidity);
	if (e->createdmodseq) buf_printf(b, "C %llu ", (unsigned long long)e->createdmodseq);
	if (e->foldermodseq) buf_printf(b, "F %llu ", (unsigned long long)e->foldermodseq);
	buf_printf(b, "M %lld)", (long long)mtime);
}

/* 2.4's: the unique id has no place in it. */
void mbrecord_text_print(const struct mbentry *e, struct buf *b)
{
	unsigned type = 0;
	for (size_t i = 0; i < COUNT(bits); i++)
		if ((bits[i].flag && e->flags & bits[i].flag) || (bits[i].type && bits[i].type == e->type)) type |= bits[i].bit;
	buf_printf(b, "%u ", type);
	if (e->server) buf_printf(b, e->partition ? "%s!" : "%s", e->server);
	buf_printf(b, "%s %s", e->partition ? e->partition : "", e->acl ? e->acl : "");
}
