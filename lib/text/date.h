/* date.h - dates in mail and in IMAP: read both releases' way (spec/mailbox.md 7.9), written as the RFCs say.
 * Times are seconds since 1970 UTC. "Local" is the time zone of the process (TZ). */
#ifndef CAMB_DATE_H
#define CAMB_DATE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "text/dialect.h"

/* What a Date header says. `day` is the calendar day as written (days since 1970), the zone ignored. */
struct maildate {
	bool has_day, has_time;      /* has_time implies has_day */
	int64_t day;
	int64_t time;
};
void date_parse_rfc5322(enum dialect d, const char *s, size_t n, struct maildate *out);

/* The record's two fields; absent or unparsable ones come from internaldate. `s` NULL: no Date header. */
uint32_t date_gmtime(enum dialect d, const char *s, size_t n, time_t internaldate);
uint32_t date_sentdate(enum dialect d, const char *s, size_t n, time_t internaldate);

int64_t date_day(int64_t year, int month, int day);      /* days since 1970-01-01; month 1-12; any day */
int64_t date_local_day(time_t t);                        /* the local calendar day of t */
time_t date_local(int64_t day, int hour);                /* that hour of that local calendar day */

/* IMAP date-time, without quotes: "dd-Mon-yyyy hh:mm:ss +zzzz" (the day may be one digit after a space), and the old
 * "dd-Mon-yy hh:mm:ss-zone" with a named or one-letter zone. ERR_SYNTAX when it is neither. */
int date_parse_imap(const char *s, size_t n, time_t *t);
/* IMAP date of SEARCH, without quotes: "d-Mon-yyyy" or "dd-Mon-yyyy" (or a two-digit year, 19yy). */
int date_parse_search(const char *s, size_t n, int64_t *day);

#define DATE_IMAP_SIZE 27        /* including the NUL */
#define DATE_RFC5322_SIZE 48
void date_print_imap(time_t t, char out[DATE_IMAP_SIZE]);         /* local: " 1-Jan-2026 02:03:04 +0200" */
void date_print_rfc5322(time_t t, char out[DATE_RFC5322_SIZE]);   /* local: "Thu, 01 Jan 2026 02:03:04 +0200" */
#endif
