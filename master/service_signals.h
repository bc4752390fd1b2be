/* service_signals.h - signals of a service: recorded by handlers, acted on between commands (spec/master.md 17.4). This is the
 * part that only we use; the rest is in service.h. */
#ifndef CAMB_SERVICE_SIGNALS_H
#define CAMB_SERVICE_SIGNALS_H
#include "master/service.h"

void signals_add_handlers(void);                   /* ALRM, QUIT, INT, TERM, USR2, HUP; PIPE is left to the service */
void signals_add_hup(bool restart);                /* HUP alone; restart: calls that it interrupts go on */
void signals_on_shutdown(void (*fn)(int code));    /* called with 75 before exit(75); NULL: nobody */

/* Until fd is readable, woken by HUP too: 1 readable, 0 timed out, -1 and EINTR when a signal is recorded. */
int signals_wait_readable(int fd, struct timeval *timeout);
int signals_prot_wait(void *unused, int fd, int timeout_ms);       /* signals_wait() for prot_set_wait() */
#endif
