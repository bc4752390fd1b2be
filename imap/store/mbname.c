/* mbname.c - mailbox names: internal form and dbname. What sessions type and see is in mbname_ext.c. See mbname.h. */
#include "store/mbname.h"
#include "store/mbname_priv.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DB_SEP = 0x1f, DB_DOMAIN = 0x1d };

/* ------------------------------------------------------------------------------------------------ namespace */

static char *prefix_dup(const struct conf *c, enum conf_opt o, char sep)
{
	const char *s = conf_str(c, o);
	char *p = mem_strdup(s ? s : "");
	size_t n = strlen(p);
	if (n && p[n - 1] == sep) p[n - 1] = 0;
	return p;
}

int namespace_init(struct namespace *ns, const struct conf *c, bool isadmin)
{
	const char *virt = conf_word(c, OPT_VIRTDOMAINS);
	*ns = (struct namespace){
		.sep = conf_bool(c, OPT_UNIXHIERARCHYSEP) ? '/' : '.',
		.alt = conf_bool(c, OPT_ALTNAMESPACE) && !isadmin,
		.isadmin = isadmin,
		.virtdomains = virt && strcmp(virt, "off"),
		.level = conf_level(c),
	};
	ns->userprefix = prefix_dup(c, OPT_USERPREFIX, ns->sep);
	ns->sharedprefix = prefix_dup(c, OPT_SHAREDPREFIX, ns->sep);
	ns->altprefix = ns->level == LEVEL_36 ? prefix_dup(c, OPT_ALTPREFIX, ns->sep) : mem_strdup("");
	ns->deletedprefix = prefix_dup(c, OPT_DELETEDPREFIX, '.');
	const char *domain = conf_str(c, OPT_DEFAULTDOMAIN);
	ns->defaultdomain = mem_strdup(domain ? domain : "");
	if (!conf_bool(c, OPT_ALTNAMESPACE)) return 0;
	const char *u = ns->userprefix, *s = ns->sharedprefix;
	size_t un = strlen(u), sn = strlen(s);
	bool bad = !un || !sn || un > 39 || sn > 39 || strchr(u, ns->sep) || strchr(s, ns->sep)
		|| (sn <= un && !strncmp(u, s, sn) && (sn == un));
	if (!bad) return 0;
	namespace_free(ns);
	return ERR_CONFIG;
}

void namespace_free(struct namespace *ns)
{
	free(ns->userprefix);
	free(ns->sharedprefix);
	free(ns->altprefix);
	free(ns->deletedprefix);
	free(ns->defaultdomain);
	*ns = (struct namespace){ 0 };
}

/* ------------------------------------------------------------------------------------------------ the parts */

void mbname_free(struct mbname *n)
{
	free(n->domain);
	free(n->localpart);
	strarray_free(&n->boxes);
	*n = (struct mbname){ 0 };
}

void mbname_copy(struct mbname *to, const struct mbname *from)
{
	*to = (struct mbname){ .deleted = from->deleted, .is_deleted_at = from->is_deleted_at };
	if (from->domain) to->domain = mem_strdup(from->domain);
	if (from->localpart) to->localpart = mem_strdup(from->localpart);
	for (size_t i = 0; i < from->boxes.n; i++) strarray_append(&to->boxes, from->boxes.v[i]);
}

void mbname_set_domain(struct mbname *n, const char *p, size_t len, const struct namespace *ns)
{
	free(n->domain);
	n->domain = NULL;
	if (!len) return;
	if (strlen(ns->defaultdomain) == len && !strncasecmp(p, ns->defaultdomain, len)) return;
	n->domain = mem_dup(p, len);
}

void mbname_swap_byte(char *s, char from, char to)
{
	for (; *s; s++)
		if (*s == from) *s = to;
}

bool mbname_is_hextime(const char *s, time_t *when)
{
	uint32_t v = 0;
	if (strlen(s) != 8) return false;
	for (const char *p = s; *p; p++) {
		int d = num_hex((unsigned char)*p);
		if (d < 0) return false;
		v = v << 4 | (uint32_t)d;
	}
	*when = (time_t)v;
	return true;
}

/* Takes the components, which hold real dots, and finds prefix, time and owner in them. */
void mbname_classify(struct mbname *n, const struct namespace *ns, bool may_be_deleted)
{
	struct strarray *b = &n->boxes;
	if (may_be_deleted && *ns->deletedprefix && b->n >= 3 && !strcmp(b->v[0], ns->deletedprefix)
	    && mbname_is_hextime(b->v[b->n - 1], &n->is_deleted_at)) {
		n->deleted = true;
		strarray_remove(b, b->n - 1);
		strarray_remove(b, 0);
	}
	if (b->n >= 2 && !strcmp(b->v[0], "user")) {
		strarray_remove(b, 0);
		n->localpart = b->v[0];
		memmove(b->v, b->v + 1, (b->n - 1) * sizeof *b->v);
		b->n--;
	}
}

/* ------------------------------------------------------------------------------------------------ internal form */

int mbname_from_internal(struct mbname *out, const char *internal, const struct namespace *ns)
{
	*out = (struct mbname){ 0 };
	const char *bang = ns->virtdomains || ns->level == LEVEL_36 ? strchr(internal, '!') : NULL;
	if (bang) {
		mbname_set_domain(out, internal, (size_t)(bang - internal), ns);
		internal = bang + 1;
	}
	for (const char *p = internal;; p++) {
		size_t n = strcspn(p, ".");
		if (!n) {
			mbname_free(out);
			return ERR_BADNAME;
		}
		char *box = mem_dup(p, n);
		mbname_swap_byte(box, '^', '.');
		strarray_take(&out->boxes, box);
		p += n;
		if (!*p) break;
	}
	mbname_classify(out, ns, true);
	return 0;
}

static void put_component(struct buf *b, const char *s, char sep, bool caret)
{
	if (b->len && b->s[b->len - 1] != '!' && b->s[b->len - 1] != DB_DOMAIN) buf_putc(b, sep);
	for (; *s; s++) buf_putc(b, caret && *s == '.' ? '^' : *s);
}

static void put_parts(const struct mbname *n, const struct namespace *ns, struct buf *b, char sep, bool caret)
{
	if (n->deleted) put_component(b, ns->deletedprefix, sep, caret);
	if (n->localpart) {
		put_component(b, "user", sep, caret);
		put_component(b, n->localpart, sep, caret);
	}
	for (size_t i = 0; i < n->boxes.n; i++) put_component(b, n->boxes.v[i], sep, caret);
	if (n->deleted) {
		char hex[24];
		snprintf(hex, sizeof hex, "%08lX", (unsigned long)n->is_deleted_at);
		put_component(b, hex, sep, caret);
	}
}

char *mbname_internal(const struct mbname *n, const struct namespace *ns)
{
	struct buf b = BUF_INIT;
	if (n->domain) {
		buf_puts(&b, n->domain);
		buf_putc(&b, '!');
	}
	put_parts(n, ns, &b, '.', true);
	return buf_take(&b);
}

/* ------------------------------------------------------------------------------------------------ dbname (3.6) */

void mbname_dbname(const struct mbname *n, const struct namespace *ns, struct buf *out)
{
	struct buf b = BUF_INIT;
	if (n->domain) {
		buf_puts(&b, n->domain);
		buf_putc(&b, DB_DOMAIN);
	}
	put_parts(n, ns, &b, DB_SEP, false);
	buf_add(out, &b);
	buf_free(&b);
}

int mbname_from_dbname(struct mbname *out, const char *p, size_t len, const struct namespace *ns)
{
	*out = (struct mbname){ 0 };
	const char *end = p + len, *d = memchr(p, DB_DOMAIN, len);
	if (d) {
		mbname_set_domain(out, p, (size_t)(d - p), ns);
		p = d + 1;
	}
	for (;;) {
		const char *q = memchr(p, DB_SEP, (size_t)(end - p));
		size_t n = (size_t)((q ? q : end) - p);
		if (!n || memchr(p, 0, n)) {
			mbname_free(out);
			return ERR_BADNAME;
		}
		strarray_take(&out->boxes, mem_dup(p, n));
		if (!q) break;
		p = q + 1;
	}
	mbname_classify(out, ns, true);
	return 0;
}

/* ------------------------------------------------------------------------------------------------ owners */

int mbname_from_userid(struct mbname *out, const char *userid, const struct namespace *ns)
{
	*out = (struct mbname){ 0 };
	if (!userid || !*userid) return ERR_BADUSER;
	const char *at = ns->level == LEVEL_36 ? strrchr(userid, '@') : ns->virtdomains ? strchr(userid, '@') : NULL;
	size_t n = at ? (size_t)(at - userid) : strlen(userid);
	if (!n) return ERR_BADUSER;
	if (ns->level == LEVEL_25 && ns->sep == '.' && memchr(userid, '.', n)) return ERR_BADNAME;
	if (memchr(userid, '/', n) || memchr(userid, '!', n)) return ERR_BADUSER;
	if (at) mbname_set_domain(out, at + 1, strlen(at + 1), ns);
	out->localpart = mem_dup(userid, n);
	return 0;
}

char *mbname_userid(const struct mbname *n)
{
	if (!n->localpart) return NULL;
	return n->domain ? mem_printf("%s@%s", n->localpart, n->domain) : mem_strdup(n->localpart);
}

bool mbname_is_inbox(const struct mbname *n) { return n->localpart && !n->boxes.n && !n->deleted; }

bool mbname_owned_by(const struct mbname *n, const char *userid, const struct namespace *ns)
{
	struct mbname u;
	if (!n->localpart || !userid || mbname_from_userid(&u, userid, ns)) return false;
	bool same = !strcmp(n->localpart, u.localpart) && !strcmp(n->domain ? n->domain : "", u.domain ? u.domain : "");
	mbname_free(&u);
	return same;
}

char dir_hash_c(const char *name, bool full)
{
	if (!full) {
		char c = *name;
		if (c >= 'A' && c <= 'Z') c = (char)(c + 32);
		return c >= 'a' && c <= 'z' ? c : 'q';
	}
	uint32_t n = 0;
	for (const char *p = name; *p && *p != '.'; p++) n = ((n << 3) ^ (n >> 5)) ^ (unsigned char)*p;
	return (char)('A' + n % 23);
}
