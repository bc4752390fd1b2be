/* contract.h - one engine in one of its orders, as the row of dbrows.h says. */
#ifndef CUNIT_DB_CONTRACT_CONTRACT_H
#define CUNIT_DB_CONTRACT_CONTRACT_H
#include "cunit/db/dbrows.h"
#include "cunit/db/dbtest.h"

extern const struct dbrow *row;        /* of this test, and how its order is asked for */
extern int base_flags;
void begin(int i);

/* A table on a server is no file: nothing to detect, to convert from in place, or to copy. */
bool on_server(const struct dbrow *r);
bool has_magic(const struct dbrow *r);
bool names_only(void);

struct cyrusdb *open_row(int flags);
void prepare(void);                    /* user.a to user.d: */
extern const char all_text[];
void seen_by_others(const char *want); /* as another process would see it: by a new environment */
#endif
