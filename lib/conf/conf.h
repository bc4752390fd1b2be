/* conf.h - imapd.conf, whole: one table of options (options.def) from which the parser, the lint and the man page come.
 * Grammar, types, deprecated names and lookup rules: spec/config.md.
 *
 * A struct conf is read once and constant afterwards, except for conf_set_level(). Strings it returns live as long as it. */
#ifndef CAMB_CONF_H
#define CAMB_CONF_H
#include <stdbool.h>
#include <stdint.h>

/* Which release's defaults and layout for new data we follow (option compatibility_level). */
enum conf_level { LEVEL_AUTO, LEVEL_25, LEVEL_36 };

/* enum conf_opt: one constant OPT_NAME for each row of options.def: OPT_ALTNAMESPACE, OPT_UNIXHIERARCHYSEP ... */
enum conf_opt {
#define OPTION(id, ...) OPT_##id,
#include "conf/options.def"
#undef OPTION
	OPT_COUNT
};

struct conf;

struct conf_error {            /* filled when conf_load() fails: the text the originals print after "fatal error: " */
	char text[512];
};

/* Reads `path` (NULL: SYSCONFDIR/imapd.conf; CYRUS_PREFIX is tried first) for the program `ident` ("imap", "ctl_mboxlist").
 * need_data: also check that partitions are defined (spec/config.md 3). 0, or ERR_CONFIG with *err filled; *out is then NULL.
 * Warnings (deprecated names, deprecated words) go to the log. */
int conf_load(struct conf **out, const char *path, const char *ident, bool need_data, struct conf_error *err);
void conf_free(struct conf *c);

/* The same reading, for a checker: every problem goes to fn and reading goes on behind it. What keeps conf_load() from
 * succeeding is CONF_ERROR, what it logs is CONF_WARNING. file is the one the line is in (borrowed for the call), line 0: the
 * file as a whole. Nothing is logged. Returns the number of errors; *out is always filled with what could be read: its
 * conf_dir() is NULL when there was none, and options with bad values have their defaults. */
enum conf_problem { CONF_WARNING, CONF_ERROR };
typedef void conf_problem_fn(void *arg, enum conf_problem how, const char *file, unsigned line, const char *text);
unsigned conf_check(struct conf **out, const char *path, const char *ident, bool need_data, conf_problem_fn *fn, void *arg);

/* The level whose defaults are answered. conf_load() sets it from compatibility_level; for `auto` it is LEVEL_36 until
 * whoever looked at the store (imap/store/layout.h) says otherwise. Never LEVEL_AUTO. */
enum conf_level conf_level(const struct conf *c);
void conf_set_level(struct conf *c, enum conf_level level);
enum conf_level conf_level_wanted(const struct conf *c);      /* as configured, may be LEVEL_AUTO */

/* Typed access; asking for an option with the wrong type is a programming error caught by the unit test that walks the table. */
const char *conf_str(const struct conf *c, enum conf_opt o);  /* NULL when unset without default; {configdirectory} expanded */
bool conf_bool(const struct conf *c, enum conf_opt o);
long conf_int(const struct conf *c, enum conf_opt o);
int64_t conf_seconds(const struct conf *c, enum conf_opt o);  /* durations; a bare number counts in the option's own unit */
int64_t conf_bytes(const struct conf *c, enum conf_opt o);    /* sizes */
int conf_enum(const struct conf *c, enum conf_opt o);         /* index of the word in the option's value list */
const char *conf_word(const struct conf *c, enum conf_opt o); /* the word itself (enums and lists) */
uint64_t conf_bits(const struct conf *c, enum conf_opt o);    /* bit i: the i-th word of the value list is set */
bool conf_is_set(const struct conf *c, enum conf_opt o);      /* written in the file, not a default */

/* Open-ended keys ("partition-default", "sasl_mech_list"): <ident>_<key> beats <key>. NULL when absent. */
const char *conf_overflow(const struct conf *c, const char *key);
/* Every key that is in no table, lower case, in file order. */
void conf_each_overflow(const struct conf *c, void (*fn)(void *arg, const char *key, const char *value), void *arg);

/* Where it is written; the name lives as long as c. False when it is not in the file. A continued line counts as its last. */
bool conf_where(const struct conf *c, enum conf_opt o, const char **file, unsigned *line);
bool conf_where_overflow(const struct conf *c, const char *key, const char **file, unsigned *line);     /* exactly this key */

const char *conf_ident(const struct conf *c);
const char *conf_path(const struct conf *c);                  /* the file that was read */
const char *conf_dir(const struct conf *c);                   /* configdirectory */
const char *conf_servername(const struct conf *c);            /* option or host name */
/* "partition-NAME" and its like; NULL when undefined. kind: "partition-", "metapartition-", "archivepartition-". */
const char *conf_partition(const struct conf *c, const char *kind, const char *name);

/* The table itself, for lint, cyr_info and the man page; the columns are explained in options.def. */
enum conf_type { CONF_STR, CONF_INT, CONF_BOOL, CONF_ENUM, CONF_LIST, CONF_BITS, CONF_DUR, CONF_BYTES, CONF_KEY };
struct conf_row {
	const char *name;
	enum conf_type type;
	char unit;
	const char *def25, *def36, *values, *versions;
	const char *dep_since, *dep_now;      /* deprecated since which release, in favour of which name; NULL */
	const char *meaning;
};
const struct conf_row *conf_row(enum conf_opt o);
const char *conf_type_name(enum conf_type t);
int conf_find(const char *name);              /* the option of that (lower-case) name, or -1. Patterns (CONF_KEY) are not found */
/* Value as text (as cyr_info prints it: yes/no for switches), or NULL. Caller frees. */
char *conf_show(const struct conf *c, enum conf_opt o);
bool conf_is_idle(enum conf_opt o);           /* read for the sake of the file: what it governs is not there (idle.def) */
bool conf_is_default(const struct conf *c, enum conf_opt o);  /* the value equals the default of the level */
#endif
