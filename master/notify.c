/* notify.c - see notify.h. The protocol: lines NAME=VALUE in one datagram to the socket that $NOTIFY_SOCKET names. */
#include "master/notify.h"
#include "base/log.h"
#include "base/num.h"
#include "sys/clock.h"
#include "sys/sys.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AGAIN_AFTER NSEC_PER_SEC
#define TRIES_MAX 30
#define NSEC_PER_USEC 1000

/* @name is an abstract socket: no file, the name begins with a NUL and its length counts. */
static bool address_of(struct notify *n, const char *text)
{
	size_t len = strlen(text);
	if ((*text != '/' && *text != '@') || len < 2 || len >= sizeof n->addr.sun_path) return false;
	memset(&n->addr, 0, sizeof n->addr);
	n->addr.sun_family = AF_UNIX;
	memcpy(n->addr.sun_path, text, len);
	if (*text == '@') n->addr.sun_path[0] = '\0';
	n->addrlen = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (*text == '/'));
	return true;
}

/* Half the time that is allowed. *why says what cannot be used. */
static int64_t watchdog_of(const char *usec, const char *pid, const char **why)
{
	uint64_t n, p;
	if (!usec) return 0;
	if (!num_str_u64(usec, &n) || !n || n > INT64_MAX / NSEC_PER_USEC) {
		*why = "WATCHDOG_USEC";
		return 0;
	}
	if (pid && !num_str_u64(pid, &p)) {
		*why = "WATCHDOG_PID";
		return 0;
	}
	if (pid && p != (uint64_t)getpid()) return 0;
	return n < 2 ? NSEC_PER_USEC : (int64_t)(n / 2) * NSEC_PER_USEC;
}

static bool open_socket(struct notify *n, const char *path)
{
	if (!address_of(n, path)) {
		log_msg(LOG_WARNING, "cannot use NOTIFY_SOCKET: no status is sent to the service manager");
		return false;
	}
	n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (n->fd < 0) log_msg(LOG_WARNING, "cannot make a socket for the service manager: %s", strerror(errno));
	return n->fd >= 0;
}

void notify_init(struct notify *n, int64_t now)
{
	const char *path = getenv("NOTIFY_SOCKET"), *why = NULL;
	*n = (struct notify){ .fd = -1 };
	n->on = path && open_socket(n, path);
	if (n->on) n->watchdog = watchdog_of(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"), &why);
	if (why) log_msg(LOG_WARNING, "cannot use %s: no sign of life is sent to the service manager", why);
	n->watchdog_due = now + n->watchdog;
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

void notify_free(struct notify *n)
{
	if (n->on) sys_close(n->fd);
	*n = (struct notify){ .fd = -1 };
}

static bool send_text(struct notify *n, const char *text)
{
	ssize_t r;
	do r = sendto(n->fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)&n->addr, n->addrlen);
	while (r < 0 && errno == EINTR);
	if (r < 0 && !n->failed) log_msg(LOG_WARNING, "cannot send status to the service manager: %s", strerror(errno));
	n->failed = r < 0;
	return r >= 0;
}

/* A new state replaces one that waits: the manager wants the last. */
static void send_state(struct notify *n, int64_t now)
{
	if (send_text(n, n->state) || ++n->tries >= TRIES_MAX) {
		n->state[0] = '\0';
		return;
	}
	n->state_due = now + AGAIN_AFTER;
}

/* False when it is what was said last. */
static bool set_status(struct notify *n, const char *status)
{
	char text[NOTIFY_STATUS_MAX];
	snprintf(text, sizeof text, "%s", status);
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < ' ') *p = '?';       /* a newline would begin another message */
	bool same = !strcmp(text, n->status);
	memcpy(n->status, text, sizeof text);
	return !same;
}

void notify_ready(struct notify *n, int64_t now, const char *status)
{
	if (!n->on) return;
	set_status(n, status);
	n->status_due = now + NOTIFY_STATUS_EVERY;
	snprintf(n->state, sizeof n->state, "READY=1\nMAINPID=%ld\nSTATUS=%s", (long)getpid(), n->status);
	n->tries = 0;
	n->watchdog_due = now + n->watchdog;               /* the manager begins to count here */
	send_state(n, now);
}

void notify_reloading(struct notify *n, int64_t now)
{
	if (!n->on) return;
	snprintf(n->state, sizeof n->state, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, now / NSEC_PER_USEC);
	n->tries = 0;
	send_state(n, now);
}

void notify_stopping(struct notify *n, int64_t now)
{
	if (!n->on) return;
	snprintf(n->state, sizeof n->state, "STOPPING=1");
	n->tries = 0;
	send_state(n, now);
}

bool notify_wants_status(const struct notify *n, int64_t now) { return n->on && now >= n->status_due; }

static void send_status(struct notify *n, int64_t now, const char *status)
{
	char text[NOTIFY_STATUS_MAX + 8];
	if (!notify_wants_status(n, now)) return;
	n->status_due = now + NOTIFY_STATUS_EVERY;
	if (!set_status(n, status)) return;
	snprintf(text, sizeof text, "STATUS=%s", n->status);
	send_text(n, text);
}

void notify_phase(struct notify *n, int64_t now, const char *status)
{
	if (!n->on) return;
	if (n->state[0] && now >= n->state_due) send_state(n, now);
	if (n->watchdog && now >= n->watchdog_due) {
		send_text(n, "WATCHDOG=1");
		n->watchdog_due = now + n->watchdog;
	}
	if (status) send_status(n, now, status);
}

int64_t notify_due(const struct notify *n)
{
	int64_t due = INT64_MAX;
	if (!n->on) return due;
	if (n->watchdog) due = n->watchdog_due;
	if (n->state[0] && n->state_due < due) due = n->state_due;
	return due;
}

const char *notify_status(char *to, unsigned services, unsigned disabled, unsigned active)
{
	snprintf(to, NOTIFY_STATUS_MAX, "%u services, %u disabled, %u active children", services, disabled, active);
	return to;
}
