/* events.c - see events.h. Periods run on the monotonic clock, daily and cron marks on the wall clock. */
#include "master/events.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "sys/clock.h"

#include <stdlib.h>
#include <string.h>

#define DAY 86400
#define SECONDS_PER_MINUTE 60

void events_free(struct event_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].name);
		strarray_free(&l->v[i].argv);
	}
	free(l->v);
	*l = (struct event_list){ 0 };
}

/* The wall time hh:mm on the day of *day, chosen as section 11.1 says: of an ambiguous time the first; of one that the
 * clock skips, an hour earlier. */
static time_t at_on_day(int minute_of_day, const struct tm *day)
{
	time_t best = (time_t)-1, earliest = (time_t)-1;
	for (int dst = -1; dst <= 1; dst++) {
		struct tm t = { .tm_year = day->tm_year, .tm_mon = day->tm_mon, .tm_mday = day->tm_mday,
			.tm_hour = minute_of_day / 60, .tm_min = minute_of_day % 60, .tm_isdst = dst };
		time_t x = mktime(&t);
		if (x == (time_t)-1) continue;
		struct tm back;
		if (!localtime_r(&x, &back)) continue;
		if (earliest == (time_t)-1 || x < earliest) earliest = x;
		if (back.tm_hour != minute_of_day / 60 || back.tm_min != minute_of_day % 60) continue;
		if (best == (time_t)-1 || x < best) best = x;
	}
	return best != (time_t)-1 ? best : earliest;
}

time_t daily_next(int minute_of_day, time_t after)
{
	struct tm day;
	if (!localtime_r(&after, &day)) return after + DAY;
	for (int i = 0; i < 3; i++) {
		time_t x = at_on_day(minute_of_day, &day);
		if (x != (time_t)-1 && x > after) return x;
		day.tm_mday++;
	}
	return after + DAY;
}

static struct event *add(struct event_list *l, const struct cyrusconf_entry *e)
{
	MEM_GROW(l->v, l->alloc, l->n + 1);
	struct event *ev = &l->v[l->n++];
	*ev = (struct event){ .name = mem_strdup(e->name), .argv = STRARRAY_INIT, .due = INT64_MAX };
	for (size_t i = 0; i < e->argv.n; i++) strarray_append(&ev->argv, e->argv.v[i]);
	return ev;
}

static time_t wall_of(const struct event *e, time_t wall)
{
	if (e->kind == EVENT_DAILY) return e->mark;
	return e->kind == EVENT_CRON ? (wall / SECONDS_PER_MINUTE + 1) * SECONDS_PER_MINUTE : (time_t)INT64_MAX;
}

void events_plan(struct event_list *l, time_t wall)
{
	l->mono_due = INT64_MAX;
	l->wall_due = (time_t)INT64_MAX;
	l->wall_seen = wall;
	for (size_t i = 0; i < l->n; i++) {
		time_t t = wall_of(&l->v[i], wall);
		if (l->v[i].due < l->mono_due) l->mono_due = l->v[i].due;
		if (t < l->wall_due) l->wall_due = t;
	}
}

bool events_due(struct event_list *l, int64_t mono, time_t wall)
{
	bool set_back = wall < l->wall_seen;
	l->wall_seen = wall;
	return l->n && (mono >= l->mono_due || wall >= l->wall_due || set_back);
}

void events_load(struct event_list *l, const struct cyrusconf *c, int64_t mono, time_t wall)
{
	events_free(l);
	for (size_t i = 0; i < c->n; i++) {
		const struct cyrusconf_entry *e = &c->entries[i];
		struct cron cron;
		if (e->section != SECTION_EVENTS || (e->cron && cron_parse(&cron, e->cron))) continue;
		struct event *ev = add(l, e);
		if (e->cron) {
			ev->kind = EVENT_CRON;
			ev->cron = cron;
			ev->mark = wall / SECONDS_PER_MINUTE - 1;
		} else if (e->at >= 0) {
			ev->kind = EVENT_DAILY;
			ev->at = e->at;
			ev->mark = daily_next(e->at, wall);
		} else {
			ev->kind = e->period > 0 ? EVENT_PERIOD : EVENT_ONCE;
			ev->period = (int64_t)e->period * SECONDS_PER_MINUTE * NSEC_PER_SEC;
			ev->due = mono;
		}
	}
	l->mono_due = INT64_MIN;           /* the first pass looks at all */
	l->wall_seen = wall;
}

int events_check(const struct cyrusconf *c)
{
	struct cron cron;
	for (size_t i = 0; i < c->n; i++) {
		const struct cyrusconf_entry *e = &c->entries[i];
		if (e->section != SECTION_EVENTS || !e->cron || !cron_parse(&cron, e->cron)) continue;
		log_msg(LOG_ERR, "configuration line %u: event %s: unreadable cron=\"%s\"", e->line, e->name, e->cron);
		return ERR_CONFIG;
	}
	return 0;
}

static bool cron_due(struct event *e, time_t wall)
{
	time_t minute = wall / SECONDS_PER_MINUTE;
	struct tm t;
	if (minute == e->mark) return false;
	e->mark = minute;                  /* one look at each minute; minutes missed are not made up */
	return localtime_r(&wall, &t) && cron_match(&e->cron, &t);
}

bool event_due(struct event *e, int64_t mono, time_t wall)
{
	switch (e->kind) {
	case EVENT_ONCE: case EVENT_PERIOD: return mono >= e->due;
	case EVENT_DAILY:
		if (e->mark - wall > 2 * DAY) e->mark = daily_next(e->at, wall);       /* the clock was set far back */
		return wall >= e->mark;
	case EVENT_CRON: return cron_due(e, wall);
	}
	return false;
}

void event_ran(struct event *e, int64_t mono, time_t wall)
{
	switch (e->kind) {
	case EVENT_ONCE: e->due = INT64_MAX; break;
	case EVENT_PERIOD: e->due = mono + e->period; break;
	case EVENT_DAILY: e->mark = daily_next(e->at, wall); break;
	case EVENT_CRON: break;
	}
}

int64_t events_deadline(const struct event_list *l, int64_t mono, int64_t wall_ns)
{
	int64_t due = l->n ? l->mono_due : INT64_MAX;
	if (!l->n || l->wall_due > (time_t)(INT64_MAX / NSEC_PER_SEC)) return due;
	int64_t left = (int64_t)l->wall_due * NSEC_PER_SEC - wall_ns;
	return mono + left < due ? mono + left : due;
}
