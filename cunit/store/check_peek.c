/* check_peek.c - the header of an index, read without a lock: the same as under it, or nothing. */
#include "cunit/store/storetest.h"

#include <fcntl.h>

static const char *const levels[] = { "2.5", "3.6" };
#define NAME "user.fred"

static int peek(struct storetest *t, struct index_header *h)
{
	struct mbentry e;
	ck_assert_int_eq(mboxlist_lookup(t->st, NAME, &e), 0);
	int r = mailbox_peek(t->st, &e, h);
	mbentry_free(&e);
	return r;
}

/* The bytes of the index, changed; bytes NULL: every bit of them. Put back by the next call with size 0. */
static void change(struct storetest *t, size_t at, const void *bytes, size_t size)
{
	char other[INDEX_HEADER_MAX];
	static char kept[INDEX_HEADER_MAX];
	static size_t kept_at, kept_size;
	struct mbentry e;
	struct buf path = BUF_INIT;
	ck_assert_int_eq(mboxlist_lookup(t->st, NAME, &e), 0);
	ck_assert_int_eq(path_mailbox(t->st, &e, META_INDEX, "cyrus.index", &path), 0);
	int fd = open(buf_cstr(&path), O_RDWR);
	ck_assert_int_ge(fd, 0);
	if (size) {
		kept_at = at;
		kept_size = size;
		ck_assert_int_eq(pread(fd, kept, size, (off_t)at), (ssize_t)size);
		for (size_t i = 0; i < size; i++) other[i] = (char)~kept[i];
		ck_assert_int_eq(pwrite(fd, bytes ? bytes : other, size, (off_t)at), (ssize_t)size);
	} else {
		ck_assert_int_eq(pwrite(fd, kept, kept_size, (off_t)kept_at), (ssize_t)kept_size);
	}
	close(fd);
	buf_free(&path);
	mbentry_free(&e);
}

START_TEST(as_under_the_lock)
{
	struct storetest t;
	struct index_header h;
	struct mailbox *mb;
	storetest_new(&t, levels[_i], "");
	storetest_create(&t, NAME);
	for (unsigned n = 1; n < 8; n++) {
		ck_assert_int_eq(peek(&t, &h), 0);
		ck_assert_uint_eq(h.exists, n - 1);
		ck_assert_int_eq(storetest_append(&t, NAME, n, n % 2 ? "\\Seen" : NULL, NULL), 0);
		ck_assert_int_eq(peek(&t, &h), 0);
		ck_assert_int_eq(mailbox_open(t.st, NAME, &mb), 0);
		ck_assert_int_eq(mailbox_lock(mb, LOCK_SHARED), 0);
		ck_assert_mem_eq(&h, &mb->h, sizeof h);
		mailbox_unlock(mb);
		mailbox_close(&mb);
	}
	storetest_remove(&t);
}
END_TEST

/* A change that is not committed yet is not told, and neither is what a dead process has left half done. */
START_TEST(only_what_is_committed)
{
	struct storetest t;
	struct index_header h;
	struct mailbox *mb;
	char block[INDEX_HEADER_MAX];
	storetest_new(&t, levels[_i], "");
	storetest_create(&t, NAME);
	ck_assert_int_eq(storetest_append(&t, NAME, 1, NULL, NULL), 0);
	ck_assert_int_eq(mailbox_open(t.st, NAME, &mb), 0);
	ck_assert_int_eq(mailbox_lock(mb, LOCK_EXCLUSIVE), 0);
	mb->h.exists = 77;
	ck_assert_int_eq(peek(&t, &h), 0);
	ck_assert_uint_eq(h.exists, 1);
	mb->h.exists = 1;
	static const uint32_t options[] = { MBOXOPT_DELETED, MBOXOPT_NEEDS_REPACK, MBOXOPT_NEEDS_UNLINK };
	for (size_t i = 0; i <= COUNT(options); i++) {
		struct index_header odd = mb->h;
		if (i < COUNT(options)) odd.options |= options[i];
		else odd.leaked_cache_records |= INDEX_COMMITTING;
		index_header_encode(&odd, block);
		change(&t, 0, block, odd.start_offset);
		ck_assert_int_eq(peek(&t, &h), ERR_AGAIN);
		change(&t, 0, NULL, 0);
		ck_assert_int_eq(peek(&t, &h), 0);
	}
	mailbox_unlock(mb);
	mailbox_close(&mb);
	storetest_remove(&t);
}
END_TEST

/* Any torn or damaged header, another mailbox's index, none at all. */
START_TEST(nothing_else)
{
	struct storetest t;
	struct index_header h;
	struct mbentry e;
	storetest_new(&t, levels[_i], "");
	storetest_create(&t, NAME);
	ck_assert_int_eq(peek(&t, &h), 0);
	for (size_t at = 0, end = h.start_offset; at < end; at++) {
		change(&t, at, NULL, 1);
		ck_assert_msg(peek(&t, &h) == ERR_AGAIN, "byte %zu", at);
		change(&t, at, NULL, 0);
	}
	ck_assert_int_eq(mboxlist_lookup(t.st, NAME, &e), 0);
	ck_assert_int_eq(mailbox_peek(t.st, &e, &h), 0);
	e.uidvalidity++;
	ck_assert_int_eq(mailbox_peek(t.st, &e, &h), ERR_AGAIN);
	e.uidvalidity--;
	e.flags |= MBENTRY_REMOTE;
	ck_assert_int_eq(mailbox_peek(t.st, &e, &h), ERR_AGAIN);
	e.flags = (e.flags & ~MBENTRY_REMOTE) | MBENTRY_MOVING;
	ck_assert_int_eq(mailbox_peek(t.st, &e, &h), ERR_AGAIN);
	e.flags &= ~MBENTRY_MOVING;
	storetest_run("find %s/spool -name cyrus.index -execdir mv {} x ';'", t.dir);
	ck_assert_int_eq(mailbox_peek(t.st, &e, &h), ERR_AGAIN);
	storetest_run("find %s/spool -name x -execdir ln -s {} cyrus.index ';'", t.dir);
	ck_assert_int_eq(mailbox_peek(t.st, &e, &h), ERR_AGAIN);
	storetest_run("find %s/spool -name x -execdir rm cyrus.index ';' -execdir mkfifo cyrus.index ';'", t.dir);
	ck_assert_int_eq(mailbox_peek(t.st, &e, &h), ERR_AGAIN);
	free(e.partition);
	e.partition = mem_strdup("nowhere");
	ck_assert_int_eq(mailbox_peek(t.st, &e, &h), ERR_AGAIN);
	mbentry_free(&e);
	storetest_remove(&t);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("header without a lock");
	tcase_set_timeout(tc, 300);
	tcase_add_loop_test(tc, as_under_the_lock, 0, COUNT(levels));
	tcase_add_loop_test(tc, only_what_is_committed, 0, COUNT(levels));
	tcase_add_loop_test(tc, nothing_else, 0, COUNT(levels));
	return suite_run("peek", (TCase *[]){ tc, NULL });
}
