/* date_mail.c - the Date header as 2.5 and as 3.6 read it (spec/mailbox.md 7.9). See date.h. */
#include "text/date.h"

#include <string.h>
#include <strings.h>

#include "text/date_priv.h"

struct scan {
	const char *p, *end;
};

static int at(const struct scan *s, size_t i)
{
	return i < (size_t)(s->end - s->p) ? (unsigned char)s->p[i] : 0;
}

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static bool is_alpha(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void skip_space(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || (*s->p >= '\t' && *s->p <= '\r')))
		s->p++;
}

/* ---- 2.5 */
static bool two25(struct scan *s, int *v)
{
	if (!is_digit(at(s, 0)) || !is_digit(at(s, 1)))
		return false;
	*v = (at(s, 0) - '0') * 10 + at(s, 1) - '0';
	s->p += 2;
	return true;
}

static void weekday25(struct scan *s)
{
	struct scan t = *s;

	if (!is_alpha(at(s, 0)) || !is_alpha(at(s, 1)) || !is_alpha(at(s, 2)))
		return;
	t.p += 3;
	skip_space(&t);
	if (at(&t, 0) != ',')
		return;
	t.p++;
	skip_space(&t);
	*s = t;
}

static bool year25(struct scan *s, int64_t *year)
{
	size_t n = 0;

	*year = 0;
	while (is_digit(at(s, n)) && n < 5)
		*year = *year * 10 + at(s, n++) - '0';
	s->p += n;
	if (n == 2)
		*year += *year < 70 ? 2000 : 1900;
	return (n == 2 || n == 4) && *year >= 1900;
}

static int zone25(struct scan *s)
{
	int c = at(s, 0), h, m;

	if (c == '+' || c == '-') {
		s->p++;
		if (!two25(s, &h) || !two25(s, &m))
			return 0;
		return (c == '-' ? -1 : 1) * (h * 60 + m);
	}
	if (!is_alpha(c))
		return 0;
	if (!is_alpha(at(s, 1)))
		return date_military(c);
	if (!is_alpha(at(s, 2)))
		return 0;
	return date_us_zone(s->p);
}

/* A time that breaks off counts as 12 o'clock UTC with the minutes and seconds that had been read. */
static int64_t time25(struct scan *s)
{
	int h, m = 0, sec = 0;

	if (!two25(s, &h) || at(s, 0) != ':')
		return 12 * 3600;
	s->p++;
	if (!two25(s, &m))
		return 12 * 3600;
	if (at(s, 0) == ':') {
		s->p++;
		if (!two25(s, &sec))
			return 12 * 3600 + m * 60;
	}
	skip_space(s);
	return h * 3600 + m * 60 + sec - zone25(s) * 60;
}

static void parse25(struct scan *s, struct maildate *out)
{
	int64_t year;
	int day, month;

	skip_space(s);
	weekday25(s);
	if (!is_digit(at(s, 0)))
		return;
	day = *s->p++ - '0';
	if (is_digit(at(s, 0)))
		day = day * 10 + *s->p++ - '0';
	skip_space(s);
	if (!is_alpha(at(s, 0)) || !is_alpha(at(s, 1)) || !is_alpha(at(s, 2)) || !(month = date_month(s->p)))
		return;
	s->p += 3;
	skip_space(s);
	if (!year25(s, &year) || day > date_month_days(year, month))
		return;
	skip_space(s);
	out->day = date_day(year, month, day);
	out->has_day = out->has_time = true;
	out->time = out->day * 86400 + time25(s);
}

/* ---- 3.6 */
struct token {
	const char *s;
	size_t n;
};

static struct token token36(struct scan *s)
{
	struct token t = { s->p, 0 };

	while (is_digit(at(s, 0)) || is_alpha(at(s, 0)))
		s->p++;
	t.n = (size_t)(s->p - t.s);
	return t;
}

static bool number36(struct token t, size_t max, int64_t *v)
{
	*v = 0;
	if (t.n == 0 || t.n > max)
		return false;
	for (size_t i = 0; i < t.n; i++) {
		if (!is_digit((unsigned char)t.s[i]))
			return false;
		if (*v < INT64_C(100000000000))         /* a longer year is past every date that 32 bits can tell */
			*v = *v * 10 + t.s[i] - '0';
	}
	return true;
}

static void separator36(struct scan *s)
{
	if (s->p < s->end)
		s->p++;
	skip_space(s);
}

static bool day36(struct scan *s, int64_t *day)
{
	struct token t;
	int64_t d, year;
	int month;

	skip_space(s);
	if (is_alpha(at(s, 0))) {
		if (token36(s).n != 3 || at(s, 0) != ',')
			return false;
		s->p++;
		skip_space(s);
	}
	if (!number36(token36(s), 2, &d))
		return false;
	separator36(s);
	t = token36(s);
	if (t.n != 3 || !(month = date_month(t.s)))
		return false;
	separator36(s);
	t = token36(s);
	if (!number36(t, (size_t)-1, &year))
		return false;
	if (t.n == 2)
		year += year < 70 ? 2000 : 1900;
	if (year < 1900)
		return false;
	*day = date_day(year, month, (int)d);
	return true;
}

/* Compared in upper case, computed from the character as written. */
static int letter36(int c)
{
	int u = c >= 'a' && c <= 'z' ? c - 32 : c;

	if (u == 'J' || u >= 'Z')
		return 0;
	return (u < 'J' ? c - 64 : u <= 'M' ? c - 65 : 'M' - c) * 60;
}

static int zone36(struct scan *s)
{
	int sign = at(s, 0);
	struct token z;
	int64_t v;

	if (sign == '+' || sign == '-')
		s->p++;
	z = token36(s);
	if (z.n == 1)
		return letter36((unsigned char)z.s[0]);
	if (z.n == 3)
		return date_us_zone(z.s);
	if (z.n == 4 && number36(z, 4, &v))
		return (int)(v / 100 * 60 + v % 100) * (sign == '+' ? 1 : -1);
	return 0;
}

static bool time36(struct scan *s, int64_t *t)
{
	int64_t h, m, sec = 0;

	skip_space(s);
	if (!number36(token36(s), 2, &h) || (at(s, 0) != ':' && at(s, 0) != '.'))
		return false;
	s->p++;
	if (!number36(token36(s), 2, &m))
		return false;
	if (at(s, 0) == ':' || at(s, 0) == '.') {
		s->p++;
		if (!number36(token36(s), 2, &sec))
			return false;
	}
	skip_space(s);
	*t = h * 3600 + m * 60 + sec - zone36(s) * 60;
	return true;
}

static void parse36(struct scan *s, struct maildate *out)
{
	int64_t t;

	if (!day36(s, &out->day))
		return;
	out->has_day = out->day >= 0;
	if (!time36(s, &t))
		return;
	out->time = out->day * 86400 + t;
	out->has_time = out->time >= 0;
}

void date_parse_rfc5322(enum dialect d, const char *s, size_t n, struct maildate *out)
{
	struct scan sc = { s, s };

	memset(out, 0, sizeof *out);
	if (!s || n == 0)
		return;
	sc.end += n;
	if (d == DIALECT_25)
		parse25(&sc, out);
	else
		parse36(&sc, out);
}

uint32_t date_gmtime(enum dialect d, const char *s, size_t n, time_t internaldate)
{
	struct maildate m;

	date_parse_rfc5322(d, s, n, &m);
	if (!m.has_time || m.time <= 0)                 /* the first second of 1970 counts as no date, here and below */
		return (uint32_t)internaldate;
	return (uint32_t)m.time;
}

uint32_t date_sentdate(enum dialect d, const char *s, size_t n, time_t internaldate)
{
	struct maildate m;
	time_t t = 0;

	date_parse_rfc5322(d, s, n, &m);
	if (m.has_day)
		t = date_local(m.day, d == DIALECT_25 ? 12 : 0);
	return (uint32_t)(t > 0 ? t : date_local(date_local_day(internaldate), 0));
}
