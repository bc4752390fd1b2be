/* check_lmtp.c - the parts of lmtpd that need no socket: addresses, xtext, the message filter, status lines; a delivery to two
 * mailboxes with every write to the disk failing in turn. */
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "cunit/suite.h"
#include "lmtpd/address.h"
#include "lmtpd/delivery.h"
#include "lmtpd/filter.h"
#include "lmtpd/status.h"
#include "store/duplicate.h"
#include "store/mailbox.h"
#include "sys/fault.h"
#include "sys/file.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ------------------------------------------------------------------------------------------------ addresses */

static const struct { const char *in, *local, *domain, *text; } good[] = {
	{ "<a>", "a", NULL, "a" }, { "<a@b>", "a", "b", "a@b" }, { "<@x:a@b>", "a", "b", "a@b" },
	{ "<@x,@y.z,@[1.2.3.4]:a@b>", "a", "b", "a@b" },
	{ "<\"a b\"@c>", "a b", "c", "\"a b\"@c" }, { "<\"a\\\"b\\\\\">", "a\"b\\", NULL, "\"a\\\"b\\\\\"" },
	{ "<\"\">", "", NULL, "\"\"" },
	{ "<a.b+c/d!e#f@g>", "a.b+c/d!e#f", "g", "a.b+c/d!e#f@g" }, { "<a@[127.0.0.1]>", "a", "[127.0.0.1]", "a@[127.0.0.1]" },
	{ "<a@[IPv6:::1]>", "a", "[IPv6:::1]", "a@[IPv6:::1]" }, { "<..>", "..", NULL, ".." },
	{ "<\"<@>\">", "<@>", NULL, "\"<@>\"" },
};
static const char *const bad[] = {
	"", "<", "a", "<>", "<a", "a>", "< a>", "<a >", "<a b>", "<@>", "<a@>", "<@b>", "<a@b", "<a@b_c>", "<a@b c>", "<a@@b>",
	"<a@b@c>", "<@x>",
	"<@x:>", "<@x,:a>", "<@x,a>", "<@:a>", "<@x:@y:a>", "<\"a>", "<\"a\\\">", "<\"a\\", "<\"a\"b>", "<a\"b\">", "<(a)>", "<a;b>",
	"<a,b>", "<a:b>",
	"<a\\b>", "<[a]>", "<a@[1>", "<a@[1 2]>", "<\x01>", "<\x7f>", "<a\tb>", "<\"a\tb\">", "<\xe4>", "<\"\xe4\">", "<a@\xe4>",
	"<<a>>",
};

START_TEST(addresses_that_are_good)
{
	const char *p = good[_i].in, *end = p + strlen(p);
	struct lmtp_address a;
	ck_assert_int_eq(lmtp_address_parse(&p, end, 0, &a), 0);
	ck_assert_ptr_eq(p, end);
	ck_assert_str_eq(a.local, good[_i].local);
	ck_assert_str_eq(a.text, good[_i].text);
	if (good[_i].domain) ck_assert_str_eq(a.domain, good[_i].domain);
	else ck_assert_ptr_null(a.domain);
	lmtp_address_free(&a);
}
END_TEST

START_TEST(addresses_that_are_bad)
{
	const char *p = bad[_i], *start = p;
	struct lmtp_address a = { 0 };
	ck_assert_int_eq(lmtp_address_parse(&p, p + strlen(p), 0, &a), ERR_SYNTAX);
	ck_assert_ptr_eq(p, start);
	ck_assert_ptr_null(a.local);
}
END_TEST

START_TEST(addresses_by_flag)
{
	struct lmtp_address a;
	const char *p = "<> X";
	ck_assert_int_eq(lmtp_address_parse(&p, p + 4, ADDRESS_EMPTY, &a), 0);
	ck_assert_str_eq(p, " X");
	ck_assert_str_eq(a.text, "");
	lmtp_address_free(&a);
	p = "<a\xe4\xff@b>";
	ck_assert_int_eq(lmtp_address_parse(&p, p + strlen(p), ADDRESS_8BIT_TO_X, &a), 0);
	ck_assert_str_eq(a.local, "aXX");
	ck_assert_str_eq(a.text, "aXX@b");
	lmtp_address_free(&a);
	p = "<a\0b>";
	ck_assert_int_eq(lmtp_address_parse(&p, p + 5, ADDRESS_8BIT_TO_X, &a), ERR_SYNTAX);
}
END_TEST

START_TEST(addresses_of_the_longest_length)
{
	for (int n = ADDRESS_MAX - 2; n < ADDRESS_MAX + 3; n++) {
		struct lmtp_address a;
		char *s = mem_alloc((size_t)n + 3);
		memset(s, 'a', (size_t)n + 2);
		s[0] = '<';
		s[n + 1] = '>';
		s[n + 2] = 0;
		const char *p = s;
		int r = lmtp_address_parse(&p, s + n + 2, 0, &a);
		ck_assert_int_eq(r, n <= ADDRESS_MAX ? 0 : ERR_SYNTAX);
		if (!r) lmtp_address_free(&a);
		free(s);
	}
}
END_TEST

START_TEST(plus_splits_once)
{
	static const struct { const char *in, *user, *folder; } rows[] = {
		{ "a", "a", NULL }, { "a+", "a", "" }, { "a+b", "a", "b" }, { "a+b+c", "a", "b+c" }, { "+b", "", "b" }, { "", "", NULL },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char *user, *folder;
		lmtp_address_split(rows[i].in, &user, &folder);
		ck_assert_str_eq(user, rows[i].user);
		if (rows[i].folder) ck_assert_str_eq(folder, rows[i].folder);
		else ck_assert_ptr_null(folder);
		free(user);
		free(folder);
	}
}
END_TEST

START_TEST(xtext)
{
	static const struct { const char *in, *out; } rows[] = {
		{ "a", "a" }, { "a+2Bb", "a+b" }, { "+3C+3E", "<>" }, { "", "" }, { "a+2bb", "a+b" },
		{ "+", NULL }, { "+4", NULL }, { "+4G", NULL }, { "+00", NULL }, { "+0A", NULL }, { "a=b", NULL }, { "a b", NULL },
		{ "\xe4", NULL },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf b = BUF_INIT;
		bool ok = lmtp_address_xtext(rows[i].in, strlen(rows[i].in), &b);
		ck_assert_int_eq(ok, rows[i].out != NULL);
		if (ok) ck_assert_str_eq(buf_cstr(&b), rows[i].out);
		buf_free(&b);
	}
}
END_TEST

/* ------------------------------------------------------------------------------------------------ the filter */

enum { STRICT = 1, REJECT = 2, KEEP8 = 4 };
static const struct filter_row { const char *in; int flags, verdict; const char *out; } filtered[] = {
	{ ".\r\n", 0, 0, "Message-ID: <new>\r\nDate: now\r\n" },
	{ "\r\n.\r\n", 0, 0, "Message-ID: <new>\r\nDate: now\r\n\r\n" },
	{ "A: b\r\n\r\nc\r\n.\r\n", 0, 0, "A: b\r\nMessage-ID: <new>\r\nDate: now\r\n\r\nc\r\n" },
	{ "A: b\r\n.\r\n", 0, 0, "A: b\r\nMessage-ID: <new>\r\nDate: now\r\n" },
	{ "date: x\r\nMESSAGE-id: y\r\n\r\n.\r\n", 0, 0, "date: x\r\nMESSAGE-id: y\r\n\r\n" },
	{ "Return-Path: <x>\r\n folded\r\nA: b\r\nreturn-path : y\r\n\r\n.\r\n", 0, 0,
		"A: b\r\nMessage-ID: <new>\r\nDate: now\r\n\r\n" },
	/* dots and line ends */
	{ "A: b\r\n\r\n..\r\n..x\r\n.x\r\nx.\r\n.\r\n", 0, 0,
		"A: b\r\nMessage-ID: <new>\r\nDate: now\r\n\r\n.\r\n.x\r\nx\r\nx.\r\n" },
	{ "..A: b\r\n..B: c\r\n\r\n.\r\n", 0, 0, "..A: b\r\n.B: c\r\nMessage-ID: <new>\r\nDate: now\r\n\r\n" },
	{ "A: b\n\nc\nd\r\n.\r\n", 0, 0, "A: b\r\nMessage-ID: <new>\r\nDate: now\r\n\r\nc\r\nd\r\n" },
	{ "A: b\r\r\n\r\nc\rd\r\r\ne\r\n.\r\n", 0, 0, "A: b\r\nMessage-ID: <new>\r\nDate: now\r\n\r\ncd\r\ne\r\n" },
	{ "A: b\rB: c\r\n\r\n.\r\n", 0, 0, "A: b\r\nB: c\r\nMessage-ID: <new>\r\nDate: now\r\n\r\n" },
	/* what looks like the end */
	{ "A: b\r\n\r\nx\n.\ny\n.\r\nz\r.\r\nw\r\n.\nv\r\n.\ru\r\n.\r\n", 0, 0,
		"A: b\r\nMessage-ID: <new>\r\nDate: now\r\n\r\nx\r\n.\r\ny\r\n.\r\nz.\r\nw\r\n\r\nv\r\nu\r\n" },
	/* header lines */
	{ "a\r\n\r\n.\r\n", 0, ERR_BADHEADER, NULL }, { " a: b\r\n\r\n.\r\n", 0, ERR_BADHEADER, NULL },
	{ ": b\r\n\r\n.\r\n", 0, ERR_BADHEADER, NULL },
	{ "a b: c\r\n\r\n.\r\n", 0, ERR_BADHEADER, NULL }, { "a\x01: c\r\n\r\n.\r\n", 0, ERR_BADHEADER, NULL },
	{ "\xe4: c\r\n\r\n.\r\n", 0, ERR_BADHEADER, NULL }, { "From x\r\nA: b\r\n\r\n.\r\n", 0, ERR_BADHEADER, NULL },
	{ "Message-ID:\r\n\r\n.\r\n", 0, ERR_BADHEADER, NULL }, { "Message-ID: \t \r\n\r\n.\r\n", 0, ERR_BADHEADER, NULL },
	{ "Message-ID:\r\n \r\nDate: d\r\n\r\n.\r\n", 0, 0, "Message-ID:\r\n \r\nDate: d\r\n\r\n" },
	{ "Message-ID:\r\n \r\nDate: d\r\n\r\n.\r\n", STRICT, ERR_BADHEADER, NULL },
	/* bytes above 127 */
	{ "Date: \xe4\r\nMessage-ID: i\r\n\r\n\xe4\r\n.\r\n", 0, 0, "Date: X\r\nMessage-ID: i\r\n\r\n\xe4\r\n" },
	{ "Date: \xe4\r\nMessage-ID: i\r\n\r\n.\r\n", KEEP8, 0, "Date: \xe4\r\nMessage-ID: i\r\n\r\n" },
	{ "Date: \xe4\r\nMessage-ID: i\r\n\r\n.\r\n", REJECT, ERR_8BIT, NULL },
	{ "Date: x\r\nMessage-ID: i\r\n\r\n\xe4\r\n.\r\n", REJECT, 0, "Date: x\r\nMessage-ID: i\r\n\r\n\xe4\r\n" },
};

static struct filter_options options(int flags)
{
	return (struct filter_options){ .strict_msgid = flags & STRICT, .reject8bit = flags & REJECT, .munge8bit = !(flags & KEEP8),
		.new_msgid = "<new>", .new_date = "now" };
}

/* Fed in pieces of `step` bytes, with something behind the end that must be left alone. */
static void feed(struct filter *f, const char *s, size_t step, struct buf *out)
{
	size_t n = strlen(s), done = 0;
	char *copy = mem_printf("%sQUIT\r\n", s);
	while (!f->ended && done < n + 6) {
		size_t take = n + 6 - done < step ? n + 6 - done : step, eaten = filter_feed(f, copy + done, take);
		ck_assert(eaten == take || f->ended);
		done += eaten;
		buf_add(out, &f->out);
		buf_reset(&f->out);
	}
	ck_assert(f->ended);
	ck_assert_uint_eq(done, n);
	free(copy);
}

START_TEST(filter_rows)
{
	const struct filter_row *row = &filtered[_i];
	struct filter_options o = options(row->flags);
	for (size_t step = 1; step < 70; step += step < 4 ? 1 : 13) {
		struct filter f;
		struct buf out = BUF_INIT;
		filter_init(&f, &o);
		feed(&f, row->in, step, &out);
		ck_assert_int_eq(filter_verdict(&f), row->verdict);
		if (row->out) {
			ck_assert_str_eq(buf_cstr(&out), row->out);
			ck_assert_uint_eq(f.size, out.len);
		}
		buf_free(&out);
		filter_free(&f);
	}
}
END_TEST

START_TEST(filter_sees_nul_anywhere)
{
	static const char text[] = "A: b\r\n\r\nc\r\n.\r\n";
	struct filter_options o = options(0);
	for (size_t at = 0; at < sizeof text - 6; at++) {
		struct filter f;
		filter_init(&f, &o);
		filter_feed(&f, text, at);
		filter_feed(&f, "", 1);
		filter_feed(&f, text + at, sizeof text - 1 - at);
		ck_assert_int_eq(filter_verdict(&f), ERR_NUL);
		filter_free(&f);
	}
}
END_TEST

START_TEST(filter_keeps_values_and_memory_small)
{
	struct filter f;
	struct filter_options o = options(0);
	char *line = mem_alloc(100000);
	filter_init(&f, &o);
	memset(line, 'x', 100000);
	static const char head[] = "Message-ID:\r\n  <a@b>  \r\nMessage-ID: <second>\r\nDate:";
	filter_feed(&f, head, strlen(head));
	for (int i = 0; i < 20; i++) {
		filter_feed(&f, line, 100000);
		buf_reset(&f.out);
	}
	filter_feed(&f, "\r\n\r\n.\r\n", 7);
	char *id = filter_value(&f, FILTER_MESSAGE_ID);
	ck_assert_str_eq(id, "<a@b>");
	ck_assert_uint_le(f.kept[FILTER_DATE].len, 8192);
	ck_assert_uint_gt(f.size, 2000000);
	ck_assert_ptr_null(filter_value(&f, FILTER_RESENT_MESSAGE_ID));
	free(id);
	filter_free(&f);
	filter_init(&f, &o);
	filter_feed(&f, line, 100000);                     /* a name without end */
	ck_assert_uint_le(f.name.len, 2000);
	filter_feed(&f, ": x\r\n\r\n.\r\n", 10);
	ck_assert_int_eq(filter_verdict(&f), ERR_BADHEADER);
	filter_free(&f);
	free(line);
}
END_TEST

START_TEST(filter_stops_writing_at_the_limit)
{
	struct filter f;
	struct filter_options o = options(0);
	struct buf out = BUF_INIT;
	o.max = 50;
	filter_init(&f, &o);
	feed(&f, "A: b\r\n\r\n0123456789012345678901234567890123456789\r\n.\r\n", 7, &out);
	ck_assert_int_eq(filter_verdict(&f), ERR_TOOBIG);
	ck_assert_uint_le(out.len, 50);
	ck_assert_uint_gt(f.size, 50);
	buf_free(&out);
	filter_free(&f);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ status lines */

START_TEST(status_lines)
{
	static const struct { enum conf_level level; int err; bool permanent; const char *want; } rows[] = {
		{ LEVEL_25, 0, false, "250 2.1.5 Ok SESSIONID=<s>\r\n" }, { LEVEL_36, 0, false, "250 2.1.5 Success SESSIONID=<s>\r\n" },
		{ LEVEL_25, ERR_QUOTA, false, "452 4.2.2 Over quota SESSIONID=<s>\r\n" },
		{ LEVEL_36, ERR_QUOTA, true, "552 5.2.2 Over quota SESSIONID=<s>\r\n" },
		{ LEVEL_25, ERR_IO, false, "451 4.3.0 System I/O error\r\n" },
		{ LEVEL_36, ERR_IO, false, "451 4.3.0 System I/O error\r\n" },
		{ LEVEL_25, ERR_NOSPACE, false, "451 4.3.1 cannot create file: out of space\r\n" },
		{ LEVEL_36, ERR_NOSPACE, false, "451 4.3.1 mail system storage has been exceeded\r\n" },
		{ LEVEL_25, ERR_AGAIN, false, "451 4.3.0 transient system error\r\n" },
		{ LEVEL_36, ERR_AGAIN, false, "451 4.3.0 Retry operation\r\n" },
		{ LEVEL_25, ERR_DISABLED, false, "450 4.2.1 Mailbox disabled, not accepting messages\r\n" },
		{ LEVEL_25, ERR_MOVED, false, "451 4.2.1 Mailbox Moved\r\n" },
		{ LEVEL_25, ERR_BADFORMAT, false, "451 4.2.0 Mailbox has an invalid format\r\n" },
		{ LEVEL_36, ERR_8BIT, false, "554 5.6.0 Message contains non-ASCII characters in headers\r\n" },
		{ LEVEL_25, ERR_COUNT, false, "451 4.3.0 Unexpected internal error\r\n" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf b = BUF_INIT;
		status_print(rows[i].level, rows[i].err, rows[i].permanent, "s", &b);
		ck_assert_str_eq(buf_cstr(&b), rows[i].want);
		buf_free(&b);
	}
}
END_TEST

/* ------------------------------------------------------------------------------------------------ delivery */

static char dir[64];
static struct conf *conf;
static struct store *st;

static char told[512];                    /* the last line about a duplicate */

static void quiet(void *arg, int priority, const char *line)
{
	(void)arg, (void)priority;
	if (!strncmp(line, "auditlog: duplicate ", 20)) snprintf(told, sizeof told, "%s", line);
}

static void store_setup(void)
{
	struct conf_error err;
	char path[128];
	strcpy(dir, "/tmp/check_lmtp.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/imapd.conf", dir);
	FILE *f = fopen(path, "w");
	fprintf(f, "configdirectory: %s/conf\ndefaultpartition: default\npartition-default: %s/spool\nauditlog: yes\n", dir, dir);
	fclose(f);
	log_hook(quiet, NULL);
	ck_assert_int_eq(conf_load(&conf, path, "lmtp", true, &err), 0);
	ck_assert_int_eq(store_open(&st, conf, true), 0);
	ck_assert_int_eq(mailbox_create(st, &(struct mailbox_create){ .name = "user.a", .acl = "a\tlrswipkxtecda\t" }), 0);
	ck_assert_int_eq(mailbox_create(st, &(struct mailbox_create){ .name = "user.b", .acl = "b\tlrswipkxtecda\t" }), 0);
}

static int remove_one(const char *path, const struct stat *s, int type, struct FTW *w)
{
	(void)s, (void)type, (void)w;
	return remove(path);
}

static void store_teardown(void)
{
	store_close(st);
	conf_free(conf);
	log_hook(NULL, NULL);
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static uint32_t exists(const char *name)
{
	struct mailbox *mb;
	ck_assert_int_eq(mailbox_open(st, name, &mb), 0);
	ck_assert_int_eq(mailbox_lock(mb, LOCK_SHARED), 0);
	uint32_t n = mb->h.exists;
	mailbox_close(&mb);
	return n;
}

static unsigned staged(void)
{
	char path[128];
	unsigned n = 0;
	snprintf(path, sizeof path, "%s/spool/stage.", dir);
	DIR *d = opendir(path);
	struct dirent *e;
	while (d && (e = readdir(d))) n += e->d_name[0] != '.';
	if (d) closedir(d);
	return n;
}

/* One message to a and b. The statuses; the return value is that of the message. */
static int deliver(struct cyrusdb *duplicates, unsigned seq, int status[2])
{
	static const char text[] = "Subject: s\r\nMessage-ID: <one@x>\r\nDate: d\r\n\r\nbody\r\n.\r\n";
	struct delivery_env env = { .conf = conf, .st = st, .level = conf_level(conf), .service = "lmtp", .session_id = "s",
		.duplicates = duplicates };
	struct lmtp_address to[2] = { { .local = (char *)(uintptr_t)"a" }, { .local = (char *)(uintptr_t)"b" } };
	struct filter_options o = options(0);
	struct recipient r[2];
	struct delivery d;
	user_init(&env.poster, conf, "anonymous");
	for (int i = 0; i < 2; i++) ck_assert_int_eq(recipient_check(&env, &to[i], false, 0, &r[i]), 0);
	delivery_init(&d, &env, &o, "Return-Path: <>\r\n", "default", 1000000, seq);
	delivery_feed(&d, text, sizeof text - 1);
	int err = delivery_finish(&d);
	for (int i = 0; i < 2; i++) status[i] = err ? err : delivery_to(&d, &r[i]);
	delivery_free(&d);
	for (int i = 0; i < 2; i++) recipient_free(&r[i]);
	user_free(&env.poster);
	return err;
}

START_TEST(delivery_never_lies_about_a_full_disk)
{
	int status[2] = { 0, 0 };
	bool failed = true, some = false;
	for (unsigned long n = 1; failed && n < 500; n++) {
		uint32_t before[2] = { exists("user.a"), exists("user.b") };
		fault_install(&(struct fault){ .kind = FAULT_ERROR, .n = n, .err = ENOSPC });
		deliver(NULL, (unsigned)n, status);
		failed = fault_count() >= n;
		fault_install(NULL);
		for (int i = 0; i < 2; i++) {
			uint32_t now = exists(i ? "user.b" : "user.a");
			if (!status[i]) ck_assert_msg(now == before[i] + 1, "call %lu: said to be delivered to %d and is not there", n, i);
			some |= status[i] == ERR_NOSPACE;
		}
		ck_assert_msg(failed || (!status[0] && !status[1]), "without a fault: %d %d", status[0], status[1]);
	}
	ck_assert(!failed);
	ck_assert(some);
}
END_TEST

START_TEST(delivery_drops_repeats_and_leaves_no_stage)
{
	int status[2];
	struct cyrusdb *db = duplicate_open(st);
	ck_assert_ptr_nonnull(db);
	for (unsigned i = 0; i < 3; i++) {
		*told = 0;
		ck_assert_int_eq(deliver(db, i, status), 0);
		ck_assert_int_eq(status[0], 0);
		ck_assert_int_eq(status[1], 0);
		ck_assert_int_eq(*told != 0, i > 0);
	}
	ck_assert_int_eq(strncmp(told, "auditlog: duplicate sessionid=<s> action=<delivery> message-id=<one@x> user=<", 77), 0);
	ck_assert_str_eq(strrchr(told, ' '), " date=<d>");
	ck_assert_uint_eq(exists("user.a"), 1);
	ck_assert_uint_eq(exists("user.b"), 1);
	ck_assert_uint_eq(staged(), 0);
	struct duplicate_key key = { "<k@x>", "id", NULL };
	uint32_t uid = 0;
	ck_assert_int_eq(duplicate_check(db, &key, &uid), 0);
	ck_assert_int_eq(duplicate_mark(db, &key, 1795282410, 7), 0);
	ck_assert_int_eq(duplicate_check(db, &key, &uid), 1795282410);
	ck_assert_uint_eq(uid, 7);
	const char *val;
	size_t len;
	ck_assert_int_eq(cyrusdb_fetch(db, "<k@x>\0id\0\0", 10, &val, &len, NULL), 0);      /* the recorded form, little endian */
	ck_assert_uint_eq(len, 16);
	uint16_t one = 1;
	if (*(const char *)&one) ck_assert_mem_eq(val, "\xea\xd5\x01\x6b\0\0\0\0\x07\0\0\0\0\0\0\0", 16);
	ck_assert_int_eq(cyrusdb_store(db, "<o@x>\0id\0\0", 10, val, 8, NULL), 0);           /* an old value: the time only */
	ck_assert_int_eq(duplicate_check(db, &(struct duplicate_key){ "<o@x>", "id", "" }, &uid), 1795282410);
	duplicate_close(db);
}
END_TEST

int main(void)
{
	TCase *c = tcase_create("pure");
	tcase_add_loop_test(c, addresses_that_are_good, 0, COUNT(good));
	tcase_add_loop_test(c, addresses_that_are_bad, 0, COUNT(bad));
	tcase_add_test(c, addresses_by_flag);
	tcase_add_test(c, addresses_of_the_longest_length);
	tcase_add_test(c, plus_splits_once);
	tcase_add_test(c, xtext);
	tcase_add_loop_test(c, filter_rows, 0, COUNT(filtered));
	tcase_add_test(c, filter_sees_nul_anywhere);
	tcase_add_test(c, filter_keeps_values_and_memory_small);
	tcase_add_test(c, filter_stops_writing_at_the_limit);
	tcase_add_test(c, status_lines);
	TCase *d = tcase_create("delivery");
	tcase_set_timeout(d, 120);
	tcase_add_checked_fixture(d, store_setup, store_teardown);
	tcase_add_test(d, delivery_never_lies_about_a_full_disk);
	tcase_add_test(d, delivery_drops_repeats_and_leaves_no_stage);
	return suite_run("lmtp", (TCase *[]){ c, d, NULL });
}
