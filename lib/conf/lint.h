/* lint.h - which keys of a configuration nobody will ever read (spec/config.md 1.2). */
#ifndef CAMB_LINT_H
#define CAMB_LINT_H
#include "base/strarray.h"
#include "conf/conf.h"

/* Is this key (lower case) a table name, one of the open-ended patterns, or either with `<service>_` in front? */
bool lint_known(const char *key, const struct strarray *services);
/* Calls fn for each key of the file that is none of these. */
void lint_conf(const struct conf *c, const struct strarray *services,
	void (*fn)(void *arg, const char *key, const char *value), void *arg);
#endif
