/* check_recorded.c - every record of the recorded stores, read and written again. */
#include "cunit/store/tables/suites.h"
#include "cunit/store/tables/tables.h"
#include "store/layout.h"
#include "store/quota.h"
#include "store/subs.h"
#include "sys/file.h"

#include <ftw.h>

static const char *const versions[] = { "2.5.7", "2.5.7-alt", "3.6.1", "3.6.1-alt" };

struct golden {
	struct storetest t;
	bool new_layout;
	const char *file;
	unsigned rows, files;
};
static struct golden gold;               /* nftw() has no argument */

static int again_list(const char *p, size_t len, struct buf *out)
{
	return gold.new_layout ? again_36(p, len, out) : again_25(p, len, out);
}

static int again_subkey(const char *p, size_t len, struct buf *out)
{
	buf_append(out, p, len);             /* checked whole by subscriptions() */
	return 0;
}

static int again_nothing(const char *p, size_t len, struct buf *out)
{
	(void)out;
	ck_assert_msg(!len, "a value where there is none: %.*s", (int)len, p);
	return 0;
}

static const struct table { const char *suffix; enum conf_opt engine; again *key, *value; } tables[] = {
	{ "mailboxes.db", OPT_MBOXLIST_DB, NULL, again_list }, { "annotations.db", OPT_ANNOTATION_DB, again_annotkey, again_annot },
	{ "cyrus.annotations", OPT_ANNOTATION_DB, again_annotkey, again_annot },
	{ "deliver.db", OPT_DUPLICATE_DB, again_markkey, again_mark },
	{ "statuscache.db", OPT_STATUSCACHE_DB, again_statuskey, again_status },
	{ "user_deny.db", OPT_USERDENY_DB, NULL, again_deny },
	{ "sub", OPT_SUBSCRIPTION_DB, again_subkey, again_nothing }, { "sub.db", OPT_SUBSCRIPTION_DB, again_subkey, again_nothing },
	{ ".seen", OPT_SEENSTATE_DB, NULL, again_seen }, { "/seen.db", OPT_SEENSTATE_DB, NULL, again_seen },
	{ ".mboxkey", OPT_MBOXKEY_DB, NULL, again_mboxkey }, { "/mboxkey.db", OPT_MBOXKEY_DB, NULL, again_mboxkey },
};

static bool ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);
	return n >= m && !strcmp(s + n - m, suffix);
}

static int row(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	const struct table *tb = arg;
	struct buf out = BUF_INIT;
	gold.rows++;
	if (tb->value == again_nothing && *key == '\x1f') return 0;              /* the version of the subscriptions */
	if (tb->key) {
		ck_assert_int_eq(tb->key(key, keylen, &out), 0);
		same(&out, key, keylen, gold.file);
	}
	buf_reset(&out);
	again *fn = tb->value == again_list && gold.new_layout && *key == 'A' ? again_nothing : tb->value;
	int r = fn(val, vallen, &out);
	ck_assert_msg(!r, "%s: %.*s: %.*s: %s", gold.file, (int)keylen, key, (int)vallen, val, err_text(r));
	same(&out, val, vallen, gold.file);
	buf_free(&out);
	return 0;
}

static int table_file(const char *path, const struct stat *sb, int kind, struct FTW *ftw)
{
	(void)sb, (void)ftw;
	for (size_t i = 0; kind == FTW_F && i < COUNT(tables); i++) {
		struct cyrusdb *db;
		if (!ends(path, tables[i].suffix)) continue;
		gold.file = path;
		gold.files++;
		ck_assert_msg(!cyrusdb_open(gold.t.st->dbs, conf_word(gold.t.conf, tables[i].engine), path, CYRUSDB_RDONLY, &db), "%s",
			path);
		ck_assert_int_eq(cyrusdb_foreach(db, "", 0, NULL, row, (void *)&tables[i], NULL), 0);
		cyrusdb_close(db);
		break;
	}
	return 0;
}

static void golden_open(int version)
{
	gold = (struct golden){ .new_layout = version >= 2 };
	storetest_golden(&gold.t, versions[version]);
}

START_TEST(every_record_of_the_recorded_stores)
{
	golden_open(_i);
	ck_assert_int_eq(gold.t.st->layout->level, gold.new_layout ? LEVEL_36 : LEVEL_25);
	ck_assert_int_eq(nftw(gold.t.dir, table_file, 20, FTW_PHYS), 0);
	ck_assert_msg(gold.files > 20 && gold.rows > 300, "%u rows in %u files", gold.rows, gold.files);
	storetest_remove(&gold.t);
}
END_TEST

/* Quota roots are not one file; the log is text; subscriptions depend on whose they are. */
struct roots { unsigned n; };

static int root(void *arg, const char *name, const struct quota *q)
{
	struct roots *r = arg;
	char *path = mem_printf("find %s/conf -path '*/quota/*/%s' -type f", gold.t.dir,
		strchr(name, '!') ? strchr(name, '!') + 1 : name);
	FILE *f = popen(path, "r");
	char file[1024];
	ck_assert_ptr_nonnull(fgets(file, sizeof file, f));
	pclose(f);
	file[strcspn(file, "\n")] = 0;
	struct buf text = BUF_INIT, out = BUF_INIT;
	ck_assert_int_eq(file_read(file, 4096, &text), 0);
	quota_print(q, q->has_modseq, &out);
	const char *line = memchr(text.s, '%', text.len);
	size_t n = (size_t)(text.s + text.len - line);
	if (n && line[n - 1] == '\n') n--;
	same(&out, line, n, file);
	buf_free(&text);
	buf_free(&out);
	free(path);
	r->n++;
	return 0;
}

struct want { const struct buf *keys; const char *userid; size_t at; };

static int sub_again(void *arg, const struct mbname *n)
{
	struct want *w = arg;
	struct buf key = BUF_INIT;
	gold.t.st->layout->sub_key(gold.t.st, w->userid, n, &key);
	size_t len = strlen(w->keys->s + w->at);
	same(&key, w->keys->s + w->at, len, w->userid);
	w->at += len + 1;
	buf_free(&key);
	return 0;
}

static int add_key(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	struct buf *keys = arg;
	(void)val, (void)vallen;
	if (*key == '\x1f') return 0;
	buf_append(keys, key, keylen);
	buf_putc(keys, 0);
	return 0;
}

static unsigned subscriptions(const char *userid)
{
	struct buf path = BUF_INIT, keys = BUF_INIT;
	struct cyrusdb *db;
	struct want w = { &keys, userid, 0 };
	gold.t.st->layout->user_file(gold.t.st, userid, "sub", &path);
	if (cyrusdb_open(gold.t.st->dbs, conf_word(gold.t.conf, OPT_SUBSCRIPTION_DB), buf_cstr(&path), 0, &db)) {
		buf_free(&path);
		return 0;
	}
	ck_assert_int_eq(cyrusdb_foreach(db, "", 0, NULL, add_key, &keys, NULL), 0);
	cyrusdb_close(db);
	ck_assert_int_eq(subs_each(gold.t.st, userid, sub_again, &w), 0);
	ck_assert_uint_eq(w.at, keys.len);
	unsigned n = keys.len > 0;
	buf_free(&path);
	buf_free(&keys);
	return n;
}

START_TEST(quotas_logs_and_subscriptions_of_the_recorded_stores)
{
	static const char *const users[] = { "alice", "bob", "carol", "admin", "heidi", "margaret", "peggy", "fredsmith",
		"fred.smith", "joe@example.net" };
	struct roots r = { 0 };
	unsigned with_subs = 0, lines = 0;
	golden_open(_i);
	ck_assert_int_eq(quota_each(gold.t.st, "", root, &r), 0);
	ck_assert_uint_ge(r.n, 12);
	for (size_t i = 0; i < COUNT(users); i++) with_subs += subscriptions(users[i]);
	ck_assert_uint_ge(with_subs, 5);
	char *log = mem_printf("%s/conf/sync/log", gold.t.dir);
	struct buf text = BUF_INIT, out = BUF_INIT;
	if (!file_read(log, 1 << 24, &text)) {
		for (char *p = text.s, *end = p + text.len, *nl; p < end && (nl = memchr(p, '\n', (size_t)(end - p))); p = nl + 1,
			lines++) {
			buf_reset(&out);
			ck_assert_msg(!again_syncline(p, (size_t)(nl - p), &out), "%.*s", (int)(nl - p), p);
			same(&out, p, (size_t)(nl - p) + 1, "sync/log");
		}
		ck_assert_uint_gt(lines, 100);
	}
	ck_assert_int_eq(lines > 0, _i == 1 || _i == 3);
	buf_free(&text);
	buf_free(&out);
	free(log);
	storetest_remove(&gold.t);
}
END_TEST

TCase *case_recorded(void)
{
	TCase *t = tcase_create("recorded stores");
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, every_record_of_the_recorded_stores, 0, COUNT(versions));
	tcase_add_loop_test(t, quotas_logs_and_subscriptions_of_the_recorded_stores, 0, COUNT(versions));
	return t;
}
