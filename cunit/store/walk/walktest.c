/* walktest.c - see walktest.h. */
#include "base/strarray.h"
#include "cunit/store/walk/walktest.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/newfile.h"
#include "sys/sys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void walktest_setup(void) { scratch_enter(); }

void walktest_teardown(void)
{
	sys_use(NULL);
	clock_fake(NULL, NULL);
	scratch_teardown();
}

void touch(const char *path) { ck_assert_int_eq(newfile_write(path, 0600, "x", 1), 0); }
void make(const char *path) { ck_assert_int_eq(file_mkdirs(path, 0700), 0); }

void follow(const char *recipe)
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

int collect(void *arg, const struct dirwalk_entry *e)
{
	static const char letters[] = { [DIRWALK_FILE] = 'f', [DIRWALK_DIR] = 'd', [DIRWALK_LINK] = 'l', [DIRWALK_SPECIAL] = 's' };
	struct stat st;
	ck_assert_str_eq(strrchr(e->path, '/') + 1, e->name);
	if (e->st) ck_assert(!fstatat(e->dirfd, e->name, &st, AT_SYMLINK_NOFOLLOW) && st.st_ino == e->st->st_ino);
	buf_printf(arg, "%s%d%c:%s", ((struct buf *)arg)->len ? " " : "", e->depth, letters[e->kind], e->path);
	return 0;
}

void put_odds(struct buf *b, const struct dirwalk *w)
{
	for (int i = 0; i < DIRWALK_ODDS; i++)
		if (w->n.odd[i]) buf_printf(b, " %s=%d", odd_names[i], (int)w->n.odd[i]);
	if (w->n.vanished) buf_printf(b, " vanished=%d", (int)w->n.vanished);
}

char *walk_all(const char *root, unsigned flags, int want)
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

void expect(const char *root, const char *want)
{
	for (unsigned flags = 0; flags <= DIRWALK_STAT; flags++) {
		char *s = walk_all(root, flags, 0);
		ck_assert_str_eq(s, want);
		free(s);
	}
}

int put_path(void *arg, const struct dirwalk_entry *e)
{
	buf_printf(arg, "%s ", e->path + 2);
	return 0;
}

void dig(int depth, const char *file)
{
	make("r");
	ck_assert_int_eq(chdir("r"), 0);
	for (int i = 0; i < depth; i++) {
		if (file) touch(file);
		ck_assert_int_eq(mkdir("down", 0700), 0);
		ck_assert_int_eq(chdir("down"), 0);
	}
	ck_assert_int_eq(chdir(scratch_dir), 0);
}

int tally(void *arg, const struct dirwalk_entry *e)
{
	struct tally *t = arg;
	t->dirs += e->kind == DIRWALK_DIR;
	t->files += e->kind == DIRWALK_FILE;
	t->links += e->kind == DIRWALK_LINK;
	if (e->depth > t->deepest) t->deepest = e->depth;
	t->last = e->depth;
	return t->stop_at && t->dirs + t->files + t->links == t->stop_at ? t->result : 0;
}
