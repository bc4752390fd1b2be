/* date_priv.h - what date.c and date_mail.c share. */
#ifndef CAMB_DATE_PRIV_H
#define CAMB_DATE_PRIV_H
#include <stdint.h>

extern const char date_months[12][4];
int date_month(const char *s);                   /* 1-12, or 0; looks at three characters */
int date_month_days(int64_t year, int month);
int date_us_zone(const char *z);                 /* three letters: minutes east of UTC, 0 for anything else */
int date_military(int c);                        /* one letter, either case: minutes east of UTC */
#endif
