/* events.h - the EVENTS section: when each command is due (spec/master.md 11). Knows two clocks and no processes. */
#ifndef CAMB_MASTER_EVENTS_H
#define CAMB_MASTER_EVENTS_H
#include "base/strarray.h"
#include "master/conf_cyrus.h"

#include <stdint.h>
#include <time.h>

enum event_kind { EVENT_ONCE, EVENT_PERIOD, EVENT_DAILY, EVENT_CRON };

struct cron {                          /* bit n: the value n matches */
	uint64_t minute, hour, mday, month, wday;
	bool any_mday, any_wday;           /* the field was "*" */
};

struct event {
	enum event_kind kind;
	char *name;
	struct strarray argv;
	int64_t period;                    /* nanoseconds */
	int64_t due;                       /* monotonic; ONCE and PERIOD. INT64_MAX: never again */
	int at;                            /* minute of the day */
	time_t mark;                       /* wall clock; DAILY: next run, CRON: the minute looked at last */
	struct cron cron;
};

struct event_list {
	struct event *v;                   /* file order */
	size_t n, alloc;
	int64_t mono_due;                  /* nothing is due before this on the monotonic clock ... */
	time_t wall_due, wall_seen;        /* ... nor before that on the wall clock, unless it was set back meanwhile */
};

void events_free(struct event_list *l);
/* Drops what is there and takes the EVENTS of c. Lines events_check() refuses are left out. */
void events_load(struct event_list *l, const struct cyrusconf *c, int64_t mono, time_t wall);
int events_check(const struct cyrusconf *c);              /* 0, or ERR_CONFIG when a cron line cannot be read; logged */
/* May one be due? One look for the whole list; events_plan() makes it true again after the list was gone through. */
bool events_due(struct event_list *l, int64_t mono, time_t wall);
void events_plan(struct event_list *l, time_t wall);
bool event_due(struct event *e, int64_t mono, time_t wall);
void event_ran(struct event *e, int64_t mono, time_t wall);      /* sets the next time; also when it does not run */
/* Monotonic time of the earliest event, INT64_MAX for none. Wall-clock marks are converted with both clocks. */
int64_t events_deadline(const struct event_list *l, int64_t mono, int64_t wall_ns);

time_t daily_next(int minute_of_day, time_t after);       /* the first such local time later than `after` */
int cron_parse(struct cron *out, const char *text);       /* 0 or ERR_SYNTAX */
bool cron_match(const struct cron *c, const struct tm *t);
#endif
