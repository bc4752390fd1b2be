/* conf_priv.h - what conf.c, conf_parse.c and conf_type.c share. */
#ifndef CAMB_CONF_PRIV_H
#define CAMB_CONF_PRIV_H
#include "base/hash.h"
#include "base/strarray.h"
#include "conf/conf.h"

struct conf_value {
	char *text;              /* NULL: not there */
	int64_t num;             /* INT, BOOL, ENUM, LIST: index; BITS; DUR: seconds; BYTES: bytes */
	bool specific;           /* came as <ident>_<name> */
	unsigned file, line;     /* index into files */
};

struct conf_key {                /* an overflow entry */
	char *key, *value;
	unsigned file, line;
};

struct conf {
	char *ident, *path, *dir, *servername;
	enum conf_level level, wanted;
	struct conf_value set[OPT_COUNT];          /* from the file */
	struct conf_value def[2][OPT_COUNT];       /* defaults of 2.5 and of 3.6 */
	const struct conf_value *old[OPT_COUNT];   /* what a deprecated name gave to this option */
	char *words[OPT_COUNT];                    /* conf_word() at the current level */
	struct hash *overflow;                     /* key -> struct conf_key, which keys[] owns */
	struct strarray files;                     /* read so far, @include: too */
	struct conf_key **keys;
	size_t nkeys, keys_alloc;
	char *title;                               /* where ps(1) looks, title_size bytes; NULL: not ours to write */
	size_t title_size;
};

/* conf_type.c: the meaning of a text. */
enum conf_bad { CONF_GOOD, CONF_BAD_INT, CONF_BAD_BOOL, CONF_BAD_WORD, CONF_BAD_DUR, CONF_BAD_BYTES };
/* Reads text as the type of row; *num is the value, *bad (may be NULL) the word that was not understood, caller frees. */
enum conf_bad conf_type_parse(const struct conf_row *row, const char *text, int64_t *num, char **bad);
/* Calls fn(arg, alias, word) for each deprecated alias in a text of type BITS, LIST or ENUM. */
void conf_type_aliases(const struct conf_row *row, const char *text, void (*fn)(void *arg, const char *alias, const char *word),
	void *arg);
char *conf_type_word(const struct conf_row *row, int index);   /* the i-th word of the list; caller frees; NULL past the end */

/* report.c: what is wrong. Loading stops at the first error; checking tells each and goes on. */
struct conf_report {
	struct conf_error *err;          /* loading: filled */
	conf_problem_fn *fn;             /* checking; NULL when loading */
	void *arg;
	const char *file;                /* where we are */
	unsigned line;
	unsigned errors;
};
/* ERR_CONFIG when loading, 0 when checking: the caller leaves on anything but 0, and else goes on without the bad thing. */
__attribute__((format(printf, 2, 3))) int conf_fail(struct conf_report *r, const char *fmt, ...);
__attribute__((format(printf, 2, 3))) void conf_warn(struct conf_report *r, const char *fmt, ...);
/* What follows is about v. */
void conf_report_at(struct conf_report *r, const struct conf *c, const struct conf_value *v);

/* conf_parse.c: the file. Fills set[] (texts only) and the overflow table. */
int conf_parse(struct conf *c, const char *path, struct conf_report *r);
#endif
