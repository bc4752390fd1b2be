/* check_staffing.c - which children master starts, and what their deaths mean (spec/master.md 22.8). */
#include "cunit/master/suites.h"
#include "cunit/master/world.h"
#include "sys/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---------------------------------------------------------------- deaths */
START_TEST(test_I7_crash_with_a_client_is_no_ready_failure)
{
	struct service *s = begin("prefork=2");
	pass();
	for (int i = 0; i < 1000; i++) {
		pid_t pid = w.next_pid - 1;
		say(s, 2, pid);
		say(s, 3, pid);
		die(pid, EXITED(1));
		w.mono += NSEC_PER_SEC / 1000;
		pass();
		ck_assert_uint_eq(s->nreadyfails, 0);
		ck_assert_uint_eq(service_active(s), 2);
	}
	ck_assert_uint_eq(s->nconnections, 1000);
	ck_assert_uint_eq(s->ndeaths, 1000);
	ck_assert_uint_eq(s->nforks - s->ndeaths, service_active(s));
}
END_TEST

START_TEST(test_five_ready_failures_disable)
{
	struct service *s = begin("prefork=1");
	for (int i = 1; i <= 5; i++) {
		pass();
		ck_assert(!s->failed);
		die(w.next_pid - 1, i % 2 ? EXITED(1) : SIGSEGV);
	}
	unsigned forks = w.forks;
	passes(3);
	ck_assert(s->failed);
	ck_assert_int_lt(s->sock, 0);
	ck_assert_uint_eq(w.forks, forks);
	ck_assert(logged("too many failures for service a/unix, disabling until next SIGHUP"));
	char *text = mem_printf("SERVICES {\n a cmd=/bin/true listen=\"%s/a\" prefork=1\n}\n", w.dir);
	apply_conf(text, true);
	free(text);
	pass();
	ck_assert_int_ge(s->sock, 0);
	ck_assert_uint_eq(service_active(s), 1);
}
END_TEST

START_TEST(test_what_is_no_failure)
{
	struct service *s = begin("prefork=1");
	pass();
	die(w.next_pid - 1, EXITED(0));
	pass();
	die(w.next_pid - 1, EXITED(75));
	pass();
	child_find(&w.m.children, w.next_pid - 1)->hup_sent = w.mono;
	die(w.next_pid - 1, SIGHUP);                   /* our own */
	pass();
	ck_assert_uint_eq(s->nreadyfails, 0);
	die(w.next_pid - 1, SIGHUP);                   /* somebody else's */
	pass();
	ck_assert_uint_eq(s->nreadyfails, 1);
	w.mono += 11 * NSEC_PER_SEC;
	die(w.next_pid - 1, EXITED(1));
	pass();
	ck_assert_uint_eq(s->nreadyfails, 1);          /* the old one is forgotten */
}
END_TEST

START_TEST(test_babysat_services_are_paused_not_given_up)
{
	struct service *s = begin("babysit=yes maxforkrate=1000");
	for (int i = 1; i <= 5; i++) {
		w.mono += NSEC_PER_SEC;
		pass();
		die(w.next_pid - 1, EXITED(1));
	}
	unsigned forks = w.forks;
	passes(5);
	ck_assert_uint_eq(w.forks, forks);
	ck_assert(logged("disabling for 10 seconds"));
	ck_assert_int_gt(w.waited, 9 * NSEC_PER_SEC);  /* and nothing spins meanwhile */
	w.mono += 10 * NSEC_PER_SEC;
	pass();
	ck_assert_uint_eq(w.forks, forks + 1);
	ck_assert(!s->failed);
}
END_TEST

START_TEST(test_many_deaths_take_several_passes_without_sleeping)
{
	struct service *s = begin("prefork=600 maxchild=600");
	passes(30);
	ck_assert_uint_eq(service_active(s), 600);
	for (int i = 0; i < 600; i++) die(FIRST_PID + i, EXITED(0));
	pass();
	ck_assert_int_eq(w.waited, 0);
	passes(2);
	ck_assert_uint_eq(s->ndeaths, 600);
	passes(30);
	ck_assert_uint_eq(service_active(s), 600);
}
END_TEST

/* ---------------------------------------------------------------- staffing */
START_TEST(test_forks_of_a_pass_are_bounded)
{
	begin("prefork=100");
	pass();
	ck_assert_uint_eq(w.forks, SPAWN_MAX - SPAWN_CLIENTS);         /* some are kept for those who wait */
	ck_assert_int_eq(w.waited, 0);
	passes(4);
	ck_assert_uint_eq(w.forks, 100);
}
END_TEST

START_TEST(test_I8_maxchild_is_never_exceeded)
{
	struct service *s = begin("prefork=3 maxchild=4");
	unsigned seed = 7;
	int fds[64], n = 0;
	for (int i = 0; i < 5000; i++) {
		unsigned what = (unsigned)rand_r(&seed) % 5;
		pid_t pid = FIRST_PID + rand_r(&seed) % (w.next_pid - FIRST_PID + 1);
		struct child *c = child_find(&w.m.children, pid);
		bool lives = c && c->kind == KIND_SERVICE;
		if (what == 0 && n < 16) fds[n++] = client("a");
		if (what == 1 && lives) say(s, c->state == CHILD_READY ? 2 : 1, pid);
		if (what == 2 && lives && w.ndead < MAX_DEAD) die(pid, EXITED(0));
		if (what == 3) w.mono += NSEC_PER_SEC / 10;
		if (what == 4) w.eintr = -(long)(rand_r(&seed) % 2);
		pass();
		ck_assert_uint_le(service_active(s), 4);
		ck_assert_uint_eq(s->nforks - s->ndeaths, service_active(s));
		pass();                        /* staff comes before messages: what those changed is made good here */
		ck_assert_uint_le(service_active(s), 4);
		ck_assert(service_active(s) == 4 || service_ready(s) >= 3);
	}
	while (n) close(fds[--n]);
}
END_TEST

START_TEST(test_a_socket_that_cannot_be_served_is_not_watched)
{
	struct service *s = begin("maxchild=1");
	pass();
	ck_assert(fdset_has(&w.m.services.want, s->sock));
	int a = client("a"), b = client("a");
	pass();
	ck_assert_uint_eq(w.forks, 1);
	close(accept(s->sock, NULL, NULL));
	say(s, 2, w.next_pid - 1);
	pass();
	pass();
	ck_assert(!fdset_has(&w.m.services.want, s->sock));
	ck_assert_uint_eq(w.forks, 1);
	die(w.next_pid - 1, EXITED(0));
	pass();
	ck_assert_uint_eq(w.forks, 2);
	close(accept(s->sock, NULL, NULL));
	say(s, 2, w.next_pid - 1);
	int c = client("a");
	pass();
	signal_flags.term = SIGTERM;
	w.mono += NSEC_PER_SEC;
	passes(2);
	w.mono += NSEC_PER_SEC;
	pass();
	ck_assert(!fdset_has(&w.m.services.want, s->sock));
	ck_assert_int_gt(w.waited, NSEC_PER_SEC);
	ck_assert(!w.m.done);
	die(w.next_pid - 1, EXITED(75));
	pass();
	ck_assert(w.m.done);
	ck_assert(logged("All children have exited, closing down"));
	close(a);
	close(b);
	close(c);
}
END_TEST

START_TEST(test_I9_fork_failure_backs_off_and_recovers)
{
	struct service *s = begin("");
	pass();
	w.fork_fails = EAGAIN;
	int fd = client("a");
	unsigned n = 0;
	for (int64_t end = w.mono + 30 * NSEC_PER_SEC; w.mono < end; n++) {
		pass();
		w.mono += w.waited > 0 ? w.waited : 1000000;
	}
	ck_assert_msg(n < 60, "%u passes in 30 s", n);
	ck_assert_msg(w.lines <= 4, "%u lines in 30 s", w.lines);
	w.fork_fails = 0;
	w.mono += 5 * NSEC_PER_SEC;
	passes(2);
	ck_assert_uint_eq(w.forks, 1);
	ck_assert_int_eq(s->backoff, 0);
	close(fd);
}
END_TEST

START_TEST(test_a_program_that_cannot_be_executed_is_given_up)
{
	struct service *s = begin("prefork=1");
	w.fork_fails = ENOENT;
	passes(10);
	ck_assert(s->failed);
	ck_assert(logged("couldn't exec /bin/true"));
	ck_assert(logged("too many failures for service a/unix"));
	ck_assert_uint_eq(s->nforks, 0);
	ck_assert_int_gt(w.waited, NSEC_PER_SEC);
}
END_TEST

START_TEST(test_as_many_children_as_clients_wait)
{
	struct service *s = begin("maxchild=7");
	int fd = client("a");
	w.queue = 5;
	pass();
	ck_assert_uint_eq(w.forks, 5);
	pass();
	ck_assert_uint_eq(w.forks, 5);                 /* those are ready; nobody else is started before they took their clients */
	for (pid_t pid = FIRST_PID; pid < FIRST_PID + 5; pid++) say(s, 2, pid);
	passes(2);
	ck_assert_uint_eq(service_active(s), 7);
	close(fd);
}
END_TEST

/* A pass looks at what changed. With nothing changed that is nothing, however many services there are. */
START_TEST(test_idle_services_cost_nothing)
{
	struct buf b = BUF_INIT;
	buf_puts(&b, "SERVICES {\n");
	for (int i = 0; i < 300; i++) buf_printf(&b, " s%d cmd=/bin/true listen=\"%s/s%d\" prefork=%d\n", i, w.dir, i, i % 2);
	buf_puts(&b, "}\n");
	apply_conf(buf_cstr(&b), false);
	buf_free(&b);
	ck_assert_uint_eq(w.m.services.changed.n, 300);
	passes(20);
	ck_assert_uint_eq(w.forks, 150);
	ck_assert_uint_eq(w.m.services.changed.n, 0);
	say(service_at(&w.m.services, 7), 2, child_find(&w.m.children, FIRST_PID + 3)->pid);
	pass();
	ck_assert_uint_le(w.m.services.changed.n, 2);
}
END_TEST

START_TEST(test_reports_that_lead_to_nothing_are_read_in_turns)
{
	struct service *s = begin("prefork=10 maxchild=10");
	passes(2);
	say(s, 2, FIRST_PID);
	w.mono += NSEC_PER_SEC;
	pass();
	ck_assert_uint_eq(s->count[CHILD_BUSY], 1);
	say(s, 2, FIRST_PID + 1);
	pass();                                        /* not for the next two milliseconds ... */
	ck_assert_uint_eq(s->count[CHILD_BUSY], 1);
	ck_assert_int_gt(w.waited, 0);
	ck_assert_int_le(w.waited, STATUS_REST);
	w.mono += w.waited;
	pass();
	ck_assert_uint_eq(s->count[CHILD_BUSY], 2);
	s->maxchild = -1;
	w.fork_fails = EAGAIN;
	for (pid_t pid = FIRST_PID + 2; pid < FIRST_PID + 7; pid++) say(s, 2, pid);
	w.mono += NSEC_PER_SEC;
	passes(2);
	say(s, 2, FIRST_PID + 7);
	pass();                                        /* ... unless there is something to do about it */
	ck_assert_uint_eq(s->count[CHILD_BUSY], 8);
	w.fork_fails = 0;
	w.mono += 5 * NSEC_PER_SEC;
	passes(2);
	ck_assert_uint_eq(service_ready(s), 10);
}
END_TEST

START_TEST(test_clients_who_wait_in_vain_are_mentioned)
{
	static const struct {
		int maxchild;
		bool busy;
		const char *text;
	} rows[] = {
		{ 1, true, "service a/unix: 3 clients wait, and all 1 workers that maxchild allows are busy" },
		{ 1, false, "service a/unix: 3 clients wait, and 1 ready workers do not take them" },
		{ 2, true, "service a/unix: 3 clients wait, and no worker can be started" },
	};
	struct service *s = begin("maxchild=1 prefork=1");
	int fds[3] = { client("a"), client("a"), client("a") };
	pass();
	w.queue = 3;
	w.fork_fails = EAGAIN;
	for (size_t i = 0; i < 3; i++) {
		unsigned lines = 0;
		s->maxchild = rows[i].maxchild;
		say(s, rows[i].busy ? 2 : 1, w.next_pid - 1);
		for (int j = 0; j < 60; j++) {
			w.mono += NSEC_PER_SEC;
			pass();
		}
		ck_assert_msg(logged(rows[i].text), "%s", buf_cstr(&w.log));
		for (const char *p = buf_cstr(&w.log); (p = strstr(p, rows[i].text)); p++) lines++;
		ck_assert_uint_eq(lines, 1);               /* once a minute */
	}
	for (int i = 0; i < 3; i++) {
		close(accept(s->sock, NULL, NULL));
		close(fds[i]);
	}
	unsigned lines = w.lines;
	w.fork_fails = 0;
	for (int j = 0; j < 60; j++) {
		w.mono += NSEC_PER_SEC;
		pass();
	}
	ck_assert_uint_eq(w.lines, lines);
}
END_TEST

static unsigned burst(struct service *s, int64_t step, int64_t length)
{
	unsigned n = 0;
	for (int64_t end = w.mono + length; w.mono < end; w.mono += step) {
		if (!service_may_fork(s, w.mono)) continue;
		s->interval_forks++;
		n++;
	}
	return n;
}

START_TEST(test_fork_rate)
{
	static const struct {
		int limit;
		unsigned least, most;          /* forks in 10 s, within 20 per cent and the first burst */
	} rows[] = { { 2, 16, 26 }, { 5, 40, 62 }, { 10, 80, 125 }, { 50, 350, 600 } };
	struct service *s = begin("");
	char keys[64];
	snprintf(keys, sizeof keys, "maxforkrate=%d", rows[_i].limit);
	s->maxforkrate = rows[_i].limit;
	unsigned n = burst(s, NSEC_PER_SEC / 200, 10 * NSEC_PER_SEC);
	ck_assert_msg(n >= rows[_i].least && n <= rows[_i].most, "%u forks at %d/s", n, rows[_i].limit);
}
END_TEST

TCase *case_staffing(void)
{
	TCase *t = tcase_create("staffing");
	tcase_add_checked_fixture(t, world_setup, world_teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, test_I7_crash_with_a_client_is_no_ready_failure);
	tcase_add_test(t, test_five_ready_failures_disable);
	tcase_add_test(t, test_what_is_no_failure);
	tcase_add_test(t, test_babysat_services_are_paused_not_given_up);
	tcase_add_test(t, test_many_deaths_take_several_passes_without_sleeping);
	tcase_add_test(t, test_forks_of_a_pass_are_bounded);
	tcase_add_test(t, test_I8_maxchild_is_never_exceeded);
	tcase_add_test(t, test_a_socket_that_cannot_be_served_is_not_watched);
	tcase_add_test(t, test_I9_fork_failure_backs_off_and_recovers);
	tcase_add_test(t, test_a_program_that_cannot_be_executed_is_given_up);
	tcase_add_test(t, test_as_many_children_as_clients_wait);
	tcase_add_test(t, test_idle_services_cost_nothing);
	tcase_add_test(t, test_clients_who_wait_in_vain_are_mentioned);
	tcase_add_test(t, test_reports_that_lead_to_nothing_are_read_in_turns);
	tcase_add_loop_test(t, test_fork_rate, 0, 4);
	return t;
}
