/* check_dbformat.c - the database files byte for byte, those of the originals, and damaged ones. */
#include "cunit/db/dbtest.h"

#include "base/num.h"
#include "sys/clock.h"

static int levels_given[16], level_at;

static int next_level(void *arg, int max)
{
	(void)arg, (void)max;
	return levels_given[level_at++];
}

static int64_t fake_mono(void) { return 1000000000; }
static int64_t fake_real(void) { return 0x6b01d76dLL * NSEC_PER_SEC; }

static void given_levels(int n, const int *v)
{
	memcpy(levels_given, v, (size_t)n * sizeof *v);
	level_at = 0;
	env->level = next_level;
}

static void same_bytes(const char *path, const char *name)
{
	struct buf a = BUF_INIT, b = BUF_INIT;
	char *g = golden(name);
	slurp(path, &a);
	slurp(g, &b);
	ck_assert_uint_eq(a.len, b.len);
	for (size_t i = 0; i < a.len; i++) ck_assert_msg(a.s[i] == b.s[i], "%s differs at %zu: %02x, not %02x", name, i,
		(unsigned char)a.s[i],
		(unsigned char)b.s[i]);
	buf_free(&a);
	buf_free(&b);
	free(g);
}

START_TEST(twoskip_example)
{
	given_levels(3, (const int[]){ 1, 1, 1 });
	struct cyrusdb *db = open_as("twoskip", path_of("t"), CYRUSDB_CREATE);
	ck_assert_int_eq(put(db, "alpha", "one"), 0);
	ck_assert_int_eq(put(db, "beta", "two-two"), 0);
	ck_assert_int_eq(cyrusdb_delete(db, "alpha", 5, NULL, false), 0);
	ck_assert_int_eq(put(db, "gamma", "3"), 0);
	ck_assert_int_eq(cyrusdb_consistent(db), 0);
	same_bytes(path_of("t"), "basic.twoskip");
	struct stat st;
	ck_assert_int_eq(stat(path_of("t"), &st), 0);
	ck_assert_uint_eq(st.st_size, 592);
}
END_TEST

START_TEST(skiplist_example)
{
	clock_fake(fake_mono, fake_real);
	given_levels(4, (const int[]){ 1, 2, 1, 1 });
	struct cyrusdb *db = open_as("skiplist", path_of("s"), CYRUSDB_CREATE);
	ck_assert_int_eq(put(db, "beta", "two-two"), 0);
	ck_assert_int_eq(put(db, "alpha", "one"), 0);
	ck_assert_int_eq(put(db, "gamma", "3"), 0);
	ck_assert_int_eq(cyrusdb_delete(db, "alpha", 5, NULL, false), 0);
	ck_assert_int_eq(put(db, "beta", "BB"), 0);
	ck_assert_int_eq(cyrusdb_consistent(db), 0);
	struct buf b = BUF_INIT;
	char *g = golden("log.skiplist");
	slurp(g, &b);
	/* the recorded file has its own time of creation */
	char four[4];
	memcpy(four, b.s + 44, 4);
	buf_free(&b);
	free(g);
	struct buf mine = BUF_INIT;
	slurp(path_of("s"), &mine);
	memcpy(mine.s + 44, four, 4);
	ck_assert_int_eq(newfile_write(path_of("s2"), 0600, mine.s, mine.len), 0);
	buf_free(&mine);
	same_bytes(path_of("s2"), "log.skiplist");
	clock_fake(NULL, NULL);
}
END_TEST

START_TEST(flat_example)
{
	struct buf b = BUF_INIT;
	struct cyrusdb *db = open_as("flat", path_of("f"), CYRUSDB_CREATE);
	struct cyrusdb *g = open_as("flat", copy_golden("basic.flat", "g"), 0);
	/* whatever it holds, written anew record by record it is the same */
	ck_assert_int_eq(cyrusdb_foreach(g, "", 0, NULL, add_text, &b, NULL), 0);
	ck_assert_uint_gt(b.len, 0);


	const char *k = NULL, *v = NULL;
	size_t kn = 0, vn = 0;
	char last[100] = "";
	while (!cyrusdb_fetchnext(g, last, strlen(last), &k, &kn, &v, &vn, NULL)) {
		snprintf(last, sizeof last, "%.*s", (int)kn, k);
		ck_assert_int_eq(cyrusdb_store(db, k, kn, v, vn, NULL), 0);
	}
	same_bytes(path_of("f"), "basic.flat");
	ck_assert_int_eq(cyrusdb_store(db, "bob", 3, "2\timap", 6, NULL), 0);
	buf_free(&b);
	struct buf f = BUF_INIT;
	slurp(path_of("f"), &f);
	ck_assert_ptr_nonnull(strstr(buf_cstr(&f), "bob\t2\xff\x89imap\n"));
	buf_free(&f);
}
END_TEST

static const struct { const char *file, *engine, *text; } originals[] = {
	{ "basic.twoskip", "twoskip", "beta=two-two gamma=3 " },
	{ "log.skiplist", "skiplist", "beta=BB gamma=3 " },
	{ "checkpointed.skiplist", "skiplist", NULL },
};

START_TEST(files_of_the_originals)
{
	struct buf b = BUF_INIT;
	const char *path = copy_golden(originals[_i].file, "x");
	ck_assert_str_eq(cyrusdb_detect(path), originals[_i].engine);
	struct cyrusdb *db = open_as(originals[_i].engine, path, 0);
	ck_assert_int_eq(cyrusdb_consistent(db), 0);
	if (originals[_i].text) ck_assert_str_eq(text_of(db, &b), originals[_i].text);
	else ck_assert_uint_gt(strlen(text_of(db, &b)), 0);
	ck_assert_int_eq(put(db, "aaa", "new"), 0);
	ck_assert_int_eq(cyrusdb_repack(db), 0);
	ck_assert_int_eq(cyrusdb_consistent(db), 0);
	ck_assert_int_eq(strncmp(text_of(db, &b), "aaa=new ", 8), 0);
	cyrusdb_close(db);
	/* with the wrong name asked for it still opens as what it is */
	db = open_as(_i ? "twoskip" : "skiplist", path, 0);
	ck_assert_str_eq(cyrusdb_engine(db), originals[_i].engine);
	buf_free(&b);
}
END_TEST

/* crash/expected.json is read as it is: "file": { "key": "value", ... } */
static char *expected(const char *file)
{
	struct buf b = BUF_INIT, out = BUF_INIT;
	char *g = golden("crash/expected.json"), *name = mem_printf("\"%s\": {", file);
	slurp(g, &b);
	const char *p = strstr(buf_cstr(&b), name);
	ck_assert_msg(p, "%s", file);
	p += strlen(name);
	while (*p != '}') {
		char key[100], val[100];
		if (sscanf(p, " \"%99[^\"]\": \"%99[^\"]\"", key, val) == 2) buf_printf(&out, "%s=%s ", key, val);
		p = strpbrk(p + 1, "\n}");
	}
	free(g);
	free(name);
	buf_free(&b);
	return buf_take(&out);
}

static const char *const crashes[] = { "0-clean", "1-dirty-only", "2-uncommitted", "3-torn-append", "4-commit-written-header-not",
	"5-junk-tail-not-dirty" };

START_TEST(crash_states)
{
	struct buf b = BUF_INIT;
	char *name = mem_printf("crash/%s", crashes[_i]), *want = expected(crashes[_i]);
	const char *path = copy_golden(name, "c");
	/* a look without recovery sees the same, and changes nothing */
	struct buf before = BUF_INIT, after = BUF_INIT;
	slurp(path, &before);
	struct cyrusdb *db = open_as("twoskip", path, CYRUSDB_RDONLY);
	ck_assert_str_eq(text_of(db, &b), want);
	ck_assert_int_eq(put(db, "x", "y"), CYRUSDB_READONLY);
	cyrusdb_close(db);
	slurp(path, &after);
	ck_assert_int_eq(buf_cmp(&before, &after), 0);
	db = open_as("twoskip", path, 0);
	ck_assert_str_eq(text_of(db, &b), want);
	ck_assert_int_eq(cyrusdb_consistent(db), 0);
	ck_assert_int_eq(put(db, "zz", "more"), 0);
	ck_assert_int_eq(cyrusdb_consistent(db), 0);
	buf_free(&before);
	buf_free(&after);
	buf_free(&b);
	free(name);
	free(want);
}
END_TEST

START_TEST(killed_writer)
{
	struct cyrusdb *db = open_as("twoskip", copy_golden("crashed.twoskip", "k"), 0);
	struct buf b = BUF_INIT;
	ck_assert_int_eq(cyrusdb_consistent(db), 0);
	ck_assert_uint_gt(strlen(text_of(db, &b)), 100);
	buf_free(&b);
}
END_TEST

/* A file with history, then one byte changed: whatever byte it is, nothing crashes and nothing wrong is answered. */
START_TEST(every_byte_flipped)
{
	const char *engine = _i ? "skiplist" : "twoskip";
	struct buf file = BUF_INIT, b = BUF_INIT, all = BUF_INIT;
	struct cyrusdb *db = open_as(engine, path_of("h"), CYRUSDB_CREATE);
	for (int i = 0; i < 12; i++) {
		char key[10], val[20];
		snprintf(key, sizeof key, "k%02d", i * 7 % 12);
		snprintf(val, sizeof val, "value-%d", i);
		put(db, key, val);
		buf_printf(&all, "%s=%s ", key, val);
	}
	cyrusdb_delete(db, "k03", 3, NULL, true);
	cyrusdb_close(db);
	slurp(path_of("h"), &file);
	for (size_t i = 0; i < file.len; i++) {
		file.s[i] = (char)(file.s[i] ^ 0x41);
		newfile_write(path_of("h"), 0600, file.s, file.len);
		struct cyrusdb *d = NULL;
		if (!cyrusdb_open(env, engine, path_of("h"), 0, &d)) {
			buf_reset(&b);
			int r = cyrusdb_foreach(d, "", 0, NULL, add_text, &b, NULL);
			if (!_i && !r) {         /* twoskip has checksums: an answer is a true one */
				char *save = NULL;
				for (char *w = strtok_r((char *)(uintptr_t)buf_cstr(&b), " ", &save); w; w = strtok_r(NULL, " ", &save))
					ck_assert_msg(strstr(buf_cstr(&all), w) != NULL, "byte %zu: %s", i, w);
			}
			cyrusdb_consistent(d);
			put(d, "new", "x");
			cyrusdb_repack(d);
			cyrusdb_close(d);
		}
		file.s[i] = (char)(file.s[i] ^ 0x41);
	}
	buf_free(&file);
	buf_free(&all);
	buf_free(&b);
}
END_TEST

/* Second stage: a record head that cannot be read, in a file that needs recovery. Deletes hit the right record. */
START_TEST(salvage)
{
	struct buf file = BUF_INIT, b = BUF_INIT;
	given_levels(9, (const int[]){ 1, 1, 1, 1, 1, 1, 1, 1, 1 });
	struct cyrusdb *db = open_as("twoskip", path_of("v"), CYRUSDB_CREATE);
	put(db, "a", "1"), put(db, "b", "2"), put(db, "c", "3"), put(db, "d", "4");
	cyrusdb_delete(db, "b", 1, NULL, false);         /* points to c */
	cyrusdb_delete(db, "d", 1, NULL, false);         /* points to nothing */
	put(db, "e", "5");
	cyrusdb_close(db);
	slurp(path_of("v"), &file);
	char *e = memmem(file.s, file.len, "e5\0\0\0\0\0\0", 8);
	ck_assert_ptr_nonnull(e);
	e[-7] ^= 1;                                      /* its head CRC; alone it could be a rewrite that was cut off */
	e[1] = '6';
	uint64_t size = get_be64(file.s + 48);
	buf_append(&file, "garbage!", 8);                /* longer than the header says: unclean */
	ck_assert_uint_eq(size + 8, file.len);
	newfile_write(path_of("v"), 0600, file.s, file.len);
	env->level = NULL;
	db = open_as("twoskip", path_of("v"), 0);
	ck_assert_str_eq(text_of(db, &b), "a=1 c=3 ");
	ck_assert_int_eq(cyrusdb_consistent(db), 0);
	buf_free(&file);
	buf_free(&b);
}
END_TEST

/* A power failure behind the last COMMIT: zeros where a sector did not arrive, then the end of a record. The originals refuse the
 * file. */
START_TEST(hole_in_the_skiplist_log)
{
	struct buf file = BUF_INIT, b = BUF_INIT;
	ck_assert_int_eq(newfile_write(path_of("db/skipstamp"), 0600, "\0\0\0\0", 4), 0);         /* everything is to be recovered */
	for (int committed = 0; committed < 2; committed++) {
		char *g = golden("log.skiplist");
		slurp(g, &file);
		size_t was = file.len;
		for (int i = 0; i < 64; i++) buf_putc(&file, 0);
		buf_append(&file, "half a record...", 16);
		if (committed) {                         /* behind it lies what somebody relied on: that is another kind of damage */
			buf_be32(&file, 4);
			buf_be32(&file, 0x114);
			buf_be32(&file, 255);
		}
		ck_assert_int_eq(newfile_write(path_of("h"), 0600, file.s, file.len), 0);
		struct cyrusdb *db = NULL;
		int r = cyrusdb_open(env, "skiplist", path_of("h"), 0, &db);
		ck_assert_int_eq(r, committed ? CYRUSDB_IOERROR : 0);
		if (!r) ck_assert_str_eq(text_of(db, &b), "beta=BB gamma=3 ");
		if (!r) ck_assert_int_eq(cyrusdb_consistent(db), 0);
		if (!r) ck_assert_int_eq(put(db, "delta", "4"), 0);
		cyrusdb_close(db);
		ck_assert_uint_gt(was, 0);
		free(g);
	}
	buf_free(&file);
	buf_free(&b);
}
END_TEST

START_TEST(detection)
{
	newfile_write(path_of("t"), 0600, "user.fred\t\nuser.joe\t\n", 21);
	ck_assert_ptr_null(cyrusdb_detect(path_of("t")));
	struct cyrusdb *db;
	ck_assert_int_eq(cyrusdb_open(env, "twoskip", path_of("t"), CYRUSDB_CONVERT, &db), CYRUSDB_IOERROR);
	ck_assert_int_eq(cyrusdb_open(env, "skiplist", path_of("t"), CYRUSDB_CREATE, &db), CYRUSDB_IOERROR);
	ck_assert_int_eq(cyrusdb_open(env, "twoskip", path_of("none"), 0, &db), CYRUSDB_NOTFOUND);
	ck_assert_int_eq(cyrusdb_open(env, "oracle", path_of("none"), 0, &db), CYRUSDB_INTERNAL);
	ck_assert(cyrusdb_engine_known("quotalegacy"));
	ck_assert_ptr_null(cyrusdb_detect(path_of("none")));
	char *g = golden("b.berkeley");
	ck_assert_str_eq(cyrusdb_detect(g), "berkeley");
	free(g);
	g = golden("b.berkeley-hash");
	ck_assert_str_eq(cyrusdb_detect(g), "berkeley-hash");
	free(g);
	newfile_write(path_of("m"), 0600, "\241\002\213\015twomfile\0\0\0\0", 16);
	ck_assert_str_eq(cyrusdb_detect(path_of("m")), "twom");
}
END_TEST

#ifdef HAVE_BDB
/* Files of 2.5.7, read without their environment; and a way out of it. */
START_TEST(berkeley_files)
{
	static const char *const engine[] = { "berkeley", "berkeley-hash" }, *const file[] = { "b.berkeley", "b.berkeley-hash" };
	struct buf b = BUF_INIT;
	char *g = golden(file[_i]);
	struct cyrusdb *db = open_as(engine[_i], g, CYRUSDB_RDONLY);
	ck_assert_uint_gt(strlen(text_of(db, &b)), 0);
	ck_assert_int_eq(put(db, "x", "y"), CYRUSDB_READONLY);
	cyrusdb_close(db);
	db = open_as(engine[_i], path_of("b.db"), CYRUSDB_CREATE);
	put(db, "b", "2"), put(db, "a", "1");
	cyrusdb_close(db);
	ck_assert_str_eq(cyrusdb_detect(path_of("b.db")), engine[_i]);
	db = open_as("twoskip", path_of("b.db"), CYRUSDB_CONVERT);
	ck_assert_str_eq(cyrusdb_engine(db), "twoskip");
	ck_assert_str_eq(text_of(db, &b), "a=1 b=2 ");
	cyrusdb_close(db);
	ck_assert_int_eq(cyrusdb_convert(env, path_of("b.db"), path_of("b.db"), "twoskip", engine[_i]), 0);
	db = open_as("flat", copy_golden("basic.flat", "f"), 0);
	cyrusdb_close(db);
	db = open_as("skiplist", path_of("b.db"), 0);
	ck_assert_str_eq(cyrusdb_engine(db), engine[_i]);
	ck_assert_str_eq(text_of(db, &b), "a=1 b=2 ");
	free(g);
	buf_free(&b);
}
END_TEST
#endif

START_TEST(conversion)
{
	struct buf b = BUF_INIT;
	const char *path = copy_golden("log.skiplist", "x");
	struct cyrusdb *db = open_as("twoskip", path, CYRUSDB_CONVERT);
	ck_assert_str_eq(cyrusdb_engine(db), "twoskip");
	ck_assert_str_eq(text_of(db, &b), "beta=BB gamma=3 ");
	cyrusdb_close(db);
	ck_assert_str_eq(cyrusdb_detect(path), "twoskip");
	ck_assert_int_eq(access(path_of("x.NEW"), F_OK), -1);
	/* a source that cannot be read to the end stays as it is */
	struct buf file = BUF_INIT;
	copy_golden("log.skiplist", "y");
	slurp(path_of("y"), &file);
	file.s[0xe3] = 99;                               /* key length of gamma */
	newfile_write(path_of("y"), 0600, file.s, file.len);
	ck_assert_int_ne(cyrusdb_convert(env, path_of("y"), path_of("y"), "skiplist", "twoskip"), 0);
	ck_assert_str_eq(cyrusdb_detect(path_of("y")), "skiplist");
	ck_assert_int_eq(access(path_of("y.NEW"), F_OK), -1);
	buf_free(&b);
	buf_free(&file);
}
END_TEST

static const struct { bool full, virt; const char *key, *val, *path, *bytes; } roots[] = {
	{ false, false, "user.fred", "10 20", "quota/f/user.fred", "10\n20\n" },
	{ true, false, "user.fred", "5 6 M 1 2", "quota/E/user.fred", "5\n6 M 1 2\n" },
	{ false, false, "user.1stfloor", "%(S (117) M (3) AS (0 9) NF (1 7))", "quota/q/user.1stfloor",
		"%(S (117) M (3) AS (0 9) NF (1 7))\n" },
	{ false, true, "ex.com!user.joe", "1 2", "domain/e/ex.com/quota/j/user.joe", "1\n2\n" },
	{ false, true, "ex.com!", "1 2", "domain/e/ex.com/quota/root", "1\n2\n" },
	{ false, false, "shared", "0 -1", "quota/s/shared", "0\n-1\n" },
};

START_TEST(quota_files)
{
	struct buf f = BUF_INIT, b = BUF_INIT;
	cyrusdb_env_settings(env)->fulldirhash = roots[_i].full;
	cyrusdb_env_settings(env)->virtdomains = roots[_i].virt;
	struct cyrusdb *db = open_as("quotalegacy", path_of("quotas.db"), CYRUSDB_CREATE | CYRUSDB_MBOXSORT);
	ck_assert_int_eq(put(db, roots[_i].key, roots[_i].val), 0);
	slurp(path_of(roots[_i].path), &f);
	ck_assert_str_eq(buf_cstr(&f), roots[_i].bytes);
	char *want = mem_printf("%s=%s ", roots[_i].key, roots[_i].val);
	ck_assert_str_eq(text_of(db, &b), want);
	ck_assert_int_eq(put(db, "../x", "1 2"), CYRUSDB_INTERNAL);
	ck_assert_int_eq(cyrusdb_delete(db, roots[_i].key, strlen(roots[_i].key), NULL, false), 0);
	ck_assert_str_eq(text_of(db, &b), "");
	free(want);
	buf_free(&f);
	buf_free(&b);
}
END_TEST

/* More roots than a process may have files open, there and back. */
START_TEST(quota_conversion)
{
	enum { ROOTS = 1500 };
	char path[200], out[200], key[30];
	struct cyrusdb_txn *txn = NULL;
	snprintf(path, sizeof path, "%s/quotas.db", dir);
	snprintf(out, sizeof out, "%s/q.twoskip", dir);
	struct cyrusdb *db = open_as("twoskip", path, CYRUSDB_CREATE);
	for (int i = 0; i < ROOTS; i++) {
		snprintf(key, sizeof key, "user.u%d", i);
		ck_assert_int_eq(cyrusdb_store(db, key, strlen(key), "1 2", 3, &txn), 0);
	}
	ck_assert_int_eq(cyrusdb_commit(db, txn), 0);
	cyrusdb_close(db);
	ck_assert_int_eq(cyrusdb_convert(env, path, path, "twoskip", "quotalegacy"), 0);
	ck_assert_int_eq(access(path, F_OK), -1);
	ck_assert_int_eq(cyrusdb_convert(env, path, out, "quotalegacy", "twoskip"), 0);
	db = open_as("twoskip", out, 0);
	const char *v;
	size_t n;
	ck_assert_int_eq(cyrusdb_fetch(db, key, strlen(key), &v, &n, NULL), 0);
	ck_assert_str_eq(v, "1 2");
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("dbformat");
	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, dbtest_setup, dbtest_teardown);
	tcase_add_test(t, twoskip_example);
	tcase_add_test(t, skiplist_example);
	tcase_add_test(t, flat_example);
	tcase_add_loop_test(t, files_of_the_originals, 0, COUNT(originals));
	tcase_add_loop_test(t, crash_states, 0, COUNT(crashes));
	tcase_add_test(t, killed_writer);
	tcase_add_loop_test(t, every_byte_flipped, 0, 2);
	tcase_add_test(t, salvage);
	tcase_add_test(t, hole_in_the_skiplist_log);
	tcase_add_test(t, detection);
	tcase_add_test(t, conversion);
#ifdef HAVE_BDB
	tcase_add_loop_test(t, berkeley_files, 0, 2);
#endif
	tcase_add_loop_test(t, quota_files, 0, COUNT(roots));
	tcase_add_test(t, quota_conversion);
	return suite_run("dbformat", (TCase *[]){ t, NULL });
}
