/* conf_cyrus.h - cyrus.conf: bytes to struct, nothing else. Grammar and its oddities: spec/master.md 4.
 *
 * Pure: opens nothing, resolves nothing, looks at no program. What it cannot read is an error with a line; what it can
 * read but thinks odd goes to the note function. */
#ifndef CAMB_CONF_CYRUS_H
#define CAMB_CONF_CYRUS_H
#include "base/strarray.h"

#include <stdbool.h>
#include <stddef.h>

enum cyrusconf_section { SECTION_START, SECTION_SERVICES, SECTION_EVENTS, SECTION_DAEMON, SECTION_COUNT };

#define CYRUSCONF_LINE_MAX 4095        /* bytes; a longer line is read as two */
#define CYRUSCONF_ARGS_MAX 64          /* key=value pairs of an entry */
#define CYRUSCONF_INT_MAX 1000000000   /* larger numbers are taken as this */
#define CYRUSCONF_SIZE_MAX (16 << 20)  /* bytes of a file that readers accept */

struct cyrusconf_entry {
	enum cyrusconf_section section;
	unsigned line;
	char *name;
	struct strarray argv;          /* cmd, split on blanks; at least one word */
	char *listen;                  /* SERVICES: never NULL; else NULL */
	char *proto;                   /* "tcp" unless given; not checked here */
	int prefork, maxchild, maxforkrate, maxfds;      /* defaults 0, -1, 0, 0 */
	bool babysit, wait;
	int period;                    /* minutes; 0: none */
	int at;                        /* minute of the day, -1: none or invalid */
	char *cron;                    /* NULL: none */
};

struct cyrusconf {
	struct cyrusconf_entry *entries;     /* START first, then SERVICES, EVENTS, DAEMON; file order inside each */
	size_t n, alloc;
};
#define CYRUSCONF_INIT { NULL, 0, 0 }

struct cyrusconf_error {
	unsigned line;
	char text[256];                /* without file name and line */
};

enum cyrusconf_note { NOTE_DEBUG, NOTE_WARNING, NOTE_ERROR };
typedef void cyrusconf_note_fn(void *arg, enum cyrusconf_note how, unsigned line, const char *text);

/* 0, or ERR_SYNTAX (err.h) with *err filled and *out empty. `lenient` (reload): an entry without cmd or listen, or with a
 * name taken before, is left out with a warning instead of an error. note may be NULL. Linear in n. */
int cyrusconf_parse(struct cyrusconf *out, const void *bytes, size_t n, bool lenient, cyrusconf_note_fn *note, void *arg,
	struct cyrusconf_error *err);
/* The same reading, for a checker: errors go to note as NOTE_ERROR and reading goes on at the next line; what the other
 * reading passes over in silence is told too. Returns the number of errors. Entries in *out may lack what they need: no word
 * in argv, listen NULL or empty. */
unsigned cyrusconf_check(struct cyrusconf *out, const void *bytes, size_t n, cyrusconf_note_fn *note, void *arg);
void cyrusconf_free(struct cyrusconf *c);       /* may be used again */
const char *cyrusconf_section_name(enum cyrusconf_section s);
#endif
