/* cambyses/service.h - write a service for master: ours or Cyrus's, 2.5 to 3.x. See cambyses-service(3).
 *
 * A program links libcambyses-service.a, which brings main(), and defines `service_program`. Everything between master's
 * fork and the program's own code is done for it: options, imapd.conf, log, account, accept lock, status messages, idle
 * time, use count, signals, replaced program files (spec/master.md 7, 17, 18).
 *
 * This header is installed, and needs nothing else of the source tree. */
#ifndef CAMBYSES_SERVICE_H
#define CAMBYSES_SERVICE_H
#include <stdbool.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#ifdef __cplusplus
extern "C" {
#endif

/* What a service inherits besides 0 to 2. The harness uses and closes them; they are close-on-exec. */
enum { SERVICE_STATUS_FD = 3, SERVICE_LISTEN_FD = 4 };

struct conf;                           /* imapd.conf; read it by service_option() and its like */

/* Who we are and what is being served. The harness fills it in; the service may read it. */
struct service_context {
	struct conf *conf;             /* read for the ident `name`; lives as long as the process */
	const char *name;              /* CYRUS_SERVICE: the entry in cyrus.conf; with -X the program's name */
	unsigned id;                   /* CYRUS_ID: the address's number, 0, 1, 2 ... */
	int argc;                      /* what the harness did not take; argv[0] is the original pointer */
	char **argv;                   /* getopt() starts afresh */
	bool stream;                   /* false: fd 0 is the datagram socket itself, one datagram waits */
	int family;                    /* AF_INET, AF_INET6, AF_UNIX; AF_UNSPEC with -X */
	unsigned uses;                 /* clients so far, this one included */
};

/* Defined by the program, with exactly one of `main` and `main_fd`. */
struct service_program {
	/* Once, before the first client. Non-zero: the process exits 1, and master counts a failure. May be NULL. */
	int (*init)(int argc, char **argv, struct service_context *ctx);
	/* Once for each client, who is on fd 0 and 1. Returns when ready for another; the harness closes the client. What it
	 * returns counts with -X only, as the exit code. */
	int (*main)(struct service_context *ctx);
	/* Instead of `main`, a threaded service: the process always counts as ready, and every client is handed over. The
	 * callee owns fd, whatever it returns; negative ends the process by abort(0). Not called by two threads at a time. */
	int (*main_fd)(int fd, struct service_context *ctx);
	/* The last clean-up before the process exits with `code`. Called from the harness or from within signals_poll(), never
	 * from a signal handler; also in the middle of a session. NULL: nothing to clean up. */
	void (*abort)(int code);
	bool need_partitions;          /* imapd.conf must define partitions: 78 otherwise */
};
extern const struct service_program service_program;

/* imapd.conf by name, as cyr_info(8) prints it. "NAME_key" is read before "key" where the name is no option of the server's, so
 * that two entries of cyrus.conf can differ. service_option(): the value as text, which the caller frees; NULL: neither set nor
 * with a default. The others return `otherwise` when it is not set or not of that kind. */
char *service_option(const struct service_context *ctx, const char *name);
bool service_option_bool(const struct service_context *ctx, const char *name, bool otherwise);
long service_option_int(const struct service_context *ctx, const char *name, long otherwise);

/* Signals are recorded by the harness's handlers and acted on here, between commands. Not for threaded services, which
 * install handlers of their own.
 *
 * signals_poll(): when TERM, INT or QUIT came, logs, calls abort(75) and exits 75. Else the lowest signal recorded: HUP (finish
 * this client: the harness then ends the process) or ALRM; 0 for none. */
int signals_poll(void);
void signals_clear(int sig);
bool signals_cancelled(void);          /* USR2 came since the last call, or since this client did: give up the long command */
/* Waits until fd is readable: >0; or the time is up (ms, negative: for ever): 0; <0 and errno. A stop request that comes before
 * or meanwhile does not return. HUP does not end the wait: the client is served to the end. */
int signals_wait(int fd, int timeout_ms);
/* select() that honours a stop request whenever it comes: signals are blocked between the look at the flags and the wait.
 * Returns as select does; on EINTR the flags were polled. The time-out is for this call; the sets are undefined on -1. */
int signals_select(int n, fd_set *r, fd_set *w, fd_set *e, struct timeval *timeout);

#ifdef __cplusplus
}
#endif
#endif
