/* check_mounts.c - mounts, and what may not be read. */
#include "cunit/store/walk/suites.h"
#include "cunit/store/walk/walktest.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

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

/* A directory that may not be read is told and passed over, one that may not be searched as well; root reads everything, so he
 * becomes somebody else first. */
static int walk_unreadable(void)
{
	struct buf b = BUF_INIT;
	const char *root = "r";
	if (geteuid() == 0 && (chmod(scratch_dir, 0711) < 0 || chmod("r", 0755) < 0 || chown("r/closed", 0, 0) < 0
		|| setuid(65534) < 0)) return 2;
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

TCase *case_mounts(void)
{
	TCase *t = tcase_create("mounts");
	tcase_set_timeout(t, 300);
	tcase_add_checked_fixture(t, walktest_setup, walktest_teardown);
	tcase_add_test(t, walk_does_not_go_round_a_mount);
	tcase_add_test(t, partitions_may_be_mounts);
	tcase_add_test(t, walk_stays_on_its_file_system);
	tcase_add_test(t, walk_goes_on_past_what_it_may_not_read);
	return t;
}
