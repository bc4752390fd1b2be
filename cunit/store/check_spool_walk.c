/* check_walk.c - the one way we read directories never leaves the tree it was given: links, loops, other file systems, mounts of a
 * directory below itself, trees that change meanwhile. */
#include "base/mem.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/strarray.h"
#include "store/walk.h"
#include "sys/file.h"
#include "sys/newfile.h"

#include <check.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[64];

static void ignore_log(void *arg, int priority, const char *line) { (void)arg, (void)priority, (void)line; }

static void setup(void)
{
	strcpy(dir, "/tmp/check_walk.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
	log_hook(ignore_log, NULL);
}

static void teardown(void)
{
	char *cmd = mem_printf("chmod -R u+rwx %s; rm -rf %s", dir, dir);
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(system(cmd), 0);
	free(cmd);
	log_hook(NULL, NULL);
}

static void touch(const char *path) { ck_assert_int_eq(newfile_write(path, 0600, "x", 1), 0); }
static void make(const char *path) { ck_assert_int_eq(file_mkdirs(path, 0700), 0); }

static int collect(void *arg, const struct walk_entry *e)
{
	static const char letters[] = { [WALK_FILE] = 'f', [WALK_DIR] = 'd', [WALK_LINK] = 'l', [WALK_OTHER] = 'o' };
	ck_assert_str_eq(strrchr(e->path, '/') + 1, e->name);
	ck_assert_ptr_nonnull(e->st);
	strarray_take(arg, mem_printf("%d%c:%s", e->depth, letters[e->kind], e->path));
	return 0;
}

static char *walked(const char *root, int max_depth)
{
	struct strarray a = STRARRAY_INIT;
	ck_assert_int_eq(walk_dir(root, max_depth, collect, &a), 0);
	strarray_sort(&a);
	char *s = strarray_join(&a, " ");
	strarray_free(&a);
	return s;
}

static void expect(const char *root, int max_depth, const char *want)
{
	char *s = walked(root, max_depth);
	ck_assert_str_eq(s, want);
	free(s);
}

START_TEST(walk_reports_what_is_below)
{
	make("r/a/b");
	make("r/empty");
	touch("r/f");
	touch("r/a/b/g");
	touch("r/.hidden");
	ck_assert_int_eq(mkfifo("r/pipe", 0600), 0);
	expect("r", 9, "0d:r/a 0d:r/empty 0f:r/.hidden 0f:r/f 0o:r/pipe 1d:r/a/b 2f:r/a/b/g");
	expect("r", 1, "0d:r/a 0d:r/empty 0f:r/.hidden 0f:r/f 0o:r/pipe 1d:r/a/b");
	expect("r", 0, "0d:r/a 0d:r/empty 0f:r/.hidden 0f:r/f 0o:r/pipe");
	expect("r/empty", 9, "");
}
END_TEST

START_TEST(walk_roots_that_are_none)
{
	struct strarray a = STRARRAY_INIT;
	make("real");
	touch("real/secret");
	touch("file");
	ck_assert_int_eq(symlink("real", "link"), 0);
	ck_assert_int_eq(walk_dir("link", 9, collect, &a), -1);
	ck_assert(errno == ELOOP || errno == ENOTDIR);
	ck_assert_int_eq(walk_dir("file", 9, collect, &a), -1);
	ck_assert_int_eq(errno, ENOTDIR);
	ck_assert_int_eq(walk_dir("none", 9, collect, &a), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(walk_dir("", 9, collect, &a), -1);
	ck_assert_uint_eq(a.n, 0);
	strarray_free(&a);
}
END_TEST

START_TEST(walk_never_goes_through_a_link)
{
	make("outside/deep");
	touch("outside/deep/secret");
	make("r/in");
	ck_assert_int_eq(symlink("../outside", "r/rel"), 0);
	ck_assert_int_eq(symlink("/", "r/abs"), 0);
	ck_assert_int_eq(symlink("nowhere", "r/dangling"), 0);
	ck_assert_int_eq(symlink(".", "r/self"), 0);
	ck_assert_int_eq(symlink("..", "r/in/up"), 0);
	ck_assert_int_eq(symlink("../../outside/deep/secret", "r/in/file"), 0);
	expect("r", 100, "0d:r/in 0l:r/abs 0l:r/dangling 0l:r/rel 0l:r/self 1l:r/in/file 1l:r/in/up");
}
END_TEST

static int swap_for_link(void *arg, const struct walk_entry *e)
{
	if (e->kind == WALK_DIR && !strcmp(e->name, "victim")) {
		ck_assert_int_eq(rename("r/victim", "moved"), 0);
		ck_assert_int_eq(symlink("../outside", "r/victim"), 0);
	}
	return collect(arg, e);
}

/* The directory becomes a link between being looked at and being opened. */
START_TEST(walk_is_not_raced_out_of_the_tree)
{
	struct strarray a = STRARRAY_INIT;
	make("outside");
	touch("outside/secret");
	make("r/victim");
	touch("r/victim/mine");
	ck_assert_int_eq(walk_dir("r", 9, swap_for_link, &a), 0);
	ck_assert_uint_eq(a.n, 1);
	ck_assert_str_eq(a.v[0], "0d:r/victim");
	strarray_free(&a);
}
END_TEST

static int remove_it(void *arg, const struct walk_entry *e)
{
	if (e->kind == WALK_DIR) ck_assert_int_eq(rmdir(e->path), 0);
	return collect(arg, e);
}

/* Mailboxes are deleted while others look: what has gone is passed over, the rest is still visited. */
START_TEST(walk_goes_on_when_directories_vanish)
{
	struct strarray a = STRARRAY_INIT;
	for (int i = 0; i < 20; i++) {
		char path[16];
		snprintf(path, sizeof path, "r/d%d", i);
		make(path);
	}
	ck_assert_int_eq(walk_dir("r", 9, remove_it, &a), 0);
	ck_assert_uint_eq(a.n, 20);
	strarray_free(&a);
}
END_TEST

static int skip_a(void *arg, const struct walk_entry *e)
{
	collect(arg, e);
	return !strcmp(e->name, "a") ? WALK_SKIP : !strcmp(e->name, "stop") ? 42 : 0;
}

START_TEST(walk_skips_and_stops_as_told)
{
	struct strarray a = STRARRAY_INIT;
	make("r/a/inside");
	ck_assert_int_eq(walk_dir("r", 9, skip_a, &a), 0);
	ck_assert_uint_eq(a.n, 1);
	make("r/z/stop/below");
	ck_assert_int_eq(walk_dir("r", 9, skip_a, &a), 42);
	ck_assert_int_eq(strarray_find(&a, "2d:r/z/stop/below"), -1);
	ck_assert_int_ge(strarray_find(&a, "1d:r/z/stop"), 0);
	strarray_free(&a);
}
END_TEST

static int deepest(void *arg, const struct walk_entry *e)
{
	if (e->depth > *(int *)arg) *(int *)arg = e->depth;
	return 0;
}

static int count(void *arg, const struct walk_entry *e)
{
	(void)e;
	++*(int *)arg;
	return 0;
}

/* Deeper than any mailbox name allows: the bound holds, and nothing is out of descriptors or path. */
START_TEST(walk_depth_is_bounded)
{
	int depth = 0, n = 0;
	make("r");
	ck_assert_int_eq(chdir("r"), 0);
	for (int i = 0; i < WALK_DEPTH + 200; i++) {
		ck_assert_int_eq(mkdir("a_longer_name_than_one", 0700), 0);
		ck_assert_int_eq(chdir("a_longer_name_than_one"), 0);
	}
	ck_assert_int_eq(chdir(dir), 0);
	ck_assert_int_eq(walk_dir("r", 1 << 30, deepest, &depth), 0);
	ck_assert_int_eq(depth, WALK_DEPTH - 1);
	ck_assert_int_eq(walk_dir("r", 30, count, &n), 0);
	ck_assert_int_eq(n, 31);
}
END_TEST

static int same_device(void *arg, const struct walk_entry *e)
{
	dev_t *root = arg;
	if (e->depth == 0) return 0;                         /* a mount point itself may be reported */
	struct buf parent = BUF_INIT;
	struct stat st;
	buf_append(&parent, e->path, (size_t)(e->name - e->path));
	ck_assert_int_eq(stat(buf_cstr(&parent), &st), 0);
	ck_assert_msg(st.st_dev == *root, "%s is on another file system", parent.s);
	buf_free(&parent);
	return 0;
}

/* /proc and /dev are other file systems on every machine: nothing below them is seen. */
START_TEST(walk_stays_on_its_file_system)
{
	struct stat st, proc;
	ck_assert_int_eq(stat("/", &st), 0);
	ck_assert_int_eq(stat("/proc", &proc), 0);
	ck_assert(st.st_dev != proc.st_dev);
	ck_assert_int_eq(walk_dir("/", 1, same_device, &st.st_dev), 0);
}
END_TEST

/* In a mount namespace of its own: the root mounted below itself, and one directory mounted at two places. */
static int walk_mounts(void)
{
	struct strarray a = STRARRAY_INIT;
	if (unshare(CLONE_NEWNS) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) return 77;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || mount("r", "r/a/loop", NULL, MS_BIND, NULL) < 0
	    || mount("r/b", "r/c", NULL, MS_BIND, NULL) < 0) return 77;
	struct stat outer, inner;
	if (stat("r", &outer) < 0 || stat("r/a/loop", &inner) < 0 || outer.st_ino != inner.st_ino) return 2;
	if (walk_dir("r", 400, collect, &a)) return 3;
	int files = 0;
	for (size_t i = 0; i < a.n; i++) files += strstr(a.v[i], "/once") != NULL;
	return files == 1 && a.n == 5 ? 0 : 4;               /* a, a/loop, b, c, and once below b or c */
}

START_TEST(walk_does_not_go_round_a_mount)
{
	int status;
	make("r/a/loop");
	make("r/b");
	make("r/c");
	touch("r/b/once");
	fflush(NULL);
	pid_t pid = fork();
	if (!pid) _exit(walk_mounts());
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) fputs("skipped: no mounts allowed here: loops of mounts are not tested\n", stderr);
	else ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

/* A directory that may not be read is passed over; root reads everything, so he becomes somebody else first. */
static int walk_unreadable(void)
{
	struct strarray a = STRARRAY_INIT;
	if (geteuid() == 0 && (chmod(dir, 0711) < 0 || chmod("r", 0755) < 0 || chown("r/closed", 0, 0) < 0 || setuid(65534) < 0)) return 2;
	if (walk_dir("r", 9, collect, &a)) return 3;
	strarray_sort(&a);
	return a.n == 3 && !strcmp(a.v[0], "0d:r/closed") && !strcmp(a.v[2], "1f:r/open/g") ? 0 : 4;
}

START_TEST(walk_goes_on_past_what_it_may_not_read)
{
	int status;
	make("r/closed");
	touch("r/closed/f");
	make("r/open");
	touch("r/open/g");
	ck_assert_int_eq(chmod("r/open", 0755), 0);
	ck_assert_int_eq(chmod("r/closed", 0), 0);
	fflush(NULL);
	pid_t pid = fork();
	if (!pid) _exit(walk_unreadable());
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("walk");
	TCase *t = tcase_create("walk");
	suite_add_tcase(s, t);
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, walk_reports_what_is_below);
	tcase_add_test(t, walk_roots_that_are_none);
	tcase_add_test(t, walk_never_goes_through_a_link);
	tcase_add_test(t, walk_is_not_raced_out_of_the_tree);
	tcase_add_test(t, walk_goes_on_when_directories_vanish);
	tcase_add_test(t, walk_skips_and_stops_as_told);
	tcase_add_test(t, walk_depth_is_bounded);
	tcase_add_test(t, walk_stays_on_its_file_system);
	tcase_add_test(t, walk_does_not_go_round_a_mount);
	tcase_add_test(t, walk_goes_on_past_what_it_may_not_read);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
