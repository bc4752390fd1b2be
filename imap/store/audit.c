/* audit.c - see audit.h. 3.6 tells more than 2.5, and the line's beginning is the same in both. */
#include "store/audit.h"
#include "base/err.h"
#include "base/log.h"
#include "store/cacherec.h"
#include "sys/sys.h"

#include <string.h>

enum { MESSAGE_ID_MAX = 998 };

bool audit_on(const struct store *st) { return conf_bool(st->conf, OPT_AUDITLOG); }
static bool more(const struct store *st) { return conf_level(st->conf) == LEVEL_36; }

void audit_traffic(const struct store *st, uint64_t in, uint64_t out)
{
	if (!audit_on(st)) return;
	log_msg(LOG_NOTICE, "auditlog: traffic sessionid=<%s> bytes_in=<%llu> bytes_out=<%llu>", st->session_id,
		(unsigned long long)in, (unsigned long long)out);
}

/* ------------------------------------------------------------------------------------------------ fields */

static void put_u64(struct buf *b, const char *name, uint64_t v) { buf_printf(b, " %s=<%llu>", name, (unsigned long long)v); }

/* The names IMAP has, and the store's own in its style. */
static void put_flags(struct buf *b, const char *name, uint32_t flags)
{
	static const struct { uint32_t flag; const char *name; } names[] = {
		{ FLAG_ANSWERED, "\\Answered" }, { FLAG_FLAGGED, "\\Flagged" }, { FLAG_DELETED, "\\Deleted" }, { FLAG_DRAFT, "\\Draft" },
		{ FLAG_SEEN, "\\Seen" }, { FLAG_ARCHIVED, "\\Archived" }, { FLAG_UNLINKED, "\\Unlinked" },
		{ FLAG_EXPUNGED, "\\Expunged" },
	};
	const char *sep = "";
	buf_printf(b, " %s=<", name);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (!(flags & names[i].flag)) continue;
		buf_printf(b, "%s%s", sep, names[i].name);
		sep = " ";
	}
	buf_putc(b, '>');
}

static void put_guid(struct buf *b, const uint8_t guid[20])
{
	buf_puts(b, " guid=<");
	for (int i = 0; i < 20; i++) buf_printf(b, "%02x", guid[i]);
	buf_putc(b, '>');
}

/* As it stands in the message, in its own angle brackets; what could start a line of its own is left out. */
static void put_message_id(struct buf *b, struct mailbox *mb, const struct index_record *r)
{
	struct msgfile f;
	struct buf id = BUF_INIT;
	if (!msgfile_open(mb, r, &f)) {
		header_value(f.base, r->header_size < f.len ? r->header_size : f.len, "Message-ID", &id);
		msgfile_close(&f);
	}
	buf_puts(b, " messageid=");
	for (size_t i = 0; i < id.len && i < MESSAGE_ID_MAX; i++)
		if ((unsigned char)id.s[i] > ' ' && (unsigned char)id.s[i] < 0x7f) buf_putc(b, id.s[i]);
	if (!id.len) buf_puts(b, "NIL");
	buf_free(&id);
}

static void begin(struct buf *b, const char *event, const struct store *st, const char *name, const char *uniqueid)
{
	buf_reset(b);
	buf_printf(b, "auditlog: %s sessionid=<%s> mailbox=<%s> uniqueid=<%s>", event, st->session_id, name,
		uniqueid ? uniqueid : "");
}

static const char *uniqueid(const struct mailbox *mb) { return mb->entry.uniqueid ? mb->entry.uniqueid : mb->hdr.uniqueid; }

static void begin_message(struct buf *b, const char *event, const struct mailbox *mb, const struct index_record *r)
{
	begin(b, event, mb->st, mb->entry.name, uniqueid(mb));
	put_u64(b, "uid", r->uid);
}

/* ------------------------------------------------------------------------------------------------ messages */

static void line_append(struct buf *b, struct mailbox *mb, const struct index_record *r)
{
	begin_message(b, "append", mb, r);
	if (more(mb->st)) {
		put_u64(b, "modseq", r->modseq);
		put_flags(b, "sysflags", r->system_flags);
	}
	put_guid(b, r->guid);
	if (!more(mb->st)) return;
	put_message_id(b, mb, r);
	put_u64(b, "size", r->size);
}

static void line_expunge(struct buf *b, struct mailbox *mb, const struct index_record *r)
{
	begin_message(b, "expunge", mb, r);
	if (more(mb->st)) {
		put_u64(b, "modseq", r->modseq);
		put_flags(b, "sysflags", r->system_flags);
	}
	put_guid(b, r->guid);
	if (more(mb->st)) put_u64(b, "size", r->size);
}

static void line_touched(struct buf *b, struct mailbox *mb, const struct index_record *old, const struct index_record *r)
{
	begin_message(b, "touched", mb, r);
	put_guid(b, r->guid);
	buf_printf(b, " cid=<%016llx>", (unsigned long long)r->cid);
	put_u64(b, "modseq", r->modseq);
	put_flags(b, "oldflags", old->system_flags);
	put_flags(b, "sysflags", r->system_flags);
}

static void collect_record(struct mailbox *mb, const struct index_header *was, const struct index_record *r, struct buf *b,
	struct strarray *lines)
{
	struct index_record old = { 0 };
	bool fresh = r->recno > was->num_records;
	size_t off = was->start_offset + (size_t)(r->recno - 1) * was->record_size;
	if (!r->uid) return;
	bool seen = !fresh && off + was->record_size <= mb->index_map.len;
	if (!seen || index_record_decode(mb->index_map.base + off, was->minor_version, &old)) old = (struct index_record){ 0 };
	buf_reset(b);
	if (fresh) {
		line_append(b, mb, r);
		strarray_append(lines, buf_cstr(b));
		buf_reset(b);
	}
	if (r->system_flags & FLAG_EXPUNGED && !(old.system_flags & FLAG_EXPUNGED)) line_expunge(b, mb, r);
	else if (!fresh && more(mb->st)) line_touched(b, mb, &old, r);
	if (b->len) strarray_append(lines, buf_cstr(b));
}

void audit_collect(struct mailbox *mb, struct strarray *lines)
{
	char block[INDEX_HEADER_MAX];
	struct index_header was;
	struct buf b = BUF_INIT;
	if (!audit_on(mb->st)) return;
	ssize_t n = sys_pread_full(mb->index_fd, block, sizeof block, 0);
	if (n < 0 || index_header_decode(block, (size_t)n, &was)) return;
	for (size_t i = 0; i < mb->npending; i++) collect_record(mb, &was, &mb->pending[i], &b, lines);
	if (mb->h.highestmodseq != was.highestmodseq) {
		begin(&b, "modseq", mb->st, mb->entry.name, uniqueid(mb));
		put_u64(&b, "highestmodseq", mb->h.highestmodseq);
		if (more(mb->st)) put_u64(&b, "deletedmodseq", mb->h.deletedmodseq);
		strarray_append(lines, buf_cstr(&b));
	}
	buf_free(&b);
}

void audit_tell(struct strarray *lines)
{
	for (size_t i = 0; i < lines->n; i++) log_msg(LOG_NOTICE, "%s", lines->v[i]);
	strarray_free(lines);
}

static void tell(struct buf *b)
{
	log_msg(LOG_NOTICE, "%s", buf_cstr(b));
	buf_free(b);
}

void audit_unlink(const struct mailbox *mb, const struct index_record *r)
{
	struct buf b = BUF_INIT;
	if (!audit_on(mb->st)) return;
	begin_message(&b, "unlink", mb, r);
	if (more(mb->st)) {
		put_u64(&b, "modseq", r->modseq);
		put_flags(&b, "sysflags", r->system_flags);
		put_guid(&b, r->guid);
	}
	tell(&b);
}

/* ------------------------------------------------------------------------------------------------ mailboxes */

void audit_create(const struct store *st, const struct mbentry *e)
{
	struct buf b = BUF_INIT;
	if (!audit_on(st)) return;
	begin(&b, "create", st, e->name, e->uniqueid);
	put_u64(&b, "uidvalidity", e->uidvalidity);
	tell(&b);
}

void audit_delete(const struct store *st, const struct mbentry *e)
{
	struct buf b = BUF_INIT;
	if (!audit_on(st)) return;
	begin(&b, "delete", st, e->name, e->uniqueid);
	tell(&b);
}

void audit_rename(const struct store *st, const struct mbentry *from, const struct mbentry *to)
{
	struct buf b = BUF_INIT;
	if (!audit_on(st)) return;
	if (strcmp(from->name, to->name)) {
		buf_printf(&b, "auditlog: rename sessionid=<%s> oldmailbox=<%s> newmailbox=<%s> uniqueid=<%s>", st->session_id,
			from->name, to->name, to->uniqueid ? to->uniqueid : "");
	} else {
		begin(&b, "partitionmove", st, to->name, to->uniqueid);
		buf_printf(&b, " oldpart=<%s> newpart=<%s>", from->partition, to->partition);
	}
	tell(&b);
}

void audit_acl(const struct store *st, const struct mbentry *e, const char *before)
{
	struct buf b = BUF_INIT;
	if (!audit_on(st) || !more(st)) return;
	begin(&b, "acl:", st, e->name, e->uniqueid);
	buf_printf(&b, " mbtype=<%c> oldacl=<%s> acl=<%s>", e->type ? e->type : 'e', before, e->acl);
	put_u64(&b, "foldermodseq", e->foldermodseq);
	tell(&b);
}

void audit_quota(const struct store *st, const char *what, const char *root, const struct quota *q)
{
	struct buf b = BUF_INIT;
	if (!audit_on(st) || !more(st)) return;
	buf_printf(&b, "auditlog: %s root=<%s>", what, root);
	for (int i = 0; q && i < QUOTA_RESOURCES; i++)
		if (q->limit[i] >= 0) buf_printf(&b, " %s=<%lld>", quota_resources[i].name, (long long)q->limit[i]);
	tell(&b);
}
