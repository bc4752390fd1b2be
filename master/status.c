/* status.c - what workers report on their status pipes, and what that makes of them (spec/master.md 7, 8). */
#include "base/log.h"
#include "master/master.h"
#include "sys/clock.h"

#include <errno.h>
#include <string.h>

enum message { AVAILABLE = 1, UNAVAILABLE, CONNECTION, CONNECTION_MULTI };

static const char *const message_names[] = { "?", "AVAILABLE", "UNAVAILABLE", "CONNECTION", "CONNECTION_MULTI" };

/* One row for each state and message: where it leads, whether it counts a connection, and how odd it is. */
struct transition {
	enum child_state to;
	bool connection;
	int level;                         /* of the log line; 0: none worth a line */
};
static const struct transition transitions[CHILD_STATES][5] = {
	[CHILD_UNKNOWN] = {
		[AVAILABLE] = { CHILD_READY, false, 0 }, [UNAVAILABLE] = { CHILD_BUSY, false, 0 },
		[CONNECTION] = { CHILD_BUSY, true, 0 }, [CONNECTION_MULTI] = { CHILD_READY, true, 0 } },
	[CHILD_INIT] = {
		[AVAILABLE] = { CHILD_READY, false, 0 }, [UNAVAILABLE] = { CHILD_BUSY, false, 0 },
		[CONNECTION] = { CHILD_BUSY, true, 0 }, [CONNECTION_MULTI] = { CHILD_READY, true, 0 } },
	[CHILD_READY] = {
		[AVAILABLE] = { CHILD_READY, false, LOG_WARNING }, [UNAVAILABLE] = { CHILD_BUSY, false, 0 },
		[CONNECTION] = { CHILD_BUSY, true, LOG_ERR }, [CONNECTION_MULTI] = { CHILD_READY, true, 0 } },
	[CHILD_BUSY] = {
		[AVAILABLE] = { CHILD_READY, false, 0 }, [UNAVAILABLE] = { CHILD_BUSY, false, LOG_WARNING },
		[CONNECTION] = { CHILD_BUSY, true, 0 }, [CONNECTION_MULTI] = { CHILD_READY, true, LOG_ERR } },
	[CHILD_DEAD] = {
		[AVAILABLE] = { CHILD_DEAD, false, 0 }, [UNAVAILABLE] = { CHILD_DEAD, false, 0 },
		[CONNECTION] = { CHILD_DEAD, true, 0 }, [CONNECTION_MULTI] = { CHILD_DEAD, true, 0 } },
};

/* The entry a message belongs to; NULL when it is from nobody and no room is left to remember that. */
static struct child *sender(struct master *m, struct service *s, pid_t pid)
{
	struct child *c = child_find(&m->children, pid);
	if (!c) {
		if (m->children.strangers >= CHILD_STRANGERS_MAX) return NULL;
		log_msg(LOG_WARNING, "service %s pid %ld: message from a long dead child", s->label, (long)pid);
		c = child_add(&m->children, pid, KIND_ZOMBIE, s, s->name, s->path ? s->path : "", m->now);
		c->stranger = true;
		m->children.strangers++;
		return c;
	}
	if (c->service != s) {
		log_msg(LOG_ERR, "service %s pid %ld: message from a child of %s", s->label, (long)pid,
			c->service ? c->service->label : c->name);
		child_rehome(c, s);
	}
	return c;
}

void status_message(struct master *m, struct service *s, int code, pid_t pid)
{
	struct child *c = sender(m, s, pid);
	if (code < AVAILABLE || code > CONNECTION_MULTI) {
		log_msg(LOG_CRIT, "service %s pid %ld: software bug: unknown status message %d", s->label, (long)pid, code);
		return;
	}
	s->last_message = m->now;
	const struct transition *t = &transitions[c ? c->state : CHILD_DEAD][code];
	if (t->connection) s->nconnections++;
	if (!c) return;
	if (t->level)
		log_msg(t->level, "service %s pid %ld in state %d: unexpected message %s", s->label, (long)pid, c->state,
			message_names[code]);
	else if (m->opt.verbose > 0)
		log_msg(LOG_DEBUG, "service %s pid %ld in state %d: message %s", s->label, (long)pid, c->state, message_names[code]);
	if (t->to != c->state) child_move(c, t->to);
	if (m->opt.verbose > 0)
		log_msg(LOG_DEBUG, "service %s now has %u ready workers", s->label, service_ready(s));
}

static void take_bytes(struct master *m, struct service *s, const unsigned char *p, size_t n)
{
	while (n) {
		size_t part = STATUS_MESSAGE - s->npartial;
		if (part > n) part = n;
		memcpy(s->partial + s->npartial, p, part);
		s->npartial += part;
		p += part;
		n -= part;
		if (s->npartial < STATUS_MESSAGE) return;
		int32_t code, pid;
		memcpy(&code, s->partial, 4);
		memcpy(&pid, s->partial + 4, 4);
		s->npartial = 0;
		status_message(m, s, code, pid);
	}
}

/* One read of at most a round. Bytes read; less than asked for means the pipe is dry. */
static size_t read_once(struct master *m, struct service *s, size_t want)
{
	unsigned char block[STATUS_ROUND * STATUS_MESSAGE];
	ssize_t n;
	if (want > sizeof block) want = sizeof block;
	do n = m->kernel->read(s->status[0], block, want); while (n < 0 && errno == EINTR);
	if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
		log_msg(LOG_ERR, "service %s: cannot read status pipe: %s", s->label, strerror(errno));
	if (n <= 0) return 0;
	take_bytes(m, s, block, (size_t)n);
	return (size_t)n;
}

void status_drain(struct master *m, struct service *s, size_t bytes)
{
	while (bytes) {
		size_t n = read_once(m, s, bytes);
		if (!n) return;
		bytes -= n;
	}
}

/* Round robin over the readable pipes, so that a service that chatters delays nobody else. */
void status_phase(struct master *m)
{
	struct ptrarray *talkers = &m->talkers;
	size_t total = 0;
	while (talkers->n && total < STATUS_MAX * STATUS_MESSAGE) {
		size_t kept = 0;
		for (size_t i = 0; i < talkers->n; i++) {
			struct service *s = talkers->v[(m->services.turn + i) % talkers->n];
			size_t got = total < STATUS_MAX * STATUS_MESSAGE ? read_once(m, s, STATUS_ROUND * STATUS_MESSAGE) : 0;
			total += got;
			s->chatters = got == STATUS_ROUND * STATUS_MESSAGE;
		}
		for (size_t i = 0; i < talkers->n; i++) {
			struct service *s = talkers->v[i];
			if (s->chatters) talkers->v[kept++] = s;
		}
		talkers->n = kept;
	}
}
