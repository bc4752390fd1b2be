/* check_cyrusconf.c - the parser of cyrus.conf: the oddities of spec/master.md 4.1 that files rely on, and bad input. */
#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "cunit/master/suites.h"
#include "master/conf_cyrus.h"
#include "master/events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct cyrusconf conf;
static struct cyrusconf_error err;
static unsigned warnings;

static void count(void *arg, enum cyrusconf_note how, unsigned line, const char *text)
{
	(void)arg, (void)line, (void)text;
	warnings += how == NOTE_WARNING;
}

static int parse(const char *text, bool lenient)
{
	cyrusconf_free(&conf);
	warnings = 0;
	return cyrusconf_parse(&conf, text, strlen(text), lenient, count, NULL, &err);
}

/* Input first, result second: 0 means fine with `entries` entries and `warnings` warnings, else the line of the error. */
static const struct {
	const char *text;
	unsigned bad_line, entries, warnings;
} rows[] = {
	{ "", 0, 0, 0 },
	{ "SERVICES {\n imap cmd=\"imapd -s\" listen=\"imap\" prefork=5\n}\n", 0, 1, 0 },
	{ "SERVICES {\r\n imap cmd=\"imapd\" listen=\"imap\"\r\n}\r\n", 0, 1, 0 },
	{ "SERVICES {\n a cmd=\"x\"listen=\"b\"\n", 0, 1, 0 },
	{ "Services{\n a cmd=x listen=b\n}\n", 0, 1, 0 },
	{ "SERVICESX {\n a cmd=x listen=b\n}\n", 0, 0, 0 },
	{ "services {\n a cmd=x listen=b\n}\n", 0, 0, 1 },
	{ "SERVICES\n{\n a cmd=x listen=b\n}\n", 0, 0, 1 },
	{ "SERVICES { a cmd=x listen=b }\n", 0, 0, 1 },
	{ "SERVICES {\n a cmd=x listen=b\n}\nSERVICES {\n b cmd=x listen=b\n}\n", 0, 1, 1 },
	{ "START { ignored rubbish !\n a cmd=x\n}\n", 0, 1, 0 },
	{ "FOO {\n START {\n a cmd=x\n}\n}\nSTART {\n b cmd=x\n}\n", 0, 1, 0 },
	{ "FOO {\n x cmd=\"}\"\n START {\n a cmd=x\n}\n", 0, 1, 0 },
	{ "EVENTS {\n a cmd=x\n}\nSTART {\n b cmd=y\n}\nDAEMON {\n c cmd=z\n}\n", 0, 3, 0 },
	{ "START {\n a cmd=x }\n}\n", 2, 0, 0 },
	{ "START {\n a cmd=\"x }\"\n}\n", 0, 1, 0 },
	{ "START {\n a cmd=\"x #y\"\n}\n", 2, 0, 0 },
	{ "START {\n\n a-b cmd=x\n}\n", 3, 0, 0 },
	{ "START {\n =b cmd=x\n}\n", 2, 0, 0 },
	{ "START {\n a c-d=x\n}\n", 2, 0, 0 },
	{ "START {\n a cmd =x\n}\n", 2, 0, 0 },
	{ "START {\n a cmd\n}\n", 2, 0, 0 },
	{ "START {\n a cmd=\"x\n}\n", 2, 0, 0 },
	{ "START {\n a\n}\n", 2, 0, 0 },
	{ "START {\n a cmd=\" \t \"\n}\n", 2, 0, 0 },
	{ "SERVICES {\n a listen=b\n}\n", 2, 0, 0 },
	{ "SERVICES {\n a cmd=x\n}\n", 2, 0, 0 },
	{ "EVENTS {\n a period=3\n}\n", 2, 0, 0 },
	{ "DAEMON {\n a wait=y\n}\n", 2, 0, 0 },
	{ "SERVICES {\n a cmd=x listen=b\n a cmd=y listen=c\n}\n", 3, 0, 0 },
	{ "SERVICES {\n a cmd=x listen=b\n}\nDAEMON {\n a cmd=y\n}\n", 5, 0, 0 },
	{ "START {\n a cmd=x\n a cmd=y\n}\n", 0, 2, 0 },
	{ "START {\n a cmd=x provideuuid=1 whatever=\"2\"\n}\n", 0, 1, 0 },
	{ "START {\n a =y cmd=x\n}\n", 0, 1, 0 },
	{ "}\nSTART {\n a cmd=x\n}\n", 0, 0, 0 },
	{ "EVENTS {\n a cmd=x at=2400\n}\n", 0, 1, 1 },
};

START_TEST(test_bad_input_table)
{
	int r = parse(rows[_i].text, false);
	ck_assert_msg(!r == !rows[_i].bad_line, "%s: %d line %u", rows[_i].text, r, err.line);
	if (r) ck_assert_msg(err.line == rows[_i].bad_line, "%s: line %u: %s", rows[_i].text, err.line, err.text);
	ck_assert_msg(conf.n == (r ? 0 : rows[_i].entries), "%s: %zu entries", rows[_i].text, conf.n);
	if (!r) ck_assert_msg(warnings == rows[_i].warnings, "%s: %u warnings", rows[_i].text, warnings);
	cyrusconf_free(&conf);
}
END_TEST

/* What a check says of bad input: each problem, by line, in the order found (sections first, then the look over all lines). */
static struct buf told;

static void tell(void *arg, enum cyrusconf_note how, unsigned line, const char *text)
{
	(void)arg;
	buf_printf(&told, "%u %c %s\n", line, "dwE"[how], text);
}

static const struct {
	const char *text, *want;
	unsigned entries;
} check_rows[] = {
	{ "", "", 0 },
	{ "START {\n a cmd=x\n}\n", "", 1 },
	{ "SERVICES {\n a-b cmd=x\n c cmd=\"x\n d listen=y\n e cmd=z\n f\n g cmd=1 listen=2\n g cmd=1 listen=3\n}\n"
		"DAEMON {\n g cmd=x\n h cmd =x\n}\n",
		"2 E bad character '-' in name\n3 E missing \"\n4 E SERVICES entry d: no cmd\n5 E SERVICES entry e: no listen address\n"
		"6 E SERVICES entry f: no cmd\n6 E SERVICES entry f: no listen address\n8 E SERVICES entry g: name used before\n"
		"11 E DAEMON entry g: name used before\n12 E bad character ' ' in argument\n", 6 },
	{ "START {\n a cmd=x }\n}\nEVENTS {\n a cmd=x at=2400\n}\n",
		"2 E bad character '}' in argument\n3 w \"}\" without \"{\": sections behind this line are not found\n", 0 },
	{ "EVENTS {\n a cmd=x at=2400\n b cmd=x at=x\n c cmd=x at=-5 period=y\n}\n",
		"2 E at=2400 is no time of the day\n3 E at=x is no time of the day\n4 E at=-5 is no time of the day\n4 d period=y is no "
		"number\n", 3 },
	{ "SERVICES {\n a cmd=x listen=y prefork=5a maxchild= babysit=maybe cron=z cmd=q new=1 maxforkrate=9999999999\n}\n",
		"2 d prefork=5a is read as 5\n2 d maxchild= is no number\n2 d babysit=maybe is no switch\n"
		"2 d key cron means nothing in SERVICES and is ignored\n2 d key cmd is here before: this one is ignored\n"
		"2 d unknown key new is ignored\n2 d maxforkrate=9999999999 is read as 1000000000\n", 1 },
	{ "services {\n}\nSERVICES { a cmd=x listen=y }\nSERVICES\n{\n}\nSERVICES { x\n}\nSERVICES {\n}\nSERVCES {\n x y\n}\nlost\n",
		"1 w section SERVICES is ignored: its name must begin with a capital\n"
		"3 w section SERVICES is ignored: one \"{\" must end its first line\n"
		"4 w section SERVICES is ignored: one \"{\" must end its first line\n7 w what is behind the \"{\" is ignored\n"
		"9 w second section SERVICES is ignored\n"
		"11 w this is outside of the sections START, SERVICES, EVENTS and DAEMON and is ignored\n"
		"14 w this is outside of the sections START, SERVICES, EVENTS and DAEMON and is ignored\n", 0 },
	{ "START {\n a cmd=x\nEVENTS {\n",
		"3 E bad character '{' in argument\n1 w the \"{\" of this line is not closed: sections behind it are not found\n", 1 },
	{ "}\nSTART {\n a cmd=x\n}\n", "1 w \"}\" without \"{\": sections behind this line are not found\n", 0 },
};

START_TEST(test_check_tells_everything)
{
	const char *text = check_rows[_i].text, *want = check_rows[_i].want;
	unsigned errors = 0;
	for (const char *p = want; (p = strstr(p, " E ")); p++) errors++;
	cyrusconf_free(&conf);
	ck_assert_uint_eq(cyrusconf_check(&conf, text, strlen(text), tell, NULL), errors);
	ck_assert_str_eq(buf_cstr(&told), want);
	if (check_rows[_i].entries) ck_assert_uint_eq(conf.n, check_rows[_i].entries);
	/* The first syntax error is the one the ordinary reading stops at. */
	buf_reset(&told);
	int r = parse(text, false);
	if (r) {
		buf_printf(&told, "%u E %s\n", err.line, err.text);
		ck_assert_msg(!strncmp(want, buf_cstr(&told), told.len), "%s", buf_cstr(&told));
	}
	buf_free(&told);
	cyrusconf_free(&conf);
}
END_TEST

START_TEST(test_check_of_odd_lines)
{
	struct buf b = BUF_INIT;
	buf_puts(&b, "START {\n");
	for (size_t i = 0; i < CYRUSCONF_LINE_MAX; i++) buf_putc(&b, ' ');
	buf_puts(&b, "a cmd=x\n");
	buf_append(&b, " b cmd=x\0 cmd=y\n}\n", 18);
	ck_assert_uint_eq(cyrusconf_check(&conf, b.s, b.len, tell, NULL), 0);
	ck_assert_str_eq(buf_cstr(&told), "2 w a line of more than 4095 bytes is read as two\n4 w what is behind a NUL is ignored\n");
	cyrusconf_free(&conf);
	ck_assert_uint_eq(cyrusconf_check(&conf, NULL, 0, NULL, NULL), 0);
	buf_free(&b);
	buf_free(&told);
	cyrusconf_free(&conf);
}
END_TEST

START_TEST(test_reload_leaves_incomplete_entries_out)
{
	ck_assert_int_eq(parse("SERVICES {\n a cmd=x listen=b\n a cmd=y listen=c\n b cmd=x\n c cmd=x listen=y\n}\n", true), 0);
	ck_assert_uint_eq(conf.n, 2);
	ck_assert_uint_eq(warnings, 2);
	ck_assert_int_ne(parse("START {\n a cmd=\"x\n}\n", true), 0);
	cyrusconf_free(&conf);
}
END_TEST

START_TEST(test_keys)
{
	ck_assert_int_eq(parse("SERVICES {\n a cmd=\"'a b' c\" cmd=second listen=\"[::1]:7\" proto=udp6 prefork=12abc maxchild=0400"
		" babysit=on maxforkrate=-2 maxfds=x\n}\n"
		"EVENTS {\n e cmd=y period=5 at=0401 cron=\"* * * * *\"\n}\nDAEMON {\n d cmd=z wait=y babysit=1\n}\n", false), 0);
	const struct cyrusconf_entry *s = &conf.entries[0], *e = &conf.entries[1], *d = &conf.entries[2];
	ck_assert_uint_eq(s->argv.n, 3);
	ck_assert_str_eq(s->argv.v[0], "'a");
	ck_assert_str_eq(s->argv.v[1], "b'");
	ck_assert_str_eq(s->listen, "[::1]:7");
	ck_assert_str_eq(s->proto, "udp6");
	ck_assert_int_eq(s->prefork, 12);
	ck_assert_int_eq(s->maxchild, 400);
	ck_assert(s->babysit);
	ck_assert_int_eq(s->maxforkrate, -2);
	ck_assert_int_eq(s->maxfds, 0);
	ck_assert_int_eq(e->period, 5);
	ck_assert_int_eq(e->at, 4 * 60 + 1);
	ck_assert_str_eq(e->cron, "* * * * *");
	ck_assert(d->wait && !d->babysit);
	cyrusconf_free(&conf);
}
END_TEST

START_TEST(test_switches)
{
	static const struct {
		const char *word;
		bool on;
	} words[] = { { "0", false }, { "no", false }, { "off", false }, { "OFF", false }, { "f", false }, { "1", true },
		{ "y", true }, { "On", true }, { "true", true }, { "maybe", false }, { "o", false }, { "", false } };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		char *text = mem_printf("DAEMON {\n d cmd=z wait=\"%s\"\n}\n", words[i].word);
		ck_assert_int_eq(parse(text, false), 0);
		ck_assert_msg(conf.entries[0].wait == words[i].on, "%s", words[i].word);
		free(text);
	}
	cyrusconf_free(&conf);
}
END_TEST

START_TEST(test_argument_limit_and_long_lines)
{
	for (int n = 64; n <= 65; n++) {
		struct buf b = BUF_INIT;
		buf_puts(&b, "START {\n a cmd=x");
		for (int i = 1; i < n; i++) buf_printf(&b, " k%d=1", i);
		buf_puts(&b, "\n}\n");
		ck_assert_int_eq(parse(buf_cstr(&b), false), n == 64 ? 0 : ERR_SYNTAX);
		buf_free(&b);
	}
	/* What is behind byte 4095 is a line of its own. */
	struct buf b = BUF_INIT;
	buf_puts(&b, "START {\n");
	for (size_t i = 0; i < CYRUSCONF_LINE_MAX; i++) buf_putc(&b, ' ');
	buf_puts(&b, "a cmd=x\n}\n");
	ck_assert_int_eq(parse(buf_cstr(&b), false), 0);
	ck_assert_uint_eq(conf.n, 1);
	ck_assert_uint_eq(conf.entries[0].line, 3);
	buf_free(&b);
	cyrusconf_free(&conf);
	ck_assert_int_eq(cyrusconf_parse(&conf, "START {\n a cmd=x\0 !\n}\n", 22, false, NULL, NULL, NULL), 0);
	ck_assert_uint_eq(conf.n, 1);
	cyrusconf_free(&conf);
}
END_TEST

static const struct {
	const char *text;
	bool good;
} crons[] = {
	{ "* * * * *", true }, { "0 0 1 1 0", true }, { "*/5 1-5 1,15 jan SUN", true }, { "5-15/2 0 0 0 7", true },
	{ "0 0 31 12 7", true },
	{ "", false }, { "* * * *", false }, { "* * * * * *", false }, { "60 * * * *", false }, { "* 24 * * *", false },
	{ "* * 32 * *", false },
	{ "* * * 13 *", false }, { "* * * * 8", false }, { "5-1 * * * *", false }, { "*/0 * * * *", false },
	{ "99999999999 * * * *", false },
	{ "1,2,, * * * *", false }, { "5/2 * * * *", false }, { "* * * jan,feb *", false }, { "x * * * *", false },
	{ "1- * * * *", false },
};

START_TEST(test_cron_grammar)
{
	struct cron c;
	ck_assert_msg(!cron_parse(&c, crons[_i].text) == crons[_i].good, "%s", crons[_i].text);
}
END_TEST

START_TEST(test_cron_values)
{
	struct cron c;
	ck_assert_int_eq(cron_parse(&c, "5-15/2 * 0 0 7"), 0);
	ck_assert_uint_eq(c.minute, 1ULL << 6 | 1ULL << 8 | 1ULL << 10 | 1ULL << 12 | 1ULL << 14);
	ck_assert_uint_eq(c.mday, 1ULL << 31);
	ck_assert_uint_eq(c.month, 1ULL << 12);
	ck_assert_uint_eq(c.wday, 1);
	struct tm t = { .tm_mday = 31, .tm_mon = 11, .tm_wday = 3, .tm_min = 6 };
	ck_assert(cron_match(&c, &t));                 /* both day fields restricted: either is enough */
	t.tm_mday = 30;
	ck_assert(!cron_match(&c, &t));
	t.tm_wday = 0;
	ck_assert(cron_match(&c, &t));
	t.tm_min = 7;
	ck_assert(!cron_match(&c, &t));
	ck_assert_int_eq(cron_parse(&c, "* * * * mon"), 0);
	ck_assert(!cron_match(&c, &t));                /* one restricted: it must match */
}
END_TEST

static time_t at(int year, int month, int day, int hour, int min, int dst)
{
	struct tm t = { .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = hour, .tm_min = min,
		.tm_isdst = dst };
	return mktime(&t);
}

START_TEST(test_daily_across_clock_changes)
{
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	ck_assert_int_eq(daily_next(4 * 60, at(2026, 6, 1, 3, 0, 1)), at(2026, 6, 1, 4, 0, 1));
	ck_assert_int_eq(daily_next(4 * 60, at(2026, 6, 1, 4, 0, 1)), at(2026, 6, 2, 4, 0, 1));
	/* 29 March 2026: 02:00 to 03:00 do not exist; 02:30 runs at 01:30, and once */
	time_t gap = at(2026, 3, 29, 1, 30, 0);
	ck_assert_int_eq(daily_next(150, at(2026, 3, 28, 12, 0, 0)), gap);
	ck_assert_int_eq(daily_next(150, gap), at(2026, 3, 30, 2, 30, 1));
	ck_assert_int_eq(daily_next(240, at(2026, 3, 28, 12, 0, 0)), at(2026, 3, 29, 4, 0, 1));
	/* 25 October 2026: 02:30 comes twice; the first counts */
	time_t first = at(2026, 10, 25, 2, 30, 1);
	ck_assert_int_eq(daily_next(150, at(2026, 10, 24, 12, 0, 1)), first);
	ck_assert_int_eq(daily_next(150, first), at(2026, 10, 26, 2, 30, 0));
	setenv("TZ", "UTC0", 1);
	tzset();
	ck_assert_int_eq(daily_next(0, 86400 * 10), 86400 * 11);
}
END_TEST

TCase *case_cyrusconf(void)
{
	TCase *c = tcase_create("cyrus.conf");
	tcase_add_loop_test(c, test_bad_input_table, 0, sizeof rows / sizeof *rows);
	tcase_add_loop_test(c, test_check_tells_everything, 0, sizeof check_rows / sizeof *check_rows);
	tcase_add_test(c, test_check_of_odd_lines);
	tcase_add_test(c, test_reload_leaves_incomplete_entries_out);
	tcase_add_test(c, test_keys);
	tcase_add_test(c, test_switches);
	tcase_add_test(c, test_argument_limit_and_long_lines);
	tcase_add_loop_test(c, test_cron_grammar, 0, sizeof crons / sizeof *crons);
	tcase_add_test(c, test_cron_values);
	tcase_add_test(c, test_daily_across_clock_changes);
	return c;
}
