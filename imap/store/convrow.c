/* convrow.c - see convrow.h. */
#include "store/convrow.h"
#include "base/err.h"
#include "store/dlist.h"
#include "store/fields.h"

#include <string.h>

enum { CONV_VERSION = 1, FIELDS_MIN = 8, FIELDS_MAX = 11, GUID_SIZE = 25, GUID_HEX = 40 };

enum convrow_kind convrow_kind(const char *key, size_t len)
{
	if (!len) return CONVROW_OTHER;
	if (*key == '<') return CONVROW_MSGID;
	if (*key == 'B' && len == 17) return CONVROW_CONV;
	if (*key == 'F') return CONVROW_FOLDER;
	if (*key == 'G') return CONVROW_GUID;
	if (*key == '$') return CONVROW_NAMES;
	return *key == 'Q' && len == 1 ? CONVROW_QUOTA : CONVROW_OTHER;
}

/* "VERSION " in front of most values. */
static int version(const char **p, const char *end, uint32_t want)
{
	uint32_t v;
	if (!field_u32(p, end, ' ', &v)) return ERR_BADFORMAT;
	return v == want ? 0 : ERR_NOTFOUND;
}

/* ------------------------------------------------------------------------------------------------ message ids */

static bool hex64(const char **p, const char *end, uint64_t *v)
{
	uint8_t b[8];
	if (end - *p < 16 || !num_unhex(*p, sizeof b, b)) return false;
	*v = get_be64(b);
	*p += 16;
	return true;
}

int convmsgid_parse(struct arena *a, const char *p, size_t len, struct convmsgid *m)
{
	const char *end = p + len;
	uint64_t when;
	int r = version(&p, end, 0);
	*m = (struct convmsgid){ 0 };
	if (r) return r;
	m->cids = arena_alloc(a, (len / 16 + 1) * sizeof *m->cids);
	do {
		if (!hex64(&p, end, &m->cids[m->n++])) return ERR_BADFORMAT;
	} while (field_is(&p, end, ','));
	if (!field_is(&p, end, ' ') || !num_u64(&p, end, &when) || p != end || when > INT64_MAX) return ERR_BADFORMAT;
	m->when = (int64_t)when;
	return 0;
}

void convmsgid_print(const struct convmsgid *m, struct buf *out)
{
	buf_puts(out, "0 ");
	for (size_t i = 0; i < m->n; i++) buf_printf(out, "%s%016llx", i ? "," : "", (unsigned long long)m->cids[i]);
	buf_printf(out, " %lld", (long long)m->when);
}

/* ------------------------------------------------------------------------------------------------ lists of lists */

static size_t count(const struct dlist *list)
{
	size_t n = 0;
	for (const struct dlist *d = list->head; d; d = d->next) n++;
	return n;
}

/* Walks over the items of a list; the first that is not as expected makes `bad`. */
struct items {
	const struct dlist *d;
	bool bad;
};

static struct items items_of(const struct dlist *list)
{
	bool ok = list && list->kind == DLIST_LIST;
	return (struct items){ ok ? list->head : NULL, !ok };
}

static const struct dlist *next(struct items *i)
{
	const struct dlist *d = i->d;
	if (d) i->d = d->next;
	else i->bad = true;
	return d;
}

static uint64_t next_u64(struct items *i)
{
	uint64_t v = 0;
	if (!dlist_value_u64(next(i), &v)) i->bad = true;
	return v;
}

static uint32_t next_u32(struct items *i)
{
	uint64_t v = next_u64(i);
	if (v > UINT32_MAX) i->bad = true;
	return (uint32_t)v;
}

static int64_t next_time(struct items *i)
{
	uint64_t v = next_u64(i);
	if (v > INT64_MAX) i->bad = true;
	return (int64_t)v;
}

static const char *next_string(struct items *i)
{
	const struct dlist *d = next(i);
	if (d && d->kind != DLIST_NIL && (d->kind != DLIST_STRING || strlen(d->s) != d->len)) i->bad = true;
	return d && d->kind == DLIST_STRING ? d->s : NULL;
}

static const struct dlist *next_list(struct items *i, size_t *n)
{
	const struct dlist *d = next(i);
	if (!d || d->kind != DLIST_LIST) {
		i->bad = true;
		*n = 0;
		return NULL;
	}
	*n = count(d);
	return d;
}

static void next_guid(struct items *i, uint8_t guid[20])
{
	const struct dlist *d = next(i);
	if (!d || d->kind != DLIST_STRING || d->len != GUID_HEX || !num_unhex(d->s, 20, guid)) i->bad = true;
}

/* ------------------------------------------------------------------------------------------------ conversations */

static bool read_counts(struct arena *a, struct items *top, struct conversation *c)
{
	struct items i = items_of(next_list(top, &c->ncounts));
	c->counts = arena_zalloc(a, (c->ncounts + 1) * sizeof *c->counts);
	for (size_t n = 0; n < c->ncounts; n++) c->counts[n] = next_u32(&i);
	return !i.bad;
}

static bool read_folders(struct arena *a, struct items *top, struct conversation *c)
{
	struct items all = items_of(next_list(top, &c->nfolders));
	c->folders = arena_zalloc(a, (c->nfolders + 1) * sizeof *c->folders);
	for (size_t n = 0; n < c->nfolders && !all.bad; n++) {
		struct items i = items_of(next(&all));
		struct convfolder *f = &c->folders[n];
		f->number = next_u32(&i);
		f->modseq = next_u64(&i);
		f->records = next_u32(&i);
		f->exists = next_u32(&i);
		f->unseen = next_u32(&i);
		all.bad |= i.bad;
	}
	return !all.bad;
}

static bool read_senders(struct arena *a, struct items *top, struct conversation *c)
{
	struct items all = items_of(next_list(top, &c->nsenders));
	c->senders = arena_zalloc(a, (c->nsenders + 1) * sizeof *c->senders);
	for (size_t n = 0; n < c->nsenders && !all.bad; n++) {
		struct items i = items_of(next(&all));
		struct convsender *s = &c->senders[n];
		s->name = next_string(&i);
		s->route = next_string(&i);
		s->mailbox = next_string(&i);
		s->domain = next_string(&i);
		s->lastseen = next_time(&i);
		s->exists = next_u32(&i);
		all.bad |= i.bad;
	}
	return !all.bad;
}

static bool read_messages(struct arena *a, struct items *top, struct conversation *c)
{
	struct items all = items_of(next_list(top, &c->nmessages));
	c->messages = arena_zalloc(a, (c->nmessages + 1) * sizeof *c->messages);
	for (size_t n = 0; n < c->nmessages && !all.bad; n++) {
		struct items i = items_of(next(&all));
		struct convmessage *m = &c->messages[n];
		next_guid(&i, m->guid);
		m->exists = next_u32(&i);
		m->internaldate = next_time(&i);
		all.bad |= i.bad;
	}
	return !all.bad;
}

int conversation_parse(struct arena *a, const char *p, size_t len, struct conversation *c)
{
	const char *end = p + len;
	int r = version(&p, end, CONV_VERSION);
	*c = (struct conversation){ 0 };
	if (r) return r;
	const struct dlist *d = dlist_parse(a, &p, end);
	struct items i = items_of(d);
	size_t n = i.bad ? 0 : count(d);
	if (p != end || n < FIELDS_MIN || n > FIELDS_MAX) return ERR_BADFORMAT;
	c->fields = (unsigned)n;
	c->modseq = next_u64(&i);
	c->records = next_u32(&i);
	c->exists = next_u32(&i);
	c->unseen = next_u32(&i);
	if (!read_counts(a, &i, c) || !read_folders(a, &i, c) || !read_senders(a, &i, c)) return ERR_BADFORMAT;
	c->subject = next_string(&i);
	if (n > 8) c->size = next_u64(&i);
	if (n > 9 && !read_messages(a, &i, c)) return ERR_BADFORMAT;
	if (n > 10) c->createdmodseq = next_u64(&i);
	return i.bad ? ERR_BADFORMAT : 0;
}

static const char *blank(size_t i) { return i ? " " : ""; }

void conversation_print(const struct conversation *c, struct buf *out)
{
	buf_printf(out, "%d (%llu %u %u %u (", CONV_VERSION, (unsigned long long)c->modseq, c->records, c->exists, c->unseen);
	for (size_t i = 0; i < c->ncounts; i++) buf_printf(out, "%s%u", blank(i), c->counts[i]);
	buf_puts(out, ") (");
	for (size_t i = 0; i < c->nfolders; i++) {
		const struct convfolder *f = &c->folders[i];
		buf_printf(out, "%s(%u %llu %u %u %u)", blank(i), f->number, (unsigned long long)f->modseq, f->records, f->exists,
			f->unseen);
	}
	buf_puts(out, ") (");
	for (size_t i = 0; i < c->nsenders; i++) {
		const struct convsender *s = &c->senders[i];
		const char *const parts[] = { s->name, s->route, s->mailbox, s->domain };
		buf_printf(out, "%s(", blank(i));
		for (int k = 0; k < 4; k++) dlist_put_str(out, parts[k]), buf_putc(out, ' ');
		buf_printf(out, "%lld %u)", (long long)s->lastseen, s->exists);
	}
	buf_puts(out, ") ");
	dlist_put_str(out, c->subject);
	if (c->fields > 8) buf_printf(out, " %llu", (unsigned long long)c->size);
	if (c->fields > 9) {
		buf_puts(out, " (");
		for (size_t i = 0; i < c->nmessages; i++) {
			char hex[GUID_HEX + 1];
			num_tohex(c->messages[i].guid, 20, hex);
			buf_printf(out, "%s(%s %u %lld)", blank(i), hex, c->messages[i].exists, (long long)c->messages[i].internaldate);
		}
		buf_putc(out, ')');
	}
	if (c->fields > 10) buf_printf(out, " %llu", (unsigned long long)c->createdmodseq);
	buf_putc(out, ')');
}

/* ------------------------------------------------------------------------------------------------ counts of a folder */

int convcounts_parse(const char *p, size_t len, struct convcounts *f)
{
	const char *end = p + len;
	int r = version(&p, end, 0);
	*f = (struct convcounts){ 0 };
	if (r) return r;
	if (!field_is(&p, end, '(') || !field_u64(&p, end, ' ', &f->threadmodseq) || !field_u32(&p, end, ' ', &f->threadexists)
	    || !num_u32(&p, end, &f->threadunseen)) return ERR_BADFORMAT;
	f->emails = field_is(&p, end, ' ');
	if (f->emails && (!field_u32(&p, end, ' ', &f->emailexists) || !num_u32(&p, end, &f->emailunseen))) return ERR_BADFORMAT;
	return field_is(&p, end, ')') && p == end ? 0 : ERR_BADFORMAT;
}

void convcounts_print(const struct convcounts *f, struct buf *out)
{
	buf_printf(out, "0 (%llu %u %u", (unsigned long long)f->threadmodseq, f->threadexists, f->threadunseen);
	if (f->emails) buf_printf(out, " %u %u", f->emailexists, f->emailunseen);
	buf_putc(out, ')');
}

/* ------------------------------------------------------------------------------------------------ guids */

int convguid_parse(const char *p, size_t len, struct convguid *g)
{
	*g = (struct convguid){ 0 };
	if (!len || !(*p & 0x80)) return ERR_BADFORMAT;
	g->version = (uint8_t)(*p & 0x7f);
	if (g->version < 1 || g->version > 2) return ERR_NOTFOUND;
	if (len != GUID_SIZE) return ERR_BADFORMAT;
	g->cid = get_be64(p + 1);
	g->system_flags = get_be32(p + 9);
	g->internal_flags = get_be32(p + 13);
	g->internaldate = (int64_t)get_be64(p + 17);
	return 0;
}

void convguid_print(const struct convguid *g, struct buf *out)
{
	buf_putc(out, 0x80 | g->version);
	buf_be64(out, g->cid);
	buf_be32(out, g->system_flags);
	buf_be32(out, g->internal_flags);
	buf_be64(out, (uint64_t)g->internaldate);
}

int convguidkey_parse(const char *p, size_t len, struct convguidkey *k)
{
	const char *end = p + len, *colon;
	*k = (struct convguidkey){ 0 };
	if (len < GUID_HEX + 3 || *p != 'G' || p[GUID_HEX + 1] != ':' || !num_unhex(p + 1, 20, k->guid)) return ERR_BADFORMAT;
	p += GUID_HEX + 2;
	if (!(colon = memchr(p, ':', (size_t)(end - p))) || colon == p) return ERR_BADFORMAT;
	k->folder = p;
	k->folderlen = (size_t)(colon - p);
	p = colon + 1;
	if (!num_u32(&p, end, &k->uid)) return ERR_BADFORMAT;
	if (p == end) return 0;
	if (*p != '[' || end[-1] != ']' || end - p < 3) return ERR_BADFORMAT;
	k->part = p + 1;
	k->partlen = (size_t)(end - p) - 2;
	return 0;
}

void convguidkey_print(const struct convguidkey *k, struct buf *out)
{
	char hex[GUID_HEX + 1];
	num_tohex(k->guid, 20, hex);
	buf_printf(out, "G%s:%.*s:%u", hex, (int)k->folderlen, k->folder, k->uid);
	if (k->part) buf_printf(out, "[%.*s]", (int)k->partlen, k->part);
}

/* ------------------------------------------------------------------------------------------------ names, quota */

int convnames_parse(struct arena *a, const char *p, size_t len, const char *const **names, size_t *n)
{
	const char *end = p + len;
	const struct dlist *d = dlist_parse(a, &p, end);
	struct items i = items_of(d);
	*names = NULL;
	*n = i.bad ? 0 : count(d);
	if (i.bad || p != end) return ERR_BADFORMAT;
	const char **list = arena_zalloc(a, (*n + 1) * sizeof *list);
	for (size_t k = 0; k < *n; k++) {
		list[k] = next_string(&i);
		if (!list[k]) i.bad = true;
	}
	*names = list;
	return i.bad ? ERR_BADFORMAT : 0;
}

void convnames_print(const char *const *names, size_t n, struct buf *out)
{
	buf_putc(out, '(');
	for (size_t i = 0; i < n; i++) buf_puts(out, blank(i)), dlist_put_str(out, names[i]);
	buf_putc(out, ')');
}

int convquota_parse(const char *p, size_t len, struct convquota *q)
{
	const char *end = p + len;
	int r = version(&p, end, 1);
	*q = (struct convquota){ 0 };
	if (r) return r;
	struct arena *a = arena_new();
	const struct dlist *d = dlist_parse(a, &p, end);
	bool ok = d && p == end && dlist_u64(d, "E", &q->emails) && dlist_u64(d, "S", &q->bytes);
	arena_free(a);
	return ok ? 0 : ERR_BADFORMAT;
}

void convquota_print(const struct convquota *q, struct buf *out)
{
	buf_printf(out, "1 %%(E %llu S %llu)", (unsigned long long)q->emails, (unsigned long long)q->bytes);
}
