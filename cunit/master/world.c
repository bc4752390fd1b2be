/* world.c - see world.h. */
#include "cunit/master/world.h"
#include "sys/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct world w;

static int64_t fake_mono(void) { return w.mono; }
static int64_t fake_real(void) { return w.real; }

static int fake_pselect(int n, fd_set *r, const struct timespec *timeout, const sigset_t *mask)
{
	(void)mask;
	if (!w.pselects++) w.waited = timeout->tv_sec * NSEC_PER_SEC + timeout->tv_nsec;
	if (w.hup_before_wait) {
		w.hup_before_wait = 0;
		signal_flags.hup = SIGHUP;
		memset(r, 0xff, sizeof *r);    /* unspecified after an error */
		errno = EINTR;
		return -1;
	}
	if (w.eintr < 0 || w.eintr_left > 0) {
		if (w.eintr > 0 && !--w.eintr_left) w.calm_left = w.calm;
		signal_flags.chld = SIGCHLD;
		memset(r, 0xff, sizeof *r);
		errno = EINTR;
		return -1;
	}
	if (w.eintr > 0 && !--w.calm_left) w.eintr_left = w.eintr;
	struct timeval zero = { 0, 0 };
	return select(n, r, NULL, NULL, &zero);
}

static int fake_select(int n, fd_set *r, struct timeval *timeout)
{
	w.selects++;
	ck_assert(timeout->tv_sec == 0 && timeout->tv_usec == 0);
	return select(n, r, NULL, NULL, timeout);
}

static int fake_available(int fd)
{
	int n;
	return ioctl(fd, FIONREAD, &n) < 0 ? -1 : n;
}

static pid_t fake_spawn(const struct launch *l)
{
	(void)l;
	if (w.fork_fails) {
		errno = w.fork_fails;
		return -1;
	}
	w.forks++;
	return w.next_pid++;
}

static int fake_queue(int fd)
{
	(void)fd;
	return w.queue;
}

static pid_t fake_reap(int *status)
{
	if (w.reaped == w.ndead) return 0;
	*status = w.dead[w.reaped].status;
	return w.dead[w.reaped++].pid;
}

static int fake_kill(pid_t pid, int sig)
{
	if (w.nkills < 256) {
		w.kills[w.nkills].pid = pid;
		w.kills[w.nkills++].sig = sig;
	}
	return 0;
}

static const struct kernel scripted = { fake_pselect, fake_select, read, fake_available, fake_queue, fake_spawn, fake_reap,
	fake_kill };

static void keep_line(void *arg, int priority, const char *line)
{
	(void)arg;
	if (priority >= LOG_DEBUG) return;
	w.lines++;
	buf_puts(&w.log, line);
	buf_putc(&w.log, '\n');
}

bool logged(const char *what) { return strstr(buf_cstr(&w.log), what) != NULL; }

void apply_conf(const char *text, bool reload)
{
	struct cyrusconf c;
	struct cyrusconf_error e;
	ck_assert_int_eq(cyrusconf_parse(&c, text, strlen(text), reload, NULL, NULL, &e), 0);
	ck_assert_int_eq(master_apply(&w.m, &c, reload), 0);
	cyrusconf_free(&c);
}

struct service *begin(const char *keys)
{
	char *text = mem_printf("SERVICES {\n a cmd=/bin/true listen=\"%s/a\" %s\n}\n", w.dir, keys);
	apply_conf(text, false);
	free(text);
	return service_at(&w.m.services, 0);
}

void world_setup(void)
{
	memset(&w, 0, sizeof w);
	signal_flags = (struct signal_flags){ 0 };
	strcpy(w.dir, "/tmp/check-loop-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(w.dir));
	w.mono = 1000 * NSEC_PER_SEC;
	w.real = 1700000000 * NSEC_PER_SEC;
	w.next_pid = FIRST_PID;
	clock_fake(fake_mono, fake_real);
	log_hook(keep_line, NULL);
	master_init(&w.m, &scripted);
	w.m.check = true;
	signals_block(&w.m.waitmask);
}

void world_teardown(void)
{
	ck_assert_msg(!logged("INVARIANT"), "%s", buf_cstr(&w.log));
	master_free(&w.m);
	log_hook(NULL, NULL);
	clock_fake(NULL, NULL);
	buf_free(&w.log);
	char *cmd = mem_printf("rm -rf %s", w.dir);
	ck_assert_int_eq(system(cmd), 0);
	free(cmd);
}

void pass(void)
{
	w.pselects = w.selects = 0;
	w.waited = -1;
	master_pass(&w.m);
}

void passes(unsigned n)
{
	while (n--) pass();
}

void say(const struct service *s, int code, pid_t pid)
{
	int32_t message[2] = { code, (int32_t)pid };
	ck_assert_int_eq(write(s->status[1], message, 8), 8);
}

void die(pid_t pid, int status)
{
	ck_assert_uint_lt(w.ndead, MAX_DEAD);
	w.dead[w.ndead].pid = pid;
	w.dead[w.ndead++].status = status;
	signal_flags.chld = SIGCHLD;
}

int client(const char *name)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	snprintf(un.sun_path, sizeof un.sun_path, "%s/%s", w.dir, name);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&un, sizeof un), 0);
	return fd;
}
