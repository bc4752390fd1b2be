/* check_program.c - what a program does first, and the files that say what processes do (spec/master.md 3.4, 17.2, 19). */
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/procfile.h"
#include "conf/program.h"
#include "cunit/scratch.h"
#include "cunit/suite.h"
#include "sys/fault.h"
#include "sys/file.h"
#include "sys/newfile.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

static void teardown(void)
{
	fault_install(NULL);
	scratch_teardown();
}

static struct conf *load(const char *more) { return scratch_conf("test", false, "configdirectory: %s\n%s", scratch_dir, more); }

static int show(void *arg, const struct procfile *p)
{
	buf_printf(arg, "%ld<%s|%s|%s|%s|%s>", (long)p->pid, p->service, p->host, p->user, p->mailbox, p->command);
	return 0;
}

static int stop(void *arg, const struct procfile *p)
{
	(void)p;
	return ++*(int *)arg == 2 ? 9 : 0;
}

static void expect(const struct conf *c, const char *want)
{
	struct buf b = BUF_INIT;
	ck_assert_int_eq(procfile_each(c, show, &b), 0);
	ck_assert_str_eq(buf_cstr(&b), want);
	buf_free(&b);
}

START_TEST(procfile_round_trip)
{
	struct conf *c = load("");
	struct buf b = BUF_INIT;
	int n = 0;
	ck_assert_int_eq(procfile_each(c, show, NULL), -1);
	ck_assert_int_eq(errno, ENOENT);
	/* makes the directory */
	ck_assert_int_eq(procfile_write(c, 17, "imap", "localhost [127.0.0.1]", NULL, NULL, "Noop"), 0);
	ck_assert_int_eq(file_read("proc/17", 1000, &b), 0);
	ck_assert_str_eq(buf_cstr(&b), "imap\tlocalhost [127.0.0.1]\t\t\tNoop\n");
	expect(c, "17<imap|localhost [127.0.0.1]|||Noop>");
	ck_assert_int_eq(procfile_write(c, 17, "a\tb", "c\nd", "e\rf", "\t", ""), 0);        /* nobody forges a field or a line */
	expect(c, "17<a b|c d|e f| |>");
	ck_assert_int_eq(procfile_write(c, 18, "x", NULL, NULL, NULL, NULL), 0);
	ck_assert_int_eq(procfile_each(c, stop, &n), 9);
	ck_assert_int_eq(n, 2);
	procfile_remove(c, 17);
	procfile_remove(c, 17);
	expect(c, "18<x||||>");
	procfile_remove(c, 18);
	ck_assert_int_eq(proc_register(c, "me", "h", "u", "m", "c"), 0);
	char *want = mem_printf("%ld<me|h|u|m|c>", (long)getpid());
	expect(c, want);
	proc_cleanup(c);
	expect(c, "");
	free(want);
	buf_free(&b);
	conf_free(c);
}
END_TEST

static const struct { const char *name, *text, *want; } odd[] = {
	{ "1", "", "1<||||>" }, { "1", "imap", "1<imap||||>" }, { "1", "imap\thost\n", "1<imap|host|||>" },
	{ "1", "a\tb\tc\td\te\tf\tg\n", "1<a|b|c|d|e>" },
	{ "1", "\t\t\t\t\n", "1<||||>" }, { ".1", "a\tb\tc\td\te\n", "" }, { "1.new", "a\tb\tc\td\te\n", "" },
	{ "one", "a\tb\tc\td\te\n", "" },
	{ "-1", "a\tb\tc\td\te\n", "" }, { "1x", "a\n", "" }, { "99999999999", "a\n", "" },
};

START_TEST(procfile_of_others)
{
	struct conf *c = load("");
	char *path = mem_printf("proc/%s", odd[_i].name);
	scratch_put(path, odd[_i].text);
	expect(c, odd[_i].want);
	free(path);
	conf_free(c);
}
END_TEST

START_TEST(procfile_directory)
{
	struct conf *c = load("proc_path: /run/elsewhere\n"), *root = load("proc_path: /\n");
	char *a = procfile_dir(c), *b = procfile_dir(root), *want = mem_printf("%s/proc", scratch_dir);
	ck_assert_str_eq(a, "/run/elsewhere");
	ck_assert_str_eq(b, want);
	free(a);
	free(b);
	free(want);
	conf_free(c);
	conf_free(root);
}
END_TEST

/* A reader never sees half a line, and a disk that is full is said. */
START_TEST(procfile_on_a_full_disk)
{
	struct conf *c = load("");
	ck_assert_int_eq(procfile_write(c, 5, "a long name", "", "", "", "old"), 0);
	for (unsigned long i = 1; i <= 3; i++) {
		fault_install(&(struct fault){ FAULT_ERROR, i, ENOSPC, 0 });
		ck_assert_int_eq(procfile_write(c, 6, "new", "", "", "", ""), -1);
		fault_install(NULL);
		expect(c, "5<a long name||||old>");
	}
	ck_assert_ptr_nonnull(strstr(buf_cstr(&scratch_log), "proc/6"));
	ck_assert_int_eq(procfile_write(c, 5, "short", "", "", "", ""), 0);       /* written over: nothing of the old line is left */
	expect(c, "5<short||||>");
	conf_free(c);
}
END_TEST

START_TEST(umask_as_written)
{
	static const struct { const char *s; unsigned v; } t[] = {
		{ NULL, 0 }, { "", 0 }, { "077", 077 }, { "77", 077 }, { "0o22", 022 }, { "8", 0 }, { "1 2", 012 },
		{ "7777", 07777 }, { "77777777", 07777 },
	};
	for (size_t i = 0; i < COUNT(t); i++) ck_assert_msg(program_umask(t[i].s) == t[i].v, "row %zu", i);
}
END_TEST

START_TEST(programs_found_and_runnable)
{
	char *a = program_path("/abs/olute"), *b = program_path("no-such-program");
	ck_assert_str_eq(a, "/abs/olute");
	ck_assert_int_eq(*b, '/');
	ck_assert_str_eq(strrchr(b, '/'), "/no-such-program");
	free(a);
	free(b);
	scratch_put("script", "#!/bin/sh\n");
	ck_assert(!program_runnable("script"));
	ck_assert_int_eq(chmod("script", 0700), 0);
	ck_assert(program_runnable("script"));
	ck_assert_int_eq(chmod("script", 0077), 0);          /* the owner's bit counts */
	ck_assert(!program_runnable("script"));
	ck_assert(!program_runnable(scratch_dir));
	ck_assert(!program_runnable("missing"));
}
END_TEST

START_TEST(init_without_a_configuration)
{
	struct conf *c = (struct conf *)scratch_dir;
	ck_assert_ptr_nonnull(freopen("err", "w", stderr));
	ck_assert_int_eq(program_init(&c, "missing.conf", "test", PROGRAM_KEEP_USER), EX_CONFIG);
	ck_assert_ptr_null(c);
	fflush(stderr);
	struct buf b = BUF_INIT;
	ck_assert_int_eq(file_read("err", 1000, &b), 0);
	ck_assert_int_eq(strncmp(buf_cstr(&b), "fatal error: ", 13), 0);
	buf_free(&b);
}
END_TEST

START_TEST(init_opens_descriptors_and_sets_the_umask)
{
	struct conf *c = load("umask: 027\n");
	conf_free(c);
	int keep[3] = { dup(0), dup(1), dup(2) };
	for (int fd = 0; fd < 3; fd++) close(fd);
	int r = program_init(&c, "imapd.conf", "test", PROGRAM_KEEP_USER);
	struct stat st;
	bool open = fstat(0, &st) == 0 && fstat(1, &st) == 0 && fstat(2, &st) == 0;
	for (int fd = 0; fd < 3; fd++) dup2(keep[fd], fd);
	ck_assert_int_eq(r, 0);
	ck_assert(open);
	ck_assert_int_eq(umask(022), 027);
	conf_free(c);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("program");
	tcase_add_checked_fixture(t, scratch_enter, teardown);
	tcase_add_test(t, procfile_round_trip);
	tcase_add_loop_test(t, procfile_of_others, 0, COUNT(odd));
	tcase_add_test(t, procfile_directory);
	tcase_add_test(t, procfile_on_a_full_disk);
	tcase_add_test(t, umask_as_written);
	tcase_add_test(t, programs_found_and_runnable);
	tcase_add_test(t, init_without_a_configuration);
	tcase_add_test(t, init_opens_descriptors_and_sets_the_umask);
	return suite_run("program", (TCase *[]){ t, NULL });
}
