/* mboxheader.c - see mboxheader.h. */
#include "store/mboxheader.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/dlist.h"
#include "store/kv_acl.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char magic[] = "\241\002\213\015Cyrus mailbox header\n"
	"\"The best thing about this system was that it had lots of goals.\"\n\t--Jim Morris on Andrew\n";
enum { MAGIC = sizeof magic - 1 };

void mboxheader_free(struct mboxheader *h)
{
	free(h->quotaroot);
	free(h->uniqueid);
	free(h->acl);
	free(h->name);
	free(h->type);
	for (int i = 0; i < USER_FLAGS; i++) free(h->flagname[i]);
	*h = (struct mboxheader){ 0 };
}

bool mboxheader_flag_ok(const char *name)
{
	size_t n = strlen(name);
	if (!n || n > 1023 || !strcmp(name, "NIL")) return false;
	for (const char *p = name; *p; p++) {
		unsigned char c = (unsigned char)*p;
		if (c <= 0x1f || c >= 0x7f || strchr(" (){\"%*\\]", c)) return false;
	}
	return true;
}

int mboxheader_flag(const struct mboxheader *h, const char *name)
{
	for (int i = 0; i < USER_FLAGS; i++)
		if (h->flagname[i] && !strcasecmp(h->flagname[i], name)) return i;
	return -1;
}

/* ------------------------------------------------------------------------------------------------ text form */

static const char *line_end(const char *p, const char *end) { return p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL; }

static void parse_flags(struct mboxheader *h, const char *p, const char *end)
{
	for (int i = 0; p < end && i < USER_FLAGS; i++) {
		const char *sp = memchr(p, ' ', (size_t)(end - p));
		if (!sp) sp = end;
		if (sp > p) h->flagname[i] = mem_dup(p, (size_t)(sp - p));      /* two spaces: an unused number */
		p = sp + 1;
	}
}

static int parse_text(struct mboxheader *h, const char *p, const char *end)
{
	const char *nl = line_end(p, end);
	if (!nl) return ERR_BADFORMAT;
	const char *tab = memchr(p, '\t', (size_t)(nl - p)), *root_end = tab ? tab : nl;
	if (root_end > p) h->quotaroot = mem_dup(p, (size_t)(root_end - p));
	if (tab) {
		const char *id = tab + 1, *id_end = memchr(id, '\t', (size_t)(nl - id));
		if (!id_end) id_end = nl;
		if (id_end == id) return ERR_BADFORMAT;
		h->uniqueid = mem_dup(id, (size_t)(id_end - id));
	}
	p = nl + 1;
	if (!(nl = line_end(p, end))) return ERR_BADFORMAT;
	parse_flags(h, p, nl);
	p = nl + 1;
	if (!(nl = line_end(p, end))) return ERR_BADFORMAT;
	h->acl = mem_dup(p, (size_t)(nl - p));
	return 0;
}

static void print_text(const struct mboxheader *h, struct buf *b)
{
	int last = USER_FLAGS - 1;
	while (last >= 0 && !h->flagname[last]) last--;
	buf_printf(b, "%s\t%s\n", h->quotaroot ? h->quotaroot : "", h->uniqueid ? h->uniqueid : "");
	for (int i = 0; i <= last; i++) buf_printf(b, "%s ", h->flagname[i] ? h->flagname[i] : "");
	buf_printf(b, "\n%s\n", h->acl ? h->acl : "");
}

/* ------------------------------------------------------------------------------------------------ list form */

static char *dup_or_null(const char *s) { return s ? mem_strdup(s) : NULL; }

static int parse_list(struct mboxheader *h, const char *p, const char *end)
{
	struct arena *a = arena_new();
	struct dlist *d = dlist_parse(a, &p, end);
	int r = d && d->kind == DLIST_KVLIST ? 0 : ERR_BADFORMAT;
	if (!r) {
		h->list_form = true;
		h->type = dup_or_null(dlist_str(d, "T"));
		h->name = dup_or_null(dlist_str(d, "N"));
		h->uniqueid = dup_or_null(dlist_str(d, "I"));
		h->quotaroot = dup_or_null(dlist_str(d, "Q"));
		h->acl = kv_acl_parse(dlist_get(d, "A"));
		const struct dlist *list = dlist_get(d, "U");
		int i = 0;
		for (const struct dlist *e = list && list->kind == DLIST_LIST ? list->head : NULL; e && i < USER_FLAGS; e = e->next, i++)
			if (e->kind == DLIST_STRING) h->flagname[i] = mem_strdup(e->s);
	}
	arena_free(a);
	return r;
}

static void print_list(const struct mboxheader *h, struct buf *b)
{
	int last = USER_FLAGS - 1;
	while (last >= 0 && !h->flagname[last]) last--;
	buf_puts(b, "%(T ");
	dlist_put_str(b, h->type ? h->type : "e");
	buf_puts(b, " N ");
	dlist_put_str(b, h->name);
	buf_puts(b, " I ");
	dlist_put_str(b, h->uniqueid);
	if (h->quotaroot) {
		buf_puts(b, " Q ");
		dlist_put_str(b, h->quotaroot);
	}
	buf_puts(b, " A ");
	kv_acl_print(b, h->acl);
	if (last >= 0) {
		buf_puts(b, " U (");
		for (int i = 0; i <= last; i++) {
			if (i) buf_putc(b, ' ');
			dlist_put_str(b, h->flagname[i]);
		}
		buf_puts(b, ")");
	}
	buf_puts(b, ")\n");
}

/* ------------------------------------------------------------------------------------------------ both */

int mboxheader_parse(struct mboxheader *h, const char *p, size_t len)
{
	*h = (struct mboxheader){ 0 };
	if (len < MAGIC + 1 || memcmp(p, magic, MAGIC)) return ERR_BADFORMAT;
	int r = p[MAGIC] == '%' ? parse_list(h, p + MAGIC, p + len) : parse_text(h, p + MAGIC, p + len);
	if (r) mboxheader_free(h);
	return r;
}

void mboxheader_print(const struct mboxheader *h, struct buf *out)
{
	buf_append(out, magic, MAGIC);
	if (h->list_form) print_list(h, out);
	else print_text(h, out);
}
