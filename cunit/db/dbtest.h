/* dbtest.h - what the database tests share: a scratch directory, golden files, a database as one line of text. */
#ifndef CAMB_DBTEST_H
#define CAMB_DBTEST_H
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "cunit/suite.h"
#include "db/cyrusdb.h"
#include "db/db_priv.h"
#include "sys/fault.h"
#include "sys/file.h"
#include "sys/newfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char dir[64];
extern struct cyrusdb_env *env;        /* of this process */

void dbtest_setup(void);               /* a checked fixture */
void dbtest_teardown(void);
struct cyrusdb_env *new_env(void);     /* as another process has it */

/* What was logged since expect_log(). */
extern struct buf logged;
void expect_log(void);
bool log_said(const char *text);

const char *path_of(const char *name); /* in the directory; good for four calls */
const char *db_path(const char *engine);
char *golden(const char *name);        /* free() it */
const char *copy_golden(const char *name, const char *as);
void slurp(const char *path, struct buf *b);

/* A database that must open; an environment of one's own: cyrusdb_open(). */
struct cyrusdb *open_as(const char *engine, const char *path, int flags);
int put(struct cyrusdb *db, const char *key, const char *val);
/* "key=val key=val ", in order; the test fails when the database cannot be read. add_text: the callback that does it. */
const char *text_of(struct cyrusdb *db, struct buf *b);
int add_text(void *arg, const char *key, size_t keylen, const char *val, size_t vallen);
#endif
