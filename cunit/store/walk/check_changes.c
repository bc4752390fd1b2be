/* check_changes.c - trees that change meanwhile. */
#include "cunit/store/walk/suites.h"
#include "cunit/store/walk/walktest.h"
#include "sys/sys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* The way back up goes through a directory that is elsewhere by then: what is above it is still finished, itself too while it can
 * be found from inside. */
START_TEST(walk_finds_its_way_back)
{
	const char *root = "r";
	struct mover m = { .at = 199, .move = 50, .replaced_by = _i };
	dig(200, "z");
	struct dirwalk w = { .roots = &root, .nroots = 1, .levels = DIRWALK_ALL, .flags = DIRWALK_STAT, .entry = move_away,
		.arg = &m };
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

/* Without "..", down from the root again; where that fails, the rest of what is lost is told once, and what is above is
 * finished. */
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

TCase *case_changes(void)
{
	TCase *t = tcase_create("changes");
	tcase_set_timeout(t, 300);
	tcase_add_checked_fixture(t, walktest_setup, walktest_teardown);
	tcase_add_loop_test(t, walk_is_not_raced_out_of_the_tree, 0, COUNT(swaps));
	tcase_add_test(t, walk_goes_on_when_directories_vanish);
	tcase_add_loop_test(t, walk_finds_its_way_back, 0, A_LIKENESS + 1);
	tcase_add_loop_test(t, walk_comes_down_from_the_root_again, 0, A_LIKENESS + 1);
	return t;
}
