/* check_sys.c - lib/sys: files replaced as a whole, locks between processes, maps, clocks, and the fault driver itself. */
#include "base/log.h"
#include "base/mem.h"
#include "cunit/scratch.h"
#include "cunit/suite.h"
#include "sys/clock.h"
#include "sys/fault.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/map.h"
#include "sys/newfile.h"
#include "sys/sys.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void teardown(void)
{
	fault_install(NULL);
	clock_fake(NULL, NULL);
	scratch_teardown();
}

static bool holds(const char *path, const char *text)
{
	struct buf b = BUF_INIT;
	bool ok = file_read(path, 1 << 20, &b) == 0 && buf_eq(&b, text);
	buf_free(&b);
	return ok;
}

static bool exists(const char *path) { return access(path, F_OK) == 0; }

/* Runs fn in a child, which _exit()s with what fn returns; the child's status comes back. */
static int in_child(int (*fn)(void))
{
	fflush(NULL);
	pid_t pid = fork();
	if (!pid) _exit(fn());
	int status = -1;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* ------------------------------------------------------------------------------------------------ whole files */

START_TEST(file_read_does_not_wait_for_a_writer)
{
	struct buf b = BUF_INIT;
	static const struct { const char *path; int error; } rows[] = { { "fifo", EINVAL }, { ".", EISDIR }, { "/dev/null", 0 } };
	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		errno = 0;
		ck_assert_int_eq(file_read(rows[i].path, 10, &b), rows[i].error ? -1 : 0);
		if (rows[i].error) ck_assert_int_eq(errno, rows[i].error);
	}
	ck_assert_uint_eq(b.len, 0);
	buf_free(&b);
}
END_TEST

START_TEST(file_read_has_a_limit)
{
	struct buf b = BUF_INIT;
	scratch_put("five", "12345");
	scratch_put("empty", "");
	buf_puts(&b, "x");
	ck_assert_int_eq(file_read("five", 5, &b), 0);
	ck_assert(buf_eq(&b, "x12345"));
	errno = 0;
	ck_assert_int_eq(file_read("five", 4, &b), -1);
	ck_assert_int_eq(errno, EFBIG);
	ck_assert(buf_eq(&b, "x12345"));                     /* what was there before is untouched */
	ck_assert_int_eq(file_read("empty", 0, &b), 0);
	ck_assert_int_eq(file_read("missing", 5, &b), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(file_read(scratch_dir, 5, &b), -1);
	ck_assert_int_eq(errno, EISDIR);
	buf_free(&b);
}
END_TEST

START_TEST(file_makes_directories)
{
	struct buf deep = BUF_INIT;
	ck_assert_int_eq(file_mkparents("a/b/c", 0700), 0);
	ck_assert(exists("a/b") && !exists("a/b/c"));
	ck_assert_int_eq(file_mkdirs("a/b/c/d", 0700), 0);
	ck_assert(exists("a/b/c/d"));
	ck_assert_int_eq(file_mkdirs("a/b/c/d", 0700), 0);   /* again */
	ck_assert_int_eq(file_mkdirs("a//x///y", 0700), 0);
	ck_assert(exists("a/x/y"));
	ck_assert_int_eq(file_mkparents("plain", 0700), 0);  /* nothing above it */
	scratch_put("file", "");
	ck_assert_int_eq(file_mkdirs("file/x/y", 0700), -1);
	ck_assert_int_eq(errno, ENOTDIR);
	for (int i = 0; i < 1000; i++) buf_puts(&deep, "d/");
	ck_assert_int_eq(file_mkdirs(buf_cstr(&deep), 0700), 0);
	ck_assert(exists(buf_cstr(&deep)));
	buf_free(&deep);
	int fd = file_create("n/e/w", O_WRONLY | O_EXCL, 0600);
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(file_create("n/e/w", O_WRONLY | O_EXCL, 0600), -1);
	ck_assert_int_eq(errno, EEXIST);
}
END_TEST

START_TEST(file_copy_keeps_times_and_never_overwrites)
{
	struct stat st;
	struct timespec t[2] = { { 1000000000, 0 }, { 1234567890, 0 } };
	scratch_put("from", "content");
	ck_assert_int_eq(utimensat(AT_FDCWD, "from", t, 0), 0);
	ck_assert_int_eq(file_copy("from", "to", 0600), 0);
	ck_assert(holds("to", "content"));
	ck_assert_int_eq(stat("to", &st), 0);
	ck_assert_int_eq(st.st_mtime, 1234567890);
	scratch_put("other", "mine");
	ck_assert_int_eq(file_copy("from", "other", 0600), -1);
	ck_assert_int_eq(errno, EEXIST);
	ck_assert(holds("other", "mine"));
	ck_assert_int_eq(file_copy("missing", "x", 0600), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert(!exists("x"));
}
END_TEST

/* Whichever call fails: an error, its errno, and no copy or half of one. */
START_TEST(file_copy_leaves_nothing_when_a_call_fails)
{
	struct fault f = { FAULT_NONE, 0, 0, 0 };
	scratch_put("from", "content");
	fault_install(&f);
	ck_assert_int_eq(file_copy("from", "to", 0600), 0);
	unsigned long n = fault_count();
	ck_assert_uint_ge(n, 4);                             /* open, write, futimens, fsync */
	ck_assert_int_eq(unlink("to"), 0);
	for (unsigned long i = 1; i <= n; i++) {
		f = (struct fault){ FAULT_ERROR, i, EIO, 0 };
		fault_install(&f);
		errno = 0;
		ck_assert_int_eq(file_copy("from", "to", 0600), -1);
		ck_assert_int_eq(errno, EIO);
		ck_assert_msg(!exists("to"), "call %lu", i);
	}
}
END_TEST

/* ------------------------------------------------------------------------------------------------ newfile */

START_TEST(newfile_replaces_or_leaves)
{
	struct newfile f = NEWFILE_INIT;
	newfile_abort(&f);                                   /* harmless */
	scratch_put("d/name", "old");
	scratch_put("d/name.NEW", "left over and longer than what follows");
	ck_assert_int_eq(newfile_open(&f, "d/name", 0600), 0);
	ck_assert_int_eq(sys_write_all(f.fd, "new", 3), 0);
	ck_assert(holds("d/name", "old"));
	ck_assert_int_eq(newfile_commit(&f), 0);
	ck_assert_int_eq(f.fd, -1);
	ck_assert(holds("d/name", "new"));
	ck_assert(!exists("d/name.NEW"));
	ck_assert_int_eq(newfile_open(&f, "d/name", 0600), 0);
	ck_assert_int_eq(sys_write_all(f.fd, "never", 5), 0);
	newfile_abort(&f);
	ck_assert(holds("d/name", "new"));
	ck_assert(!exists("d/name.NEW"));
	ck_assert_int_eq(newfile_write("made/on/the/way", 0600, "x", 1), 0);
	ck_assert(holds("made/on/the/way", "x"));
}
END_TEST

/* A link planted under NAME.NEW must not lead the writer elsewhere. */
START_TEST(newfile_does_not_follow_a_link)
{
	scratch_put("victim", "precious");
	ck_assert_int_eq(symlink("victim", "name.NEW"), 0);
	ck_assert_int_eq(newfile_write("name", 0600, "x", 1), -1);
	ck_assert_int_eq(errno, ELOOP);
	ck_assert(holds("victim", "precious"));
	ck_assert(!exists("name"));
}
END_TEST

/* Each call in turn fails: the old content or the new, an error reported, no left-overs before the rename. */
START_TEST(newfile_with_every_call_failing)
{
	struct fault f = { FAULT_NONE, 0, 0, 0 };
	scratch_put("name", "old");
	fault_install(&f);
	scratch_put("name", "old");
	unsigned long n = fault_count();
	ck_assert_uint_eq(n, 5);                             /* open, write, fsync, rename, fsync of the directory */
	for (unsigned long i = 1; i <= n; i++) {
		f = (struct fault){ FAULT_ERROR, i, ENOSPC, 0 };
		fault_install(&f);
		errno = 0;
		ck_assert_int_eq(newfile_write("name", 0600, "new", 3), -1);
		ck_assert_int_eq(errno, ENOSPC);
		fault_install(NULL);
		ck_assert_msg(holds("name", i < n ? "old" : "new"), "call %lu", i);
		ck_assert_msg(!exists("name.NEW"), "call %lu", i);
	}
}
END_TEST

enum { NEW_SIZE = 1200, SECTOR = 512 };

static struct fault plan;

/* Longer than a sector, or a torn write would be none. */
static int replace_under_plan(void)
{
	char text[NEW_SIZE];
	memset(text, 'n', sizeof text);
	fault_install(&plan);
	return newfile_write("name", 0600, text, sizeof text) == 0 ? 0 : 1;
}

static long size_of(const char *path)
{
	struct stat st;
	return stat(path, &st) < 0 ? -1 : (long)st.st_size;
}

START_TEST(newfile_with_the_process_dying)
{
	for (int torn = 0; torn < 2; torn++) {
		for (unsigned long i = 1; i <= 5; i++) {
			scratch_put("name", "old");
			plan = (struct fault){ torn ? FAULT_TORN : FAULT_DIE, i, 0, 0 };
			ck_assert_int_eq(in_child(replace_under_plan), 99);
			if (i < 5) ck_assert_msg(holds("name", "old"), "call %lu", i);
			else ck_assert_int_eq(size_of("name"), NEW_SIZE);
			if (i == 3) ck_assert_int_eq(size_of("name.NEW"), NEW_SIZE);
			if (i == 2) ck_assert_int_eq(size_of("name.NEW"), torn ? SECTOR : 0);
		}
		plan = (struct fault){ torn ? FAULT_TORN : FAULT_DIE, 6, 0, 0 };
		ck_assert_int_eq(in_child(replace_under_plan), 0);
		ck_assert_int_eq(size_of("name"), NEW_SIZE);
		ck_assert(!exists("name.NEW"));
	}
}
END_TEST

/* ------------------------------------------------------------------------------------------------ sys and fault */

START_TEST(writes_are_finished_when_short_or_interrupted)
{
	static const enum fault_kind kinds[] = { FAULT_SHORT, FAULT_EINTR };
	char text[101], back[101];
	memset(text, 0, sizeof text);
	for (int i = 0; i < 100; i++) text[i] = (char)('!' + i % 90);
	for (size_t k = 0; k < COUNT(kinds); k++) {
		struct fault f = { kinds[k], 1, 0, 0 };
		fault_install(&f);
		int fd = sys_open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
		ck_assert_int_ge(fd, 0);
		ck_assert_int_eq(sys_write_all(fd, text, 50), 0);
		ck_assert_int_eq(sys_pwrite_all(fd, text + 50, 50, 50), 0);
		ck_assert_int_eq(sys_pwrite_all(fd, NULL, 0, 0), 0);
		ck_assert_int_eq(sys_fsync(fd), 0);
		ck_assert_int_eq(sys_fdatasync(fd), 0);
		ck_assert_int_eq(sys_ftruncate(fd, 99), 0);
		if (kinds[k] == FAULT_SHORT) ck_assert_uint_gt(fault_count(), 100);
		memset(back, 0, sizeof back);
		ck_assert_int_eq(sys_pread_full(fd, back, 200 - 100, 0), 99);          /* short only at the end */
		ck_assert_int_eq(memcmp(back, text, 99), 0);
		ck_assert_int_eq(sys_pread_full(fd, back, 10, 99), 0);
		ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
		fault_install(NULL);
		close(fd);
	}
}
END_TEST

START_TEST(fault_hits_the_call_asked_for)
{
	struct fault f = { FAULT_ERROR, 2, ENOSPC, 0 };
	fault_install(&f);
	ck_assert_int_eq(sys_mkdir("one", 0700), 0);
	ck_assert_int_eq(sys_mkdir("two", 0700), -1);
	ck_assert_int_eq(errno, ENOSPC);
	ck_assert_int_eq(sys_mkdir("three", 0700), 0);
	ck_assert_uint_eq(fault_count(), 3);
	f.sticky = 1;
	fault_install(&f);
	ck_assert_int_eq(sys_rmdir("one"), 0);
	ck_assert_int_eq(sys_rmdir("three"), -1);
	ck_assert_int_eq(sys_unlink("three"), -1);
	ck_assert_int_eq(errno, ENOSPC);
	int fd = sys_open(".", O_RDONLY, 0);                 /* reading is not numbered */
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_uint_eq(fault_count(), 3);
	fault_install(NULL);
	ck_assert(exists("three") && !exists("two") && !exists("one"));
	ck_assert_int_eq(sys_rmdir("three"), 0);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ locks */

static enum lock_mode child_mode;

static int try_in_child(void)
{
	int fd = open("lock", O_RDWR);
	if (lock_fd(fd, child_mode, LOCK_NOWAIT, "lock") == 0) return 0;
	return errno == EWOULDBLOCK ? 1 : 2;
}

static int child_gets(enum lock_mode mode)
{
	child_mode = mode;
	return in_child(try_in_child);
}

START_TEST(locks_exclude_as_they_should)
{
	scratch_put("lock", "");
	int fd = open("lock", O_RDWR);
	ck_assert_int_eq(lock_fd(fd, LOCK_SHARED, LOCK_NOWAIT, "lock"), 0);
	ck_assert_int_eq(child_gets(LOCK_SHARED), 0);
	ck_assert_int_eq(child_gets(LOCK_EXCLUSIVE), 1);
	ck_assert_int_eq(lock_fd(fd, LOCK_EXCLUSIVE, LOCK_NOWAIT, "lock"), 0);         /* upgraded in place */
	ck_assert_int_eq(child_gets(LOCK_SHARED), 1);
	ck_assert_int_eq(lock_fd(fd, LOCK_SHARED, LOCK_NOWAIT, "lock"), 0);
	ck_assert_int_eq(child_gets(LOCK_SHARED), 0);
	ck_assert_int_eq(lock_fd(fd, LOCK_UNLOCK, LOCK_NOWAIT, "lock"), 0);
	ck_assert_int_eq(child_gets(LOCK_EXCLUSIVE), 0);
	ck_assert_uint_eq(scratch_log.len, 0);                    /* trying once is nothing to complain about */
	ck_assert_int_eq(lock_fd(-1, LOCK_SHARED, 1000, "none"), -1);
	ck_assert_int_eq(errno, EBADF);
	close(fd);
}
END_TEST

static int64_t fast_time;
static int64_t fast_clock(void) { return fast_time += 30 * NSEC_PER_SEC; }

static int holder_go[2], holder_ready[2];

static pid_t start_holder(const char *path)
{
	char c = 0;
	ck_assert_int_eq(pipe(holder_go), 0);
	ck_assert_int_eq(pipe(holder_ready), 0);
	pid_t pid = fork();
	if (!pid) {
		int fd = open(path, O_RDWR);
		bool ok = lock_fd(fd, LOCK_EXCLUSIVE, LOCK_NOWAIT, path) == 0 && write(holder_ready[1], "r", 1) == 1;
		close(holder_go[1]);
		while (ok && read(holder_go[0], &c, 1) > 0) ;
		_exit(!ok);
	}
	close(holder_go[0]);
	ck_assert_int_eq(read(holder_ready[0], &c, 1), 1);
	return pid;
}

static void stop_holder(pid_t pid)
{
	int status;
	close(holder_go[1]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	close(holder_ready[0]);
	close(holder_ready[1]);
}

/* By the test's clock a minute has passed at the third look. */
START_TEST(lock_gives_up_and_names_the_holder)
{
	scratch_put("lock", "");
	pid_t pid = start_holder("lock");
	int fd = open("lock", O_RDWR);
	clock_fake(fast_clock, NULL);
	ck_assert_int_eq(lock_fd(fd, LOCK_SHARED, LOCK_DEFAULT, "the name"), -1);
	ck_assert_int_eq(errno, EWOULDBLOCK);
	clock_fake(NULL, NULL);
	char *who = mem_printf("held by pid %ld", (long)pid);
	ck_assert_msg(strstr(buf_cstr(&scratch_log), who) && strstr(scratch_log.s, "the name"), "%s", scratch_log.s);
	free(who);
	stop_holder(pid);
	ck_assert_int_eq(lock_fd(fd, LOCK_EXCLUSIVE, LOCK_DEFAULT, "the name"), 0);
	close(fd);
}
END_TEST

START_TEST(lock_reopen_follows_the_name)
{
	struct stat st, old;
	scratch_put("lock", "first");
	int fd = open("lock", O_RDWR);
	ck_assert_int_eq(lock_reopen(fd, "lock", LOCK_EXCLUSIVE, false, LOCK_NOWAIT, &old), 0);
	ck_assert_int_eq(child_gets(LOCK_SHARED), 1);
	ck_assert_int_eq(lock_fd(fd, LOCK_UNLOCK, 0, "lock"), 0);
	scratch_put("lock", "second!");                              /* another inode under the name */
	ck_assert_int_eq(lock_reopen(fd, "lock", LOCK_EXCLUSIVE, false, LOCK_NOWAIT, &st), 0);
	ck_assert_int_eq(st.st_size, 7);
	ck_assert(st.st_ino != old.st_ino);
	ck_assert_int_eq(child_gets(LOCK_SHARED), 1);        /* the lock is on the file that has the name */
	ck_assert_int_eq(write(fd, "X", 1), 1);
	ck_assert(holds("lock", "Xecond!"));
	ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	scratch_put("lock", "third");
	ck_assert_int_eq(lock_reopen(fd, "lock", LOCK_SHARED, true, LOCK_NOWAIT, NULL), 0);
	ck_assert_int_eq(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	ck_assert_int_eq(child_gets(LOCK_SHARED), 0);
	ck_assert_int_eq(child_gets(LOCK_EXCLUSIVE), 1);
	ck_assert_int_eq(unlink("lock"), 0);
	ck_assert_int_eq(lock_reopen(fd, "lock", LOCK_SHARED, true, LOCK_NOWAIT, NULL), -1);
	ck_assert_int_eq(errno, ENOENT);
	close(fd);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ maps, clocks */

START_TEST(map_grows_with_its_file)
{
	struct map m = MAP_INIT;
	int fd = open("file", O_RDWR | O_CREAT, 0600), other = open("other", O_RDWR | O_CREAT, 0600);
	ck_assert_int_eq(map_refresh(&m, fd, 0), 0);
	ck_assert_ptr_null(m.base);
	for (size_t n = 0; n < 100000; n += 1000) {
		char block[1000];
		memset(block, 'a' + (int)(n / 1000 % 26), sizeof block);
		ck_assert_int_eq(sys_write_all(fd, block, sizeof block), 0);
		ck_assert_int_eq(map_refresh(&m, fd, n + 1000), 0);
		ck_assert_uint_eq(m.len, n + 1000);
		ck_assert_int_eq(m.base[n], block[0]);
		ck_assert_int_eq(m.base[n + 999], block[0]);
	}
	ck_assert_int_eq(m.base[0], 'a');
	ck_assert_int_eq(pwrite(fd, "!", 1, 5), 1);
	ck_assert_int_eq(m.base[5], '!');                    /* shared with whoever writes */
	ck_assert_int_eq(map_refresh(&m, fd, 10), 0);
	ck_assert_uint_eq(m.len, 10);
	ck_assert_int_eq(sys_write_all(other, "zz", 2), 0);
	ck_assert_int_eq(map_refresh(&m, other, 2), 0);      /* another file: another view */
	ck_assert_int_eq(m.base[0], 'z');
	map_free(&m);
	ck_assert_ptr_null(m.base);
	map_free(&m);
	ck_assert_int_eq(map_refresh(&m, -1, 10), -1);
	ck_assert_int_eq(errno, EBADF);
	close(fd);
	close(other);
}
END_TEST

static int64_t at_42(void) { return 42 * NSEC_PER_SEC + 999999999; }

START_TEST(clock_can_be_set)
{
	clock_fake(at_42, at_42);
	ck_assert_int_eq(clock_now(), 42);
	ck_assert(clock_mono() == at_42() && clock_real_ns() == at_42());
	clock_fake(NULL, NULL);
	ck_assert_int_gt(clock_now(), 1000000000);
	int64_t a = clock_mono(), b = clock_mono();
	ck_assert(b >= a);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("sys");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, scratch_enter, teardown);
	tcase_add_test(t, file_read_does_not_wait_for_a_writer);
	tcase_add_test(t, file_read_has_a_limit);
	tcase_add_test(t, file_makes_directories);
	tcase_add_test(t, file_copy_keeps_times_and_never_overwrites);
	tcase_add_test(t, file_copy_leaves_nothing_when_a_call_fails);
	tcase_add_test(t, newfile_replaces_or_leaves);
	tcase_add_test(t, newfile_does_not_follow_a_link);
	tcase_add_test(t, newfile_with_every_call_failing);
	tcase_add_test(t, newfile_with_the_process_dying);
	tcase_add_test(t, writes_are_finished_when_short_or_interrupted);
	tcase_add_test(t, fault_hits_the_call_asked_for);
	tcase_add_test(t, locks_exclude_as_they_should);
	tcase_add_test(t, lock_gives_up_and_names_the_holder);
	tcase_add_test(t, lock_reopen_follows_the_name);
	tcase_add_test(t, map_grows_with_its_file);
	tcase_add_test(t, clock_can_be_set);
	return suite_run("sys", (TCase *[]){ t, NULL });
}
