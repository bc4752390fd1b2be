/* check_annots.c - annotations as the store has them (annots.h, annotdb.h): those of the recorded stores, every scope in both
 * layouts, what changes with them, and rows that should not be there. What clients may do with them is tests/test_metadata.py's
 * business. */
#include "store/annotdb.h"
#include "store/annots.h"
#include "store/layout.h"
#include "cunit/store/storetest.h"
#include "sys/file.h"

#include <fcntl.h>
#include <sys/wait.h>
#ifdef HAVE_BDB
#include <db.h>
#endif

#define TEXT "text/plain"
#define ZEROES "\0\0\0\0\0\0\0\0"

static const char *const levels[] = { "2.5", "3.6" };

/* NULL: the server. */
static const struct mbentry *entry_of(struct storetest *t, const char *name, struct mbentry *e)
{
	if (name) ck_assert_msg(!mboxlist_lookup(t->st, name, e), "%s", name);
	return name ? e : NULL;
}

static int to_text(void *arg, const char *entry, bool shared, const char *value, size_t len)
{
	struct buf *b = arg;
	buf_printf(b, "%s %s=", entry, shared ? "shared" : "own");
	buf_append(b, value, len);
	buf_puts(b, "; ");
	return 0;
}

static char *all_of(struct storetest *t, const char *userid, const char *name)
{
	struct mbentry e = { 0 };
	struct buf b = BUF_INIT;
	struct annots *a = annots_open(t->st, userid);
	ck_assert_int_eq(annots_each(a, entry_of(t, name, &e), to_text, &b), 0);
	annots_close(a);
	mbentry_free(&e);
	return buf_take(&b);
}

#define EXPECT(t, user, name, want) do { char *got_ = all_of(t, user, name); ck_assert_str_eq(got_, want); free(got_); } while (0)

static int set_n(struct storetest *t, const char *userid, const char *name, const struct annots_change *v, size_t n)
{
	struct mbentry e = { 0 };
	int r = annots_set(t->st, userid, entry_of(t, name, &e), v, n, NULL);
	mbentry_free(&e);
	return r;
}

static int set(struct storetest *t, const char *userid, const char *name, const char *entry, bool shared, const char *value)
{
	struct annots_change c = { entry, shared, value, value ? strlen(value) : 0 };
	return set_n(t, userid, name, &c, 1);
}

static struct index_header header_of(struct storetest *t, const char *name)
{
	struct mbentry e;
	struct index_header h;
	ck_assert_int_eq(mboxlist_lookup(t->st, name, &e), 0);
	ck_assert_int_eq(mailbox_index_header(t->st, &e, &h), 0);
	mbentry_free(&e);
	return h;
}

static uint64_t root_used(struct storetest *t, const char *root)
{
	struct quota q;
	ck_assert_int_eq(quota_read(t->st, root, &q), 0);
	uint64_t n = q.used[QUOTA_ANNOTSTORAGE];
	quota_free(&q);
	return n;
}

/* ------------------------------------------------------------------------------------------------ the recorded stores */

START_TEST(recorded)
{
	struct storetest t;
	storetest_golden(&t, _i ? "3.6.1" : "2.5.7");
	EXPECT(&t, "alice", NULL, "/admin shared=mailto:postmaster@golden.example; /comment shared=golden server; "
		"/vendor/cmu/cyrus-imapd/expire shared=400; /vendor/cmu/cyrus-imapd/squat shared=false; ");
	EXPECT(&t, "alice", "user.alice", "/comment own=inbox note; /sort shared=+arrival; ");
	EXPECT(&t, "bob", "user.alice", "/sort shared=+arrival; ");
	EXPECT(&t, "alice", "user.alice.Annotated", "/comment shared=a shared comment; /comment own=a private comment; ");
	EXPECT(&t, "bob", "user.alice.Annotated", "/comment shared=a shared comment; ");
	EXPECT(&t, "alice", "user.alice.Work",
		"/check own=true; /checkperiod own=10; /comment shared=eight bit \xe9\xff and \"quotes\"; /thread shared=references; ");
	EXPECT(&t, "alice", "user.alice.Trash", "/specialuse own=\\Trash; /vendor/cmu/cyrus-imapd/expire shared=30; ");
	EXPECT(&t, "bob", "user.bob", "");
	/* and what is added to them stands beside them */
	ck_assert_int_eq(set(&t, "bob", "user.alice.Annotated", "/comment", false, "bob's"), 0);
	ck_assert_int_eq(set(&t, "alice", "user.alice.Annotated", "/comment", false, NULL), 0);
	EXPECT(&t, "bob", "user.alice.Annotated", "/comment shared=a shared comment; /comment own=bob's; ");
	EXPECT(&t, "alice", "user.alice.Annotated", "/comment shared=a shared comment; ");
	storetest_remove(&t);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ scopes and bytes */

static void bytes_are(struct storetest *t, const char *name, const char *entry, const char *user, const char *want, size_t n)
{
	struct mbentry e = { 0 };
	struct buf key = BUF_INIT;
	struct cyrusdb *db;
	const char *val;
	size_t len;
	ck_assert_int_eq(annotdb_open(t->st, 0, &db), 0);
	ck_assert(annotdb_key(t->st, entry_of(t, name, &e), entry, user, &key));
	int rc = cyrusdb_fetch(db, key.s, key.len, &val, &len, NULL);
	ck_assert_msg(want ? !rc && len == n && !memcmp(val, want, n) : rc == CYRUSDB_NOTFOUND, "%s %s of %s: %d, %zu bytes", name,
		entry, user, rc, len);
	cyrusdb_close(db);
	buf_free(&key);
	mbentry_free(&e);
}

START_TEST(scopes)
{
	struct storetest t;
	bool new = _i;
	storetest_new(&t, levels[_i], "");
	storetest_create(&t, "user.fred");
	storetest_create(&t, "news");
	struct annots *none = annots_open(t.st, "fred");
	struct buf b = BUF_INIT;
	ck_assert_ptr_null(none);                                       /* there is no database yet, and reading makes none */
	ck_assert(!annots_get(none, NULL, "/comment", true, &b));
	ck_assert_int_eq(annots_each(none, NULL, to_text, &b), 0);
	ck_assert_ptr_null(annots_open(t.st, NULL));
	static const char *const names[] = { NULL, "user.fred", "news" };
	for (size_t i = 0; i < COUNT(names); i++) {
		ck_assert_int_eq(set(&t, "fred", names[i], "/comment", true, "all"), 0);
		ck_assert_int_eq(set(&t, "fred", names[i], "/comment", false, "fred's"), 0);
		ck_assert_int_eq(set(&t, "joe", names[i], "/comment", false, "joe's"), 0);
		ck_assert_int_eq(set(&t, "joe", names[i], "/sort", false, NULL), 0);          /* was not there */
		EXPECT(&t, "fred", names[i], "/comment shared=all; /comment own=fred's; ");
		EXPECT(&t, "joe", names[i], "/comment shared=all; /comment own=joe's; ");
		EXPECT(&t, "fre", names[i], "/comment shared=all; ");
		EXPECT(&t, "", names[i], "/comment shared=all; ");
	}
	static const char old[] = "\0\0\0\6\0\0\0\0fred's\0" TEXT "\0" ZEROES,
		fresh[] = "\0\0\0\6\0\0\0\0fred's\0" TEXT "\0" ZEROES ZEROES "\0";
	const char *want = new ? fresh : old;
	size_t n = new ? sizeof fresh - 1 : sizeof old - 1;
	bytes_are(&t, NULL, "/comment", "fred", want, n);               /* nobody owns the server */
	bytes_are(&t, "news", "/comment", "fred", want, n);
	bytes_are(&t, "user.fred", "/comment", new ? "[.OwNeR.]" : "fred", want, n);
	bytes_are(&t, "user.fred", "/comment", new ? "fred" : "[.OwNeR.]", NULL, 0);
	/* 3.6: what an older release left under the owner's id counts where there is nothing under the word for him */
	if (new) {
		ck_assert_int_eq(set(&t, "fred", "user.fred", "/comment", false, NULL), 0);
		struct mbentry e = { 0 };
		struct buf key = BUF_INIT;
		struct cyrusdb *db;
		ck_assert_int_eq(annotdb_open(t.st, 0, &db), 0);
		ck_assert(annotdb_key(t.st, entry_of(&t, "user.fred", &e), "/comment", "fred", &key));
		ck_assert_int_eq(cyrusdb_store(db, key.s, key.len, old, sizeof old - 1, NULL), 0);
		EXPECT(&t, "fred", "user.fred", "/comment shared=all; /comment own=fred's; ");
		ck_assert_int_eq(set(&t, "fred", "user.fred", "/comment", false, "newer"), 0);
		EXPECT(&t, "fred", "user.fred", "/comment shared=all; /comment own=newer; ");
		cyrusdb_close(db);
		buf_free(&key);
		mbentry_free(&e);
	}
	buf_free(&b);
	storetest_remove(&t);
}
END_TEST

/* An entry of the list without its id must not be taken for the server. */
START_TEST(no_id)
{
	struct storetest t;
	struct buf b = BUF_INIT;
	storetest_new(&t, "3.6", "");
	struct mbentry e = { .name = mem_strdup("user.fred") };
	ck_assert_int_eq(mbname_from_internal(&e.parts, e.name, &t.st->ns), 0);
	ck_assert_int_eq(set(&t, "fred", NULL, "/comment", true, "of the server"), 0);
	struct annots *a = annots_open(t.st, "fred");
	ck_assert(!annots_get(a, &e, "/comment", true, &b));
	ck_assert_int_eq(annots_each(a, &e, to_text, &b), 0);
	ck_assert_uint_eq(b.len, 0);
	ck_assert_int_eq(annots_put(t.st, "fred", &e, "/specialuse", "\\Sent"), ERR_IO);
	EXPECT(&t, "fred", NULL, "/comment shared=of the server; ");
	annots_close(a);
	mbentry_free(&e);
	buf_free(&b);
	storetest_remove(&t);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ changing */

static bool is(struct storetest *t, const char *name, const char *entry, const char *want, size_t n)
{
	struct mbentry e = { 0 };
	struct buf b = BUF_INIT;
	struct annots *a = annots_open(t->st, "fred");
	bool ok = annots_get(a, entry_of(t, name, &e), entry, true, &b) ? b.len == n && !memcmp(b.s, want, n) : !n;
	annots_close(a);
	mbentry_free(&e);
	buf_free(&b);
	return ok;
}

START_TEST(values_of_every_size)
{
	static const size_t sizes[] = { 1, 255, 256, 65535, 65536, 1 << 20, 0, 2 };
	struct storetest t;
	storetest_new(&t, levels[_i], "");
	storetest_create(&t, "user.fred");
	for (size_t i = 0; i < COUNT(sizes); i++) {
		char *v = mem_zalloc(sizes[i] + 1);
		for (size_t k = 0; k < sizes[i]; k++) v[k] = (char)(k * 7 + i);          /* NULs among them */
		struct annots_change c = { "/comment", true, v, sizes[i] };
		ck_assert_int_eq(set_n(&t, "fred", "user.fred", &c, 1), 0);
		ck_assert_msg(is(&t, "user.fred", "/comment", v, sizes[i]), "%zu bytes", sizes[i]);
		ck_assert_uint_eq(header_of(&t, "user.fred").quota_annot_used, sizes[i]);
		free(v);
	}
	storetest_remove(&t);
}
END_TEST

/* Modseq of index and list (3.6), counters, quota: they follow a change, and only a change. */
START_TEST(what_follows)
{
	struct storetest t;
	struct mbentry e;
	struct quota q = { .limit = { QUOTA_UNLIMITED, QUOTA_UNLIMITED, 1, QUOTA_UNLIMITED } };        /* 1 KiB */
	char kib[1025];
	memset(kib, 'k', 1024);
	kib[1024] = 0;
	storetest_new(&t, levels[_i], "");
	ck_assert_int_eq(quota_write(t.st, "user.fred", &q), 0);
	storetest_create(&t, "user.fred");
	static const struct { const char *entry; bool shared; const char *value; bool changes; uint64_t used; } rows[] = {
		{ "/comment", true, "12345", true, 5 }, { "/comment", true, "12345", false, 5 }, { "/comment", true, "12346", true, 5 },
		{ "/comment", false, "12345", true, 10 }, { "/comment", false, "1", true, 6 }, { "/sort", false, NULL, false, 6 },
		{ "/sort", false, "", false, 6 }, { "/comment", true, "", true, 1 }, { "/comment", true, NULL, false, 1 },
		{ "/comment", false, NULL, true, 0 },
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct index_header before = header_of(&t, "user.fred"), after;
		ck_assert_int_eq(set(&t, "fred", "user.fred", rows[i].entry, rows[i].shared, rows[i].value), 0);
		after = header_of(&t, "user.fred");
		ck_assert_msg(after.quota_annot_used == rows[i].used && root_used(&t, "user.fred") == rows[i].used,
			"row %zu: %llu in the index, %llu in the root", i,
			(unsigned long long)after.quota_annot_used, (unsigned long long)root_used(&t, "user.fred"));
		ck_assert_msg((after.highestmodseq > before.highestmodseq) == (rows[i].changes && _i), "row %zu", i);
		ck_assert_uint_eq(after.leaked_cache_records & INDEX_COMMITTING, 0);
		ck_assert_int_eq(mboxlist_lookup(t.st, "user.fred", &e), 0);
		if (_i && rows[i].changes) ck_assert_uint_eq(e.foldermodseq, after.highestmodseq);
		mbentry_free(&e);
	}
	/* all or nothing, and not a byte too many */
	ck_assert_int_eq(set(&t, "fred", "user.fred", "/comment", true, "x"), 0);
	struct annots_change two[] = { { "/comment", true, "y", 1 }, { "/sort", false, kib, 1024 } };
	ck_assert_int_eq(set_n(&t, "fred", "user.fred", two, 2), ERR_QUOTA);
	EXPECT(&t, "fred", "user.fred", "/comment shared=x; ");
	ck_assert_uint_eq(root_used(&t, "user.fred"), 1);
	two[1].len = 1023;
	ck_assert_int_eq(set_n(&t, "fred", "user.fred", two, 2), 0);
	ck_assert_uint_eq(root_used(&t, "user.fred"), 1024);
	ck_assert(is(&t, "user.fred", "/comment", "y", 1));
	struct annots_change less[] = { { "/sort", false, kib, 1022 }, { "/comment", true, "zz", 2 } };       /* the sum counts */
	ck_assert_int_eq(set_n(&t, "fred", "user.fred", less, 2), 0);
	ck_assert_uint_eq(header_of(&t, "user.fred").quota_annot_used, 1024);
	ck_assert_int_eq(set(&t, "fred", NULL, "/comment", true, kib), 0);             /* nobody's quota */
	ck_assert_uint_eq(root_used(&t, "user.fred"), 1024);
	ck_assert_int_eq(annots_set(t.st, "fred", &(struct mbentry){ .name = (char *)(uintptr_t)"user.none" }, two, 2, NULL),
		ERR_NOMAILBOX);
	storetest_remove(&t);
}
END_TEST

START_TEST(options)
{
	struct storetest t;
	uint32_t after = 1600000000;
	struct mbentry e;
	storetest_new(&t, levels[_i], "");
	storetest_create(&t, "user.fred");
	ck_assert_int_eq(mboxlist_lookup(t.st, "user.fred", &e), 0);
	ck_assert_int_eq(annots_set(t.st, "fred", &e, NULL, 0,
		&(struct annots_options){ MBOXOPT_SHAREDSEEN, MBOXOPT_DUPDELIVER, &after }), 0);
	struct index_header h = header_of(&t, "user.fred");
	ck_assert(h.options & MBOXOPT_SHAREDSEEN && !(h.options & MBOXOPT_DUPDELIVER) && h.pop3_show_after == after);
	ck_assert_ptr_null(annots_open(t.st, "fred"));                  /* no row, no database */
	uint64_t modseq = h.highestmodseq;
	ck_assert_int_eq(annots_set(t.st, "fred", &e, NULL, 0, &(struct annots_options){ MBOXOPT_SHAREDSEEN, 0, &after }), 0);
	ck_assert_uint_eq(header_of(&t, "user.fred").highestmodseq, modseq);
	mbentry_free(&e);
	storetest_remove(&t);
}
END_TEST

/* ---------------------------------------------------------------------------------------------- rows that should not be there */

#define BYTES(s) s, sizeof(s) - 1

/* What a value of those bytes is read as; NULL: none. */
static const struct { const char *bytes; size_t n; const char *want; } odd_values[] = {
	{ BYTES(""), NULL },
	{ BYTES("\0\0\0"), NULL },
	{ BYTES("\0\0\0\4\0\0\0"), NULL },                                              /* shorter than its own head */
	{ BYTES("\0\0\0\0\0\0\0\0\0" TEXT "\0" ZEROES), NULL },                         /* empty */
	{ BYTES("\0\0\0\2\0\0\0\0ab"), "ab" },                                          /* nothing behind the value */
	{ BYTES("\0\0\0\2\0\0\0\0ab\0"), "ab" },
	{ BYTES("\0\0\0\2\0\0\0\0ab\0" TEXT "\0"), "ab" },
	{ BYTES("\0\0\0\2\0\0\0\0ab\0text/html\0" ZEROES), "ab" },
	{ BYTES("\0\0\0\2\0\0\0\0ab\0" TEXT "\0" ZEROES "\0\0\0\0\0\0\0\1\0"), "ab" },
	{ BYTES("\0\0\0\2\0\0\0\0ab\0" TEXT "\0" ZEROES "\0\0\0\0\0\0\0\1\1"), NULL },   /* a tombstone, whatever it holds */
	{ BYTES("\0\0\0\0\0\0\0\0\0" TEXT "\0" ZEROES "\0\0\0\0\0\0\0\1\1"), NULL },
	{ BYTES("\0\0\0\2ab\0" TEXT "\0" ZEROES), "ab" },                               /* of a 32-bit machine */
	{ BYTES("\0\0\0\3\0\0\0\0ab"), NULL },                                          /* longer than the record */
	{ BYTES("\0\0\0\2\0\0\0\0abc\0" TEXT "\0" ZEROES), NULL },                      /* no NUL where the length says */
	{ BYTES("\377\377\377\377\0\0\0\0ab\0" TEXT "\0" ZEROES), NULL },
	{ BYTES("\200\0\0\0\0\0\0\0ab\0" TEXT "\0" ZEROES), NULL },
};

static void raw(struct storetest *t, const char *name, const char *entry, const char *user, const char *bytes, size_t n)
{
	struct mbentry e = { 0 };
	struct buf key = BUF_INIT;
	struct cyrusdb *db;
	ck_assert_int_eq(annotdb_open(t->st, CYRUSDB_CREATE, &db), 0);
	ck_assert(annotdb_key(t->st, entry_of(t, name, &e), entry, user, &key));
	ck_assert_int_eq(cyrusdb_store(db, key.s, key.len, bytes, n, NULL), 0);
	cyrusdb_close(db);
	buf_free(&key);
	mbentry_free(&e);
}

START_TEST(odd_rows)
{
	struct storetest t;
	storetest_new(&t, levels[_i], "");
	storetest_create(&t, "user.fred");
	static const char *const names[] = { NULL, "user.fred" };
	for (size_t k = 0; k < COUNT(names); k++) for (size_t i = 0; i < COUNT(odd_values); i++) {
		const char *want = odd_values[i].want;
		char *all = mem_printf("%s%s%s", want ? "/b shared=" : "", want ? want : "", want ? "; " : "");
		raw(&t, names[k], "/b", "", odd_values[i].bytes, odd_values[i].n);
		ck_assert_msg(is(&t, names[k], "/b", want ? want : "", want ? strlen(want) : 0), "row %zu", i);
		EXPECT(&t, "fred", names[k], all);
		/* taken away, and replaced, like any other */
		ck_assert_int_eq(set(&t, "fred", names[k], "/b", true, NULL), 0);
		bytes_are(&t, names[k], "/b", "", NULL, 0);
		raw(&t, names[k], "/b", "", odd_values[i].bytes, odd_values[i].n);
		ck_assert_int_eq(set(&t, "fred", names[k], "/b", true, "new"), 0);
		EXPECT(&t, "fred", names[k], "/b shared=new; ");
		ck_assert_int_eq(set(&t, "fred", names[k], "/b", true, NULL), 0);
		free(all);
	}
	storetest_remove(&t);
}
END_TEST

/* Keys below the scope that are none: passed over, and no obstacle. The last one lacks its NUL and is good. */
START_TEST(odd_keys)
{
	static const struct { const char *bytes; size_t n; } keys[] = {
		{ BYTES("") }, { BYTES("\0") }, { BYTES("/b") }, { BYTES("/b\0fred\0more\0") }, { BYTES("/b\0fred\0\0") },
		{ BYTES("b\0\0") },
		{ BYTES("/b\0fre\0") }, { BYTES("/b\0freds\0") }, { BYTES("/c\0fred") },
	};
	static const char value[] = "\0\0\0\2\0\0\0\0ab\0" TEXT "\0" ZEROES;
	struct storetest t;
	struct mbentry e = { 0 };
	struct cyrusdb *db;
	storetest_new(&t, levels[_i], "");
	storetest_create(&t, "user.fred");
	ck_assert_int_eq(annotdb_open(t.st, CYRUSDB_CREATE, &db), 0);
	for (size_t i = 0; i < COUNT(keys); i++) {
		struct buf key = BUF_INIT;
		ck_assert(annotdb_scope(t.st, entry_of(&t, "user.fred", &e), &key));
		buf_append(&key, keys[i].bytes, keys[i].n);
		ck_assert_int_eq(cyrusdb_store(db, key.s, key.len, value, sizeof value - 1, NULL), 0);
		buf_free(&key);
		mbentry_free(&e);
	}
	cyrusdb_close(db);
	EXPECT(&t, "fred", "user.fred", "/c own=ab; ");
	ck_assert_int_eq(set(&t, "fred", "user.fred", "/a", true, "x"), 0);
	EXPECT(&t, "fred", "user.fred", "/a shared=x; /c own=ab; ");
	storetest_remove(&t);
}
END_TEST

START_TEST(no_database_at_all)
{
	struct storetest t;
	storetest_new(&t, levels[_i], "");
	storetest_create(&t, "user.fred");
	storetest_run("head -c 5000 /dev/zero >%s/conf/annotations.db", t.dir);
	ck_assert_ptr_null(annots_open(t.st, "fred"));
	ck_assert_int_eq(set(&t, "fred", "user.fred", "/comment", true, "x"), ERR_IO);
	ck_assert_int_eq(set(&t, "fred", NULL, "/comment", true, "x"), ERR_IO);
	ck_assert_uint_eq(header_of(&t, "user.fred").quota_annot_used, 0);
	ck_assert_int_eq(storetest_append(&t, "user.fred", 1, NULL, NULL), 0);           /* mail goes on */
	storetest_run("rm %s/conf/annotations.db", t.dir);
	ck_assert_int_eq(set(&t, "fred", "user.fred", "/comment", true, "x"), 0);
	storetest_remove(&t);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ of messages */

static void raw_message(struct storetest *t, const char *name, const char *key, size_t keylen, const char *value, size_t n)
{
	struct mbentry e = { 0 };
	struct buf path = BUF_INIT;
	struct cyrusdb *db;
	ck_assert_int_eq(path_mailbox(t->st, entry_of(t, name, &e), META_ANNOTATIONS, "cyrus.annotations", &path), 0);
	ck_assert_int_eq(cyrusdb_open(t->st->dbs, "twoskip", buf_cstr(&path), CYRUSDB_CREATE, &db), 0);
	ck_assert_int_eq(cyrusdb_store(db, key, keylen, value, n, NULL), 0);
	cyrusdb_close(db);
	buf_free(&path);
	mbentry_free(&e);
}

static int sum(void *arg, uint32_t uid, size_t size, uint32_t crc)
{
	struct buf *b = arg;
	(void)crc;
	buf_printf(b, "%u:%zu ", uid, size);
	return 0;
}

START_TEST(of_messages)
{
	struct storetest t;
	struct mailbox *from, *to;
	struct buf b = BUF_INIT;
	storetest_new(&t, levels[_i], "");
	storetest_create(&t, "user.fred");
	storetest_create(&t, "user.fred.to");
	ck_assert_int_eq(storetest_append(&t, "user.fred", 1, NULL, NULL), 0);
	ck_assert_int_eq(storetest_append(&t, "user.fred.to", 2, NULL, NULL), 0);
	static const char tomb[] = "\0\0\0\0\0\0\0\0\0" TEXT "\0" ZEROES "\0\0\0\0\0\0\0\1\1";
	static const char good[] = "\0\0\0\3\0\0\0\0abc\0" TEXT "\0" ZEROES, bits32[] = "\0\0\0\4four\0" TEXT "\0" ZEROES,
		bad[] = "\0\0\0\4\0\0\0\0abc";
	raw_message(&t, "user.fred", BYTES("1\0/altsubject\0\0"), BYTES(bits32));
	raw_message(&t, "user.fred", BYTES("1\0/comment\0\0"), BYTES(tomb));
	if (_i) raw_message(&t, "user.fred", BYTES("1\0/comment\0[.OwNeR.]\0"), BYTES(good));
	else raw_message(&t, "user.fred", BYTES("1\0/comment\0fred\0"), BYTES(good));
	raw_message(&t, "user.fred", BYTES("1\0/comment\0joe\0"), BYTES(good));
	raw_message(&t, "user.fred", BYTES("1\0/damaged\0\0"), BYTES(bad));
	raw_message(&t, "user.fred", BYTES("1\0damaged\0\0"), BYTES(good));
	raw_message(&t, "user.fred", BYTES("1x\0/comment\0\0"), BYTES(good));
	raw_message(&t, "user.fred", BYTES("11\0/comment\0\0"), BYTES(good));
	ck_assert_int_eq(mailbox_open(t.st, "user.fred", &from), 0);
	ck_assert_int_eq(mailbox_open(t.st, "user.fred.to", &to), 0);
	ck_assert_int_eq(mailbox_lock(from, LOCK_EXCLUSIVE), 0);
	ck_assert_int_eq(mailbox_lock(to, LOCK_EXCLUSIVE), 0);
	ck_assert_int_eq(mailbox_annots_each(from, sum, &b), 0);
	ck_assert_str_eq(buf_cstr(&b), "1:4 1:3 1:3 11:3 ");
	ck_assert_int_eq(mailbox_annots_message(from, 1, to, 1, "fred"), 0);             /* the shared one and his own */
	mailbox_touch_index(to);
	ck_assert_uint_eq(to->h.quota_annot_used, 7);
	ck_assert_int_eq(mailbox_unlock(to), 0);
	ck_assert_int_eq(mailbox_unlock(from), 0);
	ck_assert_int_eq(mailbox_lock(to, LOCK_EXCLUSIVE), 0);
	buf_reset(&b);
	ck_assert_int_eq(mailbox_annots_each(to, sum, &b), 0);
	ck_assert_str_eq(buf_cstr(&b), "1:4 1:3 ");
	ck_assert_int_eq(mailbox_unlock(to), 0);
	mailbox_close(&from);
	mailbox_close(&to);
	buf_free(&b);
	storetest_remove(&t);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ deadlocks */
#ifdef HAVE_BDB

/* One of the originals: it holds the record of `first` and goes for that of `then` when somebody has begun to wait, as he holds
 * that and wants the first. Of the two the younger, who is not this one, is told to begin anew. */
static int original(const struct storetest *t, const char *file, const struct buf *first, const struct buf *then, int go,
	int tell)
{
	DB_ENV *e;
	DB *h;
	DB_TXN *txn;
	DB_LOCK_STAT *stat;
	DBT k = { .data = first->s, .size = (u_int32_t)first->len }, z = { .data = then->s, .size = (u_int32_t)then->len },
		v = { .flags = DB_DBT_MALLOC };
	char *dir = mem_printf("%s/conf/db", t->dir);
	char *path = mem_printf("%s/conf/%s", t->dir, file);
	uintmax_t waits;
	char c;
	if (read(go, &c, 1) != 1) return 9;
	if (db_env_create(&e, 0) || e->set_lk_detect(e, DB_LOCK_YOUNGEST)) return 1;
	if (e->open(e, dir, DB_INIT_LOCK | DB_INIT_MPOOL | DB_INIT_LOG | DB_INIT_TXN, 0644)) return 2;
	if (db_create(&h, e, 0) || h->open(h, NULL, path, NULL, DB_BTREE, DB_AUTO_COMMIT, 0644) || e->txn_begin(e, NULL, &txn, 0))
		return 3;
	if (h->get(h, txn, &k, &v, DB_RMW)) return 4;
	if (e->lock_stat(e, &stat, 0)) return 5;
	waits = stat->st_lock_wait;
	if (write(tell, "x", 1) != 1) return 6;
	do {
		usleep(1000);
		if (e->lock_stat(e, &stat, 0)) return 7;
	} while (stat->st_lock_wait == waits);
	int r = h->get(h, txn, &z, &v, DB_RMW);
	if (r) txn->abort(txn);
	else r = txn->commit(txn, 0);
	h->close(h, 0);
	e->close(e, 0);
	return r == DB_LOCK_DEADLOCK ? 99 : r ? 8 : 0;
}

struct rival { int go[2], tell[2]; pid_t pid; };

static void rival_start(struct rival *v, struct storetest *t, const char *file, const struct buf *first, const struct buf *then)
{
	char c;
	storetest_close(t);                              /* nothing of the library's is handed on to a child */
	ck_assert_int_eq(pipe(v->go) | pipe(v->tell), 0);
	fflush(NULL);
	v->pid = fork();
	if (!v->pid) {
		signal(SIGALRM, SIG_DFL);                /* not Check's */
		alarm(100);
		_exit(original(t, file, first, then, v->go[0], v->tell[1]));
	}
	close(v->go[0]);
	close(v->tell[1]);
	storetest_open(t);
	ck_assert_int_eq(write(v->go[1], "x", 1), 1);
	if (read(v->tell[0], &c, 1) != 1) {
		int status;
		waitpid(v->pid, &status, 0);
		ck_abort_msg("the other one: %x", (unsigned)status);
	}
}

static void rival_end(struct rival *v)
{
	int status;
	ck_assert_int_eq(waitpid(v->pid, &status, 0), v->pid);
	/* it was us who began anew */
	ck_assert_msg(WIFEXITED(status) && !WEXITSTATUS(status), "the other one: %x", (unsigned)status);
	close(v->go[1]);
	close(v->tell[0]);
}

START_TEST(deadlock_over_annotations)
{
	struct storetest t;
	struct rival v;
	struct mbentry e = { 0 };
	struct buf a = BUF_INIT, z = BUF_INIT;
	char big[900];
	memset(big, 'b', sizeof big);
	storetest_new(&t, levels[_i], "annotation_db: berkeley\n");
	storetest_create(&t, "user.fred");
	for (char c = 'a'; c <= 'z'; c++) {
		char name[] = { '/', c, 0 };
		struct annots_change one = { name, true, big, sizeof big };
		ck_assert_int_eq(set_n(&t, "fred", "user.fred", &one, 1), 0);
	}
	ck_assert(annotdb_key(t.st, entry_of(&t, "user.fred", &e), "/a", "", &a) && annotdb_key(t.st, &e, "/z", "", &z));
	rival_start(&v, &t, "annotations.db", &a, &z);
	struct annots_change two[] = { { "/z", true, "1", 1 }, { "/a", true, "2", 1 } };
	ck_assert_int_eq(set_n(&t, "fred", "user.fred", two, 2), 0);
	rival_end(&v);
	ck_assert(is(&t, "user.fred", "/z", "1", 1) && is(&t, "user.fred", "/a", "2", 1));
	ck_assert_uint_eq(header_of(&t, "user.fred").quota_annot_used, 24 * sizeof big + 2);           /* counted once */
	mbentry_free(&e);
	buf_free(&a);
	buf_free(&z);
	storetest_remove(&t);
}
END_TEST

/* The record by name is written first, then the one by id, which is on another page. */
START_TEST(deadlock_over_the_list)
{
	struct storetest t;
	struct rival v;
	struct mbentry e;
	struct buf id = BUF_INIT, name = BUF_INIT;
	storetest_new(&t, "3.6", "mboxlist_db: berkeley\n");
	for (int i = 0; i < 60; i++) {
		char box[40];
		snprintf(box, sizeof box, "user.fred%02d", i);
		storetest_create(&t, box);
	}
	ck_assert_int_eq(mboxlist_lookup(t.st, "user.fred59", &e), 0);
	buf_printf(&id, "I%s", e.uniqueid);
	t.st->layout->key(&t.st->ns, &e.parts, &name);
	rival_start(&v, &t, "mailboxes.db", &id, &name);
	free(e.acl);
	e.acl = mem_strdup("joe\tlrs\t");
	ck_assert_int_eq(mboxlist_put(t.st, &e), 0);
	mbentry_free(&e);
	rival_end(&v);
	ck_assert_int_eq(mboxlist_lookup(t.st, "user.fred59", &e), 0);
	ck_assert_str_eq(e.acl, "joe\tlrs\t");
	const char *val;
	size_t n;
	ck_assert_int_eq(cyrusdb_fetch(t.st->mboxlist, id.s, id.len, &val, &n, NULL), 0);
	ck_assert_ptr_nonnull(memmem(val, n, "joe lrs", 7));
	mbentry_free(&e);
	buf_free(&id);
	buf_free(&name);
	storetest_remove(&t);
}
END_TEST
#endif

int main(void)
{
	Suite *s = suite_create("annots");
	TCase *t = tcase_create("annots");
	tcase_set_timeout(t, 120);
	suite_add_tcase(s, t);
	tcase_add_loop_test(t, recorded, 0, 2);
	tcase_add_loop_test(t, scopes, 0, 2);
	tcase_add_test(t, no_id);
	tcase_add_loop_test(t, values_of_every_size, 0, 2);
	tcase_add_loop_test(t, what_follows, 0, 2);
	tcase_add_loop_test(t, options, 0, 2);
	tcase_add_loop_test(t, odd_rows, 0, 2);
	tcase_add_loop_test(t, odd_keys, 0, 2);
	tcase_add_loop_test(t, no_database_at_all, 0, 2);
	tcase_add_loop_test(t, of_messages, 0, 2);
#ifdef HAVE_BDB
	tcase_add_loop_test(t, deadlock_over_annotations, 0, 2);
	tcase_add_test(t, deadlock_over_the_list);
#endif
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
