/* services.h - the service table: one slot for each address of a SERVICES entry and one for each DAEMON.
 *
 * How many children are ready or busy is counted in one place only, child_move() of children.c, from the child table;
 * children_check() recounts. A pass of master looks at the slots of which something changed, never at the whole table:
 * whoever changes what a decision about a slot depends on calls service_changed(). Sections: spec/master.md 5 to 10. */
#ifndef CAMB_MASTER_SERVICES_H
#define CAMB_MASTER_SERVICES_H
#include "base/hash.h"
#include "base/ptrarray.h"
#include "base/strarray.h"
#include "master/conf_cyrus.h"
#include "master/fdset.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* The numbers appear in log lines. */
enum child_state { CHILD_UNKNOWN, CHILD_INIT, CHILD_READY, CHILD_BUSY, CHILD_DEAD, CHILD_STATES };

#define STATUS_MESSAGE 8               /* bytes: code, pid, both native 32 bits */
#define READY_FAILS_MAX 5
#define READY_FAILS_FORGET (10 * NSEC_PER_SEC)
#define FORK_RATE_PAUSE (NSEC_PER_SEC * 2 / 5)

struct service_table;

struct service {
	struct service_table *table;
	struct service *namesake;          /* the next slot of this name */
	char *name, *listen, *proto;
	char *label;                       /* "imap/ipv4", for the log */
	const char *family;                /* "ipv4", "ipv6", "unix", "daemon" */
	unsigned instance;                 /* CYRUS_ID */
	struct strarray argv;
	char *path;
	char **env;                        /* what its children get, NULL until the first starts */
	bool daemon, wait, dgram, babysit;
	int prefork, maxchild, maxforkrate, maxfds;
	bool enabled;                      /* in the configuration */
	bool failed;                       /* given up until the next reload */

	struct sockaddr_storage addr;
	socklen_t addrlen;
	int addrfamily;
	int sock;                          /* -1: closed */
	int status[2];                     /* -1 for a daemon */
	unsigned char partial[STATUS_MESSAGE];
	size_t npartial;

	unsigned count[CHILD_STATES];      /* children by state; written by child_move() alone */
	uint64_t nforks, ndeaths, nconnections;
	double forkrate;
	unsigned interval_forks;
	int64_t rate_checked;
	int64_t not_before;                /* monotonic; no fork before */
	int64_t backoff, fork_logged;
	int64_t waiting_since, waiting_logged;     /* clients were in the queue at every look since then; 0: not */
	unsigned nreadyfails;
	uint64_t nfailures;                /* all of them, never forgotten */
	int64_t lastreadyfail, last_message;       /* monotonic; last_message 0: none yet */
	bool queued, paused;               /* is in table->changed, in table->paused */
	bool drain, chatters;              /* scratch of one phase */
};

struct service_table {
	struct ptrarray slots;             /* of struct service */
	struct hash *names;                /* name to its first slot */
	struct service **owner;            /* by descriptor: whose listening socket or status pipe it is */
	size_t owners;
	struct fdset want;                 /* what the next wait is about ... */
	struct fdset urgent;               /* ... less the status pipes whose messages can lead to nothing just now */
	struct ptrarray changed;           /* slots to look at, in the order in which they changed */
	struct ptrarray paused;            /* slots whose not_before lies ahead ... */
	int64_t paused_until;              /* ... and the first of those times; INT64_MAX: none */
	size_t turn;                       /* where the next round robin starts */
};

static inline struct service *service_at(const struct service_table *t, size_t i) { return t->slots.v[i]; }
static inline unsigned service_active(const struct service *s)
{
	return s->count[CHILD_READY] + s->count[CHILD_BUSY] + s->count[CHILD_UNKNOWN] + s->count[CHILD_INIT];
}
static inline unsigned service_ready(const struct service *s) { return s->count[CHILD_READY]; }
unsigned service_room(const struct service *s);            /* forks that maxchild still allows */
bool service_may_fork(struct service *s, int64_t now);     /* room, enabled, and neither rate nor back-off forbid */
bool service_limited(struct service *s, int64_t now);      /* the fork rate; sets not_before when it is too high */
/* A child failed while ready: the policy of section 10. */
void service_ready_failure(struct service *s, int64_t now);
void service_fork_failed(struct service *s, int64_t now, int err);
void service_close(struct service *s);                     /* the listening socket */
void service_changed(struct service *s);                   /* the next pass looks at it */
void service_pause(struct service *s, int64_t until);      /* no fork before; changed then. A later time stands. */
void services_wake(struct service_table *t, int64_t now);  /* those whose pause is over */
/* A descriptor of s that is waited for, and one that is no more (before it is closed). */
void service_own(struct service *s, int fd);
void service_disown(struct service *s, int fd);
struct service *services_owner(const struct service_table *t, int fd);      /* NULL: nobody's */
struct service *services_named(const struct service_table *t, const char *name);    /* the first slot; then ->namesake */

struct service *service_new(struct service_table *t, const struct cyrusconf_entry *e, const char *family);
void service_configure(struct service *s, const struct cyrusconf_entry *e);
void services_init(struct service_table *t);
void services_drop(struct service_table *t, struct service *s);    /* frees the slot; children must have forgotten it */
void services_free(struct service_table *t);
#endif
