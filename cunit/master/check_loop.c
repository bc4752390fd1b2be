/* check_loop.c - master's loop, pass by pass, against the scripted kernel of world.h: messages, events, reload. The invariants
 * are those of spec/master.md 22.8. */
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
		struct child *c = child_add(&w.m.children, pid, rows[i].in == CHILD_DEAD ? KIND_ZOMBIE : KIND_SERVICE, s, "a", "/a",
			w.mono);
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
	} rows[] = { { 0, 3 }, { 1, 3 }, { 59, 3 }, { 60, 4 }, { 61, 4 }, { 119, 4 }, { 120, 7 }, { 121, 7 }, { 180, 8 },
		{ 240, 10 } };
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
	TCase *t = tcase_create("loop");
	tcase_add_checked_fixture(t, world_setup, world_teardown);
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, test_I1_interrupted_waits_never_delay_a_message, 0, COUNT(interruptions));
	tcase_add_loop_test(t, test_I1_interrupted_waits_never_delay_a_client, 0, COUNT(interruptions));
	tcase_add_test(t, test_I11_hup_before_the_wait_ends_the_pass);
	tcase_add_test(t, test_every_message_in_every_state);
	tcase_add_test(t, test_messages_in_pieces);
	tcase_add_test(t, test_messages_from_strangers_and_neighbours);
	tcase_add_test(t, test_I10_a_chatterer_delays_nobody);
	tcase_add_test(t, test_events_on_both_clocks);
	tcase_add_test(t, test_due_events_run_in_order_a_few_at_a_time);
	tcase_add_test(t, test_reload_signals_exactly_the_children_of_the_slots);
	tcase_add_test(t, test_shutdown_waits_for_workers_and_a_while_for_events);
	tcase_add_loop_test(t, test_address_syntax, 0, COUNT(addresses));
	tcase_add_test(t, test_unusable_addresses_disable_one_service);
	tcase_add_test(t, test_metrics_text);
	return t;
}
