/* service_signals.h - signals of a service: recorded by handlers, acted on between commands (spec/master.md 17.4). */
#ifndef CAMB_SERVICE_SIGNALS_H
#define CAMB_SERVICE_SIGNALS_H
#include <stdbool.h>
#include <sys/select.h>
#include <sys/time.h>

void signals_add_handlers(void);                   /* ALRM, QUIT, INT, TERM, USR2, HUP; PIPE is left to the service */
void signals_on_shutdown(void (*fn)(int code));    /* called with 75 instead of exit(75); NULL: exit */

/* If QUIT, INT or TERM came: logs and leaves with 75. Else the lowest signal recorded (HUP, ALRM), 0 for none. USR2 does
 * not count: see signals_cancelled(). */
int signals_poll(void);
void signals_clear(int sig);
bool signals_cancelled(void);                      /* USR2 came since the last call: give up the long command */

/* select() that honours a stop request whenever it comes: signals are blocked between the look at the flags and the wait.
 * Returns as select does; on EINTR the flags were polled. The time-out is for this call; the sets are undefined on -1. */
int signals_select(int n, fd_set *r, fd_set *w, fd_set *e, struct timeval *timeout);
/* The same for one descriptor, woken by HUP too: 1 readable, 0 timed out, -1 and EINTR when a signal is recorded. */
int signals_wait_readable(int fd, struct timeval *timeout);
/* For prot_set_wait(): until fd is readable, a stop request (which does not return) or the time is up (ms, negative: for
 * ever). >0 readable, 0 timed out, <0 and errno. HUP does not end the wait: the client is served to the end. */
int signals_prot_wait(void *unused, int fd, int timeout_ms);
#endif
