/* namestest.c - see namestest.h. */
#include "cunit/store/names/namestest.h"

struct conf *store_conf;
const char *const levels[] = { "2.5", "3.6" };

struct conf *load(const char *level, const char *more)
{
	return scratch_conf("test", true, "configdirectory: %s\npartition-default: %s/spool\ndefaultpartition: default\n"
		"compatibility_level: %s\n%s", scratch_dir, scratch_dir, level, more);
}

void with_namespace(const char *level, const char *conf, bool admin, struct namespace *ns)
{
	struct conf *c = load(level, conf);
	ck_assert_int_eq(namespace_init(ns, c, admin), 0);
	conf_free(c);
}

struct store *open_store(const char *level, const char *more)
{
	struct store *st;
	store_conf = load(level, more);
	ck_assert_int_eq(store_open(&st, store_conf, true), 0);
	return st;
}

void close_store(struct store *st)
{
	store_close(st);
	conf_free(store_conf);
}
