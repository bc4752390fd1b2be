/* check_notify.c - the service manager's end of notify.c: a datagram socket in a temporary directory, and a clock that the
 * test sets. */
#include "base/log.h"
#include "base/mem.h"
#include "cunit/master/suites.h"
#include "master/notify.h"
#include "sys/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char dir[64], path[128];
static int end = -1;
static unsigned logged;
static struct notify n;

static void count_line(void *arg, int priority, const char *line)
{
	(void)arg, (void)line;
	logged += priority == LOG_WARNING;
}

static void setup(void)
{
	strcpy(dir, "/tmp/check_notify.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/notify", dir);
	log_hook(count_line, NULL);
	logged = 0;
}

static void teardown(void)
{
	notify_free(&n);
	log_hook(NULL, NULL);
	if (end >= 0) close(end);
	end = -1;
	unlink(path);
	rmdir(dir);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

static void listen_at(const char *name)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	size_t len = strlen(name);
	memcpy(un.sun_path, name, len);
	if (*name == '@') un.sun_path[0] = '\0';
	end = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(end, (struct sockaddr *)&un,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (*name == '/'))), 0);
}

/* The next message, "" when there is none. */
static const char *heard(void)
{
	static char text[1024];
	ssize_t r = recv(end, text, sizeof text - 1, MSG_DONTWAIT);
	text[r < 0 ? 0 : r] = '\0';
	return text;
}

static void begin(const char *usec)
{
	listen_at(path);
	setenv("NOTIFY_SOCKET", path, 1);
	if (usec) setenv("WATCHDOG_USEC", usec, 1);
	notify_init(&n, 0);
}

/* ---- bad input first */

static const struct {
	const char *socket, *usec, *pid;   /* "me": our own */
	bool on;
	int64_t watchdog;
	unsigned logged;
} rows[] = {
	{ NULL, NULL, NULL, false, 0, 0 },
	{ NULL, "1000000", "me", false, 0, 0 },
	{ "", NULL, NULL, false, 0, 1 },
	{ "/", NULL, NULL, false, 0, 1 },
	{ "@", NULL, NULL, false, 0, 1 },
	{ "run/notify", NULL, NULL, false, 0, 1 },
	{ "vsock:2:1234", NULL, NULL, false, 0, 1 },
	{ "/LONG", NULL, NULL, false, 0, 1 },
	{ "@LONG", NULL, NULL, false, 0, 1 },
	{ "@LONG", "x", "y", false, 0, 1 },
	{ "/none", NULL, NULL, true, 0, 0 },
	{ "/none", "", NULL, true, 0, 1 },
	{ "/none", "0", NULL, true, 0, 1 },
	{ "/none", "-5", NULL, true, 0, 1 },
	{ "/none", "10s", NULL, true, 0, 1 },
	{ "/none", "99999999999999999999999", NULL, true, 0, 1 },
	{ "/none", "18446744073709551615", NULL, true, 0, 1 },
	{ "/none", "1000000", "", true, 0, 1 },
	{ "/none", "1000000", "me too", true, 0, 1 },
	{ "/none", "1000000", "1", true, 0, 0 },
	{ "/none", "1000000", "me", true, 500000000, 0 },
	{ "/none", "1000000", NULL, true, 500000000, 0 },
	{ "/none", "1", NULL, true, 1000, 0 },
	{ "@camb/none", NULL, NULL, true, 0, 0 },
};

START_TEST(test_environment)
{
	char name[256], pid[32];
	const char *s = rows[_i].socket, *p = rows[_i].pid;
	if (s && strstr(s, "LONG")) {
		memset(name, 'x', 200);
		name[0] = *s;
		name[200] = '\0';
		s = name;
	}
	snprintf(pid, sizeof pid, "%ld", (long)getpid());
	if (p && !strcmp(p, "me")) p = pid;
	if (s) setenv("NOTIFY_SOCKET", s, 1);
	if (rows[_i].usec) setenv("WATCHDOG_USEC", rows[_i].usec, 1);
	if (p) setenv("WATCHDOG_PID", p, 1);
	notify_init(&n, 7);
	ck_assert_int_eq(n.on, rows[_i].on);
	ck_assert_int_eq(n.watchdog, rows[_i].watchdog);
	ck_assert_uint_eq(logged, rows[_i].logged);
	ck_assert_int_eq(notify_due(&n), n.watchdog ? 7 + n.watchdog : INT64_MAX);
	ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
	ck_assert_ptr_null(getenv("WATCHDOG_USEC"));
	ck_assert_ptr_null(getenv("WATCHDOG_PID"));
}
END_TEST

START_TEST(test_switched_off_is_harmless)
{
	static const struct notify zero;
	n = zero;
	notify_ready(&n, 1, "x");
	notify_reloading(&n, 1);
	notify_phase(&n, 1, "x");
	notify_stopping(&n, 1);
	ck_assert_int_eq(notify_due(&n), INT64_MAX);
	notify_free(&n);
	n = zero;
	int fd = dup(2), was = dup2(fd, 9);
	n.fd = 9;
	notify_free(&n);
	ck_assert_int_ge(fcntl(was, F_GETFD), 0);
	close(was);
	close(fd);
	ck_assert_uint_eq(logged, 0);
}
END_TEST

START_TEST(test_ready_reload_stop)
{
	char want[256];
	begin(NULL);
	ck_assert(fcntl(n.fd, F_GETFD) & FD_CLOEXEC);
	notify_ready(&n, NSEC_PER_SEC, "up\nand\trunning");
	snprintf(want, sizeof want, "READY=1\nMAINPID=%ld\nSTATUS=up?and?running", (long)getpid());
	ck_assert_str_eq(heard(), want);
	ck_assert_int_eq(notify_due(&n), INT64_MAX);
	notify_reloading(&n, 3 * NSEC_PER_SEC + 4999);
	ck_assert_str_eq(heard(), "RELOADING=1\nMONOTONIC_USEC=3000004");
	notify_ready(&n, 4 * NSEC_PER_SEC, "again");
	snprintf(want, sizeof want, "READY=1\nMAINPID=%ld\nSTATUS=again", (long)getpid());
	ck_assert_str_eq(heard(), want);
	notify_stopping(&n, 5 * NSEC_PER_SEC);
	ck_assert_str_eq(heard(), "STOPPING=1");
	ck_assert_str_eq(heard(), "");
	ck_assert_uint_eq(logged, 0);
}
END_TEST

START_TEST(test_abstract_socket)
{
	char name[64];
	snprintf(name, sizeof name, "@check_notify.%ld", (long)getpid());
	listen_at(name);
	setenv("NOTIFY_SOCKET", name, 1);
	notify_init(&n, 0);
	notify_stopping(&n, 0);
	ck_assert_str_eq(heard(), "STOPPING=1");
}
END_TEST

START_TEST(test_watchdog)
{
	begin("4000000");
	ck_assert_int_eq(notify_due(&n), 2 * NSEC_PER_SEC);
	notify_ready(&n, 10 * NSEC_PER_SEC, "s");
	heard();
	ck_assert_int_eq(notify_due(&n), 12 * NSEC_PER_SEC);
	notify_phase(&n, 12 * NSEC_PER_SEC - 1, "s");
	ck_assert_str_eq(heard(), "");
	notify_phase(&n, 12 * NSEC_PER_SEC, "s");
	ck_assert_str_eq(heard(), "WATCHDOG=1");
	ck_assert_int_eq(notify_due(&n), 14 * NSEC_PER_SEC);
	notify_phase(&n, 60 * NSEC_PER_SEC, "s");          /* late: one sign, not many */
	ck_assert_str_eq(heard(), "WATCHDOG=1");
	ck_assert_str_eq(heard(), "");
	ck_assert_int_eq(notify_due(&n), 62 * NSEC_PER_SEC);
}
END_TEST

START_TEST(test_status_when_it_changes)
{
	char text[NOTIFY_STATUS_MAX], longer[400];
	begin(NULL);
	notify_ready(&n, 0, "a");
	heard();
	ck_assert(!notify_wants_status(&n, 5 * NSEC_PER_SEC - 1) && notify_wants_status(&n, 5 * NSEC_PER_SEC));
	notify_phase(&n, 4 * NSEC_PER_SEC, "b");
	ck_assert_str_eq(heard(), "");
	notify_phase(&n, 5 * NSEC_PER_SEC, "c");
	ck_assert_str_eq(heard(), "STATUS=c");
	notify_phase(&n, 10 * NSEC_PER_SEC, "c");
	notify_phase(&n, 15 * NSEC_PER_SEC, NULL);
	ck_assert_str_eq(heard(), "");
	ck_assert_int_eq(notify_due(&n), INT64_MAX);
	memset(longer, 'y', sizeof longer);
	longer[sizeof longer - 1] = '\0';
	for (int i = 0; i < 5; i++) notify_phase(&n, (20 + i) * NSEC_PER_SEC, longer);
	ck_assert_uint_eq(strlen(heard()), sizeof "STATUS=" - 1 + NOTIFY_STATUS_MAX - 1);
	ck_assert_str_eq(heard(), "");
	ck_assert_str_eq(notify_status(text, 12, 3, 250), "12 services, 3 disabled, 250 active children");
}
END_TEST

static void fill(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	strcpy(un.sun_path, path);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	while (sendto(fd, "x", 1, MSG_DONTWAIT, (struct sockaddr *)&un, sizeof un) > 0) {}
	ck_assert_int_eq(errno, EAGAIN);
	close(fd);
}

START_TEST(test_full_socket)
{
	begin("2000000");
	fill();
	notify_ready(&n, 0, "s");
	notify_phase(&n, NSEC_PER_SEC / 2, "s");
	ck_assert_int_eq(notify_due(&n), NSEC_PER_SEC);
	while (*heard()) {}
	notify_phase(&n, NSEC_PER_SEC - 1, "s");
	ck_assert_str_eq(heard(), "");
	notify_phase(&n, NSEC_PER_SEC, "s");
	ck_assert_ptr_nonnull(strstr(heard(), "READY=1"));
	ck_assert_str_eq(heard(), "WATCHDOG=1");
	ck_assert_str_eq(heard(), "");
	ck_assert_uint_eq(logged, 1);
}
END_TEST

START_TEST(test_nobody_there)
{
	begin("2000000");
	close(end);
	end = -1;
	unlink(path);
	notify_ready(&n, 0, "s");
	int64_t t = 0;
	for (int i = 0; i < 200; i++) notify_phase(&n, t += NSEC_PER_SEC / 2, i % 20 ? "s" : "t");
	ck_assert_uint_eq(logged, 1);
	ck_assert_str_eq(n.state, "");                     /* given up */
	listen_at(path);
	notify_phase(&n, t += NSEC_PER_SEC, "s");
	ck_assert_str_eq(heard(), "WATCHDOG=1");
}
END_TEST

TCase *case_notify(void)
{
	TCase *c = tcase_create("service manager");
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_loop_test(c, test_environment, 0, sizeof rows / sizeof *rows);
	tcase_add_test(c, test_switched_off_is_harmless);
	tcase_add_test(c, test_ready_reload_stop);
	tcase_add_test(c, test_abstract_socket);
	tcase_add_test(c, test_watchdog);
	tcase_add_test(c, test_status_when_it_changes);
	tcase_add_test(c, test_full_socket);
	tcase_add_test(c, test_nobody_there);
	return c;
}
