/* clock.h - the two clocks. Durations and deadlines use the monotonic one, dates the real one. Tests may set both. */
#ifndef CAMB_CLOCK_H
#define CAMB_CLOCK_H
#include <stdint.h>
#include <time.h>

#define NSEC_PER_SEC 1000000000LL
int64_t clock_mono(void);            /* nanoseconds, monotonic; only differences mean anything */
time_t clock_now(void);              /* seconds since 1970 UTC */
int64_t clock_real_ns(void);         /* the same in nanoseconds */
void clock_fake(int64_t (*mono)(void), int64_t (*real_ns)(void));   /* tests only; NULL, NULL: the kernel's clocks again */
#endif
