/* date.c - the days and zones that all date grammars share, IMAP dates and printing. See date.h; date_mail.c reads
 * RFC 5322 dates. */
#include "text/date.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "text/date_priv.h"

const char date_months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
static const char weekdays[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };

int64_t date_day(int64_t y, int m, int d)
{
	int64_t era, yoe, doy, doe;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5;
	doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + doe - 719468 + d - 1;
}

int date_month_days(int64_t y, int m)
{
	return (int)(m == 12 ? 31 : date_day(y, m + 1, 1) - date_day(y, m, 1));
}

int date_month(const char *s)
{
	for (int i = 0; i < 12; i++)
		if (strncasecmp(s, date_months[i], 3) == 0)
			return i + 1;
	return 0;
}

int date_us_zone(const char *z)
{
	static const char first[] = "aecmpyhb";
	const char *k = z[0] ? strchr(first, z[0] | 0x20) : NULL;

	if (!k || !*k || (z[2] | 0x20) != 't')
		return 0;
	if ((z[1] | 0x20) == 'd')
		return (-3 - (int)(k - first)) * 60;
	return (z[1] | 0x20) == 's' ? (-4 - (int)(k - first)) * 60 : 0;
}

int date_military(int c)
{
	c |= 0x20;
	if (c < 'a' || c > 'z' || c == 'j' || c == 'z')
		return 0;
	return (c < 'j' ? c - 'a' + 1 : c <= 'm' ? c - 'a' : 'm' - c) * 60;
}

int64_t date_local_day(time_t t)
{
	struct tm tm;

	if (!localtime_r(&t, &tm))
		return 0;
	return date_day((int64_t)tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
}

time_t date_local(int64_t day, int hour)
{
	struct tm tm = { 0 };
	time_t t;

	if (day < -700000 || day > 100000000)           /* beyond what struct tm is sure to hold: UTC */
		return (time_t)(day * 86400 + hour * 3600);
	t = (time_t)(day * 86400);
	if (!gmtime_r(&t, &tm))
		return (time_t)(day * 86400 + hour * 3600);
	tm.tm_hour = hour;
	tm.tm_isdst = -1;
	return mktime(&tm);
}

/* ---- IMAP */
static bool digits(const char **p, const char *end, int min, int max, int *v)
{
	int n = 0;

	*v = 0;
	while (*p < end && n < max && **p >= '0' && **p <= '9') {
		*v = *v * 10 + (*(*p)++ - '0');
		n++;
	}
	return n >= min;
}

static bool lit(const char **p, const char *end, char c)
{
	if (*p >= end || **p != c)
		return false;
	(*p)++;
	return true;
}

/* d-Mon-yyyy or d-Mon-yy; *year as it would be written in full. */
static bool imap_date(const char **p, const char *end, int64_t *day, bool *old)
{
	const char *y;
	int d, m, year;

	if (!digits(p, end, 1, 2, &d) || !lit(p, end, '-') || end - *p < 4 || !(m = date_month(*p)))
		return false;
	*p += 3;
	if (!lit(p, end, '-'))
		return false;
	y = *p;
	if (!digits(p, end, 2, 4, &year) || *p - y == 3)
		return false;
	*old = *p - y == 2;
	if (*old)
		year += 1900;
	if (d < 1 || d > date_month_days(year, m))
		return false;
	*day = date_day(year, m, d);
	return true;
}

int date_parse_search(const char *s, size_t n, int64_t *day)
{
	const char *p = s, *end = s + n;
	bool old;

	return imap_date(&p, end, day, &old) && p == end ? 0 : ERR_SYNTAX;
}

static bool offset_zone(const char *p, const char *end, int *minutes)
{
	int h, m, sign = *p == '-' ? -1 : 1;

	p++;
	if (!digits(&p, end, 2, 2, &h) || !digits(&p, end, 2, 2, &m) || p != end || m > 59)
		return false;
	*minutes = sign * (h * 60 + m);
	return true;
}

/* The old form: "-EST", "-Z" or "+0200" glued to the time or after a space. */
static bool named_zone(const char *p, const char *end, int *minutes)
{
	size_t n = (size_t)(end - p);

	for (size_t i = 0; i < n; i++)
		if ((p[i] | 0x20) < 'a' || (p[i] | 0x20) > 'z')
			return false;
	if (n == 1)
		*minutes = date_military((unsigned char)*p);
	else if ((n == 2 && strncasecmp(p, "UT", 2) == 0) || (n == 3 && strncasecmp(p, "GMT", 3) == 0))
		*minutes = 0;
	else if (n == 3 && date_us_zone(p))
		*minutes = date_us_zone(p);
	else
		return false;
	return true;
}

int date_parse_imap(const char *s, size_t n, time_t *t)
{
	const char *p = s, *end = s + n;
	int h, m, sec, zone;
	int64_t day;
	bool old;

	if (n && *p == ' ')
		p++;
	if (!imap_date(&p, end, &day, &old) || !lit(&p, end, ' ') || !digits(&p, end, 2, 2, &h) || !lit(&p, end, ':') ||
	    !digits(&p, end, 2, 2, &m) || !lit(&p, end, ':') || !digits(&p, end, 2, 2, &sec) ||
	    h > 23 || m > 59 || sec > 60 || p >= end)
		return ERR_SYNTAX;
	if (old) {
		if (*p == '-' && end - p > 1 && (p[1] < '0' || p[1] > '9'))
			p++;
		else if (*p == ' ')
			p++;
		if (p >= end || !(*p == '+' || *p == '-' ? offset_zone(p, end, &zone) : named_zone(p, end, &zone)))
			return ERR_SYNTAX;
	} else if (!lit(&p, end, ' ') || p >= end || (*p != '+' && *p != '-') || !offset_zone(p, end, &zone)) {
		return ERR_SYNTAX;
	}
	*t = (time_t)(day * 86400 + h * 3600 + m * 60 + sec - zone * 60);
	return 0;
}

static struct tm broken_down(time_t t, char *sign, long *hhmm)
{
	struct tm tm = { 0 };
	long off;

	if (!localtime_r(&t, &tm) || tm.tm_year > 9999 - 1900 || tm.tm_year < -1900) {
		t = 0;
		localtime_r(&t, &tm);
	}
	off = tm.tm_gmtoff / 60;
	*sign = off < 0 ? '-' : '+';
	if (off < 0)
		off = -off;
	*hhmm = off / 60 % 100 * 100 + off % 60;
	return tm;
}

void date_print_imap(time_t t, char out[DATE_IMAP_SIZE])
{
	char sign, full[64];
	long z;
	struct tm tm = broken_down(t, &sign, &z);

	snprintf(full, sizeof full, "%2d-%s-%.4d %.2d:%.2d:%.2d %c%.4ld", tm.tm_mday, date_months[tm.tm_mon], tm.tm_year + 1900,
		tm.tm_hour, tm.tm_min, tm.tm_sec, sign, z);
	full[DATE_IMAP_SIZE - 1] = '\0';
	memcpy(out, full, DATE_IMAP_SIZE);
}

void date_print_rfc5322(time_t t, char out[DATE_RFC5322_SIZE])
{
	char sign, full[80];
	long z;
	struct tm tm = broken_down(t, &sign, &z);

	snprintf(full, sizeof full, "%s, %.2d %s %.4d %.2d:%.2d:%.2d %c%.4ld", weekdays[tm.tm_wday], tm.tm_mday,
		date_months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec, sign, z);
	full[DATE_RFC5322_SIZE - 1] = '\0';
	memcpy(out, full, DATE_RFC5322_SIZE);
}
