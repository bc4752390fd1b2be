/* storeinfo.c - see storeinfo.h. */
#include "tools/storeinfo.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/num.h"
#include "store/counters.h"
#include "store/index_format.h"
#include "store/layout.h"
#include "store/mboxheader.h"
#include "store/mboxlist.h"
#include "store/paths.h"
#include "store/racl_index.h"
#include "sys/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { R25 = 1, R30 = 2, R32 = 4, R34 = 8, R36 = 16, LATER = 32, ALL = 63, OLD_LAYOUT = R25 | R30 | R32 | R34,
	NEW_LAYOUT = R36 | LATER };
static const char *const releases[] = { "2.5", "3.0", "3.2", "3.4", "3.6", "later" };
enum { RELEASES = sizeof releases / sizeof *releases, FILE_MAX = 1 << 30, TWOSKIP_VERSION_AT = 20 };

struct info {
	struct store *st;
	struct hash *users;                  /* whose files were looked at */
	unsigned all;
	int rc;
};

static void line(struct info *x, const char *what, const char *format, unsigned mask)
{
	printf("%s\t%s\t", what, format);
	for (int i = 0; i < RELEASES; i++)
		if (mask & 1u << i) printf("%s%s", mask & ((1u << i) - 1) ? " " : "", releases[i]);
	puts(mask ? "" : "none");
	x->all &= mask;
	if (!mask) x->rc = EX_TEMPFAIL;
}

/* ------------------------------------------------------------------------------------------------ databases */

/* Engine, version, who reads it. */
static unsigned engine_of(const char *path, const char *configured, struct buf *out)
{
	const char *have = cyrusdb_detect(path);
	struct buf head = BUF_INIT;
	unsigned mask = ALL;
	if (!have && (!strcmp(configured, "flat") || !strcmp(configured, "quotalegacy") || !strcmp(configured, "sql")))
		have = configured;
	buf_puts(out, have ? have : "unknown format");
	if (!have) mask = 0;
	else if (!strncmp(have, "berkeley", 8)) mask = R25;
	else if (!strcmp(have, "zeroskip")) mask = ALL & ~R25;
	else if (!strcmp(have, "twom")) mask = LATER;
	else if (!strcmp(have, "twoskip") && !file_read(path, FILE_MAX, &head) && head.len >= TWOSKIP_VERSION_AT + 4) {
		uint32_t version = get_be32(head.s + TWOSKIP_VERSION_AT);
		buf_printf(out, " %u", version);
		if (version > 1) mask = LATER;
	}
	buf_free(&head);
	return mask;
}

struct census { unsigned long rows; const char *version_key; char version[8]; };

static int count_row(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	struct census *c = arg;
	if (c->version_key && keylen == strlen(c->version_key) && !memcmp(key, c->version_key, keylen))
		snprintf(c->version, sizeof c->version, "%.*s", (int)(vallen > 7 ? 7 : vallen), val);
	else c->rows++;
	return 0;
}

static void database(struct info *x, const char *what, const char *path, const char *configured, const char *version_key)
{
	struct buf text = BUF_INIT;
	struct census n = { .version_key = version_key };
	struct cyrusdb *db;
	if (access(path, F_OK) < 0) return;
	unsigned mask = engine_of(path, configured, &text);
	if (mask) {
		int r = cyrusdb_open(x->st->dbs, configured, path, CYRUSDB_RDONLY, &db);
		if (!r) {
			r = cyrusdb_foreach(db, "", 0, NULL, count_row, &n, NULL);
			cyrusdb_close(db);
		}
		if (r) {
			buf_printf(&text, ", cannot be read: %s", cyrusdb_strerror(r));
			mask = 0;
		} else {
			buf_printf(&text, ", %lu records", n.rows);
		}
	}
	if (version_key && mask) {
		buf_printf(&text, *n.version ? ", version %s" : ", by names", n.version);
		mask &= !*n.version ? OLD_LAYOUT : !strcmp(n.version, "2") ? NEW_LAYOUT : LATER;
	}
	line(x, what, buf_cstr(&text), mask);
	buf_free(&text);
}

static const struct { const char *name; enum conf_opt path, engine; } tables[] = {
	{ "annotations.db", OPT_ANNOTATION_DB_PATH, OPT_ANNOTATION_DB }, { "deliver.db", OPT_DUPLICATE_DB_PATH, OPT_DUPLICATE_DB },
	{ "ptclient/ptscache.db", OPT_PTSCACHE_DB_PATH, OPT_PTSCACHE_DB }, { "quotas.db", OPT_QUOTA_DB_PATH, OPT_QUOTA_DB },
	{ "statuscache.db", OPT_STATUSCACHE_DB_PATH, OPT_STATUSCACHE_DB },
	{ "tls_sessions.db", OPT_TLS_SESSIONS_DB_PATH, OPT_TLS_SESSIONS_DB },
	{ "user_deny.db", OPT_USERDENY_DB_PATH, OPT_USERDENY_DB },
};

/* The list itself: in 2.5's layout 3.6 and later can open it too, but turn it into theirs at once, and there is no way back. */
static void mailbox_list(struct info *x)
{
	struct buf text = BUF_INIT;
	struct census n = { 0 };
	bool new_layout = x->st->layout->level == LEVEL_36;
	const char *path = cyrusdb_path(x->st->mboxlist);
	unsigned mask = engine_of(path, cyrusdb_engine(x->st->mboxlist), &text);
	cyrusdb_foreach(x->st->mboxlist, "", 0, NULL, count_row, &n, NULL);
	buf_printf(&text, ", layout of %s, %lu records%s", new_layout ? "3.6" : "2.5", n.rows,
		racl_in_list(x->st) ? ", with reverse ACL rows" : "");
	line(x, "mailboxes.db", buf_cstr(&text), mask & (new_layout ? NEW_LAYOUT : OLD_LAYOUT));
	buf_free(&text);
}

/* ------------------------------------------------------------------------------------------------ users' files */

static void counters_file(struct info *x, const char *what, const char *path)
{
	struct buf bytes = BUF_INIT, text = BUF_INIT;
	struct counters c;
	if (!file_read(path, FILE_MAX, &bytes)) {
		int r = counters_parse(bytes.s ? bytes.s : "", bytes.len, &c);
		if (r) buf_printf(&text, "counters, damaged: %s", err_text(r));
		else buf_printf(&text, "counters %u", c.version);
		line(x, what, buf_cstr(&text), ALL);              /* 2.5 passes over them, the others make them anew */
	}
	buf_free(&bytes);
	buf_free(&text);
}

static void user_files(struct info *x, const char *userid)
{
	const struct conf *c = x->st->conf;
	/* the first two are nothing to our server: what their files are shows in the files */
	const struct { const char *suffix, *engine; } files[] = {
		{ "conversations", "skiplist" }, { "mboxkey", "twoskip" }, { "seen", conf_word(c, OPT_SEENSTATE_DB) },
		{ "sub", conf_word(c, OPT_SUBSCRIPTION_DB) },
	};
	struct buf path = BUF_INIT;
	if (hash_gets(x->users, userid)) return;
	hash_puts(x->users, userid, x);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		char *what = mem_printf("%s %s", *userid ? userid : "shared", files[i].suffix);
		buf_reset(&path);
		x->st->layout->user_file(x->st, *userid ? userid : NULL, files[i].suffix, &path);
		database(x, what, buf_cstr(&path), files[i].engine, !strcmp(files[i].suffix, "sub") ? "\x1fVER\x1f" : NULL);
		free(what);
	}
	char *what = mem_printf("%s counters", *userid ? userid : "shared");
	buf_reset(&path);
	x->st->layout->user_file(x->st, *userid ? userid : NULL, "counters", &path);
	counters_file(x, what, buf_cstr(&path));
	free(what);
	buf_free(&path);
}

/* ------------------------------------------------------------------------------------------------ mailboxes */

static unsigned index_readers(uint32_t minor)
{
	if (minor <= 13) return ALL;
	if (minor <= 16) return ALL & ~(R25 | R30);
	return minor == 17 ? R34 | R36 | LATER : LATER;
}

/* The highest number among the cache records; those after 3 have another SECTION, which 2.5 takes for its own. */
static uint32_t cache_number(const struct buf *index, const struct index_header *h)
{
	uint32_t highest = 0;
	struct index_record r;
	for (size_t at = h->start_offset, i = 0; i < h->num_records && at + h->record_size <= index->len; i++, at += h->record_size) {
		index_record_decode(index->s + at, h->minor_version, &r);
		if (r.cache_version > highest) highest = r.cache_version;
	}
	return highest;
}

static unsigned index_file(struct store *st, const struct mbentry *e, struct buf *text)
{
	struct buf path = BUF_INIT, bytes = BUF_INIT;
	struct index_header h;
	unsigned mask = 0;
	if (path_mailbox(st, e, META_INDEX, "cyrus.index", &path) || file_read(buf_cstr(&path), FILE_MAX, &bytes)) {
		buf_puts(text, "no index");
	} else if (index_header_decode(bytes.s ? bytes.s : "", bytes.len, &h)) {
		buf_puts(text, "index cannot be read");
	} else {
		uint32_t cache = cache_number(&bytes, &h);
		mask = index_readers(h.minor_version) & (cache > 3 ? ALL & ~R25 : ALL);
		buf_printf(text, "index %u, cache %u", h.minor_version, cache);
	}
	buf_free(&path);
	buf_free(&bytes);
	return mask;
}

static unsigned header_file(struct store *st, const struct mbentry *e, struct buf *text)
{
	struct buf path = BUF_INIT, bytes = BUF_INIT;
	struct mboxheader h;
	unsigned mask = 0;
	if (path_mailbox(st, e, META_HEADER, "cyrus.header", &path) || file_read(buf_cstr(&path), FILE_MAX, &bytes)
	    || mboxheader_parse(&h, bytes.s ? bytes.s : "", bytes.len)) {
		buf_puts(text, ", header cannot be read");
	} else {
		mask = h.list_form ? NEW_LAYOUT : ALL;
		buf_puts(text, h.list_form ? ", header in list form" : ", header in text form");
		mboxheader_free(&h);
	}
	buf_free(&path);
	buf_free(&bytes);
	return mask;
}

static int mailbox(void *arg, const struct mbentry *e)
{
	struct info *x = arg;
	struct buf text = BUF_INIT, path = BUF_INIT;
	char *userid = mbname_userid(&e->parts);
	if (userid) user_files(x, userid);
	free(userid);
	if (e->flags & (MBENTRY_REMOTE | MBENTRY_MOVING)) return 0;
	unsigned mask = index_file(x->st, e, &text);
	mask &= header_file(x->st, e, &text);
	bool by_name = e->flags & MBENTRY_LEGACYDIRS;
	buf_puts(&text, by_name ? ", directory by name" : ", directory by id");
	line(x, e->name, buf_cstr(&text), mask & (by_name ? ALL : NEW_LAYOUT));
	if (!path_mailbox(x->st, e, META_ANNOTATIONS, "cyrus.annotations", &path)) {
		char *what = mem_printf("%s annotations", e->name);
		database(x, what, buf_cstr(&path), conf_word(x->st->conf, OPT_ANNOTATION_DB), NULL);
		free(what);
	}
	buf_free(&text);
	buf_free(&path);
	return 0;
}

int storeinfo(struct conf *c)
{
	struct info x = { .users = hash_new(), .all = ALL };
	struct buf path = BUF_INIT;
	int r = store_open(&x.st, c, false);
	if (r) {
		fprintf(stderr, "fatal error: can't open the mailbox list: %s\n", err_text(r));
		hash_free(x.users, NULL);
		return EX_TEMPFAIL;
	}
	mailbox_list(&x);
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
		buf_reset(&path);
		path_conf(x.st, tables[i].path, tables[i].name, &path);
		database(&x, tables[i].name, buf_cstr(&path), conf_word(c, tables[i].engine), NULL);
	}
	user_files(&x, "");
	if (mboxlist_each(x.st, NULL, MBOXLIST_LIVE, mailbox, &x)) x.rc = EX_TEMPFAIL;
	line(&x, "store", "as a whole", x.all);
	store_close(x.st);
	hash_free(x.users, NULL);
	buf_free(&path);
	return fflush(stdout) || ferror(stdout) ? EX_TEMPFAIL : x.rc;
}
