/* world.h - master in a scripted world: real pipes and sockets in a directory of its own; invented processes, interruptions
 * and clocks. Nothing is started and nothing sleeps. */
#ifndef CUNIT_MASTER_WORLD_H
#define CUNIT_MASTER_WORLD_H
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "master/master.h"
#include "master/signals.h"

#include <check.h>

#define FIRST_PID 50000000             /* above any pid_max: nothing real is ever meant */
#define MAX_DEAD 8192
#define EXITED(code) ((code) << 8)

struct world {
	struct master m;
	char dir[64];
	long eintr, calm;                  /* pselect: EINTR so often, then works so often, again; eintr < 0: always EINTR */
	long eintr_left, calm_left;
	unsigned pselects, selects;        /* of the pass */
	int64_t waited;                    /* time-out of the first pselect of the pass, ns */
	int hup_before_wait;
	int fork_fails;                    /* errno */
	int queue;                         /* clients that wait, as the kernel tells; -1: it does not */
	pid_t next_pid;
	unsigned forks;
	struct { pid_t pid; int status; } dead[MAX_DEAD];
	size_t ndead, reaped;
	struct { pid_t pid; int sig; } kills[256];
	size_t nkills;
	int64_t mono, real;
	struct buf log;
	unsigned lines;
};
extern struct world w;

void world_setup(void);                /* a checked fixture */
void world_teardown(void);             /* fails when master found its counters wrong on any pass */

void pass(void);
void passes(unsigned n);
bool logged(const char *what);         /* notice or worse */
void apply_conf(const char *text, bool reload);
struct service *begin(const char *keys);         /* one service "a" on a UNIX socket, with these keys */
void say(const struct service *s, int code, pid_t pid);
void die(pid_t pid, int status);
int client(const char *name);          /* connects to the socket of this name in w.dir */
#endif
