/* notify.h - tells a service manager how we are: sd_notify(3)'s datagrams, without its library.
 *
 * $NOTIFY_SOCKET names a socket, by path or by @abstract name; $WATCHDOG_USEC asks for a sign of life, from the process
 * $WATCHDOG_PID if that is set. No such variable, or one that makes no sense: nothing is sent. Sending never blocks. What the
 * manager waits for (READY, RELOADING, STOPPING) is sent again if the socket was full; the rest is let go.
 *
 * A struct of zeros is switched off: every function may be called with it. Times are monotonic nanoseconds (sys/clock.h). */
#ifndef CAMB_MASTER_NOTIFY_H
#define CAMB_MASTER_NOTIFY_H
#include "sys/clock.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#define NOTIFY_STATUS_MAX 200          /* bytes of a status text with its NUL; the rest is cut */
#define NOTIFY_STATUS_EVERY (5 * NSEC_PER_SEC)

struct notify {
	bool on;
	int fd;                            /* close-on-exec; only when on */
	struct sockaddr_un addr;
	socklen_t addrlen;
	bool failed;                       /* the last send did, and that was logged */
	int64_t watchdog;                  /* nanoseconds between two signs of life, 0: none wanted */
	int64_t watchdog_due;
	char status[NOTIFY_STATUS_MAX];    /* sent last */
	int64_t status_due;                /* not looked at before */
	char state[2 * NOTIFY_STATUS_MAX]; /* to be sent again, "": nothing */
	int64_t state_due;
	unsigned tries;
};

/* Reads the variables and takes them out of the environment, which children get. To be called by the process that stays
 * (after -d has forked). One log line for what cannot be used. */
void notify_init(struct notify *n, int64_t now);
void notify_free(struct notify *n);

void notify_ready(struct notify *n, int64_t now, const char *status);        /* at the end of the start, and of a reload */
void notify_reloading(struct notify *n, int64_t now);
void notify_stopping(struct notify *n, int64_t now);

/* Once in a pass: the sign of life when it is due, what could not be sent, and the status when it changed: it is looked at
 * every NOTIFY_STATUS_EVERY at most, so the caller need not make one (NULL) unless notify_wants_status(). */
void notify_phase(struct notify *n, int64_t now, const char *status);
bool notify_wants_status(const struct notify *n, int64_t now);
/* When notify_phase() has something that cannot wait; INT64_MAX: nothing. A new status can, for the next pass. */
int64_t notify_due(const struct notify *n);

/* "12 services, 3 disabled, 250 active children"; returns to. */
const char *notify_status(char *to, unsigned services, unsigned disabled, unsigned active);
#endif
