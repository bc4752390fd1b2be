/* check_spool_walk.c - a walk never leaves the spool: links, circles, mounts, trees that change meanwhile, trees too deep, too wide and
 * too odd, kernels that say nonsense. sys/dirwalk.h first, what the store makes of it (store/spool_walk.h) at the end. */
#include "base/strarray.h"
#include "storetest.h"
#include "store/spool_walk.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/newfile.h"
#include "sys/sys.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define COUNT(a) (sizeof (a) / sizeof *(a))

static char dir[64];
static struct buf logged = BUF_INIT;

static void keep_log(void *arg, int priority, const char *line)
{
	(void)arg;
	if (priority < LOG_DEBUG) buf_printf(&logged, "%s\n", line);
}

static void setup(void)
{
	strcpy(dir, "/tmp/check_walk.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
	log_hook(keep_log, NULL);
}

static void teardown(void)
{
	sys_use(NULL);
	clock_fake(NULL, NULL);
	ck_assert_int_eq(chdir("/"), 0);
	storetest_run("chmod -R u+rwx %s; rm -rf %s", dir, dir);
	log_hook(NULL, NULL);
	buf_free(&logged);
}

static void touch(const char *path) { ck_assert_int_eq(newfile_write(path, 0600, "x", 1), 0); }
static void make(const char *path) { ck_assert_int_eq(file_mkdirs(path, 0700), 0); }

/* One line of a recipe: "d PATH", "f PATH", "p PATH" (a FIFO), "l TARGET PATH". */
static void follow(const char *recipe)
{
	struct strarray lines = STRARRAY_INIT, words = STRARRAY_INIT;
	strarray_split(&lines, recipe, ";");
	for (size_t i = 0; i < lines.n; i++) {
		strarray_split(&words, lines.v[i], " ");
		switch (*words.v[0]) {
		case 'd': make(words.v[1]); break;
		case 'f': touch(words.v[1]); break;
		case 'p': ck_assert_int_eq(mkfifo(words.v[1], 0600), 0); break;
		default: ck_assert_int_eq(symlink(words.v[1], words.v[2]), 0);
		}
		strarray_free(&words);
	}
	strarray_free(&lines);
}

static const char *const odd_names[] = {
#define ROW(name, level, words) #name,
	DIRWALK_ODD_TABLE(ROW)
#undef ROW
};

static int collect(void *arg, const struct dirwalk_entry *e)
{
	static const char letters[] = { [DIRWALK_FILE] = 'f', [DIRWALK_DIR] = 'd', [DIRWALK_LINK] = 'l', [DIRWALK_SPECIAL] = 's' };
	struct stat st;
	ck_assert_str_eq(strrchr(e->path, '/') + 1, e->name);
	if (e->st) ck_assert(!fstatat(e->dirfd, e->name, &st, AT_SYMLINK_NOFOLLOW) && st.st_ino == e->st->st_ino);
	buf_printf(arg, "%s%d%c:%s", ((struct buf *)arg)->len ? " " : "", e->depth, letters[e->kind], e->path);
	return 0;
}

static void put_odds(struct buf *b, const struct dirwalk *w)
{
	for (int i = 0; i < DIRWALK_ODDS; i++)
		if (w->n.odd[i]) buf_printf(b, " %s=%d", odd_names[i], (int)w->n.odd[i]);
	if (w->n.vanished) buf_printf(b, " vanished=%d", (int)w->n.vanished);
}

/* Everything below `root`, in the order in which it was told, and the oddities; free() it. */
static char *walk_all(const char *root, unsigned flags, int want)
{
	struct buf b = BUF_INIT;
	struct dirwalk w = { .roots = &root, .nroots = 1, .levels = DIRWALK_ALL, .flags = flags, .entry = collect, .arg = &b };
	ck_assert_int_eq(dirwalk_run(&w), want);
	int err = errno;
	put_odds(&b, &w);
	char *s = buf_take(&b);
	errno = err;
	return s;
}

static void expect(const char *root, const char *want)
{
	for (unsigned flags = 0; flags <= DIRWALK_STAT; flags++) {
		char *s = walk_all(root, flags, 0);
		ck_assert_str_eq(s, want);
		free(s);
	}
}

/* ------------------------------------------------------------------------------------------------ bad input */

static const struct { const char *recipe, *want; } trees[] = {
	{ "d r", "" },
	{ "d r;d r/a/b;f r/a/b/g;f r/f;f r/.h", "0f:r/.h 0d:r/a 1d:r/a/b 2f:r/a/b/g 0f:r/f" },
	{ "d r;l /sys r/x", "0l:r/x LINK=1" },
	{ "d r;l /sys/class r/cyrus.header", "0l:r/cyrus.header LINK=1" },
	{ "d r;l /proc r/x;l /proc/self/cwd r/y;l /proc/self/fd r/z", "0l:r/x 0l:r/y 0l:r/z LINK=3" },
	{ "d r;l / r/x", "0l:r/x LINK=1" },
	{ "d r/a;l .. r/up;l . r/here;l .. r/a/up;l ../.. r/a/upup", "0d:r/a 1l:r/a/up 1l:r/a/upup 0l:r/here 0l:r/up LINK=4" },
	{ "d r;l self r/self;l b r/a;l a r/b", "0l:r/a 0l:r/b 0l:r/self LINK=3" },
	{ "d r/sibling;f r/sibling/f;l sibling r/a", "0l:r/a 0d:r/sibling 1f:r/sibling/f LINK=1" },
	{ "d r/d;f r/d/f;l d r/3;l 3 r/2;l 2 r/1", "0l:r/1 0l:r/2 0l:r/3 0d:r/d 1f:r/d/f LINK=3" },
	{ "d r;d out/in;f out/secret;l ../out r/x;l ../out/secret r/1.;l nowhere r/y", "0l:r/1. 0l:r/x 0l:r/y LINK=3" },
	{ "d r;p r/1.;p r/cyrus.index;f r/2.", "0s:r/1. 0f:r/2. 0s:r/cyrus.index SPECIAL=2" },
	{ "d r/a\nb;f r/a\nb/\001;l /\n r/\n", "0l:r/\n 0d:r/a\nb 1f:r/a\nb/\001 LINK=1" },
	{ "d r/\xff\xfe;f r/&;f r/&Jjo;f r/&&-;f r/\xc3\xa4;f r/%s%n", "0f:r/%s%n 0f:r/& 0f:r/&&- 0f:r/&Jjo 0f:r/\xc3\xa4 0d:r/\xff\xfe" },
	{ "d r/...;f r/.../..x;d r/-;f r/~", "0d:r/- 0d:r/... 1f:r/.../..x 0f:r/~" },
};

START_TEST(trees_that_should_not_be)
{
	follow(trees[_i].recipe);
	expect("r", trees[_i].want);
}
END_TEST

START_TEST(names_of_255_bytes)
{
	struct buf b = BUF_INIT;
	char name[256] = "";
	memset(name, 'n', 255);
	buf_printf(&b, "r/%s/%s", name, name);
	make(buf_cstr(&b));
	buf_reset(&b);
	buf_printf(&b, "0d:r/%s 1d:r/%s/%s", name, name, name);
	expect("r", buf_cstr(&b));
	buf_free(&b);
}
END_TEST

/* {what to make, root, below, flags, result, errno, oddities} */
static const struct { const char *recipe, *root, *below; unsigned flags; int want, err; const char *odd; } roots[] = {
	{ "d d", "", NULL, 0, -1, ENOENT, "" },
	{ "d d", "none", NULL, 0, -1, ENOENT, "" },
	{ "d d", "none", NULL, DIRWALK_ROOT_GONE, 0, 0, "" },
	{ "d d", "none/deeper", NULL, DIRWALK_ROOT_GONE, 0, 0, "" },
	{ "f f", "f", NULL, 0, -1, ENOTDIR, "" },
	{ "f f", "f/x", NULL, DIRWALK_ROOT_GONE, -1, ENOTDIR, "" },
	{ "p p", "p", NULL, 0, -1, ENOTDIR, "" },
	{ "d d;f d/f;l d l", "l", NULL, 0, -1, ELOOP, " LINK=1" },
	{ "d d;f d/f;l d l", "l/", NULL, 0, -1, ELOOP, " LINK=1" },
	{ "d d;f d/f;l d l", "l", NULL, DIRWALK_ROOT_LINK, 0, 0, "0f:l/f" },
	{ "d d;f d/f;l d l", "l///", NULL, DIRWALK_ROOT_LINK, 0, 0, "0f:l/f" },
	{ "l l l", "l", NULL, DIRWALK_ROOT_LINK, -1, ELOOP, " LINK=1" },
	{ "l l l", "l", NULL, 0, -1, ELOOP, " LINK=1" },
	{ "d d/a/b;f d/a/b/f;f d/g", "d", "a/b", 0, 0, 0, "0f:d/a/b/f" },
	{ "d d/a/b;f d/a/b/f;f d/g", "d/", "/a//b/", 0, 0, 0, "0f:d/a/b/f" },
	{ "d d/a/b;f d/g", "d", "", 0, 0, 0, "0d:d/a 1d:d/a/b 0f:d/g" },
	{ "d d/a;f d/g", "d", "a/../..", 0, -1, EINVAL, "" },
	{ "d d/a;f d/g", "d", "..", 0, -1, EINVAL, "" },
	{ "d d;d out/b;l ../out d/a", "d", "a/b", 0, -1, ELOOP, " LINK=1" },
	{ "d d;d out/b;l ../out d/a", "d", "a/b", DIRWALK_ROOT_LINK, -1, ELOOP, " LINK=1" },
	{ "d d/a;d out;l ../../out d/a/b", "d", "a/b", DIRWALK_ROOT_LINK | DIRWALK_ROOT_GONE, -1, ELOOP, " LINK=1" },
	{ "d d/a/b;f d/a/b/f;l d l", "l", "a/b", 0, -1, ELOOP, " LINK=1" },
	{ "d d/a/b;f d/a/b/f;l d l", "l", "a/b", DIRWALK_ROOT_LINK, 0, 0, "0f:l/a/b/f" },
	{ "d d/a;f d/a/b", "d", "a/b", 0, -1, ENOTDIR, "" },
	{ "d d/a;f d/a/b", "d", "a/c", 0, -1, ENOENT, "" },
	{ "d d/a;f d/a/b", "d", "a/c", DIRWALK_ROOT_GONE, 0, 0, "" },
	{ "d d;p d/a", "d", "a/c", 0, -1, ENOTDIR, "" },
};

START_TEST(roots_and_what_is_below_them)
{
	struct buf b = BUF_INIT;
	follow(roots[_i].recipe);
	struct dirwalk w = { .roots = &roots[_i].root, .nroots = 1, .below = roots[_i].below, .levels = DIRWALK_ALL, .flags = roots[_i].flags,
		.entry = collect, .arg = &b };
	ck_assert_int_eq(dirwalk_run(&w), roots[_i].want);
	if (roots[_i].err) ck_assert_int_eq(errno, roots[_i].err);
	put_odds(&b, &w);
	ck_assert_str_eq(buf_cstr(&b), roots[_i].odd);
	buf_free(&b);
}
END_TEST

/* A root in a root is walked when its turn comes, and once. */
START_TEST(roots_in_roots)
{
	static const char *const both[] = { "r", "r/part", "link" , "r/part/", "r" };
	struct buf b = BUF_INIT;
	follow("d r/part/sub;f r/part/sub/f;d r/a;f r/z;l r/part link");
	struct dirwalk w = { .roots = both, .nroots = COUNT(both), .levels = DIRWALK_ALL, .flags = DIRWALK_ROOT_LINK, .entry = collect, .arg = &b };
	ck_assert_int_eq(dirwalk_run(&w), 0);
	put_odds(&b, &w);
	ck_assert_str_eq(buf_cstr(&b), "0d:r/a 0d:r/part 0f:r/z 0d:r/part/sub 1f:r/part/sub/f");
	ck_assert_uint_eq(w.n.dirs, 4);
	buf_reset(&b);
	w.roots = (const char *const[]){ "r/a", "none", "r/part" };
	w.nroots = 3;
	ck_assert_int_eq(dirwalk_run(&w), -1);
	w.flags |= DIRWALK_ROOT_GONE;
	ck_assert_int_eq(dirwalk_run(&w), 0);
	ck_assert_str_eq(buf_cstr(&b), "0d:r/part/sub 1f:r/part/sub/f");
	buf_reset(&b);
	w.nroots = 0;
	ck_assert_int_eq(dirwalk_run(&w), 0);
	buf_free(&b);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ order */

static int put_path(void *arg, const struct dirwalk_entry *e)
{
	buf_printf(arg, "%s ", e->path + 2);
	return 0;
}

START_TEST(order_is_that_of_names)
{
	static const struct { char sep; bool caret; const char *want; } rows[] = {
		{ '.', false, "a a! a!/x a-b a-b/x a/a a/a/a a/b a0 a0/x a^b b " },
		{ '\x1f', false, "a a/a a/a/a a/b a! a!/x a-b a-b/x a0 a0/x a^b b " },
		{ '\x1f', true, "a a/a a/a/a a/b a! a!/x a-b a-b/x a^b a0 a0/x b " },
	};
	const char *root = "r";
	follow("d r/a/b;d r/a/a/a;d r/a-b/x;d r/a!/x;d r/a0/x;d r/a^b;d r/b");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b = BUF_INIT;
		unsigned char rank[256];
		for (int c = 0; c < 256; c++) rank[c] = (unsigned char)(c == '^' && rows[i].caret ? '.' : c);
		struct dirwalk w = { .roots = &root, .nroots = 1, .levels = DIRWALK_ALL, .rank = rank, .sep = rows[i].sep, .entry = put_path, .arg = &b };
		ck_assert_int_eq(dirwalk_run(&w), 0);
		ck_assert_str_eq(buf_cstr(&b), rows[i].want);
		buf_free(&b);
	}
}
END_TEST

static int add_name(void *arg, const struct mbentry *e)
{
	strarray_append(arg, e->name);
	return 0;
}

static int add_dir(void *arg, const struct dirwalk_entry *e)
{
	const char *p = strstr(e->path, "/spool/") + 7;
	if (e->kind != DIRWALK_DIR || strchr(p, '.')) return 0;
	char *name = mem_strdup(p);
	for (char *q = name; *q; q++) *q = *q == '/' ? '.' : *q;
	strarray_take(arg, name);
	return 0;
}

/* Directories by name come in the order in which the mailbox list has them. */
START_TEST(order_is_that_of_the_mailbox_list)
{
	static const struct { const char *level, *more, *want; } rows[] = {
		{ "2.5", "", NULL },
		{ "2.5", "improved_mboxlist_sort: yes\n", "user user.A user.a user.a.0 user.a.x user.a.x.y user.a.x-y user.a b user.a b.x user.a+b "
			"user.a,b user.a-b user.a-b.x user.a0 user.ab" },
		{ "3.6", "mailbox_legacy_dirs: yes\n", NULL },
	};
	static const char *const names[] = { "a", "a.x", "a.x.y", "a-b", "a-b.x", "a b", "a b.x", "ab", "a+b", "A", "a.x-y", "a^b", "a,b", "a.0", "a0" };
	struct storetest t;
	struct strarray want = STRARRAY_INIT, got = STRARRAY_INIT, parts = STRARRAY_INIT;
	storetest_new(&t, rows[_i].level, rows[_i].more);
	log_hook(keep_log, NULL);
	storetest_create(&t, "user");                 /* so that each directory is a mailbox */
	for (size_t i = 0; i < COUNT(names); i++) {
		char *name = mem_printf("user.%s", names[i]);
		if (!strchr(name, '^') || *rows[_i].level == '3') storetest_create(&t, name);
		free(name);
	}
	ck_assert_int_eq(mboxlist_each(t.st, NULL, MBOXLIST_ALL, add_name, &want), 0);
	spool_roots(t.conf, SPOOL_DATA, &parts);
	struct dirwalk w = { .roots = (const char *const *)parts.v, .nroots = parts.n, .levels = DIRWALK_ALL, .entry = add_dir, .arg = &got };
	ck_assert_int_eq(spool_walk(t.st, &w), 0);
	char *a = strarray_join(&want, " "), *b = strarray_join(&got, " ");
	ck_assert_uint_ge(got.n, 15);
	ck_assert_str_eq(b, rows[_i].want ? rows[_i].want : a);
	free(a);
	free(b);
	strarray_free(&want);
	strarray_free(&got);
	strarray_free(&parts);
	storetest_remove(&t);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ depth, width, descriptors */

static void dig(int depth, const char *file)
{
	make("r");
	ck_assert_int_eq(chdir("r"), 0);
	for (int i = 0; i < depth; i++) {
		if (file) touch(file);
		ck_assert_int_eq(mkdir("down", 0700), 0);
		ck_assert_int_eq(chdir("down"), 0);
	}
	ck_assert_int_eq(chdir(dir), 0);
}

struct tally { int dirs, files, links, deepest, last, stop_at, result; };

static int tally(void *arg, const struct dirwalk_entry *e)
{
	struct tally *t = arg;
	t->dirs += e->kind == DIRWALK_DIR;
	t->files += e->kind == DIRWALK_FILE;
	t->links += e->kind == DIRWALK_LINK;
	if (e->depth > t->deepest) t->deepest = e->depth;
	t->last = e->depth;
	return t->stop_at && t->dirs + t->files + t->links == t->stop_at ? t->result : 0;
}

static int most_open;

static int open_now(void)
{
	int n = 0;
	for (int fd = 0; fd < 256; fd++) n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static int note_openat(int dirfd, const char *name, int flags)
{
	int fd = sys_real.openat(dirfd, name, flags), n = open_now();
	if (n > most_open) most_open = n;
	return fd;
}

static void deep_walk(int depth, const struct sys_calls *calls, uint64_t most_calls)
{
	struct tally t = { 0 };
	const char *root = "r";
	struct dirwalk w = { .roots = &root, .nroots = 1, .levels = DIRWALK_ALL, .limits.depth = depth, .entry = tally, .arg = &t };
	sys_use(calls);
	ck_assert_int_eq(dirwalk_run(&w), 0);
	sys_use(NULL);
	ck_assert_int_eq(t.dirs, depth);
	ck_assert_int_eq(t.files, depth);
	ck_assert_int_eq(t.last, 0);                  /* "z" of the root comes last: every level was come back to */
	ck_assert_uint_eq(w.n.dirs, (uint64_t)depth + 1);
	for (int i = 0; i < DIRWALK_ODDS; i++) ck_assert_uint_eq(w.n.odd[i], 0);
	ck_assert_uint_le(w.n.calls, most_calls);
}

START_TEST(ten_thousand_directories_deep)
{
	struct sys_calls calls = sys_real;
	enum { DEEP = 10000 };
	calls.openat = note_openat;
	dig(DEEP, "z");
	int before = open_now();
	most_open = 0;
	deep_walk(DEEP, &calls, 8 * (DEEP + 1));      /* 5, and 3 to come back: "..", fstat, close */
	ck_assert_int_le(most_open - before, DIRWALK_OPEN + 2);
	ck_assert_int_gt(most_open - before, 1);
	/* with next to no descriptors it goes as well */
	struct rlimit was, few;
	int base = 0;
	for (int fd = 0; fd < 256; fd++)
		if (fcntl(fd, F_GETFD) >= 0) base = fd + 1;
	for (int fd = 0; fd < base; fd++)             /* no gaps: the limit is on numbers */
		if (fcntl(fd, F_GETFD) < 0) ck_assert_int_eq(dup2(0, fd), fd);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &was), 0);
	few = was;
	few.rlim_cur = (rlim_t)base + 4;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	deep_walk(DEEP, NULL, 9 * (DEEP + 1));
	few.rlim_cur = (rlim_t)base + 1;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	ck_assert_int_eq(dirwalk_list("r", 0, NULL, NULL), 0);
	const char *root = "r";
	struct dirwalk w = { .roots = &root, .nroots = 1, .levels = DIRWALK_ALL };
	ck_assert_int_eq(dirwalk_run(&w), -1);
	ck_assert_int_eq(errno, EMFILE);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &was), 0);
}
END_TEST

static int rising(void *arg, const struct dirwalk_entry *e)
{
	struct buf *last = arg;
	ck_assert_msg(!last->len || strcmp(buf_cstr(last), e->name) < 0, "%s after %s", e->name, buf_cstr(last));
	buf_setcstr(last, e->name);
	return 0;
}

/* 10^5 of them; 10^6 when WALK_ENTRIES says so (make check-slow). */
START_TEST(many_entries_in_one_directory)
{
	const char *env = getenv("WALK_ENTRIES"), *root = "r";
	int many = env ? atoi(env) : 100000;
	struct buf last = BUF_INIT;
	make("r");
	ck_assert_int_eq(chdir("r"), 0);
	touch("0");
	for (int i = 1; i < many; i++) {
		char name[32];
		snprintf(name, sizeof name, "%d.", i);
		ck_assert_int_eq(mknod(name, S_IFREG | 0600, 0), 0);
	}
	ck_assert_int_eq(chdir(dir), 0);
	struct dirwalk w = { .roots = &root, .nroots = 1, .entry = rising, .arg = &last };
	ck_assert_int_eq(dirwalk_run(&w), 0);
	ck_assert_uint_eq(w.n.entries, (uint64_t)many);
	ck_assert_uint_le(w.n.calls, 5 + (uint64_t)many / 1000);
	buf_free(&last);
}
END_TEST

START_TEST(counts_are_right)
{
	const char *root = "r";
	struct tally t = { 0 };
	follow("d r/a/b/c;d r/e;f r/1.;f r/a/2.;f r/a/b/3.;l /sys r/l;l x r/a/l;p r/e/p");
	struct dirwalk w = { .roots = &root, .nroots = 1, .levels = DIRWALK_ALL, .entry = tally, .arg = &t };
	ck_assert_int_eq(dirwalk_run(&w), 0);
	ck_assert_uint_eq(w.n.dirs, 5);
	ck_assert_uint_eq(w.n.entries, 10);
	ck_assert_uint_eq(w.n.odd[DIRWALK_ODD_LINK], 2);
	ck_assert_uint_eq(w.n.odd[DIRWALK_ODD_SPECIAL], 1);
	ck_assert_uint_eq(w.n.calls, 5 * 5);
	ck_assert_int_eq(t.dirs + t.files + t.links, 9);
	w.flags = DIRWALK_STAT;
	ck_assert_int_eq(dirwalk_run(&w), 0);
	ck_assert_uint_eq(w.n.calls, 5 * 5 + 4);      /* files and the FIFO; neither links nor directories */
	w.levels = 1;
	ck_assert_int_eq(dirwalk_run(&w), 0);
	ck_assert_uint_eq(w.n.dirs, 3);
	w.levels = 0;
	w.entry = NULL;
	ck_assert_int_eq(dirwalk_run(&w), 0);
	ck_assert_uint_eq(w.n.dirs, 1);
	ck_assert_uint_eq(w.n.entries, 4);
}
END_TEST

/* Links and circles cost nothing: the same system calls with and without them. */
START_TEST(links_cost_no_system_call)
{
	const char *root = "r";
	uint64_t calls[2];
	for (int i = 0; i < 2; i++) {
		if (!i) follow("d r/a/b;d r/c;f r/a/1.;f r/c/2.");
		else follow("l /sys r/s;l /proc r/a/p;l ../.. r/a/b/up;l . r/c/here;l / r/c/1.;l r r/r");
		struct dirwalk w = { .roots = &root, .nroots = 1, .levels = DIRWALK_ALL, .flags = DIRWALK_STAT };
		ck_assert_int_eq(dirwalk_run(&w), 0);
		ck_assert_uint_eq(w.n.odd[DIRWALK_ODD_LINK], i ? 6 : 0);
		calls[i] = w.n.calls;
	}
	ck_assert_uint_eq(calls[0], calls[1]);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ limits, being told to stop */

static int64_t now;
static int64_t slow_clock(void) { return now += NSEC_PER_SEC; }

static const struct { struct dirwalk_limits max; const char *want; int result, err; } limited[] = {
	{ { .depth = 2 }, "0d:r/a 1d:r/a/b 2d:r/a/b/c 1f:r/a/long-name 0f:r/x 0f:r/y DEEP=1", 0, 0 },
	{ { .depth = 3 }, "0d:r/a 1d:r/a/b 2d:r/a/b/c 3f:r/a/b/c/f 1f:r/a/long-name 0f:r/x 0f:r/y", 0, 0 },
	{ { .name = 1 }, "0d:r/a 1d:r/a/b 2d:r/a/b/c 3f:r/a/b/c/f 0f:r/x 0f:r/y NAME=1", 0, 0 },
	{ { .name = 9 }, "0d:r/a 1d:r/a/b 2d:r/a/b/c 3f:r/a/b/c/f 1f:r/a/long-name 0f:r/x 0f:r/y", 0, 0 },
	{ { .entries = 2 }, " ENTRIES=1", -1, E2BIG },
	{ { .entries = 5 }, "0d:r/a 1d:r/a/b ENTRIES=1", -1, E2BIG },
	{ { .entries = 7 }, "0d:r/a 1d:r/a/b 2d:r/a/b/c 3f:r/a/b/c/f 1f:r/a/long-name 0f:r/x 0f:r/y", 0, 0 },
	{ { .held = 2 }, " ENTRIES=1", -1, E2BIG },
	{ { .held = 4 }, "0d:r/a ENTRIES=1", -1, E2BIG },
	{ { .held = 7 }, "0d:r/a 1d:r/a/b 2d:r/a/b/c 3f:r/a/b/c/f 1f:r/a/long-name 0f:r/x 0f:r/y", 0, 0 },
	{ { .nsec = 1 }, " TIME=1", -1, ETIMEDOUT },
	{ { .nsec = 4 * NSEC_PER_SEC }, "0d:r/a 1d:r/a/b TIME=1", -1, ETIMEDOUT },
	{ { .nsec = 400 * NSEC_PER_SEC }, "0d:r/a 1d:r/a/b 2d:r/a/b/c 3f:r/a/b/c/f 1f:r/a/long-name 0f:r/x 0f:r/y", 0, 0 },
};

START_TEST(limits_are_told)
{
	const char *root = "r";
	struct buf b = BUF_INIT;
	follow("d r/a/b/c;f r/a/b/c/f;f r/a/long-name;f r/x;f r/y");
	clock_fake(slow_clock, NULL);
	struct dirwalk w = { .roots = &root, .nroots = 1, .levels = DIRWALK_ALL, .limits = limited[_i].max, .entry = collect, .arg = &b };
	ck_assert_int_eq(dirwalk_run(&w), limited[_i].result);
	if (limited[_i].err) ck_assert_int_eq(errno, limited[_i].err);
	put_odds(&b, &w);
	ck_assert_str_eq(buf_cstr(&b), limited[_i].want);
	buf_free(&b);
}
END_TEST

/* The default depth; and time runs out in the middle of a long directory too. */
START_TEST(limits_have_defaults)
{
	struct tally t = { 0 };
	const char *root = "r";
	dig(DIRWALK_DEPTH + 100, NULL);
	struct dirwalk w = { .roots = &root, .nroots = 1, .levels = DIRWALK_ALL, .entry = tally, .arg = &t };
	ck_assert_int_eq(dirwalk_run(&w), 0);
	ck_assert_int_eq(t.deepest, DIRWALK_DEPTH);
	ck_assert_uint_eq(w.n.odd[DIRWALK_ODD_DEEP], 1);
	make("wide");
	for (int i = 0; i < 1000; i++) {
		char name[32];
		snprintf(name, sizeof name, "wide/%d", i);
		ck_assert_int_eq(mknod(name, S_IFREG | 0600, 0), 0);
	}
	root = "wide";
	t = (struct tally){ 0 };
	clock_fake(slow_clock, NULL);
	w.limits.nsec = 4 * NSEC_PER_SEC;
	ck_assert_int_eq(dirwalk_run(&w), -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
	ck_assert_int_ge(t.files, 255);
	ck_assert_int_lt(t.files, 1000);
}
END_TEST

static int skip_or_stop(void *arg, const struct dirwalk_entry *e)
{
	collect(arg, e);
	return !strcmp(e->name, "skip") ? DIRWALK_SKIP : !strcmp(e->name, "stop") ? 42 : !strcmp(e->name, "fail") ? -1 : 0;
}

START_TEST(walk_skips_and_stops_as_told)
{
	static const struct { const char *recipe; int result; const char *want; } rows[] = {
		{ "d r/skip/inside;f r/f", 0, "0f:r/f 0d:r/skip" },
		{ "f r/a", 0, "0f:r/a 0f:r/f 0d:r/skip" },
		{ "d r/a-/stop/below", 42, "0f:r/a 0d:r/a- 1d:r/a-/stop" },
		{ "f r/a-/fail", -1, "0f:r/a 0d:r/a- 1f:r/a-/fail" },
	};
	const char *root = "r";
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b = BUF_INIT;
		follow(rows[i].recipe);
		struct dirwalk w = { .roots = &root, .nroots = 1, .levels = DIRWALK_ALL, .entry = skip_or_stop, .arg = &b };
		ck_assert_int_eq(dirwalk_run(&w), rows[i].result);
		ck_assert_str_eq(buf_cstr(&b), rows[i].want);
		buf_free(&b);
	}
}
END_TEST

/* ------------------------------------------------------------------------------------------------ trees that change meanwhile */

static const char *victim_becomes, *victim_then;

/* Between being read and being opened (or looked at), the victim becomes something else. */
static void swap(const char *name)
{
	if (!victim_becomes || strcmp(name, "victim")) return;
	ck_assert_int_eq(rename("r/victim", victim_then ? "moved" : "moved again"), 0);
	follow(victim_becomes);
	victim_becomes = victim_then;
	victim_then = NULL;
}

static int swap_openat(int dirfd, const char *name, int flags)
{
	swap(name);
	return sys_real.openat(dirfd, name, flags);
}

static int swap_lstatat(int dirfd, const char *name, struct stat *st)
{
	swap(name);
	return sys_real.lstatat(dirfd, name, st);
}

static const struct { const char *was, *becomes, *want, *then; } swaps[] = {
	{ "d r/victim;f r/victim/f", "l /sys r/victim", "0d:r/victim CHANGED=1", NULL },
	{ "d r/victim;f r/victim/f", "l ../out r/victim", "0d:r/victim CHANGED=1", NULL },
	{ "d r/victim;f r/victim/f", "l .. r/victim", "0d:r/victim CHANGED=1", NULL },
	{ "d r/victim;f r/victim/f", "d r/victim;f r/victim/other", "0d:r/victim 1f:r/victim/other", NULL },
	{ "d r/victim;f r/victim/f", "d r/victim;f r/victim/other", "0d:r/victim CHANGED=1", "d r/victim;f r/victim/third" },
	{ "d r/victim;f r/victim/f", "d r/victim;f r/victim/other", "0d:r/victim CHANGED=1", "l ../out r/victim" },
	{ "d r/victim;f r/victim/f", "p r/victim", "0d:r/victim CHANGED=1", NULL },
	{ "d r/victim;f r/victim/f", "f r/victim", "0d:r/victim CHANGED=1", NULL },
	{ "d r/victim;f r/victim/f", "d r/x", "0d:r/victim vanished=1", NULL },
	{ "f r/victim", "l /etc/passwd r/victim", "0l:r/victim LINK=1", NULL },
	{ "f r/victim", "p r/victim", "0s:r/victim SPECIAL=1", NULL },
	{ "f r/victim", "d r/victim", " CHANGED=1", NULL },
	{ "f r/victim", "d r/x", " vanished=1", NULL },
};

START_TEST(walk_is_not_raced_out_of_the_tree)
{
	struct sys_calls calls = sys_real;
	calls.openat = swap_openat;
	calls.lstatat = swap_lstatat;
	make("r");
	follow("d out;f out/secret");
	follow(swaps[_i].was);
	victim_becomes = swaps[_i].becomes;
	victim_then = swaps[_i].then;
	sys_use(&calls);
	char *s = walk_all("r", DIRWALK_STAT, 0);
	sys_use(NULL);
	ck_assert_str_eq(s, swaps[_i].want);
	free(s);
}
END_TEST

static int remove_it(void *arg, const struct dirwalk_entry *e)
{
	(void)arg;
	if (e->kind == DIRWALK_DIR) ck_assert_int_eq(sys_unlinkat(e->dirfd, e->name, AT_REMOVEDIR), 0);
	return 0;
}

/* Mailboxes are deleted while others look: what has gone is passed over, the rest is still visited. */
START_TEST(walk_goes_on_when_directories_vanish)
{
	const char *root = "r";
	for (int i = 0; i < 20; i++) {
		char path[16];
		snprintf(path, sizeof path, "r/d%d", i);
		make(path);
	}
	struct dirwalk w = { .roots = &root, .nroots = 1, .levels = DIRWALK_ALL, .entry = remove_it };
	ck_assert_int_eq(dirwalk_run(&w), 0);
	ck_assert_uint_eq(w.n.vanished, 20);
	ck_assert_uint_eq(w.n.dirs, 1);
}
END_TEST

enum { AN_EMPTY_ONE, A_LINK, A_LIKENESS };
struct mover { int at, move, files, replaced_by; };

/* When we are at depth `at`, the directory at depth `move` leaves the tree. */
static int move_away(void *arg, const struct dirwalk_entry *e)
{
	struct mover *m = arg;
	m->files += e->kind == DIRWALK_FILE;
	if (e->kind != DIRWALK_DIR || e->depth != m->at) return 0;
	struct buf b = BUF_INIT;
	buf_puts(&b, "r");
	for (int i = 0; i <= m->move; i++) buf_puts(&b, "/down");
	ck_assert_int_eq(rename(buf_cstr(&b), "moved"), 0);
	if (m->replaced_by == A_LINK) ck_assert_int_eq(symlink("/sys", buf_cstr(&b)), 0);
	for (int i = m->move; i < 200 && m->replaced_by == A_LIKENESS; i++) {
		make(buf_cstr(&b));
		buf_puts(&b, "/down");
	}
	if (m->replaced_by != A_LINK) make(buf_cstr(&b));
	buf_free(&b);
	return 0;
}

/* The way back up goes through a directory that is elsewhere by then: what is above it is still finished, itself too while it can be
 * found from inside. */
START_TEST(walk_finds_its_way_back)
{
	const char *root = "r";
	struct mover m = { .at = 199, .move = 50, .replaced_by = _i };
	dig(200, "z");
	struct dirwalk w = { .roots = &root, .nroots = 1, .levels = DIRWALK_ALL, .flags = DIRWALK_STAT, .entry = move_away, .arg = &m };
	ck_assert_int_eq(dirwalk_run(&w), 0);
	ck_assert_uint_eq(w.n.vanished, 0);           /* each "z" was looked for where it is */
	ck_assert_int_eq(m.files, 200);
	ck_assert_uint_eq(w.n.odd[DIRWALK_ODD_CHANGED], 0);
}
END_TEST

static int lost_openat(int dirfd, const char *name, int flags)
{
	if (strcmp(name, "..")) return sys_real.openat(dirfd, name, flags);
	errno = EACCES;
	return -1;
}

/* Without "..", down from the root again; where that fails, the rest of what is lost is told once, and what is above is finished. */
START_TEST(walk_comes_down_from_the_root_again)
{
	const char *root = "r";
	struct sys_calls calls = sys_real;
	struct mover m = { .at = -1 };
	calls.openat = lost_openat;
	dig(200, "z");
	struct dirwalk w = { .roots = &root, .nroots = 1, .levels = DIRWALK_ALL, .entry = move_away, .arg = &m };
	sys_use(&calls);
	ck_assert_int_eq(dirwalk_run(&w), 0);
	ck_assert_int_eq(m.files, 200);
	ck_assert_uint_eq(w.n.odd[DIRWALK_ODD_CHANGED], 0);
	m = (struct mover){ .at = 199, .move = 50, .replaced_by = _i };
	ck_assert_int_eq(dirwalk_run(&w), 0);
	sys_use(NULL);
	ck_assert_uint_eq(w.n.odd[DIRWALK_ODD_CHANGED], 1);
	ck_assert_int_lt(m.files, 200);
	ck_assert_int_ge(m.files, DIRWALK_OPEN + 50);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ a kernel that says odd things */

static int dents_calls, dents_fail_at, dents_err;

static ssize_t failing_getdents(int fd, void *p, size_t n)
{
	if (++dents_calls == dents_fail_at) {
		errno = dents_err;
		return -1;
	}
	return sys_real.getdents(fd, p, n);
}

static bool interrupted;
static int interrupted_openat(int dirfd, const char *name, int flags)
{
	interrupted = !interrupted;
	errno = EINTR;
	return interrupted ? -1 : sys_real.openat(dirfd, name, flags);
}

static ssize_t interrupted_getdents(int fd, void *p, size_t n)
{
	interrupted = !interrupted;
	errno = EINTR;
	return interrupted ? -1 : sys_real.getdents(fd, p, n);
}

/* A file system that tells no types, and one entry a call. */
static ssize_t untyped_getdents(int fd, void *p, size_t n)
{
	ssize_t got = sys_real.getdents(fd, p, n < 64 ? n : 64);
	for (ssize_t at = 0; at < got;) {
		struct sys_dirent *d = (void *)((char *)p + at);
		d->type = DT_UNKNOWN;
		at += d->size;
	}
	return got;
}

START_TEST(errors_of_the_kernel)
{
	struct sys_calls calls = sys_real;
	static const struct { int at, err, result; const char *want; } rows[] = {
		{ 1, EIO, -1, " UNREADABLE=1" },                 /* of the root nothing or half is worse than an error */
		{ 2, EIO, -1, " UNREADABLE=1" },
		{ 3, EIO, 0, "0d:r/a 0f:r/z UNREADABLE=1" },
		{ 4, EIO, 0, "0d:r/a 1f:r/a/f 0f:r/z UNREADABLE=1" },
		{ 3, ENOENT, 0, "0d:r/a 0f:r/z" },               /* removed after we opened it */
		{ 9, EIO, 0, "0d:r/a 1f:r/a/f 0f:r/z" },
	};
	follow("d r/a;f r/a/f;f r/z");
	for (size_t i = 0; i < COUNT(rows); i++) {
		calls = sys_real;
		calls.getdents = failing_getdents;
		dents_calls = 0;
		dents_fail_at = rows[i].at;
		dents_err = rows[i].err;
		sys_use(&calls);
		char *s = walk_all("r", 0, rows[i].result);
		if (rows[i].result) ck_assert_int_eq(errno, EIO);
		ck_assert_str_eq(s, rows[i].want);
		free(s);
	}
	calls = sys_real;
	calls.openat = interrupted_openat;
	calls.getdents = interrupted_getdents;
	sys_use(&calls);
	expect("r", "0d:r/a 1f:r/a/f 0f:r/z");
	calls = sys_real;
	calls.getdents = untyped_getdents;
	follow("l /sys r/l;p r/p;d r/a-b");
	sys_use(&calls);
	expect("r", "0d:r/a 0d:r/a-b 1f:r/a/f 0l:r/l 0s:r/p 0f:r/z LINK=1 SPECIAL=1");
}
END_TEST

static const struct { uint16_t size; uint8_t type; const char *name; size_t name_len; const char *want; int result; } records[] = {
	{ 24, DT_REG, "x\0\0\0\0", 5, "0f:r/x", 0 },
	{ 0, DT_REG, "x\0\0\0\0", 5, " UNREADABLE=1", -1 },
	{ 19, DT_REG, "x\0\0\0\0", 5, " UNREADABLE=1", -1 },
	{ 25, DT_REG, "x\0\0\0\0", 5, " UNREADABLE=1", -1 },
	{ 65535, DT_REG, "x\0\0\0\0", 5, " UNREADABLE=1", -1 },
	{ 24, DT_REG, "xxxxx", 5, " NAME=1", 0 },
	{ 24, DT_REG, "\0\0\0\0\0", 5, " NAME=1", 0 },
	{ 24, DT_DIR, "a/b\0\0", 5, " NAME=1", 0 },
	{ 24, DT_DIR, "/\0\0\0\0", 5, " NAME=1", 0 },
	{ 20, DT_DIR, ".", 1, " NAME=1", 0 },
	{ 24, DT_DIR, "..\0\0\0", 5, "", 0 },
	{ 24, DT_DIR, "no\0\0\0", 5, "0d:r/no vanished=1", 0 },
	{ 24, DT_WHT, "x\0\0\0\0", 5, "0s:r/x SPECIAL=1", 0 },
	{ 24, 255, "x\0\0\0\0", 5, "0s:r/x SPECIAL=1", 0 },
};
static size_t record;
static bool record_done;

static ssize_t one_record(int fd, void *p, size_t n)
{
	(void)fd, (void)n;
	if (record_done) return 0;
	record_done = true;
	size_t head = offsetof(struct sys_dirent, name);
	struct sys_dirent *d = p;
	d->ino = 7;
	d->size = records[record].size;
	d->type = records[record].type;
	memcpy(d->name, records[record].name, records[record].name_len);
	return (ssize_t)(head + records[record].name_len);
}

START_TEST(records_of_nonsense)
{
	struct sys_calls calls = sys_real;
	make("r");
	calls.getdents = one_record;
	record = (size_t)_i;
	record_done = false;
	sys_use(&calls);
	char *s = walk_all("r", 0, records[_i].result);
	ck_assert_str_eq(s, records[_i].want);
	free(s);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ mounts, privileges */

static void in_child(int (*fn)(void), const char *what)
{
	int status;
	fflush(NULL);
	pid_t pid = fork();
	if (!pid) _exit(fn());
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) fprintf(stderr, "skipped, not allowed here: %s\n", what);
	else ck_assert_int_eq(WEXITSTATUS(status), 0);
}

static int own_mounts(void)
{
	if (unshare(CLONE_NEWNS) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) return 77;
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ? 77 : 0;
}

/* The root mounted below itself, one directory mounted at two places, another file system. */
static int walk_mounts(void)
{
	if (own_mounts() || mount("r", "r/a/loop", NULL, MS_BIND, NULL) < 0 || mount("r/b", "r/c", NULL, MS_BIND, NULL) < 0
	    || mount("none", "r/tmp", "tmpfs", 0, NULL) < 0) return 77;
	touch("r/tmp/elsewhere");
	struct stat outer, inner;
	if (stat("r", &outer) < 0 || stat("r/a/loop", &inner) < 0 || outer.st_ino != inner.st_ino) return 2;
	char *s = walk_all("r", 0, 0);
	bool ok = !strcmp(s, "0d:r/a 1d:r/a/loop 0d:r/b 1f:r/b/once 0d:r/c 0d:r/tmp CYCLE=2 MOUNT=1");
	if (!ok) fprintf(stderr, "%s\n", s);
	free(s);
	return ok ? 0 : 4;
}

/* A partition may be a mount point, and in another partition: then it is walked on its own. */
static int walk_mounted_roots(void)
{
	static const char *const both[] = { "r", "r/tmp" };
	struct buf b = BUF_INIT;
	if (own_mounts() || mount("none", "r/tmp", "tmpfs", 0, NULL) < 0) return 77;
	touch("r/tmp/f");
	struct dirwalk w = { .roots = both, .nroots = 2, .levels = DIRWALK_ALL, .entry = collect, .arg = &b };
	if (dirwalk_run(&w)) return 2;
	put_odds(&b, &w);
	return buf_eq(&b, "0d:r/tmp 0f:r/z 0f:r/tmp/f") ? 0 : 3;
}

START_TEST(walk_does_not_go_round_a_mount)
{
	follow("d r/a/loop;d r/b;d r/c;d r/tmp;f r/b/once");
	in_child(walk_mounts, "circles of mounts");
}
END_TEST

START_TEST(partitions_may_be_mounts)
{
	follow("d r/tmp;f r/z");
	in_child(walk_mounted_roots, "a mounted partition");
}
END_TEST

/* /proc and /sys are other file systems on every machine. */
START_TEST(walk_stays_on_its_file_system)
{
	struct stat st, proc;
	const char *root = "/";
	ck_assert_int_eq(stat("/", &st), 0);
	ck_assert_int_eq(stat("/proc", &proc), 0);
	ck_assert(st.st_dev != proc.st_dev);
	struct dirwalk w = { .roots = &root, .nroots = 1, .levels = 1 };
	ck_assert_int_eq(dirwalk_run(&w), 0);
	ck_assert_uint_ge(w.n.odd[DIRWALK_ODD_MOUNT], 1);
}
END_TEST

/* A directory that may not be read is told and passed over, one that may not be searched as well; root reads everything, so he becomes
 * somebody else first. */
static int walk_unreadable(void)
{
	struct buf b = BUF_INIT;
	const char *root = "r";
	if (geteuid() == 0 && (chmod(dir, 0711) < 0 || chmod("r", 0755) < 0 || chown("r/closed", 0, 0) < 0 || setuid(65534) < 0)) return 2;
	struct dirwalk w = { .roots = &root, .nroots = 1, .levels = DIRWALK_ALL, .flags = DIRWALK_STAT, .entry = collect, .arg = &b };
	if (dirwalk_run(&w)) return 3;
	put_odds(&b, &w);
	bool ok = buf_eq(&b, "0d:r/closed 0d:r/nosearch 1d:r/nosearch/d 0d:r/open 1f:r/open/g UNREADABLE=3");
	if (!ok) fprintf(stderr, "%s\n", buf_cstr(&b));
	root = "r/closed";
	return !ok ? 4 : dirwalk_run(&w) == -1 && errno == EACCES ? 0 : 5;
}

START_TEST(walk_goes_on_past_what_it_may_not_read)
{
	follow("d r/closed;f r/closed/f;d r/open;f r/open/g;d r/nosearch/d;f r/nosearch/f");
	ck_assert_int_eq(chmod("r/open", 0755), 0);
	ck_assert_int_eq(chmod("r/nosearch", 0644), 0);
	ck_assert_int_eq(chmod("r/closed", 0), 0);
	in_child(walk_unreadable, "reading as somebody else");
}
END_TEST

/* ------------------------------------------------------------------------------------------------ the store */

static size_t lines_with(const char *word)
{
	size_t n = 0;
	for (const char *p = buf_cstr(&logged); (p = strstr(p, word)); p++) n++;
	return n;
}

START_TEST(log_has_a_line_for_each_oddity)
{
	struct storetest t;
	struct strarray parts = STRARRAY_INIT;
	storetest_new(&t, "2.5", NULL);
	log_hook(keep_log, NULL);
	storetest_run("cd %s/spool && ln -s /sys sys && ln -s . \"$(printf 'two\\nlines')\" && mkfifo pipe && mkdir a && ln -s .. a/up", t.dir);
	spool_roots(t.conf, SPOOL_DATA | SPOOL_META, &parts);
	struct dirwalk w = { .roots = (const char *const *)parts.v, .nroots = parts.n, .levels = DIRWALK_ALL };
	ck_assert_int_eq(spool_walk(t.st, &w), 0);
	char *want = mem_printf("spool: %s/spool/a/up: symbolic link, not followed\nspool: %s/spool/pipe: neither file nor directory, not opened\n"
		"spool: %s/spool/sys: symbolic link, not followed\nspool: %s/spool/two\\012lines: symbolic link, not followed\n",
		t.dir, t.dir, t.dir, t.dir);
	ck_assert_str_eq(buf_cstr(&logged), want);
	free(want);
	buf_reset(&logged);
	strarray_free(&parts);
	storetest_remove(&t);
	ck_assert_uint_eq(logged.len, 0);
}
END_TEST

static int64_t still_clock(void) { return now; }

START_TEST(log_is_not_flooded)
{
	struct storetest t;
	struct strarray parts = STRARRAY_INIT;
	storetest_new(&t, "3.6", NULL);
	log_hook(keep_log, NULL);
	now = 1000 * NSEC_PER_SEC;
	clock_fake(still_clock, NULL);
	storetest_run("cd %s/spool && for i in $(seq 200); do ln -s / l$i; done", t.dir);
	spool_roots(t.conf, SPOOL_DATA, &parts);
	struct dirwalk w = { .roots = (const char *const *)parts.v, .nroots = parts.n, .levels = DIRWALK_ALL };
	ck_assert_int_eq(spool_walk(t.st, &w), 0);
	ck_assert_uint_eq(w.n.odd[DIRWALK_ODD_LINK], 200);
	ck_assert_uint_eq(lines_with("not followed"), DIRWALK_LOG_LINES);
	now += DIRWALK_LOG_SECONDS * NSEC_PER_SEC;
	ck_assert_int_eq(spool_walk(t.st, &w), 0);
	ck_assert_uint_eq(lines_with("not followed"), 2 * DIRWALK_LOG_LINES);
	ck_assert_uint_eq(lines_with("spool: 150 more oddities were not logged"), 1);
	strarray_free(&parts);
	storetest_remove(&t);
	ck_assert_uint_eq(lines_with("spool: 150 more oddities were not logged"), 2);
}
END_TEST

START_TEST(roots_of_the_configuration)
{
	static const struct { unsigned kinds; const char *want; } rows[] = {
		{ SPOOL_DATA, "/p/a /p/b" }, { SPOOL_META, "/m" }, { SPOOL_HEADERS, "/h" }, { SPOOL_ARCHIVE, "/z" }, { 0, "" },
		{ SPOOL_DATA | SPOOL_META | SPOOL_HEADERS, "/h /m /p/a /p/b" },
	};
	struct storetest t;
	storetest_new(&t, "2.5", "partition-one: /p/a//\npartition-two: /p/b\npartition-same: /p/a\nmetapartition-one: /m/\nmetadir-header-one: /h\n"
		"archivepartition-one: /z\nmetadir-index-one: /never\n");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct strarray got = STRARRAY_INIT;
		spool_roots(t.conf, rows[i].kinds, &got);
		for (size_t k = got.n; k-- > 0;)
			if (!strncmp(got.v[k], t.dir, strlen(t.dir))) strarray_remove(&got, k);        /* partition-default */
		strarray_sort(&got);
		char *s = strarray_join(&got, " ");
		ck_assert_str_eq(s, rows[i].want);
		free(s);
		strarray_free(&got);
	}
	storetest_remove(&t);
}
END_TEST

/* {what is done to the spool after user.a.b was made, result for user.a.b} */
static const struct { const char *cmd; int want; } mailboxes[] = {
	{ ":", 0 },
	{ "rm -r user/a/b", ERR_NOTFOUND },
	{ "rm -r user/a", ERR_NOTFOUND },
	{ "rm -r user/a/b; ln -s /sys user/a/b", ERR_IO },
	{ "rm -r user/a/b; touch user/a/b", ERR_IO },
	{ "mv user/a out; ln -s ../out user/a", ERR_IO },                /* on the way to it */
	{ "mv user out; ln -s out user", ERR_IO },
	{ "cd ..; mv spool elsewhere; ln -s elsewhere spool", 0 },       /* the partition itself */
};

START_TEST(directory_of_a_mailbox)
{
	struct storetest t;
	struct mbentry e;
	struct buf b = BUF_INIT;
	storetest_new(&t, "2.5", NULL);
	log_hook(keep_log, NULL);
	storetest_create(&t, "user.a");
	storetest_create(&t, "user.a.b");
	storetest_run("cd %s/spool && { %s; }", t.dir, mailboxes[_i].cmd);
	ck_assert_int_eq(mboxlist_lookup(t.st, "user.a.b", &e), 0);
	struct dirwalk w = { .entry = put_path, .arg = &b };
	ck_assert_int_eq(spool_walk_mailbox(t.st, &e, META_DATA, &w), mailboxes[_i].want);
	if (!mailboxes[_i].want) ck_assert_ptr_nonnull(strstr(buf_cstr(&b), "/user/a/b/cyrus.header "));
	else ck_assert_uint_eq(b.len, 0);
	free(e.partition);
	e.partition = mem_strdup("unknown");
	ck_assert_int_eq(spool_walk_mailbox(t.st, &e, META_DATA, &w), ERR_PARTITION);
	buf_free(&b);
	mbentry_free(&e);
	storetest_remove(&t);
}
END_TEST

int main(void)
{
	const struct { const char *name; const TTest *test; int rows; } tests[] = {
		{ "trees", trees_that_should_not_be, COUNT(trees) },
		{ "long names", names_of_255_bytes, 0 },
		{ "roots", roots_and_what_is_below_them, COUNT(roots) },
		{ "roots in roots", roots_in_roots, 0 },
		{ "order", order_is_that_of_names, 0 },
		{ "order of the list", order_is_that_of_the_mailbox_list, 3 },
		{ "deep", ten_thousand_directories_deep, 0 },
		{ "wide", many_entries_in_one_directory, 0 },
		{ "counts", counts_are_right, 0 },
		{ "links are free", links_cost_no_system_call, 0 },
		{ "limits", limits_are_told, COUNT(limited) },
		{ "default limits", limits_have_defaults, 0 },
		{ "skip, stop", walk_skips_and_stops_as_told, 0 },
		{ "races", walk_is_not_raced_out_of_the_tree, COUNT(swaps) },
		{ "vanishing", walk_goes_on_when_directories_vanish, 0 },
		{ "the way back", walk_finds_its_way_back, A_LIKENESS + 1 },
		{ "down again", walk_comes_down_from_the_root_again, A_LIKENESS + 1 },
		{ "errors", errors_of_the_kernel, 0 },
		{ "nonsense", records_of_nonsense, COUNT(records) },
		{ "mounts", walk_does_not_go_round_a_mount, 0 },
		{ "mounted partitions", partitions_may_be_mounts, 0 },
		{ "file systems", walk_stays_on_its_file_system, 0 },
		{ "permissions", walk_goes_on_past_what_it_may_not_read, 0 },
		{ "log", log_has_a_line_for_each_oddity, 0 },
		{ "log limit", log_is_not_flooded, 0 },
		{ "configured roots", roots_of_the_configuration, 0 },
		{ "mailboxes", directory_of_a_mailbox, COUNT(mailboxes) },
	};
	Suite *s = suite_create("spool_walk");
	for (size_t i = 0; i < COUNT(tests); i++) {
		TCase *t = tcase_create(tests[i].name);
		suite_add_tcase(s, t);
		tcase_set_timeout(t, 300);
		tcase_add_checked_fixture(t, setup, teardown);
		if (tests[i].rows) tcase_add_loop_test(t, tests[i].test, 0, tests[i].rows);
		else tcase_add_test(t, tests[i].test);
	}
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
