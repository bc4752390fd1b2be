/* repeat.h - log lines that say the same again and again are counted instead of written.
 *
 * Two lines are the same when they differ in digits only and have the same priority. Of each kind the first REPEAT_PASS lines
 * within REPEAT_WINDOW are written; when the window ends, one line tells how many more there were, with the text of the last.
 * Only LOG_WARNING and worse are looked at. The table is bounded: the kind whose window began first makes room for a new one.
 * What is written is never more than what came.
 *
 * Time is an argument: monotonic nanoseconds that never go back (sys/clock.h). A struct of zeros is an empty table. */
#ifndef CAMB_REPEAT_H
#define CAMB_REPEAT_H
#include <stdbool.h>
#include <stdint.h>

#define REPEAT_KINDS 64
#define REPEAT_PASS 5
#define REPEAT_WINDOW 10000000000LL    /* ns */
#define REPEAT_TEXT 512                /* bytes kept of the last line, with its NUL */

struct repeat_kind {
	uint64_t key;
	int priority;
	int64_t began;                     /* of the window */
	unsigned passed;                   /* lines written in it; 0: the slot is free */
	unsigned long more;                /* lines not written */
	char last[REPEAT_TEXT];
};

struct repeat {
	struct repeat_kind kinds[REPEAT_KINDS];
	unsigned counting;                 /* kinds with lines to tell of */
	/* Writes "N more lines like: TEXT"; must not come back here. */
	void (*emit)(void *arg, int priority, const char *text);
	void *arg;
};

bool repeat_pass(struct repeat *r, int64_t now, int priority, const char *line);      /* is this line to be written? */
void repeat_flush(struct repeat *r, int64_t now);        /* ends the windows that are over; INT64_MAX: all of them */
int64_t repeat_due(const struct repeat *r);              /* when a window with lines to tell of ends; INT64_MAX: none */
#endif
