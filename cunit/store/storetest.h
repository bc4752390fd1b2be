/* storetest.h - a mail store in a directory of its own, for tests: made, filled with numbered messages, looked through. */
#ifndef CUNIT_STORETEST_H
#define CUNIT_STORETEST_H
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/append.h"
#include "store/mboxlist.h"
#include "store/mailbox.h"
#include "store/paths.h"

#include "cunit/suite.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct storetest {
	char dir[256];
	struct conf *conf;
	struct store *st;
};

static inline void storetest_quiet(void *arg, int priority, const char *line)
{
	(void)arg, (void)priority, (void)line;
	if (getenv("STORETEST_LOG")) fprintf(stderr, "log: %s\n", line);
}

__attribute__((format(printf, 1, 2))) static inline void storetest_run(const char *fmt, ...)
{
	struct buf cmd = BUF_INIT;
	va_list ap;
	va_start(ap, fmt);
	buf_vprintf(&cmd, fmt, ap);
	va_end(ap);
	ck_assert_msg(system(buf_cstr(&cmd)) == 0, "%s", buf_cstr(&cmd));
	buf_free(&cmd);
}

static inline void storetest_open(struct storetest *t)
{
	char path[300];
	struct conf_error err;
	snprintf(path, sizeof path, "%s/imapd.conf", t->dir);
	ck_assert_msg(!conf_load(&t->conf, path, "test", true, &err), "%s", err.text);
	ck_assert_int_eq(store_open(&t->st, t->conf, true), 0);
}

static inline void storetest_close(struct storetest *t)
{
	store_close(t->st);
	conf_free(t->conf);
	t->st = NULL;
	t->conf = NULL;
}

/* level: "2.5" or "3.6"; more: further lines of imapd.conf. */
static inline void storetest_new(struct storetest *t, const char *level, const char *more)
{
	char path[300];
	const char *tmp = getenv("TMPDIR");
	log_hook(storetest_quiet, NULL);
	/* In memory where that is possible: tens of thousands of small stores are made and synced, and death is only played. */
	if (!tmp) tmp = access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp";
	snprintf(t->dir, sizeof t->dir, "%s/storetest.XXXXXX", tmp);
	ck_assert_ptr_nonnull(mkdtemp(t->dir));
	storetest_run("mkdir %s/conf %s/spool", t->dir, t->dir);
	snprintf(path, sizeof path, "%s/imapd.conf", t->dir);
	FILE *f = fopen(path, "w");
	fprintf(f, "configdirectory: %s/conf\npartition-default: %s/spool\ndefaultpartition: default\ncompatibility_level: %s\n%s",
		t->dir, t->dir, level, more ? more : "");
	fclose(f);
	storetest_open(t);
}

/* The store that a real server of that version left behind: "2.5.7", "3.6.1", either with "-alt". */
static inline void storetest_golden(struct storetest *t, const char *version)
{
	const char *src = getenv("srcdir"), *tmp = getenv("TMPDIR");
	log_hook(storetest_quiet, NULL);
	if (!tmp) tmp = access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp";
	snprintf(t->dir, sizeof t->dir, "%s/storetest.XXXXXX", tmp);
	ck_assert_ptr_nonnull(mkdtemp(t->dir));
	storetest_run("tar -C %s --no-same-owner -xf %s/cunit/golden/store-%s.tar.xz", t->dir, src ? src : ".", version);
	storetest_run("sed 's|@ROOT@|%s|g; s/@[A-Z0-9]*@/0/g' %s/imapd.conf.in >%s/imapd.conf", t->dir, t->dir, t->dir);
	storetest_open(t);
}

static inline void storetest_remove(struct storetest *t)
{
	if (t->st) storetest_close(t);
	storetest_run("rm -rf %s", t->dir);
}

static inline void storetest_create(struct storetest *t, const char *name)
{
	struct mailbox_create c = { .name = name, .acl = "fred\tlrswipkxtecdan\t" };
	ck_assert_int_eq(mailbox_create(t->st, &c), 0);
}

/* Message number n: text and length depend on it alone. */
static inline char *storetest_text(unsigned n)
{
	struct buf b = BUF_INIT;
	buf_printf(&b, "From: Fred <fred@example.org>\r\nTo: x@example.org\r\nSubject: message %u\r\nMessage-ID: <%u@example.org>\r\n"
		"Date: Mon, 2 Mar 2020 01:%02u:00 +0000\r\n\r\n", n, n, n % 60);
	for (unsigned i = 0; i < 20 + n % 7; i++) buf_printf(&b, "line %u of message %u\r\n", i, n);
	return buf_take(&b);
}

/* Appends message n. 0 or the error; *uid is its UID. */
static inline int storetest_append(struct storetest *t, const char *name, unsigned n, const char *flag, uint32_t *uid)
{
	struct stage *s;
	struct append a;
	struct strarray flags = STRARRAY_INIT;
	char *text = storetest_text(n);
	if (flag) strarray_append(&flags, flag);
	int r = stage_new(t->st, "default", 1600000000 + n, n, &s);
	if (!r) {
		r = stage_write(s, text, strlen(text));
		if (!r) r = stage_finish(s);
		if (!r) r = append_begin(t->st, name, "fred", ~0u, 0, 0, &a);
		if (!r) {
			r = append_message(&a, s, 0, &flags, uid);
			if (!r) r = append_commit(&a);
			else append_abort(&a);
		}
		stage_free(s);
	}
	strarray_free(&flags);
	free(text);
	return r;
}

/* The number of the message in the file of that record, 0 when anything about it is wrong. */
static inline unsigned storetest_message(struct mailbox *mb, const struct index_record *r)
{
	const char *p;
	size_t n;
	struct msgfile f;
	unsigned number = 0;
	if (mailbox_cache(mb, r, &p, &n)) return 0;
	if (msgfile_open(mb, r, &f)) return 0;
	const char *at = memmem(f.base, f.len, "Subject: message ", 17);
	if (at && f.len == r->size) {
		number = (unsigned)atoi(at + 17);
		char *text = storetest_text(number);
		if (strlen(text) != f.len || memcmp(text, f.base, f.len)) number = 0;
		free(text);
	}
	msgfile_close(&f);
	return number;
}

/* All live messages as "uid:number uid:number ..."; every record, cache record and file is looked at, and EXISTS. */
static inline char *storetest_list(struct storetest *t, const char *name)
{
	struct mailbox *mb;
	struct index_record r;
	struct buf b = BUF_INIT;
	uint32_t live = 0;
	int e = mailbox_open(t->st, name, &mb);
	if (!e && (e = mailbox_lock(mb, LOCK_SHARED))) mailbox_close(&mb);
	if (e) return mem_printf("%s", err_text(e));
	for (uint32_t i = 1; i <= mb->h.num_records; i++) {
		ck_assert_int_eq(mailbox_record(mb, i, &r), 0);
		ck_assert_uint_le(r.uid, mb->h.last_uid);
		ck_assert_uint_le(r.modseq, mb->h.highestmodseq);
		if (!r.uid || r.system_flags & FLAG_EXPUNGED) continue;
		live++;
		buf_printf(&b, "%s%u:%u", b.len ? " " : "", r.uid, storetest_message(mb, &r));
	}
	ck_assert_uint_eq(live, mb->h.exists);
	mailbox_unlock(mb);
	mailbox_close(&mb);
	return buf_take(&b);
}

static inline void storetest_expect(struct storetest *t, const char *name, const char *want, const char *when)
{
	char *got = storetest_list(t, name);
	ck_assert_msg(!strcmp(got, want), "%s: %s has '%s', wanted '%s'", when, name, got, want);
	free(got);
}
#endif
