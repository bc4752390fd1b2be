/* scratch.h - what tests of files share: a directory of their own, what is logged meanwhile, small files, a configuration from
 * its text. */
#ifndef CUNIT_SCRATCH_H
#define CUNIT_SCRATCH_H
#include "base/buf.h"
#include "conf/conf.h"

#include <check.h>
#include <stdbool.h>

extern char scratch_dir[64];           /* absolute */
extern struct buf scratch_log;         /* one line behind the other, without those for debugging */

/* Checked fixtures. enter: setup, and the directory becomes the current one. teardown is for both. */
void scratch_setup(void);
void scratch_enter(void);
void scratch_teardown(void);

/* Keeps what is logged again, after somebody else has hooked the log. */
void scratch_hook(void);

/* The path of a file in the directory; good until the next call. */
const char *scratch_path(const char *name);
/* Writes a text to that path. */
const char *scratch_put(const char *name, const char *text);

/* imapd.conf with this text, loaded as the program `ident` does; need_data as for conf_load(). conf_free() it. */
struct conf *scratch_conf(const char *ident, bool need_data, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
#endif
