/* service.h - the harness of a service: everything between master's fork and the program's own service_main()
 * (spec/master.md 7, 17). A program links libservice.a, which brings main(), and provides the three functions below. */
#ifndef CAMB_SERVICE_H
#define CAMB_SERVICE_H
#include "conf/conf.h"
#include "master/service_signals.h"

#include <stdbool.h>
#include <sys/socket.h>

enum { SERVICE_STATUS_FD = 3, SERVICE_LISTEN_FD = 4 };

struct service_context {
	struct conf *conf;             /* read for the ident `name`; lives as long as the process */
	const char *name;              /* CYRUS_SERVICE: the entry in cyrus.conf; with -X the program's name */
	unsigned id;                   /* CYRUS_ID */
	int argc;                      /* what the harness did not take; argv[0] is the original pointer */
	char **argv;                   /* getopt() starts afresh */
	bool stream;                   /* false: fd 0 is the datagram socket itself, one datagram waits */
	int family;                    /* AF_INET, AF_INET6, AF_UNIX */
	unsigned uses;                 /* clients so far, this one included */
};

/* Provided by the program. */
extern const bool service_need_data;               /* imapd.conf must define partitions */
int service_init(int argc, char **argv, struct service_context *ctx);      /* once; non-zero: the process exits 1 */
int service_main(struct service_context *ctx);     /* once for each client, who is on fd 0 and 1; returns when ready for another.
                                                      The harness closes the client. */
void service_abort(int code) __attribute__((noreturn));    /* last clean-up, then exit(code). Not from a signal handler. */

/* Instead of service_main() in a program that links libservicethread.a: the harness stays ready and hands each client over.
 * The callee owns fd, whatever it returns; negative ends the process by service_abort(0). */
int service_main_fd(int fd, struct service_context *ctx);

/* proc_register(), proc_cleanup(): conf/procfile.h. */
#endif
