/* cron.c - the five fields of cron="...": text to bits, and whether a time matches (spec/master.md 11.2). */
#include "base/err.h"
#include "base/strarray.h"
#include "master/events.h"

#include <string.h>
#include <strings.h>

static const char *const months[] = { "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", NULL };
static const char *const days[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL };

struct field {
	unsigned low, high;
	unsigned alias, alias_of;          /* one value that means another; none when both are equal */
	const char *const *names;
	unsigned first_name;
};
static const struct field fields[5] = {
	{ 0, 59, 0, 0, NULL, 0 },          /* minute */
	{ 0, 23, 0, 0, NULL, 0 },          /* hour */
	{ 1, 31, 0, 31, NULL, 0 },         /* day of the month; 0 is 31 */
	{ 1, 12, 0, 12, months, 1 },       /* month; 0 is 12 */
	{ 0, 6, 7, 0, days, 0 },           /* weekday; 7 is Sunday */
};

static bool number(const char **p, unsigned *v)
{
	if (**p < '0' || **p > '9') return false;
	for (*v = 0; **p >= '0' && **p <= '9'; ++*p)
		if ((*v = *v * 10 + (unsigned)(**p - '0')) > 63) return false;
	return true;
}

static bool in_field(const struct field *f, unsigned v)
{
	return (v >= f->low && v <= f->high) || (f->alias != f->alias_of && v == f->alias);
}

/* "*", "a", "a-b", each but "a" with "/step". A step keeps the values it divides. */
static bool item(const struct field *f, const char **p, uint64_t *bits)
{
	unsigned a = f->low, b = f->high, step = 1;
	bool range = true;
	if (**p == '*') {
		++*p;
	} else {
		if (!number(p, &a)) return false;
		b = a;
		range = **p == '-';
		if (range && (++*p, !number(p, &b))) return false;
	}
	if (**p == '/' && (!range || (++*p, !number(p, &step)) || !step)) return false;
	if (a > b || !in_field(f, a) || !in_field(f, b)) return false;
	for (unsigned v = a; v <= b; v++)
		if (v % step == 0) *bits |= 1ULL << (f->alias != f->alias_of && v == f->alias ? f->alias_of : v);
	return true;
}

static bool field_parse(const struct field *f, const char *text, uint64_t *bits)
{
	*bits = 0;
	for (unsigned i = 0; f->names && f->names[i]; i++) {
		if (strcasecmp(text, f->names[i]) != 0) continue;
		*bits = 1ULL << (i + f->first_name);
		return true;
	}
	for (;; text++) {
		if (!item(f, &text, bits)) return false;
		if (*text != ',') return !*text;
	}
}

int cron_parse(struct cron *out, const char *text)
{
	struct strarray words = STRARRAY_INIT;
	uint64_t *const bits[5] = { &out->minute, &out->hour, &out->mday, &out->month, &out->wday };
	bool ok = false;
	strarray_split(&words, text, " \t\r\n");
	if (words.n == 5) {
		ok = true;
		for (size_t i = 0; i < 5 && ok; i++) ok = field_parse(&fields[i], words.v[i], bits[i]);
		out->any_mday = *words.v[2] == '*';
		out->any_wday = *words.v[4] == '*';
	}
	strarray_free(&words);
	return ok ? 0 : ERR_SYNTAX;
}

bool cron_match(const struct cron *c, const struct tm *t)
{
	bool mday = c->mday >> t->tm_mday & 1, wday = c->wday >> t->tm_wday & 1;
	bool day = !c->any_mday && !c->any_wday ? mday || wday : mday && wday;
	return (c->minute >> t->tm_min & 1) && (c->hour >> t->tm_hour & 1) && (c->month >> (t->tm_mon + 1) & 1) && day;
}
