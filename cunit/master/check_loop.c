/* check_loop.c - master's loop, pass by pass, against the scripted kernel of world.h. The invariants are those of
 * spec/master.md 22.8. */
#include "base/err.h"
#include "cunit/master/suites.h"
#include "cunit/master/world.h"
#include "sys/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---------------------------------------------------------------- I1, R1: interruptions */
static const long interruptions[] = { 0, 1, 4, 5, 6, 100, -1 };

START_TEST(test_I1_interrupted_waits_never_delay_a_message)
{
	struct service *s = begin("prefork=1");
	pass();
	pid_t pid = w.next_pid - 1;
	w.eintr = w.eintr_left = interruptions[_i];
	w.calm = 1;
	for (int i = 0; i < 50; i++) {
		say(s, 2, pid);
		say(s, 3, pid);
		pass();
		ck_assert_uint_eq(s->count[CHILD_BUSY], 1);
		ck_assert_uint_eq(s->nconnections, (unsigned)i + 1);
		say(s, 1, pid);
		pass();
		ck_assert_uint_eq(s->count[CHILD_BUSY], 0);
		ck_assert_uint_le(w.pselects, RETRY_MAX + 1);
	}
}
END_TEST

START_TEST(test_I1_interrupted_waits_never_delay_a_client)
{
	struct service *s = begin("");
	pass();
	w.eintr = w.eintr_left = interruptions[_i];
	w.calm = 1;
	for (unsigned i = 1; i < 20; i++) {
		int fd = client("a");
		pass();
		ck_assert_uint_eq(w.forks, i);
		/* the worker takes the client */
		int got = accept(s->sock, NULL, NULL);
		say(s, 2, w.next_pid - 1);
		pass();
		close(got);
		close(fd);
	}
	if (interruptions[_i] < 0) ck_assert_msg(w.lines < 3, "the log is not the load: %u lines\n%s", w.lines, buf_cstr(&w.log));
}
END_TEST

START_TEST(test_I11_hup_before_the_wait_ends_the_pass)
{
	begin("");
	w.hup_before_wait = 1;
	w.m.cyrus_path = mem_strdup("/nonexistent/cyrus.conf");
	pass();
	ck_assert_uint_ge(w.pselects, 2);              /* retried at once, with no time-out */
	pass();
	ck_assert(logged("got SIGHUP"));
	ck_assert(logged("keeping the old configuration"));
	ck_assert(service_at(&w.m.services, 0)->enabled);
}
END_TEST

/* ---------------------------------------------------------------- status messages */
START_TEST(test_every_message_in_every_state)
{
	/* spec/master.md 8: where each message leads, and whether it counts a connection */
	static const struct {
		enum child_state in;
		int code;
		enum child_state to;
		unsigned connections;
	} rows[] = {
		{ CHILD_READY, 1, CHILD_READY, 0 }, { CHILD_READY, 2, CHILD_BUSY, 0 }, { CHILD_READY, 3, CHILD_BUSY, 1 },
		{ CHILD_READY, 4, CHILD_READY, 1 },
		{ CHILD_BUSY, 1, CHILD_READY, 0 }, { CHILD_BUSY, 2, CHILD_BUSY, 0 }, { CHILD_BUSY, 3, CHILD_BUSY, 1 },
		{ CHILD_BUSY, 4, CHILD_READY, 1 },
		{ CHILD_UNKNOWN, 1, CHILD_READY, 0 }, { CHILD_UNKNOWN, 2, CHILD_BUSY, 0 }, { CHILD_UNKNOWN, 3, CHILD_BUSY, 1 },
		{ CHILD_UNKNOWN, 4, CHILD_READY, 1 },
		{ CHILD_DEAD, 1, CHILD_DEAD, 0 }, { CHILD_DEAD, 2, CHILD_DEAD, 0 }, { CHILD_DEAD, 3, CHILD_DEAD, 1 },
		{ CHILD_DEAD, 4, CHILD_DEAD, 1 },
		{ CHILD_READY, 0, CHILD_READY, 0 }, { CHILD_BUSY, 5, CHILD_BUSY, 0 }, { CHILD_READY, -1, CHILD_READY, 0 },
	};
	struct service *s = begin("");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		pid_t pid = w.next_pid++;
		struct child *c = child_add(&w.m.children, pid, rows[i].in == CHILD_DEAD ? KIND_ZOMBIE : KIND_SERVICE, s, "a", "/a", w.mono);
		child_move(c, rows[i].in);
		s->nconnections = 0;
		status_message(&w.m, s, rows[i].code, pid);
		ck_assert_msg(c->state == rows[i].to && s->nconnections == rows[i].connections, "row %zu", i);
		ck_assert(children_check(&w.m.children, &w.m.services, NULL));
	}
}
END_TEST

START_TEST(test_messages_in_pieces)
{
	struct service *s = begin("prefork=1");
	pass();
	int32_t message[2] = { 2, w.next_pid - 1 };
	for (size_t i = 0; i < 8; i++) {
		ck_assert_uint_eq(s->count[CHILD_BUSY], 0);
		ck_assert_int_eq(write(s->status[1], (char *)message + i, 1), 1);
		pass();
	}
	ck_assert_uint_eq(s->count[CHILD_BUSY], 1);
}
END_TEST

START_TEST(test_messages_from_strangers_and_neighbours)
{
	char *text = mem_printf("SERVICES {\n a cmd=/bin/true listen=\"%s/a\" prefork=1\n b cmd=/bin/true listen=\"%s/b\"\n}\n",
		w.dir, w.dir);
	apply_conf(text, false);
	free(text);
	struct service *a = service_at(&w.m.services, 0), *b = service_at(&w.m.services, 1);
	pass();
	say(b, 1, 4242424);
	pass();
	ck_assert(logged("long dead child"));
	ck_assert_uint_eq(service_active(b), 0);
	say(b, 2, w.next_pid - 1);
	pass();
	ck_assert_uint_eq(service_active(a), 0);
	ck_assert_uint_eq(b->count[CHILD_BUSY], 1);
	for (int i = 0; i < 3 * CHILD_STRANGERS_MAX; i++) status_message(&w.m, a, 1, 5000000 + i);
	ck_assert_uint_le(w.m.children.strangers, CHILD_STRANGERS_MAX);
	w.mono += 20 * NSEC_PER_SEC;
	pass();
	ck_assert_uint_eq(w.m.children.strangers, 0);
}
END_TEST

START_TEST(test_I10_a_chatterer_delays_nobody)
{
	char *text = mem_printf("SERVICES {\n a cmd=/bin/true listen=\"%s/a\" prefork=1\n"
		" b cmd=/bin/true listen=\"%s/b\" prefork=1\n}\n", w.dir, w.dir);
	apply_conf(text, false);
	free(text);
	struct service *a = service_at(&w.m.services, 0), *b = service_at(&w.m.services, 1);
	pass();
	for (int i = 0; i < 8192; i++) say(a, 3, FIRST_PID + (i == 0));
	pid_t of_b = child_find(&w.m.children, FIRST_PID)->service == b ? FIRST_PID : FIRST_PID + 1;
	say(b, 2, of_b);
	pass();
	ck_assert_uint_eq(b->count[CHILD_BUSY] + a->count[CHILD_BUSY], 2);
	ck_assert_uint_lt(a->nconnections, 8192);      /* the phase is bounded */
	passes(3);
	ck_assert_uint_eq(a->nconnections, 8192);
}
END_TEST

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

/* ---------------------------------------------------------------- events */
START_TEST(test_events_on_both_clocks)
{
	setenv("TZ", "UTC0", 1);
	tzset();
	w.real = (1700000000LL / 86400 * 86400 + 3 * 3600) * NSEC_PER_SEC;     /* 03:00 */
	apply_conf("EVENTS {\n a cmd=/bin/a period=1\n b cmd=/bin/b\n c cmd=/bin/c at=0302\n d cmd=/bin/d cron=\"*/2 * * * *\"\n}\n",
		false);
	static const struct {
		int at;                        /* seconds after the start */
		unsigned forks;                /* in all */
	} rows[] = { { 0, 3 }, { 1, 3 }, { 59, 3 }, { 60, 4 }, { 61, 4 }, { 119, 4 }, { 120, 7 }, { 121, 7 }, { 180, 8 }, { 240, 10 } };
	int64_t mono = w.mono, real = w.real;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		w.mono = mono + rows[i].at * NSEC_PER_SEC;
		w.real = real + rows[i].at * NSEC_PER_SEC;
		pass();
		ck_assert_msg(w.forks == rows[i].forks, "%u forks at %d", w.forks, rows[i].at);
	}
	w.real -= 3600 * NSEC_PER_SEC;                 /* the period does not care what the date is */
	w.mono += 60 * NSEC_PER_SEC;
	pass();
	ck_assert_uint_ge(w.forks, 11);
}
END_TEST

START_TEST(test_due_events_run_in_order_a_few_at_a_time)
{
	struct buf b = BUF_INIT;
	buf_puts(&b, "EVENTS {\n");
	for (int i = 0; i < 40; i++) buf_printf(&b, " e%d cmd=/bin/true\n", i);
	buf_puts(&b, "}\n");
	apply_conf(buf_cstr(&b), false);
	buf_free(&b);
	pass();
	ck_assert_uint_eq(w.forks, EVENT_MAX);
	ck_assert_int_eq(w.waited, 0);
	passes(2);
	ck_assert_uint_eq(w.forks, 40);
	for (int i = 0; i < 40; i++) {
		char name[16];
		snprintf(name, sizeof name, "e%d", i);
		ck_assert_str_eq(child_find(&w.m.children, FIRST_PID + i)->name, name);
	}
}
END_TEST

/* ---------------------------------------------------------------- reload, shutdown */
START_TEST(test_reload_signals_exactly_the_children_of_the_slots)
{
	char *text = mem_printf("SERVICES {\n a cmd=/bin/true listen=\"%s/a\" prefork=2\n}\nEVENTS {\n e cmd=/bin/true period=5\n}\n",
		w.dir);
	char *moved = mem_printf("SERVICES {\n a cmd=/bin/true listen=\"%s/b\" prefork=1\n}\n", w.dir);
	apply_conf(text, false);
	pass();
	ck_assert_uint_eq(w.forks, 3);
	apply_conf(text, true);
	ck_assert_uint_eq(w.nkills, 2);                /* not the running event, nobody twice */
	ck_assert_uint_eq(w.m.services.slots.n, 1);
	w.nkills = 0;
	apply_conf(moved, true);
	ck_assert_uint_eq(w.nkills, 2);
	ck_assert_uint_eq(w.m.services.slots.n, 2);
	pass();
	ck_assert_uint_eq(w.m.services.slots.n, 2);    /* kept until its last child is gone */
	struct service *old = service_at(&w.m.services, 0);
	ck_assert(!old->enabled && old->sock < 0);
	for (struct child *c = w.m.children.all; c; c = c->next)
		if (c->service == old) die(c->pid, EXITED(0));
	pass();
	ck_assert_uint_eq(w.m.services.slots.n, 1);
	ck_assert_uint_eq(service_at(&w.m.services, 0)->instance, 0);
	free(text);
	free(moved);
}
END_TEST

START_TEST(test_shutdown_waits_for_workers_and_a_while_for_events)
{
	char *text = mem_printf("SERVICES {\n a cmd=/bin/true listen=\"%s/a\" prefork=1\n}\nEVENTS {\n e cmd=/bin/true\n}\n", w.dir);
	apply_conf(text, false);
	free(text);
	pass();
	ck_assert_uint_eq(w.forks, 2);
	signal_flags.term = SIGTERM;
	pass();
	ck_assert(logged("attempting clean shutdown on signal"));
	for (struct child *c = w.m.children.all; c; c = c->next)
		if (c->kind == KIND_SERVICE) die(c->pid, EXITED(75));
	pass();
	ck_assert(!w.m.done);
	ck_assert_uint_eq(w.forks, 2);
	w.mono += EVENTS_GRACE + 1;
	pass();
	ck_assert(w.m.done);
}
END_TEST

/* ---------------------------------------------------------------- addresses, metrics */
static const struct {
	const char *listen, *proto;
	enum listen_error error;
	const char *host, *port;
} addresses[] = {
	{ "imap", "tcp", LISTEN_OK, NULL, "imap" }, { "143", "tcp4", LISTEN_OK, NULL, "143" },
	{ "*:143", "tcp", LISTEN_OK, NULL, "143" },
	{ "localhost:imap", "tcp", LISTEN_OK, "localhost", "imap" }, { "::1:7001", "tcp6", LISTEN_OK, "::1", "7001" },
	{ "[::1]:7001", "tcp", LISTEN_OK, "::1", "7001" }, { "[127.0.0.1]:1", "udp", LISTEN_OK, "127.0.0.1", "1" },
	{ "[::1]", "tcp", LISTEN_OK, "::1", NULL }, { "h:", "tcp", LISTEN_BAD_ADDRESS, NULL, NULL },
	{ "[h", "tcp", LISTEN_BAD_ADDRESS, NULL, NULL },
	{ "[h]x", "tcp", LISTEN_BAD_ADDRESS, NULL, NULL }, { "[h]:", "tcp", LISTEN_BAD_ADDRESS, NULL, NULL },
	{ "imap", "sctp", LISTEN_BAD_PROTO, NULL, NULL }, { ":", "tcp", LISTEN_BAD_ADDRESS, NULL, NULL },
};

START_TEST(test_address_syntax)
{
	struct listen_spec l;
	ck_assert_int_eq(listen_parse(&l, addresses[_i].listen, addresses[_i].proto), addresses[_i].error);
	ck_assert_pstr_eq(l.host, addresses[_i].host);
	ck_assert_pstr_eq(l.port, addresses[_i].port);
	listen_spec_free(&l);
}
END_TEST

START_TEST(test_unusable_addresses_disable_one_service)
{
	char name[200];
	memset(name, 'x', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	char *text = mem_printf("SERVICES {\n a cmd=/bin/true listen=\"/%s\"\n b cmd=/bin/true listen=\"h:\"\n"
		" c cmd=/bin/true listen=\"%s/c\" proto=tcp4\n"
		" d cmd=/bin/true listen=x proto=ip\n e cmd=/bin/true listen=\"%s/e\" prefork=1\n}\n", name, w.dir, w.dir);
	apply_conf(text, false);
	free(text);
	passes(2);
	ck_assert_uint_eq(w.forks, 1);
	ck_assert(logged("unable to create c listener socket: Operation not supported (listen)"));
}
END_TEST

START_TEST(test_metrics_text)
{
	struct buf b = BUF_INIT;
	begin("prefork=2");
	pass();
	metrics_print(&w.m, 1234, &b);
	ck_assert_ptr_nonnull(strstr(buf_cstr(&b),
		"# TYPE cyrus_master_ready_workers gauge\ncyrus_master_ready_workers{service=\"a\",family=\"unix\"} 2 1234\n"));
	ck_assert_ptr_nonnull(strstr(buf_cstr(&b), "cyrus_master_max_children{service=\"a\",family=\"unix\"} 2147483647 1234\n"));
	ck_assert_ptr_nonnull(strstr(buf_cstr(&b), "# TYPE cyrus_master_ready_fails_total counter\n"));
	ck_assert_ptr_nonnull(strstr(buf_cstr(&b), "cyrus_master_listen_queue{service=\"a\",family=\"unix\"} 0 1234\n"));
	ck_assert_ptr_null(strstr(buf_cstr(&b), "cyrus_master_last_message_seconds{"));        /* none came yet */
	ck_assert_ptr_nonnull(strstr(buf_cstr(&b), "\ncyrus_master_passes_total 1 1234\n"));
	buf_reset(&b);
	service_at(&w.m.services, 0)->failed = true;
	metrics_table(&w.m, &b);
	ck_assert_ptr_nonnull(strstr(buf_cstr(&b), "    reload         0         -\n"));
	buf_free(&b);
}
END_TEST

TCase *case_loop(void)
{
	TCase *c = tcase_create("loop");
	size_t n = sizeof interruptions / sizeof *interruptions;
	tcase_add_checked_fixture(c, world_setup, world_teardown);
	tcase_set_timeout(c, 120);
	tcase_add_loop_test(c, test_I1_interrupted_waits_never_delay_a_message, 0, n);
	tcase_add_loop_test(c, test_I1_interrupted_waits_never_delay_a_client, 0, n);
	tcase_add_test(c, test_I11_hup_before_the_wait_ends_the_pass);
	tcase_add_test(c, test_every_message_in_every_state);
	tcase_add_test(c, test_messages_in_pieces);
	tcase_add_test(c, test_messages_from_strangers_and_neighbours);
	tcase_add_test(c, test_I10_a_chatterer_delays_nobody);
	tcase_add_test(c, test_I7_crash_with_a_client_is_no_ready_failure);
	tcase_add_test(c, test_five_ready_failures_disable);
	tcase_add_test(c, test_what_is_no_failure);
	tcase_add_test(c, test_babysat_services_are_paused_not_given_up);
	tcase_add_test(c, test_many_deaths_take_several_passes_without_sleeping);
	tcase_add_test(c, test_forks_of_a_pass_are_bounded);
	tcase_add_test(c, test_I8_maxchild_is_never_exceeded);
	tcase_add_test(c, test_a_socket_that_cannot_be_served_is_not_watched);
	tcase_add_test(c, test_I9_fork_failure_backs_off_and_recovers);
	tcase_add_test(c, test_a_program_that_cannot_be_executed_is_given_up);
	tcase_add_test(c, test_as_many_children_as_clients_wait);
	tcase_add_test(c, test_idle_services_cost_nothing);
	tcase_add_test(c, test_clients_who_wait_in_vain_are_mentioned);
	tcase_add_test(c, test_reports_that_lead_to_nothing_are_read_in_turns);
	tcase_add_loop_test(c, test_fork_rate, 0, 4);
	tcase_add_test(c, test_events_on_both_clocks);
	tcase_add_test(c, test_due_events_run_in_order_a_few_at_a_time);
	tcase_add_test(c, test_reload_signals_exactly_the_children_of_the_slots);
	tcase_add_test(c, test_shutdown_waits_for_workers_and_a_while_for_events);
	tcase_add_loop_test(c, test_address_syntax, 0, sizeof addresses / sizeof *addresses);
	tcase_add_test(c, test_unusable_addresses_disable_one_service);
	tcase_add_test(c, test_metrics_text);
	return c;
}
