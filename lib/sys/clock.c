/* clock.c - see clock.h. */
#include "sys/clock.h"

#include <stddef.h>

static int64_t (*fake_mono)(void), (*fake_real)(void);     /* test seam */

static int64_t read_clock(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * NSEC_PER_SEC + t.tv_nsec;
}

int64_t clock_mono(void) { return fake_mono ? fake_mono() : read_clock(CLOCK_MONOTONIC); }
int64_t clock_real_ns(void) { return fake_real ? fake_real() : read_clock(CLOCK_REALTIME); }
time_t clock_now(void) { return (time_t)(clock_real_ns() / NSEC_PER_SEC); }

void clock_fake(int64_t (*mono)(void), int64_t (*real_ns)(void))
{
	fake_mono = mono;
	fake_real = real_ns;
}
