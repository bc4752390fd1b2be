/* annot_entries.c - the entries that are known, and those that are worked out. See annot.h. */
#include "imapd/annot.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/mailbox.h"
#include "store/spool_walk.h"
#include "sys/file.h"
#include "text/date.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/* ------------------------------------------------------------------------------------------------ sources */

struct mailbox *annot_source_mailbox(struct annot_source *src)
{
	if (src->tried || !src->e) return src->mb;
	src->tried = true;
	if (mailbox_open(src->s->st, src->e->name, &src->mb)) {
		src->mb = NULL;
	} else if (mailbox_lock(src->mb, LOCK_SHARED)) {
		mailbox_close(&src->mb);
		src->mb = NULL;
	}
	return src->mb;
}

void annot_source_close(struct annot_source *src)
{
	if (!src->mb) return;
	mailbox_unlock(src->mb);
	mailbox_close(&src->mb);
}

bool annot_file(const struct session *s, const char *entry, struct buf *out)
{
	struct buf b = BUF_INIT;
	char *path = mem_printf("%s/msg%s", conf_dir(s->conf), strrchr(entry, '/'));
	bool there = file_read(path, 65536, &b) == 0;
	if (there) buf_append(out, buf_cstr(&b), strcspn(buf_cstr(&b), "\r\n"));
	buf_free(&b);
	free(path);
	return there;
}

/* ------------------------------------------------------------------------------------------------ of a mailbox */

#define VALUE(name) static bool name(struct annot_source *src, const struct annot_entry *e, struct buf *out)
#define MAILBOX struct mailbox *mb = annot_source_mailbox(src); (void)e; if (!mb) return false

static bool put_date(time_t t, struct buf *out)
{
	char text[DATE_IMAP_SIZE];
	if (!t) return false;
	date_print_imap(t, text);
	buf_puts(out, text);
	return true;
}

VALUE(v_size) { MAILBOX; buf_printf(out, "%llu", (unsigned long long)mb->h.quota_mailbox_used); return true; }
VALUE(v_annotsize) { MAILBOX; buf_printf(out, "%llu", (unsigned long long)mb->h.quota_annot_used); return true; }
VALUE(v_lastpop) { MAILBOX; return put_date((time_t)mb->h.pop3_last_login, out); }
VALUE(v_showafter) { MAILBOX; return put_date((time_t)mb->h.pop3_show_after, out); }
VALUE(v_option) { MAILBOX; buf_puts(out, mb->h.options & e->bit ? "true" : "false"); return true; }
VALUE(v_synccrcs) { MAILBOX; buf_printf(out, "%u %u", mb->h.synccrc_basic, mb->h.synccrc_annot); return true; }
VALUE(v_uniqueid) { MAILBOX; const char *id = mb->hdr.uniqueid ? mb->hdr.uniqueid : src->e->uniqueid; buf_puts(out, id ? id : "");
	return id != NULL; }

VALUE(v_lastupdate)
{
	struct stat st;
	MAILBOX;
	return fstat(mb->index_fd, &st) == 0 && put_date(st.st_mtime, out);
}

VALUE(v_partition)
{
	(void)e;
	if (src->e->partition) buf_puts(out, src->e->partition);
	return src->e->partition != NULL;
}

VALUE(v_foldermodseq)
{
	(void)e;
	buf_printf(out, "%llu", (unsigned long long)src->e->foldermodseq);
	return true;
}

/* ------------------------------------------------------------------------------------------------ of the server */

VALUE(v_file) { return annot_file(src->s, e->name, out); }
VALUE(v_zero) { (void)src, (void)e; buf_puts(out, "0"); return true; }
VALUE(v_counters) { (void)src, (void)e; buf_puts(out, "0 0 0 0 0 0 0 0 0 0 0 0 0"); return true; }

struct space { uint64_t avail, total, best_avail, best_total; };

/* Partitions on one file system count once. */
static struct space disk_space(const struct session *s)
{
	struct space x = { 0 };
	struct strarray roots = STRARRAY_INIT;
	dev_t *seen;
	size_t n = 0;
	spool_roots(s->conf, SPOOL_DATA, &roots);
	seen = mem_array(NULL, roots.n + 1, sizeof *seen);
	for (size_t i = 0; i < roots.n; i++) {
		struct statvfs v;
		struct stat st;
		size_t k = 0;
		if (stat(roots.v[i], &st) < 0 || statvfs(roots.v[i], &v) < 0) continue;
		while (k < n && seen[k] != st.st_dev) k++;
		if (k < n) continue;
		seen[n++] = st.st_dev;
		uint64_t avail = v.f_bavail * (v.f_frsize / 512) / 2, total = v.f_blocks * (v.f_frsize / 512) / 2;
		x.avail += avail;
		x.total += total;
		if (!x.best_total || (double)avail / (double)total > (double)x.best_avail / (double)x.best_total)
			x.best_avail = avail, x.best_total = total;
	}
	free(seen);
	strarray_free(&roots);
	return x;
}

VALUE(v_free) { (void)e; buf_printf(out, "%llu", (unsigned long long)disk_space(src->s).avail); return true; }

VALUE(v_total)
{
	struct space x = disk_space(src->s);
	(void)e;
	buf_printf(out, "%llu;%llu", (unsigned long long)x.avail, (unsigned long long)x.total);
	return true;
}

VALUE(v_most)
{
	struct space x = disk_space(src->s);
	(void)e;
	buf_printf(out, "%llu;%llu", (unsigned long long)x.best_avail, (unsigned long long)x.best_total);
	return true;
}

/* ------------------------------------------------------------------------------------------------ the tables */

#define V(name) ANNOT_VENDOR "/" name
#define ROW(n, t, ...) { .name = n, .type = ANNOT_##t, __VA_ARGS__ }
#define READ(n, fn, ...) { .name = n, .only_shared = true, .compute = fn, __VA_ARGS__ }
#define FLAG(n, b) { .name = V(n), .only_shared = true, .type = ANNOT_OPTION, .compute = v_option, .bit = b }
#define NEW .only36 = true
#define OWN .set_private = true
#define A .needs = ACL_ADMIN

static const struct annot_entry of_mailboxes[] = {
	ROW("/check", BOOL, OWN), ROW("/checkperiod", UINT, OWN), ROW("/comment", STRING, OWN), ROW("/sort", STRING, OWN),
	ROW("/specialuse", USE, OWN), ROW("/thread", STRING, OWN),
	READ(V("annotsize"), v_annotsize, NEW), ROW(V("archive"), UINT, NEW, A), ROW(V("delete"), UINT, NEW, A),
	FLAG("duplicatedeliver", MBOXOPT_DUPDELIVER), ROW(V("expire"), UINT, A), READ(V("lastpop"), v_lastpop),
	READ(V("hasalarms"), v_option, NEW, .bit = MBOXOPT_HAS_ALARMS), READ(V("foldermodseq"), v_foldermodseq, NEW),
	READ(V("lastupdate"), v_lastupdate), ROW(V("news2mail"), STRING, A),
		READ(V("partition"), v_partition, .lookup_is_enough = true),
	FLAG("pop3newuidl", MBOXOPT_POP3_NEW_UIDL),
	{ .name = V("pop3showafter"), .only_shared = true, .type = ANNOT_DATE, .compute = v_showafter },
	ROW(V("search-fuzzy-always"), STRING, NEW), FLAG("sharedseen", MBOXOPT_SHAREDSEEN), ROW(V("sieve"), STRING, A),
	READ(V("size"), v_size), ROW(V("sortorder"), READONLY, NEW), ROW(V("squat"), BOOL, A), READ(V("synccrcs"), v_synccrcs, NEW),
	READ(V("uniqueid"), v_uniqueid),
};
static const struct annot_entry of_server[] = {
	ROW("/admin", STRING, OWN), ROW("/comment", STRING, OWN),
	{ .name = "/motd", .only_shared = true, .type = ANNOT_FILE, .compute = v_file },
	{ .name = V("usermodseq"), .only_private = true, .compute = v_zero, NEW },
	{ .name = V("usercounters"), .only_private = true, .compute = v_counters, NEW },
	ROW(V("expire"), UINT), READ(V("freespace"), v_free), READ(V("freespace/total"), v_total),
	READ(V("freespace/percent/most"), v_most),
	{ .name = V("shutdown"), .only_shared = true, .type = ANNOT_FILE, .compute = v_file }, ROW(V("squat"), BOOL),
};

const struct annot_entry *annot_entries(bool server, size_t *n)
{
	*n = server ? sizeof of_server / sizeof *of_server : sizeof of_mailboxes / sizeof *of_mailboxes;
	return server ? of_server : of_mailboxes;
}

const struct annot_entry *annot_entry(struct session *s, bool server, const char *name)
{
	size_t n;
	const struct annot_entry *v = annot_entries(server, &n);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(v[i].name, name) && (!v[i].only36 || s->level == LEVEL_36)) return &v[i];
	v = annot_defined(s, server, &n);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(v[i].name, name)) return &v[i];
	return NULL;
}
