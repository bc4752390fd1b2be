/* fetch_body.c - where the bytes of body items are: in the message file, found by the cache record's sections, or in the header
 * fields that the record holds. Every offset and length is cut to the file as it is. See fetch.h. */
#include "base/err.h"
#include "base/log.h"
#include "imapd/fetch.h"

#include <string.h>

/* ------------------------------------------------------------------------------------------------ what is needed */

static bool fields_are_cached(unsigned number, const struct fetch_section *sec)
{
	if (sec->not || sec->npath) return false;
	for (size_t i = 0; i < sec->nfields; i++)
		if (!cacheheader_has(number, sec->fields[i], strlen(sec->fields[i]))) return false;
	return true;
}

static bool list_needs_file(unsigned number, const struct fetch_section *sec)
{
	for (; sec; sec = sec->next)
		if (!sec->fields || !fields_are_cached(number, sec)) return true;
	return false;
}

static bool needs_file(unsigned number, const struct fetch_request *q)
{
	return q->items & (FETCH_HEADER | FETCH_TEXT | FETCH_RFC822) || q->sections.first
		|| list_needs_file(number, q->lines.first) || list_needs_file(number, q->fields.first);
}

static bool needs_cache(const struct fetch_request *q)
{
	if (q->items & (FETCH_ENVELOPE | FETCH_BODYSTRUCTURE | FETCH_BODY | FETCH_HEADER | FETCH_TEXT)) return true;
	if (q->lines.first || q->fields.first) return true;
	for (const struct fetch_section *sec = q->sections.first; sec; sec = sec->next)
		if (!sec->whole) return true;
	return false;
}

/* ------------------------------------------------------------------------------------------------ opening */

static bool open_file(struct fetch_message *f)
{
	if (!f->tried) f->has_file = !msgfile_open(f->mb, f->rec, &f->file);
	f->tried = true;                                     /* what is wrong with it is logged once */
	return f->has_file;
}

static bool read_cache(struct fetch_message *f)
{
	const char *p;
	size_t n;
	return !mailbox_cache(f->mb, f->rec, &p, &n) && !cacherec_parse(p, n, &f->cache);
}

/* No record to be had: the message is parsed anew, for this answer only. */
static bool build_cache(struct fetch_message *f)
{
	struct cacherec_options o = cacherec_defaults(mailbox_cache_version(f->mb));
	struct message_info info;
	if (!open_file(f) || cacherec_build(&o, f->file.base, f->file.len, f->rec->internaldate, &f->built, &info)) return false;
	f->number = o.mime.dialect == DIALECT_25 ? CACHE_NUMBER_25 : CACHE_NUMBER_36;
	return !cacherec_parse(f->built.s, f->built.len, &f->cache);
}

void fetch_message_open(struct fetch_message *f, struct mailbox *mb, const struct index_record *rec,
	const struct fetch_request *q)
{
	*f = (struct fetch_message){ .mb = mb, .rec = rec, .number = rec->cache_version };
	if (needs_file(f->number, q)) open_file(f);
	if (!needs_cache(q)) return;
	f->has_cache = read_cache(f) || build_cache(f);
	if (f->has_cache) return;
	log_msg(LOG_ERR, "mailbox %s: uid %u: no cache record and no message to make it from", mb->entry.name, rec->uid);
}

void fetch_message_close(struct fetch_message *f)
{
	if (f->has_file) msgfile_close(&f->file);
	buf_free(&f->built);
	buf_free(&f->text);
}

/* ------------------------------------------------------------------------------------------------ bytes */

static bool cut_to_file(struct fetch_message *f, uint64_t off, uint64_t len, const char **p, size_t *n)
{
	if (!f->has_file) return false;
	if (off > f->file.len || len > f->file.len - off) {
		log_msg(LOG_ERR, "IOERROR: mailbox %s: uid %u: message file has %zu bytes, a section of it begins at %llu and has %llu",
			f->mb->entry.name, f->rec->uid, f->file.len, (unsigned long long)off, (unsigned long long)len);
		if (off > f->file.len) off = f->file.len;
		if (len > f->file.len - off) len = f->file.len - off;
	}
	*p = f->file.base + off;
	*n = (size_t)len;
	return true;
}

/* 2.5 answers BODY[0] with the header of the message, 3.6 with NIL; its cache formats tell which one wrote the mailbox. */
static bool is_part_zero(const struct fetch_message *f, const struct fetch_section *sec)
{
	return sec->npath == 1 && !sec->path[0] && sec->what == SECTION_PART && f->number <= CACHE_NUMBER_25;
}

static bool find(struct fetch_message *f, const struct fetch_section *sec, const char **p, size_t *n)
{
	struct section_ref ref;
	const struct text *item = &f->cache.item[CACHE_SECTION];
	bool zero = is_part_zero(f, sec);
	if (!f->has_cache) return false;
	int r = section_find(f->number, item->s, item->n, zero ? NULL : sec->path, zero ? 0 : sec->npath,
		zero ? SECTION_HEADER : sec->what, &ref);
	if (r == ERR_BADFORMAT)
		log_msg(LOG_ERR, "IOERROR: mailbox %s: uid %u: damaged section item in the cache", f->mb->entry.name, f->rec->uid);
	return !r && cut_to_file(f, ref.off, ref.len, p, n);
}

/* A message inside another may end within its header; then there is no empty line to repeat. Of a whole message it is always
 * given. */
static bool ends_with_empty_line(const struct fetch_section *sec, const char *p, size_t n)
{
	return !sec->npath || (n == 2 && !memcmp(p, "\r\n", 2)) || (n >= 4 && !memcmp(p + n - 4, "\r\n\r\n", 4));
}

static bool select_fields(struct fetch_message *f, const struct fetch_section *sec, const char **p, size_t *n)
{
	buf_reset(&f->text);
	if (f->has_cache && fields_are_cached(f->number, sec)) {
		*p = f->cache.item[CACHE_HEADERS].s;
		*n = f->cache.item[CACHE_HEADERS].n;
	} else if (!find(f, sec, p, n)) {
		return false;
	}
	header_select(*p, *n, sec->names, sec->not, &f->text);
	if (ends_with_empty_line(sec, *p, *n)) buf_puts(&f->text, "\r\n");
	*p = f->text.s;
	*n = f->text.len;
	return true;
}

bool fetch_section_bytes(struct fetch_message *f, const struct fetch_section *sec, const char **p, size_t *n)
{
	bool have = sec->whole ? f->has_file && cut_to_file(f, 0, f->file.len, p, n)
		: sec->fields ? select_fields(f, sec, p, n) : find(f, sec, p, n);
	if (!have) return false;
	if (sec->partial) {
		size_t start = sec->start < *n ? (size_t)sec->start : *n;
		*p += start;
		*n -= start;
		if (*n > sec->count) *n = (size_t)sec->count;
	}
	return true;
}
