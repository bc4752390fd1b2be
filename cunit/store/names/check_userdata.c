/* check_userdata.c - seen state, subscriptions, the status cache and special uses, in stores of both layouts. */
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "cunit/store/names/namestest.h"
#include "cunit/store/names/suites.h"
#include "store/layout.h"
#include "store/mbname.h"
#include "store/paths.h"
#include "store/seen.h"
#include "store/seqset.h"
#include "store/annots.h"
#include "store/specialuse.h"
#include "store/statuscache.h"
#include "store/subs.h"

#include <check.h>
#include <string.h>
#include <unistd.h>

static const struct { const char *row; int err; uint32_t lastuid; const char *uids; } rows[] = {
	{ "", ERR_BADFORMAT, 0, "" }, { "x", ERR_BADFORMAT, 0, "" }, { "2 1 2 3 1", ERR_BADFORMAT, 0, "" },
	{ "1 1795282335", ERR_BADFORMAT, 0, "" },
	{ "1 1 4294967296 1 1", ERR_BADFORMAT, 0, "" }, { "1 1 -3 1 1", ERR_BADFORMAT, 0, "" },
	{ "1 1 18446744073709551616 1 ", ERR_BADFORMAT, 0, "" },
	{ "1 1 3 1 1:", ERR_SYNTAX, 3, "" }, { "1 1 3 1 hello", ERR_SYNTAX, 3, "" }, { "1 1 3 1 1,2 ", ERR_SYNTAX, 3, "" },
	{ "1 1795282335 3 1795282335 1,3", 0, 3, "1,3" }, { "1 1 3 1 ", 0, 3, "" }, { "1 1 3 1", 0, 3, "" },
	{ "1 1 7 1 5:*", 0, 7, "5:7" },
	{ "1 1 0 1 ", 0, 0, "" },
};

START_TEST(seen_rows)
{
	struct seen s;
	struct buf b = BUF_INIT;
	ck_assert_int_eq(seen_parse(&s, rows[_i].row, strlen(rows[_i].row)), rows[_i].err);
	ck_assert_uint_eq(s.lastuid, rows[_i].lastuid);
	seqset_print(&s.uids, &b);
	ck_assert_str_eq(buf_cstr(&b), rows[_i].uids);
	seen_free(&s);
	buf_free(&b);
}
END_TEST

static bool see_two(void *arg, struct seen *s)
{
	s->lastuid = 12;
	s->lastread = 1700000000;
	s->lastchange = 1700000001;
	seqset_add(&s->uids, 3, 5);
	seqset_add(&s->uids, 9, 9);
	return *(bool *)arg;
}

START_TEST(seen_is_kept)
{
	struct store *st = open_store(levels[_i], "");
	struct seen s;
	struct buf b = BUF_INIT;
	bool keep = false;
	ck_assert_int_eq(seen_read(st, "fred.smith", "id-1", &s), 0);        /* absent: nothing seen */
	ck_assert_uint_eq(s.lastuid, 0);
	ck_assert_uint_eq(seqset_count(&s.uids), 0);
	ck_assert_int_eq(seen_update(st, "fred.smith", "id-1", see_two, &keep), 0);
	ck_assert_int_eq(seen_read(st, "fred.smith", "id-1", &s), 0);
	ck_assert_uint_eq(s.lastuid, 0);                     /* the change was declined */
	seen_free(&s);
	keep = true;
	ck_assert_int_eq(seen_update(st, "fred.smith", "id-1", see_two, &keep), 0);
	ck_assert_int_eq(seen_read(st, "fred.smith", "id-1", &s), 0);
	seqset_print(&s.uids, &b);
	ck_assert_str_eq(buf_cstr(&b), "3:5,9");
	ck_assert(s.lastuid == 12 && s.lastread == 1700000000 && s.lastchange == 1700000001);
	seen_free(&s);
	ck_assert_int_eq(seen_read(st, "fred.smith", "id-2", &s), 0);
	ck_assert_uint_eq(s.lastuid, 0);
	ck_assert_int_eq(seen_read(st, "joe", "id-1", &s), 0);
	ck_assert_uint_eq(s.lastuid, 0);
	ck_assert_int_eq(seen_delete(st, "fred.smith", "id-1"), 0);
	ck_assert_int_eq(seen_delete(st, "fred.smith", "id-1"), 0);
	ck_assert_int_eq(seen_read(st, "fred.smith", "id-1", &s), 0);
	ck_assert_uint_eq(s.lastuid, 0);
	buf_free(&b);
	close_store(st);
}
END_TEST

START_TEST(seen_that_is_damaged)
{
	struct store *st = open_store(levels[_i], "");
	struct buf path = BUF_INIT;
	struct cyrusdb *db;
	struct seen s;
	bool keep = true;
	ck_assert_int_eq(seen_update(st, "fred", "other", see_two, &keep), 0);
	st->layout->user_file(st, "fred", "seen", &path);
	ck_assert_int_eq(cyrusdb_open(st->dbs, conf_word(store_conf, OPT_SEENSTATE_DB), buf_cstr(&path), 0, &db), 0);
	cyrusdb_store(db, "bad", 3, "1 1 3 1 x,y", 11, NULL);
	cyrusdb_store(db, "new", 3, "9 1 3 1 1", 9, NULL);
	cyrusdb_close(db);
	ck_assert_int_eq(seen_read(st, "fred", "bad", &s), 0);               /* read as empty, and said */
	ck_assert_uint_eq(seqset_count(&s.uids), 0);
	ck_assert_msg(strstr(buf_cstr(&scratch_log), "invalid sequence <1 1 3 1 x,y> for fred bad - nuking"), "%s", scratch_log.s);
	ck_assert_int_eq(seen_read(st, "fred", "new", &s), ERR_BADFORMAT);
	/* what we cannot read we do not replace */
	ck_assert_int_eq(seen_update(st, "fred", "new", see_two, &keep), ERR_BADFORMAT);
	ck_assert_int_eq(seen_update(st, "fred", "bad", see_two, &keep), 0);
	ck_assert_int_eq(seen_read(st, "fred", "bad", &s), 0);
	ck_assert_uint_eq(seqset_count(&s.uids), 4);
	seen_free(&s);
	buf_free(&path);
	close_store(st);
}
END_TEST

static int list_name(void *arg, const struct mbname *n)
{
	struct buf *b = arg;
	for (size_t i = 0; i < n->boxes.n; i++) buf_printf(b, "%s%s", i ? "." : "", n->boxes.v[i]);
	buf_printf(b, "(%s);", n->localpart ? n->localpart : "");
	return 0;
}

static int stop_now(void *arg, const struct mbname *n)
{
	(void)arg, (void)n;
	return 7;
}

static void subscribe(struct store *st, const char *user, const char *name, bool on)
{
	struct mbname n;
	ck_assert_int_eq(mbname_from_internal(&n, name, &st->ns), 0);
	ck_assert_int_eq(subs_set(st, user, &n, on), 0);
	ck_assert_int_eq(subs_has(st, user, &n), on);
	mbname_free(&n);
}

START_TEST(subscriptions)
{
	struct store *st = open_store(levels[_i], "");
	struct buf b = BUF_INIT;
	ck_assert_int_eq(subs_each(st, "fred.smith", list_name, &b), 0);
	subscribe(st, "fred.smith", "user.fred^smith.gone", false);          /* nothing to take away, and no file made for it */
	ck_assert_uint_eq(b.len, 0);
	subscribe(st, "fred.smith", "user.fred^smith", true);
	subscribe(st, "fred.smith", "user.fred^smith.a^b.c", true);
	subscribe(st, "fred.smith", "user.fred^smith.a^b.c", true);          /* twice is once */
	subscribe(st, "fred.smith", "user.joe.shared", true);
	subscribe(st, "fred.smith", "news.no^such", true);
	ck_assert_int_eq(subs_each(st, "fred.smith", list_name, &b), 0);
	ck_assert_ptr_nonnull(strstr(buf_cstr(&b), "a.b.c(fred.smith);"));
	ck_assert_ptr_nonnull(strstr(b.s, "news.no.such();"));
	ck_assert_ptr_nonnull(strstr(b.s, "shared(joe);"));
	size_t entries = 0;
	for (const char *p = b.s; (p = strchr(p, ';')); p++) entries++;
	ck_assert_uint_eq(entries, 4);                       /* no version record among them */
	ck_assert_int_eq(subs_each(st, "fred.smith", stop_now, NULL), 7);
	subscribe(st, "fred.smith", "user.joe.shared", false);
	buf_reset(&b);
	ck_assert_int_eq(subs_each(st, "fred.smith", list_name, &b), 0);
	ck_assert_ptr_null(strstr(buf_cstr(&b), "joe"));
	buf_reset(&b);
	ck_assert_int_eq(subs_each(st, "joe", list_name, &b), 0);
	ck_assert_uint_eq(b.len, 0);
	buf_free(&b);
	close_store(st);
}
END_TEST

static int count_rows(void *arg, const char *key, size_t keylen, const char *val, size_t vallen)
{
	(void)val, (void)vallen;
	buf_append(arg, key, keylen);
	buf_putc(arg, ' ');
	return 0;
}

/* All rows of the mailbox go, those of its neighbours stay. */
START_TEST(statuscache_rows_are_dropped)
{
	static const char *const keys[] = { "user.fred%", "user.fred%%fred", "user.fred%%joe", "user.fred%x%", "user.fred%x%%joe",
		"user.fred.a%", "user.freddy%%fred" };
	struct store *st = open_store(levels[_i], "statuscache: yes\n");
	struct cyrusdb *db;
	struct buf path = BUF_INIT, left = BUF_INIT;
	statuscache_invalidate(st, "user.fred");             /* without a file: nothing, and none is made */
	path_conf(st, OPT_STATUSCACHE_DB_PATH, "statuscache.db", &path);
	ck_assert_int_ne(access(buf_cstr(&path), F_OK), 0);
	ck_assert_int_eq(cyrusdb_open(st->dbs, conf_word(store_conf, OPT_STATUSCACHE_DB), path.s, CYRUSDB_CREATE, &db), 0);
	for (size_t i = 0; i < COUNT(keys); i++) ck_assert_int_eq(cyrusdb_store(db, keys[i], strlen(keys[i]), "row", 3, NULL), 0);
	cyrusdb_close(db);
	statuscache_invalidate(st, "user.fred");
	ck_assert_ptr_nonnull(st->statuscache);
	ck_assert_int_eq(cyrusdb_foreach(st->statuscache, "", 0, NULL, count_rows, &left, NULL), 0);
	ck_assert_str_eq(buf_cstr(&left), "user.fred%x% user.fred%x%%joe user.fred.a% user.freddy%%fred ");
	statuscache_invalidate(st, "user.none");
	buf_free(&path);
	buf_free(&left);
	close_store(st);
}
END_TEST

static void put_annotation(struct store *st, const struct mbentry *e, const char *user, const char *value, size_t claimed)
{
	struct buf path = BUF_INIT, key = BUF_INIT, val = BUF_INIT;
	struct cyrusdb *db;
	path_conf(st, OPT_ANNOTATION_DB_PATH, "annotations.db", &path);
	ck_assert_int_eq(cyrusdb_open(st->dbs, conf_word(store_conf, OPT_ANNOTATION_DB), buf_cstr(&path), CYRUSDB_CREATE, &db), 0);
	st->layout->annot_scope(e, &key);
	buf_append(&key, "\0/specialuse\0", 13);
	buf_puts(&key, user);
	buf_putc(&key, 0);
	buf_be32(&val, (uint32_t)claimed);
	buf_be32(&val, 0);
	buf_puts(&val, value);
	ck_assert_int_eq(cyrusdb_store(db, key.s, key.len, val.s, val.len, NULL), 0);
	cyrusdb_close(db);
	buf_free(&path);
	buf_free(&key);
	buf_free(&val);
}

START_TEST(special_uses)
{
	struct store *st = open_store(levels[_i], "");
	struct mbentry e = { .name = mem_strdup("user.fred.Sent"), .uniqueid = mem_strdup("id-1"), .acl = mem_strdup("") };
	struct mbentry o = { .name = mem_strdup("user.fred.Other"), .uniqueid = mem_strdup("id-2"), .acl = mem_strdup("") };
	struct buf b = BUF_INIT;
	struct annots *s = annots_open(st, "fred");
	ck_assert_ptr_null(s);                               /* no database */
	ck_assert(!specialuse_get(s, &e, &b));
	annots_close(s);
	ck_assert_int_eq(mbname_from_internal(&e.parts, e.name, &st->ns), 0);
	ck_assert_int_eq(mbname_from_internal(&o.parts, o.name, &st->ns), 0);
	put_annotation(st, &e, st->layout->annot_owner_token ? "[.OwNeR.]" : "fred", "\\Sent \\Flagged", 14);
	put_annotation(st, &e, "joe", "\\Junk", 5);
	put_annotation(st, &o, "joe", "\\Junk", 4000000000u);                /* a length beyond the record */
	ck_assert_ptr_null(annots_open(st, NULL));
	s = annots_open(st, "fred");
	ck_assert(specialuse_get(s, &e, &b));
	ck_assert_str_eq(buf_cstr(&b), "\\Sent \\Flagged");
	ck_assert(!specialuse_get(s, &o, &b));
	annots_close(s);
	s = annots_open(st, "joe");                      /* his own view, not the owner's */
	buf_reset(&b);
	ck_assert(specialuse_get(s, &e, &b));
	ck_assert_str_eq(buf_cstr(&b), "\\Junk");
	ck_assert(!specialuse_get(s, &o, &b));
	annots_close(s);
	s = annots_open(st, "ann");
	ck_assert(!specialuse_get(s, &e, &b));
	annots_close(s);
	mbentry_free(&e);
	mbentry_free(&o);
	buf_free(&b);
	close_store(st);
}
END_TEST

TCase *case_userdata(void)
{
	TCase *t = tcase_create("user data");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, scratch_setup, scratch_teardown);
	tcase_add_loop_test(t, seen_rows, 0, COUNT(rows));
	tcase_add_loop_test(t, seen_is_kept, 0, 2);
	tcase_add_loop_test(t, seen_that_is_damaged, 0, 2);
	tcase_add_loop_test(t, subscriptions, 0, 2);
	tcase_add_loop_test(t, statuscache_rows_are_dropped, 0, 2);
	tcase_add_loop_test(t, special_uses, 0, 2);
	return t;
}
