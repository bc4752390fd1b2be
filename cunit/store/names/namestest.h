/* namestest.h - configurations and stores of either layout. */
#ifndef CUNIT_STORE_NAMES_NAMESTEST_H
#define CUNIT_STORE_NAMES_NAMESTEST_H
#include "cunit/scratch.h"
#include "store/paths.h"

extern const char *const levels[2];    /* 2.5, 3.6 */

struct conf *load(const char *level, const char *more);          /* in scratch_dir */

#define STD_DOT "unixhierarchysep: no\naltnamespace: no\n"
#define STD_SLASH "unixhierarchysep: yes\naltnamespace: no\n"
#define ALT_SLASH "unixhierarchysep: yes\naltnamespace: yes\n"
#define VIRT "virtdomains: userid\n"
void with_namespace(const char *level, const char *conf, bool admin, struct namespace *ns);

/* One at a time; its configuration. */
extern struct conf *store_conf;
struct store *open_store(const char *level, const char *more);
void close_store(struct store *st);
#endif
