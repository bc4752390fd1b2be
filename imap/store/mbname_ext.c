/* mbname_ext.c - what sessions type and see (spec/names.md 4 to 6). See mbname.h. */
#include "store/mbname.h"
#include "store/mbname_priv.h"
#include "base/err.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ------------------------------------------------------------------------------------------------ typed -> parts */

/* Splits at the separator; what stands for a dot in this namespace becomes one. */
static int split_typed(struct strarray *out, const char *p, size_t len, const struct namespace *ns)
{
	const char *end = p + len;
	if (ns->level == LEVEL_36) {
		if (memchr(p, ns->sep == '/' ? '^' : '/', len)) return ERR_BADNAME;
	}
	while (len && end[-1] == ns->sep) end--, len--;         /* a trailing separator is dropped by both releases */
	if (!len) return ERR_BADNAME;
	for (;;) {
		const char *q = memchr(p, ns->sep, (size_t)(end - p));
		size_t n = (size_t)((q ? q : end) - p);
		if (n) {
			char *box = mem_dup(p, n);
			mbname_swap_byte(box, '^', '.');
			strarray_take(out, box);
		} else if (ns->level == LEVEL_25) {
			return ERR_BADNAME;
		}
		if (!q) break;
		p = q + 1;
	}
	return out->n ? 0 : ERR_BADNAME;
}

/* Takes "@domain" off the end of a typed name where this session may write one (spec 5.1). */
static int split_domain(struct mbname *out, const char *ext, size_t *len, const char *userid, const struct namespace *ns)
{
	struct mbname u = { 0 };
	if (userid) (void)mbname_from_userid(&u, userid, ns);
	const char *at = memrchr(ext, '@', *len);
	int r = 0;
	if (!ns->virtdomains) {
		if (ns->level == LEVEL_36 && u.domain) mbname_set_domain(out, u.domain, strlen(u.domain), ns);
	} else if (!at || (ns->level == LEVEL_36 && !ns->isadmin)) {
		if (u.domain) mbname_set_domain(out, u.domain, strlen(u.domain), ns);
	} else {
		size_t n = *len - (size_t)(at + 1 - ext);
		if (ns->level == LEVEL_25 && !ns->alt && memchr(ext, '@', (size_t)(at - ext))) r = ERR_BADNAME;
		mbname_set_domain(out, at + 1, n, ns);
		bool own = (!out->domain && !u.domain) || (out->domain && u.domain && !strcasecmp(out->domain, u.domain));
		if (!own && !(ns->isadmin && !u.domain)) r = ERR_BADNAME;
		*len = (size_t)(at - ext);
	}
	mbname_free(&u);
	return r;
}

static int set_owner(struct mbname *out, const char *userid, const struct namespace *ns)
{
	struct mbname u;
	if (!userid) return ERR_NOMAILBOX;
	int r = mbname_from_userid(&u, userid, ns);
	if (r) return r;
	out->localpart = u.localpart;
	u.localpart = NULL;
	free(out->domain);
	out->domain = u.domain;
	u.domain = NULL;
	mbname_free(&u);
	return 0;
}

static int typed_standard(struct mbname *out, const char *userid, const struct namespace *ns)
{
	if (!strcasecmp(out->boxes.v[0], "INBOX")) {
		strarray_remove(&out->boxes, 0);
		return set_owner(out, userid, ns);
	}
	mbname_classify(out, ns, ns->isadmin || ns->level == LEVEL_25);
	return 0;
}

static int typed_alt(struct mbname *out, const char *userid, const struct namespace *ns)
{
	struct strarray *b = &out->boxes;
	if (!strcmp(b->v[0], ns->sharedprefix)) {
		if (b->n < 2) return ERR_BADNAME;
		strarray_remove(b, 0);
		if (b->n && !strcmp(b->v[0], "user")) return ERR_BADNAME;
		return 0;
	}
	if (!strcmp(b->v[0], ns->userprefix)) {
		if (b->n < 2) return ERR_BADNAME;
		strarray_remove(b, 0);
		out->localpart = mem_strdup(b->v[0]);
		strarray_remove(b, 0);
		return 0;
	}
	if (*ns->altprefix && !strcmp(b->v[0], ns->altprefix)) {
		if (b->n < 2) return ERR_BADNAME;
		strarray_remove(b, 0);
	} else if (!strcasecmp(b->v[0], "INBOX")) {
		if (b->n == 1) strarray_remove(b, 0);
		else if (ns->level == LEVEL_25) return ERR_BADNAME;
		else memcpy(b->v[0], "INBOX", 5);
	}
	return set_owner(out, userid, ns);
}

int mbname_from_external(struct mbname *out, const char *ext, const char *userid, const struct namespace *ns)
{
	*out = (struct mbname){ 0 };
	size_t len = strlen(ext);
	int r = len ? split_domain(out, ext, &len, userid, ns) : ERR_BADNAME;
	if (!r) r = split_typed(&out->boxes, ext, len, ns);
	if (!r) r = ns->alt ? typed_alt(out, userid, ns) : typed_standard(out, userid, ns);
	if (r) mbname_free(out);
	return r;
}

/* ------------------------------------------------------------------------------------------------ parts -> shown */

static void show(struct buf *b, const char *box, const struct namespace *ns)
{
	if (b->len) buf_putc(b, ns->sep);
	for (; *box; box++) buf_putc(b, *box == '.' && ns->sep == '.' ? '^' : *box);
}

static void show_boxes(struct buf *b, const struct mbname *n, const struct namespace *ns)
{
	for (size_t i = 0; i < n->boxes.n; i++) show(b, n->boxes.v[i], ns);
}

static bool shown_standard(struct buf *b, const struct mbname *n, bool own, const struct namespace *ns)
{
	if (n->deleted) {
		if (!ns->isadmin) return false;
		show(b, ns->deletedprefix, ns);
	}
	if (own && !ns->isadmin && !n->deleted) {
		show(b, "INBOX", ns);
	} else if (n->localpart) {
		show(b, "user", ns);
		show(b, n->localpart, ns);
	} else if (ns->level == LEVEL_36 && n->boxes.n && !strcasecmp(n->boxes.v[0], "INBOX")) {
		return false;
	}
	show_boxes(b, n, ns);
	if (n->deleted) {
		char hex[24];
		snprintf(hex, sizeof hex, "%08lX", (unsigned long)n->is_deleted_at);
		show(b, hex, ns);
	}
	return true;
}

/* Would the owner type something else than this first component to get there? (3.6, spec 6.2) */
static bool needs_altprefix(const struct mbname *n, const struct namespace *ns)
{
	const char *first = n->boxes.v[0];
	if (!strcmp(first, "INBOX")) return n->boxes.n == 1;
	return !strcasecmp(first, "INBOX") || !strcmp(first, ns->userprefix) || !strcmp(first, ns->sharedprefix)
		|| !strcmp(first, ns->altprefix);
}

static bool shown_alt(struct buf *b, const struct mbname *n, bool own, const struct namespace *ns)
{
	if (n->deleted) return false;
	if (!own) {
		show(b, n->localpart ? ns->userprefix : ns->sharedprefix, ns);
		if (n->localpart) show(b, n->localpart, ns);
	} else if (!n->boxes.n) {
		show(b, "INBOX", ns);
	} else if (ns->level == LEVEL_36 && needs_altprefix(n, ns)) {
		show(b, ns->altprefix, ns);
	}
	show_boxes(b, n, ns);
	return true;
}

char *mbname_external(const struct mbname *n, const char *userid, const struct namespace *ns)
{
	struct buf b = BUF_INIT;
	bool own = mbname_owned_by(n, userid, ns);
	struct mbname u = { 0 };
	if (userid) (void)mbname_from_userid(&u, userid, ns);
	bool same = (!n->domain && !u.domain) || (n->domain && u.domain && !strcasecmp(n->domain, u.domain));
	bool ok = ns->alt ? shown_alt(&b, n, own, ns) : shown_standard(&b, n, own, ns);
	bool global_admin = ns->isadmin && !u.domain;
	/* other domains are another world */
	if (ok && userid && !same && !global_admin && (ns->level == LEVEL_36 || !ns->isadmin)) ok = false;
	if (ok && n->domain && ns->virtdomains && (global_admin || !userid || (ns->level == LEVEL_25 ? !same : ns->isadmin)))
		buf_printf(&b, "@%s", n->domain);
	mbname_free(&u);
	if (ok && b.len) return buf_take(&b);
	buf_free(&b);
	return NULL;
}
