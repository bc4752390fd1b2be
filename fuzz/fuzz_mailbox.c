/* fuzz_mailbox.c - any bytes as the files of a mailbox: opened, read record by record with its cache, changed, closed.
 *
 * The first byte says what the rest is: i cyrus.index, h cyrus.header, c cyrus.cache, a cyrus.annotations, s the user's seen
 * file, d index and cache together (their lengths in four bytes each, then the bytes). The other files are those of a sound
 * mailbox. */
#include "replay.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "store/append.h"
#include "store/cacherec.h"
#include "store/mailbox.h"
#include "store/paths.h"
#include "store/seen.h"
#include "sys/file.h"
#include "sys/sys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define SEEN_ID "3718ee21-dad2-4b03-829c-76897bdf5dbf"         /* of a row in the seed */

enum { INDEX, CACHE, HEADER, ANNOTATIONS, SEEN, FILES };

static struct conf *conf;
static struct store *store;
static struct buf path[FILES], sound[FILES];       /* where they are, and what they hold when nothing is wrong */
static char dir[64];

static void quiet(void *arg, int priority, const char *line) { (void)arg, (void)priority, (void)line; }
static int no_sync(int fd) { (void)fd; return 0; }

static void require(bool ok)
{
	if (!ok) __builtin_trap();
}

static bool mark(void *arg, struct seen *s)
{
	(void)arg;
	s->lastuid = 2;
	seqset_add(&s->uids, 1, 2);
	return true;
}

/* "Subject: N", three times. */
static void fill_mailbox(void)
{
	struct append a;
	struct strarray flags = STRARRAY_INIT;
	strarray_append(&flags, "Keyword");
	require(!append_begin(store, "user.fred", "fred", ACL_FULL, -1, 3, &a));
	for (unsigned i = 1; i <= 3; i++) {
		struct stage *s;
		char text[100];
		int n = snprintf(text, sizeof text, "From: a@example.com\r\nSubject: %u\r\n\r\nbody\r\n", i);
		uint32_t uid;
		require(!stage_new(store, "default", 1700000000, i, &s) && !stage_write(s, text, (size_t)n) && !stage_finish(s));
		require(!append_message(&a, s, 0, &flags, &uid));
		stage_free(s);
	}
	require(!append_commit(&a));
	require(!seen_update(store, "joe", SEEN_ID, mark, NULL));
	strarray_free(&flags);
}

static void find_files(void)
{
	static const struct { enum meta_kind kind; const char *name; } files[SEEN] = {
		[INDEX] = { META_INDEX, "cyrus.index" }, [CACHE] = { META_CACHE, "cyrus.cache" },
		[HEADER] = { META_HEADER, "cyrus.header" },
		[ANNOTATIONS] = { META_ANNOTATIONS, "cyrus.annotations" },
	};
	struct mailbox *mb;
	require(!mailbox_open(store, "user.fred", &mb));
	for (int i = 0; i < SEEN; i++) require(!path_mailbox(store, &mb->entry, files[i].kind, files[i].name, &path[i]));
	mailbox_close(&mb);
	store->layout->user_file(store, "joe", "seen", &path[SEEN]);
	for (int i = 0; i < FILES; i++) require(!file_read(buf_cstr(&path[i]), 1 << 20, &sound[i]) || i == ANNOTATIONS);
}

static void remove_all(void)
{
	char cmd[100];
	snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
	if (system(cmd)) perror(dir);
}

static void prepare(void)
{
	static struct sys_calls calls;
	struct conf_error err;
	struct buf text = BUF_INIT, name = BUF_INIT;
	struct mailbox_create c = { .name = "user.fred", .partition = "default", .acl = "fred\tlrswipkxtecdan\t" };
	const char *tmp = getenv("TMPDIR");
	calls = sys_real;                                /* nothing here has to survive the machine */
	calls.fsync = no_sync;
	calls.fdatasync = no_sync;
	sys_use(&calls);
	log_hook(quiet, NULL);
	snprintf(dir, sizeof dir, "%.40s/fuzz_mailbox.XXXXXX", tmp ? tmp : "/tmp");
	require(mkdtemp(dir));
	atexit(remove_all);
	buf_printf(&name, "%s/imapd.conf", dir);
	buf_printf(&text,
		"configdirectory: %s/conf\npartition-default: %s/spool\ndefaultpartition: default\ncompatibility_level: 3.6\n", dir, dir);
	FILE *f = fopen(buf_cstr(&name), "w");
	require(f && fputs(buf_cstr(&text), f) >= 0 && !fclose(f));
	require(!conf_load(&conf, name.s, "fuzz", true, &err));
	buf_setcstr(&name, "");
	buf_printf(&name, "%s/conf/db", dir);
	require(!file_mkdirs(buf_cstr(&name), 0700));
	require(!store_open(&store, conf, true));
	require(!mailbox_create(store, &c));
	fill_mailbox();
	find_files();
	buf_free(&text);
	buf_free(&name);
}

static void put(int which, const void *p, size_t n)
{
	const char *name = buf_cstr(&path[which]);
	unlink(name);
	if (which == ANNOTATIONS && !n) return;
	int fd = file_create(name, O_WRONLY | O_TRUNC, 0600);
	require(fd >= 0 && !sys_write_all(fd, p, n));
	close(fd);
}

/* Makes checksums right, or nothing damaged would ever get past them. */
static void mend_index(uint8_t *p, size_t n)
{
	if (n < 20) return;
	uint32_t minor = get_be32(p + 8), head = index_header_size(minor), size = index_record_size(minor);
	if (!head || !index_has_crc(minor) || n < head) return;
	put_be32(p + head - 4, (uint32_t)crc32(0, p, head - 4));
	for (p += head, n -= head; n >= size; p += size, n -= size) put_be32(p + size - 4, (uint32_t)crc32(0, p, size - 4));
}

static void read_record(struct mailbox *mb, uint32_t recno)
{
	struct index_record r, same;
	struct cacherec c;
	struct msgfile m;
	const char *p;
	size_t len;
	int e = mailbox_record(mb, recno, &r);
	if (e && e != ERR_CRC) return;
	require(r.recno == recno);
	if (!mailbox_find(mb, r.uid, &same)) require(same.uid == r.uid);
	if (!mailbox_cache(mb, &r, &p, &len) && !cacherec_parse(p, len, &c)) {
		require(c.len <= len);
		for (int i = 0; i < CACHE_ITEMS; i++)
			require(c.item[i].n == 0 || (c.item[i].s >= p && c.item[i].s + c.item[i].n <= p + len));
	}
	if (!msgfile_open(mb, &r, &m)) msgfile_close(&m);
}

static void use_mailbox(void)
{
	struct mailbox *mb;
	struct index_record r;
	int flag;
	if (mailbox_open(store, "user.fred", &mb)) return;
	if (!mailbox_lock(mb, LOCK_SHARED)) {
		for (uint32_t i = 1; i <= mb->h.num_records && i <= 50; i++) read_record(mb, i);
		if (mb->h.num_records) read_record(mb, mb->h.num_records);
		read_record(mb, 0);
		read_record(mb, UINT32_MAX);
		mailbox_unlock(mb);
	}
	if (!mailbox_lock(mb, LOCK_EXCLUSIVE)) {
		mailbox_user_flag(mb, "Another", true, false, &flag);
		if (!mailbox_record(mb, 1, &r)) {
			r.system_flags ^= FLAG_FLAGGED;
			mailbox_rewrite(mb, &r, false);
		}
		mailbox_unlock(mb);
	}
	mailbox_close(&mb);
}

static void use_seen(void)
{
	struct seen s;
	if (!seen_read(store, "joe", SEEN_ID, &s)) {
		seqset_has(&s.uids, 1);
		seen_free(&s);
	}
	seen_update(store, "joe", SEEN_ID, mark, NULL);
}

static void try_files(char kind, const uint8_t *p, size_t n, bool mend)
{
	static const char letters[FILES + 1] = "icha" "s";
	const char *at = kind ? strchr(letters, kind) : NULL;
	uint8_t *copy = mem_alloc(n);
	memcpy(copy, p, n);
	for (int i = 0; i < FILES; i++)
		if (!at || at - letters != i) put(i, sound[i].s, sound[i].len);
	if (at) {
		if (mend && kind == 'i') mend_index(copy, n);
		put((int)(at - letters), copy, n);
	} else if (n >= 8 && get_be32(copy) <= n - 8) {
		size_t k = get_be32(copy), left = n - 8 - k, cache = get_be32(copy + 4) < left ? get_be32(copy + 4) : left;
		if (mend) mend_index(copy + 8, k);
		put(INDEX, copy + 8, k);
		put(CACHE, copy + 8 + k, cache);
	}
	free(copy);
	if (kind == 's') use_seen();
	else use_mailbox();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!store) prepare();
	if (!size) return 0;
	try_files((char)data[0], data + 1, size - 1, false);
	if (strchr("id", data[0])) try_files((char)data[0], data + 1, size - 1, true);
	return 0;
}

const struct replay replay = { "mailbox", 8, "\1", 4000, 3 };
