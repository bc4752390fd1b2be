/* master.h - the supervisor as one struct, and the phases of its loop (spec/master.md 22.7). Each phase has its own file,
 * is bounded, and is reached on every pass; only master_wait() blocks. */
#ifndef CAMB_MASTER_H
#define CAMB_MASTER_H
#include "base/buf.h"
#include "base/repeat.h"
#include "conf/conf.h"
#include "master/children.h"
#include "master/events.h"
#include "master/fdset.h"
#include "master/kernel.h"
#include "master/notify.h"
#include "master/services.h"

#include <signal.h>
#include <sys/resource.h>

enum {
	REAP_MAX = 256,                    /* dead children in a pass */
	EVENT_MAX = 16,                    /* events started in a pass */
	SPAWN_MAX = 32,                    /* services forked in a pass */
	SPAWN_CLIENTS = 8,                 /* of those kept for services a client waits for */
	STATUS_ROUND = 64,                 /* messages of one pipe before the next has its turn */
	STATUS_MAX = 4096,                 /* messages in a pass */
	READY_PLENTY = 4,                  /* so many idle workers: what they report can wait for a moment */
	RETRY_MAX = 4,                     /* interrupted pselect()s before select() with signals blocked */
};
#define WAKE_EVERY (10 * NSEC_PER_SEC)         /* the longest wait: the wall clock may have been set meanwhile */
#define EVENTS_GRACE (10 * NSEC_PER_SEC)       /* what running events get at shutdown */
#define STRAGGLERS_EVERY (30 * NSEC_PER_SEC)
/* After messages were read, those that can lead to nothing are left in their pipes for this long: busy workers report thousands
 * of times a second, and each wake-up for one of them takes the processor from somebody with a client. */
#define STATUS_REST (NSEC_PER_SEC / 500)
#define FILES_KEPT 16                          /* descriptors that listeners and status pipes leave free */
#define NEVER INT64_MAX

struct options {                       /* of the command line */
	const char *conf_file, *cyrus_file, *pid_file, *ready_file, *log_file;
	int backlog, janitor;
	bool daemonize, keep_stdio, version, test;
	int verbose;
};

struct master {
	const struct kernel *kernel;
	struct options opt;
	struct conf *conf;                 /* NULL in unit tests that need none */
	char *cyrus_path;                  /* the file that is read, prefix applied */
	sigset_t waitmask;
	struct service_table services;
	struct child_table children;
	struct event_list events;
	struct notify notify;
	struct repeat repeat;              /* the log; repeat_flush() and repeat_due() are the loop's */

	bool shutting_down, done;
	int64_t shutdown_began, stragglers_logged;
	bool wait_stopping;                /* everybody else is gone: wait daemons are being stopped */
	pid_t wait_group;                  /* process group of the wait daemons, 0: none yet */

	struct rlimit files_given;         /* RLIMIT_NOFILE as we found it, for the children; rlim_max 0: never looked */
	rlim_t files_mine;                 /* what we made of it; 0: never looked */
	unsigned out_of_files;             /* addresses that got no descriptor since the last listen_summary() */

	/* of one pass */
	int64_t now;
	bool work_left;
	unsigned forked;
	int64_t rest_until;                /* only services.urgent is waited for before this */
	struct fdset ready;                /* of services.want, after the wait; empty when nothing is */
	struct ptrarray talkers, callers;  /* services with messages, with clients */
	uint64_t passes;
	bool check;                        /* compare the counters with the child table on every pass */

	int watch;                         /* the socket of watch.c, -1: none */
	int64_t started, woke;             /* woke: when the last wait ended */
	int64_t longest_pass, minute_longest[2], minute;       /* between two waits: ever; in this and the last minute */
	int64_t janitor_mark, metrics_due, queues_looked_at, hup_sent;
	unsigned fallbacks;                /* passes in a row that needed the last select() */
	uint64_t fallbacks_total, interrupts;      /* interrupts: waits retried in their own pass */
	int64_t fallback_logged;
};

void master_init(struct master *m, const struct kernel *k);
void master_free(struct master *m);
void master_pass(struct master *m);             /* loop.c: one pass, all phases */

/* wait.c: until something of m->services.want is readable or `deadline` (monotonic); leaves m->ready, always valid.
 * 0, or -1 and errno when select itself cannot work. */
int master_wait(struct master *m, int64_t deadline);

/* status.c */
void status_drain(struct master *m, struct service *s, size_t bytes);     /* reads and processes at most that much */
void status_phase(struct master *m);                                      /* every pipe of m->talkers, in fair rounds */
void status_message(struct master *m, struct service *s, int code, pid_t pid);

void reap_phase(struct master *m);              /* reap.c */

/* spawn.c: each returns the pid, or -1 with errno: of the start, or of the exec (kernel_short_of() tells which). */
pid_t spawn_service(struct master *m, struct service *s);
pid_t spawn_command(struct master *m, enum child_kind kind, const char *name, const struct strarray *argv);
pid_t spawn_wait_daemon(struct master *m, struct service *s, int ready_fd);

/* reload.c: what cyrus.conf says, made so. */
int master_read(struct master *m, struct cyrusconf *out, bool reload);    /* 0 or ERR_CONFIG, logged */
int master_apply(struct master *m, const struct cyrusconf *c, bool reload);     /* 0 or an exit code (only at start-up) */
int master_check(const struct cyrusconf *c);    /* programs exist: 0 or ERR_CONFIG, logged */
void master_reload(struct master *m);

/* listen.c: sockets and status pipes of an entry; a slot for each address. Number of addresses that do not work. */
int listen_entry(struct master *m, const struct cyrusconf_entry *e);
void listen_summary(struct master *m);          /* one line when descriptors ran out */
int listen_tos(const char *qosmarking);         /* the byte, or -1 */
enum listen_error { LISTEN_OK, LISTEN_BAD_PROTO, LISTEN_BAD_ADDRESS };
struct listen_spec {
	bool unix_path, stream;
	int family;
	char *host, *port;                 /* NULL: any */
};
enum listen_error listen_parse(struct listen_spec *out, const char *listen, const char *proto);
void listen_spec_free(struct listen_spec *l);

/* shutdown.c */
void shutdown_begin(struct master *m);
void shutdown_phase(struct master *m);          /* sets m->done when nobody is left */

/* start.c: things done before the loop. Exit codes, 0 when well. */
int start_commands(struct master *m, const struct cyrusconf *c);
int start_wait_daemons(struct master *m);

void manager_ready(struct master *m);           /* manager.c: the service manager is told */
void manager_phase(struct master *m);           /* status and sign of life; notify_due() says when */

/* loglimit.c: between the two the log is filtered; off writes what was counted. m must stay where it is. */
void loglimit_on(struct master *m);
void loglimit_off(struct master *m);

void janitor_phase(struct master *m);           /* janitor.c */
void metrics_phase(struct master *m);           /* metrics.c */
void metrics_print(const struct master *m, int64_t ms, struct buf *out);        /* ms: the time each value is stamped with */
void metrics_table(const struct master *m, struct buf *out);                    /* the same for people, a line each service */

/* watch.c: the socket of watch.h. */
void watch_open(struct master *m);              /* a failure is logged, and master runs without */
void watch_phase(struct master *m);
void watch_close(struct master *m);
#endif
