/* mbrecord_36.c - records of a mailbox list of 3.6; see mbrecord.h. */
#include "store/mbrecord.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/dlist.h"
#include "store/kv_acl.h"

#include <stdlib.h>
#include <string.h>

static const struct { char letter; unsigned flag; } flag_letters[] = {
	{ 'd', MBENTRY_DELETED }, { 'm', MBENTRY_MOVING }, { 'r', MBENTRY_REMOTE }, { 'z', MBENTRY_RESERVED },
	{ 'i', MBENTRY_INTERMEDIATE },
	{ 'l', MBENTRY_LEGACYDIRS },
};
#define COUNT(a) (sizeof (a) / sizeof *(a))

static char *dup_or_null(const char *s) { return s ? mem_strdup(s) : NULL; }

/* ------------------------------------------------------------------------------------------------ reading */

/* A value whose first letter is a flag means type e. */
static int parse_type(const char *s, char *type, unsigned *flags)
{
	*type = 'e';
	for (const char *p = s ? s : ""; *p; p++) {
		unsigned flag = 0;
		for (size_t i = 0; i < COUNT(flag_letters); i++)
			if (flag_letters[i].letter == *p) flag = flag_letters[i].flag;
		if (flag) *flags |= flag;
		else if (p == s && strchr("enspfbcaj", *p)) *type = *p;
		else return ERR_BADFORMAT;
	}
	return 0;
}

static time_t time_field(const struct dlist *d)
{
	uint64_t v;
	return dlist_u64(d, "M", &v) && v <= INT64_MAX ? (time_t)v : 0;
}

static int parse_history(const struct dlist *list, struct mbentry *e)
{
	e->has_history = list != NULL;
	for (const struct dlist *d = list && list->kind == DLIST_LIST ? list->head : NULL; d; d = d->next) {
		const char *dbname = dlist_str(d, "N");
		if (!dbname) continue;
		struct mbformer *f = mbentry_add_former(e);
		f->dbname = mem_strdup(dbname);
		f->partition = dup_or_null(dlist_str(d, "P"));
		f->mtime = time_field(d);
		dlist_u32(d, "V", &f->uidvalidity);
		dlist_u64(d, "C", &f->createdmodseq);
		dlist_u64(d, "F", &f->foldermodseq);
		if (parse_type(dlist_str(d, "T"), &f->type, &f->flags)) return ERR_BADFORMAT;
	}
	return 0;
}

static int parse_fields(const struct dlist *d, const struct namespace *ns, struct mbentry *e)
{
	const struct dlist *acl = dlist_get(d, "A");
	const char *dbname = dlist_str(d, "N");
	e->uniqueid = dup_or_null(dlist_str(d, "I"));
	e->partition = dup_or_null(dlist_str(d, "P"));
	e->server = dup_or_null(dlist_str(d, "S"));
	e->acl = kv_acl_parse(acl);
	dlist_u32(d, "V", &e->uidvalidity);
	dlist_u64(d, "C", &e->createdmodseq);
	dlist_u64(d, "F", &e->foldermodseq);
	e->mtime = time_field(d);
	if (parse_type(dlist_str(d, "T"), &e->type, &e->flags)) return ERR_BADFORMAT;
	e->acl_field = mbrecord_acl_field(e, acl != NULL);
	if (!dbname) return 0;
	if (mbname_from_dbname(&e->parts, dbname, strlen(dbname), ns)) return ERR_BADFORMAT;
	e->name = mbname_internal(&e->parts, ns);
	return parse_history(dlist_get(d, "H"), e);
}

int mbrecord_36_parse(const char *val, size_t len, const struct namespace *ns, struct mbentry *e)
{
	struct arena *a = arena_new();
	const char *p = val;
	struct dlist *d = dlist_parse(a, &p, val + len);
	*e = (struct mbentry){ .type = 'e' };
	int r = d && d->kind == DLIST_KVLIST ? parse_fields(d, ns, e) : ERR_BADFORMAT;
	arena_free(a);
	if (r) mbentry_free(e);
	return r;
}

/* ------------------------------------------------------------------------------------------------ writing */

static void put_type(char type, unsigned flags, struct buf *b)
{
	buf_putc(b, type ? type : 'e');
	for (size_t i = 0; i < COUNT(flag_letters); i++)
		if (flags & flag_letters[i].flag) buf_putc(b, flag_letters[i].letter);
}

static void put_modseqs(uint32_t uidvalidity, uint64_t created, uint64_t folder, struct buf *b)
{
	if (uidvalidity) buf_printf(b, " V %u", uidvalidity);
	if (created) buf_printf(b, " C %llu", (unsigned long long)created);
	if (folder) buf_printf(b, " F %llu", (unsigned long long)folder);
}

static void put_common(const struct mbentry *e, time_t mtime, struct buf *b)
{
	if (e->partition && !(e->flags & MBENTRY_DELETED)) buf_puts(b, " P "), dlist_put_str(b, e->partition);
	if (e->server) buf_puts(b, " S "), dlist_put_str(b, e->server);
	put_modseqs(e->uidvalidity, e->createdmodseq, e->foldermodseq, b);
	buf_printf(b, " M %lld", (long long)mtime);
	if (mbrecord_has_acl(e)) buf_puts(b, " A "), kv_acl_print(b, e->acl);
}

void mbrecord_36_name_print(const struct mbentry *e, time_t mtime, struct buf *out)
{
	buf_puts(out, "%(T ");
	put_type(e->type, e->flags, out);
	buf_puts(out, " I ");
	dlist_put_str(out, e->uniqueid);
	put_common(e, mtime, out);
	buf_putc(out, ')');
}

void mbrecord_36_id_print(const struct mbentry *e, time_t mtime, const struct namespace *ns, struct buf *out)
{
	struct buf name = BUF_INIT;
	buf_puts(out, "%(T ");
	put_type(e->type, e->flags, out);
	buf_puts(out, " N ");
	mbname_dbname(&e->parts, ns, &name);
	dlist_put_string(out, name.s, name.len);
	buf_free(&name);
	put_common(e, mtime, out);
	buf_puts(out, " H (");
}

void mbrecord_36_former_print(const struct mbformer *f, struct buf *out)
{
	buf_puts(out, "%(N ");
	dlist_put_str(out, f->dbname);
	buf_printf(out, " M %lld", (long long)f->mtime);
	put_modseqs(f->uidvalidity, f->createdmodseq, f->foldermodseq, out);
	buf_puts(out, " T ");
	put_type(f->type, f->flags, out);
	if (f->partition) buf_puts(out, " P "), dlist_put_str(out, f->partition);
	buf_putc(out, ')');
}

void mbrecord_36_history_print(const struct mbentry *e, struct buf *out)
{
	for (size_t i = 0; i < e->nhistory; i++) {
		if (i) buf_putc(out, ' ');
		mbrecord_36_former_print(&e->history[i], out);
	}
}
