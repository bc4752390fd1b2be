/* dbrows.h - every engine in each of its orders, and in what they differ. */
#ifndef CAMB_DBROWS_H
#define CAMB_DBROWS_H
enum {
	ROW_NAMES = 1,           /* keys are file names, values a line or two; a record is a file of its own */
	ROW_REPACKS = 2,
	ROW_MAGIC = 4,           /* its files are known by their first bytes */
	ROW_ORDER = 8,           /* a file is in one order, and can be found in the wrong one */
	ROW_SQL = 32,            /* with SQLite, a file that is known as well: begin() */
	ROW_LISTS = 16,          /* lists its keys before it visits them */
};
static const struct dbrow { const char *engine; int sort; unsigned is; } dbrows[] = {
	{ "twoskip", 0, ROW_REPACKS | ROW_MAGIC | ROW_ORDER }, { "twoskip", 1, ROW_REPACKS | ROW_MAGIC | ROW_ORDER },
	{ "skiplist", 0, ROW_REPACKS | ROW_MAGIC | ROW_ORDER }, { "skiplist", 1, ROW_REPACKS | ROW_MAGIC | ROW_ORDER },
	{ "flat", 0, 0 },
	{ "quotalegacy", 0, ROW_NAMES | ROW_LISTS }, { "quotalegacy", 1, ROW_NAMES | ROW_LISTS },
#ifdef HAVE_BDB
	{ "berkeley", 0, ROW_MAGIC | ROW_ORDER }, { "berkeley", 1, ROW_MAGIC | ROW_ORDER },
	{ "berkeley-nosync", 0, 0 },
	{ "berkeley-hash", 0, ROW_MAGIC | ROW_LISTS }, { "berkeley-hash-nosync", 0, ROW_LISTS },
#endif
#ifdef HAVE_SQL
	{ "sql", 0, ROW_SQL }, { "sql", 1, ROW_SQL | ROW_LISTS },
#endif
};
enum { DBROWS = sizeof dbrows / sizeof *dbrows };
#endif
