/* children.h - the child table: every process we started, by pid, with the state its messages left it in
 * (spec/master.md 8, 16). The newest entry of a pid comes first, so a reused pid finds the living one. */
#ifndef CAMB_MASTER_CHILDREN_H
#define CAMB_MASTER_CHILDREN_H
#include "master/services.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum child_kind { KIND_START, KIND_SERVICE, KIND_DAEMON, KIND_EVENT, KIND_ZOMBIE };

#define CHILD_CHAINS 10000
#define CHILD_STRANGERS_MAX 4096       /* entries made for pids nobody started: garbage on a pipe must not fill memory */
#define CHILD_DEAD_KEPT (2 * NSEC_PER_SEC)

struct child {
	pid_t pid;
	enum child_kind kind;
	enum child_state state;
	struct service *service;           /* NULL: START, EVENT, or its slot is gone */
	char *name, *path;                 /* for the log */
	int64_t born, died, hup_sent;      /* monotonic; 0: not yet */
	bool hup_logged;
	bool stranger;                     /* made by a message; nobody started it */
	bool waited;                       /* a DAEMON with wait=y, which is stopped last */
	struct child *chain, *next, *prev;
};

struct child_table {
	struct child *chains[CHILD_CHAINS];
	struct child *all;
	size_t cursor;                     /* the janitor's place */
	unsigned alive[KIND_ZOMBIE + 1], strangers, alive_waited;      /* alive_waited: those of wait=y, counted as DAEMON too */
};

struct child *child_find(const struct child_table *t, pid_t pid);       /* NULL: unknown */
/* A new child, ready if it has a service, else in CHILD_READY uncounted; kind ZOMBIE is born dead. */
struct child *child_add(struct child_table *t, pid_t pid, enum child_kind kind, struct service *s, const char *name,
	const char *path, int64_t now);
void child_move(struct child *c, enum child_state to);                   /* the only place that counts */
void child_rehome(struct child *c, struct service *s);                   /* to another slot, state kept */
void child_bury(struct child_table *t, struct child *c, int64_t now);    /* it died */
void child_drop(struct child_table *t, struct child *c);                 /* forgets the entry */
void children_forget_service(struct child_table *t, const struct service *s);     /* the slot goes away */
unsigned children_alive(const struct child_table *t, enum child_kind kind);
void children_free(struct child_table *t);
/* Recounts. true when every counter of every slot is what the table says; *wrong (may be NULL) gets the first bad slot. */
bool children_check(const struct child_table *t, const struct service_table *services, const struct service **wrong);
/* "process type:SERVICE name:imap path:... age:1.234s pid:99"; line has room for n bytes. */
void child_describe(const struct child *c, int64_t now, char *line, size_t n);
#endif
