/* mbexamine.c - prints what a mailbox's header, index and cache say (spec/tools.md 3.4). Layouts of 2.5 and 3.6. */
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "store/cacherec.h"
#include "store/mailbox.h"
#include "store/paths.h"
#include "tools/toolbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

struct examine {
	struct toolbox *t;
	uint32_t uid, seq;
	bool quota_only, check_only, level36;
	int rc;
};

static const struct { uint32_t bit; const char *name; } options[] = {
	{ MBOXOPT_POP3_NEW_UIDL, "POP3_NEW_UIDL" }, { MBOXOPT_SHAREDSEEN, "IMAP_SHAREDSEEN" },
	{ MBOXOPT_DUPDELIVER, "IMAP_DUPDELIVER" },
};
static const struct { uint32_t bit; const char *name; } internal_flags[] = {
	{ FLAG_EXPUNGED, "FLAG_INTERNAL_EXPUNGED" }, { FLAG_UNLINKED, "FLAG_INTERNAL_UNLINKED" },
	{ FLAG_ARCHIVED, "FLAG_INTERNAL_ARCHIVED" },
	{ FLAG_NEEDS_CLEANUP, "FLAG_INTERNAL_NEEDS_CLEANUP" }, { FLAG_SPLITCONV, "FLAG_INTERNAL_SPLITCONVERSATION" },
	{ FLAG_SNOOZED, "FLAG_INTERNAL_SNOOZED" },
}, system_flags[] = {
	{ FLAG_SEEN, "FLAG_SEEN" }, { FLAG_DRAFT, "FLAG_DRAFT" }, { FLAG_DELETED, "FLAG_DELETED" }, { FLAG_FLAGGED, "FLAG_FLAGGED" },
	{ FLAG_ANSWERED, "FLAG_ANSWERED" },
};
#define COUNT(a) (sizeof (a) / sizeof *(a))

static void date_line(const char *label, uint32_t when)
{
	time_t v = when;
	char text[32];
	if (!ctime_r(&v, text)) strcpy(text, "?\n");
	printf("  %s: (%u) %s", label, when, text);
}

static void header_info(struct examine *x, struct mailbox *mb)
{
	struct buf path = BUF_INIT;
	bool any = false;
	(void)x;
	path_mailbox(mb->st, &mb->entry, META_DATA, NULL, &path);
	printf(" Mailbox Header Info:\n  Path to mailbox: %s\n  Mailbox ACL: %s\n", buf_cstr(&path), mb->entry.acl);
	printf("  Unique ID: %s\n  User Flags: ", mb->hdr.uniqueid ? mb->hdr.uniqueid : mb->entry.uniqueid ? mb->entry.uniqueid : "");
	for (int i = 0; i < USER_FLAGS && mb->hdr.flagname[i]; i++, any = true) printf("%s ", mb->hdr.flagname[i]);
	puts(any ? "" : "[none]");
	buf_free(&path);
}

static void index_info(struct mailbox *mb)
{
	const struct index_header *h = &mb->h;
	printf("\n Index Header Info:\n  Generation Number: %u\n  Minor Version: %u\n", h->generation_no, h->minor_version);
	printf("  Header Size: %u bytes  Record Size: %u bytes\n", h->start_offset, h->record_size);
	printf("  Number of Messages: %u  Mailbox Size: %llu bytes  Annotations Size: %llu bytes\n", h->exists,
		(unsigned long long)h->quota_mailbox_used, (unsigned long long)h->quota_annot_used);
	date_line("Last Append Date", h->last_appenddate);
	printf("  UIDValidity: %u  Last UID: %u\n  Deleted: %u  Answered: %u  Flagged: %u\n  Mailbox Options:", h->uidvalidity,
		h->last_uid, h->deleted, h->answered, h->flagged);
	bool any = false;
	for (size_t i = 0; i < COUNT(options); i++)
		if (h->options & options[i].bit) printf(" %s", options[i].name), any = true;
	puts(any ? "" : " NONE");
	date_line("Last POP3 Login", h->pop3_last_login);
	printf("  Highest Mod Sequence: %llu\n", (unsigned long long)h->highestmodseq);
}

/* ------------------------------------------------------------------------------------------------ messages */

static void cache_info(struct mailbox *mb, const struct index_record *r)
{
	static const struct { const char *label; enum cache_item item; } items[] = {
		{ " Envel", CACHE_ENVELOPE }, { "BdyStr", CACHE_BODYSTRUCTURE }, { "  Body", CACHE_BODY }, { "CacHdr", CACHE_HEADERS },
		{ "  From", CACHE_FROM }, { "    To", CACHE_TO }, { "    Cc", CACHE_CC }, { "   Bcc", CACHE_BCC },
		{ "Subjct", CACHE_SUBJECT },
	};
	const char *p;
	size_t n;
	struct cacherec rec;
	if (mailbox_cache(mb, r, &p, &n) || cacherec_parse(p, n, &rec)) {
		printf("ERROR: cache offset %llu invalid, uid %u\n", (unsigned long long)r->cache_offset, r->uid);
		return;
	}
	for (size_t i = 0; i < COUNT(items); i++) {
		const struct text *item = &rec.item[items[i].item];
		printf(" %s>{%zu}", items[i].label + strspn(items[i].label, " "), item->n);
		fwrite(item->s, 1, item->n, stdout);
		putchar('\n');
	}
}

static void flag_names(const struct index_record *r)
{
	fputs("      > INTERNALFLAGS:", stdout);
	for (size_t i = 0; i < COUNT(internal_flags); i++)
		if (r->system_flags & internal_flags[i].bit) printf(" %s", internal_flags[i].name);
	fputs("      > SYSTEMFLAGS:", stdout);
	for (size_t i = 0; i < COUNT(system_flags); i++)
		if (r->system_flags & system_flags[i].bit) printf(" %s", system_flags[i].name);
	putchar('\n');
}

static void message_info(struct examine *x, struct mailbox *mb, const struct index_record *r, uint32_t number)
{
	char guid[41];
	num_tohex(r->guid, sizeof r->guid, guid);
	printf("%06u> UID:%08u   INT_DATE:%lld SENTDATE:%lld ", number, r->uid, (long long)r->internaldate, (long long)r->sentdate);
	if (x->level36) printf("SAVEDATE:%lld ", (long long)r->savedate);
	printf("SIZE:%-6llu\n", (unsigned long long)r->size);
	printf("      > HDRSIZE:%-6u LASTUPD :%lld SYSFLAGS:%08X", r->header_size, (long long)r->last_updated, r->system_flags);
	if (!x->level36) printf("   LINES:%-6u\n", r->content_lines);
	printf("      > CACHEVER:%-2u GUID:%s MODSEQ:%llu  %s: %llx\n", r->cache_version, guid, (unsigned long long)r->modseq,
		x->level36 ? "THRID" : "THIRD", (unsigned long long)r->cid);
	if (x->level36) flag_names(r);
	printf("      > USERFLAGS: %08X %08X %08X %08X\n", r->user_flags[3], r->user_flags[2], r->user_flags[1], r->user_flags[0]);
	cache_info(mb, r);
}

/* The sum over live records, against the header's. */
static bool quota_right(struct mailbox *mb)
{
	uint64_t sum = 0;
	struct index_record r;
	for (uint32_t n = 1; n <= mb->h.num_records; n++)
		if (!mailbox_record(mb, n, &r) && r.uid && !(r.system_flags & FLAG_EXPUNGED)) sum += r.size;
	return sum == mb->h.quota_mailbox_used;
}

/* -c: does every record have a cache record that can be read? */
static void check_cache(struct mailbox *mb, struct examine *x)
{
	struct index_record r;
	const char *p;
	size_t n;
	for (uint32_t i = 1; i <= mb->h.num_records; i++) {
		if (mailbox_record(mb, i, &r) || !r.uid || r.system_flags & FLAG_EXPUNGED || !mailbox_cache(mb, &r, &p, &n)) continue;
		printf("ERROR: cache offset %llu invalid, uid %u\n", (unsigned long long)r.cache_offset, r.uid);
		x->rc = EX_DATAERR;
	}
}

static void messages(struct examine *x, struct mailbox *mb)
{
	struct index_record r;
	uint32_t live = 0;
	fputs("\n Message Info:\n", stdout);
	for (uint32_t n = 1; n <= mb->h.num_records; n++) {
		int e = mailbox_record(mb, n, &r);
		if (e) {
			printf("ERROR: record %u (maybe uid %u): %s\n", n, r.uid, err_text(e));
			x->rc = EX_DATAERR;
			continue;
		}
		if (!r.uid || r.system_flags & FLAG_EXPUNGED) continue;
		live++;
		if (x->uid && r.uid != x->uid) continue;
		if (x->seq && live != x->seq) continue;
		message_info(x, mb, &r, x->seq ? x->seq : 1);      /* both releases number every message 1 without -s */
	}
}

static int examine_one(void *arg, const struct mbentry *e)
{
	struct examine *x = arg;
	struct mailbox *mb;
	char *ext = toolbox_external(x->t, e);
	printf("Examining %s...", ext);
	int r = mailbox_open(x->t->st, e->name, &mb);
	if (!r && (r = mailbox_lock(mb, LOCK_SHARED))) mailbox_close(&mb);
	if (r) {
		putchar('\n');
		fprintf(stderr, "%s: %s\n", ext, err_text(r));
		x->rc = EX_TEMPFAIL;
	} else {
		if (x->quota_only) {
			printf("  Mailbox has %s total quota usage\n", quota_right(mb) ? "CORRECT" : "INCORRECT");
		} else if (x->check_only) {
			putchar('\n');
			check_cache(mb, x);
		} else {
			fputs(x->level36 ? "" : "\n", stdout);
			header_info(x, mb);
			index_info(mb);
			messages(x, mb);
		}
		/* looking changes nothing */
		mb->h.options &= ~(uint32_t)(MBOXOPT_DELETED | MBOXOPT_NEEDS_REPACK | MBOXOPT_NEEDS_UNLINK);
		mailbox_unlock(mb);
		mailbox_close(&mb);
	}
	free(ext);
	return 0;
}

static int usage(const struct toolbox *t)
{
	fprintf(stderr, "usage: mbexamine [-C <alt_config>] [-u uid] [-s seqnum] mailbox...\n"
		"       mbexamine [-C <alt_config>] -q mailbox...\n       mbexamine [-C <alt_config>] -c mailbox...\n");
	return toolbox_usage_status(t);
}

int main(int argc, char **argv)
{
	const char *alt = NULL;
	struct toolbox t = { 0 };
	struct examine x = { .t = &t };
	int opt, rc;
	while ((opt = getopt(argc, argv, "C:u:s:qc")) != -1) switch (opt) {
	case 'C': alt = optarg; break;
	case 'u': if (x.seq || !num_str_u32(optarg, &x.uid) || !x.uid) return usage(&t); break;
	case 's': if (x.uid || !num_str_u32(optarg, &x.seq) || !x.seq) return usage(&t); break;
	case 'q': x.quota_only = true; break;
	case 'c': x.check_only = true; break;
	default: return usage(&t);
	}
	if (x.quota_only + x.check_only + (x.uid || x.seq) > 1 || optind == argc) return usage(&t);
	if ((rc = toolbox_open(&t, alt, "mbexamine", false))) return rc;
	x.level36 = t.st->layout->level == LEVEL_36;
	unsigned flags = x.level36 ? 0 : TOOLBOX_CHILDREN;          /* as each release takes its arguments */
	rc = toolbox_each(&t, argv + optind, argc - optind, flags, examine_one, &x) ? EX_TEMPFAIL : x.rc;
	toolbox_close(&t);
	return rc;
}
